"""The agent's tools. Those that change the world wait until somebody agrees to exactly what they will do."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from sealite import Approval, aio
from sealite.fastapi import VaultDep

from .accounts import Signed
from .vault import limiter, site

routes = APIRouter()
SENSITIVE = frozenset(("delete", "modify", "execute_sql", "send_email"))


class Call(BaseModel):
    arguments: dict[str, Any]
    conversation: str
    expires_in: float = Field(300, gt=0, le=86_400)


class Run(BaseModel):
    arguments: dict[str, Any]


class Verdict(BaseModel):
    reason: str | None = None


@routes.post("/tools/{tool}")
@limiter.limit("30/minute")
def call(request: Request, response: Response, vault: VaultDep, session: Signed, tool: str, given: Call) -> dict[str, Any]:
    """Runs a harmless tool; asks for the others: 202, with the id of the request."""
    if tool not in SENSITIVE:
        return {"result": f"{tool} was run"}
    id = vault.approvals.create(
        tool,
        given.arguments,
        f"agent-of-{session.subject}",
        subject=session.subject,
        session=given.conversation,
        expires_in=given.expires_in,
    )
    site.audit("tool.asked", subject=id, payload={"tool": tool})
    response.status_code = 202
    return {"approval": id}


@routes.get("/approvals")
def pending(vault: VaultDep, session: Signed, conversation: str) -> list[dict[str, Any]]:
    return [_shown(each) for each in vault.approvals.list_pending(subject=session.subject, session=conversation)]


@routes.get("/approvals/{id}")
def show(vault: VaultDep, session: Signed, id: str) -> dict[str, Any]:
    return _shown(_own(vault.approvals.get(id), session))


@routes.get("/approvals/{id}/wait")
async def wait(
    vault: VaultDep, session: Signed, id: str, timeout: Annotated[float, Query(ge=0, le=60)] = 30
) -> dict[str, str]:
    """Answers once it is decided, or in so many seconds. Any number may wait: it takes no thread."""
    _own(await aio.run(vault.approvals.get, id), session)
    return {"state": await aio.wait_for_decision(vault.approvals, id, timeout)}


@routes.post("/approvals/{id}/{verdict}")
def decide(vault: VaultDep, session: Signed, id: str, verdict: Literal["approve", "reject"], given: Verdict) -> dict[str, Any]:
    _own(vault.approvals.get(id), session)
    decided = vault.approvals.decide(id, f"user-{session.subject}", verdict, reason=given.reason)
    site.audit(f"tool.{decided.state}", subject=id)
    return _shown(decided)


@routes.post("/run/{id}")
def run(vault: VaultDep, session: Signed, id: str, given: Run) -> dict[str, str]:
    """Runs what was approved, once, if it is that."""
    _own(vault.approvals.get(id), session)
    done = vault.approvals.claim(id, given.arguments)
    site.audit("tool.run", subject=id, payload={"tool": done.action})
    return {"result": f"{done.action} was run"}


def _own(approval: Approval, session: Signed) -> Approval:
    if approval.subject != session.subject:
        raise HTTPException(404)
    return approval


def _shown(approval: Approval) -> dict[str, Any]:
    told = {"id": approval.id, "tool": approval.action, "state": approval.state}
    return told | {"conversation": approval.session, "reason": approval.reason}
