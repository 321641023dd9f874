"""Sealed columns in PostgreSQL: through its drivers, in a server that is started here."""

import asyncio
import datetime
import decimal
import enum
import importlib
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import sealite
from postgresql import Server, running
from sealite.sqlalchemy import Sealed, SealedForRow, register_vault, tenant, unregister_vault
from test_sqlalchemy_alembic import ENV, SCRIPT


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))
    name: Mapped[str | None] = mapped_column(Sealed(sa.Text(), label="users.name"))
    surname: Mapped[str | None] = mapped_column(Sealed(sa.Text(), index="lookup 5000 text", label="users.surname"))


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    body: Mapped[Any] = mapped_column(Sealed(sa.JSON(), label="notes.body", bind_row=True))


class Record(Base):
    __tablename__ = "records"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique", label="records.value", per_tenant=True))


class Elsewhere(Base):
    __tablename__ = "elsewhere"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique", label="records.value", vault="other"))


class Colour(enum.Enum):
    RED = "r"


DRIVERS = ["psycopg", "psycopg2"]
ADA = "Ada@Example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def vault() -> Iterator[sealite.Vault]:
    with sealite.Vault.in_memory() as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


@pytest.fixture(params=DRIVERS)
def engine(request: pytest.FixtureRequest, server: Server, vault: sealite.Vault) -> Iterator[sa.Engine]:
    engine = sa.create_engine(server.url(request.param))
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def ids(session: Session, *where: sa.ColumnElement[bool]) -> list[int]:
    return list(session.scalars(sa.select(User.id).where(*where).order_by(User.id)))


def test_rows_come_back_and_are_found(session: Session) -> None:
    session.add_all([User(email=ADA, name="Ada", surname="Lovelace"), User(email="grace@example.org"), User()])
    session.commit()
    found = session.scalars(sa.select(User).where(User.email == " ada@EXAMPLE.org")).one()
    assert (found.email, found.name, found.surname) == (ADA, "Ada", "Lovelace")
    assert ids(session, User.email.in_([ADA, "nobody@example.org"])) == [1]
    assert ids(session, User.email.is_(None)) == [3]
    assert ids(session, User.surname.candidates("LOVELACE")) == [1]  # type: ignore[attr-defined]
    stored = session.execute(sa.text("SELECT email, email_bidx, surname_bidx FROM users WHERE id = 1")).one()
    assert len(bytes(stored[0])) > 79 and len(bytes(stored[1])) == 16 and isinstance(stored[2], int)
    session.execute(sa.text("UPDATE users SET name = email WHERE id = 1"))
    session.expire_all()
    with pytest.raises(sealite.AuthenticationFailed):
        session.get(User, 1)


def test_every_way_of_writing_fills_the_index(session: Session) -> None:
    session.execute(sa.insert(User), [{"email": f"{number}@x.org"} for number in range(1, 2_001)])
    session.execute(sa.insert(User).values([{"email": "2001@x.org"}, {"email": "2002@x.org"}]))
    made = session.scalars(sa.insert(User).returning(User.email), [{"email": f"r{n}@x.org"} for n in range(3)])
    assert sorted(made) == ["r0@x.org", "r1@x.org", "r2@x.org"]
    for number in (1, 1_000, 2_000, 2_002):
        assert ids(session, User.email == f"{number}@X.org") == [number]
    session.execute(sa.update(User), [{"id": 1, "email": "one@x.org"}, {"id": 2, "email": None}])
    session.execute(sa.update(User).where(User.id == 3).values(email="three@x.org"))
    assert ids(session, User.email.in_(["one@x.org", "three@x.org", "1@x.org", "2@x.org"])) == [1, 3]
    again = postgresql.insert(User).values(email="ONE@x.org").on_conflict_do_nothing(index_elements=["email_bidx"])
    session.execute(again)
    assert ids(session, User.email == "one@x.org") == [1]
    upsert = postgresql.insert(User).values(email="a@x.org")
    with pytest.raises(sealite.Refused):
        session.execute(upsert.on_conflict_do_update(index_elements=["email_bidx"], set_={"email": "b@x.org"}))


