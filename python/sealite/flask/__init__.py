"""A vault for Flask.

    sealite = Sealite()

    @sealite.on_open
    def declare(vault):
        vault.define_table("users", {"email": "text sealed not null unique email", "password": "text sealed"})

    def create_app():
        app = Flask(__name__)
        app.config.from_prefixed_env()          # FLASK_SEALITE_PATH=app.db, FLASK_SEALITE_UNLOCK=env:APP_KEY
        sealite.init_app(app)
        return app

    @app.post("/login")
    @sealite.limit("5/minute")
    def login():
        user = sealite.vault.table("users").find_one("email", request.form["email"])
        if not PasswordHasher().verify(request.form["password"], user and user["password"]):
            abort(401)
        sealite.login(str(user.id))
        return redirect("/")

    @app.get("/")
    @sealite.require_session()
    def home():
        return f"You are {sealite.current_session.subject}"

| setting | meaning | default |
|---|---|---|
| `SEALITE_PATH` | the vault's file | |
| `SEALITE_UNLOCK` | a reference to the key: `env:NAME`, `file:/path`, `credential:name`, `docker:name` | |
| `SEALITE_NAME` | the name that it is registered by (`sealite.vaults`) | `default` |
| `SEALITE_BUSY_TIMEOUT`, `SEALITE_SYNCHRONOUS`, `SEALITE_DISK_RESERVE`, `SEALITE_EXISTING_DATABASE` | as those of `Vault.at` | its own |
| `SEALITE_SESSION_LIFETIME` | seconds until a session ends | 7 days |
| `SEALITE_SESSION_IDLE` | seconds without a request until it ends | none |
| `SEALITE_COOKIE_SECURE` | whether the cookie is sent over TLS only; `False` is for a development server | `True` |
| `SEALITE_COOKIE_SAMESITE` | `Lax`, `Strict` or `None` | `Lax` |
| `SEALITE_COOKIE_NAME` | the cookie's name | `__Host-sealite`; `sealite` if not secure |
| `SEALITE_CSRF` | `enforced`; `open` counts and logs what it would refuse | `enforced` |
| `SEALITE_URL_PREFIX` | of `/readyz`, `/metrics` and `/admin/status` | none |
| `SEALITE_ADMIN_SCOPE` | the scope of whoever may see `/admin/status` | `admin` |

A setting that is none of these, or has another value, is refused at the start.

A vault that has not been initialised leaves the application running: whatever needs it is answered 503
`{"error": "instance_not_ready", "setup_required": true}` until `sealite.initialise()` was called, by an administrator's page,
by `flask sealite init` or by another worker. Errors of the engine's become JSON answers (`sealite.web`), and tell nothing of
the file.
"""

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import flask
from flask.typing import ResponseReturnValue

from .. import AlreadyInitialised, Denied, QuotaLimit, SealiteError, Token, Transaction, Unlock, Vault, web
from ..vaults import register_vault
from . import _csrf, _sessions
from ._commands import commands
from ._options import Options
from ._pages import pages

