"""Seal, open and index as SQL functions on a connection of Python's own `sqlite3`, for a database that isn't the vault's.

    >>> import sqlite3, sealite.sqlite3
    >>> connection = sqlite3.connect("shop.db", isolation_level=None)
    >>> functions = sealite.sqlite3.register(connection, sealite.Vault.in_memory())
    >>> functions, functions.error                                 # what a function raised last
    (<Functions>, None)
    >>> _ = connection.execute("CREATE TABLE users (email, email_bidx)")
    >>> sql = "INSERT INTO users VALUES (sealite_seal('users.email', :e), sealite_index('users.email', :e, 'unique email'))"
    >>> _ = connection.execute(sql, {"e": "ada@example.org"})
    >>> found = "SELECT sealite_open('users.email', email) FROM users WHERE email_bidx = sealite_index('users.email', ?, 'unique email')"
    >>> connection.execute(found, ("Ada@Example.org",)).fetchone()
    ('ada@example.org',)
    >>> connection.close()

- `sealite_seal(field, value [, record])`: a BLOB; NULL for NULL.
- `sealite_open(field, sealed [, record])`: the value; NULL for NULL. Fails where the value was altered, or sealed for another
  field, tenant or record.
- `sealite_index(field, value, index)`: the blind index, for an equality.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from . import Field, SealiteError, Tenant, Vault

__all__ = ["Functions", "register"]

_T = TypeVar("_T")


class Functions:
    """What has been registered on a connection. `error` is the last error of a function: sqlite3 itself says only that a
    user-defined function raised an exception."""

    def __init__(self, handle: Vault | Tenant) -> None:
        self._handle = handle
        self._fields: dict[str, Field] = {}
        self.error: SealiteError | None = None

    def _field(self, name: str) -> Field:
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = self._handle.field(name)
        return field

    def _seal(self, field: str, value: Any, record: int | str | None = None) -> bytes | None:
        return self._noted(lambda: None if value is None else self._field(field).seal(value, record))

    def _open(self, field: str, sealed: bytes | None, record: int | str | None = None) -> Any:
        return self._noted(lambda: None if sealed is None else self._field(field).open(sealed, record))

    def _index(self, field: str, value: Any, index: str) -> Any:
        return self._noted(lambda: self._field(field).index(value, index))

    def _noted(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except SealiteError as error:
            self.error = error
            raise

    def __repr__(self) -> str:
        return "<Functions>"


def register(connection: sqlite3.Connection, handle: Vault | Tenant) -> Functions:
    """Registers the functions on the connection, for a vault or for one of its tenants.

    Turns `trusted_schema` off on the connection: a trigger or view that somebody has planted in the file can't call them.
    """
    functions = Functions(handle)
    connection.execute("PRAGMA trusted_schema = OFF").close()
    for arguments in (2, 3):
        connection.create_function("sealite_seal", arguments, functions._seal)
        connection.create_function("sealite_open", arguments, functions._open)
    connection.create_function("sealite_index", 3, functions._index, deterministic=True)
    return functions
