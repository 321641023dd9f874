"""A trust's beneficiaries, and an agent that pays them once people have agreed: FastAPI.

    export APP_KEY=... TRUST_VAULT=trust.db TRUST_EXPORTS=exports
    sealite init trust.db --key env:APP_KEY
    sealite token issue trust.db --kind admin --label operator --key env:APP_KEY
    uvicorn trust_agent:app --workers 2
"""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from sealite import NotFound

from . import administration, approvals, beneficiaries
from .vault import site

app = FastAPI(title="Trust agent", lifespan=site.lifespan)
site.install(app)
for routes in (beneficiaries.routes, approvals.routes, administration.routes):
    app.include_router(routes)


@app.exception_handler(NotFound)
async def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"error": "not_found"}, 404)
