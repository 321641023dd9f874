"""For everybody: an account that is a token, and a journal that lies sealed."""

from flask import Blueprint, current_app, g, request
from flask.typing import ResponseReturnValue as Answer

from sealite.web import LoginRequired

from .vault import presented, site

pages = Blueprint("journal", __name__)


@pages.post("/register")
def register() -> Answer:
    """An account is a token: its id is the user's, its label the name, sealed."""
    with site.vault.transaction() as tx:
        issued = tx.tokens.issue("user", label=request.form["name"])
        site.audit("user.registered", subject=issued.token.id, transaction=tx)
    return {"id": issued.token.id, "user_token": issued.text}, 201


@pages.post("/login")
@site.limit(lambda: current_app.config["LOGIN_LIMIT"])
@site.require_token("user", presented=lambda: presented("user_token"))
def log_in() -> Answer:
    site.login(g.token.subject or g.token.id)
    return {"csrf_token": site.csrf_token()}


@pages.post("/logout")
def log_out() -> Answer:
    site.logout()
    return "", 204


@pages.route("/journal", methods=["GET", "POST"])
@site.require_session()
def journal() -> Answer:
    entries, user = site.vault.table("entries"), _user()
    if request.method == "POST":
        entries.insert(user=user, text=request.form["text"])
        return "", 201
    own = site.vault.query("SELECT text FROM entries WHERE user = ? ORDER BY id", [user])
    return {"entries": [text for (text,) in own]}


def _user() -> str:
    session = site.current_session
    if session is None or session.subject is None:
        raise LoginRequired
    return session.subject
