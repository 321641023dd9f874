"""Values that are bound to their rows."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import sealite
from sealite.sqlalchemy import Sealed, SealedForRow, register_vault, unregister_vault


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    title: Mapped[str | None] = mapped_column(Sealed(sa.Text(), index="unique text", label="notes.title", bind_row=True))
    body: Mapped[str | None] = mapped_column(Sealed(sa.JSON(), label="notes.body", bind_row=True))


class Counted(Base):
    __tablename__ = "counted"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(Sealed(sa.Text(), label="counted.body", bind_row=True))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'application.db'}")
    Base.metadata.create_all(engine)
    with sealite.Vault.in_memory() as vault, Session(engine) as session:
        register_vault(vault)
        yield session
        unregister_vault()
    engine.dispose()


def test_a_value_bound_to_its_row_opens_there_only(session: Session) -> None:
    first, second = Note(title="T", body={"a": 1}), Note(title="U", body={"b": 2})
    session.add_all([first, second])
    session.commit()
    assert (first.title, first.body) == ("T", {"a": 1})
    first.body = {"a": 2}
    session.commit()
    session.execute(sa.update(Note).where(Note.id == second.id).values(title="V"))
    session.execute(sa.update(Note), [{"id": second.id, "body": {"b": 3}}])
    session.execute(sa.insert(Note), [{"title": "W"}, {"title": "X"}])
    session.commit()
    assert (second.title, second.body) == ("V", {"b": 3})
    assert session.scalars(sa.select(Note).where(Note.title == "w")).one().title == "W"
    value = session.execute(sa.select(Note.body).where(Note.id == first.id)).scalar_one()
    assert isinstance(value, SealedForRow) and value.open(first.id) == {"a": 2}
    with pytest.raises(sealite.AuthenticationFailed):
        value.open(second.id)
    with pytest.raises(sealite.Refused):
        session.execute(sa.update(Note).values(title="Y"))
    session.rollback()
    other = first.id
    session.execute(
        sa.text("UPDATE notes SET body = (SELECT body FROM notes WHERE id = :from) WHERE id = :to"),
        {"from": second.id.hex, "to": other.hex},
    )
    session.expunge_all()
    with pytest.raises(sealite.AuthenticationFailed):
        session.get(Note, other)


def test_a_row_without_a_key_yet_is_refused(session: Session) -> None:
    session.add(Counted(body="x"))
    with pytest.raises(sealite.Refused):
        session.flush()
    session.rollback()
    session.add(Counted(id=5, body="x"))
    session.flush()
    session.execute(sa.insert(Counted).values(id=6, body="y"))
    session.execute(sa.insert(Note).values(title="made"))
    session.expire_all()
    assert [each.body for each in session.scalars(sa.select(Counted))] == ["x", "y"]
    assert session.scalars(sa.select(Note)).one().title == "made"
    session.execute(sa.update(Counted).where(Counted.id == sa.bindparam("which", 5)).values(body="z"), {"which": 6})
    session.expire_all()
    assert [each.body for each in session.scalars(sa.select(Counted))] == ["x", "z"]


def test_the_key_of_a_row_stays(session: Session) -> None:
    counted = Counted(id=5, body="x")
    session.add(counted)
    session.commit()
    counted.id = 6
    with pytest.raises(sealite.Refused):
        session.flush()
    session.rollback()
    with pytest.raises(sealite.Refused):
        session.execute(sa.update(Counted).where(Counted.id == 5).values(id=6))


def test_a_key_of_two_columns_binds_nothing() -> None:
    class Other(DeclarativeBase):
        pass

    with pytest.raises(sa.exc.ArgumentError):

        class Pair(Other):
            __tablename__ = "pair"
            a: Mapped[int] = mapped_column(primary_key=True)
            b: Mapped[int] = mapped_column(primary_key=True)
            body: Mapped[str] = mapped_column(Sealed(sa.Text(), label="pair.body", bind_row=True))
