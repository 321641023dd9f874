"""sealite.flask: sessions in cookies, the administrators' page, settings."""

import asyncio
import contextlib
import copy
import datetime
import os
import pickle
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest

import sealite
from flask_site import COOKIE, Application, application, csrf, log_in, site, text_of  # noqa: F401
from sealite.flask import Sealite, _sessions

DAY = 86_400


def test_the_cookie_is_for_this_host_over_tls_and_hidden_from_scripts(application: Application) -> None:
    answer = application().test_client().post("/login/ada")
    (header,) = answer.headers.getlist("Set-Cookie")
    first, *attributes = header.split("; ")
    name, _, text = first.partition("=")
    assert name == COOKIE and sealite.is_token_text(text) and "ada" not in text
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert any(attribute.startswith("Expires=") for attribute in attributes)
    assert answer.headers["Cache-Control"] == "no-store" and "Cookie" in answer.headers["Vary"]


def test_the_cookie_is_as_the_settings_say(application: Application) -> None:
    app = application(SEALITE_COOKIE_SECURE=False, SEALITE_COOKIE_SAMESITE="Strict")
    (header,) = app.test_client().post("/login/ada").headers.getlist("Set-Cookie")
    assert header.startswith("sealite=") and "Secure" not in header
    assert "HttpOnly" in header and "SameSite=Strict" in header


def test_views_see_who_is_logged_in(application: Application) -> None:
    client = application().test_client()
    answer = client.get("/me")
    assert (answer.status_code, answer.get_json()) == (401, {"error": "login_required"})
    answer = client.get("/page")
    assert answer.status_code == 303 and answer.headers["Location"] == "/entrance"
    log_in(client)
    assert client.get("/me").get_json()["subject"] == "ada"
    assert client.get("/page").text == "the page"
    assert "Cookie" in client.get("/me").headers["Vary"]


def test_a_session_has_scopes_or_is_denied(application: Application) -> None:
    client = application().test_client()
    log_in(client)
    assert (client.get("/editors").status_code, client.get("/editors").get_json()) == (403, {"error": "denied"})
    log_in(client, scope="edit")
    assert client.get("/editors").text == "the editors' page"


@pytest.mark.parametrize("scopes", [["edit"], "edit", iter(["edit"])], ids=["list", "text", "iterator"])
def test_scopes_are_asked_for_at_every_request(vault: sealite.Vault, scopes: Any) -> None:
    app = flask.Flask(__name__)
    site = Sealite(app, vault)

    @app.get("/")
    @site.require_token(iter(["api_key"]), scopes)
    def view() -> str:
        return "seen"

    keys = [vault.tokens.issue("api_key", scopes=given).text for given in ([], ["edit"])]
    for _ in range(2):
        answers = [app.test_client().get("/", headers={"Authorization": f"Bearer {key}"}) for key in keys]
        assert [answer.status_code for answer in answers] == [403, 200]


def test_other_tokens_are_no_sessions(application: Application, vault: sealite.Vault) -> None:
    client = application().test_client()
    for kind in ("api_key", "admin", "magic_link"):
        client.set_cookie(COOKIE, vault.tokens.issue(kind, subject="ada").text)  # type: ignore[arg-type]
        assert client.get("/me").status_code == 401
    for text in ("", "x", "slses_", "é", "a" * 3_000):
        client.set_cookie(COOKIE, text)
        assert client.get("/me").status_code == 401


def test_a_log_in_ends_the_session_that_it_came_with(application: Application) -> None:
    app = application()
    client, thief = app.test_client(), app.test_client()
    planted, _ = log_in(client)
    thief.set_cookie(COOKIE, planted)
    after, _ = log_in(client, "grace")
    assert planted != after
    assert thief.get("/me").status_code == 401 and client.get("/me").get_json()["subject"] == "grace"


def test_a_log_out_ends_the_session_and_takes_the_cookie(application: Application) -> None:
    app = application()
    client, copy = app.test_client(), app.test_client()
    text, token = log_in(client)
    copy.set_cookie(COOKIE, text)
    answer = client.post("/logout", data={"csrf_token": token})
    assert answer.text == "bye" and not text_of(client)
    assert answer.headers["Cache-Control"] == "no-store"
    assert copy.get("/me").status_code == 401


def test_a_log_out_everywhere_leaves_keys_and_others_alone(
    application: Application, vault: sealite.Vault
) -> None:
    app = application()
    here, there, other = (app.test_client() for _ in range(3))
    log_in(here), log_in(there), log_in(other, "grace")
    key = vault.tokens.issue("api_key", subject="ada").text
    assert here.post("/logout-everywhere?keep=1", headers=csrf(here)).get_json() == {"ended": 1}
    assert [client.get("/me").status_code for client in (here, there, other)] == [200, 401, 200]
    log_in(there)
    assert here.post("/logout-everywhere", headers=csrf(here)).get_json() == {"ended": 2}
    assert [client.get("/me").status_code for client in (here, there, other)] == [401, 401, 200]
    assert vault.tokens.verify(key, "api_key").subject == "ada"
    assert here.post("/logout-everywhere").get_json() == {"ended": 0}


