"""The agent's own database: PostgreSQL, in which what is personal is sealed."""

import os
from collections.abc import Iterator
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends
from sqlmodel import Field, Session, SQLModel, create_engine

from sealite.sqlalchemy import Sealed

engine = create_engine(os.environ["AGENT_DATABASE"], pool_pre_ping=True)


class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(sa_type=Sealed(sa.Text(), index="unique email", label="agent.users.email"))
    name: str | None = Field(default=None, sa_type=Sealed(sa.Text(), label="agent.users.name"))
    password_hash: str


def create_tables() -> None:
    """By whichever worker comes first: the others wait for it."""
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(4711)))
        SQLModel.metadata.create_all(connection)


def _session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(_session)]
