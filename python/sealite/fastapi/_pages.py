"""The pages for those who keep the application running."""

from collections.abc import Awaitable, Callable
from typing import Any

import fastapi
from fastapi.responses import JSONResponse, PlainTextResponse

from .. import web
from ._lifespan import VaultLife


def pages(life: VaultLife, administrator: Callable[..., Awaitable[None]]) -> fastapi.APIRouter:
    """`/readyz` and `/metrics` for machines of one's own, `/admin/status` for administrators."""
    router = fastapi.APIRouter(tags=["operations"])

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        """Whether the application can work, for whoever sends it requests."""
        answer = web.readiness(lambda: life.vault, life.checks)
        return JSONResponse(answer.body, answer.status, answer.headers)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """The counters of this worker, which they name, as Prometheus reads them."""
        return PlainTextResponse(web.figures(life.vault), media_type="text/plain; version=0.0.4")

    @router.get("/admin/status", dependencies=[fastapi.Depends(administrator)])
    def status(response: fastapi.Response) -> dict[str, Any]:
        """What an administrator is told: states, names, numbers."""
        response.headers["Cache-Control"] = "no-store"
        return web.status(life.vault, life.checks)

    return router
