"""People of a tenant: invited, changed with an entry that stands or falls with the change, and looked at."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, SecretStr

from sealite.fastapi import TenantDep

from .access import hasher, send
from .database import SessionDep, User, one_of
from .vault import Admin, Member, site

routes = APIRouter(prefix="/t/{tenant}")


class Invitation(BaseModel):
    email: str
    role: str = "member"


class Joining(BaseModel):
    token: SecretStr
    name: str | None = None
    password: SecretStr


class Changes(BaseModel):
    name: str | None = None
    email: str | None = None
    reason: str = ""


@routes.post("/invitations", status_code=202)
def invite(tenant: TenantDep, admin: Admin, given: Invitation) -> None:
    send(tenant, given.email, tenant.tokens.issue("invite", data=given.model_dump()).text)


@routes.post("/join", status_code=201, dependencies=[site.limit("600/minute")])
def join(database: SessionDep, tenant: TenantDep, given: Joining) -> dict[str, int]:
    text = given.token.get_secret_value()
    tenant.tokens.peek(text, "invite")
    password = hasher.hash(given.password.get_secret_value())
    with tenant.transaction() as tx:
        invited = Invitation.model_validate(tx.tokens.consume(text, "invite").data)
        user = User(organisation=tenant.name, email=invited.email, role=invited.role, name=given.name, password=password)
        database.add(user)
        database.commit()
    return {"id": user.id}


@routes.get("/users")
def users(database: SessionDep, tenant: TenantDep, member: Member, email: str | None = None) -> list[dict[str, Any]]:
    query = sa.select(User).where(User.organisation == tenant.name).order_by(User.id)
    found = database.scalars(query if email is None else query.where(User.email == email))
    return [{"id": each.id, "email": each.email, "name": each.name} for each in found]


@routes.patch("/users/{id}", status_code=204)
def change(database: SessionDep, tenant: TenantDep, admin: Admin, id: int, changes: Changes) -> None:
    """With a critical entry: where that can't be written, nothing is changed."""
    user = one_of(database, tenant.name, id)
    given = changes.model_dump(include={"name", "email"}, exclude_unset=True)
    before = {name: getattr(user, name) for name in given}
    for name, value in given.items():
        setattr(user, name, value)
    database.flush()
    site.audit("user.changed", subject=str(id), payload={"before": before, "after": given, "reason": changes.reason})
    database.commit()


@routes.post("/users/{id}/seen", status_code=204)
def seen(database: SessionDep, tenant: TenantDep, member: Member, id: int, page: str) -> None:
    """With an entry that may be lost: that is counted, and the request goes on."""
    one_of(database, tenant.name, id)
    tenant.audit.append_best_effort("user.seen", actor=member.subject, subject=str(id), payload={"page": page})


@routes.get("/audit")
def trail(tenant: TenantDep, admin: Admin) -> list[dict[str, Any]]:
    return [{"event": each.event, "actor": each.actor, "subject": each.subject, "payload": each.payload} for each in tenant.audit.tail(100)]
