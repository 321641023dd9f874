"""The audit trail, and the keys that open the vault."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, SecretStr

from sealite import Rotation, Unlock
from sealite.fastapi import VaultDep

from .accounts import Admin
from .vault import site

routes = APIRouter(prefix="/admin")


class NewKey(BaseModel):
    label: str
    key: SecretStr


@routes.get("/audit")
def trail(vault: VaultDep, admin: Admin) -> list[dict[str, Any]]:
    return [
        {"seq": each.seq, "event": each.event, "actor": each.actor, "subject": each.subject, "payload": each.payload}
        for each in vault.audit.tail(500)
    ]


@routes.get("/audit/checkpoint")
def checkpoint(vault: VaultDep, admin: Admin) -> str:
    """How far the trail goes: to be kept on another machine."""
    return vault.audit.checkpoint()


@routes.get("/audit/verify")
def verify(vault: VaultDep, admin: Admin, checkpoint: str | None = None) -> dict[str, Any]:
    report = vault.audit.verify(checkpoint)
    return {"sound": report.sound, "entries": report.entries, "faults": [each.kind for each in report.faults]}


@routes.get("/keys")
def keys(vault: VaultDep, admin: Admin) -> dict[int, str]:
    return {slot.id: slot.label for slot in vault.slots()}


@routes.post("/keys", status_code=201)
def add_key(vault: VaultDep, admin: Admin, new: NewKey) -> dict[str, int]:
    """Another key to the same vault. No row is touched: rows are sealed under keys that this one unwraps."""
    id = vault.add_slot(new.label, Unlock.key_text(new.key.get_secret_value()))
    site.audit("key.added", subject=str(id))
    return {"id": id}


@routes.post("/keys/rotation")
def rotate(vault: VaultDep, admin: Admin) -> dict[str, str]:
    """New keys for what rows, look-ups, tokens and the trail are under, while others go on: rows are sealed anew in batches, and
    a token gets the new one's hash when it is next used. Cut off, it is gone on with by the next call."""
    states: dict[str, str] = {each.kind: vault.keys.run(each).state for each in (Rotation.data(), Rotation.index(), Rotation.token(), Rotation.audit())}
    site.audit("keys.rotated", payload=states)
    return states


@routes.delete("/keys/{id}", status_code=204)
def remove_key(vault: VaultDep, admin: Admin, id: int) -> None:
    vault.remove_slot(id)
    site.audit("key.removed", subject=str(id))
