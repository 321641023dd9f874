"""How people come in: an account, a link by e-mail that works once, and sessions that can be ended."""

import hmac
import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request, Response
from pydantic import BaseModel, SecretStr

from sealite import Row, Token, Transaction, Vault
from sealite.fastapi import VaultDep

from . import vault as instance
from .vault import site

routes = APIRouter()
Session = Annotated[Token, site.session()]
Admin = Annotated[Token, site.session("admin")]


class Setup(BaseModel):
    code: SecretStr
    email: str


class NewUser(BaseModel):
    email: str
    name: str | None = None


class AskForLink(BaseModel):
    email: str
    cancel_older: bool = True


class Link(BaseModel):
    token: SecretStr


@routes.post("/setup", status_code=201)
def setup(given: Setup) -> dict[str, int]:
    if not hmac.compare_digest(given.code.get_secret_value().encode(), os.environ["SANCTUM_SETUP_CODE"].encode()):
        raise HTTPException(403, "wrong code")
    instance.initialise()
    site.audit("instance.initialised")
    return {"id": _make_admin(given.email)}


@routes.post("/users", status_code=201, dependencies=[site.limit("600/hour"), site.csrf()])
def register(vault: VaultDep, new: NewUser) -> dict[str, int]:
    with vault.transaction() as tx:
        id = tx.table("users").insert(email=new.email, name=new.name)
        site.audit("user.registered", subject=str(id), transaction=tx)
    return {"id": id}


@routes.post("/login", status_code=202, dependencies=[site.limit("600/hour"), site.csrf()])
def send_link(vault: VaultDep, later: BackgroundTasks, asked: AskForLink) -> None:
    later.add_task(_send, vault, asked)  # after the answer: how long that takes says nothing of who is known


@routes.post("/enter", dependencies=[site.limit("600/hour"), site.csrf()])
def use_link(request: Request, response: Response, vault: VaultDep, link: Link) -> dict[str, str]:
    with vault.transaction() as tx:
        user = user_of(tx, tx.tokens.consume(link.token.get_secret_value(), "magic_link"))
        scopes = ["admin"] if user["role"] == "admin" else []
        site.login(request, response, str(user.id), scopes=scopes, label=request.headers.get("user-agent"), transaction=tx)
    return {"csrf_token": site.csrf_token(request)}


@routes.get("/me/sessions")
def sessions(vault: VaultDep, session: Session) -> list[dict[str, Any]]:
    listed = vault.tokens.list(subject=session.subject, kind="session", active=True)
    return [{"id": each.id, "label": each.label, "current": each.id == session.id} for each in listed]


@routes.delete("/me/sessions/{id}", status_code=204)
def revoke(vault: VaultDep, session: Session, id: str) -> None:
    if vault.tokens.get(id).subject != session.subject:
        raise HTTPException(404)
    vault.tokens.revoke(id)


@routes.delete("/me/sessions")
def revoke_others(request: Request, response: Response, session: Session) -> dict[str, int]:
    return {"ended": site.logout_everywhere(request, response, keep_current=True)}


@routes.post("/logout", status_code=204)
def log_out(request: Request, response: Response, session: Session) -> None:
    site.logout(request, response)


def user_of(place: Vault | Transaction, token: Token) -> Row:
    if (user := place.table("users").get(int(token.subject or 0))) is None:
        raise HTTPException(404, "there is no such user any more")
    return user


def _make_admin(email: str) -> int:
    """Somebody new, or who was there before the vault: there is no second set-up to try another address with."""
    with site.vault.transaction() as tx:
        users = tx.table("users")
        found = users.find_one("email", email)
        id: int = users.insert(email=email) if found is None else found.id
        users.update(id, role="admin")
    return id


def _send(vault: Vault, asked: AskForLink) -> None:
    if user := vault.table("users").find_one("email", asked.email):
        link = vault.tokens.issue("magic_link", subject=str(user.id), replace_older=asked.cancel_older)
        letter = f"{vault.settings.read('site.url').value}/enter#{link.text}"  # no server sees what is behind the #
        Path(os.environ["SANCTUM_OUTBOX"], f"{link.token.id}.txt").write_text(letter, "utf-8")
