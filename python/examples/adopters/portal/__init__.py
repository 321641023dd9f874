"""A portal for many tenants: FastAPI over SQLAlchemy, whose database keeps sealed columns, and a vault for all else.

    export APP_KEY=... PORTAL_VAULT=vault.db PORTAL_DATABASE=sqlite:///portal.db PORTAL_OUTBOX=outbox
    mkdir outbox
    sealite init vault.db --key env:APP_KEY
    sealite token issue vault.db --kind admin --label platform --key env:APP_KEY
    uvicorn portal:app --workers 2
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError

from sealite import NotFound, Refused

from . import access, people, platform, settings
from .database import create_tables
from .vault import site

create_tables()
app = FastAPI(title="Portal", lifespan=site.lifespan)
site.install(app)
for routes in (platform.routes, access.routes, people.routes, settings.routes):
    app.include_router(routes)


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"error": "not_found"}, 404)


@app.exception_handler(Refused)
async def refused(request: Request, error: Refused) -> JSONResponse:
    return JSONResponse({"error": "refused"}, 409)


@app.exception_handler(IntegrityError)
async def conflict(request: Request, error: IntegrityError) -> JSONResponse:
    return JSONResponse({"error": "conflict"}, 409)
