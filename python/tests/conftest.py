"""Fixtures: a key, a vault in a file, and one with people in it. The tests run against the installed wheel."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sealite
from sealite import dbapi2

pytest_plugins = ["sealite.testing"]
# A root of its own, for SQLAlchemy's plugin: test_dialect_suite.py runs it.
collect_ignore = ["suite"]

PEOPLE = {
    "email": "text sealed not null unique email",
    "name": "text sealed",
    "surname": "text sealed lookup 5000 text",
    "role": "text authenticated default 'user'",
    "plan": "text default 'free'",
}


@pytest.fixture
def key() -> str:
    return sealite.generate_key()


@pytest.fixture
def unlock(key: str) -> sealite.Unlock:
    return sealite.Unlock.key_text(key)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def vault(path: Path, unlock: sealite.Unlock) -> Iterator[sealite.Vault]:
    with sealite.Vault.create(path, unlock) as vault:
        vault.define_table("users", PEOPLE)
        vault.define_table("notes", {"body": "sealed"}, key="slug", text_key=True, per_tenant=True)
        yield vault


@pytest.fixture
def users(vault: sealite.Vault) -> sealite.Table:
    return vault.table("users")


@pytest.fixture
def run(key: str) -> Callable[..., str]:
    """Runs a program in another process, with the key in APP_KEY; its output."""

    def run(program: str, *arguments: str | Path, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", program, *map(str, arguments)],
            env={**os.environ, "APP_KEY": key},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    return run


def record_bytes(path: Path, table: str, run: Callable[..., str]) -> list[bytes]:
    """The sealed records of a table as they lie in the file, read by another process."""
    program = (
        "import sqlite3, sys\n"
        "for (sealed,) in sqlite3.connect(sys.argv[1]).execute(f'SELECT sealed FROM {sys.argv[2]}_sealed'):\n"
        "    print(sealed.hex())\n"
    )
    return [bytes.fromhex(line) for line in run(program, path, table).split()]


SQL_PEOPLE = {
    "email": "text sealed not null unique email",
    "name": "text sealed",
    "age": "integer sealed",
    "role": "text authenticated default 'user'",
    "plan": "text default 'free'",
}


@pytest.fixture
def key_name(key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("APP_KEY", key)
    return "env:APP_KEY"


@pytest.fixture
def connect(path: Path, key_name: str) -> Iterator[Callable[..., dbapi2.Connection]]:
    opened: list[dbapi2.Connection] = []

    def connect(**keywords: Any) -> dbapi2.Connection:
        opened.append(dbapi2.connect(path, key=key_name, **keywords))
        return opened[-1]

    yield connect
    for connection in opened:
        # One that a thread has opened, it has closed.
        with contextlib.suppress(dbapi2.ProgrammingError):
            connection.close()


@pytest.fixture
def connection(connect: Callable[..., dbapi2.Connection]) -> dbapi2.Connection:
    connection = connect()
    assert connection.define_table("people", SQL_PEOPLE)
    return connection
