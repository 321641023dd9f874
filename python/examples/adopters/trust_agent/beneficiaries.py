"""Beneficiaries: every personal column sealed, found by e-mail and by account number, however that is written."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from sealite import Row, Vault
from sealite.fastapi import VaultDep

from .vault import Reader, Writer, site

routes = APIRouter(prefix="/beneficiaries")


class Personal(BaseModel):
    name: str | None = None
    phone: str | None = None
    address: str | None = None
    ssn_last4: str | None = None
    born: str | None = None
    notes: str | None = None


class Beneficiary(Personal):
    email: str
    accounts: list[str] = []


@routes.post("", status_code=201)
def add(vault: VaultDep, writer: Writer, new: Beneficiary) -> dict[str, int]:
    with vault.transaction() as tx:
        id = tx.table("beneficiaries").insert(new.model_dump(exclude={"accounts"}))
        tx.table("accounts").insert_many([{"number": number, "beneficiary": id} for number in new.accounts])
        site.audit("beneficiary.added", actor=writer, subject=str(id), payload={"accounts": len(new.accounts)}, transaction=tx)
    return {"id": id}


@routes.get("")
def find(vault: VaultDep, reader: Reader, email: str | None = None, account: str | None = None) -> dict[str, Any]:
    if email is not None:
        found = vault.table("beneficiaries").find_one("email", email)
    elif account is not None:
        row = vault.table("accounts").find_one("number", account)
        found = None if row is None else vault.table("beneficiaries").get(row["beneficiary"])
    else:
        raise HTTPException(422, "an e-mail or an account number")
    return _shown(vault, reader, found)


@routes.get("/{id}")
def show(vault: VaultDep, reader: Reader, id: int) -> dict[str, Any]:
    return _shown(vault, reader, vault.table("beneficiaries").get(id))


@routes.patch("/{id}", status_code=204)
def change(vault: VaultDep, writer: Writer, id: int, changes: Personal) -> None:
    given = changes.model_dump(exclude_unset=True)
    with vault.transaction() as tx:
        if not tx.table("beneficiaries").update(id, given):
            raise HTTPException(404)
        site.audit("beneficiary.changed", actor=writer, subject=str(id), payload={"columns": [*given]}, transaction=tx)


def _shown(vault: Vault, reader: str, found: Row | None) -> dict[str, Any]:
    if found is None:
        raise HTTPException(404)
    site.audit("beneficiary.read", actor=reader, subject=str(found.id))
    numbers = vault.query("SELECT number FROM accounts WHERE beneficiary = ? ORDER BY id", [found.id])
    return dict(found) | {"accounts": [number for (number,) in numbers]}
