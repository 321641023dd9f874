"""A vault through PEP 249, in the habits of Python's own `sqlite3`.

    >>> from sealite import dbapi2
    >>> sealite.Vault.create("app.db", sealite.Unlock.environment("EXAMPLE_KEY")).close()
    >>> connection = dbapi2.connect("app.db", key="env:EXAMPLE_KEY")
    >>> connection.define_table("users", {"email": "text sealed not null unique email", "name": "text sealed"})
    True
    >>> with connection:
    ...     cursor = connection.execute("INSERT INTO users (email, name) VALUES (?, ?)", ("ada@example.org", "Ada"))
    >>> connection.execute("SELECT name FROM users WHERE email = ?", ("Ada@Example.org",)).fetchone()
    ('Ada',)
    >>> connection.close()

Sealed tables are tables in SQL; every other one is SQLite's own. What differs from `sqlite3` is listed in docs/sql.md.
"""

from typing import Any as _Any

from sealite import __version__ as version
from sealite._dbapi2 import (
    adapt,
    adapters,
    Connection,
    converters,
    Cursor,
    DatabaseError,
    DataError,
    enable_callback_tracebacks,
    EncodingError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PrepareProtocol,
    ProgrammingError,
    Row,
    sqlite_version,
    Warning,
)

from . import _constants
from ._constants import *  # noqa: F403
from ._types import (
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
    complete_statement,
    register_adapter,
    register_converter,
)

__all__ = [
    "adapt",
    "adapters",
    "apilevel",
    "Binary",
    "BINARY",
    "complete_statement",
    "connect",
    "Connection",
    "converters",
    "Cursor",
    "DatabaseError",
    "DataError",
    "Date",
    "DateFromTicks",
    "DATETIME",
    "enable_callback_tracebacks",
    "EncodingError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "LEGACY_TRANSACTION_CONTROL",
    "NotSupportedError",
    "NUMBER",
    "OperationalError",
    "paramstyle",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "PrepareProtocol",
    "ProgrammingError",
    "register_adapter",
    "register_converter",
    "Row",
    "ROWID",
    "sqlite_version",
    "sqlite_version_info",
    "STRING",
    "threadsafety",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "version",
    "version_info",
    "Warning",
]
__all__ += _constants.__all__

apilevel = "2.0"
# Threads may share the module and connections (with check_same_thread=False), not cursors.
threadsafety = 2
paramstyle = "qmark"

# What detect_types is made of.
PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2

# For autocommit: transactions as isolation_level says.
LEGACY_TRANSACTION_CONTROL = -1

version_info = tuple(int(part) for part in version.split("+")[0].split("-")[0].split("."))
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))

# The types of PEP 249: SQLite gives columns none.
STRING = str
BINARY = bytes
NUMBER = int
DATETIME = str
ROWID = int


def connect(database: _Any = None, *arguments: _Any, **keywords: _Any) -> Connection:
    """Opens a connection; the arguments are those of `Connection`, or of the `factory` that is given.

    - `database`: a file, which is made into a vault where it is missing; `":memory:"` for a new empty vault of its own.
      With `uri=True` it may be `file:app.db?mode=rw&key=env:APP_KEY`.
    - `key`: the key by reference: `env:NAME`, `file:/path`, `credential:name`, `docker:name`. Instead of it, the secret
      itself: `key_bytes` (32 bytes), `passphrase`. `vault`: a vault that is open already, in place of database and key.
    - `timeout`: seconds to wait for a lock, 5.
    - `detect_types`, `isolation_level`, `check_same_thread`, `cached_statements`, `autocommit`: as `sqlite3` has them.
    - `existing_database`: a SQLite database without a vault in it becomes one.

    Connections of a process to the same file by the same key share one open vault, which is closed with the last.
    """
    # By position it is the sixth, as in sqlite3.
    factory = arguments[4] if len(arguments) > 4 else keywords.get("factory")
    if database is not None:
        arguments = (database, *arguments)
    connection: Connection = (Connection if factory is None else factory)(*arguments, **keywords)
    return connection
