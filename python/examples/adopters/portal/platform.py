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
    tenant = vault.tenant(new.name)
    with orm.Session(engine) as session:
        session.add(Organisation(name=new.name))
        session.commit()
    send(tenant, new.admin, tenant.tokens.issue("invite", data=Invitation(email=new.admin, role="admin").model_dump()).text)


@routes.delete("/{name}", status_code=204)
def delete(vault: VaultDep, platform: Platform, name: str) -> None:
    tenant = vault.tenant(name)
    with orm.Session(engine) as session:
        ids = session.scalars(sa.select(User.id).where(User.organisation == name)).all()
        for id in ids:
            tenant.tokens.revoke_subject(str(id))
        session.execute(sa.delete(User).where(User.organisation == name))
        session.execute(sa.delete(Organisation).where(Organisation.name == name))
        site.audit("organisation.deleted", actor=platform.label, payload={"users": len(ids)}, tenant=name)
        session.commit()


@routes.get("/{name}/audit")
def trail(vault: VaultDep, platform: Platform, name: str) -> list[dict[str, Any]]:
    found = vault.tenant(name).audit.tail(100)
    if not found:
        raise HTTPException(404)
    return [{"event": each.event, "actor": each.actor, "payload": each.payload} for each in found]
