"""Profiles with fields that people define: FastAPI over SQLite, whose file became a vault.

    export APP_KEY=... SANCTUM_DB=sanctum.db SANCTUM_SETUP_CODE=... SANCTUM_OUTBOX=outbox
    mkdir outbox
    uvicorn sanctum:app --workers 2
    curl localhost:8000/setup --json '{"code": "...", "email": "admin@example.org"}'
"""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from sealite import NotFound
from sealite.logging import RedactingFilter

from . import accounts, administration, profile, settings
from .vault import site

app = FastAPI(title="Sanctum", lifespan=site.lifespan)
site.install(app)
for routes in (accounts.routes, profile.routes, settings.routes, administration.routes):
    app.include_router(routes)
logging.getLogger("uvicorn.access").addFilter(RedactingFilter())


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"error": "not_found"}, 404)
