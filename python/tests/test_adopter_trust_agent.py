"""The trust's agent: uvicorn with two workers. Each test is a line of what must hold for it."""

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import sealite
from serving import UVICORN, Client, Server, at_once, bearer, hang_up, serving

__all__ = ["hang_up"]

ADA = {
    "email": "Ada.Canary@Example.org",
    "name": "Ada Canary",
    "phone": "+44 20 7946 0958",
    "address": "12 Canary Wharf",
    "ssn_last4": "canary-6789",
    "born": "1815-12-10-canary",
    "notes": "Prefers canary letters",
    "accounts": ["DE00 1234-5678.90", "77-canary-4711 0815"],
}
KEYS: dict[str, str] = {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("trust")
    settings = {"TRUST_VAULT": str(folder / "vault.db"), "TRUST_EXPORTS": str(folder / "exports")}
    (folder / "exports").mkdir()
    issued: list[str] = []

    def prepare(vault: Any) -> None:
        issued.append(vault.tokens.issue("admin", label="operator").text)

    with serving(f"{UVICORN} trust_agent:app", folder, settings, prepare=prepare) as server:
        KEYS["admin"] = issued[0]
        client = server.client()
        everything = ["beneficiaries:read", "beneficiaries:write", "agent", "approve"]
        scopes = {"clerk": everything[:2], "agent": ["agent"], "reader": ["beneficiaries:read"], "trustee": ["approve"], "both": everything}
        for subject, granted in scopes.items():
            KEYS[subject] = made(client, subject, granted)
        assert client.post("/receipts/key", bearer(issued[0])).status_code == 201
        assert client.post("/beneficiaries", as_("clerk"), json=ADA).status_code == 201
        yield server


def made(client: Client, subject: str, scopes: list[str], limits: str | None = None) -> str:
    asked = {"subject": subject, "scopes": scopes, "limits": limits}
    answer = client.post("/keys", bearer(KEYS["admin"]), json=asked)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def as_(subject: str) -> dict[str, str]:
    return bearer(KEYS[subject])


def put(client: Client, name: str, value: Any) -> None:
    assert client.ask("PUT", f"/settings/{name}", as_("admin"), json={"value": value}).status_code == 204


def asked(client: Client, payload: dict[str, Any], who: str = "agent", **more: Any) -> str:
    answer = client.post("/approvals", as_(who), json={"action": "payout", "payload": payload, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def decide(client: Client, id: str, verdict: str = "approve", who: str = "trustee") -> tuple[int, Any]:
    answer = client.post(f"/approvals/{id}/decision", as_(who), json={"verdict": verdict})
    return answer.status_code, answer.json()


def execute(client: Client, id: str, payload: dict[str, Any]) -> tuple[int, Any]:
    answer = client.post(f"/approvals/{id}/execute", as_("agent"), json={"payload": payload})
    return answer.status_code, answer.json()


def trail(client: Client) -> list[dict[str, Any]]:
    return [json.loads(line) for line in client.get("/audit/export", **as_("admin")).text.splitlines()]


def test_personal_columns_are_sealed_and_look_ups_still_work(server: Server) -> None:
    one, two = server.clients()
    for client, email in ((one, "ada.canary@example.ORG"), (two, " Ada.Canary@example.org ")):
        found = client.get(f"/beneficiaries?email={email}", **as_("reader")).json()
        assert found == ADA | {"id": found["id"]}
    for number in ("00 12-34 56 78 90", "0012345678.90", "7747110815"):
        assert one.get(f"/beneficiaries?account={number}", **as_("reader")).json()["name"] == "Ada Canary"
    assert one.get("/beneficiaries?account=00123456789", **as_("reader")).status_code == 404
    assert one.post("/beneficiaries", as_("clerk"), json=ADA | {"email": "other@example.org"}).json() == {"error": "conflict"}
    # With the account refused, nobody was added.
    assert one.get("/beneficiaries?email=other@example.org", **as_("reader")).status_code == 404
    id = one.get("/beneficiaries?email=ada.canary@example.org", **as_("reader")).json()["id"]
    assert one.ask("PATCH", f"/beneficiaries/{id}", as_("clerk"), json={"notes": "None, canary", "phone": None}).status_code == 204
    changed = two.get(f"/beneficiaries/{id}", **as_("reader")).json()
    assert (changed["notes"], changed["phone"], changed["address"]) == ("None, canary", None, ADA["address"])
    stored = server.stored()
    for value in ("canary", "Canary", "7946 0958", "1234-5678", "1815-12-10", *KEYS.values()):
        for encoded in (value.encode(), value.encode("utf-16-le"), value.encode().hex().encode()):
            assert encoded not in stored, value


def test_api_keys_have_scopes_and_a_limit_each(server: Server) -> None:
    one, two = server.clients()
    assert one.get("/beneficiaries/1", **as_("reader")).status_code == 200
    assert one.ask("PATCH", "/beneficiaries/1", as_("reader"), json={"notes": "x"}).json() == {"error": "denied"}
    assert one.post("/approvals", as_("trustee"), json={"action": "a", "payload": {}}).status_code == 403
    assert one.post("/keys", as_("both"), json={"subject": "eve", "scopes": []}).status_code == 401
    for wrong in ({"limits": "often"}, {"scopes": [""]}):
        assert one.post("/keys", bearer(KEYS["admin"]), json={"subject": "eve", "scopes": [], **wrong}).status_code == 422
    few, many = made(one, "few", ["beneficiaries:read"], "3/hour"), made(one, "many", ["beneficiaries:read"], "100/hour")
    answers = [client.get("/beneficiaries/1", **bearer(few)) for client in (one, two, one, two)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"] == "rate_limited" and int(answers[3].headers["retry-after"]) > 60
    assert two.get("/beneficiaries/1", **bearer(many)).status_code == 200


def test_a_request_without_a_key_is_refused_once_authentication_is_on(server: Server) -> None:
    one, two = server.clients()
    assert [client.get("/beneficiaries/1").status_code for client in (one, two)] == [200, 200]
    put(one, "auth.required", True)
    try:
        for client in (one, two):
            assert client.get("/beneficiaries/1").json() == {"error": "token_rejected"}
            assert client.post("/approvals", json={"action": "a", "payload": {}}).status_code == 401
            assert client.get("/beneficiaries/1", **as_("reader")).status_code == 200
    finally:
        put(one, "auth.required", False)
    # What is presented is looked at, whether one is asked for or not.
    assert one.get("/beneficiaries/1", **bearer("nonsense")).status_code == 401


def test_trace_and_correlation_ids_travel_into_every_audit_entry(server: Server) -> None:
    client = server.client()
    before = len(trail(client))
    ids = {"X-Request-ID": "trace-4711", "X-Correlation-ID": "case-0815"}
    payload = {"account": "1", "amount": 7}
    client.headers |= ids
    client.post("/beneficiaries", as_("clerk"), json={"email": "traced@example.org"})
    client.get("/beneficiaries?email=traced@example.org", **as_("reader"))
    id = asked(client, payload)
    assert decide(client, id)[0] == 200 and execute(client, id, payload)[0] == 200
    entries = trail(client)[before:]
    own = [each for each in entries if each["event"].startswith(("agent.", "beneficiary."))]
    assert {each["event"] for each in own} == {
        "beneficiary.added", "beneficiary.read", "agent.asked", "agent.approved", "agent.executed",
    }  # fmt: skip
    assert {(each["trace_id"], each["correlation_id"]) for each in own} == {("trace-4711", "case-0815")}
    assert {each["actor"] for each in own} == {"clerk", "reader", "agent", "trustee"}
    # And what the engine itself has written for them.
    assert {"approval.created", "approval.approved", "approval.executed"} <= {each["event"] for each in entries}
    assert {(each["trace_id"], each["correlation_id"]) for each in entries} == {("trace-4711", "case-0815")}
    # The next request is another one, also where it brings no id.
    client.headers.clear()
    answer = client.get("/beneficiaries/1", **as_("reader"))
    assert trail(client)[-1]["trace_id"] == answer.headers["x-request-id"] != "trace-4711"


def test_the_export_is_json_lines_and_one_file_a_day_if_asked(server: Server) -> None:
    client = server.client()
    entries = trail(client)
    assert [each["seq"] for each in entries] == list(range(1, len(entries) + 1))
    assert all(each["ts"] and each["event"] for each in entries)
    written = client.post("/audit/export", as_("admin")).json()
    assert all(re.search(r"\d{4}-\d\d-\d\d", name) for name in written)
    lines = [json.loads(line) for path in sorted((server.folder / "exports").glob("*.jsonl")) for line in path.read_text().splitlines()]
    assert [each["event"] for each in lines if each.get("event")][: len(entries)] == [each["event"] for each in entries]
    # Again: what is new is added, and nothing twice.
    client.get("/beneficiaries/1", **as_("reader"))
    assert sum(client.post("/audit/export", as_("admin")).json().values()) < len(entries)
    lines = [json.loads(line) for path in sorted((server.folder / "exports").glob("*.jsonl")) for line in path.read_text().splitlines()]
    sequence = [each["seq"] for each in lines if "event" in each]
    assert sequence == sorted(set(sequence))


def test_what_is_signed_or_hashed_is_canonical_to_full_depth(server: Server) -> None:
    client = server.client()
    payload = {"to": {"account": {"number": "1", "bank": {"name": "Ä", "code": 7}}}, "items": [{"b": 1, "a": 2}, {"d": [], "c": None}]}
    same = {"items": [{"a": 2, "b": 1}, {"c": None, "d": []}], "to": {"account": {"bank": {"code": 7, "name": "Ä"}, "number": "1"}}}
    nested = json.loads(json.dumps(payload))
    nested["to"]["account"]["bank"]["code"] = 8
    swapped = json.loads(json.dumps(payload)) | {"items": [payload["items"][1], payload["items"][0]]}  # type: ignore[index]

    def hashed(of: dict[str, Any]) -> str:
        return str(client.get(f"/approvals/{asked(client, of)}", **as_("agent")).json()["payload_sha256"])

    assert hashed(payload) == hashed(same)
    assert len({hashed(payload), hashed(nested), hashed(swapped)}) == 3
    id = asked(client, payload)
    assert decide(client, id)[0] == 200
    # Numbers, too, have one form: 8785's, whichever way a program writes them.
    assert hashed({"n": 7}) == hashed({"n": 7.0})
    for other in (nested, swapped):
        assert execute(client, id, other) == (409, {"error": "payload_changed"})
    status, receipt = execute(client, id, same)
    assert status == 200

    def genuine(receipt: dict[str, Any]) -> bool:
        return bool(client.post("/receipts/check", as_("agent"), json=receipt).json()["genuine"])

    assert genuine(receipt) and genuine({"signature": receipt["signature"], "body": dict(reversed(receipt["body"].items())) | {"payload": payload}})
    for forged in (nested, swapped):
        assert not genuine({"signature": receipt["signature"], "body": receipt["body"] | {"payload": forged}})
    assert genuine(receipt | {"body": json.loads(sealite.canonical_json(receipt["body"]))})
    assert not genuine({"signature": receipt["signature"], "body": {"payload": 2**53 + 1}})
    assert not genuine(receipt | {"signature": "00" * 64}) and not genuine(receipt | {"signature": "no digits"})
    key = client.get("/receipts/key").json()["ed25519"]
    assert re.fullmatch("[0-9a-f]{64}", key) and client.post("/receipts/key", as_("admin")).status_code == 409


def test_an_approval_is_decided_once(server: Server) -> None:
    one, two = server.clients()
    id = asked(one, {"n": 1})
    both = [partial(decide, client, id, verdict) for client in server.clients(each=3) for verdict in ("approve", "reject")]
    answers = sorted(at_once(both), key=lambda answer: answer[0])
    assert [status for status, _ in answers] == [200] + [409] * 11
    assert all(body == {"error": "already_decided"} for _, body in answers[1:])
    assert two.get(f"/approvals/{id}", **as_("agent")).json()["state"] == answers[0][1]["state"]
    rejected = asked(one, {"n": 2})
    assert decide(two, rejected, "reject")[0] == 200
    assert execute(one, rejected, {"n": 2})[0] in (403, 409)
    assert execute(one, asked(one, {"n": 3}), {"n": 3})[0] in (403, 409)
    assert decide(one, "0" * 32)[0] == 404


def test_an_approval_is_not_decided_by_the_requester_unless_the_policy_allows_it(server: Server) -> None:
    client = server.client()
    own = asked(client, {"n": 4}, "both")
    assert decide(client, own, who="both") == (403, {"error": "denied"})
    put(client, "approvals.by_requester", True)
    try:
        allowed = asked(client, {"n": 5}, "both")
        assert decide(client, allowed, who="both")[0] == 200
        # The policy at the time of the request holds.
        assert decide(client, own, who="both")[0] == 403
    finally:
        put(client, "approvals.by_requester", False)
    assert decide(client, own)[0] == 200


def test_an_approval_is_bound_to_its_payload_and_refused_after_expiry(server: Server) -> None:
    client = server.client()
    id = asked(client, {"amount": 9})
    assert decide(client, id)[0] == 200
    assert execute(client, id, {"amount": 9000}) == (409, {"error": "payload_changed"})
    assert execute(client, id, {"amount": 9})[0] == 200
    brief = asked(client, {"amount": 1}, expires_in=0.05)
    approved = asked(client, {"amount": 2}, expires_in=1.5)
    decided = decide(client, approved)
    time.sleep(1.6)
    assert decide(client, brief) == (410, {"error": "expired"})
    # Approved in time, where the machine was quick enough, and still not done after it.
    assert decided[0] in (200, 410)
    assert execute(client, approved, {"amount": 2}) == (410, {"error": "expired"})
    assert client.get(f"/approvals/{brief}", **as_("agent")).json()["state"] == "expired"


def test_an_approval_is_executed_once(server: Server) -> None:
    payload = {"amount": 3}
    id = asked(server.client(), payload)
    assert decide(server.client(1), id)[0] == 200
    answers = at_once(partial(execute, client, id, payload) for client in server.clients(each=4))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert {body["error"] for status, body in answers if status == 409} == {"already_decided"}
