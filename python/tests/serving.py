"""Applications as they are served: gunicorn or uvicorn with several workers, and connections to one worker or another."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest

import sealite

_T = TypeVar("_T")

ADOPTERS = Path(__file__).parents[1] / "examples" / "adopters"
# Within which whatever is waited for has come, on the slowest of machines.
SOON = 180
GUNICORN = "gunicorn --preload --worker-class gthread --threads 16 --keep-alive 600 --timeout 600 --bind 127.0.0.1:0 --access-logfile -"
UVICORN = "uvicorn --port 0 --timeout-keep-alive 600 --timeout-worker-healthcheck 600 --timeout-graceful-shutdown 1"


class Server:
    """An application that runs, in a folder of its own, with the key to its vault in APP_KEY."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str], workers: int = 2) -> None:
        self.command, self.folder, self.count = [*command.split(), "--workers", str(workers)], folder, workers
        self.key = sealite.generate_key()
        self.environment = {"APP_KEY": self.key, **environment}
        self.starts = 0
        self._open: list[Client] = []

    def start(self) -> None:
        self.starts += 1
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ADOPTERS,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = until(self._address, "the address")
        self.workers = until(self._started, "the workers")
        until(self._answers, "an answer")

    @property
    def _log(self) -> Path:
        return self.folder / f"server-{self.starts}.log"

    def log(self) -> str:
        """What the server has written, over all of its starts."""
        return "".join(path.read_text("utf-8") for path in sorted(self.folder.glob("server-*.log")))

    def _lines(self) -> str:
        text = self._log.read_text("utf-8")
        assert self.process.poll() is None, text
        return text

    def _address(self) -> str | None:
        found = re.search(r"http://127\.0\.0\.1:\d+", self._lines())
        return found[0] if found else None

    def _started(self) -> list[int] | None:
        found = re.findall(r"(?:Booting worker with pid: |Started server process \[)(\d+)", self._lines())
        return [int(pid) for pid in found] if len(found) == self.count else None

    def _answers(self) -> bool:
        self._lines()
        with suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/readyz", timeout=SOON).status_code in (200, 503)
        return False

    def client(self, worker: int = 0, address: str = "127.0.0.1", **headers: str) -> "Client":
        """A connection to that worker."""
        return self.crowd(1, worker, address, **headers)[0]

    def crowd(self, number: int, worker: int = 0, address: str = "127.0.0.1", **headers: str) -> "list[Client]":
        """So many connections to that worker: the others stand still until they were taken."""
        others = [pid for pid in self.workers if pid != self.workers[worker]]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            for pid in others:
                until(lambda pid=pid: _state(pid) == "T", "a worker that stands still")
            made = [Client(self.url, address, headers) for _ in range(number)]
            self._open += made
            for client in made:
                client.get("/no-such-page")
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
        return made

    def again(self, client: "Client", worker: int = 0) -> "Client":
        """The same browser over another connection: a server closes one after an error of its own."""
        other = self.client(worker)
        other.headers, other.cookies = dict(client.headers), dict(client.cookies)
        return other

    def clients(self, address: str = "127.0.0.1", each: int = 1, **headers: str) -> "list[Client]":
        """So many connections to each of the workers."""
        return [client for worker in range(self.count) for client in self.crowd(each, worker, address, **headers)]

    def vault(self, name: str = "vault.db") -> sealite.Vault:
        return sealite.Vault.open(self.folder / name, sealite.Unlock.key_text(self.key), busy_timeout=SOON)

    def stored(self, *patterns: str) -> bytes:
        """Everything that lies in its databases."""
        return b"".join(path.read_bytes() for pattern in patterns or ("*.db*",) for path in sorted(self.folder.glob(pattern)))

    def hang_up(self) -> None:
        while self._open:
            self._open.pop().http.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.hang_up()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SOON)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Client:
    """One connection, from an address of its own, that keeps cookies as browsers do behind TLS."""

    def __init__(self, url: str, address: str, headers: dict[str, str]) -> None:
        limits = httpx2.Limits(max_connections=1, keepalive_expiry=None)
        transport = httpx2.HTTPTransport(local_address=address, limits=limits)
        self.http = httpx2.Client(base_url=url, transport=transport, timeout=SOON)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        sent = {**self.headers, **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.http.request(method, path, headers=sent, **more)
        for header in answer.headers.get_list("set-cookie"):
            ((name, morsel),) = SimpleCookie(header).items()
            assert morsel["secure"] and morsel["httponly"] and morsel["samesite"].lower() == "lax"
            self.cookies = {name: morsel.value} if morsel.value else {}
        return answer

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.ask("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        return self.ask("POST", path, headers, **more)

    def form(self, path: str, **fields: str) -> httpx2.Response:
        return self.ask("POST", path, data=fields)


@contextmanager
def serving(
    command: str,
    folder: Path,
    environment: dict[str, str],
    workers: int = 2,
    prepare: Callable[[sealite.Vault], object] | None = None,
) -> Iterator[Server]:
    """Serves an application of python/examples/adopters; with its vault, where there is something to prepare in it."""
    server = Server(command, folder, environment, workers)
    if prepare is not None:
        with sealite.Vault.create(folder / "vault.db", sealite.Unlock.key_text(server.key)) as vault:
            prepare(vault)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def at_once(calls: Iterable[Callable[[], _T]]) -> list[_T]:
    """What came of calls that were made at the same time."""
    waiting = list(calls)
    with ThreadPoolExecutor(len(waiting)) as pool:
        return [future.result(SOON) for future in [pool.submit(call) for call in waiting]]


def until(look: Callable[[], Any], what: str) -> Any:
    """What there is to see, as soon as there is something."""
    end = time.monotonic() + SOON
    while not (seen := look()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
    return seen


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]


@pytest.fixture(autouse=True)
def hang_up(server: Server) -> Iterator[None]:
    """For modules with a `server`: their tests leave no connection."""
    yield
    server.hang_up()
