"""The loadable extension: sealed tables in the SQLite of other programs, the sqlite3 shell and another Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sealite

EXTENSION = os.environ.get("SEALITE_EXTENSION", "")
PEOPLE = {
    "email": "text sealed not null unique email",
    "name": "text sealed",
    "age": "integer authenticated default 3",
}

pytestmark = pytest.mark.skipif(not EXTENSION, reason="SEALITE_EXTENSION names no extension: see `make ext`")


@pytest.fixture
def people(path: Path, unlock: sealite.Unlock) -> Iterator[Path]:
    with sealite.Vault.create(path, unlock) as vault:
        vault.define_table("people", PEOPLE)
        vault.table("people").insert({"email": "ann@example.org", "name": "Ann"})
    yield path
    with sealite.Vault.open(path, unlock) as vault:
        assert not vault.verify().faults


def shell(path: Path, key: str, script: str) -> tuple[str, str]:
    """What the sqlite3 shell answers, and what it complains of."""
    program = shutil.which("sqlite3")
    assert program, "the sqlite3 shell is missing: install sqlite3"
    text = f".load {EXTENSION} sqlite3_sealiteext_init\n{script}\n"
    run = subprocess.run([program, path], input=text, capture_output=True, text=True, env={"APP_KEY": key}, timeout=120)
    return run.stdout, run.stderr


def test_sealed_tables_are_tables_in_the_shell(people: Path, key: str) -> None:
    out, errors = shell(
        people,
        key,
        """
        SELECT sealite_unlock('env:APP_KEY');
        INSERT INTO people (email, name) VALUES ('Bob@example.org', 'Bob'), ('cy@example.org', 'Cy');
        SELECT last_insert_rowid(), changes();
        SELECT id, name, age FROM people WHERE email = 'bob@EXAMPLE.org';
        UPDATE people SET age = 40 WHERE name = 'Cy';
        BEGIN; DELETE FROM people; ROLLBACK;
        SAVEPOINT s; INSERT INTO people (email) VALUES ('dee@example.org'); ROLLBACK TO s; RELEASE s;
        INSERT INTO people (email) VALUES ('eve@example.org');
        SELECT group_concat(id || ':' || age, ' ') FROM people;
        PRAGMA integrity_check;
        """,
    )
    assert errors == ""
    assert out.split("\n")[:-1] == ["1", "3|2", "2|Bob|3", "1:3 2:3 3:40 4:3", "ok"]


def test_what_the_host_alone_would_answer_wrongly_is_refused(people: Path, key: str) -> None:
    for sql, complaint in [
        ("INSERT INTO people (email) VALUES ('ann@example.org')", "UNIQUE constraint failed: people.email"),
        ("INSERT INTO people (email) VALUES ('bob@example.org') RETURNING id", "has RETURNING"),
        ("INSERT INTO people (name) VALUES ('Bob')", "NOT NULL constraint failed: people.email"),
        ("SELECT * FROM v", "unsafe use of virtual table"),
    ]:
        setup = "CREATE VIEW v AS SELECT email FROM people;" if sql.endswith("v") else ""
        out, errors = shell(people, key, f"SELECT sealite_unlock('env:APP_KEY'); {setup} {sql};")
        assert out == "1\n" and complaint in errors, (sql, out, errors)


def test_a_plain_table_of_the_same_name_keeps_the_vault_locked(people: Path, key: str) -> None:
    out, errors = shell(people, key, "CREATE TABLE people (x); SELECT sealite_unlock('env:APP_KEY'); DROP TABLE people;")
    assert out == "" and "not_allowed" in errors and "named people" in errors


def test_a_key_is_never_taken_from_the_text(people: Path, key: str) -> None:
    for reference, name in [(key, "invalid_input"), ("env:MISSING", "not_found"), ("file:/nowhere", "")]:
        out, errors = shell(people, key, f"SELECT sealite_unlock('{reference}');\nSELECT * FROM people;")
        assert out == "" and name in errors and "no such table: people" in errors
        assert key not in errors.replace(f"sealite_unlock('{key}')", "")
    out, errors = shell(people, "0" * 63 + "1", "SELECT sealite_unlock('env:APP_KEY');")
    assert out == "" and "sealite: " in errors


def test_the_vault_can_be_locked_and_unlocked_again(people: Path, key: str) -> None:
    out, errors = shell(
        people,
        key,
        """
        SELECT sealite_lock();
        SELECT sealite_unlock('env:APP_KEY');
        SELECT name FROM people;
        SELECT sealite_unlock('env:APP_KEY');
        SELECT sealite_lock();
        SELECT name FROM people;
        SELECT sealite_unlock('env:APP_KEY');
        SELECT name FROM people;
        """,
    )
    assert out.split() == ["0", "1", "Ann", "1", "1", "Ann"]
    assert "open on this connection already" in errors and "no such table: people" in errors


def test_without_the_extension_the_host_sees_physical_tables_and_nothing_broken(people: Path, tmp_path: Path) -> None:
    program = shutil.which("sqlite3")
    assert program
    copy = tmp_path / "copy.db"
    script = f""".tables
