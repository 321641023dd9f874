"""What every store of the comparison does, and the made-up people that it keeps."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

# id, name, email, phone, role, plan: as all stores answer.
Person = tuple[int, str, str, str, str, str]
Row = tuple[str, str, str, str, str]

COLUMNS = ("name", "email", "phone", "role", "plan")
PERSONAL = ("name", "email", "phone")

CREATE = """CREATE TABLE people (id INTEGER PRIMARY KEY, name {kind} NOT NULL, email {kind} NOT NULL, phone {kind} NOT NULL,
    role TEXT NOT NULL, plan TEXT NOT NULL{more})"""


class Store:
    """People in a file: name, e-mail and phone are personal; role and plan need not be hidden.

    Rows get the ids 1, 2, 3 and so on. Each call is what an application would do at once: `insert` and `update` are one
    transaction, `get` and `find` read one person after the other, each outside any transaction.
    """

    title: ClassVar[str]
    # The name of the store that its times are set against.
    baseline: ClassVar[str] = "sqlite3"
    # Without an index, finding is reading everything: fewer are asked for.
    finds_by_scan: ClassVar[bool] = False
    # Where the sealed values lie, for whoever writes the file: the table, and the column with the name in it.
    physical: ClassVar[tuple[str, str]] = ("people", "name")
    rotation: ClassVar[str]

    def __init__(self, file: Path) -> None:
        """Opens the file, and makes the table where it is new."""
        raise NotImplementedError

    def insert(self, rows: Sequence[Row]) -> None:
        raise NotImplementedError

    def get(self, id: int) -> Person | None:
        raise NotImplementedError

    def find(self, email: str) -> Person | None:
        raise NotImplementedError

    def scan(self) -> Iterable[Person]:
        raise NotImplementedError

    def update(self, changes: Sequence[tuple[int, str, str]]) -> None:
        """Writes (id, name, role)."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def configure(connection: Any) -> None:
    """The pragmas of all: a commit is on the disk when it returns."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def empty(connection: Any) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def key(file: Path) -> bytes:
    """The key of a file's store, beside the file, so that it is there when the store is opened again."""
    import os

    path = file.with_suffix(".key")
    if not path.exists():
        path.write_bytes(os.urandom(32))
    return path.read_bytes()


class SqlStore(Store):
    """Plain SQL: what the program writes is what the file has."""

    SELECT = "SELECT id, name, email, phone, role, plan FROM people"

    def __init__(self, file: Path) -> None:
        self.connection = self.connect(file)
        if empty(self.connection):
            self.connection.execute(CREATE.format(kind="TEXT", more=""))
            self.connection.execute("CREATE UNIQUE INDEX people_email ON people (email)")

    def connect(self, file: Path) -> Any:
        connection = sqlite3.connect(file, isolation_level=None)
        configure(connection)
        return connection

    def insert(self, rows: Sequence[Row]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO people (name, email, phone, role, plan) VALUES (?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def get(self, id: int) -> Person | None:
        person: Person | None = self.connection.execute(f"{self.SELECT} WHERE id = ?", (id,)).fetchone()
        return person

    def find(self, email: str) -> Person | None:
        person: Person | None = self.connection.execute(f"{self.SELECT} WHERE email = ?", (email,)).fetchone()
        return person

    def scan(self) -> Iterable[Person]:
        people: Iterable[Person] = self.connection.execute(self.SELECT)
        return people

    def update(self, changes: Sequence[tuple[int, str, str]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        sql = "UPDATE people SET name = ?, role = ? WHERE id = ?"
        self.connection.executemany(sql, [(name, role, id) for id, name, role in changes])
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
