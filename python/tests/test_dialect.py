"""The SQLAlchemy dialect: sealed tables by their models, SQL over sealed columns, URLs, pools, transactions."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm, pool
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import create_async_engine

import sealite
from sealite.sqlalchemy import Sealed

EMAIL = Sealed(sa.Text(), index="unique email", label="users.email")


class Base(orm.DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "teams"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]


class User(Base):
    __tablename__ = "users"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email: orm.Mapped[str] = orm.mapped_column(EMAIL)
    name: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.String(50), label="users.name"))
    born: orm.Mapped[date | None] = orm.mapped_column(Sealed(sa.Date(), label="users.born"))
    plan: orm.Mapped[str] = orm.mapped_column(server_default="free", index=True)
    role: orm.Mapped[str] = orm.mapped_column(default="user", sqlite_authenticated=True)
    team_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("teams.id", ondelete="CASCADE"))
    team: orm.Mapped[Team | None] = orm.relationship()
    orders: orm.Mapped[list["Order"]] = orm.relationship(back_populates="user", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    user_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("users.id"))
    user: orm.Mapped[User] = orm.relationship(back_populates="orders")


class Note(Base):
    __tablename__ = "notes"
    slug: orm.Mapped[str] = orm.mapped_column(sa.String(20), primary_key=True)
    body: orm.Mapped[str] = orm.mapped_column(Sealed(sa.Text(), label="notes.body", padding=64))


@pytest.fixture
def url(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("APP_KEY", key)
    return f"sqlite+sealite:///{path}?key=env:APP_KEY"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[orm.Session]:
    with orm.Session(engine) as session:
        session.add_all([User(email=f"{name}@example.org", name=name, born=date(1990, 1, day)) for day, name in enumerate(("ada", "bob", "eve"), 1)])
        session.commit()
        yield session


def test_objects_are_kept_and_found(session: orm.Session) -> None:
    ada = session.scalars(sa.select(User).where(User.email == " ADA@Example.ORG")).one()
    assert (ada.id, ada.name, ada.born, ada.plan, ada.role) == (1, "ada", date(1990, 1, 1), "free", "user")
    ada.name, ada.team, ada.orders = "Ada", Team(name="first"), [Order(), Order()]
    session.commit()
    joined = sa.select(User.name, Team.name).join(User.team).join(User.orders).group_by(User.id)
    assert session.execute(joined).all() == [("Ada", "first")]
    session.delete(ada.orders[1])
    session.flush()
    session.expire_all()
    assert len(ada.orders) == 1


def test_sql_reaches_sealed_columns(session: orm.Session) -> None:
    def names(*where: Any) -> list[str | None]:
        return list(session.scalars(sa.select(User.name).where(*where).order_by(User.name.desc())))

    assert names(User.name.like("%b%")) == ["bob"]
    assert names(User.name > "ada", User.born < date(1990, 1, 3)) == ["bob"]
    assert names(User.name.in_(["ada", "eve"])) == ["eve", "ada"]
    assert names(~User.name.startswith("a"), User.name.is_not(None)) == ["eve", "bob"]
    assert names(User.name == "eve", User.email.in_(["EVE@example.org", "x"])) == ["eve"]
    assert names(sa.or_(User.name == "ada", sa.func.upper(User.name) == "BOB")) == ["bob", "ada"]
    assert names("x" + User.name == "xada") == ["ada"]
    assert session.scalar(sa.select(sa.func.max(User.name))) == "eve"
    assert session.scalar(sa.select(sa.func.count(sa.distinct(User.name)))) == 3
    other = orm.aliased(User)
    same = sa.select(sa.func.count()).select_from(User).join(other, User.email == other.email)
    assert session.scalar(same) == 3
    subquery = sa.select(User.id, User.name).subquery()
    assert session.scalars(sa.select(subquery.c.name).where(subquery.c.name != "ada")).all() == ["bob", "eve"]


def test_statements_change_sealed_columns(session: orm.Session) -> None:
    session.execute(sa.update(User).where(User.name == "bob").values(name=User.name + "by", email="bobby@example.org"))
    session.execute(sa.update(User), [{"id": 3, "name": "Eve"}])
    table = User.__table__
    returned = session.execute(sa.update(table).where(table.c.id == 1).values(name="Ada").returning(table.c.id, table.c.name))
    assert returned.all() == [(1, "Ada")]
    inserted = session.execute(sa.insert(User).returning(User.id, User.name), [{"email": f"{n}@x.example", "name": str(n)} for n in range(3)])
    assert inserted.all() == [(4, "0"), (5, "1"), (6, "2")]
    values = sa.insert(table).values([{"email": "y@x.example", "role": "a"}, {"email": "z@x.example", "role": "b"}])
    session.execute(values)
    ignored = insert(User).values(email="Z@X.example", name="again").on_conflict_do_nothing()
    assert session.execute(ignored).rowcount == 0  # type: ignore[attr-defined]
    again = insert(User).values(email="Z@X.example", name="again")
    session.execute(again.on_conflict_do_update(index_elements=["email"], set_={"name": again.excluded.name}))
    assert session.scalar(sa.select(User.name).where(User.email == "z@x.example")) == "again"
    deleted = session.execute(sa.delete(User).where(User.id > 3).returning(User.id))
    assert len(deleted.all()) == 5
    assert session.execute(sa.select(User.name, User.email).order_by(User.id)).all() == [
        ("Ada", "ada@example.org"),
        ("bobby", "bobby@example.org"),
        ("Eve", "eve@example.org"),
    ]
    # The column of a blind index is there for other databases only.
    row = session.execute(sa.select(table).where(table.c.id == 1)).one()
    assert row.email == "ada@example.org" and row.email_bidx is None


def test_constraints_are_told_in_the_declared_names(session: orm.Session) -> None:
    session.add(User(email="ADA@example.org", name="needle"))
    with pytest.raises(sa.exc.IntegrityError, match=r"UNIQUE constraint failed: users\.email") as raised:
        session.flush()
    assert "needle" not in str(raised.value)
    session.rollback()
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
        session.execute(sa.insert(Order), {"user_id": 99})
    session.rollback()
    with pytest.raises(sa.exc.IntegrityError, match=r"NOT NULL constraint failed: users\.email"):
        session.execute(sa.insert(User), {"name": "x"})


def test_no_plaintext_is_in_the_file(session: orm.Session, path: Path) -> None:
    session.add(User(email="needle@example.org", name="needle"))
    session.add(Note(slug="first", body="needle"))
    session.commit()
    for file in path.parent.glob("app.db*"):
        assert b"needle" not in file.read_bytes()
    assert b"first" in path.with_name("app.db-wal").read_bytes() + path.read_bytes()


def test_reflection_knows_logical_tables_only(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["notes", "orders", "teams", "users"]
    assert inspector.has_table("users") and not inspector.has_table("users_sealed")
    assert not inspector.has_table("sealite_meta")
    columns = {column["name"]: column for column in inspector.get_columns("users")}
    email = columns["email"]["type"]
    assert isinstance(email, Sealed) and email.index == "unique email" and isinstance(email.of, sa.TEXT)
    assert list(columns) == ["id", "email", "name", "born", "plan", "role", "team_id"]
    assert columns["plan"]["default"] == "'free'" and not columns["email"]["nullable"]
    assert inspector.get_pk_constraint("notes")["constrained_columns"] == ["slug"]
    assert [index["name"] for index in inspector.get_indexes("users")] == ["ix_users_plan"]
    (key,) = inspector.get_foreign_keys("orders")
    assert (key["referred_table"], key["referred_columns"]) == ("users", ["id"])
    (key,) = inspector.get_foreign_keys("users")
    assert (key["referred_table"], key["options"]) == ("teams", {"ondelete": "CASCADE"})
    metadata = sa.MetaData()
    metadata.reflect(engine)
    reflected = metadata.tables["users"]
    with engine.begin() as connection:
        connection.execute(sa.insert(reflected), {"email": "a@b.example", "role": "user"})
        assert connection.scalar(sa.select(reflected.c.id).where(reflected.c.email == "A@b.example")) == 1
    metadata.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_columns_stand_in_their_order_wherever_the_key_is(engine: sa.Engine) -> None:
    code = sa.Column("code", Sealed(sa.Text(), label="codes.code"))
    table = sa.Table("codes", sa.MetaData(), code, sa.Column("id", sa.Integer, primary_key=True), sa.Column("uses", sa.Integer))
    table.create(engine)
    assert [column["name"] for column in sa.inspect(engine).get_columns("codes")] == ["code", "id", "uses"]
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO codes VALUES ('a', 7, 1)")
        assert connection.exec_driver_sql("SELECT * FROM codes").all() == [("a", 7, 1)]


def test_tables_are_made_once(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    with pytest.raises(sa.exc.OperationalError, match="table users already exists"):
        User.__table__.create(engine, checkfirst=False)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        connection.execute(sa.schema.CreateTable(User.__table__, if_not_exists=True))  # type: ignore[arg-type]


WRONG: dict[str, Callable[[], list[Any]]] = {
    "composite": lambda: [sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Integer, primary_key=True)],
    "no key": lambda: [sa.Column("a", sa.Integer)],
    "check": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.CheckConstraint("id > 0")],
    "inline check": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, sa.CheckConstraint("a > 0"))],
    "unique": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), sa.UniqueConstraint("id", "a")],
    "computed": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, sa.Computed("id + 1"))],
    "default": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text, server_default=sa.func.now())],
    "tenant": lambda: [sa.Column("id", sa.Integer, primary_key=True), sa.Column("b", Sealed(sa.Text(), label="t.b", per_tenant=True))],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_sealed_table_lacks_is_refused(engine: sa.Engine, what: str) -> None:
    metadata = sa.MetaData()
    sa.Table("wrong", metadata, *WRONG[what](), sa.Column("x", Sealed(sa.Text(), label="wrong.x")))
    with pytest.raises(sa.exc.CompileError):
        metadata.create_all(engine)
    assert not sa.inspect(engine).has_table("wrong")


def test_a_transaction_covers_tables_and_savepoints(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    table = sa.Table("more", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", Sealed(sa.Text(), label="more.x")))
    with engine.connect() as connection:
        metadata.create_all(connection)
        connection.execute(sa.insert(table), {"x": "a"})
        connection.rollback()
        assert not sa.inspect(connection).has_table("more")
        metadata.create_all(connection)
        # A savepoint that is the first of its transaction does not end it.
        connection.commit()
        with connection.begin_nested():
            connection.execute(sa.insert(table), {"x": "a"})
        connection.rollback()
        with pytest.raises(ZeroDivisionError), connection.begin_nested():
            connection.execute(sa.insert(table), {"x": "b"})
            raise ZeroDivisionError
        connection.execute(sa.insert(table), {"x": "c"})
        connection.commit()
        assert connection.scalars(sa.select(table.c.x)).all() == ["c"]
    committing = engine.execution_options(isolation_level="AUTOCOMMIT")
    with committing.connect() as connection:
        connection.execute(sa.insert(table), {"x": "d"})
        assert not connection.connection.dbapi_connection.in_transaction  # type: ignore[union-attr]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 2


def test_reading_holds_no_snapshot(engine: sa.Engine) -> None:
    with engine.connect() as reader, engine.begin() as writer:
        assert reader.scalar(sa.select(sa.func.count(User.id))) == 0
        writer.execute(sa.insert(User), {"email": "a@b.example"})
        writer.commit()
        # One that reads first and writes then is not told that the file is busy.
        reader.execute(sa.insert(User), {"email": "c@d.example"})
        reader.commit()


@pytest.mark.parametrize("key", ["secretneedle", "env", "hex:secretneedle"])
def test_a_key_itself_is_refused_and_not_shown(path: Path, key: str) -> None:
    with pytest.raises(sa.exc.ArgumentError) as refused:
        sa.create_engine(f"sqlite+sealite:///{path}?key={key}").connect()
    assert "secretneedle" not in str(refused.value)
    assert not path.exists()


def test_keys_and_vaults_are_handed_over(path: Path, key: str, unlock: sealite.Unlock) -> None:
    name = path.with_name("app.key")
    name.write_text(key)
    name.chmod(0o600)
    with sa.create_engine(f"sqlite+sealite:///{path}?key=file:{name}&timeout=1.5").connect() as connection:
        connection.exec_driver_sql("CREATE TABLE a (b)")
    with sealite.Vault.open(path, unlock) as vault:
        engine = sa.create_engine("sqlite+sealite://", connect_args={"vault": vault}, poolclass=pool.QueuePool)
        assert sa.inspect(engine).get_table_names() == ["a"]
        engine.dispose()
    with pytest.raises(sa.exc.OperationalError, match="key"):
        sa.create_engine(f"sqlite+sealite:///{path}").connect()
    with pytest.raises(sa.exc.ArgumentError):
        sa.create_engine("sqlite+sealite://user:word@host/file.db").connect()


def test_pools_are_those_of_pysqlite(engine: sa.Engine) -> None:
    assert type(engine.pool) is pool.QueuePool
    memory = sa.create_engine("sqlite+sealite://")
    assert type(memory.pool) is pool.SingletonThreadPool
    Base.metadata.create_all(memory)
    assert sa.inspect(memory).has_table("users")
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(sa.inspect(memory).has_table("users")))
    thread.start()
    thread.join()
    assert seen == [False]


def test_tasks_use_it_over_a_thread(url: str) -> None:
    async def main(url: str, kind: type) -> None:
        engine = create_async_engine(url.replace("+sealite:", "+sealite_async:"))
        assert type(engine.pool) is kind
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            await connection.execute(sa.insert(User), [{"email": f"{n}@example.org"} for n in range(3)])
        async with engine.connect() as connection:
            async with connection.begin_nested() as nested:
                await connection.execute(sa.delete(User))
                await nested.rollback()
            rows = await connection.stream(sa.select(User.email).where(User.email.like("%@example.org")))
            assert len([row async for row in rows]) == 3
            with pytest.raises(sa.exc.IntegrityError):
                await connection.execute(sa.insert(User), {"email": "0@example.org"})
        await engine.dispose()

    asyncio.run(main(url, pool.AsyncAdaptedQueuePool))
    asyncio.run(main("sqlite+sealite://", pool.StaticPool))


def test_a_forked_child_connects_anew(engine: sa.Engine, session: orm.Session, url: str, key: str) -> None:
    session.close()
    program = """if True:
        import os, sys
        import sqlalchemy as sa
        engine = sa.create_engine(sys.argv[1])
        count = sa.text("SELECT count(*) FROM users")
        with engine.connect() as connection:
            assert connection.scalar(count) == 3
        child = os.fork()
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO users (email, role) VALUES (:email, '')"), {"email": f"{child == 0}@x.example"})
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with engine.connect() as connection:
            assert connection.scalar(count) == 5
    """
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_other_databases_refuse_what_only_the_engine_answers(session: orm.Session) -> None:
    plain = sa.create_engine("sqlite://")
    question = sa.select(User.id).where(User.name.like("a%"))
    assert session.scalars(question).all() == [1]
    with plain.connect() as connection, pytest.raises(sealite.Refused):
        connection.execute(question)
    # Compiled statements are not shared between the two.
    assert session.scalars(question).all() == [1]


def test_frameworks_take_the_url(url: str) -> None:
    import flask
    from flask_sqlalchemy import SQLAlchemy
    from sqlmodel import Field, SQLModel, create_engine, select
    from sqlmodel import Session as ModelSession

    app = flask.Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)

    class Guest(db.Model):  # type: ignore[name-defined,misc]
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(Sealed(sa.Text(), label="guest.name"))

    class Host(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        name: str = Field(sa_type=Sealed(sa.Text(), label="host.name"))

    with app.app_context():
        db.create_all()
        db.session.add(Guest(name="Ada"))
        db.session.commit()
        assert db.session.scalars(db.select(Guest.name).where(Guest.name.like("A%"))).all() == ["Ada"]
        db.engine.dispose()
    engine = create_engine(url)
    SQLModel.metadata.create_all(engine, tables=[Host.__table__])  # type: ignore[attr-defined]
    with ModelSession(engine) as session:
        session.add(Host(name="Bob"))
        session.commit()
        assert session.exec(select(Host.id).where(Host.name == "Bob")).all() == [1]
    assert set(sa.inspect(engine).get_table_names()) == {"guest", "host"}
    engine.dispose()


def test_conditions_are_found_by_their_indexes(engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    surname = Sealed(sa.Text(), index="lookup 5000 text", label="people.surname")
    table = sa.Table("people", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("surname", surname))
    metadata.create_all(engine)
    with engine.connect() as connection:
        for condition in (table.c.surname == "x", sa.and_(table.c.id > 0, table.c.surname.in_(["x", "y"]))):
            text = str(sa.select(table.c.id).where(condition).compile(engine, compile_kwargs={"literal_binds": True}))
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all())
            assert "blind index surname" in plan, plan
