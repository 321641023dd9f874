"""Vaults as storages of the `limits` library: slowapi's and Flask-Limiter's limits outlive a restart, and all processes
share them.

    limiter = Limiter(get_remote_address, app=app, storage_uri="sealite://default", strategy="moving-window")

`import sealite.limits` registers the two schemes, of `VaultStorage` and of `AsyncVaultStorage`:

    >>> import limits, limits.storage, limits.strategies
    >>> import sealite.limits
    >>> from sealite.vaults import register_vault
    >>> register_vault(sealite.Vault.in_memory())
    >>> limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.storage_from_string("sealite://default"))
    >>> [limiter.hit(limits.parse("2/minute"), "192.0.2.1") for _ in range(3)]
    [True, True, False]

`sealite://NAME` names a registered vault, `async+sealite://NAME` is the same for asyncio; `?tenant=acme` keeps to a tenant.
What is limited by is kept as a MAC (see quotas). Windows are the vault's own:

- "moving-window" and "sliding-window-counter" both count exactly, up to 1/31 of the window too long where the limit is
  above 32, and never too short;
- "fixed-window" has windows that begin at multiples of their length since 1970 (UTC).

`reset()` begins anew, in all processes: keys are counted under the number of resets, which the first one gives a table of
its own, `limits_resets`. What was counted before goes as its windows end. It touches no quotas of the application's own.
"""

import time
import urllib.parse
from typing import Any

import limits.aio.storage
import limits.storage
from limits.limits import GRANULARITIES

from . import Decision, InvalidInput, NotFound, QuotaLimit, Quotas, SealiteError, Vault, aio
from .vaults import registered_vault

__all__ = ["AsyncVaultStorage", "VaultStorage"]

# More than any counter reaches: for the windows that are counted and not limited.
_UNLIMITED = 2**32 - 1
_RESETS = "limits_resets"


class VaultStorage(
    limits.storage.Storage, limits.storage.MovingWindowSupport, limits.storage.SlidingWindowCounterSupport
):
    """The storage of `sealite://NAME`. Any thread may use it; it holds nothing that a fork would break."""

    STORAGE_SCHEME = ["sealite"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        parts = urllib.parse.urlsplit(uri)
        self._vault = parts.netloc or "default"
        self._tenant = dict(urllib.parse.parse_qsl(parts.query)).get("tenant")

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return SealiteError

    def _counted(self, key: str) -> tuple[Quotas, str]:
        """Where a key is counted, and as what."""
        vault = registered_vault(self._vault)
        resets = _resets(vault, self._place)
        quotas = vault.quotas if self._tenant is None else vault.tenant(self._tenant).quotas
        return quotas, f"{resets} resets: {key}" if resets else key

    @property
    def _place(self) -> str:
        return "vault" if self._tenant is None else f"tenant {self._tenant}"

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        window = QuotaLimit.fixed(_UNLIMITED, expiry)
        quotas, counted = self._counted(key)
        return _UNLIMITED - quotas.check_and_charge(counted, [window], amount).remaining

    def get(self, key: str) -> int:
        return _UNLIMITED - self._peek(key, _window_of(key)).remaining

    def get_expiry(self, key: str) -> float:
        return time.time() + self._peek(key, _window_of(key)).reset_after

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        if amount > limit:
            return False
        quotas, counted = self._counted(key)
        return quotas.check_and_charge(counted, [QuotaLimit.sliding(limit, expiry)], amount).allowed

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        decision = self._peek(key, QuotaLimit.sliding(limit, expiry))
        used = limit - decision.remaining
        # Full: until something has room again. Else: until all is forgotten.
        left = decision.reset_after if decision.allowed else decision.retry_after
        return (time.time() + left - expiry if used else time.time(), used)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self.acquire_entry(key, limit, expiry, amount)

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        decision = self._peek(key, QuotaLimit.sliding(_UNLIMITED, expiry))
        # Nothing has to be guessed from a previous window.
        return 0, 0.0, _UNLIMITED - decision.remaining, decision.reset_after

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        self.clear(key)

    def clear(self, key: str) -> None:
        quotas, counted = self._counted(key)
        quotas.reset(counted)

    def _peek(self, key: str, window: QuotaLimit) -> Decision:
        quotas, counted = self._counted(key)
        return quotas.peek(counted, [window])

    def check(self) -> bool:
        try:
            return registered_vault(self._vault).health().usable
        except SealiteError:
            return False

    def reset(self) -> int | None:
        """Forgets what this storage has counted, in all processes; None, as how much that was is not known."""
        vault = registered_vault(self._vault)
        vault.define_table(_RESETS, {"count": "integer authenticated not null"}, key="storage", text_key=True)
        with vault.transaction() as tx:
            table = tx.table(_RESETS)
            row = table.get(self._place)
            if row is None:
                table.insert(storage=self._place, count=1)
            else:
                table.update(self._place, count=row["count"] + 1)
        return None


class AsyncVaultStorage(
    limits.aio.storage.Storage,
    limits.aio.storage.MovingWindowSupport,
    limits.aio.storage.SlidingWindowCounterSupport,
):
    """The storage of `async+sealite://NAME`: the same, in a thread for each call."""

    STORAGE_SCHEME = ["async+sealite"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        # Errors are wrapped once, out here.
        self._storage = VaultStorage(uri)

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return SealiteError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return await aio.run(self._storage.incr, key, expiry, amount)

    async def get(self, key: str) -> int:
        return await aio.run(self._storage.get, key)

    async def get_expiry(self, key: str) -> float:
        return await aio.run(self._storage.get_expiry, key)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return await aio.run(self._storage.acquire_entry, key, limit, expiry, amount)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        return await aio.run(self._storage.get_moving_window, key, limit, expiry)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return await aio.run(self._storage.acquire_sliding_window_entry, key, limit, expiry, amount)

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        return await aio.run(self._storage.get_sliding_window, key, expiry)

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        await aio.run(self._storage.clear_sliding_window, key, expiry)

    async def clear(self, key: str) -> None:
        await aio.run(self._storage.clear, key)

    async def check(self) -> bool:
        return await aio.run(self._storage.check)

    async def reset(self) -> int | None:
        return await aio.run(self._storage.reset)


def _resets(vault: Vault, place: str) -> int:
    try:
        row = vault.table(_RESETS).get(place)
    except NotFound:
        # Never reset: the table is made by the first.
        return 0
    count: int = 0 if row is None else row["count"]
    return count


def _window_of(key: str) -> QuotaLimit:
    """The fixed window of a key, which ends in the limit: .../30/1/minute."""
    parts = key.rsplit("/", 2)
    if len(parts) == 3 and parts[1].isdecimal() and parts[2] in GRANULARITIES:
        return QuotaLimit.fixed(_UNLIMITED, int(parts[1]) * GRANULARITIES[parts[2]].GRANULARITY.seconds)
    raise InvalidInput("a key of the limits library ends in its limit, such as 30/1/minute")
