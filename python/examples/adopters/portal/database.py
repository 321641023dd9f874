"""The portal's own database: tenants in clear, and their people in sealed columns, under each tenant's own keys."""

import os
from collections.abc import AsyncIterator
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, HTTPException
from sqlalchemy import orm
from sqlalchemy.schema import CreateIndex, CreateTable

from sealite.fastapi import TenantDep
from sealite.sqlalchemy import Sealed, tenant

engine = sa.create_engine(os.environ.get("PORTAL_DATABASE", "sqlite:///portal.db"), connect_args={"timeout": 60})


class Base(orm.DeclarativeBase):
    pass


class Organisation(Base):
    __tablename__ = "organisations"
    name: orm.Mapped[str] = orm.mapped_column(primary_key=True)


class User(Base):
    """Unique by e-mail within a tenant: its blind index is the tenant's."""

    __tablename__ = "users"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    organisation: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("organisations.name"), index=True)
    role: orm.Mapped[str] = orm.mapped_column(default="member")
    email: orm.Mapped[str] = orm.mapped_column(Sealed(sa.Text(), index="unique email", label="users.email", per_tenant=True))
    name: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.Text(), label="users.name", per_tenant=True))
    password: orm.Mapped[str] = orm.mapped_column(Sealed(sa.Text(), label="users.password", per_tenant=True))

    @property
    def scopes(self) -> list[str]:
        return ["member", "admin"] if self.role == "admin" else ["member"]


def create_tables() -> None:
    """By whichever worker comes first."""
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))


def one_of(session: orm.Session, organisation: str, id: int) -> User:
    """The user of that tenant; 404 where it is another's. Its values would not even open here."""
    user = session.scalar(sa.select(User).where(User.id == id, User.organisation == organisation))
    if user is None:
        raise HTTPException(404)
    return user


def is_tenant(name: str) -> bool:
    with orm.Session(engine) as session:
        return session.get(Organisation, name) is not None


async def _session(of: TenantDep) -> AsyncIterator[orm.Session]:
    # Async, so that the route is within the block, too.
    with tenant(of.name), orm.Session(engine, expire_on_commit=False) as session:
        yield session


# A session that opens and seals values of the request's tenant.
SessionDep = Annotated[orm.Session, Depends(_session)]
