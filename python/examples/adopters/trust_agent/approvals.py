"""What the agent wants to do: asked for, decided by somebody else, done once, and receipted.

Of a payload the approval keeps the hash of its canonical form (RFC 8785), in which nested names have an order, too. A receipt is
signed over the same form: whoever has the public key can check it, in any language.
"""

import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from sealite import Approval, InvalidInput, Vault, canonical_json
from sealite.fastapi import VaultDep

from .vault import Agent, Approver, site

routes = APIRouter()


class Request(BaseModel):
    action: str
    payload: dict[str, Any]
    expires_in: float = Field(3_600, gt=0, le=30 * 86_400)


class Decision(BaseModel):
    verdict: Literal["approve", "reject"]
    reason: str | None = None


class Execution(BaseModel):
    payload: dict[str, Any]


class Receipt(BaseModel):
    body: dict[str, Any]
    signature: str


@routes.post("/approvals", status_code=201)
def ask(vault: VaultDep, agent: Agent, asked: Request) -> dict[str, str]:
    by_requester = bool(vault.settings.read("approvals.by_requester").value)
    id = vault.approvals.create(
        asked.action, asked.payload, agent, expires_in=asked.expires_in, exclude_requester=not by_requester
    )
    site.audit("agent.asked", actor=agent, subject=id, payload={"action": asked.action})
    return {"id": id}


@routes.get("/approvals/{id}")
def show(vault: VaultDep, agent: Agent, id: str) -> dict[str, Any]:
    return _shown(vault.approvals.get(id))


@routes.post("/approvals/{id}/decision")
def decide(vault: VaultDep, approver: Approver, id: str, decision: Decision) -> dict[str, Any]:
    decided = vault.approvals.decide(id, approver, decision.verdict, reason=decision.reason)
    site.audit(f"agent.{decided.state}", actor=approver, subject=id)
    return _shown(decided)


@routes.post("/approvals/{id}/execute")
def execute(vault: VaultDep, agent: Agent, id: str, given: Execution) -> Receipt:
    """Does what was approved, if it is what is asked for now."""
    done = vault.approvals.claim(id, given.payload)
    site.audit("agent.executed", actor=agent, subject=id, payload={"payload_sha256": done.payload_hash.hex()})
    at = datetime.datetime.now(datetime.UTC).isoformat()
    body = {"approval": id, "action": done.action, "approver": done.approver, "payload": given.payload, "at": at}
    return Receipt(body=body, signature=_key(vault).sign(canonical_json(body)).hex())


@routes.post("/receipts/check")
def check(vault: VaultDep, agent: Agent, receipt: Receipt) -> dict[str, bool]:
    try:
        _public(vault).verify(bytes.fromhex(receipt.signature), canonical_json(receipt.body))
    except (InvalidInput, InvalidSignature, ValueError):
        return {"genuine": False}
    return {"genuine": True}


@routes.get("/receipts/key")
def public_key(vault: VaultDep) -> dict[str, str]:
    return {"ed25519": _public(vault).public_bytes_raw().hex()}


def _key(vault: Vault) -> Ed25519PrivateKey:
    key = vault.settings.use("receipts.key")
    if key is None:
        raise HTTPException(503, "there is no key for receipts: POST /receipts/key")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.expose()))


def _public(vault: Vault) -> Ed25519PublicKey:
    return _key(vault).public_key()


def _shown(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "action": approval.action,
        "requester": approval.requester,
        "approver": approval.approver,
        "state": approval.state,
        "payload_sha256": approval.payload_hash.hex(),
    }
