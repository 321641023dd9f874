"""Flask and FastAPI: the gate before initialisation, errors as answers, limits, trace ids, pages for operations."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import fastapi
import flask
import pytest
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

import sealite
from sealite import _native, aio, web
from sealite.fastapi import Sealite as FastSealite
from sealite.fastapi import VaultDep
from sealite.flask import Sealite as FlaskSealite
from sealite.vaults import registered_vault, unregister_vault

NOT_READY = {"error": "instance_not_ready", "setup_required": True}
COLUMNS = {"email": "text sealed unique email"}
# What an application's settings may say, at the time of a request.
LIMITS: dict[str, str | sealite.QuotaLimit] = {}


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

    @app.get("/broken/<name>")
    def broken(name: str) -> str:
        raise getattr(sealite, name)("a secret of the file's")

    @app.post("/password")
    def password() -> str:
        return sealite.PasswordHasher().hash(flask.request.get_data(as_text=True))

    @app.get("/api")
    @extension.require_token("api_key", ["read"])
    def api() -> str:
        return str(flask.g.token.subject)

    @app.get("/by-address")
    @extension.limit(lambda: LIMITS["by address"])
    @extension.require_token("api_key", presented=lambda: flask.request.args.get("key", ""))
    def by_address() -> str:
        extension.audit("asked")
        return str(flask.g.token.subject)

    @app.get("/perhaps")
    @extension.require_token("api_key", ["read"], optional=True)
    def perhaps() -> str:
        return "nobody" if flask.g.token is None else str(flask.g.token.subject)

    @app.get("/perhaps-by-address")
    @extension.require_token("api_key", presented=lambda: flask.request.args.get("key", ""), optional=True)
    def perhaps_by_address() -> str:
        return "nobody" if flask.g.token is None else str(flask.g.token.subject)

    @app.post("/of/<tenant>")
    def of(tenant: str) -> str:
        extension.audit("seen", tenant=tenant)
        return "ok"

    @app.post("/run/<id>/<payload>")
    def run(id: str, payload: str) -> str:
        extension.vault.approvals.claim(id, payload)
        return "ok"

    yield Site(app.test_client(), extension)
    app.extensions["sealite"].close()
    unregister_vault()


def in_address(request: fastapi.Request) -> str:
    return request.query_params.get("key", "")


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

    @app.get("/broken/{name}")
    def broken(name: str) -> str:
        raise getattr(sealite, name)("a secret of the file's")

    @app.post("/password")
    async def password(request: fastapi.Request) -> str:
        text = (await request.body()).decode()
        return await aio.run(sealite.PasswordHasher().hash, text)

    @app.get("/api")
    def api(token: Annotated[sealite.Token, extension.token("api_key", ["read"])]) -> PlainTextResponse:
        return PlainTextResponse(str(token.subject))

    @app.get("/by-address", dependencies=[extension.limit(lambda request: LIMITS["by address"])])
    def by_address(token: Annotated[sealite.Token, extension.token("api_key", presented=in_address)]) -> PlainTextResponse:
        extension.audit("asked")
        return PlainTextResponse(str(token.subject))

    @app.get("/perhaps-by-address")
    def perhaps_by_address(
        token: Annotated[sealite.Token | None, extension.token("api_key", presented=in_address, optional=True)],
    ) -> PlainTextResponse:
        return PlainTextResponse("nobody" if token is None else str(token.subject))

    @app.post("/of/{tenant}")
    def of(tenant: str) -> None:
        extension.audit("seen", tenant=tenant)

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


DEGRADED = (503, {"error": "degraded"})
# A class of errors that is none of these has to be decided on.
ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "NotInitialised": (503, NOT_READY),
    "Locked": (503, {"error": "instance_not_ready", "setup_required": False}),
    "AlreadyInitialised": (409, {"error": "already_initialised"}),
    "Conflict": (409, {"error": "conflict"}),
    "AlreadyDecided": (409, {"error": "already_decided"}),
    "PayloadChanged": (409, {"error": "payload_changed"}),
    "Expired": (410, {"error": "expired"}),
    "DestroyedKey": (410, {"error": "erased"}),
    "TokenRejected": (401, {"error": "token_rejected"}),
    "Denied": (403, {"error": "denied"}),
    "Limit": (422, {"error": "too_long"}),
    "WeakKey": (422, {"error": "too_weak"}),
    "Busy": (503, {"error": "busy"}),
    "Full": (507, {"error": "full"}),
    "IoError": DEGRADED,
    "Forked": DEGRADED,
    "ReadOnly": DEGRADED,
    "RolledBack": DEGRADED,
    "Closed": DEGRADED,
}
PLAIN_500 = {
    "AuthenticationFailed", "UnknownKey", "Corrupt", "WrongKey", "NotAVault", "NewerFormat", "AnotherLibrary",
    "InvalidInput", "TypeMismatch", "NotFound", "NotIndexed", "Definition", "Refused", "NotAllowed", "Sql", "LastSlot",
    "Interrupted", "Internal", "SealiteError",
}  # fmt: skip
CLASSES = sorted(
    name for name, value in vars(_native).items() if isinstance(value, type) and issubclass(value, sealite.SealiteError)
)


def test_every_class_of_errors_has_been_decided_on() -> None:
    assert set(CLASSES) == ANSWERS.keys() | PLAIN_500 and not ANSWERS.keys() & PLAIN_500


def test_no_answer_has_the_message_of_its_error(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.ask("POST", "/setup")
    for name in CLASSES:
        caplog.clear()
        status, body, headers = site.ask("GET", f"/broken/{name}")
        assert "secret" not in f"{body} {headers}", name
        if name in PLAIN_500:
            assert status == 500 and isinstance(body, str), name
        else:
            assert (status, body) == ANSWERS[name], name
        # What is not the client's doing can be found out.
        assert ("secret" in caplog.text or name in PLAIN_500) == (status >= 500 or name == "WeakKey"), name


def test_a_password_that_is_empty_or_endless_is_the_client_s_to_correct(site: Site) -> None:
    def post(text: str) -> tuple[int, Any]:
        given = site.client.post("/password", **{"data" if isinstance(site.client, FlaskClient) else "content": text})
        return given.status_code, json.loads(given.text)

    assert post("") == (422, {"error": "too_weak"})
    assert post("x" * 2_000_000) == (422, {"error": "too_long"})


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
    worker = f'worker="{os.getpid()}"'
    assert status == 200 and f'sealite_requests_total{{operation="insert",{worker}}} 1\n' in body
    families = list(text_string_to_metric_families(body))
    assert len(families) > 20
    for sample in (sample for family in families for sample in family.samples):
        # Of this worker's, as each says.
        assert sample.labels["worker"] == str(os.getpid()), sample.name
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


def test_a_token_is_taken_from_where_the_application_looks_for_it(site: Site) -> None:
    site.ask("POST", "/setup")
    LIMITS["by address"] = "3/minute"
    good = vault_of(site).tokens.issue("api_key", subject="ada").text
    assert site.ask("GET", "/by-address", authorization=f"Bearer {good}")[0] == 401
    assert site.ask("GET", f"/by-address?key={good}")[:2] == (200, "ada")
    assert vault_of(site).audit.tail(1)[0].actor == "ada"
    assert site.ask("GET", f"/by-address?key={good}x")[0] == 401
    assert site.ask("GET", f"/by-address?key={good}")[0] == 429
    # As the settings say by then.
    LIMITS["by address"] = sealite.QuotaLimit.sliding(100, 60)
    assert site.ask("GET", f"/by-address?key={good}")[0] == 200
    assert site.ask("GET", "/perhaps-by-address")[:2] == (200, "nobody")
    assert site.ask("GET", f"/perhaps-by-address?key={good}")[:2] == (200, "ada")
    assert site.ask("GET", f"/perhaps-by-address?key={good}x")[0] == 401


def test_a_view_does_without_a_token_where_it_is_optional(site: Site) -> None:
    site.ask("POST", "/setup")
    tokens = vault_of(site).tokens
    good, poor = (tokens.issue("api_key", subject="ada", scopes=scopes).text for scopes in (["read"], []))
    assert site.ask("GET", "/perhaps")[:2] == (200, "nobody")
    assert site.ask("GET", "/perhaps", authorization=f"Bearer {good}")[:2] == (200, "ada")
    # What is presented has to be good.
    assert site.ask("GET", "/perhaps", authorization="Bearer nonsense")[0] == 401
    assert site.ask("GET", "/perhaps", authorization="Basic eA==")[0] == 401
    assert site.ask("GET", "/perhaps", authorization=f"Bearer {poor}")[0] == 403


def test_an_entry_of_the_audit_trail_may_be_a_tenant_s(site: Site) -> None:
    site.ask("POST", "/setup")
    assert site.ask("POST", "/of/acme")[0] == 200
    assert [(event.event, event.tenant) for event in vault_of(site).audit.tail(1)] == [("seen", "acme")]
