"""The object that an application is given its vault by."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import flask
from flask.typing import ResponseReturnValue

from .. import (
    Denied,
    InvalidInput,
    QuotaLimit,
    SealiteError,
    Tenant,
    Token,
    Transaction,
    Unlock,
    Vault,
    _hosting,
    web,
)
from .._hosting import Place, Seconds
from ..vaults import register_vault
from . import _csrf, _pages, _sessions
from ._commands import commands
from ._options import Options

_P = ParamSpec("_P")
_R = TypeVar("_R")
_V = TypeVar("_V", bound=Callable[..., object])
_C = TypeVar("_C", bound=web.ReadyCheck)
_VAULT = "sealite"
_STATE = "sealite.state"
_TOKEN = "sealite.token"


@dataclass
class _State:
    """What an application has."""

    vault: Vault
    options: Options
    # How many of the declarations its vault has seen.
    declared: int = 0


class Sealite:
    """The extension; one object serves any number of applications.

    `tenant` says whose the current request is, by its host or path, say; None where it is nobody's. Sessions and tokens are
    then looked for in that tenant only, and the entries of the audit trail are the tenant's.
    """

    def __init__(
        self,
        app: flask.Flask | None = None,
        vault: Vault | None = None,
        *,
        tenant: Callable[[], str | None] | None = None,
    ) -> None:
        self._given = vault
        self._tenant = tenant
        self._declarations: list[Callable[[Vault], object]] = []
        self._checks: list[web.ReadyCheck] = []
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
        app.before_request(lambda: _csrf.check(lambda: self.vault, self._place, options))
        app.after_request(_show_trace)
        app.after_request(lambda response: _sessions.show(response, options))
        app.teardown_request(_end_trace)
        app.add_template_global(self.csrf_token, "csrf_token")
        app.register_blueprint(
            _pages.pages(lambda: self.vault, self._platform_session, options, admin, self._checks),
            url_prefix=options.url_prefix,
        )
        app.cli.add_command(commands(lambda: self.vault, self.initialise, self._checks))
        with app.app_context():
            # Once for all workers that are forked from here.
            _ = self.vault

    def on_open(self, declare: Callable[[Vault], object]) -> Callable[[Vault], object]:
        """Has this called with the vault once it is open and before anything else uses it, in every worker: the place for
        `define_table` and `settings.define`, which may be repeated, as this may be."""
        self._declarations.append(declare)
        return declare

    def ready_check(self, check: _C) -> _C:
        """Has `/readyz` ask this too, in the application's context: it gives the names of what is wrong, if anything is."""
        self._checks.append(check)
        return check

    @property
    def vault(self) -> Vault:
        """The vault of the current application; unlocked here where another worker has initialised it meanwhile."""
        state = _state()
        vault, options = state.vault, state.options
        if vault.status == "locked" and options.unlock is not None:
            vault.unlock(options.key())
        state.declared = _hosting.declared(vault, self._declarations, state.declared)
        return vault

    @property
    def tenant(self) -> Tenant:
        """The tenant that the current request is for; 404 where it is for none."""
        place = self._place()
        if isinstance(place, Tenant):
            return place
        flask.abort(404)

    def _place(self) -> Place:
        name = None if self._tenant is None else self._tenant()
        if name is None:
            return self.vault
        try:
            return self.vault.tenant(name)
        except InvalidInput:
            # No name of a tenant's, and the client's to say.
            flask.abort(404)

    def _platform_session(self) -> Token | None:
        # Whoever administers a tenant does not administer the vault.
        return self.current_session if isinstance(self._place(), Vault) else None

    def initialise(self, unlock: Unlock | None = None) -> None:
        """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
        state = _state()
        _hosting.initialise(state.vault, state.options.key() if unlock is None else unlock)

    @property
    def current_session(self) -> Token | None:
        """The session that the request's cookie presents, as the token that it is; None where none holds. It is verified
        once a request, against what every other worker has revoked by then."""
        session = _sessions.current(self._place(), _state().options)
        return None if session is None else session.token

    def login(
        self,
        subject: str,
        *,
        scopes: Iterable[str] = (),
        label: str | None = None,
        data: Mapping[str, Any] | Sequence[Any] | str | None = None,
        lifetime: Seconds | None = None,
        idle: Seconds | None = None,
        transaction: Transaction | None = None,
    ) -> Token:
        """Begins a session of the subject (an id of yours), and gives the answer its cookie. The session that the request
        came with ends: what was known before the log-in opens nothing after it. Scopes, label and data stay on the
        server, sealed. Lifetime and idle time are in seconds; the settings say them otherwise. Within a transaction (the
        tenant's, where there are tenants) give that: the session exists if and only if it commits."""
        return _sessions.log_in(
            self._place(),
            _state().options,
            subject,
            scopes=scopes,
            label=label,
            data=data,
            lifetime=lifetime,
            idle=idle,
            transaction=transaction,
        )

    def rotate_session(self, *, grace: Seconds = 10) -> Token:
        """Gives the session another text, for when its user has proven more than before. The old one holds for the grace
        still, for requests that are under way; forms that are open need the new session's CSRF token. LoginRequired (401)
        without a session."""
        token = _sessions.rotate(self._place(), _state().options, grace)
        if token is None:
            raise web.LoginRequired
        return token

    def logout(self) -> None:
        """Ends the current session, in every worker, and takes the cookie back."""
        _sessions.log_out(self._place(), _state().options)

    def logout_everywhere(self, *, keep_current: bool = False) -> int:
        """Ends every session of whoever is logged in, but for this one where it is kept; how many. API keys stay: all that
        a subject has ends by `vault.tokens.revoke_subject`."""
        return _sessions.log_out_everywhere(self._place(), _state().options, keep_current=keep_current)

    def require_session(
        self, scopes: Iterable[str] = (), *, login: str | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Lets a view be seen by who is logged in, with these scopes. Else 401 `login_required`, or a redirect to the
        endpoint `login`; 403 without a scope."""
        asked = _names(scopes)

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
                return _called(view, *args, **kwargs)

            return guarded

        return decorate

    def csrf_token(self) -> str:
        """A token for the forms of the current session, in the field `csrf_token` or the header `X-CSRF-Token`; empty
        where there is no session. Templates have it as `{{ csrf_token() }}`."""
        return _csrf.token(self._place(), _state().options)

    def csrf_exempt(self, view: _V) -> _V:
        """Lets a view be sent to by other sites: one that looks at no session."""
        return _csrf.exempt(view)

    def limit(
        self, limits: str | QuotaLimit | Callable[[], str | QuotaLimit], key: Callable[[], str] | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Limits a view: by the client's address, or by what `key` returns. Over the limit: 429 with `Retry-After`. A
        function gives the limit at the time of the request, from the application's settings, say.

        Behind a proxy give the application werkzeug's ProxyFix: else all clients have the proxy's address.
        """

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def limited(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                who = flask.request.remote_addr or "unknown" if key is None else key()
                limit = limits() if callable(limits) else limits
                web.charge(self.vault, limit, f"{flask.request.endpoint}/{who}")
                return _called(view, *args, **kwargs)

            return limited

        return decorate

    def require_token(
        self,
        kinds: str | Iterable[str] = "api_key",
        scopes: Iterable[str] = (),
        *,
        presented: Callable[[], str] | None = None,
        optional: bool = False,
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Lets a view be called with a token of these kinds, with these scopes, in `Authorization: Bearer`, or where
        `presented` finds its text; it is in `flask.g.token` then. Else 401, or None there where that is `optional` and none
        is presented; 403 without a scope, 429 over the token's own limits. No browser sends a token by itself, unless it is
        in a cookie, so no CSRF token is asked for with one."""
        accepted, asked = _names(kinds), _names(scopes)

        def is_presented() -> bool:
            return "Authorization" in flask.request.headers if presented is None else presented() != ""

        def decorate(view: Callable[_P, _R]) -> Callable[_P, _R]:
            @functools.wraps(view)
            def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                flask.g.token = None
                if is_presented() or not optional:
                    text = _pages.bearer if presented is None else presented
                    flask.g.token = flask.request.environ[_TOKEN] = web.token_of(self._place(), text, accepted, asked)
                return _called(view, *args, **kwargs)

            # A view that goes on without one may look at the session.
            return _csrf.exempt(guarded, is_presented) if optional else _csrf.exempt(guarded)

        return decorate

    def audit(
        self,
        event: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        payload: dict[str, Any] | list[Any] | str | None = None,
        tenant: str | None = None,
        transaction: Transaction | None = None,
    ) -> int:
        """Appends to the audit trail, with the ids of the request. Where none is given the actor is the subject of the view's
        token or of the session, the tenant the request's. With a transaction (which has its own tenant) the entry is written
        if and only if that commits."""
        if transaction is not None:
            append = transaction.audit
        else:
            append = (self._place() if tenant is None else self.vault.tenant(tenant)).audit.append
        return append(
            event,
            actor=self._actor() if actor is None else actor,
            subject=subject,
            payload=payload,
        )

    def _actor(self) -> str | None:
        if not flask.has_request_context():
            return None
        token: Token | None = flask.request.environ.get(_TOKEN) or self.current_session
        return None if token is None else token.subject


def _called(view: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    # As Flask itself calls one that is `async def`.
    called: _R = flask.current_app.ensure_sync(view)(*args, **kwargs)
    return called


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    # Read once, for every request: an iterator would be empty at the second.
    return (given,) if isinstance(given, str) else tuple(given)


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
