"""Sealed columns for SQLAlchemy, in any database: the vault keeps the keys, the database sealed bytes and blind indexes.

    >>> from sqlalchemy import Text, create_engine, select
    >>> from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    >>> from sealite.sqlalchemy import Sealed, register_vault
    >>> class Base(DeclarativeBase): ...
    >>> class User(Base):
    ...     __tablename__ = "users"
    ...     id: Mapped[int] = mapped_column(primary_key=True)
    ...     email: Mapped[str] = mapped_column(Sealed(Text(), index="unique email", label="users.email"))
    ...     note: Mapped[str | None] = mapped_column(Sealed(Text(), label="users.note", bind_row=True))
    >>> register_vault(sealite.Vault.create("keys.db", sealite.Unlock.environment("EXAMPLE_KEY")))
    >>> engine = create_engine("sqlite:///shop.db")
    >>> Base.metadata.create_all(engine)
    >>> User.__table__.c.email_bidx.type                           # a BlindIndex
    BlindIndex(sa.Text(), label='users.email', index='unique email')
    >>> with Session(engine) as session:
    ...     session.add(User(id=1, email="ada@example.org", note="likes tea"))
    ...     session.commit()
    ...     user = session.scalars(select(User).where(User.email == "Ada@Example.org")).one()
    ...     value = session.scalars(select(User.note)).one()      # a SealedForRow: it isn't known for which row
    ...     user.email, value, value.open(user.id)
    ('ada@example.org', <SealedForRow users.note>, 'likes tea')
    >>> engine.dispose()

Each value is sealed for its label, its tenant where the type says `per_tenant`, and its row where it says `bind_row`. The
index lies in a column of its own, `email_bidx`, which is made, filled and compared without the program's doing.
"""

from sealite.vaults import register_vault, unregister_vault

from ._fields import tenant
from ._guard import install as _install
from ._rows import SealedForRow
from ._type import BlindIndex, Sealed

__all__ = [
    "BlindIndex",
    "Sealed",
    "SealedForRow",
    "register_vault",
    "tenant",
    "unregister_vault",
]

_install()
