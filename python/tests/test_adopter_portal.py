"""The portal: uvicorn with two workers over one SQLite database and one vault, and two tenants. Each test is a line of what
must hold for it."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import httpx2
import pytest

from serving import UVICORN, Client, Server, at_once, bearer, hang_up, serving, until

__all__ = ["hang_up"]

PASSWORD = "correct horse battery"
SHARED = "shared@example.org"
ADMINS: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("portal")
    (folder / "outbox").mkdir()
    settings = {"PORTAL_VAULT": str(folder / "vault.db"), "PORTAL_DATABASE": f"sqlite:///{folder / 'portal.db'}"}
    settings |= {"PORTAL_OUTBOX": str(folder / "outbox"), "PORTAL_HASH_KIB": "19456"}
    issued: list[str] = []
    prepare = lambda vault: issued.append(vault.tokens.issue("admin", label="platform").text)  # noqa: E731
    with serving(f"{UVICORN} portal:app", folder, settings, prepare=prepare) as server:
        server.environment["PLATFORM"] = issued[0]
        client = server.client()
        for tenant in ("acme", "other"):
            made(server, client, tenant)
        yield server


def platform(server: Server) -> dict[str, str]:
    return bearer(server.environment["PLATFORM"])


def made(server: Server, client: Client, tenant: str) -> None:
    """A tenant, with an administrator and a member."""
    asked = {"name": tenant, "admin": f"admin@{tenant}.example"}
    assert client.post("/organisations", platform(server), json=asked).status_code == 201
    joined(server, client, tenant, f"admin@{tenant}.example")
    assert client.post(f"/t/{tenant}/invitations", admin_of(client, tenant), json={"email": SHARED}).status_code == 202
    joined(server, client, tenant, SHARED)


def letters(server: Server, email: str, tenant: str) -> list[str]:
    """The tokens that were sent to somebody."""
    files = sorted((server.folder / "outbox").glob(f"{tenant}-*"), key=lambda path: path.stat().st_mtime_ns)
    texts = [path.read_text().split() for path in files]
    return [text[1] for text in texts if len(text) == 2 and text[0] == email]


def asked_to_reset(server: Server, client: Client, tenant: str, email: str) -> str:
    """The token that comes by mail, after the answer."""
    before = len(letters(server, email, tenant))
    assert client.post(f"/t/{tenant}/forgot", json={"email": email.upper()}).status_code == 202
    until(lambda: len(letters(server, email, tenant)) > before, "a letter")
    return letters(server, email, tenant)[-1]


def joined(server: Server, client: Client, tenant: str, email: str) -> int:
    token = letters(server, email, tenant)[-1]
    answer = client.post(f"/t/{tenant}/join", json={"token": token, "password": PASSWORD, "name": f"Canary of {tenant}"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def logged_in(client: Client, tenant: str, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = client.post(f"/t/{tenant}/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def admin_of(client: Client, tenant: str) -> dict[str, str]:
    """The header of an administrator who logs in once."""
    if tenant not in ADMINS:
        ADMINS[tenant] = logged_in(client, tenant, f"admin@{tenant}.example")
    return bearer(ADMINS[tenant]["access"])


def me(client: Client, tenant: str, access: str) -> httpx2.Response:
    return client.get(f"/t/{tenant}/me", **bearer(access))


def member(server: Server, client: Client, tenant: str, email: str) -> int:
    """A new member; the id."""
    client.post(f"/t/{tenant}/invitations", admin_of(client, tenant), json={"email": email})
    return joined(server, client, tenant, email)


def test_a_handle_of_one_tenant_reaches_nothing_of_another_s(server: Server) -> None:
    client = server.client()
    acme, other = ADMINS["acme"], ADMINS["other"]
    key = client.post("/t/acme/keys", bearer(acme["access"]), json={"label": "k", "scopes": ["introspect"]}).json()["key"]
    paths = ("me", "users", "settings", "providers", "audit", "keys", f"users?email={SHARED}")
    for path in paths:
        assert client.get(f"/t/acme/{path}", **bearer(acme["access"])).status_code == 200
        # Not by another's token, nor by a guess at it.
        for text in (other["access"], other["access"][:-1] + "x", acme["access"][:-6]):
            assert client.get(f"/t/acme/{path}", **bearer(text)).status_code == 401
    assert client.post("/t/other/refresh", json={"token": acme["refresh"]}).status_code == 401
    assert client.post("/t/acme/refresh", json={"token": acme["refresh"]}).status_code == 200
    assert client.post("/t/other/introspect", bearer(key), json={"token": other["access"]}).status_code == 401
    assert client.post("/t/acme/introspect", bearer(key), json={"token": other["access"]}).json() == {"active": False}
    users = client.get("/t/acme/users", **bearer(acme["access"])).json()
    theirs = client.get("/t/other/users", **bearer(other["access"])).json()
    assert len(users) >= 2 and not {each["id"] for each in users} & {each["id"] for each in theirs}
    for id in (each["id"] for each in theirs):
        for method, path in (("PATCH", f"/t/acme/users/{id}"), ("POST", f"/t/acme/users/{id}/seen?page=x")):
            assert client.ask(method, path, bearer(acme["access"]), json={"name": "Eve"}).status_code == 404
    # Revoking a number of one's own that is also another's reaches nobody else.
    assert client.post(f"/t/acme/revoke/{theirs[0]['id']}", bearer(acme["access"])).status_code == 204
    assert me(client, "other", other["access"]).status_code == 200
    assert client.ask("PUT", "/t/acme/settings/payment.key", bearer(acme["access"]), json={"value": "acme-payment-canary"}).status_code == 204
    assert not client.get("/t/other/providers", **bearer(other["access"])).json()["payment"]["ready"]
    assert "acme-payment-canary" not in client.get("/t/other/settings", **bearer(other["access"])).text
    assert client.get("/t/nobody/me", **bearer(acme["access"])).status_code == 404


def test_the_same_e_mail_may_exist_in_two_tenants_and_the_file_does_not_show_it(server: Server) -> None:
    client = server.client()
    for tenant in ("acme", "other"):
        (found,) = client.get(f"/t/{tenant}/users?email=Shared@EXAMPLE.org", **admin_of(client, tenant)).json()
        assert (found["email"], found["name"]) == (SHARED, f"Canary of {tenant}")
        # Within one it is unique.
        assert client.post(f"/t/{tenant}/invitations", admin_of(client, tenant), json={"email": SHARED}).status_code == 202
        again = {"token": letters(server, SHARED, tenant)[-1], "password": PASSWORD}
        assert client.post(f"/t/{tenant}/join", json=again).json() == {"error": "conflict"}
    with closing(sqlite3.connect(server.folder / "portal.db")) as file:
        columns = [column[1] for column in file.execute("PRAGMA table_info(users)")]
        rows = file.execute("SELECT * FROM users").fetchall()
    assert "email_bidx" in columns and len(rows) >= 4
    for name in ("email", "email_bidx", "name", "password"):
        values = [row[columns.index(name)] for row in rows]
        assert len(set(values)) == len(values)
    for secret in (SHARED, "Canary of", "acme-payment-canary", PASSWORD):
        assert secret.encode() not in server.stored()


def test_within_the_grace_the_same_successor_comes_back_and_after_it_reuse_revokes_the_family(server: Server) -> None:
    one, two = server.clients()
    assert json.loads(one.get("/t/acme/settings", **admin_of(one, "acme")).json()["access.grace"]["shown"]) == 30
    # Long enough for the slowest of machines.
    assert one.ask("PUT", "/settings/access.grace", platform(server), json={"value": 600}).status_code == 204
    first = logged_in(one, "acme", SHARED)
    answers = at_once(partial(each.post, "/t/acme/refresh", json={"token": first["refresh"]}) for each in (one, two))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.json()["refresh"] for answer in answers}) == 1
    again = one.post("/t/acme/refresh", json={"token": first["refresh"]}).json()
    assert again["refresh"] == answers[0].json()["refresh"]
    assert me(two, "acme", again["access"]).status_code == 200
    # The grace is over at once, from here on.
    assert one.ask("PUT", "/settings/access.grace", platform(server), json={"value": 0.001}).status_code == 204
    try:
        fresh = logged_in(one, "acme", SHARED)
        second = one.post("/t/acme/refresh", json={"token": fresh["refresh"]}).json()
        third = one.post("/t/acme/refresh", json={"token": second["refresh"]}).json()
        time.sleep(0.01)
        assert two.post("/t/acme/refresh", json={"token": fresh["refresh"]}).status_code == 401
        for each in (second, third):
            assert two.post("/t/acme/refresh", json={"token": each["refresh"]}).status_code == 401
            assert me(two, "acme", each["access"]).status_code == 401
    finally:
        one.ask("DELETE", "/settings/access.grace", platform(server))
    trail = one.get("/t/acme/audit", **admin_of(one, "acme")).json()
    assert "token.reuse_detected" in {each["event"] for each in trail}


def test_revoking_access_kills_access_refresh_and_streams_at_once_in_all_processes(server: Server) -> None:
    one, two = server.clients()
    id = member(server, one, "acme", "leaver@example.org")
    sessions = [logged_in(each, "acme", "leaver@example.org") for each in (one, two)]
    reader = server.client(1)
    with reader.http.stream("GET", "/t/acme/events", headers=bearer(sessions[0]["access"])) as stream:
        lines = (line for line in stream.iter_lines() if line)
        assert stream.status_code == 200 and "tick" in next(lines)
        assert one.post(f"/t/acme/revoke/{id}", admin_of(one, "acme")).status_code == 204
        for client in (one, two):
            for session in sessions:
                assert me(client, "acme", session["access"]).status_code == 401
                assert client.post("/t/acme/refresh", json={"token": session["refresh"]}).status_code == 401
        # It ends by itself.
        assert sum(1 for _ in lines) < 1_000
    # A later log-in revives nothing, and holds.
    later = logged_in(two, "acme", "leaver@example.org")
    assert me(one, "acme", later["access"]).status_code == 200
    assert [me(two, "acme", session["access"]).status_code for session in sessions] == [401, 401]
    # Only forward: a second one ends the log-in too, and no order of requests takes it back.
    assert two.post(f"/t/acme/revoke/{id}", admin_of(two, "acme")).status_code == 204
    assert me(one, "acme", later["access"]).status_code == 401


def committed(client: Client) -> float:
    """Transactions of the worker that were committed."""
    text = client.get("/metrics").text
    found = re.findall(r"^sealite_transactions_total\{[^}]*commit[^}]*\} (\S+)", text, re.MULTILINE)
    assert found, text
    return sum(map(float, found))


def test_one_introspection_serves_requests_streams_and_jobs_and_is_cheap_enough_to_repeat(server: Server) -> None:
    client, reader = server.client(), server.client()
    session = logged_in(client, "acme", SHARED)
    key = client.post("/t/acme/keys", admin_of(client, "acme"), json={"label": "job", "scopes": ["introspect"]}).json()["key"]

    def ask() -> dict[str, Any]:
        found: dict[str, Any] = client.post("/t/acme/introspect", bearer(key), json={"token": session["access"]}).json()
        return found

    assert ask()["active"] and ask()["scope"] == "member"
    assert me(client, "acme", session["access"]).status_code == 200
    before = committed(client)
    for _ in range(50):
        assert ask()["active"]
    # It is a look-up: what it writes down, it writes once a minute.
    assert committed(client) - before <= 4
    with reader.http.stream("GET", "/t/acme/events", headers=bearer(session["access"])) as stream:
        assert "tick" in next(line for line in stream.iter_lines() if line)
    assert client.post("/t/acme/introspect", bearer(key), json={"token": "nonsense"}).json() == {"active": False}


def test_a_bogus_reset_or_api_token_costs_a_look_up_and_no_password_hash(server: Server) -> None:
    client = server.client()
    asked = {"label": "k", "scopes": ["introspect"]}
    assert client.post("/t/acme/keys", admin_of(client, "acme"), json=asked | {"limits": "often"}).status_code == 422
    issued = client.post("/t/acme/keys", admin_of(client, "acme"), json=asked).json()["key"]
    key = issued[:-8] + "00000000"
    token, other = (asked_to_reset(server, client, tenant, SHARED) for tenant in ("acme", "other"))

    # No hash is made of so long a password: who gets that far is told so.
    long = "x" * 5_000
    for text in (other, "nonsense", token[:-8] + "00000000"):
        assert client.post("/t/acme/reset", json={"token": text, "password": long}).status_code == 401
    assert client.post("/t/acme/reset", json={"token": token, "password": long}).status_code == 422
    assert client.post("/t/acme/introspect", bearer(key), json={"token": "x"}).status_code == 401


def test_resetting_a_password_cancels_the_other_resets_and_if_asked_the_sessions(server: Server) -> None:
    client = server.client()
    member(server, client, "acme", "forgetful@example.org")
    session = logged_in(client, "acme", "forgetful@example.org")
    first, second, third = (asked_to_reset(server, client, "acme", "forgetful@example.org") for _ in range(3))
    assert client.post("/t/acme/forgot", json={"email": "nobody@example.org"}).status_code == 202
    assert client.post("/t/acme/reset", json={"token": second, "password": "another horse battery"}).status_code == 204
    for text in (first, second, third):
        assert client.post("/t/acme/reset", json={"token": text, "password": "evil horse battery"}).status_code == 401
    assert me(client, "acme", session["access"]).status_code == 200
    assert client.post("/t/acme/login", json={"email": "forgetful@example.org", "password": PASSWORD}).status_code == 401
    logged_in(client, "acme", "forgetful@example.org", "another horse battery")
    fourth = asked_to_reset(server, client, "acme", "forgetful@example.org")
    asked = {"token": fourth, "password": "third horse battery", "end_sessions": True}
    assert client.post("/t/acme/reset", json=asked).status_code == 204
    assert me(client, "acme", session["access"]).status_code == 401
    assert client.post("/t/acme/refresh", json={"token": session["refresh"]}).status_code == 401


def test_tenant_settings_inherit_override_and_partially_merge(server: Server) -> None:
    client = server.client()
    acme, other = admin_of(client, "acme"), admin_of(client, "other")

    def server_of(tenant: str, who: dict[str, str]) -> tuple[Any, str]:
        found = client.get(f"/t/{tenant}/settings", **who).json()["smtp.server"]
        return json.loads(found["shown"]), found["source"]

    assert server_of("acme", acme)[0] == {"host": "localhost", "port": 25}
    platform_s = {"host": "mail.platform.example", "port": 587, "from": "portal@platform.example"}
    assert client.ask("PUT", "/settings/smtp.server", platform(server), json={"value": platform_s}).status_code == 204
    assert server_of("acme", acme) == (platform_s, "vault") == server_of("other", other)
    assert client.ask("PUT", "/t/acme/settings/smtp.server", acme, json={"value": {"from": "hi@acme.example", "port": None}}).status_code == 204
    assert server_of("acme", acme) == ({"host": "mail.platform.example", "from": "hi@acme.example"}, "tenant")
    assert server_of("other", other) == (platform_s, "vault")
    assert client.ask("DELETE", "/t/acme/settings/smtp.server", acme).status_code == 204
    assert server_of("acme", acme) == (platform_s, "vault")


def test_an_enabled_provider_s_secret_is_not_cleared_by_accident_and_readiness_shows_no_values(server: Server) -> None:
    client = server.client()
    acme = admin_of(client, "acme")

    def put(name: str, value: Any, path: str = "/t/acme/settings", who: dict[str, str] | None = None) -> int:
        return client.ask("PUT", f"{path}/{name}", who or acme, json={"value": value}).status_code

    def clear(path: str, who: dict[str, str]) -> int:
        return client.ask("DELETE", path, who).status_code

    assert put("smtp.password", "platform-canary", "/settings", platform(server)) == 204
    assert client.get("/t/acme/providers", **acme).json()["smtp"] == {"ready": True, "from": "vault"}
    assert put("smtp.enabled", True) == 204
    # Acme uses the platform's: it stays.
    assert clear("/settings/smtp.password", platform(server)) == 409
    assert put("smtp.password", "acme-canary") == 204
    assert client.get("/t/acme/providers", **acme).json()["smtp"] == {"ready": True, "from": "tenant"}
    assert clear("/settings/smtp.password", platform(server)) == 204
    assert clear("/t/acme/settings/smtp.password", acme) == 409
    for path in ("/t/acme/providers", "/t/acme/settings", "/readyz", "/metrics", "/t/acme/audit"):
        assert "canary" not in client.get(path, **acme).text.replace("Canary of", "")
    assert put("smtp.enabled", False) == 204
    assert clear("/t/acme/settings/smtp.password", acme) == 204
    assert not client.get("/t/acme/providers", **acme).json()["smtp"]["ready"]


def test_audit_events_can_be_critical_or_best_effort(server: Server) -> None:
    client = server.client()
    acme = admin_of(client, "acme")
    id = member(server, client, "acme", "audited@example.org")

    def name() -> str:
        (found,) = client.get("/t/acme/users?email=audited@example.org", **acme).json()
        return str(found["name"])

    changed = {"name": "Sealed Canary", "reason": "typing error"}
    assert client.ask("PATCH", f"/t/acme/users/{id}", acme, json=changed).status_code == 204
    entry = next(each for each in client.get("/t/acme/audit", **acme).json() if each["event"] == "user.changed")
    assert entry["payload"] == {"before": {"name": "Canary of acme"}, "after": {"name": "Sealed Canary"}, "reason": "typing error"}
    assert b"Sealed Canary" not in server.stored()
    # An entry that is too long can't be written: the change fails with it.
    too_long = {"name": "After", "reason": "x" * 1_100_000}
    assert server.again(client).ask("PATCH", f"/t/acme/users/{id}", acme, json=too_long).status_code == 422
    assert name() == "Sealed Canary"

    def lost() -> int:
        return int(client.get("/admin/status", **platform(server)).json()["audit"]["lost"])

    before = lost()
    assert client.post(f"/t/acme/users/{id}/seen?page=home", acme).status_code == 204
    assert lost() == before
    with closing(sqlite3.connect(server.folder / "vault.db", timeout=60)) as file:
        # Nobody else can write meanwhile.
        file.execute("BEGIN IMMEDIATE")
        assert client.post(f"/t/acme/users/{id}/seen?page=lost", acme).status_code == 204
        file.rollback()
    assert lost() == before + 1


def test_deleting_a_tenant_keeps_its_audit(server: Server) -> None:
    client = server.client()
    made(server, client, "gone")
    session = ADMINS["gone"]
    id = client.get("/t/gone/users", **bearer(session["access"])).json()[0]["id"]
    assert client.ask("PATCH", f"/t/gone/users/{id}", bearer(session["access"]), json={"name": "Kept Canary"}).status_code == 204
    with closing(sqlite3.connect(server.folder / "portal.db")) as file:
        organisation = file.execute("SELECT * FROM organisations WHERE name = 'gone'").fetchone()
    deleted = client.ask("DELETE", "/organisations/gone", platform(server))
    assert deleted.status_code == 200 and deleted.json()["receipt"].startswith("sealite-erasure-1.")
    assert me(client, "gone", session["access"]).status_code == 404
    trail = client.get("/organisations/gone/audit", **platform(server)).json()
    assert {"user.changed", "organisation.deleted"} <= {each["event"] for each in trail}
    # The name is not given again, and where a backup of the database brings it back, nobody's token holds.
    assert client.post("/organisations", platform(server), json={"name": "gone", "admin": "new@gone.example"}).status_code == 409
    with closing(sqlite3.connect(server.folder / "portal.db")) as file, file:
        file.execute(f"INSERT INTO organisations VALUES ({', '.join('?' * len(organisation))})", organisation)
    assert me(client, "gone", session["access"]).status_code == 401
    assert b"Kept Canary" not in server.stored()
    assert client.get("/organisations/gone/audit", **bearer(session["access"])).status_code == 401
