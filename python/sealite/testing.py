"""Fixtures for pytest, for applications that use a vault. In conftest.py:

    pytest_plugins = ["sealite.testing"]

- `sealite_vault`: an empty vault in memory, registered as "default".
- `sealite_vault_file`: the same in a file, for tests with several processes.
- `sealite_unlock`: a slot that costs nothing to open: a random key.
- `sealite_passphrase`: the cheapest passphrase slot that a vault takes.
- `sealite_clock`: the clock of `sealite_vault`, to set and to advance.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import Unlock, Vault, generate_key
from .vaults import register_vault, unregister_vault

__all__ = [
    "Clock",
    "sealite_clock",
    "sealite_passphrase",
    "sealite_unlock",
    "sealite_vault",
    "sealite_vault_file",
]


class Clock:
    """The clock of a vault: stands still from when it is first set, and belongs to this process only.

    >>> import sealite.testing
    >>> vault = sealite.Vault.in_memory()
    >>> clock = sealite.testing.Clock(vault)
    >>> text = vault.tokens.issue("magic_link", expires_in=900).text
    >>> clock.advance(901)
    >>> vault.tokens.verify(text, "magic_link")
    Traceback (most recent call last):
    sealite.TokenRejected: ...
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._now = datetime.datetime.now(datetime.UTC)

    @property
    def now(self) -> datetime.datetime:
        """The time on it."""
        return self._now

    def set(self, now: datetime.datetime) -> None:
        """Sets it; a time without a zone is refused."""
        if now.tzinfo is None:
            raise ValueError("the clock is set to a time with a zone")
        self._now = now
        since = now - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        self._vault._set_clock(since // datetime.timedelta(milliseconds=1))

    def advance(self, by: datetime.timedelta | float) -> None:
        """Sets it forward, by seconds or a timedelta."""
        step = by if isinstance(by, datetime.timedelta) else datetime.timedelta(seconds=by)
        self.set(self._now + step)

    def release(self) -> None:
        """Gives it back to the system."""
        self._vault._set_clock(None)


@pytest.fixture
def sealite_unlock() -> Unlock:
    """A slot that costs nothing to open."""
    return Unlock.key_text(generate_key())


@pytest.fixture
def sealite_passphrase() -> Unlock:
    """A passphrase of the least cost that a vault takes: some hundredths of a second."""
    return Unlock.passphrase("correct horse battery staple", memory_kib=19_456, passes=2, lanes=1)


@pytest.fixture
def sealite_vault() -> Iterator[Vault]:
    """An empty vault in memory."""
    with Vault.in_memory() as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


@pytest.fixture
def sealite_vault_file(tmp_path: Path, sealite_unlock: Unlock) -> Iterator[Vault]:
    """An empty vault in a file; `sealite_unlock` opens it."""
    with Vault.create(tmp_path / "vault.db", sealite_unlock) as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


@pytest.fixture
def sealite_clock(sealite_vault: Vault) -> Iterator[Clock]:
    """The clock of `sealite_vault`."""
    clock = Clock(sealite_vault)
    clock.set(clock.now)
    yield clock
    clock.release()
