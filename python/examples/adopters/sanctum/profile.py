"""Profiles: fields that administrators define, each with its own switch, in rows of (user, field, value).

What is sealed stands in the column `value`, what is not in `clear`: a row has one of them, or neither, which is NULL.
"""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from sealite import Transaction, Vault
from sealite.fastapi import VaultDep

from .accounts import Admin, Session
from .vault import erase_remnants, site

routes = APIRouter()


class Field(BaseModel):
    name: str
    encrypted: bool = True
    # Meant for everybody: never sealed, whatever is asked.
    public: bool = False


class Switch(BaseModel):
    encrypted: bool


class Changes(BaseModel):
    email: str | None = None
    name: str | None = None
    fields: dict[str, str | None] = {}
    unset: list[str] = []


@routes.get("/me")
def show(vault: VaultDep, session: Session) -> dict[str, Any]:
    id = int(session.subject or 0)
    with vault.snapshot() as snapshot:
        ((email, name),) = snapshot.query("SELECT email, name FROM users WHERE id = ?", [id])
        fields = snapshot.query(
            "SELECT f.name, coalesce(v.value, v.clear) FROM field_values v JOIN fields f ON f.id = v.field_id WHERE v.user_id = ?", [id]
        )
    return {"email": email, "name": name, "fields": dict(fields)}


@routes.patch("/me", status_code=204)
def change(vault: VaultDep, session: Session, changes: Changes) -> None:
    """All of it, or nothing."""
    id, given = int(session.subject or 0), changes.model_dump(include={"email", "name"}, exclude_unset=True)
    with vault.transaction() as tx:
        if given:
            tx.table("users").update(id, given)
        for name in [*changes.unset, *changes.fields]:
            field, encrypted = _field(tx, name)
            tx.execute("DELETE FROM field_values WHERE user_id = ? AND field_id = ?", [id, field])
            if name in changes.fields:
                column = "value" if encrypted else "clear"
                tx.execute(
                    f"INSERT INTO field_values (user_id, field_id, {column}) VALUES (?, ?, ?)", [id, field, changes.fields[name]]
                )
        site.audit("profile.changed", payload={"columns": [*given], "fields": [*changes.fields, *changes.unset]}, transaction=tx)


@routes.post("/admin/fields", status_code=201)
def define(vault: VaultDep, admin: Admin, field: Field) -> None:
    if field.public and field.encrypted:
        raise HTTPException(422, "what is public is not encrypted")
    vault.execute("INSERT INTO fields (name, encrypted, public) VALUES (?, ?, ?)", [field.name, field.encrypted, field.public])


@routes.put("/admin/fields/{name}")
def switch(vault: VaultDep, admin: Admin, name: str, to: Switch) -> dict[str, str]:
    """Seals or opens the values that are there, with the switch; what was in clear is overwritten in the file."""
    with vault.transaction() as tx:
        field, encrypted = _field(tx, name)
        if to.encrypted and tx.query("SELECT 1 FROM fields WHERE id = ? AND public", [field]):
            raise HTTPException(409, "the field is public")
        moved = 0
        if to.encrypted != encrypted:
            into, out_of = ("value", "clear") if to.encrypted else ("clear", "value")
            tx.execute("UPDATE fields SET encrypted = ? WHERE id = ?", [to.encrypted, field])
            moved = tx.execute(f"UPDATE field_values SET {into} = {out_of}, {out_of} = NULL WHERE field_id = ?", [field])
            erase_remnants(tx)
        site.audit("field.switched", payload={"field": name, "encrypted": to.encrypted, "values": moved}, transaction=tx)
    return {"erasure": vault.finish_erasure()}


def _field(place: Vault | Transaction, name: str) -> tuple[int, bool]:
    for id, encrypted in place.query("SELECT id, encrypted FROM fields WHERE name = ?", [name]):
        return id, bool(encrypted)
    raise HTTPException(422, "there is no such field")
