"""Log-in by password or magic link, a sealed profile, settings, API keys, a stream; for any number of workers."""

import asyncio
import hmac
import logging
import os
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse
from pydantic import SecretStr

from sealite import PasswordHasher, Row, Token, Transaction, Vault, aio, web
from sealite.fastapi import Sealite, StreamGuard, VaultDep
from sealite.logging import RedactingFilter

site = Sealite(os.environ.get("APP_DB", "app.db"), "env:APP_KEY")
app = FastAPI(title="Sealite's example", lifespan=site.lifespan)
site.install(app)
guarded = [site.limit("20/hour"), site.csrf()]
Session = Annotated[Token, site.session()]
Text = Annotated[str, Form()]
Secret = Annotated[SecretStr, Form()]
logging.getLogger("uvicorn.access").addFilter(RedactingFilter())  # the links in letters come back as addresses


@site.on_open
def declare(vault: Vault) -> None:
    sealed = dict.fromkeys(("password", "name", "phone"), "text sealed not null default ''")
    vault.define_table("users", {"email": "text sealed not null unique email", "role": "text authenticated default 'user'"} | sealed)
    vault.settings.define("site.url", default="http://127.0.0.1:8000")
    vault.settings.define("mail.password", secret=True)


@app.post("/setup")
def setup(code: Secret, email: Text, password: Secret) -> str:
    if not hmac.compare_digest(code.get_secret_value().encode(), os.environ["SETUP_CODE"].encode()):
        raise HTTPException(403, "wrong code")
    hashed = PasswordHasher().hash(password.get_secret_value())  # first: a password that is refused leaves no vault without a user
    site.initialise()
    site.vault.table("users").insert(email=email, password=hashed, role="admin")
    return "ready"


@app.get("/")
def home(request: Request, vault: VaultDep, session: Annotated[Token | None, site.session(optional=True)], token: str = "") -> Response:
    if token:
        vault.tokens.peek(token, "magic_link")  # programs that read letters follow links: the button is for people
        return page("/magic/use", token=token)
    if session is None:
        return page("/login", "/magic", email="", password="")
    user = user_of(vault, session)
    return page("/profile", "/keys", "/logout", csrf=site.csrf_token(request), name=user["name"], phone=user["phone"])


@app.post("/login", dependencies=guarded)
def login(request: Request, vault: VaultDep, email: Text, password: Secret) -> Response:
    web.charge(vault, "20/15 minutes", f"login/{email.strip().casefold()}")  # whatever the addresses it is guessed at from
    user = vault.table("users").find_one("email", email)
    if not PasswordHasher().verify(password.get_secret_value(), user["password"] if user else None) or user is None:
        raise HTTPException(401, "wrong e-mail address or password")
    return begin(request, user)


@app.post("/magic", dependencies=guarded)
def send_link(vault: VaultDep, later: BackgroundTasks, email: Text) -> str:
    later.add_task(send, vault, email)  # after the answer: how long that takes says nothing of who is known
    return "If we know you, a letter is on its way."


@app.post("/magic/use", dependencies=guarded)
def use_link(request: Request, vault: VaultDep, token: Secret) -> Response:
    with vault.transaction() as tx:
        return begin(request, user_of(tx, tx.tokens.consume(token.get_secret_value(), "magic_link")), tx)


@app.post("/logout")
def logout(request: Request, session: Session) -> Response:
    site.logout(request, answer := RedirectResponse("/", 303))
    return answer


@app.post("/profile")
def save(vault: VaultDep, session: Session, name: Text, phone: Text) -> Response:
    with vault.transaction() as tx:
        tx.table("users").update(user_of(tx, session).id, name=name, phone=phone)
        site.audit("profile.changed", transaction=tx)
    return RedirectResponse("/", 303)


@app.post("/keys")  # of these scopes only: one with "admin" would open the pages for operations
def make_key(vault: VaultDep, session: Session, scope: Annotated[Literal["profile:read", "none"], Form()] = "profile:read") -> str:
    return vault.tokens.issue("api_key", subject=session.subject, scopes=[scope], limits="20/hour").text


@app.get("/api/profile")
def profile(vault: VaultDep, key: Annotated[Token, site.token("api_key", ["profile:read"])]) -> dict[str, Any]:
    user = user_of(vault, key)
    return {"name": user["name"], "phone": user["phone"]}


@app.api_route("/admin/settings", methods=["GET", "POST"])
async def settings(request: Request, vault: VaultDep, admin: Annotated[Token, site.session(["admin"])]) -> Response:
    form = {name: value for name, value in (await request.form()).items() if "." in name and isinstance(value, str)}
    if form:
        await aio.run(vault.settings.write_form, form, actor=admin.subject or "")
    shown = {each.name: each.shown for each in await aio.run(vault.settings.list)}
    return page("/admin/settings", csrf=await aio.run(site.csrf_token, request), **shown)


@app.get("/events", response_class=EventSourceResponse)
async def events(vault: VaultDep, guard: Annotated[StreamGuard, site.stream(every=1)]) -> AsyncIterator[str]:
    async for count in guard(sessions(vault, guard.token)):
        yield f"{count} of your sessions are open"


async def sessions(vault: Vault, token: Token) -> AsyncIterator[int]:
    while True:
        yield len(await aio.run(vault.tokens.list, subject=token.subject, kind="session", active=True))
        await asyncio.sleep(1)


def begin(request: Request, user: Row, tx: Transaction | None = None) -> Response:
    site.login(request, answer := RedirectResponse("/", 303), str(user.id), scopes=[user["role"]], transaction=tx)
    return answer


def user_of(place: Vault | Transaction, token: Token) -> Row:
    if user := place.table("users").get(int(token.subject or 0)):
        return user
    raise HTTPException(404, "there is no such user any more")


def send(vault: Vault, email: str) -> None:
    if user := vault.table("users").find_one("email", email):
        link = vault.tokens.issue("magic_link", subject=str(user.id), replace_older=True)
        letter = f"{vault.settings.read('site.url').value}/?token={link.text}"
        Path(os.environ["OUTBOX"], f"{link.token.id}.txt").write_text(letter, "utf-8")


def page(*actions: str, csrf: str = "", **fields: str) -> HTMLResponse:
    boxes = "".join(f"<label>{n}<input name='{n}' value='{escape(v)}' type='{n}'></label>" for n, v in fields.items())  # or text
    buttons = "".join(f"<button formaction='{action}'>{action}</button>" for action in actions)
    form = f"<form method=post><input type=hidden name=csrf_token value='{csrf}'>{boxes}{buttons}</form>"
    return HTMLResponse(f"<!doctype html><title>{app.title}</title>{form}", headers={"Cache-Control": "no-store"})
