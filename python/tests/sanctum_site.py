"""Sanctum over the plaintext database that it had before: the server, its first minutes, and who logs in to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from serving import UVICORN, Client, Server, at_once, serving, until

CODE, ADMIN = "code-5Xw2", "admin@example.org"
NOT_READY = (503, {"error": "instance_not_ready", "setup_required": True})
# What lay in the file in clear: sealed from then on, and what goes on to lie there, as its field's switch says.
OLD = {
    "users": [(1, "Old.Ada@Example.org", "Ada Oldcanary"), (2, "grace@example.org", None)],
    "fields": [(1, "phone", True, False), (2, "motto", False, True), (3, "diet", False, False)],
    "values": [(1, 1, "+44 20 oldcanary 0958"), (1, 2, "Motto-in-clear"), (2, 1, ""), (2, 3, None)],
    "settings": [("smtp.password", "oldcanary-password", True, True, "mail", "of before"), ("smtp.port", "2525", False, False, "mail", None)],
}
SEALED = ("Old.Ada", "Ada Oldcanary", "oldcanary 0958", "oldcanary-password")


def lay(file: Path) -> None:
    """The database of before, with what was deleted from it still in its free pages."""
    with closing(sqlite3.connect(file)) as old:
        old.executescript(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, role TEXT NOT NULL DEFAULT 'user');
            CREATE TABLE fields (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, encrypted BOOLEAN NOT NULL DEFAULT 0,
                                 public BOOLEAN NOT NULL DEFAULT 0);
            CREATE TABLE field_values (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                                       field_id INTEGER NOT NULL REFERENCES fields (id) ON DELETE CASCADE, value TEXT,
                                       UNIQUE (user_id, field_id));
            CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT, is_secret BOOLEAN, requires_restart BOOLEAN,
                                   category TEXT, description TEXT);
            """
        )
        old.executemany("INSERT INTO users (id, email, name) VALUES (?, ?, ?)", OLD["users"])
        old.executemany("INSERT INTO users (id, email, name) VALUES (?, ?, ?)", [(n, f"gone-{n}-Oldcanary", "x" * 500) for n in range(9, 99)])
        old.executemany("INSERT INTO fields VALUES (?, ?, ?, ?)", OLD["fields"])
        old.executemany("INSERT INTO field_values (user_id, field_id, value) VALUES (?, ?, ?)", OLD["values"])
        old.executemany("INSERT INTO settings VALUES (?, ?, ?, ?, ?, ?)", OLD["settings"])
        old.commit()
        old.execute("DELETE FROM users WHERE id > 8")
        old.commit()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sanctum")
    (folder / "outbox").mkdir()
    lay(folder / "vault.db")
    settings = {"SANCTUM_DB": str(folder / "vault.db"), "SANCTUM_OUTBOX": str(folder / "outbox"), "SANCTUM_SETUP_CODE": CODE}
    with serving(f"{UVICORN} sanctum:app", folder, settings | {"SANCTUM_MAIL_HOST": "mail.environment.example"}) as server:
        yield server


@pytest.fixture(scope="module")
def begun(server: Server) -> dict[str, Any]:
    """What came of writing before there was a vault, and of two workers that were asked to make it at once."""
    both = server.clients()
    user = {"email": "early@example.org", "name": "Early Canary"}
    early = [(answer.status_code, answer.json()) for each in both for answer in (each.post("/users", json=user), each.get("/me"))]
    ready = both[0].get("/readyz")
    stored = server.stored()
    wrong = both[0].post("/setup", json={"code": "guess", "email": ADMIN}).status_code
    setup = sorted(
        (answer.status_code, answer.json()) for answer in at_once(partial(each.post, "/setup", json={"code": CODE, "email": ADMIN}) for each in both)
    )
    server.hang_up()
    return {"early": early, "ready": ready, "stored": stored, "wrong": wrong, "setup": setup}


@pytest.fixture(autouse=True)
def _begun(begun: dict[str, Any]) -> None:
    """Before any test."""


def link(server: Server, client: Client, email: str, **more: Any) -> str | None:
    """The link that a letter has, where one is sent."""
    outbox = server.folder / "outbox"
    before = set(outbox.iterdir())
    assert client.post("/login", json={"email": email, **more}).status_code == 202
    # Another one, for somebody who is known, comes after it on the same connection.
    new = until(lambda: {path for path in outbox.iterdir() if path.stat().st_size} - before, "a letter")
    (letter,) = new
    return str(letter.read_text("utf-8").partition("#")[2])


def entered(server: Server, email: str, worker: int = 0) -> Client:
    """Logged in, by a link."""
    client = server.client(worker)
    answer = client.post("/enter", json={"token": link(server, client, email)})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return client


def registered(server: Server, email: str, worker: int = 0, **more: Any) -> Client:
    assert server.client().post("/users", json={"email": email, **more}).status_code == 201
    return entered(server, email, worker)


@pytest.fixture
def admin(server: Server) -> Client:
    return entered(server, ADMIN)


def events(admin: Client, name: str) -> list[dict[str, Any]]:
    return [each for each in admin.get("/admin/audit").json() if each["event"] == name]


def revealed(admin: Client, name: str) -> str:
    return str(admin.post(f"/admin/settings/{name}/reveal", json={"reason": "test"}).json()["value"])


def put(admin: Client, name: str, value: str) -> None:
    assert admin.ask("PUT", f"/admin/settings/{name}", json={"value": value}).status_code == 204


@contextmanager
def database(server: Server) -> Iterator[sqlite3.Connection]:
    """The file, as somebody has it who may write it."""
    with closing(sqlite3.connect(server.folder / "vault.db", timeout=60, isolation_level=None)) as connection:
        yield connection
