"""A vault for FastAPI.

    >>> from collections.abc import AsyncIterator
    >>> from typing import Annotated
    >>> from fastapi import FastAPI, Form, HTTPException, Request, Response
    >>> from fastapi.responses import StreamingResponse
    >>> from fastapi.testclient import TestClient
    >>> from sealite.fastapi import Sealite, SessionCookie, StreamGuard, VaultDep
    >>> site = Sealite("app.db", "env:EXAMPLE_KEY", cookie=SessionCookie(idle=3600))
    >>> app = FastAPI(lifespan=site.lifespan)
    >>> site.install(app)                                          # with the TraceIdMiddleware

    >>> @app.post("/login", dependencies=[site.limit("5/minute"), site.csrf()])
    ... def login(request: Request, response: Response, vault: VaultDep, email: Annotated[str, Form()]) -> None:
    ...     row = vault.table("users").find_one("email", email)
    ...     if row is None:
    ...         raise HTTPException(401)
    ...     site.login(request, response, subject=str(row.id))

    >>> @app.get("/profile")
    ... def profile(session: Annotated[sealite.Token, site.session()]) -> str | None:
    ...     return session.subject

    >>> @app.get("/orders")
    ... def orders(key: Annotated[sealite.Token, site.token("api_key", ["orders:read"])]) -> list[str]:
    ...     return ["a book"]

    >>> async def news() -> AsyncIterator[str]:
    ...     yield "an event"
    >>> @app.get("/events")
    ... async def events(guard: Annotated[StreamGuard, site.stream(every=5)]) -> StreamingResponse:
    ...     return StreamingResponse(guard(news()), media_type="text/event-stream")

    >>> with TestClient(app) as client:
    ...     before = client.get("/orders").json()
    ...     site.initialise()
    ...     key = site.vault.tokens.issue("api_key", scopes=["orders:read"]).text
    ...     before, client.get("/orders", headers={"Authorization": f"Bearer {key}"}).json(), client.get("/profile").status_code
    ({'error': 'instance_not_ready', 'setup_required': True}, ['a book'], 401)

A vault that has not been initialised leaves the application running: whatever needs it is answered 503
`{"error": "instance_not_ready", "setup_required": true}` until `sealite.initialise()` was called. Errors of the engine's
become JSON answers (`sealite.web`), and tell nothing of the file; a 422 tells nothing of what was sent.

The dependencies here never block the event loop. In `async def` routes call the vault, and `login`, `logout`, `rotate_session` and
`audit`, by `sealite.aio.run`; in `def` routes call them as they are.
"""

from ._extension import Sealite, TenantDep, VaultDep
from ._sessions import SessionCookie
from ._stream import StreamGuard
from ._trace import TraceIdMiddleware

__all__ = ["Sealite", "SessionCookie", "StreamGuard", "TenantDep", "TraceIdMiddleware", "VaultDep"]