__all__ = ["Sealite"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_V = TypeVar("_V", bound=Callable[..., object])
_VAULT = "sealite"
_STATE = "sealite.state"


@dataclass
class _State:
    """What an application has."""

    vault: Vault
    options: Options
    # How many of the declarations its vault has seen.
    declared: int = 0


class Sealite:
    """The extension; one object serves any number of applications."""

    def __init__(self, app: flask.Flask | None = None, vault: Vault | None = None) -> None:
        self._given = vault
        self._declarations: list[Callable[[Vault], object]] = []
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: flask.Flask, vault: Vault | None = None, *, admin: Callable[[], bool] | None = None
    ) -> None:
        """Opens the vault that the settings name, or takes the one given; registers it, the pages, the handlers and the
        commands. `admin` says whether the current request may see `/admin/status`; without it a token of the kind
        `admin`, an API key or a session with the scope `SEALITE_ADMIN_SCOPE` may."""
        options = Options.of(app.config)
        vault = vault or self._given or options.opened()
        app.extensions[_VAULT] = vault
        app.extensions[_STATE] = _State(vault, options)
        register_vault(vault, options.name)
        for error in (SealiteError, web.RateLimited, web.LoginRequired, web.CsrfRejected):
            app.register_error_handler(error, _answer)
        app.before_request(_begin_trace)
        app.before_request(lambda: _csrf.check(lambda: self.vault, options))
        app.after_request(_show_trace)
        app.after_request(lambda response: _sessions.show(response, options))
        app.teardown_request(_end_trace)
        app.context_processor(lambda: {"csrf_token": self.csrf_token})
        app.register_blueprint(
            pages(lambda: self.vault, lambda: self.current_session, options, admin), url_prefix=options.url_prefix
        )
        app.cli.add_command(commands(lambda: self.vault, self.initialise))
        with app.app_context():
            # Once for all workers that are forked from here.
            _ = self.vault

    def on_open(self, declare: Callable[[Vault], object]) -> Callable[[Vault], object]:
        """Has this called with the vault once it is open and before anything else uses it, in every worker: the place for
        `define_table` and `settings.define`, which may be repeated, as this may be."""
        self._declarations.append(declare)
        return declare

    @property
    def vault(self) -> Vault:
        """The vault of the current application; unlocked here where another worker has initialised it meanwhile."""
        state = _state()
        vault, options = state.vault, state.options
        if vault.status == "locked" and options.unlock is not None:
            vault.unlock(options.key())
        if state.declared < len(self._declarations) and vault.status == "open":
            declarations = self._declarations[:]
            for declare in declarations:
                declare(vault)
            state.declared = len(declarations)
        return vault

    def initialise(self, unlock: Unlock | None = None) -> None:
        """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
        state = _state()
        vault, options = state.vault, state.options
        unlock = options.key() if unlock is None else unlock
        try:
            vault.initialise(unlock)
        except AlreadyInitialised:
            if vault.status == "locked":
                vault.unlock(unlock)
            raise

    @property
    def current_session(self) -> Token | None:
        """The session that the request's cookie presents, as the token that it is; None where none holds. It is verified
        once a request, against what every other worker has revoked by then."""
        session = _sessions.current(self.vault, _state().options)
        return None if session is None else session.token

    def login(
        self,
        subject: str,
        *,
        scopes: Iterable[str] = (),
        label: str | None = None,
        data: Mapping[str, Any] | Sequence[Any] | str | None = None,
        lifetime: float | datetime.timedelta | None = None,
        idle: float | datetime.timedelta | None = None,
        transaction: Transaction | None = None,
    ) -> Token:
        """Begins a session of the subject (an id of yours), and gives the answer its cookie. The session that the request
        came with ends: what was known before the log-in opens nothing after it. Scopes, label and data stay on the
        server, sealed. Lifetime and idle time are in seconds; the settings say them otherwise. Within a transaction of
        yours give that."""
        return _sessions.log_in(
            self.vault,
            _state().options,
            subject,
            scopes=scopes,
            label=label,
            data=data,
            lifetime=lifetime,
            idle=idle,
            transaction=transaction,
        )

    def logout(self) -> None:
        """Ends the current session, in every worker, and takes the cookie back."""
        _sessions.log_out(self.vault, _state().options)

    def logout_everywhere(self, *, keep_current: bool = False) -> int:
        """Ends every session of whoever is logged in, but for this one where it is kept; how many. API keys stay: all that
        a subject has ends by `vault.tokens.revoke_subject`."""
        return _sessions.log_out_everywhere(self.vault, _state().options, keep_current=keep_current)

    def require_session(
        self, scopes: Iterable[str] = (), *, login: str | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Lets a view be seen by who is logged in, with these scopes. Else 401 `login_required`, or a redirect to the
        endpoint `login`; 403 without a scope."""
        asked = tuple([scopes] if isinstance(scopes, str) else scopes)

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                session = self.current_session
                if session is None and login is not None:
                    return cast(_R, flask.redirect(flask.url_for(login), 303))
                if session is None:
                    raise web.LoginRequired
                if not all(map(session.has_scope, asked)):
                    raise Denied("the session lacks a scope")
                return view(*args, **kwargs)

            return guarded

        return decorate

    def csrf_token(self) -> str:
        """A token for the forms of the current session, in the field `csrf_token` or the header `X-CSRF-Token`; empty
        where there is no session. Templates have it as `{{ csrf_token() }}`."""
        return _csrf.token(self.vault, _state().options)

    def csrf_exempt(self, view: _V) -> _V:
        """Lets a view be sent to by other sites: one that looks at no session."""
        return _csrf.exempt(view)

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
        `flask.g.token` then. Else 401, 403 without a scope, 429 over the token's own limits. No browser sends that header
        by itself, so no CSRF token is asked for."""

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                header = flask.request.headers.get("Authorization", "")
                flask.g.token = web.token_of(self.vault, header, kinds, scopes)
                return view(*args, **kwargs)

            return _csrf.exempt(guarded)

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


def _state() -> _State:
    state: _State = flask.current_app.extensions[_STATE]
    return state


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
