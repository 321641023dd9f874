"""Applications that others have published, as they come from PyPI: an environment of their own, a server, a browser."""

import hashlib
import html
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import venv
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import sealite

REQUIREMENTS = Path(__file__).parent / "published-requirements.txt"
HOST = "127.0.0.1"
KEY = {"SITE_KEY": "5f0c1b7d9a3e62488fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62"}

# What an adopter does with the application's database, once. Each statement protects one table.
PROTECT = """
import json, sys
from sealite import dbapi2

connection = dbapi2.connect(sys.argv[1], key="env:SITE_KEY", existing_database=True)
for table in json.loads(sys.argv[2]):
    (done,) = connection.execute(f"SELECT sealite_protect({', '.join('?' * len(table))})", table).fetchone()
    assert done == "complete", (table, done)
connection.close()
"""


def environment() -> Path:
    """The interpreter of an environment with the applications, at their pinned versions, and with the engine under test."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    folder = Path(sys.prefix).parent / "venv-published"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not (ready.exists() and ready.read_text() == wanted):
        venv.create(folder, clear=True, with_pip=True)
        # Every package is listed with its version: nothing is chosen by what the index has today.
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]
        subprocess.run([python, *install, REQUIREMENTS], check=True, timeout=300)
        ready.write_text(wanted)
    engine = Path(sealite.__file__).parent
    (packages,) = folder.glob("lib/python*/site-packages")
    for old in packages.glob("sealite*"):
        old.unlink()
    for part in [engine, *engine.parent.glob("sealite-*.dist-info")]:
        (packages / part.name).symlink_to(part)
    return python


# What is signed with the time, the time, and the hash of a commit.
CHANGING = re.compile(
    r"[\w-]+\.[\w-]{6}\.[\w-]{27}"
    r"|\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?|(?<=ed\": )[\d.]+"
    r"|(?<=>)(?:just now|[\w ]+ ago)(?=<)"
    r"|\b[0-9a-f]{6,7}\b|\b[0-9a-f]{40}\b"
)


class Page(NamedTuple):
    """An answer."""

    status: int
    location: str
    body: str


class Browser:
    """Keeps cookies and sends the hidden field of a form along, as people's browsers do. Notes every answer."""

    def __init__(self, site: "Site", headers: dict[str, str]) -> None:
        self._site = site
        self._headers = headers
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Page:
        return self.send("GET", path)

    def submit(self, form: str, to: str | None = None, /, **fields: str) -> Page:
        """Opens the page with a form, and posts it there or to another address."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(form).body)
        assert token, form
        fields["csrf_token"] = html.unescape(token[1])
        return self.send("POST", to or form, urllib.parse.urlencode(fields), "application/x-www-form-urlencoded")

    def send(self, method: str, path: str, body: str | None = None, kind: str = "") -> Page:
        connection = http.client.HTTPConnection(HOST, self._site.port, timeout=60)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        headers = self._headers | (cookies if self._cookies else {}) | ({"Content-Type": kind} if kind else {})
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        page = Page(answer.status, answer.headers.get("Location", ""), text)
        self._site.note(f"{method} {path}", page)
        return page


class Site(ABC):
    """An application, installed in a folder, with a database of its own."""

    # The tables to seal, each with the words for its columns.
    tables: ClassVar[list[list[str]]]
    # The folders that it keeps its data in.
    state: ClassVar[list[str]] = ["data"]

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        self.database = folder / "data" / "site.db"
        self.database.parent.mkdir(parents=True)
        self.is_sealed = False
        # Requests and their answers, without what differs from run to run.
        self.transcript: list[tuple[str, str]] = []
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])

    @abstractmethod
    def command(self) -> tuple[list[str | Path], dict[str, str]]:
        """What starts its server, and the environment variables for that."""

    @abstractmethod
    def first(self) -> None:
        """People use it."""

    @abstractmethod
    def second(self) -> None:
        """They come back after a restart."""

    @abstractmethod
    def canaries(self) -> list[str]:
        """What they have entered that is to be sealed."""

    def copy_to(self, folder: Path) -> Self:
        """The application with the same data and history in another place."""
        copy = type(self)(self.python, folder)
        for name in self.state:
            shutil.copytree(self.folder / name, folder / name, dirs_exist_ok=True)
        copy.transcript = list(self.transcript)
        return copy

    def use(self, *parts: Callable[[], None]) -> None:
        """Starts it, once for each part."""
        for part in parts:
            with self.serving():
                part()

    def seal(self) -> None:
        """Seals its personal columns in place; from now on it runs on the engine."""
        command: list[str | Path] = [self.python, "-c", PROTECT, self.database, json.dumps(self.tables)]
        subprocess.run(command, env=os.environ | KEY, check=True, timeout=120)
        self.is_sealed = True

    def browser(self, **headers: str) -> Browser:
        return Browser(self, {name.replace("_", "-"): value for name, value in headers.items()})

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Runs the server."""
        command, settings = self.command()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        log = self.folder / "log"
        with log.open("ab") as output:
            environ = kept | settings | (KEY if self.is_sealed else {}) | {"PYTHONDONTWRITEBYTECODE": "1"}
            server = subprocess.Popen(command, env=environ, cwd=self.folder, stdout=output, stderr=output)
            try:
                deadline = time.monotonic() + 120
                while not self._answers():
                    assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                    time.sleep(0.05)
                yield
            finally:
                server.terminate()
                server.wait(60)

    def _answers(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=60).close()
        except OSError:
            return False
        return True

    def note(self, request: str, page: Page) -> None:
        """Keeps an answer for the comparison."""
        text = f"{page.status} {page.location}\n{page.body}".replace(f":{self.port}", "")
        self.transcript.append((CHANGING.sub("", request), CHANGING.sub("", text)))

    def bytes_of_the_database(self) -> bytes:
        """All that stands in its file, its log, and whatever lies beside them."""
        return b"\n".join(path.read_bytes() for path in sorted(self.database.parent.iterdir()))
