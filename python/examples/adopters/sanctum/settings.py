"""The deployment's settings, for administrators: masked, unless somebody asks for one and says why."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, SecretStr

from sealite import CLEAR, Token, aio
from sealite.fastapi import VaultDep

from .accounts import Admin

routes = APIRouter(prefix="/admin/settings")


class Value(BaseModel):
    value: SecretStr


class Secret(BaseModel):
    secret: bool


class Reason(BaseModel):
    reason: str
    secrets: bool = False


@routes.get("")
def show(vault: VaultDep, admin: Admin) -> dict[str, dict[str, Any]]:
    return {
        each.name: {
            "shown": each.shown,
            "source": each.source,
            "secret": each.secret,
            "requires_restart": each.requires_restart,
            "category": each.category,
            "description": each.description,
        }
        for each in vault.settings.list()
    }


@routes.post("")
async def write_form(request: Request, vault: VaultDep, admin: Admin) -> list[str]:
    """The form as it was shown, with what was typed into it: a mask or a blank keeps what is there. What was changed."""
    form = {name: text for name, text in (await request.form()).items() if "." in name and isinstance(text, str)}
    return await aio.run(vault.settings.write_form, form, actor=_who(admin))


@routes.get("/restart")
def restart(vault: VaultDep, admin: Admin) -> list[str]:
    return vault.settings.restart_pending()


@routes.post("/export")
def export(vault: VaultDep, admin: Admin, asked: Reason) -> Response:
    text = vault.settings.export_env(actor=_who(admin), reason=asked.reason, include_secrets=asked.secrets)
    return Response(text, media_type="text/plain", headers={"Cache-Control": "no-store"})


@routes.put("/{name}", status_code=204)
def write(vault: VaultDep, admin: Admin, name: str, given: Value) -> None:
    """Exactly this text, whatever it looks like."""
    vault.settings.write(name, given.value.get_secret_value(), actor=_who(admin))


@routes.delete("/{name}", status_code=204)
def clear(vault: VaultDep, admin: Admin, name: str) -> None:
    vault.settings.write(name, CLEAR, actor=_who(admin))


@routes.put("/{name}/secret", status_code=204)
def set_secret(vault: VaultDep, admin: Admin, name: str, to: Secret) -> None:
    vault.settings.set_secret(name, to.secret, actor=_who(admin))


@routes.post("/{name}/reveal")
def reveal(response: Response, vault: VaultDep, admin: Admin, name: str, asked: Reason) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-store"
    return {"value": vault.settings.reveal(name, actor=_who(admin), reason=asked.reason).expose()}


def _who(admin: Token) -> str:
    return f"user-{admin.subject}"
