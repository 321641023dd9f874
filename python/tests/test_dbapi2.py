"""`sealite.dbapi2` over sealed tables: what a program that knows sqlite3 relies on."""

import datetime
import gc
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sealite
from conftest import SQL_PEOPLE as PEOPLE
from sealite import dbapi2

INSERT = "INSERT INTO people (email, name) VALUES (?, ?)"


def emails(connection: dbapi2.Connection) -> list[str]:
    return [email for (email,) in connection.execute("SELECT email FROM people ORDER BY id")]


def test_ids_counts_and_rows_are_those_of_the_logical_table(connection: dbapi2.Connection) -> None:
    cursor = connection.execute(INSERT, ("ada@example.org", "Ada"))
    assert (cursor.lastrowid, cursor.rowcount, cursor.description) == (1, 1, None)
    cursor = connection.executemany(INSERT, [(f"p{n}@example.org", "P") for n in range(200)])
    assert cursor.rowcount == 200
    assert connection.execute("UPDATE people SET plan = 'pro' WHERE id <= 50").rowcount == 50
    cursor = connection.execute("SELECT id, name, role, plan FROM people WHERE email = :email", {"email": "ADA@example.org"})
    assert [name for name, *_ in cursor.description] == ["id", "name", "role", "plan"]
    assert cursor.rowcount == -1
    assert cursor.fetchall() == [(1, "Ada", "user", "pro")]
    assert connection.execute(INSERT + " RETURNING id, role", ("z@example.org", None)).fetchone() == (202, "user")
    assert connection.execute("DELETE FROM people WHERE plan = 'pro'").rowcount == 50
    assert connection.execute("SELECT count(*) FROM people").fetchone() == (152,)


def test_errors_are_of_pep_249_and_carry_both_codes(connection: dbapi2.Connection) -> None:
    connection.execute(INSERT, ("ada@example.org", "Ada"))
    with pytest.raises(dbapi2.IntegrityError, match=r"UNIQUE constraint failed: people\.email") as raised:
        connection.execute(INSERT, (" Ada@Example.org", "secret value"))
    assert raised.value.sqlite_errorcode == dbapi2.SQLITE_CONSTRAINT_UNIQUE
    assert raised.value.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE"
    assert (raised.value.code, raised.value.name) == (sealite.Conflict.code, "conflict")
    with pytest.raises(dbapi2.IntegrityError) as raised:
        connection.execute("INSERT INTO people (email, age) VALUES ('b@example.org', 'secret value')")
    assert "secret" not in str(raised.value)
    with pytest.raises(dbapi2.OperationalError, match="no such table: missing"):
        connection.execute("SELECT * FROM missing")
    with pytest.raises(dbapi2.DatabaseError) as refused:
        connection.execute("SELECT sealed FROM people_sealed")
    assert (refused.value.code, refused.value.sqlite_errorcode) == (sealite.NotAllowed.code, dbapi2.SQLITE_AUTH)
    with pytest.raises(dbapi2.NotSupportedError, match="create_function"):
        connection.enable_load_extension(True)
    with pytest.raises(dbapi2.ProgrammingError, match="Incorrect number of bindings"):
        connection.execute(INSERT, ("one",))


def test_a_trigger_that_uses_a_sealed_table_is_refused_where_it_is_made(connection: dbapi2.Connection) -> None:
    connection.execute("CREATE TABLE visits (people INTEGER)")
    for kind in ("TRIGGER", "TEMP TRIGGER"):
        for body in ("DELETE FROM people", "INSERT INTO visits SELECT count(*) FROM people"):
            with pytest.raises(dbapi2.NotSupportedError, match="sealed table people"):
                connection.execute(f"CREATE {kind} t AFTER INSERT ON visits BEGIN {body}; END")
    connection.execute("CREATE TRIGGER t AFTER INSERT ON visits BEGIN UPDATE visits SET people = people + 1; END")
    connection.execute("INSERT INTO visits VALUES (1)")
    assert connection.execute("SELECT people FROM visits").fetchone() == (2,)


