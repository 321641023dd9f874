"""A vault for as long as an application runs."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import fastapi

from .. import Locked, NotInitialised, Unlock, Vault, _hosting, aio, web
from ..vaults import register_vault, unregister_vault

_C = TypeVar("_C", bound=web.ReadyCheck)


class VaultLife:
    """Opens a vault, or takes the one given, and knows what state it is in."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        unlock: str | None,
        vault: Vault | None,
        name: str,
        options: dict[str, Any],
    ) -> None:
        if (vault is None) == (path is None or unlock is None):
            raise TypeError("either a path and a reference to the key, or a vault")
        self._path, self._unlock, self._vault, self._name = path, unlock, vault, name
        self._owned = vault is None
        self._options = options
        self._declarations: list[Callable[[Vault], object]] = []
        self._declared = 0
        self.checks: list[web.ReadyCheck] = []

    def on_open(self, declare: Callable[[Vault], object]) -> Callable[[Vault], object]:
        """Has this called with the vault once it is open and before anything else uses it, in every worker: the place for
        `define_table` and `settings.define`, which may be repeated, as this may be."""
        self._declarations.append(declare)
        return declare

    def ready_check(self, check: _C) -> _C:
        """Has `/readyz` ask this too, in a thread: it gives the names of what is wrong, if anything is."""
        self.checks.append(check)
        return check

    @asynccontextmanager
    async def lifespan(self, app: fastapi.FastAPI) -> AsyncIterator[None]:
        """Opens the vault and registers it; closes it at the end. For an application's `lifespan`, or within one."""
        if self._owned:
            self._vault = await aio.run(self._opened)
        try:
            register_vault(await aio.run(lambda: self.vault), self._name)
            yield
        finally:
            unregister_vault(self._name)
            if self._owned:
                await aio.run(self.handle().close)
                self._vault = None

    def _opened(self) -> Vault:
        assert self._path is not None
        return Vault.at(self._path, **self._options)

    def _reference(self) -> Unlock:
        if self._unlock is None:
            raise TypeError("the vault was given without a reference to its key")
        return Unlock.reference(self._unlock)

    @property
    def vault(self) -> Vault:
        """The vault, while the application runs; unlocked here where another worker has initialised it meanwhile."""
        vault = self.handle()
        if self._owned and vault.status == "locked":
            vault.unlock(self._reference())
        self._declared = _hosting.declared(vault, self._declarations, self._declared)
        return vault

    def handle(self) -> Vault:
        """The vault as it is, initialised or not."""
        if self._vault is None:
            raise RuntimeError("the vault is open while the application's lifespan is: FastAPI(lifespan=sealite.lifespan)")
        return self._vault

    def ready(self) -> Vault:
        """The vault; NotInitialised or Locked where it is not open."""
        vault = self.vault
        status = vault.status
        if status in ("absent", "uninitialised"):
            raise NotInitialised("the vault has not been initialised")
        if status == "locked":
            raise Locked("the vault is locked")
        return vault

    def initialise(self, unlock: Unlock | None = None) -> None:
        """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
        _hosting.initialise(self.handle(), self._reference() if unlock is None else unlock)
