"""A vault for FastAPI.

    sealite = Sealite("app.db", "env:APP_KEY")
    app = FastAPI(lifespan=sealite.lifespan)
    sealite.install(app)

    @app.post("/login", dependencies=[sealite.limit("5/minute"), sealite.csrf()])
    def login(request: Request, response: Response, vault: VaultDep, email: Annotated[str, Form()], ...) -> None:
        row = vault.table("users").find_one("email", email)
        ...
        sealite.login(request, response, subject=str(row.id))

    @app.post("/profile")
    def profile(session: Annotated[Token, sealite.session()], ...): ...

    @app.get("/orders")
    def orders(key: Annotated[Token, sealite.token("api_key", ["orders:read"])]): ...

    @app.get("/events", response_class=EventSourceResponse)
    async def events(guard: Annotated[StreamGuard, sealite.stream(every=5)]) -> AsyncIterator[Event]:
        async for event in guard(source()):
            yield event

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