def test_an_edited_row_is_refused(connection: dbapi2.Connection, path: Path, run: Callable[..., str]) -> None:
    connection.executemany("INSERT INTO people (email, role) VALUES (?, ?)", [("a@example.org", "user"), ("b@example.org", "user")])
    connection.commit()
    run("import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute(\"UPDATE people_sealed SET role = 'admin' WHERE id = 2\")\nc.commit()", path)
    cursor = connection.execute("SELECT id, role FROM people ORDER BY id")
    # The row before it is there.
    assert cursor.fetchone() == (1, "user")
    with pytest.raises(dbapi2.DatabaseError) as raised:
        cursor.fetchone()
    assert raised.value.code == sealite.AuthenticationFailed.code


def test_nothing_sealed_is_in_the_file(connection: dbapi2.Connection, path: Path) -> None:
    connection.execute(INSERT, ("canary-5c2d@example.org", "Canary 5c2d"))
    connection.commit()
    for file in path.parent.iterdir():
        assert b"5c2d" not in file.read_bytes()


def test_legacy_transactions_begin_with_a_write(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    other = connect()
    connection.execute(INSERT, ("a@example.org", None))
    assert connection.in_transaction and emails(other) == []
    connection.rollback()
    assert not connection.in_transaction and emails(connection) == []
    with connection:
        connection.execute(INSERT, ("b@example.org", None))
    with pytest.raises(ZeroDivisionError), connection:
        connection.execute(INSERT, ("c@example.org", None))
        raise ZeroDivisionError
    assert emails(other) == ["b@example.org"]
    connection.execute("SAVEPOINT s")
    connection.execute(INSERT, ("d@example.org", None))
    connection.execute("ROLLBACK TO s")
    connection.execute("RELEASE s")
    connection.commit()
    assert emails(other) == ["b@example.org"]


def test_autocommit_true_and_false(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    always, never = connect(autocommit=True), connect(autocommit=False)
    assert connection.autocommit == dbapi2.LEGACY_TRANSACTION_CONTROL
    always.execute(INSERT, ("a@example.org", None))
    assert (always.autocommit, always.in_transaction) == (True, False)
    assert (never.autocommit, never.in_transaction) == (False, True)
    assert emails(never) == ["a@example.org"]
    always.execute(INSERT, ("b@example.org", None))
    # One moment, from the first statement on.
    assert emails(never) == ["a@example.org"]
    never.commit()
    never.execute(INSERT, ("c@example.org", None))
    never.rollback()
    never.execute(INSERT, ("d@example.org", None))
    never.autocommit = True
    assert emails(always) == ["a@example.org", "b@example.org", "d@example.org"]
    with pytest.raises(ValueError, match="autocommit"):
        never.autocommit = "yes"  # type: ignore[assignment]


def test_a_script_s_transactions_are_its_own(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    other = connect()
    insert = "INSERT INTO people (email) VALUES ('{}@example.org');"
    connection.execute(INSERT, ("before@example.org", None))
    connection.executescript(insert.format("one") + "BEGIN; DELETE FROM people; ROLLBACK;" + insert.format("two"))
    assert not connection.in_transaction
    kept = [f"{name}@example.org" for name in ("before", "one", "two")]
    assert emails(other) == kept
    connection.executescript("BEGIN;" + insert.format("three"))
    assert connection.in_transaction and emails(other) == kept
    connection.rollback()
    assert emails(connection) == kept


def test_a_close_without_a_commit_keeps_nothing(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    other = connect()
    other.execute(INSERT, ("a@example.org", None))
    other.close()
    other.close()
    assert emails(connection) == []
    with pytest.raises(dbapi2.ProgrammingError, match="closed"):
        other.execute("SELECT 1")


def test_one_vault_serves_all_connections_of_a_key(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection, path: Path, key: str) -> None:
    other = connect()
    assert other.vault is connection.vault
    # The same key, said otherwise, is checked for itself.
    third = dbapi2.connect(str(path), key_bytes=bytes.fromhex(key))
    assert third.vault is not connection.vault and emails(third) == []
    third.close()
    vault = connection.vault
    connection.close()
    assert vault.status == "open"
    other.close()
    with pytest.raises(sealite.Closed):
        vault.status


def test_a_wrong_key_opens_nothing_though_the_vault_is_open(connection: dbapi2.Connection, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", sealite.generate_key())
    with pytest.raises(dbapi2.OperationalError) as raised:
        dbapi2.connect(path, key="env:OTHER_KEY")
    assert raised.value.code == sealite.WrongKey.code
    with pytest.raises(dbapi2.OperationalError, match="needs its key"):
        dbapi2.connect(path)
    with pytest.raises(dbapi2.ProgrammingError):
        dbapi2.connect(path, key=sealite.generate_key())


def test_a_uri_names_mode_and_key(connection: dbapi2.Connection, path: Path, key_name: str) -> None:
    connection.execute(INSERT, ("a@example.org", None))
    connection.commit()
    reader = dbapi2.connect(f"file:{path}?mode=ro&key={key_name}", uri=True)
    assert emails(reader) == ["a@example.org"]
    with pytest.raises(dbapi2.OperationalError):
        reader.execute(INSERT, ("b@example.org", None))
    reader.close()
    with pytest.raises(dbapi2.OperationalError, match="unable to open"):
        dbapi2.connect(f"file:{path}.missing?mode=rw&key={key_name}", uri=True)


def test_a_vault_that_is_open_can_be_given(vault: sealite.Vault) -> None:
    connection = dbapi2.connect(vault=vault)
    connection.execute("INSERT INTO users (email) VALUES ('a@example.org')")
    connection.commit()
    found = vault.table("users").find_one("email", "a@example.org")
    assert found is not None
    connection.close()
    assert vault.status == "open"


def test_each_memory_is_its_own() -> None:
    one, other = dbapi2.connect(":memory:"), dbapi2.connect(":memory:")
    one.define_table("people", PEOPLE)
    with pytest.raises(dbapi2.OperationalError, match="no such table"):
        other.execute("SELECT * FROM people")
    one.close()
    other.close()


def test_an_exception_of_a_function_is_the_cause(connection: dbapi2.Connection) -> None:
    def fail() -> None:
        raise LookupError("of the function")

    def stop() -> None:
        raise SystemExit(3)

    connection.create_function("fail", 0, fail)
    connection.create_function("stop", 0, stop)
    with pytest.raises(dbapi2.OperationalError, match="user-defined function raised exception") as raised:
        connection.execute("SELECT fail()")
    assert isinstance(raised.value.__cause__, LookupError)
    with pytest.raises(SystemExit):
        connection.execute("SELECT stop()")
    connection.create_function("again", 0, lambda: connection.execute("SELECT 1"))
    with pytest.raises(dbapi2.OperationalError) as raised:
        connection.execute("SELECT again()")
    assert isinstance(raised.value.__cause__, dbapi2.ProgrammingError)


def test_a_trace_shows_no_value(connection: dbapi2.Connection) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    connection.execute(INSERT, ("canary@example.org", "canary"))
    connection.executemany(INSERT, [("canary2@example.org", "canary")])
    connection.commit()
    assert seen == ["BEGIN ", INSERT, INSERT, "COMMIT"]
    assert "canary" not in repr(connection) + repr(connection.cursor())


def test_dates_go_through_adapters_and_converters(connect: Callable[..., dbapi2.Connection]) -> None:
    connection = connect(detect_types=dbapi2.PARSE_DECLTYPES | dbapi2.PARSE_COLNAMES)
    connection.execute("CREATE TABLE days (day DATE, at TIMESTAMP)")
    day, at = datetime.date(2026, 2, 3), datetime.datetime(2026, 2, 3, 4, 5, 6, 7)
    connection.execute("INSERT INTO days VALUES (?, ?)", (day, at))
    assert connection.execute("SELECT day, at FROM days").fetchone() == (day, at)
    with pytest.raises(dbapi2.ProgrammingError, match="commit"):
        connection.define_table("people", PEOPLE)
    connection.commit()
    connection.define_table("people", PEOPLE)
    connection.execute(INSERT, ("a@example.org", day))
    assert connection.execute('SELECT name AS "born [date]" FROM people').fetchone() == (day,)


def test_a_copy_opens_with_the_same_key(connection: dbapi2.Connection, tmp_path: Path, key_name: str) -> None:
    connection.execute(INSERT, ("a@example.org", "Canary 5c2d"))
    connection.commit()
    seen: list[tuple[int, int, int]] = []
    connection.backup(tmp_path / "copy.db", pages=4, progress=lambda *left: seen.append(left))
    assert seen[-1][:2] == (dbapi2.SQLITE_DONE, 0)
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert b"5c2d" not in (tmp_path / "copy.db").read_bytes() and b"5c2d" not in connection.serialize()
    copy = dbapi2.connect(tmp_path / "copy.db", key=key_name)
    assert emails(copy) == ["a@example.org"]
    copy.close()
    with pytest.raises(FileExistsError):
        connection.backup(tmp_path / "copy.db")


def test_a_copy_does_not_wait_for_its_own_transaction(connection: dbapi2.Connection, tmp_path: Path) -> None:
    connection.execute(INSERT, ("ada@example.org", "Ada"))
    with pytest.raises(dbapi2.OperationalError, match="commit first"):
        connection.backup(str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()
    connection.commit()
    connection.backup(str(tmp_path / "copy.db"))


def test_a_dump_has_nothing_sealed(connection: dbapi2.Connection) -> None:
    connection.execute(INSERT, ("a@example.org", "Canary 5c2d"))
    connection.execute("CREATE TABLE plain (text)")
    connection.execute("INSERT INTO plain VALUES ('it''s')")
    lines = list(connection.iterdump())
    assert "INSERT INTO \"plain\" VALUES('it''s');" in lines
    assert "5c2d" not in "".join(lines) and any(line.startswith('-- "people" is a sealed table') for line in lines)


def test_a_statement_that_is_let_go_on_the_way_blocks_nothing(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    connection.executemany(INSERT, [(f"p{n}@example.org", "P") for n in range(500)])
    connection.commit()
    cursor = connection.execute("SELECT * FROM people")
    assert cursor.fetchone() is not None
    assert len(cursor.fetchmany(100)) == 100
    del cursor
    gc.collect()
    other = connect(timeout=0)
    with other:
        other.execute("DELETE FROM people")
    assert emails(connection) == []


@pytest.mark.skipif(sys.version_info < (3, 13), reason="sqlite3 warns from 3.13 on")
def test_a_connection_that_is_not_closed_is_warned_of(path: Path, key_name: str) -> None:
    with pytest.warns(ResourceWarning, match="unclosed"):
        dbapi2.connect(path, key=key_name)
        gc.collect()


def test_a_schema_with_a_number_of_its_own_is_adopted_with_its_habits(connect: Callable[..., dbapi2.Connection], path: Path) -> None:
    old = sqlite3.connect(path)
    old.executescript(
        """CREATE TABLE threads (id INTEGER PRIMARY KEY, uri TEXT);
           CREATE TABLE comments (tid INTEGER REFERENCES threads (id), id INTEGER PRIMARY KEY, email TEXT);
           CREATE TRIGGER stale AFTER DELETE ON comments BEGIN DELETE FROM threads WHERE id NOT IN (SELECT tid FROM comments); END;
           INSERT INTO threads VALUES (4, '/a');
           INSERT INTO comments VALUES (4, 9, 'ada@example.org');
           PRAGMA user_version = 5;"""
    )
    old.close()
    adopted = connect(existing_database=True)
    adopted.execute("SELECT sealite_protect('comments', 'email sealed')")
    assert adopted.execute("PRAGMA user_version").fetchone() == (5,)
    adopted.execute("PRAGMA user_version = 6")
    assert adopted.execute("SELECT * FROM comments").fetchall() == [(4, 9, "ada@example.org")]
    assert adopted.execute('SELECT strftime("%Y", "2026-01-31") FROM comments WHERE "email" LIKE "ada%"').fetchone() == ("2026",)
    adopted.execute("DELETE FROM comments WHERE id = 9")
    assert adopted.execute("SELECT count(*) FROM threads").fetchone() == (0,)
    adopted.commit()
    assert adopted.execute("PRAGMA user_version").fetchone() == (6,)
