"""The fields that types stand for. Which vault and which tenant a value is for is decided when the value is processed,
never when a statement is compiled: compiled statements are shared by all who run them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sealite
from sealite import vaults
from sealite._native import FieldBinding

Kind: TypeAlias = Literal["text", "integer", "real", "boolean", "blob"]
Padding: TypeAlias = int | Literal["none", "padme"]

# Tenants whose bindings are kept at hand, of one field.
_MAX_TENANTS = 4_096

_lock = threading.RLock()
_vaults: dict[str, sealite.Vault] = {}
_families: dict["Key", "Family"] = {}
_tenant: ContextVar[str | None] = ContextVar("sealite_tenant", default=None)


def _unlock_in_child() -> None:
    # Another thread may have held it at the fork, and does not exist in the child.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_in_child)


@dataclass(frozen=True)
class Key:
    """What tells one kind of sealed value from another."""

    vault: str
    label: str
    kind: Kind
    index: str | None
    padding: Padding | None


class Family:
    """The bindings of one field: the vault's own, and one for each tenant."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self.own = self._made(None)
        self._tenants: dict[str, FieldBinding] = {}

    def _made(self, tenant: str | None) -> FieldBinding:
        binding = FieldBinding(self._key.label, self._key.kind, self._key.index)
        vault = _vaults.get(self._key.vault)
        if vault is not None:
            binding.bind(self._field(vault, tenant))
        return binding

    def _field(self, vault: sealite.Vault, tenant: str | None) -> sealite.Field:
        handle = vault if tenant is None else vault.tenant(tenant)
        return handle.field(self._key.label, padding=self._key.padding)

    def rebind(self, vault: sealite.Vault | None) -> None:
        self.own.bind(None if vault is None else self._field(vault, None))
        self._tenants = {}

    def of_tenant(self) -> FieldBinding:
        """The binding of the tenant that is in force here."""
        name = _tenant.get()
        if name is None:
            raise sealite.NotAllowed(
                f"field {self._key.label} is per tenant, and none is in force: with sealite.sqlalchemy.tenant(...)"
            )
        tenants = self._tenants
        binding = tenants.get(name)
        if binding is None:
            with _lock:
                binding = self._made(name)
                if len(tenants) >= _MAX_TENANTS:
                    tenants.clear()
                tenants[name] = binding
        return binding


def family(key: Key) -> Family:
    found = _families.get(key)
    if found is None:
        with _lock:
            found = _families.get(key) or Family(key)
            _families[key] = found
    return found


def _registered(name: str, vault: sealite.Vault | None) -> None:
    with _lock:
        if vault is None:
            _vaults.pop(name, None)
        else:
            _vaults[name] = vault
        for key, each in _families.items():
            if key.vault == name:
                each.rebind(vault)


vaults._follow(_registered)


@contextmanager
def tenant(name: str) -> Iterator[None]:
    """The tenant for whom values of `per_tenant` types are sealed, opened and looked up: in this thread or task, and in
    the tasks that it starts, up to the end of the block.

    Flush before the block ends: what is flushed later is sealed for the tenant of that moment.
    """
    token = _tenant.set(name)
    try:
        yield
    finally:
        _tenant.reset(token)