def test_a_second_one_is_a_conflict_that_shows_no_value(session: Session) -> None:
    session.add(User(email=ADA))
    session.commit()
    session.add(User(email="ada@example.ORG", name="needle"))
    with pytest.raises(sa.exc.IntegrityError) as raised:
        session.flush()
    assert "ada@" not in str(raised.value).lower() and "needle" not in str(raised.value)


def test_no_plaintext_reaches_the_server(session: Session, server: Server) -> None:
    session.add(User(email="needle@example.org", name="needle", surname="needle"))
    session.commit()
    assert ids(session, User.email == "needle@example.org") == [1]
    assert ids(session, User.surname.candidates("needle")) == [1]  # type: ignore[attr-defined]
    session.execute(sa.update(User).values(name="another needle"))
    session.commit()
    session.execute(sa.text("CHECKPOINT"))
    session.commit()
    read = {path: path.read_bytes() for path in server.files()}
    # Its log has each statement with its parameters, and the files have what was stored.
    assert any(b"INSERT INTO users" in found for found in read.values())
    assert [path for path, found in read.items() if b"needle" in found] == []


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (sa.LargeBinary(), b"\x00\xff"),
        (sa.BigInteger(), -(2**63)),
        (sa.Boolean(), True),
        (sa.Numeric(), decimal.Decimal("1.50")),
        (sa.Date(), datetime.date(1815, 12, 10)),
        (sa.DateTime(timezone=True), datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)),
        (sa.Interval(), datetime.timedelta(days=-1, microseconds=1)),
        (sa.Uuid(), uuid.UUID(int=5)),
        (sa.Enum(Colour), Colour.RED),
        (sa.JSON(), {"a": [1, None, "ü"]}),
        (postgresql.JSONB(), {"a": {"b": 2}}),
        (sa.Text(), ""),
    ],
    ids=str,
)
def test_values_of_every_type_come_back(engine: sa.Engine, of: Any, value: Any) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("c", Sealed(of, label="t.c")))
    with engine.connect() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), [{"c": value}, {"c": None}])
        found = connection.scalars(sa.select(table.c.c).order_by(table.c.id)).all()
        assert found == [value, None] and type(found[0]) is type(value)
        connection.rollback()


def test_two_vaults_and_two_tenants_share_no_statement(session: Session) -> None:
    statement = sa.select(Record.id).where(Record.value == "x")
    for name in ("acme", "other"):
        with tenant(name):
            session.add(Record(value="x"))
            session.commit()
    for number, name in enumerate(("acme", "other"), start=1):
        with tenant(name):
            assert session.scalars(statement).all() == [number]
            assert session.scalars(sa.select(Record.value).where(Record.id == number)).one() == "x"
            with pytest.raises(sealite.AuthenticationFailed):
                session.scalars(sa.select(Record.value).where(Record.id == 3 - number)).one()
    with sealite.Vault.in_memory() as other:
        register_vault(other, "other")
        session.add(Elsewhere(value="x"))
        session.commit()
        assert session.scalars(sa.select(Elsewhere.id).where(Elsewhere.value == "x")).all() == [1]
        session.execute(sa.text("UPDATE elsewhere SET value = (SELECT value FROM records WHERE id = 1)"))
        session.expire_all()
        with pytest.raises(sealite.AuthenticationFailed):
            session.scalars(sa.select(Elsewhere)).one()
        unregister_vault("other")


def test_a_value_bound_to_its_row_opens_there_only(session: Session) -> None:
    first, second = Note(body={"a": 1}), Note(body={"b": 2})
    session.add_all([first, second])
    session.commit()
    assert (first.body, second.body) == ({"a": 1}, {"b": 2})
    value = session.execute(sa.select(Note.body).where(Note.id == first.id)).scalar_one()
    assert isinstance(value, SealedForRow) and value.open(first.id) == {"a": 1}
    with pytest.raises(sealite.AuthenticationFailed):
        value.open(second.id)


