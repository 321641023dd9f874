"""An agent whose dangerous calls wait for people: FastAPI over SQLModel and PostgreSQL, with a vault beside it.

    export APP_KEY=... AGENT_VAULT=agent.db AGENT_DATABASE=postgresql+psycopg://... AGENT_LLM_KEY=... AGENT_WEBHOOK_SECRET=...
    sealite init agent.db --key env:APP_KEY
    uvicorn agent:app --workers 2
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from slowapi.errors import RateLimitExceeded
from sqlalchemy.exc import IntegrityError

from sealite import NotFound

from . import accounts, tools
from .database import create_tables
from .vault import limiter, site

create_tables()
app = FastAPI(title="Agent", lifespan=site.lifespan)
app.state.limiter = limiter
site.install(app)
app.include_router(accounts.routes)
app.include_router(tools.routes)


@app.exception_handler(RateLimitExceeded)
async def rate_limited(request: Request, error: RateLimitExceeded) -> JSONResponse:
    return JSONResponse({"error": "rate_limited", "limit": str(error.detail)}, 429)


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"error": "not_found"}, 404)


@app.exception_handler(IntegrityError)
async def conflict(request: Request, error: IntegrityError) -> JSONResponse:
    return JSONResponse({"error": "conflict"}, 409)
