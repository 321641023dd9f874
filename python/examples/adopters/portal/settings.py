"""Providers: a tenant's own settings, over the platform's."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from sealite import CLEAR, Settings
from sealite.fastapi import TenantDep, VaultDep

from .vault import Admin, Platform

routes = APIRouter()


class Value(BaseModel):
    value: bool | float | str | dict[str, Any]


@routes.get("/t/{tenant}/settings")
def show(tenant: TenantDep, admin: Admin) -> dict[str, Any]:
    return _shown(tenant.settings)


@routes.put("/t/{tenant}/settings/{name}", status_code=204)
def write(tenant: TenantDep, admin: Admin, name: str, given: Value) -> None:
    tenant.settings.write(name, given.value, actor=f"user-{admin.subject}")


@routes.delete("/t/{tenant}/settings/{name}", status_code=204)
def clear(tenant: TenantDep, admin: Admin, name: str) -> None:
    tenant.settings.write(name, CLEAR, actor=f"user-{admin.subject}")


@routes.get("/t/{tenant}/providers")
def providers(tenant: TenantDep, admin: Admin) -> dict[str, dict[str, Any]]:
    """What can be used, and where it comes from: never what it is."""
    secrets = {"smtp": "smtp.password", "payment": "payment.key"}
    found = {provider: tenant.settings.read(name) for provider, name in secrets.items()}
    return {provider: {"ready": each.is_set, "from": each.source} for provider, each in found.items()}


@routes.put("/settings/{name}", status_code=204)
def write_platform(vault: VaultDep, platform: Platform, name: str, given: Value) -> None:
    vault.settings.write(name, given.value, actor=f"platform-{platform.label}")


@routes.delete("/settings/{name}", status_code=204)
def clear_platform(vault: VaultDep, platform: Platform, name: str) -> None:
    vault.settings.write(name, CLEAR, actor=f"platform-{platform.label}")


def _shown(settings: Settings) -> dict[str, Any]:
    return {each.name: {"shown": each.shown, "source": each.source} for each in settings.list()}
