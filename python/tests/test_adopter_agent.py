"""The agent: uvicorn with two workers over a PostgreSQL server of the tests' own. Each test is a line of what must hold for
it."""

import hmac
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import postgresql
import sealite
from serving import ADOPTERS, GUNICORN, SOON, UVICORN, Client, Server, at_once, bearer, hang_up, serving

__all__ = ["hang_up"]

PASSWORD = "correct horse battery"
# bcrypt, cost 4: of "bcrypt from before", and of the first 72 bytes of LONG.
BEFORE, OLD_HASH = "bcrypt from before", "$2b$04$abcdefghijklmnopqrstuuqTMjQCzIphaAPYroRO98DPHU.Qi/ouu"
LONG, LONG_HASH = "pass-" + "long" * 17 + "XYZ-tail-beyond", "$2b$04$abcdefghijklmnopqrstuu01srgDmYW7/Z8Mgb6tgrBMWRrGQWiAC"
SECRETS = {"AGENT_LLM_KEY": "llm-canary-" + "q7Wx" * 8, "AGENT_WEBHOOK_SECRET": "hook-canary-" + "z3Kd" * 8}
CALL = {"arguments": {"table": "orders", "where": {"id": 7}}, "conversation": "c-1"}


@pytest.fixture(scope="module")
def database() -> Iterator[postgresql.Server]:
    with postgresql.running() as running:
        yield running


def environment(folder: Path, database: postgresql.Server) -> dict[str, str]:
    own = {"AGENT_VAULT": str(folder / "vault.db"), "AGENT_DATABASE": database.url("psycopg"), "AGENT_HASH_KIB": "19456"}
    return own | SECRETS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database: postgresql.Server) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("agent")
    with serving(f"{UVICORN} agent:app", folder, environment(folder, database), prepare=lambda vault: None) as server:
        assert server.client().post("/register", json={"email": "ada@example.org", "name": "Ada Canary", "password": PASSWORD}).status_code == 201
        yield server


def in_database(database: postgresql.Server, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.url("psycopg").replace("+psycopg", "")) as connection:
        cursor = connection.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def registered(client: Client, email: str, password: str = PASSWORD) -> int:
    answer = client.post("/register", json={"email": email, "name": f"Canary {email}", "password": password})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def try_password(client: Client, email: str, password: str) -> int:
    return client.post("/login", json={"email": email, "password": password}).status_code


def logged_in(client: Client, email: str = "ada@example.org", password: str = PASSWORD) -> dict[str, str]:
    """The header of a new session."""
    answer = client.post("/login", json={"email": email, "password": password, "device": "laptop"})
    assert answer.status_code == 200, answer.text
    return bearer(answer.json()["access_token"])


def asked(client: Client, who: dict[str, str], tool: str = "delete", **more: Any) -> str:
    answer = client.post(f"/tools/{tool}", who, json=CALL | more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["approval"])


def decided(client: Client, who: dict[str, str], id: str, verdict: str = "approve") -> tuple[int, Any]:
    answer = client.post(f"/approvals/{id}/{verdict}", who, json={})
    return answer.status_code, answer.json()


def listed(client: Client, who: dict[str, str], conversation: str) -> list[dict[str, Any]]:
    """What waits for a decision."""
    found: list[dict[str, Any]] = client.ask("GET", "/approvals", who, params={"conversation": conversation}).json()
    return found


