"""Log-in by password and by a link in an e-mail, an encrypted profile, settings for administrators, an API with keys.

    sealite key generate --out app.key
    export FLASK_SEALITE_PATH=app.db FLASK_SEALITE_UNLOCK=file:app.key FLASK_OUTBOX=$(mktemp -d)
    flask sealite init
    gunicorn --preload --workers 4 'app:create_app()'   # without TLS: FLASK_SEALITE_COOKIE_SECURE=false
    flask make-admin ada@example.org                    # once she has registered
"""

from pathlib import Path

import click
from flask import Blueprint, Flask, abort, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue as Answer

from sealite import PasswordHasher, Row, Table, Transaction, Vault
from sealite.flask import Sealite

site = Sealite()
hasher = PasswordHasher()
pages = Blueprint("pages", __name__, cli_group=None)
# Whatever the addresses that an account is guessed at from.
limit_account = site.limit("5/15 minutes", key=lambda: request.form["email"].strip().casefold())


@site.on_open
def declare(vault: Vault) -> None:
    users = {"email": "text sealed not null unique email", "password": "text sealed not null"}
    users |= {"name": "text sealed", "phone": "text sealed", "role": "text authenticated default 'user'"}
    vault.define_table("users", users)
    vault.settings.define("site.url", default="http://localhost:8000")
    vault.settings.define("mail.password", secret=True)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.from_prefixed_env()
    site.init_app(app)
    app.register_blueprint(pages)
    return app


def users() -> Table:
    return site.vault.table("users")


def user() -> Row | None:
    session = site.current_session
    return None if session is None else users().get(int(session.subject or 0))


def begin_session(user: Row, transaction: Transaction | None = None) -> Answer:
    site.login(str(user.id), scopes=["admin"] if user["role"] == "admin" else [], transaction=transaction)
    return redirect("/", 303)


@pages.get("/")
def home() -> str:
    return render_template("home.html", user=user())


@pages.post("/register")
@site.limit("60/hour")
def register() -> Answer:
    users().insert(email=request.form["email"], password=hasher.hash(request.form["password"]))
    return redirect("/", 303)


@pages.post("/login")
@site.limit("60/minute")
@limit_account
def log_in() -> Answer:
    found = users().find_one("email", request.form["email"])
    # Takes as long for nobody as for somebody.
    right, better = hasher.verify_and_update(request.form["password"], found["password"] if found else None)
    if found is None or not right:
        return "Wrong e-mail or password.", 401
    if better is not None:
        users().update(found.id, password=better)
    return begin_session(found)


@pages.post("/link")
@limit_account
def send_link() -> Answer:
    found = users().find_one("email", request.form["email"])
    link = site.vault.tokens.issue("magic_link", subject=str(found.id if found else 0), replace_older=True)
    if found is not None:  # one for nobody is sent to nobody: the answer takes as long
        url = site.vault.settings.use("site.url")
        # Browsers keep what is behind the # to themselves: no log has it.
        text = f"To: {found['email']}\n\n{url and url.expose()}/enter#{link.text}\n"
        Path(current_app.config["OUTBOX"], link.token.id).write_text(text, "utf-8")  # in place of a mail server
    return "If there is such an account, the link is on its way."


@pages.route("/enter", methods=["GET", "POST"])
@site.limit("60/minute")
def enter() -> Answer:
    if request.method == "GET":  # and nothing is used up: programs look into e-mails, too
        return render_template("enter.html")
    with site.vault.transaction() as transaction:
        link = transaction.tokens.consume(request.form["link"], "magic_link")
        return begin_session(transaction.table("users").get(int(link.subject or 0)) or abort(401), transaction)


@pages.post("/logout")
def log_out() -> Answer:
    site.logout_everywhere() if "everywhere" in request.form else site.logout()
    return redirect("/", 303)


@pages.post("/profile")
@site.require_session()
def change_profile() -> Answer:
    me = user() or abort(401)
    users().update(me.id, name=request.form["name"], phone=request.form["phone"])
    site.audit("profile.changed", actor=str(me.id))
    return redirect("/", 303)


@pages.post("/keys")
@site.require_session()
def make_key() -> Answer:
    me, scopes = user() or abort(401), ["profile:read"] if "profile" in request.form else []
    return site.vault.tokens.issue("api_key", subject=str(me.id), scopes=scopes, limits="30/minute").text, 201


@pages.get("/api/profile")
@site.require_token("api_key", ["profile:read"])
def api_profile() -> Answer:
    me = users().get(int(g.token.subject)) or abort(404)
    return {"email": me["email"], "name": me["name"], "phone": me["phone"]}


@pages.route("/admin/settings", methods=["GET", "POST"])
@site.require_session("admin")
def settings() -> Answer:
    if request.method == "POST":
        fields = {name: text for name, text in request.form.items() if name != "csrf_token"}
        site.vault.settings.write_form(fields, actor=str((user() or abort(401)).id))
    return render_template("settings.html", settings=site.vault.settings.list())


@pages.cli.command("make-admin")
@click.argument("email")
def make_admin(email: str) -> None:
    found = users().find_one("email", email)
    if found is None or not users().update(found.id, role="admin"):
        raise click.ClickException("there is no such user")
