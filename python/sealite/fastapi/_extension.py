"""The object that an application is given its vault by."""

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import fastapi
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse, PlainTextResponse

from .. import Denied, InvalidInput, QuotaLimit, SealiteError, Tenant, Token, Transaction, Vault, aio, web
from .._hosting import Place, Seconds, Session
from . import _pages, _schemes, _sessions, _validation
from ._lifespan import VaultLife
from ._sessions import SessionCookie
from ._stream import StreamGuard
from ._trace import HEADER, TRACE, Caller, TraceIdMiddleware, current_caller

if TYPE_CHECKING:
    from typing import Unpack

    from .._native import _VaultOptions


class Sealite(VaultLife):
    """A vault for an application: by path and reference to the key (`env:NAME`, `file:/path`, ...) and with options as those
    of `Vault.at`, or as it is given.

    `cookie` is that of the sessions. `csrf="open"` lets through what CSRF would refuse, counted and logged, until all forms
    have their token. `tenant` says whose a request is, by its host or path, say: sessions and tokens are then looked for in
    that tenant only, and the entries of the audit trail are the tenant's. Any thread may call it; it may raise an HTTPException.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        unlock: str | None = None,
        *,
        vault: Vault | None = None,
        name: str = "default",
        cookie: SessionCookie | None = None,
        csrf: Literal["enforced", "open"] = "enforced",
        tenant: Callable[[fastapi.Request], str | None] | None = None,
        **options: "Unpack[_VaultOptions]",
    ) -> None:
        super().__init__(path, unlock, vault, name, dict(options))
        if csrf not in ("enforced", "open"):
            raise InvalidInput("csrf is enforced or open")
        self._cookie = SessionCookie() if cookie is None else cookie
        self._csrf_enforced = csrf == "enforced"
        self._tenant = tenant
        # What the documentation page shows.
        self._by_cookie = _schemes.Cookie(name=self._cookie.name, scheme_name="Session")
        self._by_header = _schemes.Bearer(scheme_name="Token")

    def install(
        self, app: fastapi.FastAPI, prefix: str = "", *, admin: Callable[[fastapi.Request], bool] | None = None
    ) -> None:
        """Adds the error handlers, the trace ids, and the pages `/readyz`, `/metrics` and `/admin/status`. `admin` says who
        may see the last; without it a token of the kind `admin`, an API key or a session with the scope `admin` may."""
        app.state.sealite = self
        app.add_middleware(TraceIdMiddleware)
        for error in (SealiteError, web.RateLimited, web.LoginRequired, web.CsrfRejected):
            app.add_exception_handler(error, _answer)
        handlers: dict[Any, Any] = app.exception_handlers
        handlers[RequestValidationError] = _validation.answer
        handlers[WebSocketRequestValidationError] = _validation.close
        if Exception not in handlers and 500 not in handlers:
            handlers[Exception] = _failed
        app.include_router(_pages.pages(self, self._administrator(admin)), prefix=prefix)

    def gate(self) -> Any:
        """A dependency that lets nothing pass before the vault is initialised and unlocked, for routes that do other things
        first: 503. Whatever uses the vault has it built in, before the route begins."""
        return fastapi.Depends(self.ready)

    def limit(
        self,
        limits: str | QuotaLimit | Callable[[fastapi.Request], str | QuotaLimit],
        key: Callable[[fastapi.Request], str] | None = None,
    ) -> Any:
        """A dependency that limits a route: by the client's address, or by what `key` returns. Over the limit: 429 with
        `Retry-After`. A function gives the limit at the time of the request, from the settings, say; it and `key` are called
        in a thread. Behind a proxy run uvicorn with `--proxy-headers`: else all clients have the proxy's address."""

        def check(request: fastapi.Request) -> None:
            address = request.client.host if request.client else "unknown"
            who = address if key is None else key(request)
            limit = limits(request) if callable(limits) else limits
            web.charge(self.vault, limit, f"{_name(request)}/{who}")

        return fastapi.Depends(check)

    def csrf(self) -> Any:
        """A dependency that refuses what another site may have sent in a user's name: 403. For log-in forms and the like;
        `session` has it built in, tokens in a header need none. With a session it takes the session's `csrf_token` in the
        header `X-CSRF-Token` or the form field `csrf_token`, without one the browser's word for where the page is from."""

        async def check(request: fastapi.Request) -> None:
            await self._authenticate(request)

        return fastapi.Depends(check)

    def session(self, scopes: str | Iterable[str] = (), *, optional: bool = False) -> Any:
        """A dependency that gives the token of the session that the cookie presents. Else 401, or None where that is
        `optional`; 403 without a scope, or where CSRF refuses a request that changes something."""
        wanted = _many(scopes)

        async def check(
            request: fastapi.Request, _: Annotated[None, fastapi.Depends(self._by_cookie)]
        ) -> Token | None:
            session = await self._authenticate(request)
            if session is None and not optional:
                raise web.LoginRequired
            return None if session is None else _with_scopes(session.token, wanted)

        return fastapi.Security(check, scopes=wanted)

    def token(
        self,
        kinds: str | Iterable[str] = "api_key",
        scopes: str | Iterable[str] = (),
        *,
        presented: Callable[[fastapi.Request], str] | None = None,
        optional: bool = False,
    ) -> Any:
        """A dependency that gives the token of these kinds, with these scopes, from `Authorization: Bearer`, or from where
        `presented`, called in a thread, finds its text. Else 401, or None where that is `optional` and none is presented; 403
        without a scope, 429 over the token's own limits. The documentation page shows the scheme of the header, and the
        scopes."""
        accepted, wanted = _many(kinds), _many(scopes)

        async def from_header(
            request: fastapi.Request, _: Annotated[None, fastapi.Depends(self._by_header)]
        ) -> Token | None:
            if optional and "authorization" not in request.headers:
                return None
            return await self._verified(request, _bearer, accepted, wanted)

        async def from_elsewhere(request: fastapi.Request) -> Token | None:
            assert presented is not None
            if optional and not await aio.run(presented, request):
                return None
            return await self._verified(request, presented, accepted, wanted)

        return fastapi.Security(from_header if presented is None else from_elsewhere, scopes=wanted)

    def stream(
        self,
        kinds: str | Iterable[str] = ("session", "api_key"),
        scopes: str | Iterable[str] = (),
        *,
        every: float = 5.0,
    ) -> Any:
        """A dependency that gives a StreamGuard, for routes that stay open: by `Authorization: Bearer`, or, where `session` is
        of the kinds, by the cookie. The stream ends within `every` seconds after the session or key does."""
        if not every > 0:
            raise InvalidInput("a stream looks again every so many seconds, more than 0")
        accepted, wanted = _many(kinds), _many(scopes)

        async def check(
            request: fastapi.Request,
            _: Annotated[None, fastapi.Depends(self._by_cookie)],
            __: Annotated[None, fastapi.Depends(self._by_header)],
        ) -> StreamGuard:
            session = None
            if "authorization" not in request.headers and "session" in accepted:
                session = await self._authenticate(request)
                if session is None:
                    raise web.LoginRequired
                token = _with_scopes(session.token, wanted)
            else:
                token = await self._verified(request, _bearer, accepted, wanted)
            tokens = (await aio.run(self._place, request)).tokens

            def verify() -> Token:
                return tokens.verify(session.text if session else _bearer(request), token.kind, scopes=wanted)

            return StreamGuard(token, verify, every)

        return fastapi.Security(check, scopes=wanted)

    def login(
        self,
        request: fastapi.Request,
        response: fastapi.Response,
        subject: str,
        *,
        scopes: Iterable[str] = (),
        label: str | None = None,
        data: Mapping[str, Any] | Sequence[Any] | str | None = None,
        lifetime: Seconds | None = None,
        idle: Seconds | None = None,
        transaction: Transaction | None = None,
    ) -> Token:
        """Begins a session of the subject (an id of yours), and gives it to the browser by the response: the one that the
        route returns, or its parameter where it returns something else. The session that the request came with ends: what
        was known before the log-in opens nothing after it. Scopes, label and data stay on the server, sealed. Within a
        transaction (the tenant's, where there are tenants) give that: the session exists if and only if it commits."""
        session = _sessions.begin(
            request,
            self._place(request),
            self._cookie,
            subject,
            scopes=scopes,
            label=label,
            data=data,
            lifetime=lifetime,
            idle=idle,
            transaction=transaction,
        )
        self._cookie.set(response, session)
        return session.token

    def logout(self, request: fastapi.Request, response: fastapi.Response) -> None:
        """Ends the session, in every worker, and takes the cookie back. Streams that it has open end too."""
        _sessions.end(request, self._place(request), self._cookie)
        self._cookie.remove(response)

    def logout_everywhere(
        self, request: fastapi.Request, response: fastapi.Response, *, keep_current: bool = False
    ) -> int:
        """Ends every session of whoever is logged in, but for this one where it is kept; how many. API keys stay: all that
        a subject has ends by `vault.tokens.revoke_subject`."""
        ended = _sessions.end_all(request, self._place(request), self._cookie, keep_current=keep_current)
        if not keep_current:
            self._cookie.remove(response)
        return ended

    def rotate_session(self, request: fastapi.Request, response: fastapi.Response, *, grace: Seconds = 10) -> Token:
        """Gives the session another text, for when its user has proven more than before. The old one holds for the grace
        still, for requests that are under way; forms that the browser has open need the new session's CSRF token."""
        session = _sessions.rotate(request, self._place(request), self._cookie, grace)
        if session is None:
            raise web.LoginRequired
        self._cookie.set(response, session)
        return session.token

    def csrf_token(self, request: fastapi.Request) -> str:
        """A token for the forms of the request's session, or for `X-CSRF-Token`; empty where there is no session. Another one
        with each call, good as long as the session."""
        place = self._place(request)
        session = _sessions.current(request, place, self._cookie)
        return "" if session is None else place.tokens.csrf(session.text)

    def audit(
        self,
        event: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        payload: Any = None,
        tenant: str | None = None,
        transaction: Transaction | None = None,
    ) -> int:
        """Appends to the audit trail, with the ids of the request; the actor is the subject of the session or token that a
        dependency has verified, the tenant the request's, where none is given. With a transaction (which has its own tenant)
        the entry is written if and only if that commits."""
        caller = current_caller.get()
        owner = caller.tenant if tenant is None else tenant
        if transaction is not None:
            append = transaction.audit
        else:
            append = (self.vault.audit if owner is None else self.vault.tenant(owner).audit).append
        return append(
            event,
            actor=caller.subject if actor is None else actor,
            subject=subject,
            payload=payload,
        )

    def _administrator(self, admin: Callable[[fastapi.Request], bool] | None) -> Callable[..., Awaitable[None]]:
        async def check(
            request: fastapi.Request,
            _: Annotated[None, fastapi.Depends(self._by_cookie)],
            __: Annotated[None, fastapi.Depends(self._by_header)],
        ) -> None:
            if admin is not None:
                allowed = await aio.run(admin, request)
            elif "authorization" in request.headers:
                # Whoever administers a tenant does not administer the vault.
                token = await aio.run(lambda: web.token_of(self.ready(), lambda: _bearer(request), ("admin", "api_key")))
                allowed = token.kind == "admin" or token.has_scope("admin")
            else:
                session = await self._authenticate(request)
                if session is None:
                    raise web.LoginRequired
                allowed = session.token.has_scope("admin") and current_caller.get().tenant is None
            if not allowed:
                raise Denied("the page is the administrators'")

        return check

    def _place(self, request: fastapi.Request) -> Place:
        """Where the request's sessions and tokens are: the vault, or its tenant."""
        name = None if self._tenant is None else self._tenant(request)
        if name is None:
            return self.ready()
        try:
            return self.ready().tenant(name)
        except InvalidInput:
            # No name of a tenant's, and the client's to say.
            raise fastapi.HTTPException(404, "there is no such tenant") from None

    async def _authenticate(self, request: fastapi.Request) -> Session | None:
        """The request's session, once CSRF allows what it asks for."""

        def verified() -> tuple[Place, Session | None]:
            place = self._place(request)
            return place, _sessions.current(request, place, self._cookie)

        place, session = await aio.run(verified)
        if not await _sessions.check_csrf(request, place.tokens, session):
            if self._csrf_enforced:
                raise web.CsrfRejected
            _sessions.let_through(request, self.handle())
        _remember(place, None if session is None else session.token)
        return session

    async def _verified(
        self,
        request: fastapi.Request,
        presented: Callable[[fastapi.Request], str],
        kinds: list[str],
        scopes: list[str],
    ) -> Token:
        def verified() -> tuple[Place, Token]:
            place = self._place(request)
            return place, web.token_of(place, lambda: presented(request), kinds, scopes)

        place, token = await aio.run(verified)
        _remember(place, token)
        return token


