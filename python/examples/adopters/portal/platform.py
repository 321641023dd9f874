"""The platform's own administrators: tenants come and go; their audit trails stay."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel
from sqlalchemy import orm

from sealite.fastapi import VaultDep

from .access import send
from .database import Organisation, User, engine
from .people import Invitation
from .vault import Platform, site

routes = APIRouter(prefix="/organisations")


class NewOrganisation(BaseModel):
    name: str
    admin: str


@routes.post("", status_code=201)
def create(vault: VaultDep, platform: Platform, new: NewOrganisation) -> None:
    if any(each.name == new.name and each.erased_at for each in vault.tenants()):
        raise HTTPException(409, "the name of an organisation that is gone is not given again")
    tenant = vault.tenant(new.name)
    with orm.Session(engine) as session:
        session.add(Organisation(name=new.name))
        session.commit()
    send(tenant, new.admin, tenant.tokens.issue("invite", data=Invitation(email=new.admin, role="admin").model_dump()).text)


@routes.delete("/{name}")
def delete(vault: VaultDep, platform: Platform, name: str) -> dict[str, str]:
    """Ends its tokens and settings with its keys: what backups of the database hold of its people opens no more. Its trail
    stays. Asked again, it finishes what was cut off. The receipt says what was done, and when."""
    with orm.Session(engine) as session:
        users = session.scalar(sa.select(sa.func.count()).select_from(User).where(User.organisation == name))
        session.execute(sa.delete(User).where(User.organisation == name))
        session.execute(sa.delete(Organisation).where(Organisation.name == name))
        site.audit("organisation.deleted", actor=platform.label, payload={"users": users}, tenant=name)
        session.commit()
    return {"receipt": vault.erase_tenant(name).text}


@routes.get("/{name}/audit")
def trail(vault: VaultDep, platform: Platform, name: str) -> list[dict[str, Any]]:
    found = vault.tenant(name).audit.tail(100)
    if not found:
        raise HTTPException(404)
    return [{"event": each.event, "actor": each.actor, "payload": each.payload} for each in found]
