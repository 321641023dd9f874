"""Sealed columns: what goes in comes out, is found by its index, and lies nowhere in plaintext."""

import datetime
import decimal
import enum
import logging
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

import sealite
from sealite.sqlalchemy import Sealed, register_vault, tenant, unregister_vault


class Base(DeclarativeBase):
    pass


class Colour(enum.Enum):
    RED = "r"
    CRIMSON = "r"
    BLUE = "b"


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))
    name: Mapped[str | None] = mapped_column(Sealed(sa.Text(), label="users.name"))
    surname: Mapped[str | None] = mapped_column(Sealed(sa.Text(), index="lookup 5000 text", label="users.surname"))
    plan: Mapped[str | None]


class Invitation(Base):
    __tablename__ = "invitations"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))


class Record(Base):
    __tablename__ = "records"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique", label="records.value", per_tenant=True))


class Elsewhere(Base):
    __tablename__ = "elsewhere"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique", label="records.value", vault="other"))


@pytest.fixture
def vault() -> Iterator[sealite.Vault]:
    with sealite.Vault.in_memory() as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


@pytest.fixture
def engine(tmp_path: Path, vault: sealite.Vault) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'application.db'}")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def ids(session: Session, *where: sa.ColumnElement[bool]) -> list[int]:
    return list(session.scalars(sa.select(User.id).where(*where).order_by(User.id)))


ADA = "Ada@Example.org"


def test_rows_come_back_and_are_found(session: Session) -> None:
    session.add_all([User(email=ADA, name="Ada", surname="Lovelace"), User(email="grace@example.org"), User()])
    session.commit()
    found = session.scalars(sa.select(User).where(User.email == " ada@EXAMPLE.org")).one()
    assert (found.email, found.name, found.surname) == (ADA, "Ada", "Lovelace")
    assert ids(session, User.email.in_([ADA, "nobody@example.org"])) == [1]
    assert ids(session, User.email.not_in([ADA])) == [2]
    assert ids(session, User.email != ADA) == [2]
    assert ids(session, User.email.is_(None)) == ids(session, User.email == None) == [3]  # noqa: E711
    assert ids(session, User.name.is_not(None)) == [1]
    assert ids(session, User.surname.candidates("LOVELACE")) == [1]
    asked = sa.select(User.id).where(User.email == sa.bindparam("given"))
    assert session.scalars(asked, {"given": ADA.lower()}).all() == [1]
    assert session.scalars(sa.select(User.email).where(User.id == 2)).one() == "grace@example.org"
    assert session.scalars(sa.select(sa.func.count(User.email))).one() == 2
    assert len(session.scalars(sa.select(User).distinct()).all()) == 3


def test_columns_of_one_field_compare(session: Session) -> None:
    session.add_all([User(email=ADA), User(email="b@example.org"), Invitation(address="ADA@example.org")])
    session.commit()
    assert ids(session, User.email == Invitation.address) == [1]
    other = aliased(User)
    joined = sa.select(User.id, other.id).join(other, User.email == other.email).where(other.email != ADA)
    assert session.execute(joined).all() == [(2, 2)]


def test_every_way_of_writing_fills_the_index(session: Session, engine: sa.Engine) -> None:
    table = User.__table__
    session.execute(sa.insert(User), [{"email": "1@x.org"}, {"email": None}])
    session.execute(sa.insert(User).values([{"email": "3@x.org"}, {"email": "4@x.org"}]))
    session.execute(sa.insert(User).values(email="5@x.org"))
    session.execute(sa.insert(table).values({table.c.email: "6@x.org"}))
    session.bulk_insert_mappings(sa.inspect(User), [{"email": "7@x.org"}])
    for number in (1, 3, 4, 5, 6, 7):
        assert ids(session, User.email == f"{number}@X.org") == [number]
    session.execute(sa.update(User).where(User.id == 1).values(email="one@x.org"))
    session.execute(sa.update(User), [{"id": 3, "email": "three@x.org"}, {"id": 4, "email": "four@x.org"}])
    session.execute(sa.update(table).where(table.c.id == 5).values({"email": None}))
    session.connection().execute(
        sa.update(table).where(table.c.id == sa.bindparam("which")), [{"which": 6, "email": "six@x.org"}]
    )
    assert session.scalars(sa.insert(User).values(email="8@x.org").returning(User.email)).one() == "8@x.org"
    upsert = sqlite.insert(User).values(email="8@X.org", plan="new")
    session.execute(upsert.on_conflict_do_update(index_elements=["email_bidx"], set_={"plan": upsert.excluded.plan}))
    assert session.get_one(User, 8).plan == "new"
    session.get_one(User, 7).email = "seven@x.org"
    session.flush()
    for number, email in {1: "one", 3: "three", 4: "four", 6: "six", 7: "seven"}.items():
        assert ids(session, User.email == f"{email}@x.org") == [number], email
        assert ids(session, User.email == f"{number}@x.org") == []
    assert ids(session, User.email.is_(None)) == [2, 5]
    # What is not written is left.
    session.get_one(User, 1).plan = "pro"
    session.execute(sa.update(User).values(plan="free"))
    session.commit()
    assert ids(session, User.email == "one@x.org") == [1]


