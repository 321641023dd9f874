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
    # SQL makes no table of such a name: these are the engine's.
    sealed = [row[0].removesuffix("_sealed") for row in rows if row[1] == "table" and row[0].lower().endswith("_sealed")]
    sealed = [name for name in sealed if not name.lower().startswith(_ENGINE)]
    ours = [row for row in rows if not row[0].lower().startswith(_ENGINE) and row[0].removesuffix("_sealed") not in sealed]
    tables = [row for row in ours if row[1] == "table"]
    yield "BEGIN TRANSACTION;"
    for name in sealed:
        yield f"-- {_quoted(name)} is a sealed table: a copy of the file is its backup"
    writable = False
    for name, _, sql in tables:
        if sql.upper().startswith("CREATE VIRTUAL TABLE"):
            if not writable:
                writable = True
                yield "PRAGMA writable_schema=ON;"
            values = ",".join(map(_literal, ("table", name, name)))
            yield f"INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES({values},0,{_literal(sql)});"
            continue
        yield f"{sql};"
        columns = [str(row[1]) for row in cursor.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()]
        values = "||','||".join(f"quote({_quoted(column)})" for column in columns)
        start = _literal(f"INSERT INTO {_quoted(name)} VALUES(")
        for row in cursor.execute(f"SELECT {start}||{values}||')' FROM {_quoted(name)}").fetchall():
            yield f"{row[0]};"
    for _, _, sql in (row for row in ours if row[1] in ("index", "trigger", "view")):
        yield f"{sql};"
    if any("autoincrement" in row[2].lower() for row in tables):
        yield 'DELETE FROM "sqlite_sequence";'
        names = [row[0] for row in tables]
        marks = ",".join("?" * len(names))
        for name, number in cursor.execute(f"SELECT name, seq FROM sqlite_sequence WHERE name IN ({marks})", names).fetchall():
            yield f'INSERT INTO "sqlite_sequence" VALUES({_literal(name)},{number});'
    if writable:
        yield "PRAGMA writable_schema=OFF;"
    yield "COMMIT;"
