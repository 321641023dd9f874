"""A vault for Flask.

    sealite = Sealite()

    def create_app():
        app = Flask(__name__)
        app.config.from_prefixed_env()          # FLASK_SEALITE_PATH=app.db, FLASK_SEALITE_UNLOCK=env:APP_KEY
        sealite.init_app(app)
        return app

    @app.post("/login")
    @sealite.limit("5/minute")
    def login():
        row = sealite.vault.table("users").find_one("email", request.form["email"])

| setting | meaning | default |
|---|---|---|
| `SEALITE_PATH` | the vault's file | |
| `SEALITE_UNLOCK` | a reference to the key: `env:NAME`, `file:/path`, `credential:name`, `docker:name` | |
| `SEALITE_NAME` | the name that it is registered by (`sealite.vaults`) | `default` |
| `SEALITE_URL_PREFIX` | of `/readyz` and `/metrics` | none |

A vault that has not been initialised leaves the application running: whatever needs it is answered 503
`{"error": "instance_not_ready", "setup_required": true}` until `sealite.initialise()` was called, by an administrator's page
or by another worker. Errors of the engine's become JSON answers (`sealite.web`), and tell nothing of the file.
"""

import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar, cast

import flask
from flask.typing import ResponseReturnValue

from . import AlreadyInitialised, InvalidInput, QuotaLimit, SealiteError, Unlock, Vault, web
from .vaults import register_vault

__all__ = ["Sealite"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_EXTENSION = "sealite"


class Sealite:
    """The extension; one object serves any number of applications."""

    def __init__(self, app: flask.Flask | None = None, vault: Vault | None = None) -> None:
        self._given = vault
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask, vault: Vault | None = None) -> None:
        """Opens the vault that the settings name, or takes the one given; registers it, the pages and the handlers."""
        vault = vault or self._given or _opened(app)
        app.extensions[_EXTENSION] = vault
        register_vault(vault, app.config.get("SEALITE_NAME", "default"))
        app.register_error_handler(SealiteError, _answer)
        app.register_error_handler(web.RateLimited, _answer)
        app.before_request(_begin_trace)
        app.after_request(_show_trace)
        app.teardown_request(_end_trace)
        app.register_blueprint(_pages(self), url_prefix=app.config.get("SEALITE_URL_PREFIX"))

    @property
    def vault(self) -> Vault:
        """The vault of the current application; unlocked here where another worker has initialised it meanwhile."""
        app = flask.current_app
        vault = cast(Vault, app.extensions[_EXTENSION])
        if vault.status == "locked" and "SEALITE_UNLOCK" in app.config:
            vault.unlock(_unlock(app))
        return vault

    def initialise(self, unlock: Unlock | None = None) -> None:
        """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
        app = flask.current_app
        vault = cast(Vault, app.extensions[_EXTENSION])
        unlock = _unlock(app) if unlock is None else unlock
        try:
            vault.initialise(unlock)
        except AlreadyInitialised:
            if vault.status == "locked":
                vault.unlock(unlock)
            raise

    def limit(
        self, limits: str | QuotaLimit, key: Callable[[], str] | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Limits a view: by the client's address, or by what `key` returns. Over the limit: 429 with `Retry-After`.

        Behind a proxy give the application werkzeug's ProxyFix: else all clients have the proxy's address.
        """

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def limited(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                who = flask.request.remote_addr or "unknown" if key is None else key()
                web.charge(self.vault, limits, f"{flask.request.endpoint}/{who}")
                return view(*args, **kwargs)

            return limited

        return decorate

    def require_token(
        self, kinds: str | Iterable[str] = "api_key", scopes: Iterable[str] = ()
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Lets a view be called with a token of these kinds, with these scopes, in `Authorization: Bearer`; it is in
        `flask.g.token` then. Else 401, 403 without a scope, 429 over the token's own limits."""

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                header = flask.request.headers.get("Authorization", "")
                flask.g.token = web.token_of(self.vault, header, kinds, scopes)
                return view(*args, **kwargs)

            return guarded

        return decorate

    def audit(self, event: str, *, actor: str | None = None, subject: str | None = None, payload: object = None) -> int:
        """Appends to the audit trail, with the ids of the request."""
        trace = web.current_trace.get() or web.Trace("", None)
        return self.vault.audit.append(
            event,
            actor=actor,
            subject=subject,
            trace_id=trace.trace_id or None,
            correlation_id=trace.correlation_id,
            payload=cast("dict[str, object] | None", payload),
        )


def _opened(app: flask.Flask) -> Vault:
    if "SEALITE_PATH" not in app.config or "SEALITE_UNLOCK" not in app.config:
        raise InvalidInput("SEALITE_PATH and SEALITE_UNLOCK are to be set, or a vault given")
    vault = Vault.at(app.config["SEALITE_PATH"])
    if vault.status == "locked":
        vault.unlock(_unlock(app))
    return vault


def _unlock(app: flask.Flask) -> Unlock:
    return Unlock.reference(app.config["SEALITE_UNLOCK"])


def _answer(error: Exception) -> ResponseReturnValue:
    answer = web.answer_to(error)
    if answer is None:
        # As if nobody had handled it: logged, and a plain 500.
        raise error
    return answer.body, answer.status, answer.headers


def _begin_trace() -> None:
    headers = {name.lower(): value for name, value in flask.request.headers.items()}
    web.current_trace.set(web.trace_of(headers))


def _show_trace(response: flask.Response) -> flask.Response:
    trace = web.current_trace.get()
    if trace is not None:
        response.headers["X-Request-ID"] = trace.trace_id
    return response


def _end_trace(error: BaseException | None) -> None:
    # The thread serves other requests; a stream may end in another context than it began in.
    web.current_trace.set(None)


def _pages(extension: Sealite) -> flask.Blueprint:
    pages = flask.Blueprint("sealite", __name__)

    @pages.get("/readyz")
    def readyz() -> ResponseReturnValue:
        """Whether the application can work, for whoever sends it requests."""
        answer = web.readiness(lambda: extension.vault)
        return answer.body, answer.status, answer.headers

    @pages.get("/metrics")
    def metrics() -> ResponseReturnValue:
        """The counters of this worker, as Prometheus reads them."""
        return extension.vault.metrics().prometheus(), {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}

    return pages


