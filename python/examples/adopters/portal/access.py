"""Access: tokens that hold for minutes, refresh tokens that are replaced with each use, resets, API keys; one question for all."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, BackgroundTasks, HTTPException
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, SecretStr

from sealite import InvalidInput, PasswordHasher, Tenant, Token, TokenRejected, Tokens
from sealite.fastapi import StreamGuard, TenantDep

from .database import SessionDep, User, one_of
from .vault import Admin, Member, site

routes = APIRouter(prefix="/t/{tenant}")
# 64 MiB, unless the machine is a small one.
hasher = PasswordHasher(memory_kib=int(os.environ.get("PORTAL_HASH_KIB", 65_536)))
MINUTES = 60


class Credentials(BaseModel):
    email: str
    password: SecretStr


class Presented(BaseModel):
    token: SecretStr


class Reset(Presented):
    password: SecretStr
    end_sessions: bool = False


class NewKey(BaseModel):
    label: str
    scopes: list[str] = []
    limits: str | None = None


class Email(BaseModel):
    email: str


@routes.post("/login", dependencies=[site.limit("600/minute")])
def log_in(database: SessionDep, tenant: TenantDep, given: Credentials) -> dict[str, str]:
    user = database.scalar(sa.select(User).where(User.organisation == tenant.name, User.email == given.email))
    # Takes as long for nobody as for somebody.
    if not hasher.verify(given.password.get_secret_value(), user.password if user else None) or user is None:
        raise HTTPException(401, "wrong e-mail or password")
    with tenant.transaction() as tx:
        refresh = tx.tokens.issue("refresh", subject=str(user.id), scopes=user.scopes)
        return {"refresh": refresh.text, "access": _access(tx.tokens, refresh.token)}


@routes.post("/refresh", dependencies=[site.limit("600/minute")])
def refresh(tenant: TenantDep, given: Presented) -> dict[str, str]:
    grace = tenant.settings.read("access.grace").value
    successor = tenant.tokens.rotate(given.token.get_secret_value(), "refresh", grace=grace)
    with tenant.transaction() as tx:
        # Access may have been revoked since: looked at where it is given.
        return {"refresh": successor.text, "access": _access(tx.tokens, tx.tokens.verify(successor.text, "refresh"))}


@routes.post("/introspect")
def introspect(tenant: TenantDep, caller: Annotated[Token, site.token("api_key", "introspect")], given: Presented) -> dict[str, Any]:
    """What routes and streams ask of a token, for jobs elsewhere. One look-up."""
    try:
        token = tenant.tokens.verify(given.token.get_secret_value(), ["session", "api_key"])
    except TokenRejected:
        return {"active": False}
    return {"active": True, "sub": token.subject, "scope": " ".join(token.scopes), "exp": token.expires_at}


@routes.get("/events", response_class=EventSourceResponse)
async def events(guard: Annotated[StreamGuard, site.stream(["session", "api_key"], every=0.5)]) -> AsyncIterator[str]:
    async for event in guard(_events()):
        yield event


async def _events() -> AsyncIterator[str]:
    while True:
        yield "tick"
        await asyncio.sleep(0.2)


@routes.post("/revoke/{id}", status_code=204)
def revoke(tenant: TenantDep, admin: Admin, id: int) -> None:
    """Whatever was ever issued to the user: access, refresh, streams and keys."""
    tenant.tokens.revoke_subject(str(id))
    site.audit("access.revoked", subject=str(id))


@routes.post("/forgot", status_code=202, dependencies=[site.limit("600/minute")])
def forgot(database: SessionDep, tenant: TenantDep, later: BackgroundTasks, given: Email) -> None:
    user = database.scalar(sa.select(User).where(User.organisation == tenant.name, User.email == given.email))
    if user is not None:
        later.add_task(_send_reset, tenant, user.id, user.email)  # after the answer, which takes as long for nobody


@routes.post("/reset", status_code=204, dependencies=[site.limit("600/minute")])
def reset(database: SessionDep, tenant: TenantDep, given: Reset) -> None:
    text = given.token.get_secret_value()
    tenant.tokens.peek(text, "reset")  # before the slow hash: a bogus one costs one look-up
    password = hasher.hash(given.password.get_secret_value())
    with tenant.transaction() as tx:
        subject = tx.tokens.consume(text, "reset").subject or ""
        tx.tokens.revoke_kind(subject, "reset")
        if given.end_sessions:
            tx.tokens.revoke_kind(subject, "session")
            tx.tokens.revoke_kind(subject, "refresh")
        database.execute(sa.update(User).where(User.id == int(subject), User.organisation == tenant.name).values(password=password))
        database.commit()


@routes.post("/keys", status_code=201)
def make_key(tenant: TenantDep, admin: Admin, new: NewKey) -> dict[str, str]:
    try:
        issued = tenant.tokens.issue(
            "api_key", subject=admin.subject, label=new.label, scopes=new.scopes, limits=new.limits, prefix="amo"
        )
    except InvalidInput as error:
        raise HTTPException(422, str(error)) from error
    return {"id": issued.token.id, "key": issued.text}


@routes.get("/keys")
def keys(tenant: TenantDep, admin: Admin) -> list[dict[str, Any]]:
    return [{"id": each.id, "label": each.label, "prefix": each.prefix} for each in tenant.tokens.list(kind="api_key", active=True)]


@routes.get("/me")
def me(database: SessionDep, tenant: TenantDep, member: Member) -> dict[str, Any]:
    user = one_of(database, tenant.name, int(member.subject or 0))
    return {"id": user.id, "email": user.email, "name": user.name, "role": user.role}


def _access(tokens: Tokens, refresh: Token) -> str:
    return tokens.issue(
        "session", subject=refresh.subject, scopes=refresh.scopes, family=refresh.family, expires_in=15 * MINUTES
    ).text


def _send_reset(tenant: Tenant, id: int, email: str) -> None:
    send(tenant, email, tenant.tokens.issue("reset", subject=str(id)).text)


def send(tenant: Tenant, email: str, token: str) -> None:
    """In place of a mail server."""
    Path(os.environ["PORTAL_OUTBOX"], f"{tenant.name}-{secrets.token_hex(8)}").write_text(f"{email}\n{token}", "utf-8")
