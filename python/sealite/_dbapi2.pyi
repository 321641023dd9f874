import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, SupportsIndex, TypeAlias, TypeVar, overload

from typing_extensions import disjoint_base

from ._native import Vault

_C = TypeVar("_C", bound=Cursor)
_Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_Bytes: TypeAlias = bytes | bytearray | memoryview
_Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
_IsolationLevel: TypeAlias = Literal["", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"] | None

adapters: dict[tuple[type, type], Callable[[Any], Any]]
converters: dict[str, Callable[[bytes], Any]]
sqlite_version: str

class PrepareProtocol:
    """The protocol that a parameter is adapted for."""

class Warning(Exception):
    """Raised for important warnings."""

class Error(Exception):
    """What every error of the module is. Its message names tables, columns and files, never a value or a key."""

    code: int | None
    name: str | None
    sqlite_errorcode: int | None
    sqlite_errorname: str | None

class InterfaceError(Error):
    """The module was used wrongly."""

class DatabaseError(Error):
    """The database refuses, or is damaged."""

class DataError(DatabaseError):
    """A value is too long or out of range."""

class EncodingError(DataError, UnicodeEncodeError):
    """A text with a lone surrogate, which UTF-8 has no form for. It does not hold the text."""

class OperationalError(DatabaseError):
    """The database can't do it: SQL that is wrong, a lock, a full disk, a missing key."""

class IntegrityError(DatabaseError):
    """A constraint would be broken."""

class InternalError(DatabaseError):
    """A fault in the engine itself."""

class ProgrammingError(DatabaseError):
    """The program is wrong: a closed connection, a missing parameter, another thread."""

class NotSupportedError(DatabaseError):
    """Sealite does not do this, by policy; the message says the way out."""

@disjoint_base
class Connection:
    """A connection to a vault in a file, or to one of its own in memory. Only the thread that made it may use it, where
    nothing else is said.

        >>> from sealite import dbapi2
        >>> connection = dbapi2.connect(":memory:")
        >>> connection.define_table("users", {"email": "text sealed unique email"})
        True
        >>> with connection:
        ...     cursor = connection.execute("INSERT INTO users (email) VALUES (?)", ("ada@example.org",))
        >>> connection.execute("SELECT id FROM users WHERE email = ?", ("Ada@Example.org",)).fetchone()
        (1,)
        >>> connection.close()
    """

    Warning: type[Warning]
    Error: type[Error]
    InterfaceError: type[InterfaceError]
    DatabaseError: type[DatabaseError]
    DataError: type[DataError]
    OperationalError: type[OperationalError]
    IntegrityError: type[IntegrityError]
    InternalError: type[InternalError]
    ProgrammingError: type[ProgrammingError]
    NotSupportedError: type[NotSupportedError]
    isolation_level: _IsolationLevel
    autocommit: bool | Literal[-1]
    row_factory: Any
    text_factory: Any
    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self: ...
    def __init__(
        self,
        database: _Path | None = None,
        timeout: float = 5.0,
        detect_types: int = 0,
        isolation_level: _IsolationLevel = ...,
        check_same_thread: bool = True,
        factory: type[Connection] | None = None,
        cached_statements: int = 128,
        uri: bool = False,
        *,
        autocommit: bool | Literal[-1] = ...,
        key: str | None = None,
        key_bytes: _Bytes | None = None,
        passphrase: str | None = None,
        vault: Vault | None = None,
        existing_database: bool = False,
    ) -> None: ...
    @property
    def vault(self) -> Vault:
        """The vault: its tables, slots, tokens, settings."""

    @property
    def in_transaction(self) -> bool:
        """True inside a transaction."""

    @property
    def total_changes(self) -> int:
        """The rows that statements have changed since the connection was opened."""

    @overload
    def cursor(self) -> Cursor:
        """A new cursor, of the factory's making where one is given."""

    @overload
    def cursor(self, factory: Callable[[Connection], _C]) -> _C:
        """A new cursor, of the factory's making where one is given."""

    def execute(self, sql: str, parameters: _Parameters | None = None, /) -> Cursor:
        """Executes one statement with a new cursor, which is returned."""

    def executemany(self, sql: str, parameters: Iterable[_Parameters], /) -> Cursor:
        """Executes one statement for each set of parameters with a new cursor, which is returned."""

    def executescript(self, sql_script: str, /) -> Cursor:
        """Executes every statement of a text with a new cursor, which is returned."""

    def commit(self) -> None:
        """Commits the open transaction, where there is one."""

    def rollback(self) -> None:
        """Rolls the open transaction back, where there is one."""

    def close(self) -> None:
        """Ends the connection, without a commit. The last one of a file wipes the vault's keys."""

    def interrupt(self) -> None:
        """Stops what runs on the connection. Any thread may call it."""

    def define_table(self, name: str, columns: Mapping[str, str] | Iterable[str], **keywords: Any) -> bool:
        """Declares a sealed table, as `Vault.define_table` does. True where it was created."""

    def create_function(
        self, name: str, narg: int, func: Callable[..., Any] | None, /, *, deterministic: bool = False
    ) -> None:
        """Makes a function known to SQL; None takes it away. A trigger, view or index of the file can't call it."""

    def create_aggregate(self, name: str, n_arg: int, aggregate_class: Callable[[], Any] | None, /) -> None:
        """Makes an aggregate known to SQL: a class with `step` and `finalize`; None takes it away."""

    def create_window_function(self, name: str, num_params: int, aggregate_class: Callable[[], Any] | None, /) -> None:
        """Makes a window function known to SQL: a class with `step`, `inverse`, `value` and `finalize`."""

    def create_collation(self, name: str, callback: Callable[[str, str], SupportsIndex] | None, /) -> None:
        """Makes a collation known to SQL; None takes it away."""

    def set_progress_handler(self, progress_handler: Callable[[], Any] | None, n: int) -> None:
        """Has a function called every `n` instructions of SQLite's; true from it stops the statement. None takes it away."""

    def set_trace_callback(self, trace_callback: Callable[[str], Any] | None) -> None:
        """Has a function called with the text of every statement. Parameters stand there as in the text: no value is shown
        that the text does not hold. None takes it away.
        """

    def set_authorizer(self, authorizer_callback: Any) -> None:
        """Refused: the engine's own authorizer guards what is sealed."""

    def enable_load_extension(self, enable: bool, /) -> None:
        """Refused: a library that is loaded could read the keys."""

    def blobopen(self, *_arguments: Any, **_keywords: Any) -> None:
        """Refused: it would go past the sealed record."""

    def serialize(self, *, name: str = "main") -> bytes:
        """The file's bytes, with everything sealed in it as it is."""

    def deserialize(self, data: _Bytes, /, *, name: str = "main") -> None:
        """Refused: a database from elsewhere would come past the vault's keys."""

    def backup(
        self,
        target: _Path,
        *,
        pages: int = ...,
        progress: Callable[[int, int, int], Any] | None = None,
        name: str = "main",
        sleep: float = 0.25,
    ) -> None:
        """Copies the vault into a new file. `progress` is called with SQLite's status, the pages that remain and all
        pages, after each `pages` of them.
        """

    def iterdump(self, *, filter: str | None = None) -> Iterator[str]:
        """The plain tables as SQL text. Sealed tables are named, not shown."""

    def getlimit(self, category: int, /) -> int:
        """A limit of SQLite's."""

    def setlimit(self, category: int, limit: int, /) -> int:
        """Sets a limit of SQLite's; what it was."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, exception_type: type[BaseException] | None, /, *_exception: BaseException | TracebackType | None
    ) -> Literal[False]: ...

@disjoint_base
class Cursor:
    """Executes statements on its connection, and fetches their rows. It is used by one thread at a time.

    >>> from sealite import dbapi2
    >>> connection = dbapi2.connect(":memory:")
    >>> cursor = connection.cursor().execute("VALUES (1, 'a'), (2, 'b')")
    >>> cursor.fetchone(), list(cursor)
    ((1, 'a'), [(2, 'b')])
    >>> connection.close()
    """

    arraysize: int
    row_factory: Any
    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self: ...
    def __init__(self, connection: Connection) -> None: ...
    @property
    def connection(self) -> Connection:
        """The connection."""

    @property
    def description(self) -> tuple[tuple[str, None, None, None, None, None, None], ...] | Any:
        """The columns of the last statement, a 7-tuple each of which only the name is set; None where it returned none."""

    @property
    def rowcount(self) -> int:
        """The rows that the last statement changed; -1 for one that changes none."""

    @property
    def lastrowid(self) -> int | None:
        """The row id of the last INSERT; None before the first statement."""

    def execute(self, sql: str, parameters: _Parameters | None = None, /) -> Self:
        """Executes one statement; the cursor itself."""

    def executemany(self, sql: str, parameters: Iterable[_Parameters], /) -> Self:
        """Executes one statement that changes rows, once for each set of parameters; the cursor itself."""

    def executescript(self, sql_script: str, /) -> Self:
        """Commits, in the legacy mode, and executes every statement of a text; the cursor itself."""

    def fetchone(self) -> Any:
        """The next row; None at the end."""

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows, `arraysize` where nothing else is said."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def close(self) -> None:
        """Gives the statement back. The cursor can't be used any more."""

    def setinputsizes(self, sizes: Any, /) -> None:
        """Does nothing: PEP 249 asks for it."""

    def setoutputsize(self, size: Any, column: Any = None, /) -> None:
        """Does nothing: PEP 249 asks for it."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

@disjoint_base
class Row(Sequence[Any]):
    """A row for `row_factory`: its values by position or by name, whatever the case of ASCII letters.

    >>> from sealite import dbapi2
    >>> connection = dbapi2.connect(":memory:")
    >>> connection.row_factory = dbapi2.Row
    >>> row = connection.execute("SELECT 1 AS One").fetchone()
    >>> row["one"], row[0], row.keys()
    (1, 1, ['One'])
    >>> connection.close()
    """

    def __new__(cls, cursor: Cursor, data: tuple[Any, ...], /) -> Self: ...
    def keys(self) -> list[str]:
        """The names of the columns."""

    @overload
    def __getitem__(self, key: int | str, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
def adapt(obj: Any, proto: Any = ..., alt: Any = ..., /) -> Any:
    """The value that an adapter makes of a value for a protocol; `alt`, where it is given and there is none."""

def enable_callback_tracebacks(enable: bool, /) -> None:
    """Shows exceptions of functions that SQL calls on standard error, or no longer. They are the cause of the statement's own
    exception anyway.
    """
