"""Vaults by name: for what is declared before a vault is open, and for what is configured by text.

    >>> from sealite.vaults import register_vault, registered_vault
    >>> register_vault(sealite.Vault.create("app.db", sealite.Unlock.environment("EXAMPLE_KEY")))
    >>> registered_vault().status
    'open'

`sealite.sqlalchemy` looks its vaults up here for every value, `sealite.limits` for every charge.
"""

import os
import threading
from collections.abc import Callable

from . import NotFound, Vault

__all__ = ["register_vault", "registered_vault", "unregister_vault"]

_lock = threading.RLock()
_vaults: dict[str, Vault] = {}
_followers: list[Callable[[str, Vault | None], None]] = []


def _unlock_in_child() -> None:
    # Another thread may have held it at the fork, and does not exist in the child.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_in_child)


def register_vault(vault: Vault, name: str = "default") -> None:
    """Makes the vault known by this name, instead of any other. It stays the caller's to close. Any thread may call this:
    what is under way finishes with the vault that it began with, or with this one."""
    with _lock:
        _vaults[name] = vault
        _tell(name, vault)


def unregister_vault(name: str = "default") -> None:
    """Forgets the name: what refers to it is refused until another vault has it."""
    with _lock:
        _vaults.pop(name, None)
        _tell(name, None)


def registered_vault(name: str = "default") -> Vault:
    """The vault of this name; NotFound where there is none."""
    try:
        return _vaults[name]
    except KeyError:
        raise NotFound(f"no vault is registered as {name!r}: sealite.vaults.register_vault(vault)") from None


def _follow(follower: Callable[[str, Vault | None], None]) -> None:
    """Calls it for what is registered, now and later."""
    with _lock:
        _followers.append(follower)
        for name, vault in _vaults.items():
            follower(name, vault)


def _tell(name: str, vault: Vault | None) -> None:
    for follower in _followers:
        follower(name, vault)
