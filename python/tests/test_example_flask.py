"""The Flask example, as it is served: gunicorn with four workers forked from one, asked over HTTP.

The client stands where TLS would end: it keeps the cookies that a browser keeps behind TLS only.
"""

import html
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple

import pytest

import sealite

EXAMPLE = Path(__file__).parents[1] / "examples" / "flask_app"
WORKERS = 4
PATIENCE = 120
PASSWORD = "correct horse battery staple"
MAIL_PASSWORD = "canary of the mail server"
# A request with X-Meet is answered once one has arrived in every worker, so that no worker answers two of them.
MEETING = f"""
import multiprocessing
from flask import request
from app import create_app

app = create_app()
barrier = multiprocessing.Barrier({WORKERS})

@app.before_request
def meet():
    if "X-Meet" in request.headers:
        barrier.wait({PATIENCE})
"""
DEBUGGING = """
from werkzeug.debug import DebuggedApplication
from flask import request
from app import create_app, site

flask_app = create_app()
flask_app.debug = True

@flask_app.get("/fail")
def fail():
    setting, session = site.vault.settings.use("mail.password"), site.current_session
    issued = site.vault.tokens.issue("api_key")
    row = next(site.vault.table("users").scan())
    password = setting.expose()
    raise RuntimeError(f"it failed with {setting} {session} {issued} {row} {site.vault!r}")

app = DebuggedApplication(flask_app, evalex=False)
"""


class Answer(NamedTuple):
    status: int
    text: str
    headers: http.client.HTTPMessage

    @property
    def token(self) -> str:
        """The CSRF token of the page's first form."""
        return str(re.findall(r'name="csrf_token" value="([^"]*)"', self.text)[0])


