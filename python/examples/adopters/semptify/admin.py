"""For administrators: by an admin token, or by a session that began with a broken glass."""

import functools
import math
from collections.abc import Callable
from typing import Any, ParamSpec

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue as Answer

from sealite import NotFound, Token

from .legacy import ARMED_FOR
from .vault import presented, site

_P = ParamSpec("_P")

pages = Blueprint("admin", __name__, url_prefix="/admin")
# Before any token is looked at: failed attempts count.
_limit = site.limit(lambda: current_app.config["ADMIN_LIMIT"], key=lambda: f"admin/{request.remote_addr}")


def admin_only(view: Callable[_P, Answer]) -> Callable[_P, Answer]:
    by_token = site.require_token("admin", presented=lambda: presented("admin_token"))(view)
    by_session = site.require_session("admin")(view)

    @_limit
    @functools.wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Answer:
        site.vault.count("admin_requests_total")
        if request.method != "GET":
            site.vault.count("admin_actions_total")
        return (by_token if site.current_session is None else by_session)(*args, **kwargs)

    return guarded


@pages.errorhandler(NotFound)
def not_found(error: NotFound) -> Answer:
    return {"error": "not_found"}, 404


@pages.get("/tokens")
@admin_only
def tokens() -> Answer:
    return {"tokens": [_shown(token) for token in site.vault.tokens.list() if token.kind != "session"]}


@pages.post("/tokens")
@admin_only
def issue() -> Answer:
    seconds, name = request.form.get("expires_in", type=float), request.form["id"]
    if "expires_in" in request.form and not (seconds and 0 < seconds < math.inf):
        abort(400)  # a time that is none must not become for ever
    issued = site.vault.tokens.issue(
        "break_glass" if "breakglass" in request.form else "admin", subject=name, label=name, expires_in=seconds or "never"
    )
    return _shown(issued.token) | {"token": issued.text}, 201


@pages.post("/tokens/rotate")
@admin_only
def rotate() -> Answer:
    """Gives whoever asks another text for the own token; the old one ends at once."""
    issued = site.vault.tokens.rotate(presented("admin_token"), "admin", grace=0)
    site.vault.count("token_rotations_total")
    return {"token": issued.text}, 201


@pages.post("/tokens/<id>/<any(enable, disable, revoke):act>")
@admin_only
def change(id: str, act: str) -> Answer:
    with site.vault.transaction() as tx:
        acts: dict[str, Callable[[str], bool]] = {
            "enable": tx.tokens.enable,
            "disable": tx.tokens.disable,
            "revoke": tx.tokens.revoke,
        }
        acts[act](id)
        if act != "enable":
            # With the sessions that it began.
            tx.tokens.revoke_kind(tx.tokens.get(id).subject or id, "session")
    return _shown(site.vault.tokens.get(id))


@pages.post("/tokens/<id>/arm")
@admin_only
def arm(id: str) -> Answer:
    return _shown(site.vault.tokens.arm(id, request.form["reason"], ARMED_FOR))


@pages.post("/breakglass")
@_limit
@site.csrf_exempt
def break_glass() -> Answer:
    """Takes the one use of an armed token, and gives an administrator's session of a quarter of an hour for it."""
    with site.vault.transaction() as tx:
        token = tx.tokens.consume(presented("breakglass_token"), "break_glass")
        site.login(token.subject or token.id, scopes=["admin"], lifetime=900, transaction=tx)
    site.vault.count("breakglass_used_total")
    return {"reason": token.armed_reason, "csrf_token": site.csrf_token()}


@pages.get("/audit")
@admin_only
def audit() -> Answer:
    return {"events": [{"event": each.event, "payload": each.payload} for each in site.vault.audit.tail(200)]}


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "kind": token.kind,
        "subject": token.subject,
        "name": token.label,
        "enabled": token.enabled,
        "imported": token.is_imported,
        "expires": token.expires_at and token.expires_at.timestamp(),
    }
