"""Sealed columns for SQLAlchemy, in any database: the vault keeps the keys, the database sealed bytes and blind indexes.

    from sealite.sqlalchemy import Sealed, register_vault

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(Sealed(Text(), index="unique email", label="users.email"))

    register_vault(sealite.Vault.open("keys.db", sealite.Unlock.environment("APP_KEY")))
    session.scalars(select(User).where(User.email == "Ada@Example.org"))

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