def _bearer(request: fastapi.Request) -> str:
    # In no variable elsewhere: reports of errors show those.
    return web.bearer(request.headers.get("authorization", ""))


def _name(request: fastapi.Request) -> str:
    """The route's, in all processes: with its function, as its path is without the prefix of a router that it is in."""
    function, route = request.scope["endpoint"], request.scope["route"]
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}{route.path}"


def _remember(place: Place, token: Token | None) -> None:
    tenant = place.name if isinstance(place, Tenant) else None
    current_caller.set(Caller(None if token is None else token.subject, tenant))


def _with_scopes(token: Token, scopes: list[str]) -> Token:
    for scope in scopes:
        if not token.has_scope(scope):
            raise Denied("the session lacks a scope")
    return token


def _many(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _vault(connection: HTTPConnection) -> Vault:
    # Of a request or of a WebSocket.
    extension: Sealite = connection.app.state.sealite
    return extension.ready()


async def _tenant(request: fastapi.Request) -> Tenant:
    extension: Sealite = request.app.state.sealite
    place = await aio.run(extension._place, request)
    if not isinstance(place, Tenant):
        raise fastapi.HTTPException(404, "there is no such tenant")
    # Whose entries in the audit trail are, also where nobody is logged in.
    current_caller.set(current_caller.get()._replace(tenant=place.name))
    return place


# The vault of the application, and the tenant that a request is for.
VaultDep = Annotated[Vault, fastapi.Depends(_vault)]
TenantDep = Annotated[Tenant, fastapi.Depends(_tenant)]


async def _answer(request: fastapi.Request, error: Exception) -> JSONResponse:
    answer = web.answer_to(error)
    if answer is None:
        # As if nobody had handled it: logged, and a plain 500.
        raise error
    return JSONResponse(answer.body, answer.status, answer.headers)


async def _failed(request: fastapi.Request, error: Exception) -> PlainTextResponse:
    # Starlette's own answer, outside of the middleware, with what finds it in the log.
    trace: web.Trace | None = request.scope.get(TRACE)
    return PlainTextResponse("Internal Server Error", 500, {} if trace is None else {HEADER: trace.trace_id})
