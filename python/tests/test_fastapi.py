"""FastAPI: sessions in a cookie, CSRF, scopes, tenants, the gate, the trail, and the pages that show something of it."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient

import sealite
from sealite import aio
from sealite.fastapi import Sealite, SessionCookie, TenantDep, VaultDep

COOKIE = "__Host-sealite"


def site(vault: sealite.Vault | None = None, path: Path | None = None, **options: Any) -> tuple[fastapi.FastAPI, Sealite]:
    """An application with all that a session can do."""
    extension = Sealite(path, None if path is None else "env:APP_KEY", vault=vault, **options)
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app)
    app.state.begun = 0

    @app.post("/setup")
    def setup() -> str:
        extension.initialise()
        return "ok"

    @app.post("/login", dependencies=[extension.csrf()])
    def login(request: Request, subject: Annotated[str, Form()], scope: Annotated[str, Form()] = "") -> Response:
        answer = RedirectResponse("/me", 303)
        extension.login(request, answer, subject, scopes=scope.split(), data={"theme": "dark"})
        extension.audit("logged.in")
        return answer

    @app.get("/me")
    def me(request: Request, session: Annotated[sealite.Token, extension.session()]) -> dict[str, Any]:
        return {"subject": session.subject, "csrf": extension.csrf_token(request)}

    @app.get("/anyone")
    async def anyone(session: Annotated[sealite.Token | None, extension.session(optional=True)]) -> bool:
        return session is not None

    @app.post("/note")
    async def note(session: Annotated[sealite.Token, extension.session()], text: Annotated[str, Form()] = "") -> str:
        await sealite.aio.run(extension.audit, "note.written", subject="n1")
        return text

    @app.put("/note")
    def put(session: Annotated[sealite.Token, extension.session()], text: Annotated[dict[str, Any], fastapi.Body()]) -> Any:
        extension.audit("note.put")
        return text

    @app.get("/admin")
    def admin(session: Annotated[sealite.Token, extension.session(["admin"])]) -> str:
        return "ok"

    @app.get("/orders")
    async def orders(key: Annotated[sealite.Token, extension.token("api_key", ["orders:read"])]) -> str:
        await sealite.aio.run(extension.audit, "orders.read")
        return str(key.subject)

    @app.post("/rotate")
    def rotate(request: Request, response: Response, session: Annotated[sealite.Token, extension.session()]) -> str:
        return extension.rotate_session(request, response, grace=0).id

    @app.post("/logout")
    def logout(
        request: Request,
        response: Response,
        session: Annotated[sealite.Token, extension.session()],
        all: bool = False,
        keep: bool = False,
    ) -> Any:
        return extension.logout_everywhere(request, response, keep_current=keep) if all else extension.logout(request, response)

    @app.post("/letter", dependencies=[extension.gate()])
    def letter() -> str:
        app.state.begun += 1
        extension.audit("letter.sent")
        return "sent"

    @app.post("/stored")
    def stored(vault: VaultDep) -> str:
        app.state.begun += 1
        return vault.status

    @app.get("/of/tenant")
    def of_tenant(tenant: TenantDep) -> str:
        extension.audit("tenant.seen", actor="test")
        return tenant.name

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("a secret of the program's")

    return app, extension


@pytest.fixture
def client(vault: sealite.Vault) -> Iterator[TestClient]:
    app, _ = site(vault)
    with TestClient(app, base_url="https://site.example", raise_server_exceptions=False) as client:
        yield client


def log_in(client: TestClient, subject: str = "ada", **fields: str) -> str:
    """The CSRF token of a new session, which the client has the cookie of."""
    assert client.post("/login", data={"subject": subject, **fields}).status_code == 200
    token: str = client.get("/me").json()["csrf"]
    return token


def cookie_of(client: TestClient) -> str:
    return str(client.cookies[COOKIE])


def test_a_session_s_cookie_is_for_this_host_alone_and_no_script(client: TestClient, vault: sealite.Vault) -> None:
    answer = client.post("/login", data={"subject": "ada"}, follow_redirects=False)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    attributes = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == COOKIE and {"httponly", "secure", "samesite=lax", "path=/"} <= attributes
    assert not any(each.startswith("domain") for each in attributes) and any(each.startswith("expires=") for each in attributes)
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/me").json()["subject"] == "ada"
    token = vault.tokens.verify(cookie_of(client), "session")
    assert token.data == {"theme": "dark"}
    assert "ada" not in cookie_of(client)


def test_cookies_that_browsers_would_not_protect_are_refused() -> None:
    plain = SessionCookie(secure=False, lifetime=60, idle=30)
    assert (plain.name, SessionCookie(name="s").name) == ("sealite", "s")
    for wrong in ({"secure": False, "same_site": "none"}, {"secure": False, "name": "__Host-s"}, {"same_site": "Lax"}):
        with pytest.raises(sealite.InvalidInput):
            SessionCookie(**wrong)  # type: ignore[arg-type]


def test_no_session_and_a_session_that_ended_are_the_same_401(client: TestClient, vault: sealite.Vault) -> None:
    refused = (401, {"error": "login_required"})
    assert (client.get("/me").status_code, client.get("/me").json()) == refused
    assert client.get("/anyone").json() is False
    csrf = log_in(client)
    old = cookie_of(client)
    assert client.get("/anyone").json() is True
    assert client.post("/logout", headers={"X-CSRF-Token": csrf}).status_code == 200
    assert COOKIE not in client.cookies
    key = vault.tokens.issue("api_key", subject="ada").text
    for text in (old, key, "nonsense"):
        answer = client.get("/me", headers={"Cookie": f"{COOKIE}={text}"})
        assert (answer.status_code, answer.json()) == refused


def test_logging_out_everywhere_ends_the_sessions_and_no_key(client: TestClient, vault: sealite.Vault) -> None:
    others = [vault.tokens.issue("session", subject=name).text for name in ("ada", "ada", "grace")]
    key = vault.tokens.issue("api_key", subject="ada", scopes=["orders:read"]).text
    csrf = log_in(client)
    vault.tokens.issue("session", subject="ada")
    assert client.post("/logout?all=true&keep=true", headers={"X-CSRF-Token": csrf}).json() == 3
    assert client.get("/me").status_code == 200
    assert client.post("/logout?all=true", headers={"X-CSRF-Token": csrf}).json() == 1
    assert COOKIE not in client.cookies
    states = [client.get("/me", headers={"Cookie": f"{COOKIE}={text}"}).status_code for text in others]
    assert states == [401, 401, 200]
    assert client.get("/orders", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_logging_in_ends_the_session_that_the_browser_came_with(client: TestClient) -> None:
    csrf = log_in(client, "eve")
    planted = cookie_of(client)
    assert client.post("/login", data={"subject": "ada", "csrf_token": csrf}).status_code == 200
    assert cookie_of(client) != planted and client.get("/me").json()["subject"] == "ada"
    client.cookies.clear()
    assert client.get("/me", headers={"Cookie": f"{COOKIE}={planted}"}).status_code == 401


def test_a_session_can_change_its_text(client: TestClient) -> None:
    csrf = log_in(client)
    old = cookie_of(client)
    assert client.post("/rotate", headers={"X-CSRF-Token": csrf}).status_code == 200
    assert cookie_of(client) != old and client.get("/me").json()["subject"] == "ada"
    assert client.post("/note", headers={"X-CSRF-Token": csrf}).status_code == 403
    client.cookies.clear()
    assert client.get("/me", headers={"Cookie": f"{COOKIE}={old}"}).status_code == 401


def test_with_a_session_a_change_takes_its_csrf_token(client: TestClient, vault: sealite.Vault) -> None:
    foreign = vault.tokens.csrf(vault.tokens.issue("session", subject="eve").text)
    csrf = log_in(client)
    for data, headers in (
        ({}, {}),
        ({"csrf_token": foreign}, {}),
        ({"csrf_token": ""}, {}),
        ({}, {"X-CSRF-Token": foreign}),
        ({"csrf_token": csrf}, {"X-CSRF-Token": "wrong"}),
    ):
        answer = client.post("/note", data={"text": "a", **data}, headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"error": "csrf_rejected"})
    assert client.post("/note", data={"text": "a", "csrf_token": csrf}).json() == "a"
    assert client.post("/note", data={"text": "b"}, files={"f": b"x"}, headers={"X-CSRF-Token": csrf}).json() == "b"
    assert client.post("/note", data={"text": "c", "csrf_token": csrf}, files={"f": b"x"}).json() == "c"
    assert client.put("/note", json={"a": 1}).status_code == 403
    assert client.put("/note", json={"csrf_token": csrf}).status_code == 403
    assert client.put("/note", json={"a": 1}, headers={"X-CSRF-Token": csrf}).json() == {"a": 1}
    written = [event for event in vault.audit if event.event.startswith("note.")]
    assert len(written) == 4


def test_a_log_in_form_of_another_site_s_is_refused(client: TestClient) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert client.post("/login", data={"subject": "eve"}, headers=headers).status_code == 403, headers
    assert COOKIE not in client.cookies
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://site.example"}, {}):
        client.cookies.clear()
        assert client.post("/login", data={"subject": "ada"}, headers=headers).status_code == 200, headers


def test_csrf_in_open_mode_counts_and_logs(vault: sealite.Vault, caplog: pytest.LogCaptureFixture) -> None:
    app, _ = site(vault, csrf="open")
    with TestClient(app, base_url="https://site.example") as client:
        log_in(client)
        with caplog.at_level(logging.WARNING, "sealite.fastapi"):
            assert client.post("/note?token=secret", data={"text": "a"}).json() == "a"
    assert vault.metrics().application == {"csrf_let_through_total": 1}
    assert caplog.messages == ["CSRF is open: POST of /note was let through"]
    with pytest.raises(sealite.InvalidInput):
        Sealite(vault=vault, csrf="off")  # type: ignore[arg-type]


def test_scopes_are_those_of_the_session_or_key(client: TestClient, vault: sealite.Vault) -> None:
    log_in(client)
    assert (client.get("/admin").status_code, client.get("/admin").json()) == (403, {"error": "denied"})
    client.cookies.clear()
    log_in(client, scope="admin other")
    assert client.get("/admin").json() == "ok"
    for scopes, status in (([], 403), (["orders"], 403), (["orders:read", "x"], 200)):
        key = vault.tokens.issue("api_key", subject="job", scopes=scopes).text
        assert client.get("/orders", headers={"Authorization": f"Bearer {key}"}).status_code == status
    # A session is no API key, and a cookie no header.
    assert client.get("/orders", headers={"Authorization": f"Bearer {cookie_of(client)}"}).status_code == 401
    assert client.get("/orders").status_code == 401


def test_before_initialisation_no_route_begins(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    app, _ = site(path=path)
    with TestClient(app, base_url="https://site.example") as client:
        for ask, at in ((client.post, "/letter"), (client.post, "/stored"), (client.get, "/me"), (client.get, "/orders")):
            answer = ask(at, headers={"Authorization": "Bearer x"})
            assert (answer.status_code, answer.json()) == (503, {"error": "instance_not_ready", "setup_required": True}), at
        assert client.post("/login", data={"subject": "ada"}).status_code == 503
        assert app.state.begun == 0 and client.get("/readyz").status_code == 503
        assert client.post("/setup").json() == "ok"
        assert client.post("/letter").json() == "sent" and client.post("/stored").json() == "open"
        log_in(client)


def test_a_tenant_s_sessions_and_keys_are_its_own(vault: sealite.Vault) -> None:
    app, _ = site(vault, tenant=lambda request: request.headers.get("x-tenant"))
    with TestClient(app, base_url="https://site.example") as client:
        acme, other = {"X-Tenant": "acme"}, {"X-Tenant": "other"}
        client.headers.update(acme)
        csrf = log_in(client)
        key = vault.tenant("acme").tokens.issue("api_key", subject="job", scopes=["orders:read"]).text
        assert client.get("/orders", headers={"Authorization": f"Bearer {key}"}).json() == "job"
        assert client.post("/note", headers={"X-CSRF-Token": csrf}).status_code == 200
        assert client.get("/of/tenant").json() == "acme"
        for headers in (other, {"X-Tenant": "x" * 300}):
            client.headers.update(headers)
            status = 401 if headers is other else 404
            assert client.get("/me").status_code == status
            assert client.get("/orders", headers={"Authorization": f"Bearer {key}"}).status_code == status
        del client.headers["X-Tenant"]
        assert client.get("/me").status_code == 401 and client.get("/of/tenant").status_code == 404
    seen = {event.event: (event.tenant, event.actor) for event in vault.audit.events(tenant="acme")}
    assert seen["note.written"] == ("acme", "ada") and seen["orders.read"] == ("acme", "job")
    assert seen["tenant.seen"] == ("acme", "test")


def test_who_asked_and_in_which_trace_reaches_the_audit(client: TestClient, vault: sealite.Vault) -> None:
    headers = {"X-CSRF-Token": log_in(client), "X-Request-ID": "r-7", "X-Correlation-ID": "c-7"}
    assert client.post("/note", headers=headers).headers["x-request-id"] == "r-7"
    assert client.put("/note", json={}, headers=headers).status_code == 200
    key = vault.tokens.issue("api_key", subject="job", scopes=["orders:read"]).text
    assert client.get("/orders", headers={"Authorization": f"Bearer {key}", "X-Request-ID": "r-8"}).status_code == 200
    told = {event.event: event for event in vault.audit}
    for event, actor, trace in (("note.written", "ada", "r-7"), ("note.put", "ada", "r-7"), ("orders.read", "job", "r-8")):
        assert (told[event].actor, told[event].trace_id) == (actor, trace)
    assert (told["note.written"].correlation_id, told["note.written"].subject) == ("c-7", "n1")
    # Nobody was logged in when that began; and who was, is not who asks next.
    client.post("/letter")
    assert told["logged.in"].actor is None and vault.audit.tail(1)[0].actor is None


def test_a_failure_is_a_plain_500_with_what_finds_it_in_the_log(client: TestClient) -> None:
    answer = client.get("/broken", headers={"X-Request-ID": "r-9"})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-request-id"] == "r-9"


def test_the_page_for_administrators_is_theirs(vault: sealite.Vault) -> None:
    app, _ = site(vault, tenant=lambda request: request.headers.get("x-tenant"))
    with TestClient(app, base_url="https://site.example") as client:
        assert client.get("/admin/status").status_code == 401
        log_in(client)
        assert (client.get("/admin/status").status_code, client.get("/admin/status").json()) == (403, {"error": "denied"})
        client.cookies.clear()
        log_in(client, scope="admin")
        told = client.get("/admin/status")
        assert told.json()["vault"] == "open" and told.headers["cache-control"] == "no-store" and "ada" not in told.text
        client.cookies.clear()
        keys = [vault.tokens.issue(kind, scopes=scopes).text for kind, scopes in (("admin", []), ("api_key", ["admin"]))]  # type: ignore[arg-type]
        poor = vault.tokens.issue("api_key", scopes=["other"]).text
        for key, status in ((keys[0], 200), (keys[1], 200), (poor, 403), ("x", 401)):
            assert client.get("/admin/status", headers={"Authorization": f"Bearer {key}"}).status_code == status
        # A tenant's administrator administers the tenant.
        client.headers["X-Tenant"] = "acme"
        log_in(client, scope="admin")
        assert client.get("/admin").json() == "ok" and client.get("/admin/status").status_code == 403
        assert client.get("/openapi.json").json()["paths"]["/admin/status"]["get"]["security"] == [{"Session": []}, {"Token": []}]
    extension = Sealite(vault=vault)
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app, "/ops", admin=lambda request: request.headers.get("x-is") == "ops")
    with TestClient(app) as client:
        assert [client.get("/ops/admin/status", headers={"X-Is": who}).status_code for who in ("ops", "eve")] == [200, 403]


def test_declarations_run_before_anything_uses_the_vault(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    for round in range(2):
        app, extension = site(path=path, busy_timeout=60)
        declared: list[str] = []

        @extension.on_open
        def declare(vault: sealite.Vault, declared: list[str] = declared) -> None:
            declared.append(vault.status)
            vault.define_table("users", {"email": "text sealed"})

        with TestClient(app, base_url="https://site.example") as client:
            assert declared == ["open"] * round
            if round == 0:
                assert client.post("/setup").json() == "ok"
            assert client.post("/stored").json() == "open" and declared == ["open"]
            assert [table.name for table in extension.vault.tables()] == ["users"]


def test_the_documentation_page_shows_how_to_authenticate(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"] == {
        "Session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "Token": {"type": "http", "scheme": "bearer"},
    }
    paths = schema["paths"]
    assert paths["/me"]["get"]["security"] == [{"Session": []}]
    assert paths["/admin"]["get"]["security"] == [{"Session": ["admin"]}]
    assert paths["/orders"]["get"]["security"] == [{"Token": ["orders:read"]}]
    assert "security" not in paths["/login"]["post"] and client.get("/docs").status_code == 200


def test_a_web_socket_has_the_vault_too(vault: sealite.Vault) -> None:
    app, _ = site(vault)

    @app.websocket("/count")
    async def count(socket: fastapi.WebSocket, vault: VaultDep) -> None:
        await socket.accept()
        await socket.send_text(str(await aio.run(vault.table("users").count)))
        await socket.close()

    vault.table("users").insert(email="ada@example.org")
    with TestClient(app) as client, client.websocket_connect("/count") as socket:
        assert socket.receive_text() == "1"
