"""The plain tables of a vault as SQL text."""

from collections.abc import Iterator
from typing import Any

from sealite._dbapi2 import Connection

_ENGINE = ("sealite_", "sqlite_")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def iterdump(connection: Connection, pattern: str | None = None) -> Iterator[str]:
    """The text, line by line. What is sealed is not in it: a line says which tables those are."""
    cursor = connection.cursor()
    cursor.row_factory = None
    rows: list[Any] = cursor.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND (? IS NULL OR name LIKE ?) ORDER BY name",
        (pattern, pattern),
    ).fetchall()
    sealed = {definition.name for definition in connection.vault.tables()}
    ours = [row for row in rows if not row[0].lower().startswith(_ENGINE) and row[0].removesuffix("_sealed") not in sealed]
    tables = [row for row in ours if row[1] == "table"]
    yield "BEGIN TRANSACTION;"
    for name in sorted(sealed):
        yield f"-- {_quoted(name)} is a sealed table: a copy of the file is its backup"
    for name, _, sql in tables:
        yield f"{sql};"
        columns = [str(row[1]) for row in cursor.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()]
        values = "||','||".join(f"quote({_quoted(column)})" for column in columns)
        start = _literal(f"INSERT INTO {_quoted(name)} VALUES(")
        for row in cursor.execute(f"SELECT {start}||{values}||')' FROM {_quoted(name)}").fetchall():
            yield f"{row[0]};"
    if any("autoincrement" in row[2].lower() for row in tables):
        names = [row[0] for row in tables]
        marks = ",".join("?" * len(names))
        for name, number in cursor.execute(f"SELECT name, seq FROM sqlite_sequence WHERE name IN ({marks})", names).fetchall():
            yield f"DELETE FROM sqlite_sequence WHERE name = {_literal(name)};"
            yield f"INSERT INTO sqlite_sequence VALUES({_literal(name)},{number});"
    for _, _, sql in (row for row in ours if row[1] in ("index", "trigger", "view")):
        yield f"{sql};"
    yield "COMMIT;"
