"""sealite.flask: one application for many tenants, and what the audit trail says of its requests."""

from typing import Any

import flask
import pytest
from werkzeug.test import TestResponse

import sealite
from sealite.flask import Sealite

BASE = "example.org"


def tenant_of_host() -> str | None:
    name, _, rest = flask.request.host.rpartition(f".{BASE}")
    return None if rest else name


class Site:
    """Asked with a session's text, whichever the host: as a thief of the cookie would ask."""

    def __init__(self, app: flask.Flask) -> None:
        self.client = app.test_client(use_cookies=False)

    def ask(self, method: str, path: str, tenant: str, text: str = "", **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if text:
            sent["Cookie"] = f"__Host-sealite={text}"
        host = f"{tenant}.{BASE}" if tenant else BASE
        return self.client.open(path, method=method, headers=sent, base_url=f"https://{host}")

    def enter(self, tenant: str) -> str:
        """Logs ada in; the text of the session."""
        return text_of(self.ask("POST", "/login", tenant))

    def csrf(self, tenant: str, text: str) -> dict[str, str]:
        return {"X_CSRF_Token": self.ask("GET", "/me", tenant, text).get_json()["csrf"]}


def text_of(answer: TestResponse) -> str:
    assert answer.status_code == 200
    return answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]


@pytest.fixture
def site(vault: sealite.Vault) -> Site:
    extension = Sealite(vault=vault, tenant=tenant_of_host)
    app = flask.Flask(__name__)
    extension.init_app(app)

    @app.post("/login")
    def login() -> str:
        extension.login("ada", scopes=["admin"], data={"theme": "dark"})
        return "in"

    @app.post("/logout")
    def logout() -> str:
        extension.logout_everywhere()
        return "out"

    @app.get("/me")
    @extension.require_session()
    def me() -> dict[str, Any]:
        assert extension.current_session is not None
        return {"csrf": extension.csrf_token(), "data": extension.current_session.data}

    @app.get("/notes")
    def notes() -> dict[str, int]:
        return {"notes": extension.tenant.table("notes").count()}

    @app.post("/notes/<slug>")
    def add(slug: str) -> str:
        with extension.tenant.transaction() as transaction:
            transaction.table("notes").insert(slug=slug, body="x")
            extension.audit("note.added", subject=slug, transaction=transaction)
        extension.audit("note.seen", actor="somebody")
        return "added"

    @app.get("/api")
    @extension.require_token("api_key")
    def api() -> str:
        extension.audit("api.called", payload={"by": "key"})
        return "called"

    @app.post("/prove")
    def prove() -> dict[str, str]:
        token = extension.rotate_session(grace=int(flask.request.args["grace"]))
        assert extension.current_session is token
        return {"id": token.id}

    return Site(app)


TENANTS = ("acme", "other", "")


def test_a_session_holds_for_its_own_tenant_only(site: Site) -> None:
    texts = {tenant: site.enter(tenant) for tenant in TENANTS}
    for owner, text in texts.items():
        for tenant in TENANTS:
            assert site.ask("GET", "/me", tenant, text).status_code == (200 if tenant == owner else 401)
    assert site.ask("POST", "/logout", "acme", texts["acme"], **site.csrf("acme", texts["acme"])).text == "out"
    assert [site.ask("GET", "/me", tenant, texts[tenant]).status_code for tenant in TENANTS] == [401, 200, 200]


def test_a_key_reaches_its_own_tenant_only(site: Site, vault: sealite.Vault) -> None:
    keys = {tenant: (vault.tenant(tenant) if tenant else vault).tokens.issue("api_key").text for tenant in TENANTS}
    for owner, key in keys.items():
        for tenant in TENANTS:
            answer = site.ask("GET", "/api", tenant, Authorization=f"Bearer {key}")
            assert answer.status_code == (200 if tenant == owner else 401)


def test_rows_and_audit_entries_are_the_tenant_s(site: Site, vault: sealite.Vault) -> None:
    text = site.enter("acme")
    token = site.csrf("acme", text)
    assert site.ask("POST", "/notes/plan", "acme", text, X_Request_ID="r-1", **token).text == "added"
    assert site.ask("GET", "/notes", "acme").get_json() == {"notes": 1}
    assert site.ask("GET", "/notes", "other").get_json() == {"notes": 0}
    assert site.ask("GET", "/notes", "").status_code == 404
    events = [event for event in vault.tenant("acme").audit if event.event.startswith("note.")]
    assert [(event.event, event.actor, event.subject, event.trace_id, event.tenant) for event in events] == [
        ("note.added", "ada", "plan", "r-1", "acme"),
        ("note.seen", "somebody", None, "r-1", "acme"),
    ]
    # What is taken back is not in the trail.
    assert site.ask("POST", "/notes/plan", "acme", text, **token).status_code == 409
    assert [event.event for event in vault.tenant("acme").audit].count("note.added") == 1


def test_the_actor_is_whose_token_it_is(site: Site, vault: sealite.Vault) -> None:
    key = vault.tenant("acme").tokens.issue("api_key", subject="nightly").text
    assert site.ask("GET", "/api", "acme", Authorization=f"Bearer {key}").text == "called"
    (event,) = [event for event in vault.tenant("acme").audit if event.event == "api.called"]
    assert (event.actor, event.payload) == ("nightly", {"by": "key"})


def test_who_administers_a_tenant_does_not_administer_the_vault(site: Site) -> None:
    assert site.ask("GET", "/admin/status", "", site.enter("")).status_code == 200
    assert site.ask("GET", "/admin/status", "acme", site.enter("acme")).status_code == 401


def test_a_name_that_no_tenant_can_have_is_not_found(vault: sealite.Vault) -> None:
    extension = Sealite(vault=vault, tenant=lambda: flask.request.args["tenant"])
    app = flask.Flask(__name__)
    extension.init_app(app)

    @app.route("/", methods=["GET", "POST"])
    def view() -> str:
        return str(extension.current_session)

    client = app.test_client()
    for method in ("GET", "POST"):
        assert client.open("/?tenant=acme", method=method).text == "None"
        for name in ("", "a" * 300, "a%00"):
            assert client.open(f"/?tenant={name}", method=method).status_code == 404


def test_a_session_is_rotated(site: Site) -> None:
    assert site.ask("POST", "/prove?grace=60", "").get_json() == {"error": "login_required"}
    first = site.enter("")
    second = text_of(site.ask("POST", "/prove?grace=600", "", first, **site.csrf("", first)))
    assert second != first
    assert site.ask("GET", "/me", "", second).get_json()["data"] == {"theme": "dark"}
    answer = site.ask("POST", "/prove?grace=600", "", second, **site.csrf("", first))
    assert answer.get_json() == {"error": "csrf_rejected"}