class Server:
    """A server in a folder of its own, and what must not reach its log."""

    def __init__(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        self.folder, self.port, self.environment = folder, port, environment
        self.outbox = folder / "outbox"
        self.secrets = {PASSWORD, MAIL_PASSWORD}

    def ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), response.headers)
        finally:
            connection.close()

    def command(self, *arguments: str, given: str = "") -> str:
        line = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        done = subprocess.run(
            line, cwd=EXAMPLE, env=self.environment, input=given, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def mails(self) -> dict[str, str]:
        """The link of each mail, by the address."""
        texts = [mail.read_text("utf-8").split() for mail in self.outbox.iterdir()]
        return {words[1]: words[2] for words in texts}


class Browser:
    """Keeps cookies, and says as browsers do where a request comes from."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    def copy(self) -> "Browser":
        other = Browser(self.server)
        other.cookies = dict(self.cookies)
        return other

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, /, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Sec-Fetch-Site", "same-origin")
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        answer = self.server.ask(method, path, body, sent)
        for header in answer.headers.get_all("Set-Cookie", []):
            ((name, morsel),) = SimpleCookie(header).items()
            assert morsel["secure"] and morsel["httponly"] and morsel["samesite"] == "Lax"
            self.server.secrets |= {morsel.value} - {""}
            self.cookies = {name: morsel.value} if morsel.value else {}
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, **headers)

    def post(self, path: str, **form: str) -> Answer:
        """Sends a form of the home page."""
        token = self.get("/").token
        self.server.secrets |= {token} - {""}
        return self.ask("POST", path, {"csrf_token": token} | form)


def everywhere(*calls: Callable[[], Answer]) -> list[Answer]:
    """Calls that meet: each is answered by another worker."""
    assert len(calls) == WORKERS
    with ThreadPoolExecutor(WORKERS) as pool:
        return [future.result(PATIENCE) for future in [pool.submit(call) for call in calls]]


@contextmanager
def serving(folder: Path, program: str = MEETING, workers: int = WORKERS) -> Iterator[Server]:
    (folder / "served.py").write_text(program)
    (folder / "outbox").mkdir(exist_ok=True)
    if not (folder / "app.key").exists():
        (folder / "app.key").touch(0o600)
        (folder / "app.key").write_text(sealite.generate_key())
    listener = socket.create_server(("127.0.0.1", 0))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(EXAMPLE), os.environ.get("PYTHONPATH")])),
        "FLASK_SEALITE_PATH": str(folder / "app.db"),
        "FLASK_SEALITE_UNLOCK": f"file:{folder / 'app.key'}",
        "FLASK_OUTBOX": str(folder / "outbox"),
    }
    line = ["gunicorn", "--preload", "--worker-class=sync", f"--workers={workers}", f"--timeout={PATIENCE}"]
    line += [f"--bind=fd://{listener.fileno()}", "--access-logfile=-", f"--chdir={folder}", "served:app"]
    command, inherited = [sys.executable, "-m", *line], [listener.fileno()]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, pass_fds=inherited)
    try:
        server, deadline = Server(folder, listener.getsockname()[1], environment), time.monotonic() + PATIENCE
        listener.close()
        while True:
            assert process.poll() is None and time.monotonic() < deadline, server.log()
            try:
                server.ask("GET", "/readyz")
                break
            except OSError:
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("site")) as server:
        server.command("sealite", "init")
        yield server


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server)


def registered(browser: Browser, name: str) -> str:
    """Registers and logs in; the e-mail."""
    email = f"{name}@example.org"
    assert browser.post("/register", email=email, password=PASSWORD).status == 303
    assert browser.post("/login", email=email.upper(), password=PASSWORD).status == 303
    assert email in html.unescape(browser.get("/").text)
    return email


def test_the_example_is_small() -> None:
    assert len((EXAMPLE / "app.py").read_text().splitlines()) < 150


def test_the_server_waits_for_its_vault_in_every_worker(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        browser = Browser(server)
        form = {"email": "ada@example.org", "password": PASSWORD}
        ask = partial(browser.ask, "POST", "/register", form, X_Meet="1")
        for answer in everywhere(*[ask] * WORKERS):
            assert answer.status == 503
            assert json.loads(answer.text) == {"error": "instance_not_ready", "setup_required": True}
        assert server.ask("GET", "/readyz").status == 503
        server.command("sealite", "init")
        assert sorted(answer.status for answer in everywhere(*[ask] * WORKERS)) == [303, 409, 409, 409]
        assert server.ask("GET", "/readyz").status == 200


def test_sixteen_registrations_at_once_are_sixteen_users(browser: Browser) -> None:
    forms = [{"email": f"sixteen-{number}@example.org", "password": PASSWORD} for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda form: browser.ask("POST", "/register", form), forms))
    assert [answer.status for answer in answers] == [303] * 16
    assert [browser.ask("POST", "/register", form).status for form in forms[:3]] == [409] * 3
    assert Browser(browser.server).post("/login", **forms[15]).status == 303


def test_a_wrong_password_gets_the_answer_of_no_such_user(browser: Browser) -> None:
    email = registered(browser, "grace")
    wrong, nobody = (
        Browser(browser.server).post("/login", email=who, password="wrong horse battery staple")
        for who in (email, "nobody@example.org")
    )
    assert wrong.status == 401 and wrong[:2] == nobody[:2]
    for answer in (wrong, nobody):
        del answer.headers["Date"], answer.headers["X-Request-ID"]
    assert wrong.headers.items() == nobody.headers.items()


def test_a_link_logs_in_once_in_whatever_worker(browser: Browser) -> None:
    email = registered(browser, "link")
    browser.post("/logout")
    known, unknown = (browser.post("/link", email=who) for who in (email, "nobody@example.org"))
    assert known[:2] == unknown[:2] and "nobody@example.org" not in browser.server.mails()
    address, _, link = browser.server.mails()[email].partition("#")
    assert address == "http://localhost:8000/enter" and sealite.is_token_text(link)
    browser.server.secrets.add(link)
    assert browser.get("/enter").status == 200
    browsers = [Browser(browser.server) for _ in range(WORKERS)]
    answers = everywhere(*(partial(each.ask, "POST", "/enter", {"link": link}, X_Meet="1") for each in browsers))
    assert sorted(answer.status for answer in answers) == [303, 401, 401, 401]
    assert sum(email in each.get("/").text for each in browsers) == 1
    assert browser.ask("POST", "/enter", {"link": link}).status == 401


def test_forms_of_other_sites_are_refused(browser: Browser) -> None:
    registered(browser, "csrf")
    for form in ({}, {"csrf_token": ""}, {"csrf_token": "A" * 86}):
        answer = browser.ask("POST", "/profile", form | {"name": "Eve", "phone": "0"})
        assert answer.status == 403 and json.loads(answer.text) == {"error": "csrf_rejected"}
    assert "Eve" not in browser.get("/").text
    assert browser.post("/profile", name="Ada", phone="1").status == 303
    assert 'value="Ada"' in browser.get("/").text
    stranger = Browser(browser.server)
    form = {"email": "csrf@example.org", "password": PASSWORD}
    assert stranger.ask("POST", "/login", form, Sec_Fetch_Site="cross-site").status == 403
    assert not stranger.cookies


def test_a_log_out_holds_in_every_worker(browser: Browser) -> None:
    email = registered(browser, "logout")
    elsewhere = Browser(browser.server)
    assert elsewhere.post("/login", email=email, password=PASSWORD).status == 303
    stolen = browser.copy()

    def seen(whose: Browser) -> list[bool]:
        answers = everywhere(*[lambda: whose.get("/", X_Meet="1")] * WORKERS)
        return [email in answer.text for answer in answers]

    assert seen(stolen) == [True] * WORKERS
    assert browser.post("/logout").status == 303 and not browser.cookies
    assert seen(stolen) == [False] * WORKERS and seen(elsewhere) == [True] * WORKERS
    assert browser.post("/login", email=email, password=PASSWORD).status == 303
    assert browser.post("/logout", everywhere="on").status == 303
    assert seen(elsewhere) == [False] * WORKERS


def test_the_workers_share_a_limit(browser: Browser) -> None:
    form = {"email": "guessed@example.org", "password": "wrong horse battery staple"}
    ask = partial(browser.ask, "POST", "/login", form, X_Meet="1")
    first, second = everywhere(*[ask] * WORKERS), everywhere(*[ask] * WORKERS)
    assert [answer.status for answer in first] == [401] * WORKERS
    assert sorted(answer.status for answer in second) == [401, 429, 429, 429]
    refused = max(second, key=lambda answer: answer.status)
    body = json.loads(refused.text)
    assert body["error"] == "rate_limited" and 1 <= body["retry_after"] <= 900
    assert refused.headers["Retry-After"] == str(body["retry_after"])


def test_a_key_reaches_what_its_scopes_allow(browser: Browser) -> None:
    email = registered(browser, "keys")
    browser.post("/profile", name="Ada", phone="1")
    good, poor = browser.post("/keys", profile="on"), browser.post("/keys")
    assert good.status == poor.status == 201
    browser.server.secrets |= {good.text, poor.text}

    def call(text: str) -> tuple[int, object]:
        answer = browser.server.ask("GET", "/api/profile", headers={"Authorization": f"Bearer {text}"})
        return answer.status, json.loads(answer.text)

    assert call(good.text) == (200, {"email": email, "name": "Ada", "phone": "1"})
    assert call(poor.text) == (403, {"error": "denied"})
    (session,) = browser.cookies.values()
    for text in ("", good.text[:-1] + "?", session):
        assert call(text) == (401, {"error": "token_rejected"})


def test_a_profile_is_sealed_in_every_file(browser: Browser) -> None:
    email = registered(browser, "canary-address")
    values = {"name": "Canary Lovelace", "phone": "+44 20 canary 0958"}
    assert browser.post("/profile", **values).status == 303
    page = html.unescape(browser.get("/").text)
    assert all(value in page for value in values.values())
    files = list(browser.server.folder.glob("app.db*"))
    assert {file.name for file in files} >= {"app.db", "app.db-wal"}
    for secret in (email, PASSWORD, *values.values()):
        for encoded in (secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()):
            assert not any(encoded in file.read_bytes() for file in files), secret


def test_administrators_see_settings_masked(browser: Browser) -> None:
    server = browser.server
    assert browser.get("/admin/settings").status == 401
    email = registered(browser, "boss")
    assert browser.get("/admin/settings").status == browser.get("/admin/status").status == 403
    server.command("make-admin", email)
    server.command("sealite", "settings", "set", "mail.password", given=MAIL_PASSWORD)
    browser.post("/login", email=email, password=PASSWORD)
    page = browser.get("/admin/settings")
    shown = dict(re.findall(r'name="([a-z.]+)" value="([^"]*)"', page.text))
    assert shown["site.url"] == "http://localhost:8000" and shown["mail.password"] not in ("", MAIL_PASSWORD)
    assert MAIL_PASSWORD not in page.text
    # As it was shown, but for the address.
    form = {**shown, "site.url": "http://example.org", "csrf_token": page.token}
    assert browser.ask("POST", "/admin/settings", {**form, "csrf_token": ""}).status == 403
    assert browser.ask("POST", "/admin/settings", form).status == 200
    listed = server.command("sealite", "settings", "list")
    assert "site.url=http://example.org" in listed and MAIL_PASSWORD not in listed
    with sealite.Vault.open(server.folder / "app.db", sealite.Unlock.key_file(server.folder / "app.key")) as vault:
        kept = vault.settings.use("mail.password")
        assert kept is not None and kept.expose() == MAIL_PASSWORD
        vault.settings.write("site.url", sealite.CLEAR, actor="test")
    told = json.loads(browser.get("/admin/status").text)
    assert told["status"] == "ready" and MAIL_PASSWORD not in str(told)


def test_no_secret_is_on_the_debug_page(tmp_path: Path) -> None:
    with serving(tmp_path, DEBUGGING, workers=1) as server:
        server.command("sealite", "init")
        server.command("sealite", "settings", "set", "mail.password", given=MAIL_PASSWORD)
        browser = Browser(server)
        email = registered(browser, "debug")
        browser.post("/profile", name="Canary Lovelace", phone="1")
        page = browser.get("/fail")
        assert page.status == 500 and "it failed with" in page.text
        server.outbox.rmdir()
        lost = browser.post("/link", email=email)
        assert lost.status == 500 and "FileNotFoundError" in lost.text
        key = (tmp_path / "app.key").read_text()
        for text in (page.text, lost.text, server.log()):
            assert not any(secret in text for secret in (*server.secrets, key, "Canary Lovelace", email))
            assert not re.search(sealite.TOKEN_PATTERN, text)


def test_no_secret_reaches_the_log(browser: Browser) -> None:
    """Of all that the tests before this one have sent and got."""
    registered(browser, "log")
    browser.post("/logout")
    log = browser.server.log()
    assert "POST /login" in log and len(browser.server.secrets) > 3
    assert not any(secret in log for secret in browser.server.secrets)
    assert not re.search(sealite.TOKEN_PATTERN, log)
