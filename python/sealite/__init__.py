"""Sealite: an embedded crypto storage engine.

One SQLite file keeps an application's keys and personal data sealed, in the application's own process.

    import sealite

    vault = sealite.Vault.open("app.db", sealite.Unlock.environment("APP_KEY"))
    vault.define_table("users", {"email": "text sealed not null unique email", "name": "sealed"})
    users = vault.table("users")
    users.insert(email="Ada@Example.org", name="Ada Lovelace")
    users.find_one("email", "ada@example.org")["name"]
"""

import os as _os

from . import _native
from ._native import (
    AlreadyInitialised,
    AnotherLibrary,
    AuthenticationFailed,
    Busy,
    Closed,
    Conflict,
    Corrupt,
    Definition,
    DestroyedKey,
    Fault,
    Field,
    Forked,
    Full,
    Internal,
    InvalidInput,
    IoError,
    LastSlot,
    Limit,
    Locked,
    NewerFormat,
    NotAllowed,
    NotAVault,
    NotFound,
    NotIndexed,
    NotInitialised,
    ReadOnly,
    RecoveryCode,
    Refused,
    Row,
    Savepoint,
    Scan,
    SealiteError,
    Slot,
    Snapshot,
    Sql,
    SqlRows,
    Table,
    TableDefinition,
    Tenant,
    TenantTables,
    Transaction,
    TypeMismatch,
    UnknownKey,
    Unlock,
    Vault,
    Verification,
    WeakKey,
    WrongKey,
    __version__,
    generate_key,
)

__all__ = [
    "AlreadyInitialised",
    "AnotherLibrary",
    "AuthenticationFailed",
    "Busy",
    "Closed",
    "Conflict",
    "Corrupt",
    "Definition",
    "DestroyedKey",
    "Fault",
    "Field",
    "Forked",
    "Full",
    "Internal",
    "InvalidInput",
    "IoError",
    "LastSlot",
    "Limit",
    "Locked",
    "NewerFormat",
    "NotAllowed",
    "NotAVault",
    "NotFound",
    "NotIndexed",
    "NotInitialised",
    "ReadOnly",
    "RecoveryCode",
    "Refused",
    "Row",
    "Savepoint",
    "Scan",
    "SealiteError",
    "Slot",
    "Snapshot",
    "Sql",
    "SqlRows",
    "Table",
    "TableDefinition",
    "Tenant",
    "TenantTables",
    "Transaction",
    "TypeMismatch",
    "UnknownKey",
    "Unlock",
    "Vault",
    "Verification",
    "WeakKey",
    "WrongKey",
    "__version__",
    "generate_key",
]

if hasattr(_os, "register_at_fork"):
    # The core's own hook runs inside fork, where no other thread of Python's can finish what it is at.
    _os.register_at_fork(before=_native.prepare_fork)
