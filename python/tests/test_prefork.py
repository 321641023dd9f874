"""Servers that open the vault, fork their workers, and go on in each of them: gunicorn with preloading, Celery's prefork."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import sealite
from conftest import record_bytes
from sealite import Unlock, Vault

# Opened when the module is loaded: before the fork, and something is done with it, so that its buffers are warm.
OPEN = """
import os, time, sealite
vault = sealite.Vault.open(os.environ["APP_PATH"], sealite.Unlock.environment("APP_KEY"), busy_timeout=60.0)
users = vault.table("users")
users.insert(email=f"loaded by {os.getpid()}@x.example")

def meet(number):
    # The first two wait for each other, so that there are two workers in any case.
    end = time.monotonic() + 100
    while number < 2 and users.find_one("email", f"{1 - number}@x.example") is None:
        assert time.monotonic() < end
        time.sleep(0.01)
"""

WSGI = OPEN + """
def application(environ, start_response):
    number = int(environ["PATH_INFO"].strip("/"))
    with vault.transaction() as transaction:
        transaction.table("users").insert(email=f"{number}@x.example", name=str(os.getpid()))
    meet(number)
    found = users.find_one("email", f"{number}@X.example")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [found["name"].encode()]
"""

CELERY = OPEN + """
import celery
folder = os.environ["APP_BROKER"]
app = celery.Celery("tasks", broker="filesystem://")
app.conf.update(
    broker_transport_options={"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"},
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
)

@app.task
def add(number):
    users.insert(email=f"{number}@x.example", name=str(os.getpid()))
    meet(number)
    assert users.find_one("email", f"{number}@X.example") is not None
"""


@contextmanager
def server(folder: Path, path: Path, key: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that is asked to end, and does."""
    environment = {**os.environ, "APP_KEY": key, "APP_PATH": str(path), "APP_BROKER": str(folder)}
    with (folder / "server.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", *command], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield child
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=120) == 0, (folder / "server.log").read_text()
    finally:
        child.kill()
        child.wait()


def until(what: Callable[[], bool], child: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for it; a server that has ended, or takes minutes, is a failure."""
    end = time.monotonic() + 240
    while not what():
        assert child.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def check(path: Path, key: str, requests: int, loaded: int, run: Callable[..., str]) -> set[str]:
    """Everything is there and opens, and no nonce stands twice; the workers that wrote."""
    with Vault.open(path, Unlock.key_text(key)) as vault:
        assert vault.table("users").count() == requests + loaded
        assert vault.verify().sound
        workers = {row["name"] for row in vault.table("users").scan() if row["name"] is not None}
    records = record_bytes(path, "users", run)
    assert len({record[7:31] for record in records}) == len(records) == requests + loaded
    return workers


class Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(str(self._path))


def test_gunicorn_preloads(vault: sealite.Vault, path: Path, key: str, tmp_path: Path, run: Callable[..., str]) -> None:
    vault.close()
    (tmp_path / "site_wsgi.py").write_text(WSGI)
    address = tmp_path / "http"

    def ask(number: int) -> str:
        connection = Connection(address)
        connection.request("GET", f"/{number}")
        answer = connection.getresponse()
        assert answer.status == 200
        worker = answer.read().decode()
        connection.close()
        return worker

    command = ("gunicorn", "--preload", "--workers=3", "--timeout=120", f"--bind=unix:{address}", "site_wsgi:application")
    with server(tmp_path, path, key, *command) as child:
        until(address.exists, child, tmp_path / "server.log")
        with ThreadPoolExecutor(6) as threads:
            workers = set(threads.map(ask, range(300)))
    assert check(path, key, 300, 1, run) == workers
    assert len(workers) > 1 and str(child.pid) not in workers


def test_celery_forks_before(vault: sealite.Vault, path: Path, key: str, tmp_path: Path, run: Callable[..., str]) -> None:
    (tmp_path / "tasks.py").write_text(CELERY)
    (tmp_path / "control").mkdir()
    send = "import tasks\nfor number in range(60): tasks.add.delay(number)\n"
    environment = {**os.environ, "APP_KEY": key, "APP_PATH": str(path), "APP_BROKER": str(tmp_path)}
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=environment, check=True, timeout=240)
    command = ("celery", "--app=tasks", "worker", "--pool=prefork", "--concurrency=3", "--without-gossip", "--without-mingle")
    with server(tmp_path, path, key, *command) as child:
        users = vault.table("users")
        # One row each that the sender and the worker have written when they loaded the module.
        until(lambda: users.count() == 62, child, tmp_path / "server.log")
    vault.close()
    workers = check(path, key, 60, 2, run)
    assert len(workers) > 1 and str(child.pid) not in workers
