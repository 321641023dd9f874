"""The FastAPI example over real HTTP: uvicorn with two workers, and connections to one and to the other."""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

import sealite

EXAMPLE = Path(__file__).parents[1] / "examples" / "fastapi_app"
# Within which whatever is waited for has come, on the slowest of machines.
SOON = 180
CODE, EMAIL, PASSWORD = "code-5Xw2", "ada@example.org", "correct horse battery"
CANARY = "canary-4Tq9vZ"
COOKIE = "__Host-sealite"


class Server:
    """Uvicorn, its two workers, and what they write."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, sealite.generate_key()
        self.database, self.outbox, self.log = folder / "vault" / "app.db", folder / "outbox", folder / "server.log"
        self.database.parent.mkdir()
        self.outbox.mkdir()
        options = "--workers 2 --port 0 --timeout-keep-alive 600 --timeout-worker-healthcheck 600 --timeout-graceful-shutdown 1"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(EXAMPLE), *options.split()],
                env={**os.environ, "APP_KEY": self.key, "APP_DB": str(self.database), "OUTBOX": str(self.outbox), "SETUP_CODE": CODE},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._open: list[Browser] = []

    def start(self) -> None:
        self.url = until(self._address, "the address")
        self.workers = until(self._workers, "two workers")

    def _address(self) -> str | None:
        found = re.search(r"running on (http://127\.0\.0\.1:\d+)", self.log.read_text("utf-8"))
        assert self.process.poll() is None, self.log.read_text("utf-8")
        return found[1] if found else None

    def _workers(self) -> list[int] | None:
        """The processes that answer; there is one more, of multiprocessing's."""
        started = self.log.read_text("utf-8").count("Application startup complete")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split()
        workers = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return workers if started == len(workers) == 2 else None

    def browser(self, worker: int, address: str) -> "Browser":
        """A connection to that worker: the other one stands still until it was taken."""
        other = self.workers[1 - worker]
        os.kill(other, signal.SIGSTOP)
        try:
            self._open.append(Browser(self.url, address))
            self._open[-1].begin()
        finally:
            os.kill(other, signal.SIGCONT)
        return self._open[-1]

    def browsers(self, address: str) -> "tuple[Browser, Browser]":
        return self.browser(0, address), self.browser(1, address)

    def vault(self) -> sealite.Vault:
        return sealite.Vault.open(self.database, sealite.Unlock.key_text(self.key), busy_timeout=SOON)

    def hang_up(self) -> None:
        while self._open:
            self._open.pop().http.close()

    def stop(self) -> None:
        for number in (signal.SIGCONT, signal.SIGTERM):
            os.killpg(self.process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SOON)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Browser:
    """One connection, from an address of its own, and the session's cookie: kept as browsers keep it for localhost."""

    def __init__(self, url: str, address: str) -> None:
        limits = httpx2.Limits(max_connections=1, keepalive_expiry=None)
        transport = httpx2.HTTPTransport(local_address=address, limits=limits)
        self.http = httpx2.Client(base_url=url, transport=transport, timeout=SOON)
        self.cookie = ""

    def begin(self) -> None:
        assert self.get("/readyz").status_code in (200, 503)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        cookie = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        answer = self.http.request(method, path, headers={**cookie, **(headers or {})}, **more)
        for given in answer.headers.get_list("set-cookie"):
            name, _, value = given.partition(";")[0].partition("=")
            assert name == COOKIE and "httponly" in given.lower() and "secure" in given.lower()
            self.cookie = value.strip('"')
        return answer

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.ask("GET", path, headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx2.Response:
        return self.ask("POST", path, headers, data=fields)

    def log_in(self, email: str = EMAIL) -> "Browser":
        assert self.post("/login", email=email, password=PASSWORD).status_code == 303
        return self

    def csrf(self) -> str:
        found = re.search(r"name=csrf_token value='([^']+)'", self.get("/").text)
        assert found, "nobody is logged in"
        return found[1]

    def key(self, scope: str) -> str:
        text: str = self.post("/keys", scope=scope, csrf_token=self.csrf()).json()
        return text


def until(look: Callable[[], Any], what: str) -> Any:
    """What there is to see, as soon as there is something."""
    end = time.monotonic() + SOON
    while not (seen := look()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
    return seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("example"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def initialised(server: Server) -> dict[str, Any]:
    """What came of two workers that were asked to initialise at once."""
    both = server.browsers("127.0.0.1")
    before = [(answer.status_code, answer.json()) for answer in (browser.get("/") for browser in both)]
    wrong = both[0].post("/setup", code="guess", email=EMAIL, password=PASSWORD).status_code
    # A password that is refused leaves no vault without a user.
    long = both[0].ask("POST", "/setup", data={"code": CODE, "email": EMAIL, "password": "x" * 5_000})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(each.post, "/setup", code=CODE, email=EMAIL, password=PASSWORD) for each in both]
        after = sorted((each.result().status_code, str(each.result().json())) for each in asked)
    return {"before": before, "wrong": wrong, "long": (long.status_code, long.json()), "after": after}


@pytest.fixture(autouse=True)
def _one_by_one(server: Server, initialised: dict[str, Any]) -> Iterator[None]:
    yield
    server.hang_up()


def test_one_of_two_workers_initialises(initialised: dict[str, Any]) -> None:
    assert initialised["before"] == [(503, {"error": "instance_not_ready", "setup_required": True})] * 2
    assert initialised["wrong"] == 403 and initialised["long"] == (422, {"error": "too_long"})
    assert initialised["after"] == [(200, "ready"), (409, "{'error': 'already_initialised'}")]


def test_a_wrong_password_and_an_unknown_address_get_one_answer(server: Server) -> None:
    one, _ = server.browsers("127.0.0.2")
    wrong = one.post("/login", email=EMAIL, password="wrong horse battery")
    unknown = one.post("/login", email="eve@example.org", password=PASSWORD)
    assert wrong.status_code == unknown.status_code == 401 and wrong.content == unknown.content and not one.cookie
    assert one.post("/login", email=" ADA@Example.ORG ", password=PASSWORD).status_code == 303 and one.cookie


def test_a_magic_link_works_once(server: Server) -> None:
    both = server.browsers("127.0.0.3")
    answers = [both[0].post("/magic", email=email) for email in ("eve@example.org", EMAIL)]
    assert answers[0].status_code == 200 and answers[0].content == answers[1].content
    letter = until(lambda: next((text for text in (file.read_text() for file in server.outbox.iterdir()) if text), None), "a letter")
    path, _, token = letter.removeprefix("http://127.0.0.1:8000").partition("?token=")
    for browser in both:
        # To look at it takes nothing.
        assert token in browser.get(f"{path}?token={token}").text
    with concurrent.futures.ThreadPoolExecutor() as pool:
        uses = list(pool.map(lambda browser: browser.post("/magic/use", token=token).status_code, both * 3))
    # The browser that is logged in by then is asked for its CSRF token first.
    assert uses.count(303) == 1 and uses.count(401) + uses.count(403) == 5, uses
    assert any("/profile" in browser.get("/").text for browser in both)
    assert both[0].get(f"{path}?token={token}").status_code == 401
    assert len(list(server.outbox.iterdir())) == 1


def test_a_session_ends_in_all_workers(server: Server) -> None:
    one, two = server.browsers("127.0.0.4")
    two.cookie = one.log_in().cookie
    assert "/profile" in two.get("/").text
    assert one.post("/logout", csrf_token=one.csrf()).status_code == 303 and not one.cookie
    assert two.post("/profile", name="a", phone="b").status_code == 401 and "/profile" not in two.get("/").text


def test_what_another_site_sends_is_refused(server: Server) -> None:
    one, two = server.browsers("127.0.0.5")
    one.log_in()
    foreign = two.log_in().csrf()
    for token in ({}, {"csrf_token": foreign}):
        answer = one.post("/profile", name="a", phone="b", **token)
        assert (answer.status_code, answer.json()) == (403, {"error": "csrf_rejected"})
    two.cookie = ""
    assert two.post("/login", {"Origin": "https://evil.example"}, email=EMAIL, password=PASSWORD).status_code == 403


@pytest.mark.parametrize("ending", ["log-out", "revocation"])
def test_an_open_stream_ends_with_its_session(server: Server, ending: str) -> None:
    one, two = server.browsers("127.0.0.6")
    one.log_in()
    with two.http.stream("GET", "/events", headers={"Cookie": f"{COOKIE}={one.cookie}"}) as stream:
        lines = stream.iter_lines()
        assert re.fullmatch(r'data: "\d+ of your sessions are open"', next(lines))
        if ending == "log-out":
            assert one.post("/logout", csrf_token=one.csrf()).status_code == 303
        else:
            with server.vault() as vault:
                vault.tokens.revoke_subject("1")
        # Ends: the client would raise where it is cut off, or nothing came for too long.
        assert all(line == "" or line.startswith(("data: ", ":")) for line in lines)
    assert two.get("/events", Cookie=f"{COOKIE}={one.cookie}").status_code == 401


def test_a_key_s_limit_is_shared_by_the_workers(server: Server) -> None:
    both = server.browsers("127.0.0.7")
    header = {"Authorization": f"Bearer {both[0].log_in().key('profile:read')}"}
    answers = [both[turn % 2].get("/api/profile", **header) for turn in range(24)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 4
    figures = [browser.get("/metrics").text for browser in both]
    # Each worker says that the figures are its own, and each has charged ten of the requests.
    assert [int(re.search(r'worker="(\d+)"', text)[1]) for text in figures] == server.workers  # type: ignore[index]
    body = answers[-1].json()
    assert body["error"] == "rate_limited" and answers[-1].headers["retry-after"] == str(body["retry_after"])


def test_an_account_is_not_guessed_at_from_many_addresses(server: Server) -> None:
    hosts = [server.browser(number % 2, f"127.0.1.{number}") for number in range(1, 22)]
    answers = [host.post("/login", email="grace@example.com", password="wrong") for host in hosts]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]


def test_the_application_is_short() -> None:
    assert len((EXAMPLE / "app.py").read_text().splitlines()) < 150


def test_failed_log_ins_count_in_all_workers(server: Server) -> None:
    both = server.browsers("127.0.0.8")
    answers = [both[turn % 2].post("/login", email=f"{turn}@example.org", password="wrong") for turn in range(22)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2
    assert server.browser(0, "127.0.0.9").post("/login", email=EMAIL, password=PASSWORD).status_code == 303


def test_a_key_does_what_its_scopes_say(server: Server) -> None:
    one, two = server.browsers("127.0.0.10")
    one.log_in()
    good, poor = one.key("profile:read"), one.key("none")
    # Nobody gives a key what would open the pages for operations.
    for scope in ("admin", "profile:read admin"):
        assert one.post("/keys", scope=scope, csrf_token=one.csrf()).status_code == 422
    assert two.get("/admin/status", Authorization=f"Bearer {good}").status_code == 403
    assert two.get("/api/profile", Authorization=f"Bearer {good}").status_code == 200
    assert two.get("/api/profile", Authorization=f"Bearer {poor}").status_code == 403
    two.cookie = one.cookie
    for header in ({}, {"Authorization": f"Bearer {one.cookie}"}, {"Authorization": f"Bearer {good[:-1]}"}):
        assert two.get("/api/profile", **header).status_code == 401


def test_the_profile_lies_in_no_file(server: Server) -> None:
    one, two = server.browsers("127.0.0.11")
    values = {"name": f"Ada {CANARY}", "phone": "+44 20 7946 0958"}
    assert one.log_in().post("/profile", csrf_token=one.csrf(), **values).status_code == 303
    header = {"Authorization": f"Bearer {one.key('profile:read')}"}
    assert two.get("/api/profile", **header).json().items() >= values.items()
    stored = b"".join(file.read_bytes() for file in server.database.parent.iterdir())
    assert len(stored) > 10_000
    for value in (CANARY, values["phone"], EMAIL, PASSWORD, one.cookie):
        assert value.encode() not in stored
    with server.vault() as vault:
        changed = [event for event in vault.audit if event.event == "profile.changed"]
    assert changed and changed[-1].actor == "1" and changed[-1].trace_id


def test_settings_are_masked_and_the_administrator_s(server: Server) -> None:
    one, two = server.browsers("127.0.0.12")
    csrf = one.log_in().csrf()
    answer = one.post("/admin/settings", csrf_token=csrf, **{"mail.password": f"secret-{CANARY}", "site.url": "https://s.example"})
    two.cookie = one.cookie
    page = two.get("/admin/settings").text
    assert answer.status_code == 200 and "https://s.example" in page and CANARY not in page + answer.text
    shown = dict(re.findall(r"<input name='([\w.]+)' value='([^']*)'", page))
    assert shown["mail.password"]
    # The form as it came: what is masked stays as it is.
    assert two.post("/admin/settings", csrf_token=csrf, **{**shown, "site.url": "http://127.0.0.1:8000"}).status_code == 200
    assert two.post("/admin/settings", **shown).status_code == 403
    with server.vault() as vault:
        value = vault.settings.use("mail.password")
        assert value is not None and value.expose() == f"secret-{CANARY}"
        assert vault.settings.read("site.url").value == "http://127.0.0.1:8000"
        hashed = sealite.PasswordHasher().hash(PASSWORD)
        vault.table("users").insert(email="grace@example.org", password=hashed, role="user")
    grace = server.browser(1, "127.0.0.12").log_in("grace@example.org")
    assert grace.get("/admin/settings").status_code == 403
    stored = b"".join(file.read_bytes() for file in server.database.parent.iterdir())
    assert CANARY.encode() not in stored


def test_the_documentation_page_stands(server: Server) -> None:
    schema = server.browser(0, "127.0.0.13").get("/openapi.json").json()
    assert schema["paths"]["/api/profile"]["get"]["security"] == [{"Token": ["profile:read"]}]
    assert schema["paths"]["/profile"]["post"]["security"] == [{"Session": []}]


def test_no_log_has_a_token_or_a_secret(server: Server) -> None:
    one, _ = server.browsers("127.0.0.14")
    sent = len(list(server.outbox.iterdir())) if server.outbox.exists() else 0
    assert one.post("/magic", email=EMAIL).status_code == 200
    # The letter's link replaces older ones, and it is written after the answer.
    until(lambda: len(list(server.outbox.iterdir())) > sent, "the letter")
    with server.vault() as vault:
        link = vault.tokens.issue("magic_link", subject="1").text
    assert one.get(f"/?token={link}").status_code == 200
    assert one.get("/?token=[redacted]").status_code == 401
    log = until(lambda: (text := server.log.read_text()).count("[redacted]") >= 2 and text, "the access log")
    letters = [file.read_text() for file in server.outbox.iterdir()]
    for secret in (link, PASSWORD, CODE, CANARY, EMAIL, *(letter.partition("token=")[2] for letter in letters if letter)):
        assert secret not in log
    assert not re.search(sealite.TOKEN_PATTERN, log) and "Traceback" not in log
