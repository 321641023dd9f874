"""Flask and FastAPI: the gate before initialisation, errors as answers, limits, trace ids, pages for operations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import fastapi
import flask
import pytest
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient

import sealite
from sealite import aio, web
from sealite.fastapi import Sealite as FastSealite
from sealite.fastapi import VaultDep
from sealite.flask import Sealite as FlaskSealite
from sealite.vaults import registered_vault, unregister_vault

NOT_READY = {"error": "instance_not_ready", "setup_required": True}
COLUMNS = {"email": "text sealed unique email"}


class Site:
    """One application, asked in one way, whichever the framework."""

    def __init__(self, client: Any, extension: Any) -> None:
        self.client = client
        self.extension = extension

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, Any, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.open(path, method=method, headers=named) if hasattr(self.client, "open") else (
            self.client.request(method, path, headers=named)
        )
        text = response.get_data(as_text=True) if hasattr(response, "get_data") else response.text
        kind = response.headers.get("content-type", "")
        body = (response.get_json() if hasattr(response, "get_json") else response.json()) if "json" in kind else text
        return response.status_code, body, response.headers


def flask_site(path: Path) -> Iterator[Site]:
    app = flask.Flask(__name__)
    app.config["SEALITE_PATH"], app.config["SEALITE_UNLOCK"] = path, "env:APP_KEY"
    extension = FlaskSealite(app)

    @app.post("/setup")
    def setup() -> str:
        extension.initialise()
        extension.vault.define_table("users", COLUMNS)
        return "ok"

    @app.post("/users/<email>")
    @extension.limit("3/minute", key=lambda: flask.request.headers["x-client"])
    def add(email: str) -> str:
        extension.vault.table("users").insert(email=email)
        extension.audit("user.added", actor="form", payload={"by": "test"})
        return "ok"

    @app.get("/broken")
    def broken() -> str:
        raise sealite.Corrupt("a secret of the file's")

    @app.get("/api")
    @extension.require_token("api_key", ["read"])
    def api() -> str:
        return str(flask.g.token.subject)

    @app.get("/by-address")
    @extension.limit(lambda: str(app.config["BY_ADDRESS"]))
    @extension.require_token("api_key", presented=lambda: flask.request.args.get("key", ""))
    def by_address() -> str:
        extension.audit("asked")
        return str(flask.g.token.subject)

    @app.post("/run/<id>/<payload>")
    def run(id: str, payload: str) -> str:
        extension.vault.approvals.claim(id, payload)
        return "ok"

    yield Site(app.test_client(), extension)
    app.extensions["sealite"].close()
    unregister_vault()


def fastapi_site(path: Path) -> Iterator[Site]:
    extension = FastSealite(path, "env:APP_KEY")
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app)

    @app.post("/setup")
    def setup() -> str:
        extension.initialise()
        extension.vault.define_table("users", COLUMNS)
        return "ok"

    @app.post("/users/{email}", dependencies=[extension.limit("3/minute", key=lambda request: request.headers["x-client"])])
    async def add(email: str, vault: VaultDep) -> str:
        await aio.run(vault.table("users").insert, email=email)
        await aio.run(extension.audit, "user.added", actor="form", payload={"by": "test"})
        return "ok"

    @app.get("/broken")
    def broken() -> str:
        raise sealite.Corrupt("a secret of the file's")

    @app.get("/api")
    def api(token: Annotated[sealite.Token, extension.token("api_key", ["read"])]) -> PlainTextResponse:
        return PlainTextResponse(str(token.subject))

    @app.get("/perhaps")
    def perhaps(token: Annotated[sealite.Token | None, extension.token("api_key", ["read"], optional=True)]) -> PlainTextResponse:
        return PlainTextResponse("nobody" if token is None else str(token.subject))

    @app.post("/run/{id}/{payload}")
    def run(id: str, payload: str, vault: VaultDep) -> None:
        vault.approvals.claim(id, payload)

    with TestClient(app, raise_server_exceptions=False) as client:
        yield Site(client, extension)


@pytest.fixture(params=[flask_site, fastapi_site], ids=["flask", "fastapi"])
def site(request: pytest.FixtureRequest, path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("APP_KEY", key)
    yield from request.param(path)


def vault_of(site: Site) -> sealite.Vault:
    return registered_vault()


def test_before_initialisation_nothing_is_stored(site: Site, path: Path, key: str) -> None:
    status, body, _ = site.ask("POST", "/users/ada@example.org", x_client="a")
    assert (status, body) == (503, NOT_READY)
    assert site.ask("GET", "/readyz")[0] == 503
    assert site.ask("POST", "/setup")[0] == 200
    assert site.ask("POST", "/users/ada@example.org", x_client="a")[0] == 200
    assert site.ask("POST", "/setup")[:2] == (409, {"error": "already_initialised"})
    assert site.ask("GET", "/readyz")[:2] == (200, {"status": "ready"})


def test_a_worker_goes_on_where_another_has_initialised(site: Site, path: Path, key: str) -> None:
    assert site.ask("GET", "/readyz")[0] == 503
    with sealite.Vault.create(path, sealite.Unlock.key_text(key)) as other:
        other.define_table("users", COLUMNS)
        assert site.ask("POST", "/users/ada@example.org", x_client="a")[0] == 200
        assert other.table("users").count() == 1


def test_errors_become_answers_that_tell_nothing(site: Site) -> None:
    site.ask("POST", "/setup")
    assert site.ask("POST", "/users/ada@example.org", x_client="a")[0] == 200
    assert site.ask("POST", "/users/ADA@example.org", x_client="b")[:2] == (409, {"error": "conflict"})
    status, body, _ = site.ask("GET", "/broken")
    assert status == 500 and "secret" not in str(body)


def test_failed_attempts_count_towards_the_limit(site: Site) -> None:
    site.ask("POST", "/setup")
    answers = [site.ask("POST", "/users/ada@example.org", x_client="a") for _ in range(4)]
    assert [answer[0] for answer in answers] == [200, 409, 409, 429]
    _, body, headers = answers[3]
    assert body["error"] == "rate_limited" and 1 <= body["retry_after"] <= 60
    assert headers["retry-after"] == str(body["retry_after"])
    assert site.ask("POST", "/users/grace@example.org", x_client="b")[0] == 200


def test_trace_ids_reach_the_audit_and_the_client(site: Site) -> None:
    site.ask("POST", "/setup")
    _, _, headers = site.ask("POST", "/users/a@x.org", x_client="a", x_request_id="r-1", x_correlation_id="c.2")
    assert headers["x-request-id"] == "r-1"
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    site.ask("POST", "/users/b@x.org", x_client="a", traceparent=parent)
    _, _, headers = site.ask("POST", "/users/c@x.org", x_client="a", x_request_id="not fit, " * 20)
    made = headers["x-request-id"]
    events = [event for event in vault_of(site).audit if event.event == "user.added"]
    assert [(event.trace_id, event.correlation_id) for event in events] == [
        ("r-1", "c.2"),
        ("0af7651916cd43dd8448eb211c80319c", None),
        (made, None),
    ]
    assert len(made) == 32 and web.current_trace.get() is None


def test_a_view_takes_good_tokens_only(site: Site) -> None:
    site.ask("POST", "/setup")
    tokens = vault_of(site).tokens
    good = tokens.issue("api_key", subject="ada", scopes=["read"], limits="2/minute").text
    poor = tokens.issue("api_key", subject="ada").text
    other = tokens.issue("session", subject="ada").text
    for presented in ({}, {"authorization": f"Basic {good}"}, {"authorization": f"Bearer {other}"}, {"authorization": "Bearer x"}):
        status, body, headers = site.ask("GET", "/api", **presented)
        assert (status, body) == (401, {"error": "token_rejected"}) and headers["www-authenticate"] == "Bearer"
    assert site.ask("GET", "/api", authorization=f"Bearer {poor}")[:2] == (403, {"error": "denied"})
    answers = [site.ask("GET", "/api", authorization=f"bearer {good}")[:2] for _ in range(3)]
    assert answers[:2] == [(200, "ada")] * 2 and answers[2][0] == 429
    tokens.revoke_subject("ada")
    assert site.ask("GET", "/api", authorization=f"Bearer {good}")[0] == 401


def test_metrics_are_those_of_the_vault(site: Site) -> None:
    site.ask("POST", "/setup")
    site.ask("POST", "/users/a@x.org", x_client="a")
    status, body, headers = site.ask("GET", "/metrics")
    assert status == 200 and 'sealite_requests_total{operation="insert"}' in body
    assert headers["content-type"].startswith("text/plain; version=0.0.4")


def test_a_vault_may_be_given(vault: sealite.Vault) -> None:
    app = flask.Flask(__name__)
    FlaskSealite(app, vault)
    assert app.test_client().get("/readyz").json == {"status": "ready"}
    with pytest.raises(sealite.InvalidInput):
        FlaskSealite(flask.Flask(__name__))
    extension = FastSealite(vault=vault)
    fast = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(fast, prefix="/ops")
    with TestClient(fast) as client:
        assert client.get("/ops/readyz").json() == {"status": "ready"}
    assert vault.status == "open"
    with pytest.raises(TypeError):
        FastSealite()


def test_an_application_s_own_reasons_are_told(site: Site) -> None:
    site.ask("POST", "/setup")
    reasons: list[str] = []
    assert site.extension.ready_check(lambda: reasons) is not None
    assert site.ask("GET", "/readyz")[:2] == (200, {"status": "ready"})
    reasons.append("queue_stuck")
    assert site.ask("GET", "/readyz")[:2] == (503, {"status": "degraded", "reasons": ["queue_stuck"]})
    admin = vault_of(site).tokens.issue("admin").text
    told = site.ask("GET", "/admin/status", authorization=f"Bearer {admin}")[1]
    assert (told["status"], told["reasons"]) == ("degraded", ["queue_stuck"])


def test_what_was_decided_changed_or_has_expired_is_told_apart(site: Site) -> None:
    site.ask("POST", "/setup")
    approvals = vault_of(site).approvals
    id = approvals.create("act", "1", "ada")
    approvals.decide(id, "grace", "approve")
    assert site.ask("POST", f"/run/{id}/2")[:2] == (409, {"error": "payload_changed"})
    assert site.ask("POST", f"/run/{id}/1")[0] == 200
    assert site.ask("POST", f"/run/{id}/1")[:2] == (409, {"error": "already_decided"})
    brief = approvals.create("act", "1", "ada", expires_in=0.001)
    approvals.wait(brief)
    assert site.ask("POST", f"/run/{brief}/1")[:2] == (410, {"error": "expired"})


def test_flask_takes_a_token_from_where_the_application_looks_for_it(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    for site in flask_site(path):
        site.ask("POST", "/setup")
        site.client.application.config["BY_ADDRESS"] = "3/minute"
        good = vault_of(site).tokens.issue("api_key", subject="ada").text
        assert site.ask("GET", "/by-address", authorization=f"Bearer {good}")[0] == 401
        assert site.ask("GET", f"/by-address?key={good}")[:2] == (200, "ada")
        assert vault_of(site).audit.tail(1)[0].actor == "ada"
        assert site.ask("GET", f"/by-address?key={good}x")[0] == 401
        assert site.ask("GET", f"/by-address?key={good}")[0] == 429
        # As the settings say by then.
        site.client.application.config["BY_ADDRESS"] = "100/minute"
        assert site.ask("GET", f"/by-address?key={good}")[0] == 200


def test_fastapi_does_without_a_token_where_it_is_optional(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    for site in fastapi_site(path):
        site.ask("POST", "/setup")
        tokens = vault_of(site).tokens
        good, poor = (tokens.issue("api_key", subject="ada", scopes=scopes).text for scopes in (["read"], []))
        assert site.ask("GET", "/perhaps")[:2] == (200, "nobody")
        assert site.ask("GET", "/perhaps", authorization=f"Bearer {good}")[:2] == (200, "ada")
        # What is presented has to be good.
        assert site.ask("GET", "/perhaps", authorization="Bearer nonsense")[0] == 401
        assert site.ask("GET", "/perhaps", authorization="Basic eA==")[0] == 401
        assert site.ask("GET", "/perhaps", authorization=f"Bearer {poor}")[0] == 403