def test_its_database_stays_postgresql_with_sealed_values_and_blind_indexes(server: Server, database: postgresql.Server) -> None:
    one, two = server.client(0, "127.0.0.21"), server.client(1, "127.0.0.21")
    ((email, index, name, hashed),) = in_database(
        database, "SELECT email, email_bidx, name, password_hash FROM account WHERE id = 1"
    )
    assert b"example" not in bytes(email).lower() and b"Canary" not in bytes(name) and len(bytes(index)) == 16
    assert hashed.startswith("$argon2id$")
    for typed in ("ADA@example.org", " ada@EXAMPLE.org "):
        assert two.get("/me", **logged_in(one, typed)).json() == {"id": 1, "email": "ada@example.org", "name": "Ada Canary"}
    assert one.post("/register", json={"email": "Ada@Example.ORG", "password": PASSWORD}).json() == {"error": "conflict"}
    everything = b"".join(path.read_bytes() for path in database.files()) + server.stored()
    for secret in ("Ada Canary", "ada@example.org", PASSWORD, *SECRETS.values()):
        assert secret.encode() not in everything
    # What the vault keeps is there, and no table of it in PostgreSQL.
    tables = {table for (table,) in in_database(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert tables == {"account"}


def test_approvals_create_wait_approve_reject_expire_and_list_by_session(server: Server) -> None:
    one, two = server.client(0, "127.0.0.22"), server.client(1, "127.0.0.22")
    who = logged_in(one)
    assert one.post("/tools/search", who, json=CALL).json() == {"result": "search was run"}
    for tool in ("delete", "modify", "execute_sql", "send_email"):
        id = asked(one, who, tool, conversation=f"about {tool}")
        assert [each["id"] for each in listed(two, who, f"about {tool}")] == [id]
        assert one.get(f"/approvals/{id}/wait?timeout=0", **who).json() == {"state": "pending"}
        assert decided(two, who, id, "reject" if tool == "modify" else "approve")[0] == 200
        assert one.get(f"/approvals/{id}/wait", **who).json() == {"state": "rejected" if tool == "modify" else "approved"}
        assert listed(two, who, f"about {tool}") == []
        ran = two.post(f"/run/{id}", who, json={"arguments": CALL["arguments"]})
        assert ran.status_code == (403 if tool == "modify" else 200), ran.text
    changed = asked(one, who)
    assert decided(one, who, changed)[0] == 200
    assert one.post(f"/run/{changed}", who, json={"arguments": {"table": "users"}}).json() == {"error": "payload_changed"}
    registered(one, "other@example.org")
    other = logged_in(one, "other@example.org")
    assert one.get(f"/approvals/{changed}", **other).status_code == 404
    assert listed(two, other, "c-1") == []


def test_an_expired_approval_can_not_be_approved(server: Server) -> None:
    client = server.client(0, "127.0.0.23")
    who = logged_in(client)
    brief = asked(client, who, expires_in=0.05)
    assert client.get(f"/approvals/{brief}/wait?timeout=60", **who).json() == {"state": "expired"}
    assert decided(client, who, brief) == (410, {"error": "expired"})
    # A time that is none is the client's to correct.
    assert client.post("/tools/delete", who, json=CALL | {"expires_in": -1}).status_code == 422
    assert client.get(f"/approvals/{brief}/wait?timeout=nan", **who).status_code == 422


def test_unknown_and_already_decided_are_different_errors(server: Server) -> None:
    client = server.client(0, "127.0.0.24")
    who = logged_in(client)
    id = asked(client, who)
    assert decided(client, who, id, "reject")[0] == 200
    for verdict in ("approve", "reject"):
        assert decided(client, who, id, verdict) == (409, {"error": "already_decided"})
    assert decided(client, who, "0" * 32) == (404, {"error": "not_found"})


def test_waiting_does_not_block_the_event_loop(server: Server) -> None:
    asking, deciding = server.client(0, "127.0.0.25"), server.client(1, "127.0.0.25")
    who = logged_in(asking)
    id = asked(asking, who)
    # More than there are threads for requests that block one.
    waiting = server.crowd(60, 0, "127.0.0.25")
    with ThreadPoolExecutor(len(waiting)) as pool:
        answers = [pool.submit(partial(each.get, f"/approvals/{id}/wait?timeout=60", **who)) for each in waiting]
        for _ in range(5):
            assert asking.get("/me", **who).status_code == 200
        assert not any(answer.done() for answer in answers)
        assert decided(deciding, who, id)[0] == 200
        assert {answer.result(SOON).json()["state"] for answer in answers} == {"approved"}


def test_sessions_can_be_listed_and_revoked_one_by_one_or_all(server: Server) -> None:
    one, two = server.client(0, "127.0.0.26"), server.client(1, "127.0.0.26")
    registered(one, "sessions@example.org")
    first, second, third = (logged_in(one, "sessions@example.org") for _ in range(3))
    stranger = logged_in(two)
    listed = two.get("/sessions", **first).json()
    assert len(listed) == 3 and {each["device"] for each in listed} == {"laptop"} and sum(each["current"] for each in listed) == 1
    mine = next(each["id"] for each in two.get("/sessions", **second).json() if each["current"])
    assert one.ask("DELETE", f"/sessions/{mine}", stranger).status_code == 404
    assert one.ask("DELETE", f"/sessions/{mine}", first).status_code == 204
    assert [two.get("/me", **who).status_code for who in (first, second, third, stranger)] == [200, 401, 200, 200]
    assert one.ask("DELETE", "/sessions", first).json() == {"ended": 2}
    assert [two.get("/me", **who).status_code for who in (first, third, stranger)] == [401, 401, 200]


def test_changing_a_password_revokes_the_sessions(server: Server) -> None:
    one, two = server.client(0, "127.0.0.27"), server.client(1, "127.0.0.27")
    registered(one, "changing@example.org")
    first, second = (logged_in(each, "changing@example.org") for each in (one, two))
    assert one.post("/password", first, json={"old": "wrong", "new": "n"}).status_code == 403
    assert two.get("/me", **second).status_code == 200
    assert one.post("/password", first, json={"old": PASSWORD, "new": "another horse battery"}).status_code == 204
    assert [two.get("/me", **who).status_code for who in (first, second)] == [401, 401]
    assert try_password(one, "changing@example.org", PASSWORD) == 401
    assert try_password(two, "changing@example.org", "another horse battery") == 200


def test_bcrypt_hashes_still_verify_and_are_upgraded_on_log_in(server: Server, database: postgresql.Server) -> None:
    client = server.client(0, "127.0.0.28")
    id = registered(client, "before@example.org")

    def stored(new: str | None = None) -> str:
        if new is not None:
            in_database(database, "UPDATE account SET password_hash = %s WHERE id = %s", new, id)
        ((hashed,),) = in_database(database, "SELECT password_hash FROM account WHERE id = %s", id)
        return str(hashed)

    stored(OLD_HASH)
    assert try_password(client, "before@example.org", BEFORE + "x") == 401
    assert stored() == OLD_HASH
    assert try_password(client, "before@example.org", BEFORE) == 200
    upgraded = stored()
    assert upgraded.startswith("$argon2id$")
    assert try_password(client, "before@example.org", BEFORE) == 200 and stored() == upgraded
    # What bcrypt has cut off is not taken for the password.
    stored(LONG_HASH)
    assert try_password(client, "before@example.org", LONG) == 401
    assert try_password(client, "before@example.org", LONG[:72] + "another tail") == 401


@pytest.mark.parametrize("password", ["  blanks around  ", "nul\0within", "e\u0301 decomposed", "x" * 72 + "tail"])
def test_a_password_is_never_altered_before_hashing(server: Server, password: str) -> None:
    client = server.client(0, "127.0.0.29")
    email = f"exact-{sum(password.encode())}@example.org"
    registered(client, email, password)
    assert try_password(client, email, password) == 200
    for other in {password.strip(), password.split("\0")[0], "\u00e9 decomposed", password[:72]} - {password}:
        assert try_password(client, email, other) == 401


def test_start_up_fails_with_the_names_of_what_is_missing_or_weak(tmp_path: Path, database: postgresql.Server) -> None:
    key = sealite.generate_key()
    sealite.Vault.create(tmp_path / "vault.db", sealite.Unlock.key_text(key)).close()
    settings = {name: value for name, value in environment(tmp_path, database).items() if name not in SECRETS}
    weak = {"AGENT_LLM_KEY": "too-short-canary", "AGENT_WEBHOOK_SECRET": "changeme" * 4}

    def start(given: dict[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "uvicorn", "--port", "0", "agent:app"],
            cwd=ADOPTERS, env={**os.environ, "APP_KEY": key, **settings, **given}, capture_output=True, text=True, timeout=SOON,
        )  # fmt: skip
        assert done.returncode != 0
        told = done.stdout + done.stderr
        assert not any(value in told for value in (*given.values(), key))
        return told.partition("Traceback")[2].strip().splitlines()[-1] + told[-1000:]

    missing, too_weak, one_short = at_once(partial(start, given) for given in ({}, weak, SECRETS | {"AGENT_LLM_KEY": "q7Wx" * 7}))
    for told in (missing, too_weak):
        assert "llm.key" in told and "webhook.secret" in told
    assert "llm.key" in one_short and "webhook.secret" not in one_short


def test_limits_written_as_30_a_minute_keep_working_and_are_persistent(server: Server) -> None:
    one, two = server.client(0, "127.0.0.30"), server.client(1, "127.0.0.30")
    who = logged_in(server.client(0, "127.0.0.31"))
    answers = at_once(partial(client.post, "/tools/search", who, json=CALL) for client in (one, two))
    assert [answer.status_code for answer in answers] == [200, 200]
    for number in range(28):
        assert (one, two)[number % 2].post("/tools/search", who, json=CALL).status_code == 200
    refused = two.post("/tools/search", who, json=CALL)
    assert refused.status_code == 429 and refused.json() == {"error": "rate_limited", "limit": "30 per 1 minute"}
    # By address, as slowapi has it.
    assert server.client(0, "127.0.0.32").post("/tools/search", who, json=CALL).status_code == 200


def test_the_same_limits_keep_working_with_flask_limiter(server: Server, tmp_path: Path) -> None:
    # Another application, on the same vault.
    with serving(f"{GUNICORN} agent.webhooks:create_app()", tmp_path, server.environment) as hooks:
        body = b'{"paid": true}'
        signature = hmac.new(SECRETS["AGENT_WEBHOOK_SECRET"].encode(), body, "sha256").hexdigest()
        clients = hooks.clients()

        def call(number: int, signature: Any) -> int:
            return clients[number % 2].post("/webhooks/bank", {"X-Signature": signature}, content=body).status_code

        assert call(0, signature) == 204 and call(1, signature) == 204 and call(0, b"\xe9") == 401
        # What is refused counts, too.
        assert any(call(number, "guess") == 429 for number in range(200))
        assert call(0, signature) == call(1, signature) == 429
    who = logged_in(server.client(0, "127.0.0.35"))
    assert server.client(0, "127.0.0.1").post("/tools/search", who, json=CALL).status_code == 200


def test_approvals_sessions_and_limits_survive_a_restart(server: Server) -> None:
    client = server.client(0, "127.0.0.33")
    who = logged_in(client)
    waiting, approved = asked(client, who, conversation="kept"), asked(client, who, conversation="kept")
    assert decided(client, who, approved)[0] == 200
    limited, begun = server.client(0, "127.0.0.34"), time.monotonic()
    assert any(limited.post("/tools/search", who, json=CALL).status_code == 429 for _ in range(200))
    server.restart()
    # Within the minute; where the machine was not, there is nothing to see.
    answer = server.client(0, "127.0.0.34").post("/tools/search", who, json=CALL)
    assert answer.status_code == 429 or time.monotonic() - begun > 60
    client = server.client(1, "127.0.0.33")
    assert [each["id"] for each in listed(client, who, "kept")] == [waiting]
    assert client.post(f"/run/{approved}", who, json={"arguments": CALL["arguments"]}).status_code == 200
    assert client.post(f"/run/{approved}", who, json={"arguments": CALL["arguments"]}).json() == {"error": "already_decided"}
    assert decided(client, who, waiting)[0] == 200
