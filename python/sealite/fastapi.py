"""A vault for FastAPI.

    sealite = Sealite("app.db", "env:APP_KEY")
    app = FastAPI(lifespan=sealite.lifespan)
    sealite.install(app)

    @app.post("/login", dependencies=[sealite.limit("5/minute")])
    def login(vault: VaultDep, email: Annotated[str, Form()]):
        row = vault.table("users").find_one("email", email)

A vault that has not been initialised leaves the application running: whatever needs it is answered 503
`{"error": "instance_not_ready", "setup_required": true}` until `sealite.initialise()` was called. Errors of the engine's
become JSON answers (`sealite.web`), and tell nothing of the file. In `async def` routes call the vault by `sealite.aio.run`.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import fastapi
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from . import AlreadyInitialised, QuotaLimit, SealiteError, Token, Unlock, Vault, aio, web
from .vaults import register_vault, unregister_vault

__all__ = ["Sealite", "TraceIdMiddleware", "VaultDep"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class TraceIdMiddleware:
    """Gives every request a trace id, as pure ASGI: it reaches the audit trail, logs by `sealite.web.current_trace`, and
    the client as `X-Request-ID`. Streams pass as they come."""

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        trace = web.trace_of({name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]})

        async def send_with_id(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", trace.trace_id.encode())]
            await send(message)

        token = web.current_trace.set(trace)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            web.current_trace.reset(token)


class Sealite:
    """A vault for an application: by path and reference to the key (`env:NAME`, `file:/path`, ...), or as it is given."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        unlock: str | None = None,
        *,
        vault: Vault | None = None,
        name: str = "default",
    ) -> None:
        if (vault is None) == (path is None or unlock is None):
            raise TypeError("either a path and a reference to the key, or a vault")
        self._path, self._unlock, self._vault, self._name = path, unlock, vault, name
        self._owned = vault is None

    @asynccontextmanager
    async def lifespan(self, app: fastapi.FastAPI) -> AsyncIterator[None]:
        """Opens the vault and registers it; closes it at the end. For an application's `lifespan`, or within one."""
        if self._owned:
            self._vault = await aio.run(self._opened)
        vault = self.vault
        register_vault(vault, self._name)
        try:
            yield
        finally:
            unregister_vault(self._name)
            if self._owned:
                await aio.run(vault.close)
                self._vault = None

    def _opened(self) -> Vault:
        assert self._path is not None
        vault = Vault.at(self._path)
        if vault.status == "locked":
            vault.unlock(self._reference())
        return vault

    def _reference(self) -> Unlock:
        if self._unlock is None:
            raise TypeError("the vault was given without a reference to its key")
        return Unlock.reference(self._unlock)

    @property
    def vault(self) -> Vault:
        """The vault, while the application runs; unlocked here where another worker has initialised it meanwhile."""
        vault = self._handle()
        if self._owned and vault.status == "locked":
            vault.unlock(self._reference())
        return vault

    def _handle(self) -> Vault:
        if self._vault is None:
            raise RuntimeError("the vault is open while the application's lifespan is: FastAPI(lifespan=sealite.lifespan)")
        return self._vault

    def initialise(self, unlock: Unlock | None = None) -> None:
        """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
        vault = self._handle()
        unlock = self._reference() if unlock is None else unlock
        try:
            vault.initialise(unlock)
        except AlreadyInitialised:
            if vault.status == "locked":
                vault.unlock(unlock)
            raise

    def install(self, app: fastapi.FastAPI, prefix: str = "") -> None:
        """Adds the error handlers, the trace ids, and the pages `/readyz` and `/metrics`."""
        app.state.sealite = self
        app.add_middleware(TraceIdMiddleware)
        app.add_exception_handler(SealiteError, _answer)
        app.add_exception_handler(web.RateLimited, _answer)
        router = fastapi.APIRouter(prefix=prefix, tags=["operations"])

        @router.get("/readyz")
        def readyz() -> JSONResponse:
            """Whether the application can work, for whoever sends it requests."""
            answer = web.readiness(lambda: self.vault)
            return JSONResponse(answer.body, answer.status, answer.headers)

        @router.get("/metrics", response_class=PlainTextResponse)
        def metrics() -> PlainTextResponse:
            """The counters of this worker, as Prometheus reads them."""
            return PlainTextResponse(self.vault.metrics().prometheus(), media_type="text/plain; version=0.0.4")

        app.include_router(router)

    def limit(self, limits: str | QuotaLimit, key: Callable[[fastapi.Request], str] | None = None) -> Any:
        """A dependency that limits a route: by the client's address, or by what `key` returns. Over the limit: 429 with
        `Retry-After`. Behind a proxy run uvicorn with `--proxy-headers`: else all clients have the proxy's address."""

        def check(request: fastapi.Request) -> None:
            address = request.client.host if request.client else "unknown"
            who = address if key is None else key(request)
            route = request.scope.get("route")
            web.charge(self.vault, limits, f"{getattr(route, 'path', request.url.path)}/{who}")

        return fastapi.Depends(check)

    def token(self, kinds: str | Iterable[str] = "api_key", scopes: Iterable[str] = ()) -> Any:
        """A dependency that gives the token of these kinds, with these scopes, from `Authorization: Bearer`. Else 401, 403
        without a scope, 429 over the token's own limits. The documentation page shows the scheme."""
        scheme = HTTPBearer(auto_error=False, scheme_name="Token")

        def check(credentials: Annotated[HTTPAuthorizationCredentials | None, fastapi.Depends(scheme)]) -> Token:
            header = "" if credentials is None else f"{credentials.scheme} {credentials.credentials}"
            return web.token_of(self.vault, header, kinds, scopes)

        return fastapi.Depends(check)

    def audit(self, event: str, *, actor: str | None = None, subject: str | None = None, payload: Any = None) -> int:
        """Appends to the audit trail, with the ids of the request."""
        trace = web.current_trace.get()
        return self.vault.audit.append(
            event,
            actor=actor,
            subject=subject,
            trace_id=None if trace is None else trace.trace_id,
            correlation_id=None if trace is None else trace.correlation_id,
            payload=payload,
        )


def _vault(request: fastapi.Request) -> Vault:
    extension: Sealite = request.app.state.sealite
    return extension.vault


# The vault of the application.
VaultDep = Annotated[Vault, fastapi.Depends(_vault)]


def _answer(request: fastapi.Request, error: Exception) -> JSONResponse:
    answer = web.answer_to(error)
    if answer is None:
        # As if nobody had handled it: logged, and a plain 500.
        raise error
    return JSONResponse(answer.body, answer.status, answer.headers)