def test_a_log_out_ends_the_session_in_other_processes(
    application: Application, path: Path, run: Callable[..., str]
) -> None:
    client = application().test_client()
    text, _ = log_in(client)
    program = (
        "import sys, sealite\n"
        "vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY'))\n"
        "vault.tokens.revoke(vault.tokens.verify(sys.argv[2], 'session').id)\n"
    )
    run(program, path, text)
    assert client.get("/me").status_code == 401


def test_sessions_end_by_their_age_and_by_idleness(
    application: Application, vault: sealite.Vault
) -> None:
    now = time.time()

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds
        vault._set_clock(round(now * 1_000))

    advance(0)
    client = application(SEALITE_SESSION_LIFETIME=DAY, SEALITE_SESSION_IDLE=600).test_client()
    log_in(client)
    for _ in range(3):
        advance(500)
        assert client.get("/me").status_code == 200
    advance(700)
    assert client.get("/me").status_code == 401
    log_in(client)
    for _ in range(DAY // 500):
        advance(500)
        assert client.get("/me").status_code == 200
    advance(500)
    assert client.get("/me").status_code == 401


def test_a_log_in_is_of_the_transaction_that_it_is_given(site: Sealite, vault: sealite.Vault) -> None:
    app = flask.Flask(__name__)
    site.init_app(app)
    link = vault.tokens.issue("magic_link", subject="ada").text

    @app.post("/")
    def enter() -> str:
        with vault.transaction() as transaction:
            token = transaction.tokens.consume(link, "magic_link")
            site.login(str(token.subject), transaction=transaction, lifetime=datetime.timedelta(hours=1))
            if "fail" in flask.request.args:
                raise sealite.Conflict("as if")
        return "in"

    client = app.test_client()
    assert client.post("/?fail=1").status_code == 409
    assert vault.tokens.list(kind="session") == []
    assert client.post("/").text == "in"
    (token,) = vault.tokens.list(kind="session")
    assert token.expires_at is not None and token.expires_at - token.created_at == datetime.timedelta(hours=1)
    assert client.post("/").status_code == 403
    client.delete_cookie(COOKIE)
    assert client.post("/").status_code == 401


def test_a_cookie_of_a_former_vault_does_not_stop_the_setup(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    app = flask.Flask(__name__)
    app.config.update(SEALITE_PATH=path, SEALITE_UNLOCK="env:APP_KEY")
    site = Sealite(app)

    @app.post("/setup")
    def setup() -> str:
        site.initialise()
        return "ready"

    @app.get("/me")
    @site.require_session()
    def me() -> str:
        return "me"

    client = app.test_client()
    client.set_cookie(COOKIE, sealite.Vault.in_memory().tokens.issue("session").text)
    assert client.get("/me").get_json() == {"error": "instance_not_ready", "setup_required": True}
    assert client.post("/setup", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/setup").text == "ready"
    assert client.get("/me").status_code == 401
    app.extensions["sealite"].close()


def test_declarations_run_before_the_vault_is_used(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    app = flask.Flask(__name__)
    app.config.update(SEALITE_PATH=path, SEALITE_UNLOCK="env:APP_KEY")
    site = Sealite()
    calls: list[str] = []

    @site.on_open
    def declare(vault: sealite.Vault) -> None:
        vault.define_table("users", {"email": "text sealed unique email"})
        calls.append("first")

    site.init_app(app)
    with app.app_context():
        with pytest.raises(sealite.NotInitialised):
            site.vault.table("users").count()
        assert not calls
        # As another worker does.
        sealite.Vault.create(path, sealite.Unlock.key_text(key)).close()
        assert site.vault.table("users").count() == 0
        site.on_open(lambda vault: calls.append("second"))
        assert site.vault.table("users").count() == site.vault.table("users").count()
        assert calls == ["first", "first", "second"]
    again = flask.Flask(__name__)
    site.init_app(again, app.extensions["sealite"])
    assert calls[3:] == ["first", "second"]
    app.extensions["sealite"].close()


def test_an_error_s_report_does_not_show_the_session(
    application: Application, vault: sealite.Vault
) -> None:
    """As tools that report errors make it: with the variables of every frame of the extension's."""

    def unanswered(error: Exception) -> flask.Response:
        raise error

    app = application()
    app.testing = True
    app.register_error_handler(sealite.Closed, unanswered)
    client = app.test_client()
    text, _ = log_in(client)

    @contextlib.contextmanager
    def broken() -> Iterator[None]:
        with pytest.raises(sealite.Closed) as raised:
            yield
        trace = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
        frames = [frame for frame in trace.stack if f"{os.sep}sealite{os.sep}" in frame.filename]
        assert frames and text not in str([frame.locals for frame in frames])

    vault.close()
    with broken():
        client.get("/me")
    with broken():
        client.post("/change")


def test_the_session_of_a_request_is_not_copied() -> None:
    session = _sessions.Session("canary", sealite.Vault.in_memory().tokens.issue("session").token)
    assert "canary" not in f"{session} {session!r} {[session]}"
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            way(session)


def test_the_status_is_for_administrators(application: Application, vault: sealite.Vault) -> None:
    vault.settings.define("mail.password", secret=True, required=True)
    vault.settings.define("site.name", requires_restart=True)
    vault.settings.write("site.name", "canary-value", actor="ada")
    vault.count("admin_requests_total", 3)
    client = application().test_client()
    issue = vault.tokens.issue

    def ask(text: str) -> tuple[int, Any]:
        answer = client.get("/admin/status", headers={"Authorization": f"Bearer {text}"} if text else {})
        return answer.status_code, answer.get_json()

    assert ask("") == (401, {"error": "token_rejected"})
    assert ask(issue("user", scopes=["admin"]).text)[0] == 401
    assert ask(issue("break_glass").text)[0] == 401
    assert ask(issue("api_key", scopes=["read"]).text) == (403, {"error": "denied"})
    assert ask(issue("api_key", scopes=["admin"]).text)[0] == 200
    status, told = ask(issue("admin").text)
    assert status == 200 and told["status"] == "ready" and told["vault"] == "open"
    assert told["tables"] == ["notes", "users"] and told["slots"][0]["kind"] == "key"
    assert told["settings"]["problems"] == {"mail.password": "missing"}
    assert told["audit"] == {"last": vault.audit.tail(1)[0].seq, "lost": 0}
    assert told["counters"]["admin_requests_total"] == 3
    assert "canary-value" not in str(told)
    log_in(client)
    assert ask("")[0] == 403
    log_in(client, scope="admin")
    assert ask("")[0] == 200
    assert ask("slkey_x")[0] == 401


def test_the_application_says_who_administers(site: Sealite) -> None:
    app = flask.Flask(__name__)
    app.config["SEALITE_URL_PREFIX"] = "/ops"
    site.init_app(app, admin=lambda: flask.request.headers.get("X-Role") == "boss")
    client = app.test_client()
    assert client.get("/ops/admin/status").status_code == 403
    assert client.get("/ops/admin/status", headers={"X-Role": "boss"}).get_json()["status"] == "ready"


@pytest.mark.parametrize(
    "settings",
    [
        {"SEALITE_CSFR": "open"},
        {"SEALITE_CSRF": "off"},
        {"SEALITE_CSRF": False},
        {"SEALITE_COOKIE_SECURE": "False"},
        {"SEALITE_COOKIE_SAMESITE": "lax"},
        {"SEALITE_COOKIE_SAMESITE": "None", "SEALITE_COOKIE_SECURE": False},
        {"SEALITE_COOKIE_NAME": "__Host-x", "SEALITE_COOKIE_SECURE": False},
        {"SEALITE_SESSION_IDLE": "600"},
        {"SEALITE_SESSION_LIFETIME": 0},
        {"SEALITE_SESSION_LIFETIME": True},
        {"SEALITE_UNLOCK": b"canary"},
    ],
)
def test_a_setting_that_is_no_good_is_refused_at_the_start(vault: sealite.Vault, settings: dict[str, Any]) -> None:
    app = flask.Flask(__name__)
    app.config.update(settings)
    with pytest.raises(sealite.InvalidInput) as raised:
        Sealite(app, vault)
    assert next(iter(settings)) in str(raised.value) and "canary" not in str(raised.value)


def test_the_vault_is_opened_as_the_settings_say(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", key)
    names = {"PATH": str(path), "UNLOCK": "env:APP_KEY", "SYNCHRONOUS": "normal", "BUSY_TIMEOUT": "2.5", "DISK_RESERVE": "0"}
    for name, value in names.items():
        monkeypatch.setenv(f"FLASK_SEALITE_{name}", value)
    app = flask.Flask(__name__)
    app.config.from_prefixed_env()
    site = Sealite(app)
    with app.app_context():
        site.initialise()
        assert site.vault.query("PRAGMA synchronous", [])[0] == (1,)
        assert site.vault.query("PRAGMA busy_timeout", [])[0] == (2_500,)
        site.vault.close()


class Asynchronous(flask.Flask):
    """As with `flask[async]`, whose package for this is not asked for here."""

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: asyncio.run(func(*args, **kwargs))


def test_views_may_be_asynchronous(vault: sealite.Vault) -> None:
    app, site = Asynchronous(__name__), Sealite(vault=vault)
    site.init_app(app)

    @app.post("/login")
    @site.limit("9/minute")
    async def login() -> str:
        return str(site.login("ada").subject)

    @app.get("/me")
    @site.require_session()
    async def me() -> str:
        assert site.current_session is not None
        return str(site.current_session.subject)

    @app.get("/api/<name>")
    @site.require_token()
    async def api(name: str) -> str:
        return f"{flask.g.token.subject} {name}"

    client = app.test_client()
    assert client.get("/me").status_code == 401
    assert client.post("/login").text == client.get("/me").text == "ada"
    key = vault.tokens.issue("api_key", subject="job").text
    assert client.get("/api/x", headers={"Authorization": f"Bearer {key}"}).text == "job x"
