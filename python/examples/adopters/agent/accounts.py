"""Users, their passwords and their sessions."""

import os
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, SecretStr
from sqlmodel import select

from sealite import PasswordHasher, Token
from sealite.fastapi import VaultDep

from .database import SessionDep, User
from .vault import limiter, site

routes = APIRouter()
# 64 MiB, unless the machine is a small one.
hasher = PasswordHasher(memory_kib=int(os.environ.get("AGENT_HASH_KIB", 65_536)))
Signed = Annotated[Token, site.token("session")]


class NewUser(BaseModel):
    email: str
    name: str | None = None
    password: SecretStr


class Credentials(BaseModel):
    email: str
    password: SecretStr
    device: str | None = None


class NewPassword(BaseModel):
    old: SecretStr
    new: SecretStr


@routes.post("/register", status_code=201)
@limiter.limit("300/minute")
def register(request: Request, database: SessionDep, new: NewUser) -> dict[str, int | None]:
    user = User(email=new.email, name=new.name, password_hash=hasher.hash(new.password.get_secret_value()))
    database.add(user)
    database.commit()
    site.audit("user.registered", subject=str(user.id))
    return {"id": user.id}


@routes.post("/login")
@limiter.limit("30/minute")
def log_in(request: Request, database: SessionDep, vault: VaultDep, given: Credentials) -> dict[str, str]:
    user = database.exec(select(User).where(User.email == given.email)).one_or_none()
    right, better = hasher.verify_and_update(given.password.get_secret_value(), user.password_hash if user else None)
    if user is None or not right:
        raise HTTPException(401, "wrong e-mail or password")
    if better is not None:  # bcrypt, from before
        user.password_hash = better
        database.commit()
    issued = vault.tokens.issue("session", subject=str(user.id), label=given.device)
    return {"access_token": issued.text, "token_type": "bearer"}


@routes.get("/me")
def me(database: SessionDep, session: Signed) -> dict[str, Any]:
    user = _user(database, session)
    return {"id": user.id, "email": user.email, "name": user.name}


@routes.get("/sessions")
def sessions(vault: VaultDep, session: Signed) -> list[dict[str, Any]]:
    found = vault.tokens.list(subject=session.subject, kind="session", active=True)
    return [{"id": each.id, "device": each.label, "current": each.id == session.id} for each in found]


@routes.delete("/sessions/{id}", status_code=204)
def revoke(vault: VaultDep, session: Signed, id: str) -> None:
    if vault.tokens.get(id).subject != session.subject:
        raise HTTPException(404)
    vault.tokens.revoke(id)


@routes.delete("/sessions")
def revoke_all(vault: VaultDep, session: Signed) -> dict[str, int]:
    return {"ended": vault.tokens.revoke_kind(session.subject or "", "session")}


@routes.post("/password", status_code=204)
def change_password(database: SessionDep, vault: VaultDep, session: Signed, given: NewPassword) -> None:
    """Ends every session, this one too."""
    user = _user(database, session)
    if not hasher.verify(given.old.get_secret_value(), user.password_hash):
        raise HTTPException(403, "wrong password")
    user.password_hash = hasher.hash(given.new.get_secret_value())
    with vault.transaction() as tx:
        tx.tokens.revoke_kind(str(user.id), "session")
        site.audit("password.changed", transaction=tx)
        database.commit()


def _user(database: SessionDep, session: Token) -> User:
    user = database.get(User, int(session.subject or 0))
    if user is None:
        raise HTTPException(404)
    return user
