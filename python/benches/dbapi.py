"""`sealite.dbapi2` on a sealed table against Python's own sqlite3 on a plain one: the same program on both.

Both sides keep the same columns and a unique index on e-mail, in WAL mode with synchronous=FULL, each in a file of its
own, and take turns.
"""

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sealite
from sealite import dbapi2

INSERT = "INSERT INTO people (name, email, phone, role, plan) VALUES (?, ?, ?, ?, ?)"
SELECT = "SELECT id, name, email, phone, role, plan FROM people"
BATCH = 10_000

MEANING = {
    "dbapi_insert_vs_sqlite3": f"executemany of {BATCH} rows, in transactions, sealed against sqlite3's plain",
    "dbapi_get_vs_sqlite3": "execute(SELECT by id).fetchone(), sealed against sqlite3's plain",
    "dbapi_scan_vs_sqlite3": "a loop over execute(SELECT) of all rows, sealed against sqlite3's plain",
}

Pairs = list[tuple[float, float]]


def sealed(file: Path) -> Any:
    connection = dbapi2.connect(file, key_bytes=bytes.fromhex(sealite.generate_key()))
    connection.define_table(
        "people",
        {
            "name": "text sealed",
            "email": "text sealed not null unique email",
            "phone": "text sealed",
            "role": "text authenticated",
            "plan": "text",
        },
    )
    return connection


def plain(file: Path) -> Any:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT NOT NULL, phone TEXT, role TEXT, plan TEXT)"
    )
    connection.execute("CREATE UNIQUE INDEX people_email ON people (email)")
    return connection


def insert(connection: Any, rows: list[Any]) -> None:
    with connection:
        connection.executemany(INSERT, rows)


def get(connection: Any, ids: list[int]) -> None:
    execute, sql = connection.execute, f"{SELECT} WHERE id = ?"
    for id in ids:
        row = execute(sql, (id,)).fetchone()
        assert row is not None


def scan(connection: Any, count: int) -> None:
    seen = 0
    for row in connection.execute(SELECT):
        seen += len(row)
    assert seen == 6 * count


def measure(pairs: int, folder: Path, rows: list[Any]) -> dict[str, Pairs]:
    """Seconds of ours and theirs, `pairs` of each."""
    draw, count, folder = random.Random(2), len(rows), folder / "dbapi"
    folder.mkdir()
    ids = [draw.randrange(1, count + 1) for _ in range(min(count, 20_000))]
    work: dict[str, tuple[Callable[[Any, Any], None], list[Any]]] = {
        "dbapi_insert_vs_sqlite3": (insert, [rows[at : at + BATCH] for at in range(0, count, BATCH)]),
        "dbapi_get_vs_sqlite3": (get, [ids[at : at + 1_000] for at in range(0, len(ids), 1_000)]),
        "dbapi_scan_vs_sqlite3": (scan, [count] * 3),
    }
    taken: dict[str, Pairs] = {name: [] for name in work}
    for number in range(pairs):
        ours, theirs = sealed(folder / f"ours{number}.db"), plain(folder / f"theirs{number}.db")
        for name, (run, arguments) in work.items():
            times = [0.0, 0.0]
            for turn, argument in enumerate(arguments):
                for side in (0, 1) if (turn + number) % 2 == 0 else (1, 0):
                    start = time.perf_counter()
                    run((ours, theirs)[side], argument)
                    times[side] += time.perf_counter() - start
            taken[name].append((times[0], times[1]))
        ours.close()
        theirs.close()
        for file in folder.iterdir():
            os.unlink(file)
    return taken


def main() -> None:
    from people import people

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        for name, pairs in measure(3, Path(folder), people(count)).items():
            ratios = sorted(ours / theirs for ours, theirs in pairs)
            print(f"{name:28} {statistics.median(ratios):.3f} {[round(r, 3) for r in ratios]} ours {pairs[-1][0]:.3f} s")


if __name__ == "__main__":
    main()