PRAGMA integrity_check;
VACUUM;
.backup {copy}
.dump
SELECT count(*) FROM people_sealed;
SELECT * FROM people;
"""
    run = subprocess.run([program, people], input=script, capture_output=True, text=True, timeout=120)
    assert "people_sealed" in run.stdout and "\nok\n" in run.stdout and run.stdout.endswith("\n1\n")
    assert "no such table: people" in run.stderr and "Ann" not in run.stdout and "ann@" not in run.stdout
    with copy.open("rb") as file:
        assert b"ann@example.org" not in file.read()


HOST = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.enable_load_extension(True)
connection.load_extension(sys.argv[2])
(tables,) = connection.execute("SELECT sealite_unlock('env:APP_KEY')").fetchone()
with connection:
    cursor = connection.execute("INSERT INTO people (email, name) VALUES (?, ?)", ("bob@example.org", "Bob"))
    assert cursor.lastrowid == 2 and cursor.rowcount == 1
try:
    with connection:
        connection.execute("INSERT INTO people (email) VALUES ('cy@example.org')")
        connection.execute("INSERT INTO people (email) VALUES ('bob@example.org')")
except sqlite3.IntegrityError as error:
    assert str(error) == "UNIQUE constraint failed: people.email", error
connection.execute("CREATE TABLE visits (person INTEGER REFERENCES people_sealed(id), day TEXT)")
connection.execute("INSERT INTO visits VALUES (2, 'monday')")
connection.commit()
rows = connection.execute("SELECT p.id, p.name, day FROM people p LEFT JOIN visits ON person = p.id ORDER BY 1").fetchall()
print(tables, sqlite3.sqlite_version_info >= (3, 40), rows)
connection.close()
"""


def hosts() -> list[str]:
    """Interpreters whose own SQLite loads extensions."""
    found = []
    for python in ("/usr/bin/python3", sys.executable):
        probe = "import sqlite3; sqlite3.connect(':memory:').enable_load_extension(True)"
        if os.path.exists(python) and subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
            found.append(python)
    return found


def test_another_python_writes_and_reads_sealed_tables_with_its_own_sqlite(
    people: Path, key: str, unlock: sealite.Unlock
) -> None:
    interpreters = hosts()
    if not interpreters:
        pytest.skip("no interpreter here has a sqlite3 that loads extensions")
    run = subprocess.run(
        [interpreters[0], "-c", HOST, people, EXTENSION], capture_output=True, text=True, env={"APP_KEY": key}, timeout=120
    )
    assert run.stderr == ""
    assert run.stdout == "1 True [(1, 'Ann', None), (2, 'Bob', 'monday')]\n"
    with sealite.Vault.open(people, unlock) as vault:
        found = vault.table("people").find_one("email", "BOB@example.org")
        assert found is not None and found["name"] == "Bob"


def test_the_documented_program_runs(people: Path, key: str) -> None:
    interpreters = hosts()
    if not interpreters:
        pytest.skip("no interpreter here has a sqlite3 that loads extensions")
    text = (Path(__file__).parents[2] / "docs" / "extension.md").read_text("utf-8")
    (block,) = re.findall(r"^```text\n(connection.*?)^```$", text, re.MULTILINE | re.DOTALL)
    code = f"import sqlite3\n{block}print(connection.execute('SELECT name FROM people').fetchall())\n"
    code = code.replace("target/ext/release/libsealite_ext.so", EXTENSION).replace("app.db", str(people))
    run = subprocess.run([interpreters[0], "-c", code], capture_output=True, text=True, env={"APP_KEY": key}, timeout=120)
    assert (run.stdout, run.stderr) == ("[('Ann',)]\n", "")