def test_a_second_one_is_a_conflict(session: Session) -> None:
    session.add(User(email=ADA, name="first"))
    session.commit()
    session.add(User(email="ada@example.ORG", name="a name in clear"))
    with pytest.raises(sa.exc.IntegrityError) as raised:
        session.flush()
    assert "email_bidx" in str(raised.value) and "clear" not in str(raised.value) and "ada" not in str(raised.value).lower()


REFUSED = {
    "no index": lambda s: User.name == "x",
    "like": lambda s: User.email.like("x%"),
    "order": lambda s: User.email < "x",
    "concatenation": lambda s: User.email + "x",
    "reversed": lambda s: "x" + User.email,
    "another field": lambda s: User.email == User.surname,
    "a plain column": lambda s: User.email == User.plan,
    "an expression": lambda s: User.email == sa.func.lower("x"),
    "a typed literal": lambda s: User.email == sa.literal("x"),
    "a sub-query": lambda s: User.email.in_(sa.select(Invitation.address)),
    "a colliding index": lambda s: User.surname == "x",
    "descending": lambda s: User.email.desc(),
    "order by": lambda s: s.execute(sa.select(User).order_by(User.email)),
    "a function": lambda s: s.execute(sa.select(User).where(sa.func.lower(User.email) == "x")),
    "a function of a function": lambda s: s.execute(sa.select(sa.func.max(sa.func.coalesce(User.name, "x")))),
    "a cast": lambda s: s.execute(sa.select(User).where(sa.cast(User.email, sa.Text) == "x")),
    "a case": lambda s: s.execute(sa.select(sa.case((User.id == 1, User.email), else_="x"))),
    "a window": lambda s: s.execute(sa.select(sa.func.count().over(partition_by=User.email))),
    "distinct": lambda s: s.execute(sa.select(User.email).distinct()),
    "order by in a sub-query": lambda s: s.execute(
        sa.select(sa.select(User.id).order_by(User.email).limit(1).subquery())
    ),
    "group by": lambda s: s.execute(sa.select(sa.func.count()).group_by(User.email)),
    "set to a column": lambda s: s.execute(sa.update(User).values(email=User.plan)),
    "set to a typed literal": lambda s: s.execute(sa.update(User).values(email=sa.literal("x"))),
    "set to a parameter": lambda s: s.execute(sa.update(User).values(email=sa.bindparam("x")), {"x": "y"}),
    "inserted as an expression": lambda s: s.execute(sa.insert(User).values(name=sa.func.lower("X"))),
    "inserted among several": lambda s: s.execute(sa.insert(User).values([{"name": sa.func.lower("X")}])),
    "flushed as an expression": lambda s: (s.add(User(name=sa.func.lower("X"))), s.flush()),
    "from a select": lambda s: s.execute(sa.insert(User).from_select(["name"], sa.select(sa.literal("x")))),
    "in an order": lambda s: s.execute(sa.update(User).ordered_values((User.email, "x"))),
    "in an order, as an expression": lambda s: s.execute(sa.update(User).ordered_values((User.name, sa.func.lower("X")))),
    "upsert": lambda s: s.execute(
        sqlite.insert(User).values(email="x").on_conflict_do_update(set_={"name": sa.literal("x")})
    ),
    "the index itself": lambda s: s.execute(sa.insert(User.__table__), {"email": "x", "email_bidx": b"y"}),
    "the index itself, later": lambda s: s.execute(sa.update(User.__table__), {"email_bidx": b"y"}),
    "another type": lambda s: s.execute(sa.select(User).where(User.email == 5)),
    "another type, written": lambda s: (s.add(User(email=5)), s.flush()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_answer_is_refused(what: str, session: Session) -> None:
    with pytest.raises((sealite.Refused, sealite.NotIndexed, sealite.TypeMismatch)):
        asked = REFUSED[what](session)
        if isinstance(asked, sa.ColumnElement):
            # Where the statement is compiled, and for which database, decides.
            session.execute(sa.select(User.id).where(asked))
    session.rollback()
    assert session.scalars(sa.select(sa.func.count(User.id))).one() == 0


DAY = datetime.datetime(2024, 2, 29, 13, 5, 6, 7)
VALUES: list[tuple[Any, list[Any]]] = [
    (sa.Text, ["", "é", "x" * 5_000, "\0"]),
    (sa.String(5), ["longer than five"]),
    (sa.LargeBinary, [b"", b"\0\xff"]),
    (sa.Integer, [0, -1, 2**63 - 1]),
    (sa.Boolean, [True, False]),
    (sa.Float, [0.1, -0.0, 1e300, 3]),
    (sa.Numeric, [decimal.Decimal("1.50"), decimal.Decimal("-0.000000000000000000001"), decimal.Decimal(10) ** 40]),
    (sa.Date, [DAY.date()]),
    (sa.DateTime, [DAY, DAY.replace(tzinfo=datetime.UTC)]),
    (sa.Time, [DAY.time()]),
    (sa.Interval, [datetime.timedelta(days=-1, microseconds=1)]),
    (sa.Uuid, [uuid.UUID(int=5)]),
    (sa.Uuid(as_uuid=False), [str(uuid.UUID(int=5))]),
    (sa.Enum(Colour), [Colour.RED, Colour.CRIMSON, Colour.BLUE]),
    (sa.Enum("a", "b"), ["a", "b"]),
    (sa.JSON, [{"a": [1, None, "é"]}, [], "text", 0, False]),
]


@pytest.mark.parametrize(("of", "values"), VALUES, ids=lambda value: getattr(value, "__visit_name__", ""))
def test_values_of_every_type_come_back(of: Any, values: list[Any], vault: sealite.Vault) -> None:
    type_ = Sealed(of, label="any.value", index=None if of in (sa.JSON, sa.Boolean, sa.Float) else "lookup 5000")
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", type_))
    engine = sa.create_engine("sqlite://")
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(table), [{"value": value} for value in [*values, None]])
        back = connection.scalars(sa.select(table.c.value).order_by(table.c.id)).all()
        assert back == [*values, None]
        assert all(type(one) is type(other) or of is sa.Float for one, other in zip(back, values, strict=False))
        raw = connection.exec_driver_sql("SELECT value FROM t").scalars().all()
        assert all(isinstance(each, bytes) and len(each) >= 79 for each in raw[:-1]) and raw[-1] is None
        if type_.index:
            assert connection.scalars(sa.select(table.c.id).where(table.c.value.candidates(values[0]))).first() == 1
    for wrong in (object(), b"x" if of is not sa.LargeBinary else "x"):
        with engine.begin() as connection, pytest.raises(sealite.TypeMismatch):
            connection.execute(sa.insert(table), {"value": wrong})


def test_equal_values_have_one_index(vault: sealite.Vault) -> None:
    pairs: list[tuple[Any, Any, Any]] = [
        (sa.Numeric(), decimal.Decimal("1.50"), decimal.Decimal("1.5")),
        (sa.DateTime(timezone=True), DAY.replace(tzinfo=datetime.UTC), DAY.replace(tzinfo=datetime.UTC).astimezone()),
    ]
    for of, one, other in pairs:
        blind = Sealed(of, label="x", index="unique").blind_index()
        assert blind is not None
        process = blind.bind_processor(sqlite.dialect())
        assert process is not None and process(one) == process(other)


def test_no_plaintext_reaches_the_file_or_a_log(
    engine: sa.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine.echo = True
    with caplog.at_level(logging.DEBUG, "sqlalchemy"), Session(engine) as session:
        session.add(User(email="needle@example.org", name="needle", surname="needle"))
        session.commit()
        assert ids(session, User.email == "needle@example.org") == [1]
        session.execute(sa.update(User).values(name="needle2"))
        session.commit()
    engine.dispose()
    assert caplog.records and "needle" not in caplog.text
    for file in tmp_path.iterdir():
        assert b"needle" not in file.read_bytes()


def test_a_failed_statement_does_not_show_what_was_not_sealed_yet(session: Session) -> None:
    session.add(User(email="needle@example.org", plan=object()))
    with pytest.raises(sa.exc.DBAPIError) as refused:
        session.flush()
    assert "needle" not in str(refused.value)
    session.rollback()
    table = sa.Table(
        "t", sa.MetaData(), sa.Column("at", sa.DateTime), sa.Column("email", Sealed(sa.Text(), label="t.email"))
    )
    with pytest.raises(sa.exc.StatementError) as raised:
        session.execute(sa.insert(table), {"at": "not a time", "email": "needle@example.org"})
    assert "needle" not in str(raised.value) and "needle" not in repr(raised.value.params)


def test_a_statement_as_text_has_what_is_sent(session: Session) -> None:
    session.add(User(email=ADA))
    session.commit()
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        asked = sa.select(User.id).where(User.email == ADA)
        written = str(asked.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        assert "Ada" not in written
        if dialect.name == "sqlite":
            assert session.scalars(sa.text(written)).all() == [1]


def test_an_edited_or_moved_value_is_refused(session: Session) -> None:
    session.add_all([User(email=ADA, name="Ada"), User(email="b@example.org", name="b")])
    session.commit()
    session.execute(sa.text("UPDATE users SET name = email WHERE id = 1"))
    with pytest.raises(sealite.AuthenticationFailed):
        session.scalars(sa.select(User).where(User.id == 1)).one()


def test_two_vaults_and_two_tenants_share_no_statement(session: Session) -> None:
    statement = sa.select(Record.id).where(Record.value == "x")
    with pytest.raises(sealite.NotAllowed):
        session.execute(statement)
    session.rollback()
    for name in ("acme", "other"):
        with tenant(name):
            session.add(Record(value="x"))
            session.commit()
    with tenant("acme"):
        assert session.scalars(statement).all() == [1]
        assert session.scalars(sa.select(Record.value).where(Record.id == 1)).one() == "x"
        with pytest.raises(sealite.AuthenticationFailed):
            session.scalars(sa.select(Record.value).where(Record.id == 2)).one()
    with tenant("other"):
        assert session.scalars(statement).all() == [2]
        assert session.scalars(sa.select(Record.value).where(Record.id == 2)).one() == "x"
    with pytest.raises(sealite.NotFound):
        session.execute(sa.select(Elsewhere).where(Elsewhere.value == "x"))
    with sealite.Vault.in_memory() as other:
        register_vault(other, "other")
        session.add(Elsewhere(value="x"))
        session.commit()
        session.execute(sa.text("UPDATE elsewhere SET value = (SELECT value FROM records WHERE id = 1)"))
        session.expire_all()
        with pytest.raises(sealite.AuthenticationFailed):
            session.scalars(sa.select(Elsewhere)).one()
        unregister_vault("other")


def test_the_compiled_statement_is_shared_and_the_tenant_is_not(engine: sa.Engine) -> None:
    """Threads of different tenants run one cached statement."""
    names = [f"tenant{number}" for number in range(4)]
    barrier = threading.Barrier(len(names))
    failures: list[BaseException] = []

    def run(name: str) -> None:
        try:
            with tenant(name), Session(engine) as session:
                barrier.wait(60)
                session.add(Record(value="shared"))
                session.commit()
                ours = session.scalars(sa.select(Record).where(Record.value == "shared")).all()
                assert [record.value for record in ours] == ["shared"]
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_types_are_told_apart_by_what_identifies_them() -> None:
    def key(**given: Any) -> Any:
        return Sealed(**{"of": sa.Text(), "label": "a", **given})._static_cache_key

    assert key() == key()
    others = [{"label": "b"}, {"index": "unique"}, {"vault": "b"}, {"per_tenant": True}, {"bind_row": True}, {"of": sa.JSON()}, {"padding": 64}]
    assert len({key(), *(key(**other) for other in others)}) == len(others) + 1


def test_declarations_that_would_not_hold_are_refused(vault: sealite.Vault) -> None:
    def declare(of: Any = sa.Text, kind: str = "unique", **more: Any) -> None:
        sa.Table("t", sa.MetaData(), sa.Column("c", Sealed(of, label="t.c", index=kind), **more))

    for wrong in ({"primary_key": True}, {"unique": True}, {"index": True}, {"server_default": "x"}):
        with pytest.raises(sa.exc.ArgumentError):
            declare(**wrong)
    for of in (sa.JSON, sa.Float, sa.PickleType, sa.ARRAY(sa.Text)):
        with pytest.raises(sa.exc.ArgumentError):
            declare(of=of)
    with pytest.raises(sealite.InvalidInput):
        declare(kind="often")


def test_the_table_is_what_the_type_says() -> None:
    created = str(sa.schema.CreateTable(User.__table__).compile(dialect=postgresql.dialect()))  # type: ignore[arg-type]
    for line in ("email BYTEA", "email_bidx BYTEA", "surname_bidx BIGINT"):
        assert line in created
    indexes = {index.name: index.unique for index in User.__table__.indexes}  # type: ignore[attr-defined]
    assert indexes == {"ix_users_email_bidx": True, "ix_users_surname_bidx": False}
    assert "email_bidx" not in sa.inspect(User).attrs
    copied = User.__table__.to_metadata(sa.MetaData())  # type: ignore[attr-defined]
    assert [column.name for column in copied.c] == [column.name for column in User.__table__.c]
    assert len(copied.indexes) == 2
