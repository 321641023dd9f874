"""Who asks, and within which trace: known to whatever a request does, and so to its entries in the audit trail."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from .. import web

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEADER = "X-Request-ID"
# Within the scope, for what answers outside of the middleware.
TRACE = "sealite.trace"


class Caller(NamedTuple):
    """The subject and the tenant of the session or token that a dependency has verified."""

    subject: str | None = None
    tenant: str | None = None


# Set by `async` dependencies, which share the task of their route.
current_caller: ContextVar[Caller] = ContextVar("sealite_caller", default=Caller())  # noqa: B039


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
                message["headers"] = [*message.get("headers", ()), (HEADER.lower().encode(), trace.trace_id.encode())]
            await send(message)

        scope[TRACE] = trace
        tokens = web.current_trace.set(trace), current_caller.set(Caller())
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            web.current_trace.reset(tokens[0])
            current_caller.reset(tokens[1])
