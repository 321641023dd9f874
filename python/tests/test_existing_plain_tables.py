"""A database that has been there before: what is called sealed is never written, nor declared, where it stands in clear."""

import asyncio
from pathlib import Path

import pytest
import sealite
import sqlalchemy as sa
from sealite import dbapi2
from sealite.sqlalchemy import Sealed
from sqlalchemy.ext.asyncio import create_async_engine

PEOPLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT)"


def model() -> sa.Table:
    """A table as an application declares it, anew."""
    email = sa.Column("email", Sealed(sa.Text(), index="unique email", label="people.email"), nullable=False)
    return sa.Table("people", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), email, sa.Column("name", sa.Text))


@pytest.fixture
def plain(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APP_KEY", key)
    with dbapi2.connect(str(path), key="env:APP_KEY") as connection:
        connection.execute(PEOPLE)
        connection.execute("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')")
        connection.commit()
    connection.close()
    return path


def test_a_plain_table_is_not_declared_over(plain: Path) -> None:
    connection = dbapi2.connect(str(plain), key="env:APP_KEY")
    for declare in (connection.define_table, connection.vault.define_table):
        with pytest.raises((sealite.Definition, dbapi2.Error), match="protect_table, in SQL sealite_protect") as refused:
            declare("people", {"email": "text sealed"})
        assert getattr(refused.value, "name", None) == "definition"
    assert connection.execute("SELECT email FROM people").fetchall() == [("ann@example.org",)]
    connection.vault.protect_table("people", ["email sealed"])
    assert not connection.vault.define_table("people", {"email": "text sealed"})
    connection.close()


def test_a_model_s_sealed_columns_are_not_written_in_clear(plain: Path) -> None:
    engine, people = sa.create_engine(f"sqlite+sealite:///{plain}?key=env:APP_KEY"), model()
    people.metadata.create_all(engine)
    add = people.insert().values(email="secret-bob@example.org")
    for write in (add, people.update().values(email="secret-eve@example.org"), people.insert().from_select(["email"], sa.select(people.c.email))):
        with engine.connect() as connection, pytest.raises(sealite.Definition, match="email of table people .*protect_table"):
            connection.execute(write)
    with engine.connect() as connection:
        assert connection.execute(sa.select(people.c.email)).scalars().all() == ["ann@example.org"]
        connection.execute(people.delete().where(people.c.id == 7))
    vault = engine.raw_connection().dbapi_connection.vault  # type: ignore[union-attr]
    vault.protect_table("people", ["email sealed unique email"])
    with engine.begin() as connection:
        connection.execute(add)
        connection.execute(people.update().values(name="Bob").where(people.c.email == "SECRET-bob@example.org"))
    engine.dispose()
    assert b"secret" not in plain.read_bytes()


def test_tasks_are_refused_it_too(plain: Path) -> None:
    async def write() -> None:
        engine = create_async_engine(f"sqlite+sealite_async:///{plain}?key=env:APP_KEY")
        async with engine.connect() as connection:
            with pytest.raises(sealite.Definition):
                await connection.execute(model().insert().values(email="secret-bob@example.org"))
        await engine.dispose()

    asyncio.run(write())


def test_a_locked_vault_holds_nobody_in_a_transaction(path: Path, unlock: sealite.Unlock) -> None:
    with sealite.Vault.create(path, unlock) as vault:
        vault.define_table("notes", {"body": "text sealed"})
        connection = dbapi2.connect(vault=vault)
        connection.execute("CREATE TABLE plain (a)")
        for end in (connection.rollback, connection.commit):
            connection.execute("INSERT INTO plain VALUES (1)")
            vault.lock()
            with pytest.raises(dbapi2.Error) as locked:
                connection.execute("SELECT body FROM notes")
            assert locked.value.name == "locked"
            end()
            assert not connection.in_transaction
            vault.unlock(unlock)
        assert connection.execute("SELECT count(*) FROM plain").fetchall() == [(1,)]
        connection.close()
