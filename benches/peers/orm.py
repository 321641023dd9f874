"""Stores that an application with SQLAlchemy has: plain columns, SQLAlchemy-Utils' encrypted ones, Sealite's dialect."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, registry

from store import Person, Row, Store, configure, key


class OrmPlain(Store):
    title = "SQLAlchemy, plain columns"
    baseline = "orm_plain"
    rotation = "nothing to rotate"
    unique_email: ClassVar[bool] = True
    role_options: ClassVar[dict[str, Any]] = {}

    def __init__(self, file: Path) -> None:
        self.secret = key(file)
        mapper = registry()
        self.engine = self.make_engine(file)
        kinds = {name: self.kind(name) for name in ("name", "email", "phone")}
        table = sa.Table(
            "people",
            mapper.metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", kinds["name"], nullable=False),
            sa.Column("email", kinds["email"], nullable=False, unique=self.unique_email),
            sa.Column("phone", kinds["phone"], nullable=False),
            sa.Column("role", sa.Text, nullable=False, **self.role_options),
            sa.Column("plan", sa.Text, nullable=False),
        )
        self.person: Any = type("OrmPerson", (), {})
        mapper.map_imperatively(self.person, table)
        mapper.metadata.create_all(self.engine)

    def make_engine(self, file: Path) -> sa.Engine:
        engine = sa.create_engine(f"sqlite:///{file}")
        sa.event.listen(engine, "connect", lambda connection, record: configure(connection))
        return engine

    def kind(self, column: str) -> Any:
        return sa.Text()

    def insert(self, rows: Sequence[Row]) -> None:
        with Session(self.engine) as session:
            for name, email, phone, role, plan in rows:
                person = self.person()
                person.name, person.email, person.phone, person.role, person.plan = name, email, phone, role, plan
                session.add(person)
            session.commit()

    def get(self, id: int) -> Person | None:
        with Session(self.engine) as session:
            person = session.get(self.person, id)
            return None if person is None else self.row(person)

    def find(self, email: str) -> Person | None:
        with Session(self.engine) as session:
            person = session.scalars(sa.select(self.person).where(self.person.email == email)).first()
            return None if person is None else self.row(person)

    def row(self, person: Any) -> Person:
        return (person.id, person.name, person.email, person.phone, person.role, person.plan)

    def scan(self) -> Iterable[Person]:
        with Session(self.engine) as session:
            for person in session.scalars(sa.select(self.person)).yield_per(1_000):
                yield self.row(person)

    def update(self, changes: Sequence[tuple[int, str, str]]) -> None:
        with Session(self.engine) as session:
            for id, name, role in changes:
                person = session.get(self.person, id)
                person.name, person.role = name, role
            session.commit()

    def close(self) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.engine.dispose()


class OrmAes(OrmPlain):
    title = "SQLAlchemy-Utils, AesEngine"
    rotation = "by a loop of the program's own"

    def kind(self, column: str) -> Any:
        from sqlalchemy_utils import StringEncryptedType
        from sqlalchemy_utils.types.encrypted.encrypted_type import AesEngine

        return StringEncryptedType(sa.Text, self.secret.hex(), AesEngine, "pkcs5")


class OrmAesGcm(OrmPlain):
    title = "SQLAlchemy-Utils, AesGcmEngine"
    rotation = OrmAes.rotation
    # A fresh nonce each time: nothing to compare with, in an index or by UNIQUE.
    unique_email = False
    finds_by_scan = True

    def kind(self, column: str) -> Any:
        from sqlalchemy_utils import StringEncryptedType
        from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine

        return StringEncryptedType(sa.Text, self.secret.hex(), AesGcmEngine)

    def find(self, email: str) -> Person | None:
        return next((person for person in self.scan() if person[2] == email), None)


class OrmSealite(OrmPlain):
    title = "Sealite, SQLAlchemy's dialect"
    physical = ("people_sealed", "sealed")
    rotation = "in steps, resumable, while other processes read and write"
    # The index is declared in the type.
    unique_email = False
    role_options: ClassVar[dict[str, Any]] = {"sqlite_authenticated": True}

    def make_engine(self, file: Path) -> sa.Engine:
        os.environ["PEERS_KEY"] = self.secret.hex()
        return sa.create_engine(f"sqlite+sealite:///{file}?key=env:PEERS_KEY")

    def kind(self, column: str) -> Any:
        from sealite.sqlalchemy import Sealed

        index = "unique email" if column == "email" else None
        return Sealed(sa.Text(), index=index, label=f"people.{column}")

    def close(self) -> None:
        self.engine.dispose()


STORES: dict[str, type[Store]] = {
    "orm_plain": OrmPlain,
    "orm_sealite": OrmSealite,
    "orm_aes": OrmAes,
    "orm_aes_gcm": OrmAesGcm,
}
