"""For the operator: keys, settings, the trail as JSON Lines."""

import io
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel

from sealite import InvalidInput
from sealite.fastapi import VaultDep

from .vault import Admin, site

routes = APIRouter()


class NewKey(BaseModel):
    subject: str
    scopes: list[str]
    limits: str | None = None


class Value(BaseModel):
    value: bool | str


@routes.post("/keys", status_code=201)
def make_key(vault: VaultDep, admin: Admin, new: NewKey) -> dict[str, str]:
    try:
        issued = vault.tokens.issue("api_key", subject=new.subject, label=new.subject, scopes=new.scopes, limits=new.limits)
    except InvalidInput as error:
        raise HTTPException(422, str(error)) from error
    site.audit("key.made", actor=admin.label, subject=new.subject)
    return {"id": issued.token.id, "key": issued.text}


@routes.delete("/keys/{id}", status_code=204)
def revoke_key(vault: VaultDep, admin: Admin, id: str) -> None:
    vault.tokens.revoke(id)
    site.audit("key.revoked", actor=admin.label, subject=id)


@routes.put("/settings/{name}", status_code=204)
def write(vault: VaultDep, admin: Admin, name: str, given: Value) -> None:
    vault.settings.write(name, given.value, actor=admin.label or admin.id)


@routes.post("/receipts/key", status_code=201)
def make_receipts_key(vault: VaultDep, admin: Admin) -> None:
    if vault.settings.read("receipts.key").is_set:
        raise HTTPException(409, "there is one")
    vault.settings.write("receipts.key", Ed25519PrivateKey.generate().private_bytes_raw().hex(), actor=admin.label or admin.id)


@routes.get("/audit/export")
def export(vault: VaultDep, admin: Admin) -> Response:
    lines = io.StringIO()
    vault.audit.export(lines)
    return Response(lines.getvalue(), media_type="application/jsonl")


@routes.post("/audit/export")
def export_daily(vault: VaultDep, admin: Admin) -> dict[str, int]:
    """One file a day, into the folder of exports; with each call what is new."""
    written = vault.audit.export_daily(os.environ["TRUST_EXPORTS"])
    return {path.name: lines for path, lines in written.items()}
