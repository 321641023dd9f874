"""Sealed columns under SQLModel, Flask-SQLAlchemy and asyncio."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import flask
import pytest
import sqlalchemy as sa
import sqlmodel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import sealite
from sealite.sqlalchemy import Sealed, register_vault, tenant, unregister_vault


@pytest.fixture(autouse=True)
def vault() -> Iterator[sealite.Vault]:
    with sealite.Vault.in_memory() as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


def test_sqlmodel(tmp_path: Path) -> None:
    class Person(sqlmodel.SQLModel, table=True):
        id: int | None = sqlmodel.Field(default=None, primary_key=True)
        email: str = sqlmodel.Field(sa_type=Sealed(sa.Text(), index="unique email", label="person.email"))  # type: ignore[call-overload]

    engine = sqlmodel.create_engine(f"sqlite:///{tmp_path / 'application.db'}")
    sqlmodel.SQLModel.metadata.create_all(engine)
    with sqlmodel.Session(engine) as session:
        session.add(Person(email="Ada@example.org"))
        session.commit()
        found = session.exec(sqlmodel.select(Person).where(Person.email == "ada@example.org")).one()
        assert found.model_dump() == {"id": 1, "email": "Ada@example.org"}
    engine.dispose()


def test_flask_sqlalchemy(tmp_path: Path) -> None:
    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Person(db.Model):  # type: ignore[name-defined, misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique email", label="person.email"))

    app = flask.Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'application.db'}"
    db.init_app(app)

    @app.get("/<email>")
    def show(email: str) -> str:
        return str(db.one_or_404(sa.select(Person).where(Person.email == email)).email)

    with app.app_context():
        db.create_all()
        db.session.add(Person(email="Ada@example.org"))
        db.session.commit()
    client = app.test_client()
    assert client.get("/ADA@example.org").text == "Ada@example.org"
    assert client.get("/eve@example.org").status_code == 404
    with app.app_context():
        db.engine.dispose()


FORKS = """
import os, sys
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
import sealite
from sealite.sqlalchemy import Sealed, register_vault

class Base(DeclarativeBase): ...

class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique email", label="person.email"))

register_vault(sealite.Vault.create(sys.argv[1], sealite.Unlock.environment("APP_KEY")))
engine = sa.create_engine("sqlite:///" + sys.argv[2])
Base.metadata.create_all(engine)

def add(email):
    with Session(engine) as session:
        session.add(Person(email=email))
        session.commit()
        assert session.scalars(sa.select(Person).where(Person.email == "PARENT@x.org")).one().email == "parent@x.org"

add("parent@x.org")
engine.dispose()
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        add(f"child{number}@x.org")
        os._exit(0)
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
with Session(engine) as session:
    print(sorted(session.scalars(sa.select(Person.email))))
engine.dispose()
"""


def test_forked_workers_go_on(tmp_path: Path, run: Callable[..., str]) -> None:
    found = run(FORKS, tmp_path / "keys.db", tmp_path / "application.db")
    assert found.strip() == "['child0@x.org', 'child1@x.org', 'child2@x.org', 'parent@x.org']"


def test_asyncio_tasks_have_their_own_tenants(tmp_path: Path) -> None:
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(
            Sealed(sa.Text(), index="unique email", label="person.email", per_tenant=True)
        )

    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'application.db'}")

    async def work(name: str) -> list[str]:
        with tenant(name):
            async with AsyncSession(engine) as session:
                session.add(Person(email="same@example.org"))
                await session.commit()
                await asyncio.sleep(0)
                found = await session.scalars(sa.select(Person).where(Person.email == "SAME@example.org"))
                return [person.email for person in found]

    async def main() -> None:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        assert await asyncio.gather(*(work(f"tenant{number}") for number in range(4))) == [["same@example.org"]] * 4
        await engine.dispose()

    asyncio.run(main())
