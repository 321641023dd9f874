"""The pages for those who keep the application running."""

from collections.abc import Callable

import flask
from flask.typing import ResponseReturnValue

from .. import Denied, Token, Vault, web
from ._options import Options


def pages(
    vault_of: Callable[[], Vault],
    session_of: Callable[[], Token | None],
    options: Options,
    admin: Callable[[], bool] | None,
    checks: list[web.ReadyCheck],
) -> flask.Blueprint:
    """`/readyz` and `/metrics` for machines of one's own, `/admin/status` for administrators."""
    pages = flask.Blueprint("sealite", __name__)

    @pages.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Whether the application can work, for whoever sends it requests."""
        answer = web.readiness(vault_of, checks)
        return answer.body, answer.status, answer.headers

    @pages.get("/metrics")
    def metrics() -> ResponseReturnValue:
        """The counters of this worker, which they name, as Prometheus reads them."""
        return web.figures(vault_of()), {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}

    @pages.get("/admin/status")
    def status() -> ResponseReturnValue:
        """What an administrator is told: states, names, numbers."""
        if admin is None:
            _check_admin(vault_of(), session_of(), options.admin_scope)
        elif not admin():
            raise Denied("the page is the administrators'")
        return web.status(vault_of(), checks), 200, {"Cache-Control": "no-store"}

    return pages


def bearer() -> str:
    """What the request's `Authorization: Bearer` presents. In no variable elsewhere: reports of errors show those."""
    return web.bearer(flask.request.headers.get("Authorization", ""))


def _check_admin(vault: Vault, session: Token | None, scope: str) -> None:
    if "Authorization" in flask.request.headers or session is None:
        token = web.token_of(vault, bearer, ("admin", "api_key"))
        if token.kind == "admin" or token.has_scope(scope):
            return
    elif session.has_scope(scope):
        return
    raise Denied("the page is the administrators'")
