"""The vaults that connections share: one open vault a file and key, for as long as a connection needs it."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from sealite._native import Closed, Forked, InvalidInput, NotFound, Unlock, Vault
from sealite import _dbapi2 as _native

__all__ = ["acquire"]

_lock = threading.RLock()
_open: dict[tuple[str, str], "_Shared"] = {}
# So that a digest of a key tells nothing outside of this process.
_pepper = os.urandom(32)


class _Shared:
    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.users = 0


def _unlock_in_child() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_in_child)


def acquire(
    database: Any,
    uri: bool,
    *,
    key: str | None,
    key_bytes: Any,
    passphrase: str | None,
    vault: Vault | None,
    existing_database: bool,
    timeout: float,
) -> tuple[Vault, Callable[[], None], bool]:
    """A vault, what gives it back, and whether it is for reading only."""
    given = [name for name, value in (("key", key), ("key_bytes", key_bytes), ("passphrase", passphrase)) if value is not None]
    if vault is not None:
        if database is not None or given:
            raise _native.ProgrammingError("a vault is given: no database and no key beside it")
        return vault, _nothing, False
    if database is None:
        raise TypeError("connect() needs a database or a vault")
    mode, path = "rwc", _path(os.fsdecode(database))
    if uri and path.startswith("file:"):
        path, options = _parsed(path)
        mode = options.get("mode", mode)
        if "key" in options:
            given.append("key in the URI")
            key = options["key"]
    if len(given) > 1:
        raise _native.ProgrammingError(f"one way to unlock is given, not {len(given)}: {', '.join(given)}")
    if mode == "memory" or path in (":memory:", ""):
        own = Vault.in_memory()
        return own, own.close, False
    if not given:
        raise _native.OperationalError(
            "a vault in a file needs its key, by reference: key='env:NAME', 'file:/path' or 'credential:name'"
        )
    real = os.path.realpath(path)
    if os.path.isdir(real) or not os.path.isdir(os.path.dirname(real)) or (mode != "rwc" and not os.path.exists(real)):
        raise _cannot_open()
    how = real, _name_of(key, key_bytes, passphrase)
    with _lock:
        shared = _open.get(how)
        if shared is None or not _is_open(shared.vault):
            unlock = _unlock(key, key_bytes, passphrase)
            shared = _open[how] = _Shared(_vault_at(real, unlock, timeout, existing_database, mode))
        shared.users += 1
    return shared.vault, _Release(how, shared), mode == "ro"


class _Release:
    """Gives a vault back, once."""

    def __init__(self, how: tuple[str, str], shared: _Shared) -> None:
        self._how = how
        self._shared: _Shared | None = shared

    def __call__(self) -> None:
        with _lock:
            shared, self._shared = self._shared, None
            if shared is None:
                return
            shared.users -= 1
            if shared.users:
                return
            if _open.get(self._how) is shared:
                del _open[self._how]
        shared.vault.close()


def _is_open(vault: Vault) -> bool:
    try:
        return vault.status == "open"
    except (Closed, Forked):
        return False


def _nothing() -> None:
    pass


def _vault_at(path: str, unlock: Unlock, timeout: float, existing_database: bool, mode: str) -> Vault:
    vault = Vault.at(path, busy_timeout=timeout, existing_database=existing_database)
    if mode == "rwc" and vault.status in ("absent", "uninitialised"):
        vault.initialise(unlock)
    else:
        vault.unlock(unlock)
    return vault


def _unlock(key: str | None, key_bytes: Any, passphrase: str | None) -> Unlock:
    if key_bytes is not None:
        return Unlock.key(key_bytes)
    if passphrase is not None:
        return Unlock.passphrase(passphrase)
    assert key is not None
    return Unlock.reference(key)


def _name_of(key: str | None, key_bytes: Any, passphrase: str | None) -> str:
    """What tells one way to unlock from another, without the secret itself."""
    if key is not None:
        return key
    secret = bytes(key_bytes) if key_bytes is not None else (passphrase or "").encode()
    return hashlib.blake2b(secret, key=_pepper).hexdigest()


def _parsed(uri: str) -> tuple[str, dict[str, str]]:
    rest, _, _ = uri.removeprefix("file:").partition("#")
    path, _, query = rest.partition("?")
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    options = dict(parse_qsl(query, keep_blank_values=True))
    if options.keys() - {"mode", "cache", "key"}:
        # What is there instead may be a key.
        raise InvalidInput("a URI has mode, cache and key here, and nothing else")
    if options.get("mode", "rwc") not in ("ro", "rw", "rwc", "memory"):
        raise _native.OperationalError("no such access mode")
    return _path(os.fsdecode(unquote_to_bytes(os.fsencode(path)))), options


def _path(path: str) -> str:
    """The path, where the file system has a form for it. Python's own errors would show it, and a URI may hold a key."""
    with contextlib.suppress(UnicodeEncodeError):
        if b"\0" in os.fsencode(path):
            raise _native.ProgrammingError("a path has no NUL character")
        return path
    raise _native.EncodingError("utf-8", "?", 0, 1, "surrogates not allowed")


def _cannot_open() -> Exception:
    from ._constants import SQLITE_CANTOPEN

    error = _native.OperationalError("unable to open database file")
    error.sqlite_errorcode, error.sqlite_errorname = SQLITE_CANTOPEN, "SQLITE_CANTOPEN"
    error.code, error.name = NotFound.code, NotFound.name
    return error