def test_asyncpg_and_psycopg_work_asynchronously(server: Server, vault: sealite.Vault) -> None:
    async def work(driver: str) -> list[str | None]:
        engine = create_async_engine(server.url(driver))
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add_all([User(email=ADA, surname="Lovelace"), Note(body=[1])])
            await session.commit()
            found = (await session.scalars(sa.select(User).where(User.email == "ADA@example.org"))).one()
            looked = await session.scalars(sa.select(User.id).where(User.surname.candidates("lovelace")))  # type: ignore[attr-defined]
            note = (await session.scalars(sa.select(Note))).one()
            assert looked.all() == [found.id] and note.body == [1]
            result = [found.email]
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
        await engine.dispose()
        return result

    for driver in ("asyncpg", "psycopg"):
        assert asyncio.run(work(driver)) == [ADA]


def test_a_migration_seals_a_plain_column(
    server: Server, vault: sealite.Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text(SCRIPT)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("sqlalchemy.url", server.url("psycopg"))
    models = ModuleType("models")
    monkeypatch.setitem(sys.modules, "models", models)

    def migrate(type_: Any) -> tuple[str, sa.Table]:
        models.metadata = sa.MetaData()  # type: ignore[attr-defined]
        columns = sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", type_, nullable=False)
        table = sa.Table("people", models.metadata, *columns)
        script = command.revision(config, autogenerate=True)
        assert script is not None and not isinstance(script, list)
        importlib.invalidate_caches()
        command.upgrade(config, "head")
        return Path(script.path).read_text(), table

    def stored() -> bytes:
        """The table's own file, once it holds what was committed."""
        with engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
            name = connection.exec_driver_sql("SELECT pg_relation_filepath('people')").scalar_one()
        return (server.data / name).read_bytes()

    people = [f"needle{number}@example.org" for number in range(2_500)]
    _, plain = migrate(sa.Text)
    engine = sa.create_engine(server.url("psycopg"))
    with engine.connect() as connection:
        connection.execute(sa.insert(plain), [{"email": email} for email in people])
        # The planner's statistics hold samples.
        connection.exec_driver_sql("ANALYZE people")
        connection.commit()
    before = stored()
    assert b"needle" in before

    type_ = Sealed(sa.Text(), index="unique email", label="people.email")
    written, sealed = migrate(type_)
    assert "op.seal_column('people', 'email', sealite.sqlalchemy.Sealed(" in written
    assert len(stored()) > len(before) and b"needle" not in stored()
    kept = [path for path in (server.data / "base").rglob("*") if path.is_file() and b"needle" in path.read_bytes()]
    assert kept == []
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(sealed.c.email).order_by(sealed.c.id))) == people
        found = sa.select(sealed.c.id).where(sealed.c.email == people[2_000].upper())
        assert connection.scalar(found) == 2_001
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(sealed), {"email": people[0].upper()})
    assert "pass" in migrate(type_)[0]
    # As if it had been cut off before it was noted down.
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            Operations(context).seal_column("people", "email", type_, existing_type=sa.Text())  # type: ignore[attr-defined]
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(sealed.c.email).order_by(sealed.c.id))) == people

    command.downgrade(config, "-2")
    with engine.connect() as connection:
        assert list(connection.exec_driver_sql("SELECT email FROM people ORDER BY id").scalars()) == people
    engine.dispose()


def test_who_is_no_superuser_is_told_what_may_be_left(server: Server, vault: sealite.Vault) -> None:
    engine = sa.create_engine(server.url("psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE app")
        connection.exec_driver_sql("CREATE TABLE plain (id integer PRIMARY KEY, email text)")
        connection.exec_driver_sql("ALTER TABLE plain OWNER TO app")
        connection.exec_driver_sql("GRANT CREATE ON SCHEMA public TO app")
        connection.commit()
        connection.exec_driver_sql("SET ROLE app")
        connection.commit()
        context = MigrationContext.configure(connection)
        with context.begin_transaction(), pytest.warns(UserWarning, match="pg_statistic"):
            Operations(context).seal_column("plain", "email", Sealed(sa.Text(), label="plain.email"))  # type: ignore[attr-defined]
    engine.dispose()
