import builtins
import contextvars
import datetime
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping, Sequence
from types import ModuleType, TracebackType
from typing import IO, Any, ClassVar, Literal, Self, TypeAlias, TypedDict, TypeVar, Unpack, final, overload

_T = TypeVar("_T")
_Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_Bytes: TypeAlias = bytes | bytearray | memoryview
_Value: TypeAlias = None | bool | int | float | str | bytes
_Given: TypeAlias = _Value | bytearray | memoryview
_Id: TypeAlias = int | str
_Padding: TypeAlias = int | Literal["none", "padme"]
# What has been done, how much of it, and of how much where that is known.
_BackupProgress: TypeAlias = Callable[[Literal["copied", "opened", "audited"], int, int | None], object]
_Erasure: TypeAlias = Literal["complete", "pending"]
_Seconds: TypeAlias = float | datetime.timedelta
_Limits: TypeAlias = str | QuotaLimit | Iterable[str | QuotaLimit]
# JSON text, or what json.dumps takes.
_Json: TypeAlias = str | Mapping[str, Any] | Sequence[Any] | int | float | None
_ApprovalState: TypeAlias = Literal["pending", "approved", "rejected", "executed", "expired"]
_SettingKind: TypeAlias = Literal["text", "integer", "real", "boolean", "json"]
_SettingGiven: TypeAlias = bool | int | float | str | dict[str, Any] | list[Any]
_Payload: TypeAlias = str | dict[str, Any] | list[Any]
_TokenKind: TypeAlias = Literal[
    "admin",
    "user",
    "api_key",
    "break_glass",
    "magic_link",
    "reset",
    "invite",
    "session",
    "refresh",
    "short_code",
]
_TokenKinds: TypeAlias = _TokenKind | Sequence[_TokenKind]
_Kind: TypeAlias = Literal["key", "passphrase", "recovery"]

_AdoptionPhase: TypeAlias = Literal["sealing", "verifying", "erasing"]

# For sealite._dbapi2.
dbapi2: ModuleType

__all__ = [
    "AdoptedTable",
    "AdoptionPreview",
    "AdoptionReport",
    "AlreadyDecided",
    "AlreadyInitialised",
    "AnotherLibrary",
    "Approval",
    "Approvals",
    "Audit",
    "AuditEvent",
    "AuditEvents",
    "AuditFault",
    "AuditReport",
    "AuthenticationFailed",
    "BackupReport",
    "Busy",
    "Change",
    "CheckReport",
    "CLEAR",
    "Closed",
    "Compaction",
    "Conflict",
    "Corrupt",
    "dbapi2",
    "Decision",
    "Definition",
    "Denied",
    "DestroyedKey",
    "ErasureReceipt",
    "Expired",
    "Fault",
    "Field",
    "FieldBinding",
    "Forked",
    "Full",
    "Health",
    "Histogram",
    "ImportReport",
    "Internal",
    "Interrupted",
    "InvalidInput",
    "IoError",
    "IssuedCode",
    "IssuedToken",
    "KEEP",
    "KeyInfo",
    "Keys",
    "LastSlot",
    "LegacyEntry",
    "LegacyImport",
    "Limit",
    "Locked",
    "MasterRotation",
    "Metrics",
    "NewerFormat",
    "NotAllowed",
    "NotAVault",
    "NotFound",
    "NotIndexed",
    "NotInitialised",
    "PasswordHasher",
    "PayloadChanged",
    "QuotaLimit",
    "ProtectionPlan",
    "Quotas",
    "ReadOnly",
    "RecoveryCode",
    "Refused",
    "RolledBack",
    "Rotation",
    "RotationPlan",
    "RotationStatus",
    "Row",
    "Savepoint",
    "Scan",
    "SealiteError",
    "Setting",
    "SettingProblem",
    "Settings",
    "SettingValue",
    "SettingVersion",
    "Slot",
    "Snapshot",
    "Sql",
    "SqlRows",
    "Table",
    "TableDefinition",
    "TablePreview",
    "Tenant",
    "TenantTables",
    "TenantInfo",
    "Token",
    "TOKEN_PATTERN",
    "TokenRejected",
    "Tokens",
    "Trace",
    "Transaction",
    "TypeMismatch",
    "UnknownKey",
    "Unlock",
    "Vault",
    "Verification",
    "WeakKey",
    "WrongKey",
    "__version__",
    "canonical_json",
    "current_trace",
    "exit_code",
    "generate_key",
    "is_token_text",
    "prepare_fork",
    "run_command",
]
__version__: str
TOKEN_PATTERN: str

current_trace: contextvars.ContextVar[Trace | None]

def canonical_json(value: _Json) -> bytes:
    """The canonical form (RFC 8785) of JSON text, or of what `json.dumps` makes it from: one text for everything that means the
    same, to full depth, in UTF-8. It is what to hash, sign or compare.

        >>> sealite.canonical_json({"b": [1.0, {"y": 100.0, "x": None}], "a": "€"}).decode()
        '{"a":"€","b":[1,{"x":null,"y":100}]}'

    Raises InvalidInput for what is no JSON text or has no one meaning: a name twice in an object, a NaN, an integer that no
    double holds. Give such numbers as texts.
    """

def exit_code(name: str) -> int:
    """The exit code of the command line for an error of this `name`: what other command lines of a vault end with, too."""

def generate_key() -> str:
    """A new random 32-byte key, as 64 hexadecimal digits, for `Unlock.key_text`."""

def is_token_text(text: str) -> bool:
    """True where a text has the form and the checksum of a token: for scanners of secrets. Needs no vault."""

def prepare_fork() -> None:
    """Before a fork, without the interpreter: what other threads do with a vault can come to its end."""

def run_command(arguments: list[str]) -> int:
    """Runs the command line `sealite` on the process's own standard streams; the exit code, as `sealite --help` lists
    them. `arguments` begins with the name of the program.
    """

@final
class Unlock:
    """A secret that opens one kind of slot.

    >>> import os
    >>> os.environ["EXAMPLE_KEY"] = sealite.generate_key()
    >>> sealite.Unlock.environment("EXAMPLE_KEY")
    <Unlock: key>
    >>> sealite.Unlock.reference("env:EXAMPLE_KEY")
    <Unlock: key>
    >>> sealite.Unlock.passphrase("correct horse battery staple")
    <Unlock: passphrase>
    """

    @staticmethod
    def key(key: _Bytes) -> Unlock:
        """A 32-byte key, as bytes."""

    @staticmethod
    def key_text(text: str) -> Unlock:
        """A 32-byte key, as 64 hexadecimal digits, or in base64 or base64url."""

    @staticmethod
    def environment(variable: str) -> Unlock:
        """A key from an environment variable, written as for `key_text`."""

    @staticmethod
    def key_file(path: _Path) -> Unlock:
        """A key from a file that is closed to others (mode 0600): 32 bytes, or text as for `key_text`."""

    @staticmethod
    def credential(name: str) -> Unlock:
        """A systemd credential, from the folder that `$CREDENTIALS_DIRECTORY` names."""

    @staticmethod
    def docker_secret(name: str) -> Unlock:
        """A Docker or Kubernetes secret, from `/run/secrets`."""

    @staticmethod
    def passphrase(
        passphrase: str,
        *,
        memory_kib: int | None = None,
        passes: int | None = None,
        lanes: int | None = None,
    ) -> Unlock:
        """A passphrase of at least 12 characters. The cost is that of a slot made with it: Argon2id (RFC 9106), 64 MiB,
        3 passes and 4 lanes where nothing else is said.
        """

    @staticmethod
    def recovery_code(code: str) -> Unlock:
        """A recovery code, as it was shown once. Case, hyphens and spaces do not matter."""

    @staticmethod
    def reference(reference: str) -> Unlock:
        """A key by reference: `env:VARIABLE`, `file:/path`, `credential:name` or `docker:name`."""

    @property
    def kind(self) -> _Kind:
        """Which kind of slot it opens: "key", "passphrase" or "recovery"."""

@final
class RecoveryCode:
    """A new recovery code. It is kept nowhere: print it and lock it away.

    >>> vault = sealite.Vault.in_memory()
    >>> slot, code = vault.add_recovery_slot("safe")
    >>> code, len(code.reveal())
    (<RecoveryCode>, 44)
    """

    def reveal(self) -> str:
        """The code itself: nine groups of four symbols."""

    def sheet(self) -> str:
        """A page to be printed, in plain text: which vault the code opens, the code, and what to do with it."""

@final
class Slot:
    """A way to unlock, as it is listed. It holds no secret."""

    @property
    def id(self) -> int:
        """The id that `remove_slot` takes."""

    @property
    def kind(self) -> _Kind:
        """"key", "passphrase" or "recovery"."""

    @property
    def label(self) -> str:
        """The label that it was given."""

    @property
    def created_at(self) -> datetime.datetime:
        """When it was made: a datetime in UTC."""

@final
class TableDefinition:
    """A table as it is declared."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def columns(self) -> dict[str, str]:
        """The columns, without the primary key: a dict from names to specifications."""

    @property
    def key(self) -> str:
        """The name of the primary key."""

    @property
    def text_key(self) -> bool:
        """True where the primary key is text."""

    @property
    def per_tenant(self) -> bool:
        """True where every row belongs to a tenant."""

    @property
    def subject(self) -> str | None:
        """The column that says whose a row is; the primary key where every row is its own subject."""

    @property
    def padding(self) -> _Padding:
        """The padding of the sealed payload: a block in bytes, "none" or "padme"."""

class _VaultOptions(TypedDict, total=False):
    busy_timeout: float | None
    synchronous: Literal["full", "normal"] | None
    existing_database: bool
    disk_reserve: int | None
    sealed_sql: Literal["full", "indexed", "off"]
    sealed_to_plain: bool
    checkpoint: str | None
    key_cache: int
    key_age: float

@final
class Vault:
    """A vault: one SQLite file that keeps tables sealed, or one in memory. Any thread may use it.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("users", {"email": "text sealed not null unique email", "name": "text sealed"})
    True
    >>> vault.table("users").insert(email="Ada@example.org", name="Ada")
    1
    >>> vault.table("users").find_one("email", " ada@EXAMPLE.org")["name"]
    'Ada'
    >>> vault.verify().sound
    True
    >>> vault.close()
    """

    @staticmethod
    def create(path: _Path, unlock: Unlock, **options: Unpack[_VaultOptions]) -> Vault:
        """Creates a vault with its first slot, exactly once: of several processes that try, one succeeds.

        The options, which `open` and `at` take, too: `busy_timeout`, seconds that a call waits for another writer;
        `synchronous`, "full" or "normal"; `existing_database`, a database with tables of its own becomes a vault;
        `disk_reserve`, the free bytes below which `health` says "disk_nearly_full"; `sealed_sql`, what SQL does with
        sealed tables: "full", "indexed" (what would walk a whole table is refused) or "off"; `sealed_to_plain`, SQL may
        copy sealed values into plain tables; `checkpoint`, the text of an audit checkpoint that was kept outside: a file that
        does not contain it, since an older one was put back, raises `RolledBack`; `key_cache`, how many unwrapped keys are
        kept in memory, and `key_age`, for how many seconds.
        """

    @staticmethod
    def open(path: _Path, unlock: Unlock, **options: Unpack[_VaultOptions]) -> Vault:
        """Opens an existing vault. The options are those of `create`."""

    @staticmethod
    def at(path: _Path, **options: Unpack[_VaultOptions]) -> Vault:
        """A handle to the file in whatever state it is; nothing is created or unlocked. The options are those of `create`."""

    @staticmethod
    def in_memory() -> Vault:
        """A vault in memory, for tests and examples. It has one connection."""

    @staticmethod
    def holds_file(path: _Path) -> bool:
        """True where a vault of this process has the file open: another SQLite library, as that of Python's `sqlite3`, must
        not open it then.
        """

    @property
    def status(self) -> Literal["absent", "uninitialised", "locked", "open"]:
        """"absent", "uninitialised", "locked" or "open"."""

    @property
    def path(self) -> os.PathLike[str] | None:
        """The file; None for a vault in memory."""

    def initialise(self, unlock: Unlock) -> None:
        """Creates the vault in the file with its first slot, and opens it."""

    def unlock(self, unlock: Unlock) -> None:
        """Takes the keys into memory, with the secret of any slot."""

    def lock(self) -> None:
        """Wipes the keys from memory."""

    def close(self) -> None:
        """Wipes the keys and closes every connection."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def slots(self) -> list[Slot]:
        """The ways to unlock. Needs no key."""

    def add_slot(self, label: str, unlock: Unlock) -> int:
        """Adds a way to unlock; returns its id."""

    def add_recovery_slot(self, label: str) -> tuple[int, RecoveryCode]:
        """Adds a recovery code; returns the slot's id, and the code, which is shown this once."""

    def remove_slot(self, id: int) -> None:
        """Removes a way to unlock; the last one stays. It takes back nothing that its holder has seen."""

    def define_table(
        self,
        name: str,
        columns: Mapping[str, str] | Iterable[str],
        *,
        key: str = "id",
        text_key: bool = False,
        per_tenant: bool = False,
        padding: _Padding | None = None,
        subject: str | None = None,
    ) -> bool:
        """Declares a table: creates it, or checks that what is stored is no weaker. True where it was created. `subject`: the
        authenticated column that says whose a row is, or the primary key where every row is its own subject.
        """

    def tables(self) -> list[TableDefinition]:
        """The tables as they are declared now, in the order of their names."""

    def table(self, name: str) -> Table:
        """A table. Each call on it is a transaction of its own."""

    def field(self, name: str, *, padding: _Padding | None = None) -> Field:
        """Single sealed values for a database of the application's own."""

    def tenant(self, name: str) -> Tenant:
        """A handle that reaches one tenant's rows and fields and nothing else."""

    @property
    def quotas(self) -> Quotas:
        """Limits on how often something happens."""

    @property
    def approvals(self) -> Approvals:
        """Requests that somebody has to approve."""

    @property
    def tokens(self) -> Tokens:
        """Tokens that somebody presents: sessions, API keys, one-time links, break-glass."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def audit(self) -> Audit:
        """The audit trail."""

    def transaction(self) -> Transaction:
        """A transaction, for a with statement or to `begin`."""

    def snapshot(self) -> Snapshot:
        """A view of the vault at one moment, for a with statement."""

    def execute(self, sql: str, parameters: Iterable[_Given] | None = None, /) -> int:
        """Runs one statement of plain SQL; returns the number of rows changed. Sealed tables are refused."""

    def query(self, sql: str, parameters: Iterable[_Given] | None = None, /) -> SqlRows:
        """Runs a query in plain SQL."""

    def add_column(self, table: str, specification: str) -> _Erasure:
        """Adds a column, from its whole specification. The rows that are there have its default."""

    def drop_column(self, table: str, column: str) -> _Erasure:
        """Drops a column."""

    def rename_column(self, table: str, column: str, to: str) -> _Erasure:
        """Renames a column."""

    def rename_table(self, table: str, to: str) -> _Erasure:
        """Renames a table."""

    def protect(
        self, table: str, column: str, protection: Literal["plain", "authenticated", "sealed"]
    ) -> _Erasure:
        """Changes how a column is kept, and moves the values that are there."""

    def add_index(self, table: str, column: str, index: str) -> _Erasure:
        """Adds an index to a column: `unique email`, `lookup 5000 text`."""

    def drop_index(self, table: str, column: str) -> _Erasure:
        """Drops the index of a column."""

    def drop_table(self, table: str) -> _Erasure:
        """Drops a table with all its rows."""

    def protect_table(
        self,
        table: str,
        columns: Mapping[str, str] | Iterable[str],
        *,
        subject: str | None = None,
    ) -> _Erasure:
        """Converts a plain table into a sealed one, in place."""

    def plan_protection(
        self,
        table: str,
        columns: Mapping[str, str] | Iterable[str],
        *,
        subject: str | None = None,
    ) -> ProtectionPlan:
        """Says what `protect_table` would do; nothing is written."""

    def preview_adoption(
        self,
        plan: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        source: _Path | None = None,
        values: bool = False,
        remove: bool = False,
    ) -> AdoptionPreview:
        """Says what `adopt` would do; nothing is written."""

    def adopt(
        self,
        plan: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        source: _Path | None = None,
        values: bool = False,
        remove: bool = False,
        progress: Callable[[_AdoptionPhase, str, int, int], object] | None = None,
    ) -> AdoptionReport:
        """Adopts an existing database by a plan. `progress` gets the phase, the table, the rows so far and all rows."""

    def unprotect_table(self, table: str) -> None:
        """Makes a sealed table plain again."""

    def finish_alteration(self, table: str) -> _Erasure:
        """Finishes an alteration that was interrupted."""

    def erase_subject(self, subject: str | int, *, tenant: str | None = None) -> ErasureReceipt:
        """Erases a subject: deletes its rows, tokens and approvals, and destroys its keys."""

    def erase_subjects(
        self, subjects: Iterable[str | int], *, tenant: str | None = None
    ) -> list[ErasureReceipt]:
        """Erases several subjects, each in a transaction of its own, and rewrites the file once behind all of them. The
        receipts, in their order. The first that fails ends the call: those before it are erased.
        """

    def erase_tenant(self, name: str) -> ErasureReceipt:
        """Erases a tenant: everything that is its, and every key of it. Its audit entries stay."""

    def verify_receipt(self, text: str) -> ErasureReceipt:
        """Whether the vault has written this receipt of an erasure; what it says."""

    def tenants(self) -> list[TenantInfo]:
        """The tenants that have, or had, keys, in the order of their names."""

    def export_subject(self, subject: str | int, *, tenant: str | None = None) -> bytes:
        """Everything that a subject has, as JSON in UTF-8. Audited."""

    def finish_erasure(self) -> _Erasure:
        """Goes on with erasures that were interrupted, and overwrites what remnants alterations and erasures have left."""

    @property
    def keys(self) -> Keys:
        """The life of the vault's keys."""

    def backup(
        self, to: _Path, *, verify: bool = True, progress: _BackupProgress | None = None
    ) -> BackupReport:
        """Copies the vault, in use, into a new file, and checks the copy. `progress` gets "copied" with the pages so far and of
        all, "opened" with rows, "audited" with entries of the trail; what it raises ends the copy.
        """

    @staticmethod
    def restore(
        backup: _Path,
        to: _Path,
        unlock: Unlock,
        *,
        checkpoint: str | None = None,
        drill: bool = False,
        progress: _BackupProgress | None = None,
    ) -> BackupReport:
        """Makes a vault of a backup, once that is checked. With `drill` all of it is done, and nothing kept."""

    def compact(self) -> Compaction:
        """Writes the file anew without its free pages, and empties its log."""

    def verify(self, progress: Callable[[int], object] | None = None) -> Verification:
        """Opens every record and runs SQLite's own check. `progress` gets the number of rows opened so far."""

    def health(self) -> Health:
        """Whether the vault is in order, and if not, why. Raises nothing, and waits for no writer."""

    def metrics(self) -> Metrics:
        """What this process has done with the vault."""

    def count(self, name: str, by: int = 1) -> None:
        """Adds to a counter of the application's own, which `metrics` shows under that name."""

    def accept_clock(self) -> None:
        """Accepts the system's clock as it is, after it has been set back, or after it has been far ahead. Audited."""

    # For sealite.testing.
    def _set_clock(self, clock_ms: int | None) -> None:
        """Sets the clock of this vault's handles, in milliseconds since 1970; None gives it back to the system. For
        `sealite.testing`.
        """

@final
class Tenant:
    """One tenant of a vault. It can't reach what belongs to another, or to the vault itself.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("notes", {"body": "text sealed"}, per_tenant=True)
    True
    >>> vault.tenant("acme").table("notes").insert(body="buy the other one")
    1
    >>> vault.tenant("other").table("notes").get(1) is None
    True
    """

    @property
    def name(self) -> str:
        """The name."""

    def table(self, name: str) -> Table:
        """The tenant's rows of a table of tenants."""

    def field(self, name: str, *, padding: _Padding | None = None) -> Field:
        """Single sealed values of this tenant."""

    @property
    def quotas(self) -> Quotas:
        """Limits on how often something happens."""

    @property
    def approvals(self) -> Approvals:
        """Requests that somebody has to approve."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of this tenant."""

    @property
    def settings(self) -> Settings:
        """The settings as they hold for this tenant."""

    @property
    def audit(self) -> Audit:
        """The audit trail, as far as it is this tenant's."""

    def transaction(self) -> Transaction:
        """A transaction within the tenant, for a with statement."""

    def snapshot(self) -> Snapshot:
        """A view at one moment within the tenant, for a with statement."""

@final
class Table:
    """A sealed table.

    On a vault or tenant each call is a transaction of its own, and any thread may call. In a transaction or snapshot
    the table belongs to that.

        >>> vault = sealite.Vault.in_memory()
        >>> vault.define_table("users", {"email": "text sealed unique email", "plan": "text default 'free'"})
        True
        >>> users = vault.table("users")
        >>> users.insert_many(["email"], [("ada@example.org",), ("grace@example.org",)])
        [1, 2]
        >>> users.update(1, plan="pro")
        True
        >>> [row["plan"] for row in users.scan()]
        ['pro', 'free']
        >>> users.delete(2), users.count()
        (True, 1)
    """

    @property
    def name(self) -> str:
        """The name."""

    @property
    def columns(self) -> dict[str, str]:
        """The columns as they are declared now: a dict from names to specifications."""

    @property
    def definition(self) -> TableDefinition:
        """The table as it is declared now."""

    # Ids are Any: an int, or a str in a table with a text key.
    def insert(self, values: Mapping[str, _Given] | None = None, /, **columns: _Given) -> Any:
        """Inserts a row, given as a mapping, as keywords or both; returns its id."""

    @overload
    def insert_many(
        self, rows: Iterable[Mapping[str, _Given]], values: None = None, /
    ) -> list[Any]:
        """Inserts rows, all or none; returns their ids. Either an iterable of mappings, or the names of the columns and an
        iterable of sequences. A column that a mapping lacks holds its default or NULL.
        """

    @overload
    def insert_many(
        self, rows: Iterable[str], values: Iterable[Iterable[_Given]], /
    ) -> list[Any]:
        """Inserts rows, all or none; returns their ids. Either an iterable of mappings, or the names of the columns and an
        iterable of sequences. A column that a mapping lacks holds its default or NULL.
        """

    def get(self, id: _Id) -> Row | None:
        """The row of that id, verified; None where there is none."""

    def get_many(self, ids: Iterable[_Id]) -> list[Row | None]:
        """The rows of those ids, in their order; None for each that is not there."""

    def find(self, column: str, value: _Given) -> list[Row]:
        """The rows whose column has that value. A sealed column needs a blind index."""

    def find_one(self, column: str, value: _Given) -> Row | None:
        """The first row whose column has that value, or None."""

    def update(
        self, id: _Id, values: Mapping[str, _Given] | None = None, /, **columns: _Given
    ) -> bool:
        """Changes the given columns of a row and leaves the others; False where there is no such row."""

    def delete(self, id: _Id) -> bool:
        """Deletes a row; False where there is none. The row is verified first."""

    def discard(self, id: _Id) -> bool:
        """Deletes a row without opening it: for one that fails to authenticate. False where there is none."""

    def scan(self) -> Scan:
        """Every row, in the order of insertion. Memory is bounded."""

    def count(self) -> int:
        """The number of rows. Opens none of them."""

# A Mapping by registration; values() and items() are tuples, for speed. Values are Any, as sqlite3's are.
@final
class Row(Mapping[str, Any]):
    """A row that has been read and verified: a mapping from column names, the primary key first, to values.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("users", {"email": "text sealed", "age": "integer sealed"})
    True
    >>> row = vault.table("users").get(vault.table("users").insert(email="ada@example.org"))
    >>> row["email"], row["age"], dict(row)
    ('ada@example.org', None, {'id': 1, 'email': 'ada@example.org', 'age': None})
    >>> row
    <Row of id, email, age>
    """

    @property
    def id(self) -> Any:
        """The primary key."""

    def __getitem__(self, key: str, /) -> Any: ...
    @overload
    def get(self, key: str, default: None = None, /) -> Any:
        """The value of a column, or the default where there is no such column."""

    @overload
    def get(self, key: str, default: _T, /) -> Any | _T:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The value of a column, or the default where there is no such column."""

    def keys(self) -> KeysView[str]:
        """The names of the columns."""

    def values(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The values, in the order of the names."""

    def items(self) -> tuple[tuple[str, Any], ...]:  # type: ignore[override]
        """Names and values."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class SqlRows(Sequence[tuple[Any, ...]]):
    """The rows of a query in plain SQL: a sequence of tuples.

    >>> rows = sealite.Vault.in_memory().query("SELECT 1 AS one, 'b' AS letter")
    >>> rows.columns, rows[0], len(rows)
    (('one', 'letter'), (1, 'b'), 1)
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, at: int, /) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, at: slice, /) -> list[tuple[Any, ...]]: ...
    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Scan:
    """An iterator over every row of a table, in the order of insertion. It sees one moment, and holds a connection until
    it ends, is closed or is dropped.

        >>> vault = sealite.Vault.in_memory()
        >>> vault.define_table("users", {"name": "text sealed"})
        True
        >>> ids = vault.table("users").insert_many(["name"], [("Ada",), ("Grace",)])
        >>> [row["name"] for row in vault.table("users").scan()]
        ['Ada', 'Grace']
    """

    def __iter__(self) -> Self: ...
    def __next__(self) -> Row: ...
    def close(self) -> None:
        """Ends the scan, and gives its connection back."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Transaction:
    """A write transaction: begun by `with`, committed at its end, rolled back by an exception. It belongs to the thread
    that began it. One that is dropped on the way is rolled back. Where `with` doesn't fit, `begin`, and `commit` or
    `roll_back`, do the same.

        >>> vault = sealite.Vault.in_memory()
        >>> vault.define_table("users", {"name": "text sealed"})
        True
        >>> with vault.transaction() as transaction:
        ...     id = transaction.table("users").insert(name="Ada")
        ...     place = transaction.audit("user.created", subject=str(id))
        >>> try:
        ...     with vault.transaction() as transaction:
        ...         transaction.table("users").delete(id)
        ...         raise RuntimeError
        ... except RuntimeError:
        ...     vault.table("users").count()
        True
        1
    """

    def table(self, name: str) -> Table:
        """A table, within the transaction."""

    def tenant(self, name: str) -> TenantTables:
        """What belongs to one tenant, within the transaction."""

    def execute(self, sql: str, parameters: Iterable[_Given] | None = None, /) -> int:
        """Runs one statement of plain SQL; returns the number of rows changed. Sealed tables are refused."""

    def query(self, sql: str, parameters: Iterable[_Given] | None = None, /) -> SqlRows:
        """Runs a query in plain SQL; it sees what the transaction has written."""

    def define_table(
        self,
        name: str,
        columns: Mapping[str, str] | Iterable[str],
        *,
        key: str = "id",
        text_key: bool = False,
        per_tenant: bool = False,
        padding: _Padding | None = None,
        subject: str | None = None,
    ) -> bool:
        """Declares a table, as `Vault.define_table` does: it is there where the transaction commits."""

    @property
    def tokens(self) -> Tokens:
        """Tokens, within the transaction: what is issued, used or revoked is so where it commits."""

    def audit(
        self,
        event: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        trace_id: str | None = None,
        correlation_id: str | None = None,
        payload: _Payload | None = None,
    ) -> int:
        """Appends an audit entry in this transaction: it is there only if the transaction is. Its place in the chain."""

    def savepoint(self) -> Savepoint:
        """A part of the transaction that an exception takes back alone, for a with statement."""

    def begin(self) -> Self:
        """Begins it, as `with` does, and returns it. A `with` over what it returns ends it as any other.

        >>> transaction = sealite.Vault.in_memory().transaction().begin()
        >>> transaction.define_table("users", {"name": "text sealed"})
        True
        >>> transaction.commit()
        """

    def commit(self) -> None:
        """Commits, before the end of `with` or without one; the transaction has ended then. Where it raises, nothing was
        committed; after an `IoError`, whether it was shows when the vault is opened again.
        """

    def roll_back(self) -> None:
        """Takes everything back; the transaction has ended then."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Savepoint:
    """A savepoint: set by `with`, kept at its end, gone back to by an exception, which then goes on.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("users", {"email": "text sealed unique email"})
    True
    >>> with vault.transaction() as transaction:
    ...     for email in ("ada@example.org", "grace@example.org", "ADA@example.org"):
    ...         try:
    ...             with transaction.savepoint():
    ...                 id = transaction.table("users").insert(email=email)
    ...         except sealite.Conflict:
    ...             print("there already:", email)
    there already: ADA@example.org
    >>> vault.table("users").count()
    2
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Snapshot:
    """A view of the vault at the moment when `with` began. It holds back the write-ahead log: keep it short.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("users", {"name": "text sealed"})
    True
    >>> vault.table("users").insert_many(["name"], [("Ada",), ("Grace",)])
    [1, 2]
    >>> with vault.snapshot() as snapshot:
    ...     [row["name"] for row in snapshot.table("users").get_many([2, 1])]
    ['Grace', 'Ada']
    """

    def table(self, name: str) -> Table:
        """A table, as it was when the snapshot was taken."""

    def tenant(self, name: str) -> TenantTables:
        """What belonged to one tenant."""

    def query(self, sql: str, parameters: Iterable[_Given] | None = None, /) -> SqlRows:
        """Runs a query in plain SQL, as of the snapshot."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class TenantTables:
    """The tables of one tenant, within a transaction or snapshot.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.define_table("notes", {"body": "text sealed"}, per_tenant=True)
    True
    >>> with vault.transaction() as transaction:
    ...     id = transaction.tenant("acme").table("notes").insert(body="hello")
    >>> vault.tenant("acme").table("notes").count(), vault.tenant("other").table("notes").count()
    (1, 0)
    """

    def table(self, name: str) -> Table:
        """The tenant's rows of a table of tenants."""

@final
class Field:
    """A kind of value that is sealed one by one and kept elsewhere. What is sealed for one field, tenant and record opens
    only for the same. Any thread may use it.

        >>> vault = sealite.Vault.in_memory()
        >>> email = vault.field("users.email")
        >>> sealed = email.seal("ada@example.org", record=7)
        >>> email.open(sealed, record=7)
        'ada@example.org'
        >>> email.index("ADA@example.org", "unique email") == email.index("ada@example.org", "unique email")
        True
        >>> email.open(sealed, record=8)
        Traceback (most recent call last):
        sealite.AuthenticationFailed: ...
    """

    def seal(self, value: _Given, record: _Id | None = None) -> bytes:
        """Seals a value; None is sealed too. `record` is the primary key of the row that will hold it."""

    def seal_many(
        self, values: Iterable[_Given], records: Iterable[_Id | None] | None = None
    ) -> list[bytes]:
        """Seals many values, in their order, each for its record where records are given."""

    def open(self, sealed: _Bytes, record: _Id | None = None) -> Any:
        """Opens a sealed value."""

    def open_many(
        self, sealed: Iterable[_Bytes], records: Iterable[_Id | None] | None = None
    ) -> list[Any]:
        """Opens many sealed values, in their order. The first that does not open fails the call."""

    # bytes for a unique index, an int for a look-up, None for None.
    def index(self, value: _Given, index: str) -> Any:
        """The blind index of a value: bytes for `unique`, an int for `lookup`, None for None."""

    def index_many(self, values: Iterable[_Given], index: str) -> list[Any]:
        """The blind indexes of many values, in their order."""

    def index_values(self, value: _Given, index: str) -> list[Any]:
        """Every blind index that stands for a value: that of `index` first and then, until the index keys that a rotation has
        retired are destroyed, those under them. A look-up asks for all.
        """

    def reseal(self, sealed: _Bytes, record: _Id | None = None) -> bytes | None:
        """Seals a value anew where it is under a key that a rotation has retired; None where it is not."""

# What sealite.sqlalchemy calls for every value; not for anybody else.
@final
class FieldBinding:
    """A field that a program names where it declares its tables, and that is there once a vault is open. `None` passes
    through: it is NULL in the database. Any thread may use it.
    """

    def __new__(
        cls,
        name: str,
        kind: Literal["text", "integer", "real", "boolean", "blob"],
        index: str | None = None,
    ) -> Self: ...
    def bind(self, field: Field | None) -> None:
        """Gives it the field, or takes it away."""

    def seal(self, value: _Given, record: _Id | None = None) -> bytes | None:
        """Seals a value, for the row with this primary key where one is given."""

    def open(self, sealed: _Bytes | None, record: _Id | None = None) -> Any:
        """Opens a sealed value."""

    def index(self, value: _Given) -> Any:
        """The blind index of a value."""

@final
class ProtectionPlan:
    """What a conversion would do."""

    @property
    def definition(self) -> TableDefinition:
        """The table as it would be declared afterwards."""

    @property
    def rows(self) -> int:
        """The number of rows to seal."""

    @property
    def kept(self) -> list[str]:
        """Indexes, foreign keys and constraints that go on as they are."""

    @property
    def changed(self) -> list[str]:
        """What becomes another thing."""

    @property
    def obstacles(self) -> list[str]:
        """What stands against it."""

@final
class Keys:
    """The life of a vault's keys.

    >>> vault = sealite.Vault.in_memory()
    >>> [(key.purpose, key.state) for key in vault.keys.list()]
    [('data', 'active'), ('index', 'active'), ('audit', 'active')]
    """

    def list(self) -> builtins.list[KeyInfo]:
        """All keys that there are and were, of all tenants, in the order of their ids; no secret. Every row is
        authenticated, and that none is missing or was put back.
        """

    def rotate_master(
        self, keep: Sequence[Unlock], *, drop_others: bool = False
    ) -> MasterRotation:
        """Makes a new master key, and wraps every key, and every slot that one of the secrets opens, under it. Slots that
        none opens are refused, or dropped where `drop_others` says so.
        """

    def plan(self, rotation: Rotation) -> RotationPlan:
        """Says what a rotation would do; writes nothing."""

    def begin(self, rotation: Rotation) -> RotationStatus:
        """Makes the new key: from here on every process writes under it, and `step` moves what is there."""

    def step(self, rotation: Rotation) -> RotationStatus:
        """Seals the next records anew, at most 500 and some 1 MiB, in one transaction with the place to go on from."""

    def run(
        self, rotation: Rotation, progress: Callable[[RotationStatus], object] | None = None
    ) -> RotationStatus:
        """Begins the rotation where none is in progress, and steps to its end, with pauses in which others write. `progress`
        is called with the status after every step; what it raises ends the call, and the next one goes on.
        """

    def status(self, rotation: Rotation) -> RotationStatus | None:
        """How the last rotation of a key stands; None where there was none."""

    def rotations(self) -> builtins.list[RotationStatus]:
        """How the last rotation of each key stands, in the order of their beginning."""

    def rotate_all(
        self,
        keep: Sequence[Unlock],
        *,
        drop_others: bool = False,
        progress: Callable[[RotationStatus], object] | None = None,
    ) -> tuple[MasterRotation, builtins.list[RotationStatus]]:
        """Changes everything: the master key as `rotate_master` does, and then every other key. `progress` is called with the
        status of each after every step.
        """

    def revoke_left(self, tenant: str | None = None) -> int:
        """Revokes the tokens that are still hashed under a retired pepper; how many."""

    def destroy_retired(
        self, rotation: Rotation, *, fields_resealed: bool
    ) -> builtins.list[int]:
        """Destroys the retired keys that a rotation has replaced; their ids. `fields_resealed` says, of data and index keys, that
        no single value (`Field`) in another database is under them any more, which the engine can't see.
        """

@final
class Rotation:
    """A key to rotate: of a kind, and of the vault itself or of one tenant.

    >>> vault = sealite.Vault.in_memory()
    >>> done = vault.keys.run(sealite.Rotation.data())
    >>> done.state, done.old_key, done.new_key
    ('finished', 1, 4)
    >>> vault.keys.destroy_retired(sealite.Rotation.data(), fields_resealed=True)
    [1]
    """

    @staticmethod
    def data(tenant: str | None = None) -> Rotation:
        """The data keys of a tenant and its subjects, or of the vault itself."""

    @staticmethod
    def index(tenant: str | None = None) -> Rotation:
        """The index key of a tenant, or of the vault itself."""

    @staticmethod
    def token(tenant: str | None = None) -> Rotation:
        """The pepper of the tokens of a tenant, or of the vault itself."""

    @staticmethod
    def audit() -> Rotation:
        """The audit key, of which there is one."""

    @property
    def kind(self) -> Literal["data", "index", "token", "audit"]:
        """"data", "index", "token" or "audit"."""

    @property
    def tenant(self) -> str | None:
        """The tenant; None for the vault itself."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class RotationPlan:
    """What a rotation would do."""

    @property
    def key(self) -> int:
        """The id of the key that is active now."""

    @property
    def records(self) -> int:
        """Records to be sealed anew; of the pepper, tokens that are valid."""

    @property
    def tables(self) -> dict[str, int]:
        """The same by table."""

    @property
    def estimate(self) -> datetime.timedelta:
        """About how long it takes: a timedelta."""

@final
class RotationStatus:
    """How a rotation stands."""

    @property
    def rotation(self) -> Rotation:
        """The rotation."""

    @property
    def state(self) -> Literal["running", "waiting", "finished"]:
        """"running", "waiting" for tokens that are still under the old pepper, or "finished"."""

    @property
    def old_key(self) -> int:
        """The id of the key before."""

    @property
    def new_key(self) -> int:
        """The id of the key that everything is brought under."""

    @property
    def done(self) -> int:
        """Records that are done with."""

    @property
    def total(self) -> int:
        """How many there were at the beginning."""

    @property
    def moved(self) -> int:
        """Records that were sealed anew."""

    @property
    def left(self) -> int:
        """Valid tokens under an older pepper."""

    @property
    def started_at(self) -> datetime.datetime:
        """When it began: a datetime in UTC."""

    @property
    def finished_at(self) -> datetime.datetime | None:
        """When it finished; None where it has not."""

    @property
    def remaining(self) -> datetime.timedelta | None:
        """How long its steps have still to work: a timedelta; None where that can't be told."""

@final
class KeyInfo:
    """A key as it is listed. It holds no secret."""

    @property
    def id(self) -> int:
        """The id that records name."""

    @property
    def purpose(self) -> Literal["data", "index", "audit", "token", "lookup"]:
        """"data", "index", "audit", "token" or "lookup"."""

    @property
    def tenant(self) -> str | None:
        """The tenant; None for the vault itself."""

    @property
    def subject(self) -> str | None:
        """The subject; None for the tenant as a whole."""

    @property
    def generation(self) -> int:
        """Counts from 1 for each purpose, tenant and subject."""

    @property
    def state(self) -> Literal["active", "retired", "destroyed"]:
        """"active", "retired" (it only opens) or "destroyed"."""

    @property
    def created_at(self) -> datetime.datetime:
        """When it was made: a datetime in UTC."""

    @property
    def changed_at(self) -> datetime.datetime:
        """When its state last changed: a datetime in UTC."""

@final
class MasterRotation:
    """What `Keys.rotate_master` has done."""

    @property
    def kept(self) -> list[int]:
        """The ids of the slots that stayed."""

    @property
    def dropped(self) -> list[int]:
        """The ids of the slots that were dropped."""

    @property
    def keys(self) -> int:
        """Keys wrapped again."""

@final
class ErasureReceipt:
    """What an erasure has destroyed, and when. `text` is for keeping outside: `Vault.verify_receipt` tells later whether the
    vault has written it.
    """

    @property
    def tenant(self) -> str | None:
        """The tenant; None for a subject of the vault itself."""

    @property
    def subject(self) -> str | None:
        """The subject; None where the tenant was erased as a whole."""

    @property
    def at(self) -> datetime.datetime:
        """When the keys were destroyed: a datetime in UTC."""

    @property
    def rows(self) -> int:
        """Rows deleted from the application's tables."""

    @property
    def internal(self) -> int:
        """Rows deleted from the engine's own: tokens, approvals, settings, quotas."""

    @property
    def keys(self) -> int:
        """Keys destroyed."""

    @property
    def audit_seq(self) -> int:
        """The place of the erasure's entry in the audit trail."""

    @property
    def erasure(self) -> _Erasure:
        """"complete", or "pending" where a reader held the log back when the call ended."""

    @property
    def text(self) -> str:
        """The text to keep."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class TenantInfo:
    """A tenant, as `Vault.tenants` lists it."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def created_at(self) -> datetime.datetime:
        """When its first key was made: a datetime in UTC."""

    @property
    def erased_at(self) -> datetime.datetime | None:
        """When it was erased; None for one that is there."""

    @property
    def subjects(self) -> int:
        """How many subjects of it have keys."""

@final
class BackupReport:
    """What a copy holds."""

    @property
    def bytes(self) -> int:
        """The size of the copy in bytes."""

    @property
    def rows(self) -> int | None:
        """Rows that were opened in the copy, the engine's own included; None where it was not checked."""

    @property
    def audit_entries(self) -> int | None:
        """Entries of the audit trail; None where it was not checked."""

@final
class Compaction:
    """What `Vault.compact` has done."""

    @property
    def before(self) -> int:
        """Bytes on the disk before: the file and its log."""

    @property
    def after(self) -> int:
        """Bytes on the disk afterwards."""

    @property
    def erasure(self) -> _Erasure:
        """"complete", or "pending" where another process has held it back: `finish_erasure` goes on."""

@final
class AdoptionPreview:
    """What an adoption would do."""

    @property
    def possible(self) -> bool:
        """Whether nothing stands against it."""

    @property
    def tables(self) -> list[TablePreview]:
        """The tables, in the order in which they are converted."""

@final
class TablePreview:
    """What an adoption would do to a table."""

    @property
    def table(self) -> str:
        """Its name."""

    @property
    def done(self) -> bool:
        """Whether an earlier call has converted it."""

    @property
    def rows(self) -> int:
        """The number of rows."""

    @property
    def bytes(self) -> int:
        """Bytes of the values as they are."""

    @property
    def bytes_after(self) -> int:
        """Bytes that the table takes afterwards: estimated from a sample."""

    @property
    def seconds(self) -> float:
        """How long it takes: estimated from a sample."""

    @property
    def kept(self) -> list[str]:
        """What goes on as it is."""

    @property
    def changed(self) -> list[str]:
        """What becomes another thing."""

    @property
    def refused(self) -> list[str]:
        """What stands against it."""

@final
class AdoptionReport:
    """What an adoption has done."""

    @property
    def tables(self) -> list[AdoptedTable]:
        """The tables, in the order in which they were converted."""

    @property
    def erasure(self) -> _Erasure:
        """Whether what was in clear is overwritten: `complete` or `pending`."""

    @property
    def seconds(self) -> float:
        """How long it took."""

@final
class AdoptedTable:
    """A table that was adopted."""

    @property
    def table(self) -> str:
        """Its name."""

    @property
    def rows(self) -> int:
        """Its rows, each of which was compared."""

    @property
    def was_done(self) -> bool:
        """Whether an earlier call had converted it."""

    @property
    def removed(self) -> bool:
        """Whether it was dropped from the application's database."""

@final
class Verification:
    """What was found by opening every record."""

    @property
    def tables(self) -> dict[str, int]:
        """Rows opened of the tables that the application has declared, by name."""

    @property
    def internal(self) -> dict[str, int]:
        """Rows opened of the engine's own tables, by name."""

    @property
    def faults(self) -> list[Fault]:
        """Every row that does not open."""

    @property
    def keys(self) -> SealiteError | None:
        """What is wrong with the table of keys, an exception; None where nothing is."""

    @property
    def integrity(self) -> list[str]:
        """What SQLite's own check says; empty where it says ok."""

    @property
    def sound(self) -> bool:
        """True where nothing was found."""

@final
class Fault:
    """A row that does not open."""

    @property
    def table(self) -> str:
        """The table."""

    @property
    def tenant(self) -> str | None:
        """The tenant, in a table of tenants."""

    @property
    def id(self) -> Any:
        """The id that the row carries now."""

    @property
    def error(self) -> SealiteError:
        """Why it does not open: an exception."""

@final
class Quotas:
    """Limits on how often something happens: shared by all processes, kept over restarts.

    Limits are given as text ("30/minute", "5 per 10 seconds", "5/second; 100/day"), as a `QuotaLimit`, or as a list of
    these. All calls for one key should give the same. A key is kept as a MAC only. Each call is a transaction of its
    own, and refused inside another one of the same thread.

        >>> vault = sealite.Vault.in_memory()
        >>> vault.quotas.check_and_charge("192.0.2.1", "2/minute").allowed
        True
        >>> vault.quotas.check_and_charge("192.0.2.1", "2/minute").remaining
        0
        >>> bool(vault.quotas.check_and_charge("192.0.2.1", "2/minute"))
        False
    """

    def check_and_charge(self, key: str, limits: _Limits, cost: int = 1) -> Decision:
        """Charges `cost` under every limit, or, where one of them has less left, under none. What is refused costs
        nothing.

            if not (decision := vault.quotas.check_and_charge(f"login:{address}", "5/minute; 50/day")):
                return Response(429, headers={"Retry-After": str(math.ceil(decision.retry_after))})
        """

    def peek(self, key: str, limits: _Limits) -> Decision:
        """Whether a charge of 1 would go through now. Charges nothing."""

    def charge_failure(self, key: str, limits: _Limits) -> Decision:
        """Charges a failed attempt, for limits that count failures only: `peek` before the attempt, and where it has
        failed, this. The decision is about the next attempt. Attempts that run at once all pass the `peek`: where that
        matters, `check_and_charge` before the attempt and `reset` after one that succeeded.
        """

    def reset(self, key: str) -> bool:
        """Forgets what the key has used; false where there was nothing."""

    def sweep(self) -> int:
        """Removes every row in which nothing counts any more; how many. Charges do so by and by."""

# Limit is an exception.
@final
class QuotaLimit:
    """So many charges in a window of time. (`sealite.Limit` is an exception.)

    >>> sealite.QuotaLimit.sliding(30, 60) == sealite.QuotaLimit.parse("30/minute")[0]
    True
    """

    @staticmethod
    def sliding(count: int, window: _Seconds) -> QuotaLimit:
        """At most `count` in any stretch of time as long as `window` (seconds or a timedelta), wherever it begins."""

    @staticmethod
    def fixed(count: int, window: _Seconds) -> QuotaLimit:
        """At most `count` in each window, where windows begin at multiples of `window` since 1970 (UTC)."""

    @staticmethod
    def parse(text: str) -> list[QuotaLimit]:
        """The limits that a text says: "30/minute", "5 per 10 seconds; 100/day". All are sliding."""

    @property
    def count(self) -> int:
        """How many it allows."""

    @property
    def window(self) -> float:
        """The length of its window, in seconds."""

    @property
    def is_fixed(self) -> bool:
        """True where windows begin at fixed times."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Decision:
    """The answer to a charge; true where it is allowed."""

    @property
    def allowed(self) -> bool:
        """Whether the charge went through; of `peek` and `charge_failure`, whether a charge of 1 would."""

    @property
    def remaining(self) -> int:
        """What is left in the window that has least left."""

    @property
    def retry_after(self) -> float:
        """Seconds until the same charge can go through, if nobody else charges; 0.0 where it is allowed."""

    @property
    def reset_after(self) -> float:
        """Seconds until nothing counts any more in the window of `limit`."""

    @property
    def limit(self) -> QuotaLimit:
        """The limit that this is about: of those that refused, the one that does so for longest; else the one that has
        least left.
        """

    def __bool__(self) -> bool: ...

@final
class Approvals:
    """Requests for approval: decided once, executed once, whatever the number of processes. Each change writes its entry
    into the audit trail.

        >>> vault = sealite.Vault.in_memory()
        >>> payload = {"table": "users", "id": 7}
        >>> request = vault.approvals.create("delete", payload, "ada")
        >>> vault.approvals.decide(request, "grace", "approve").state
        'approved'
    """

    def create(
        self,
        action: str,
        payload: _Json,
        requester: str,
        *,
        subject: str | None = None,
        session: str | None = None,
        expires_in: _Seconds | None = None,
        exclude_requester: bool = True,
        allowed_roles: Iterable[str] | None = None,
        keep_for: _Seconds | None = None,
    ) -> str:
        """Asks for approval of an action with a payload: JSON text, or what `json.dumps` makes it from. Of the payload only
        the hash of its canonical form (RFC 8785) is kept. Returns the id, which no one can guess.

        It expires after `expires_in` seconds (or a timedelta; an hour), decided or not. Where `allowed_roles` are given,
        only these may decide; the requester may not, unless `exclude_requester` is false. Once it has come to its end it
        can be read for another `keep_for` seconds (or a timedelta; 30 days).
        """

    def get(self, id: str) -> Approval:
        """The request, as it stands now."""

    def list_pending(
        self, *, subject: str | None = None, session: str | None = None
    ) -> list[Approval]:
        """The requests that wait for a decision, of a subject, of a session, or of both; all of them where neither is
        given. The oldest comes first.
        """

    def decide(
        self,
        id: str,
        approver: str,
        verdict: Literal["approve", "reject"],
        *,
        role: str | None = None,
        reason: str | None = None,
    ) -> Approval:
        """Decides a request, once: "approve" or "reject". `role` is what the application has found the approver to be.
        Raises NotFound, AlreadyDecided, Expired, or Denied where the policy keeps this approver or role from deciding.
        """

    def claim(self, id: str, payload: _Json) -> Approval:
        """Claims the execution of an approved request, once, for the payload that was approved: of all who try, one gets
        an answer. Raises NotFound, Denied where it is not approved, AlreadyDecided where it has been executed, Expired,
        or PayloadChanged.
        """

    def wait(self, id: str, timeout: _Seconds | None = None) -> _ApprovalState:
        """Waits until the request is no longer pending, at most for `timeout` seconds (or a timedelta; without one, until
        it expires); its state then, "pending" where the time is up. Other threads run meanwhile, and no lock is held;
        another process's decision is seen within some 25 ms. In an event loop:

            state = await asyncio.to_thread(vault.approvals.wait, id, 60)
        """

    def sweep(self) -> int:
        """Writes down what has expired, and removes what was kept long enough after its end, in short transactions; how many
        requests it has settled so. An overdue request is refused without it, too.
        """

@final
class Approval:
    """A request for approval, as it stands."""

    @property
    def id(self) -> str:
        """128 random bits in base32."""

    @property
    def action(self) -> str:
        """What is to be done."""

    @property
    def payload_hash(self) -> bytes:
        """SHA-256 of the payload's canonical form (RFC 8785)."""

    @property
    def requester(self) -> str:
        """Who asked."""

    @property
    def subject(self) -> str | None:
        """Whom or what it concerns."""

    @property
    def session(self) -> str | None:
        """The session that it belongs to."""

    @property
    def state(self) -> _ApprovalState:
        """"pending", "approved", "rejected", "executed" or "expired"."""

    @property
    def exclude_requester(self) -> bool:
        """Whether the requester is kept from deciding."""

    @property
    def allowed_roles(self) -> list[str]:
        """The roles that may decide; empty where any may."""

    @property
    def created_at(self) -> datetime.datetime:
        """When it was asked for: a datetime in UTC, as all times here."""

    @property
    def expires_at(self) -> datetime.datetime:
        """From when on it can be neither decided nor executed."""

    @property
    def approver(self) -> str | None:
        """Who decided."""

    @property
    def role(self) -> str | None:
        """In what role."""

    @property
    def reason(self) -> str | None:
        """Why."""

    @property
    def decided_at(self) -> datetime.datetime | None:
        """When it was decided."""

    @property
    def executed_at(self) -> datetime.datetime | None:
        """When its execution was claimed."""

@final
class Health:
    """What `Vault.health` found; true where nothing is wrong.

    >>> vault = sealite.Vault.in_memory()
    >>> bool(vault.health()), vault.health().reasons
    (True, [])
    """

    @property
    def ready(self) -> bool:
        """True where nothing is wrong; otherwise the vault is degraded. `usable` asks for less."""

    @property
    def usable(self) -> bool:
        """True where reads and writes work, though something may ask for attention."""

    @property
    def status(self) -> Literal["ready", "degraded"]:
        """"ready" or "degraded"."""

    @property
    def reasons(self) -> list[str]:
        """What is wrong: stable names, such as "read_only" or "audit_broken"."""

    @property
    def blocking(self) -> list[str]:
        """Those of the reasons for which calls fail: reads or writes or both. The others ask for somebody's attention."""

    @property
    def error(self) -> SealiteError | None:
        """The error that ended the check early, for a log: an exception."""

    def __bool__(self) -> bool: ...

@final
class Metrics:
    """What this process has done with the vault since the handle was made; figures only.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.count("requests_total")
    >>> "requests_total 1" in vault.metrics().prometheus()
    True
    """

    @property
    def uptime(self) -> float:
        """Seconds since the handle was made."""

    @property
    def gets(self) -> int:
        """Rows asked for by id."""

    @property
    def finds(self) -> int:
        """Searches by value."""

    @property
    def inserts(self) -> int:
        """Rows inserted."""

    @property
    def updates(self) -> int:
        """Calls that update a row."""

    @property
    def deletes(self) -> int:
        """Calls that delete or discard a row."""

    @property
    def scan_rows(self) -> int:
        """Rows that scans have read."""

    @property
    def committed(self) -> int:
        """Write transactions committed, the engine's own with them."""

    @property
    def rolled_back(self) -> int:
        """Write transactions rolled back."""

    @property
    def busy(self) -> int:
        """Calls that failed because somebody else held the lock for too long."""

    @property
    def authentication_failures(self) -> int:
        """Calls that failed because a row, record or field is not what was written."""

    @property
    def quota_charged(self) -> int:
        """Charges of quotas that went through."""

    @property
    def quota_refused(self) -> int:
        """Charges of quotas that were refused."""

    @property
    def approvals_created(self) -> int:
        """Approvals asked for."""

    @property
    def approvals_decided(self) -> int:
        """Approvals given or rejected."""

    @property
    def settings_used(self) -> int:
        """Settings given out to the application."""

    @property
    def settings_revealed(self) -> int:
        """Settings shown to a person."""

    @property
    def tokens_issued(self) -> int:
        """Tokens issued, successors with them."""

    @property
    def tokens_verified(self) -> int:
        """Tokens that were verified, and held."""

    @property
    def tokens_consumed(self) -> int:
        """Uses taken of tokens that have a number of them, and of break-glass."""

    @property
    def tokens_rejected(self) -> dict[str, int]:
        """Tokens refused, by the true reason."""

    @property
    def keys_locked(self) -> int:
        """Secrets of the process in memory that the system keeps out of its swap."""

    @property
    def keys_not_locked(self) -> int:
        """Secrets of the process in memory that the limit on locked memory leaves to the swap."""

    @property
    def audit_appended(self) -> int:
        """Audit entries committed."""

    @property
    def audit_lost(self) -> int:
        """Audit entries of best effort that were lost."""

    @property
    def read(self) -> Histogram:
        """Gets and searches; one of 64 is measured."""

    @property
    def write(self) -> Histogram:
        """Whole write transactions, with waiting for the lock and what the application did in them."""

    @property
    def commit(self) -> Histogram:
        """The commit itself."""

    @property
    def application(self) -> dict[str, int]:
        """What the application has counted itself (`Vault.count`), by name."""

    def prometheus(self, names: Mapping[str, str] | None = None) -> str:
        """The figures as Prometheus reads them (text format 0.0.4). `names` gives metrics of the engine other names:
        {"rate_limited_total": "sealite_quota_refused_total"}.
        """

@final
class Histogram:
    """How long something took."""

    @property
    def buckets(self) -> list[tuple[float, int]]:
        """Upper bounds in seconds, inclusive, and how many took no longer: each bucket counts those before it too."""

    @property
    def count(self) -> int:
        """All that were measured, those beyond the last bound with them."""

    @property
    def sum(self) -> float:
        """Their sum, in seconds."""

# What a write does where it sets no value: KEEP or CLEAR.
@final
class Change:
    """What a write does where it sets no value: `KEEP` or `CLEAR`.

    >>> settings = sealite.Vault.in_memory().settings
    >>> defined = settings.define_all({"mail.host": {}, "mail.port": {"kind": "integer"}})
    >>> settings.write_many({"mail.host": "localhost", "mail.port": sealite.KEEP}, actor="ada")
    ['mail.host']
    >>> settings.write("mail.host", sealite.CLEAR, actor="ada")
    True
    """

    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object, /) -> Self: ...

KEEP: Change
CLEAR: Change

# Shows a mask wherever it is formatted, pickled or copied; expose() gives the value.
@final
class SettingValue:
    """The value of a setting. It shows a mask wherever it is formatted, logged, pickled or copied, and gives the value
    only to `expose()`.

        >>> settings = sealite.Vault.in_memory().settings
        >>> defined = settings.define("mail.password", secret=True)
        >>> written = settings.write("mail.password", "correct horse", actor="ada")
        >>> str(settings.use("mail.password")), settings.use("mail.password").expose()
        ('********', 'correct horse')
    """

    def expose(self) -> Any:
        """The value itself: a str, int, float or bool. JSON is given as its text."""

    @property
    def kind(self) -> _SettingKind:
        """The type: "text", "integer", "real", "boolean" or "json"."""

    def __format__(self, specification: str, /) -> str: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: object, /) -> Self: ...

@final
class Trace:
    """The ids of a request: its own, and that of what it is a part of. Every entry of the audit trail that comes of it carries
    them, the engine's own too, while `sealite.current_trace` holds it: see `sealite.trace`.

        >>> sealite.Trace("4bf92f3577b34da6a3ce929d0e0e4736", "order-7").correlation_id
        'order-7'
    """

    def __new__(cls, trace_id: str, correlation_id: str | None = None) -> Self: ...
    @property
    def trace_id(self) -> str:
        """The request's own."""

    @property
    def correlation_id(self) -> str | None:
        """That of what it is a part of."""

    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Trace], tuple[str, str | None]]: ...

@final
class Tokens:
    """Tokens of a vault or tenant, each call a transaction of its own, or of a transaction. A tenant's reach only the
    tenant's tokens, the vault's own only those without a tenant.

    Whatever is presented, the answer to what does not hold is `TokenRejected`; why, only the metrics and the audit trail
    tell. `Denied` is the answer to a token that holds and lacks a scope.

        >>> vault = sealite.Vault.in_memory()
        >>> issued = vault.tokens.issue("api_key", subject="ada", scopes=["read"])
        >>> vault.tokens.verify(issued.text, "api_key", scopes=["read"]).subject
        'ada'
        >>> vault.tokens.verify(issued.text, "api_key", scopes=["write"])
        Traceback (most recent call last):
        sealite.Denied: ...
        >>> vault.tokens.revoke(issued.token.id)
        True
        >>> vault.tokens.verify(issued.text, "api_key")
        Traceback (most recent call last):
        sealite.TokenRejected: ...
    """

    def issue(
        self,
        kind: _TokenKind,
        *,
        subject: str | None = None,
        label: str | None = None,
        scopes: Iterable[str] | None = None,
        limits: str | None = None,
        data: _Json = None,
        prefix: str | None = None,
        family: str | None = None,
        expires_in: _Seconds | Literal["never"] | None = None,
        not_before_in: _Seconds | None = None,
        idle: _Seconds | None = None,
        renew_for: _Seconds | None = None,
        uses: int | None = None,
        last_used_every: _Seconds | None = None,
        replace_older: bool = False,
    ) -> IssuedToken:
        """Issues a token of a kind. What is not given has the kind's default; `expires_in` may also be "never". Times are in
        seconds or timedeltas; `data` is JSON text, or what `json.dumps` makes it from.
        """

    def verify(
        self, text: str, kind: _TokenKinds, *, scopes: Iterable[str] | None = None
    ) -> Token:
        """Verifies a token that may be used any number of times, of a kind or of one of several, with all of the scopes.
        Writes nothing but its last use, at most once in the interval that it was issued with.
        """

    def peek(
        self, text: str, kind: _TokenKinds, *, scopes: Iterable[str] | None = None
    ) -> Token:
        """Whether `consume` would take a use of the token now, without taking it. Says nothing about break-glass."""

    def consume(
        self, text: str, kind: _TokenKinds, *, scopes: Iterable[str] | None = None
    ) -> Token:
        """Takes one use of the token, and of a break-glass token its arming: of any number who try, as many get an answer
        as there are uses. In a transaction the use is taken only where that commits.
        """

    def rotate(
        self,
        text: str,
        kind: _TokenKinds,
        *,
        grace: _Seconds,
        scopes: Iterable[str] | None = None,
    ) -> IssuedToken:
        """Gives a successor for the token. For `grace` (seconds or a timedelta, at most a day) the old one gives the same
        successor again; presented after that, it revokes its family. Refused in a transaction.
        """

    def issue_code(
        self,
        subject: str,
        *,
        digits: int = 6,
        attempts: int = 5,
        expires_in: _Seconds | None = None,
        label: str | None = None,
        data: _Json = None,
        replace_older: bool = True,
    ) -> IssuedCode:
        """Issues a short code for a person to type: 6 to 10 digits, 1 to 10 attempts, valid for 10 minutes unless
        `expires_in` says otherwise. The subject's older codes are revoked, unless `replace_older` is false. Refused in a
        transaction.
        """

    def verify_code(self, id: str, code: str) -> Token:
        """Verifies a short code by the id that it was issued under, and uses it up. Each call is an attempt, whatever its
        outcome. Refused in a transaction.
        """

    def get(self, id: str) -> Token:
        """What is known of the token of that id."""

    def list(
        self,
        *,
        subject: str | None = None,
        kind: _TokenKind | None = None,
        family: str | None = None,
        active: bool = False,
        limit: int = 1000,
    ) -> builtins.list[Token]:
        """Tokens, the newest first: of a subject, kind or family, or, with `active`, only those that can be used."""

    def enable(self, id: str) -> bool:
        """Takes `disable` back; True where it changed."""

    def disable(self, id: str) -> bool:
        """Makes a token unusable until it is enabled again; True where it changed."""

    def revoke(self, id: str) -> bool:
        """Revokes a token for good; False where it was already. Every process sees it with its next verification."""

    def revoke_family(self, family: str) -> int:
        """Revokes every token of a family; how many."""

    def revoke_kind(self, subject: str, kind: _TokenKind, *, keep: str | None = None) -> int:
        """Revokes what a subject has of one kind, but for the token of the id `keep`; how many."""

    def revoke_subject(self, subject: str) -> None:
        """Revokes everything that was ever issued to a subject, of every kind. What is issued later revives nothing."""

    def arm(self, id: str, reason: str, valid_for: _Seconds) -> Token:
        """Arms a break-glass token for one use within `valid_for` (seconds or a timedelta). Takes a reason; audited."""

    def disarm(self, id: str) -> bool:
        """Takes an arming back; False where there was none."""

    def purge(self, ended_for: _Seconds) -> int:
        """Deletes what ended so long ago (seconds or a timedelta); how many. The vault's own handle does so for every
        tenant. Refused in a transaction.
        """

    def import_legacy(self, entries: Iterable[LegacyEntry]) -> LegacyImport:
        """Imports tokens that were made elsewhere, all or none; they keep their text. Importing again changes nothing."""

    def csrf(self, session: str) -> str:
        """A CSRF token for the forms of a session, from the session's own text: another one with each call. Verify the
        session first.
        """

    def check_csrf(self, session: str, presented: str) -> bool:
        """Whether a form's field or header holds a CSRF token of the session. In constant time."""

@final
class Token:
    """A token, read and verified; never its secret. Its attributes are made when they are asked for.

    >>> vault = sealite.Vault.in_memory()
    >>> issued = vault.tokens.issue("api_key", subject="ada", scopes=["orders:read"], data={"theme": "dark"})
    >>> token = vault.tokens.verify(issued.text, "api_key")
    >>> token.subject, token.has_scope("orders:write"), token.data
    ('ada', False, {'theme': 'dark'})
    """

    @property
    def id(self) -> str:
        """The public id, 24 hexadecimal digits: names the token, and opens nothing."""

    @property
    def kind(self) -> _TokenKind:
        """What it is for: "session", "api_key" and so on."""

    @property
    def subject(self) -> str | None:
        """Whose it is."""

    @property
    def label(self) -> str | None:
        """What people know it by."""

    @property
    def scopes(self) -> list[str]:
        """The scopes, in order."""

    def has_scope(self, scope: str) -> bool:
        """True where it has the scope."""

    @property
    def limits(self) -> str | None:
        """Limits of its own, as text: what `Quotas.check_and_charge` takes."""

    @property
    def quota_limits(self) -> list[QuotaLimit]:
        """The same, read: empty where it has none."""

    @property
    def quota_key(self) -> str:
        """The key under which its uses are charged."""

    @property
    def data(self) -> Any:
        """What the application keeps with it, as objects of Python's, such as `issue` takes."""

    @property
    def prefix(self) -> str:
        """What its text begins with."""

    @property
    def family(self) -> str | None:
        """The family that it is revoked with."""

    @property
    def enabled(self) -> bool:
        """False where it is disabled."""

    @property
    def created_at(self) -> datetime.datetime:
        """When it was issued: a datetime in UTC, as all times here."""

    @property
    def not_before(self) -> datetime.datetime | None:
        """From when on it is valid."""

    @property
    def expires_at(self) -> datetime.datetime | None:
        """From when on it is not valid any more."""

    @property
    def idle(self) -> float | None:
        """For how many seconds it may stay unused."""

    @property
    def last_used_at(self) -> datetime.datetime | None:
        """When it was last used, as far as it is written down."""

    @property
    def uses_left(self) -> int | None:
        """How often it can still be used; None for any number of times."""

    @property
    def attempts_left(self) -> int | None:
        """How many attempts are left, of a short code."""

    @property
    def armed_until(self) -> datetime.datetime | None:
        """Until when a break-glass token is armed; None where it is not, or was used."""

    @property
    def armed_reason(self) -> str | None:
        """Why it was armed last."""

    @property
    def rotated_at(self) -> datetime.datetime | None:
        """When a successor took its place."""

    @property
    def successor(self) -> str | None:
        """The id of its successor."""

    @property
    def revoked_at(self) -> datetime.datetime | None:
        """When it was revoked by itself, with its kind or with its family."""

    @property
    def is_imported(self) -> bool:
        """True for a token that was made elsewhere, and imported."""

@final
class IssuedToken:
    """A token just issued, with its text."""

    @property
    def token(self) -> Token:
        """What is known of it."""

    @property
    def text(self) -> str:
        """What its holder presents. It is kept nowhere, and can't be had again."""

@final
class IssuedCode:
    """A short code just issued."""

    @property
    def token(self) -> Token:
        """What is known of it. Its id goes into the form in which the person types the code."""

    @property
    def code(self) -> str:
        """The digits. They are kept nowhere, and can't be had again."""

@final
class LegacyEntry:
    """A token of a store from before, known by the SHA-256 of its text: what `Tokens.import_legacy` takes.

    >>> import hashlib
    >>> vault = sealite.Vault.in_memory()
    >>> entry = sealite.LegacyEntry.from_hash("api_key", hashlib.sha256(b"an older key").hexdigest(), label="ci")
    >>> imported = vault.tokens.import_legacy([entry])
    >>> vault.tokens.verify("an older key", "api_key").label
    'ci'
    """

    @staticmethod
    def admin_tokens(json: str) -> list[LegacyEntry]:
        """The entries of a file of admin tokens, from its text: a list of entries with `id`, `hash`, `enabled` and
        `breakglass`, the same under `tokens`, or an object that gives an entry, or a hash alone, for each id. Raises
        Corrupt for a torn file, InvalidInput for one of another form: it is refused whole.
        """

    @staticmethod
    def users(json: str) -> list[LegacyEntry]:
        """The entries of a file of users' tokens, from its text: a list of entries with `id`, `name`, `hash`, `enabled` and
        `created`, an object that gives an entry for each id, or one whose names are the tokens themselves, which are
        hashed at once and kept nowhere. Raises as `admin_tokens`.
        """

    @staticmethod
    def from_hash(
        kind: _TokenKind,
        hash: str,
        *,
        subject: str | None = None,
        label: str | None = None,
        enabled: bool = True,
    ) -> LegacyEntry:
        """A token of which the SHA-256 is known: 64 hexadecimal digits, with or without `sha256:` before them."""

    @staticmethod
    def from_token(
        kind: _TokenKind,
        token: str,
        *,
        subject: str | None = None,
        label: str | None = None,
        enabled: bool = True,
    ) -> LegacyEntry:
        """A token that is known in clear, such as one of an environment variable. It is hashed at once and not kept."""

    @property
    def kind(self) -> _TokenKind:
        """What it is for."""

@final
class LegacyImport:
    """What an import of old tokens has done."""

    @property
    def imported(self) -> int:
        """Tokens that are new here."""

    @property
    def known(self) -> int:
        """Tokens that were here already, and stay as they are."""

@final
class PasswordHasher:
    """Hashes and verifies users' passwords, by Argon2id; bcrypt is verified and upgraded. The cost is that of new hashes.
    Any thread may use it, and others run while it works.

        >>> hasher = sealite.PasswordHasher(memory_kib=19_456, passes=2, lanes=1)
        >>> stored = hasher.hash("correct horse battery staple")
        >>> stored.startswith("$argon2id$")
        True
        >>> hasher.verify_and_update("correct horse battery staple", stored)
        (True, None)
        >>> hasher.verify("wrong", stored)
        False
    """

    def __new__(
        cls,
        *,
        memory_kib: int | None = None,
        passes: int | None = None,
        lanes: int | None = None,
    ) -> Self: ...
    def hash(self, password: str | bytes) -> str:
        """What is stored for a new password: a PHC string with the cost and a fresh salt."""

    def verify(self, password: str | bytes, stored: str | None) -> bool:
        """Whether the password is right. Without a stored hash, because there is no such user, it is wrong after as much work."""

    def verify_and_update(
        self, password: str | bytes, stored: str | None
    ) -> tuple[bool, str | None]:
        """Whether the password is right, and the new hash to store where the old one is weaker than this hasher's."""

    def needs_rehash(self, stored: str) -> bool:
        """Whether a stored hash differs from what this hasher would make."""

class _SettingOptions(TypedDict, total=False):
    secret: bool
    category: str | None
    description: str | None
    requires_restart: bool
    default: _SettingGiven | None
    environment: str | None
    required: bool
    min_length: int | None
    show_last_four: bool
    guarded_by: str | None
    keep_versions: int | None

class _SettingDeclaration(_SettingOptions, total=False):
    kind: _SettingKind | None

@final
class Settings:
    """The settings of a vault, or as they hold for one of its tenants. Each call is a transaction of its own, and every
    change writes its audit entry in it, without the value.

        >>> vault = sealite.Vault.in_memory()
        >>> vault.settings.define("mail.password", secret=True)
        True
        >>> changed = vault.settings.write("mail.password", "correct horse", actor="ada")
        >>> vault.settings.read("mail.password").shown
        '********'
        >>> vault.settings.use("mail.password").expose()
        'correct horse'
    """

    def define(
        self, name: str, kind: _SettingKind = "text", **options: Unpack[_SettingOptions]
    ) -> bool:
        """Declares a setting, or changes its declaration; True where anything was written. What was secret stays so.

        `kind` is "text", "integer", "real", "boolean" or "json". The options: `secret`, `category`, `description`,
        `requires_restart`, `default`, `environment` (the variable that stands in where nothing is set), `required`,
        `min_length` (characters), `show_last_four`, `guarded_by` (a boolean setting: while it is true, this one is not cleared), `keep_versions`
        (how many values are kept: 50).
        """

    def define_all(self, definitions: Mapping[str, _SettingDeclaration]) -> bool:
        """Declares several settings, all or none: a dict from names to what `define` takes, a dict with `kind` and the
        options. True where anything was written.

            >>> settings = sealite.Vault.in_memory().settings
            >>> settings.define_all({"mail.host": {"default": "localhost"}, "mail.port": {"kind": "integer"}})
            True
        """

    def read(self, name: str) -> Setting:
        """The setting, with a mask where it is secret."""

    def list(self, category: str | None = None) -> builtins.list[Setting]:
        """The settings of a category, or all of them, in the order of their names."""

    def use(self, name: str, /) -> SettingValue | None:
        """The value for the application to use; None where there is none. It stays in memory: a change by another process
        shows within 100 ms. Counted (`uses`), not audited.
        """

    def uses(self, name: str) -> int:
        """How often `use` gave this setting out in this process."""

    def reveal(self, name: str, *, actor: str, reason: str) -> SettingValue:
        """The value for a person to see. Takes a reason, and is audited in the same transaction."""

    def write(
        self,
        name: str,
        value: _SettingGiven | SettingValue | Change,
        *,
        actor: str,
        reason: str | None = None,
    ) -> bool:
        """Writes a setting: a value sets it, whatever it looks like, `KEEP` does nothing, `CLEAR` takes the value away. True
        where it has changed.
        """

    def write_text(self, name: str, text: str, *, actor: str, reason: str | None = None) -> bool:
        """As `write`, with a text that is read in the setting's type, as an environment variable is."""

    def write_many(
        self,
        changes: Mapping[str, _SettingGiven | SettingValue | Change],
        *,
        actor: str,
        reason: str | None = None,
    ) -> builtins.list[str]:
        """Writes several settings, all or none; the names of those that have changed."""

    def write_form(
        self,
        fields: Mapping[str, str],
        *,
        actor: str,
        blank_keeps: bool = True,
        reason: str | None = None,
    ) -> builtins.list[str]:
        """Writes what a form has sent back, all or nothing: the text that `Setting.shown` gives keeps, an empty one keeps
        or clears as `blank_keeps` says, any other sets, read in the setting's type. The names of what has changed.
        """

    def history(self, name: str) -> builtins.list[SettingVersion]:
        """The values that the setting has had, the oldest first, masked."""

    def roll_back(
        self, name: str, version: int, *, actor: str, reason: str | None = None
    ) -> int:
        """Writes the value of an earlier version again, as a new one; its number."""

    def set_secret(
        self, name: str, secret: bool, *, actor: str, reason: str | None = None
    ) -> bool:
        """Turns a setting secret, or, with a reason, makes it one to be shown. True where it has changed."""

    def check(
        self, names: Iterable[str] | None = None, *, raising: bool = True
    ) -> CheckReport:
        """Checks the named settings, and all that are declared as required: that they are there, long enough, and not well
        known. Raises `Refused`, which names what is wrong; with `raising=False` only the report says so.
        """

    def restart_pending(self) -> builtins.list[str]:
        """The settings declared to need a restart that were changed since the vault was opened."""

    def export_env(
        self, *, actor: str, reason: str | None = None, include_secrets: bool = False
    ) -> str:
        """What this vault, or tenant, itself holds, as a .env file. Audited. Secrets come with a reason only."""

    def export_json(
        self, *, actor: str, reason: str | None = None, include_secrets: bool = False
    ) -> str:
        """As `export_env`, as one JSON object of names and values."""

    def import_env(
        self, text: str, *, actor: str, reason: str | None = None
    ) -> ImportReport:
        """Sets what the text of a .env file names, all or nothing; what it does not name stays. Audited."""

    def import_json(
        self, text: str, *, actor: str, reason: str | None = None
    ) -> ImportReport:
        """As `import_env`, from what `export_json` has written."""

@final
class Setting:
    """A setting as it may be shown: never a secret."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def kind(self) -> _SettingKind:
        """The type: "text", "integer", "real", "boolean" or "json"."""

    @property
    def secret(self) -> bool:
        """True where the value is not shown."""

    @property
    def source(self) -> Literal["tenant", "vault", "environment", "default", "unset"]:
        """Where the value comes from: "tenant", "vault", "environment", "default" or "unset"."""

    @property
    def is_set(self) -> bool:
        """True where there is a value."""

    @property
    def shown(self) -> str:
        """The text for a form or a list: the mask of a secret that is set, nothing for what is not, else the value."""

    @property
    def value(self) -> Any:
        """The value, where it is set and not secret; None elsewhere."""

    @property
    def version(self) -> int:
        """How often it was written in this vault, or by this tenant; 0 for never."""

    @property
    def changed_at(self) -> datetime.datetime | None:
        """When it was last written there: a datetime in UTC."""

    @property
    def changed_by(self) -> str | None:
        """Who wrote it last there."""

    @property
    def category(self) -> str | None:
        """The category."""

    @property
    def description(self) -> str | None:
        """The description."""

    @property
    def requires_restart(self) -> bool:
        """True where a change needs a restart."""

    @property
    def has_default(self) -> bool:
        """True where a default is declared."""

    @property
    def environment(self) -> str | None:
        """The environment variable that counts where the vault has no value."""

    @property
    def required(self) -> bool:
        """True where `check` always asks for it."""

    @property
    def min_length(self) -> int | None:
        """The least number of characters that `check` accepts."""

    @property
    def show_last_four(self) -> bool:
        """True where the mask of a long secret shows its last four characters."""

    @property
    def guarded_by(self) -> str | None:
        """The boolean setting that keeps this one from being cleared."""

    @property
    def keep_versions(self) -> int:
        """How many versions are kept of its values."""

@final
class SettingVersion:
    """One of the values that a setting has had."""

    @property
    def version(self) -> int:
        """Its number, counted from 1."""

    @property
    def changed_at(self) -> datetime.datetime:
        """When it was written: a datetime in UTC."""

    @property
    def changed_by(self) -> str:
        """Who wrote it."""

    @property
    def reason(self) -> str | None:
        """Why, where a reason was given."""

    @property
    def restored(self) -> int | None:
        """The version that was rolled back to, where this came from that."""

    @property
    def shown(self) -> str:
        """The value as it may be shown: see `Setting.shown`."""

    @property
    def is_set(self) -> bool:
        """False where the setting was cleared."""

@final
class CheckReport:
    """What `check` has found. It can be shown and logged: no value is in it."""

    @property
    def problems(self) -> list[SettingProblem]:
        """What is wrong, in the order of the names."""

    @property
    def sound(self) -> bool:
        """True where nothing is wrong."""

@final
class SettingProblem:
    """A setting that `check` has found fault with."""

    @property
    def name(self) -> str:
        """The setting."""

    @property
    def fault(self) -> Literal["undefined", "missing", "too_short", "well_known", "invalid"]:
        """"undefined", "missing", "too_short", "well_known" or "invalid"."""

    @property
    def environment(self) -> str | None:
        """The environment variable that could set it."""

    @property
    def min_length(self) -> int | None:
        """The least number of characters, where that is what is wrong."""

@final
class ImportReport:
    """What an import has done."""

    @property
    def changed(self) -> list[str]:
        """The settings that have changed."""

    @property
    def unknown(self) -> list[str]:
        """Names in the text that no setting has."""

@final
class Audit:
    """The audit trail of a vault. A tenant's handle appends entries of that tenant only, and reads only those.

    >>> vault = sealite.Vault.in_memory()
    >>> vault.audit.append("user.created", actor="ada", payload={"id": 7}) > 0
    True
    >>> vault.audit.tail(1)[0].payload
    {'id': 7}
    >>> checkpoint = vault.audit.checkpoint()
    >>> vault.audit.verify(checkpoint).sound
    True
    """

    def append(
        self,
        event: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        trace_id: str | None = None,
        correlation_id: str | None = None,
        payload: _Payload | None = None,
    ) -> int:
        """Appends an entry in a transaction of its own; its place in the chain. To record a change, append in the
        transaction of that change: `Transaction.audit`. The payload is a dict, a list or JSON text. Never put a secret
        into an entry.
        """

    def append_best_effort(
        self,
        event: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        trace_id: str | None = None,
        correlation_id: str | None = None,
        payload: _Payload | None = None,
    ) -> None:
        """As `append`, for what may be lost: a failure of the vault is counted, not raised."""

    @property
    def lost(self) -> int:
        """How many entries of best effort this process has lost."""

    def tail(self, count: int = 10) -> list[AuditEvent]:
        """The last entries, the newest last."""

    def events(
        self,
        *,
        from_: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        tenant: str | None = None,
    ) -> AuditEvents:
        """Entries in the order of the chain, from one time on and before another, of one tenant. Read a batch at a time."""

    def __iter__(self) -> AuditEvents: ...
    def verify(
        self, checkpoint: str | None = None, progress: Callable[[int], object] | None = None
    ) -> AuditReport:
        """Walks the whole chain, and compares it with a checkpoint that was kept outside. `progress` gets the number of
        entries so far.
        """

    def verify_since(self, checkpoint: str) -> AuditReport:
        """Walks only what came after the checkpoint."""

    def checkpoint(self) -> str:
        """How far the chain goes now: a text to be kept outside the file. It is no secret."""

    def export(
        self,
        to: _Path | IO[str] | IO[bytes],
        *,
        from_: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        tenant: str | None = None,
    ) -> int:
        """Writes entries as JSON Lines to a path or an open file, text or binary; how many."""

    def export_daily(
        self,
        folder: _Path,
        *,
        from_: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        tenant: str | None = None,
    ) -> dict[pathlib.Path, int]:
        """Writes entries to one file a day (UTC) in the folder, `audit-2026-11-22.jsonl`, each continued behind its last
        entry; a dict of the files that lines were added to, and how many.
        """

    def retain_after(self, seq: int) -> int:
        """Drops entries up to and including this one, at most 10,000 in one call; the last one dropped. The trail records
        it, and goes on from there. Export them before.
        """

@final
class AuditEvents:
    """An iterator over entries of the trail."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> AuditEvent: ...

@final
class AuditEvent:
    """An entry of the trail, read and verified."""

    @property
    def seq(self) -> int:
        """Its place in the chain, counted from 1."""

    @property
    def at(self) -> datetime.datetime:
        """When it was appended: a datetime in UTC."""

    @property
    def event(self) -> str:
        """The name of the event."""

    @property
    def actor(self) -> str | None:
        """Who did it."""

    @property
    def tenant(self) -> str | None:
        """The tenant."""

    @property
    def subject(self) -> str | None:
        """Whose data it concerns."""

    @property
    def trace_id(self) -> str | None:
        """The trace id."""

    @property
    def correlation_id(self) -> str | None:
        """The correlation id."""

    @property
    def payload(self) -> Any:
        """The payload, as objects of Python's."""

    @property
    def erased(self) -> bool:
        """True where its subject has been erased: actor, subject and payload are gone, and the chain holds on without them."""

    def json_line(self) -> str:
        """The entry as one line of JSON, as `export` writes it."""

@final
class AuditReport:
    """What `Audit.verify` has found."""

    @property
    def sound(self) -> bool:
        """True where nothing is wrong."""

    @property
    def entries(self) -> int:
        """How many entries were there and read."""

    @property
    def first(self) -> int | None:
        """The first entry that is there."""

    @property
    def last(self) -> int | None:
        """The last entry that is there."""

    @property
    def faults(self) -> list[AuditFault]:
        """What is wrong, in the order of the chain."""

@final
class AuditFault:
    """Something wrong with the trail."""

    @property
    def kind(self) -> Literal["edited", "missing", "broken", "truncated", "replaced", "other"]:
        """"edited", "missing", "broken" (it does not continue the entry before), "truncated" (the checkpoint's entry is
        not there) or "replaced" (it is another one).
        """

    @property
    def seq(self) -> int:
        """The entry; the first one of those that are missing."""

    @property
    def through(self) -> int:
        """The last one of those that are missing; elsewhere the entry."""

class SealiteError(Exception):
    """What every error of Sealite is. Its message names tables, columns and files, never a value or a key."""

    code: int
    name: str
    sqlite_code: int | None

class NotInitialised(SealiteError):
    """There is no vault in the file, or no file."""

class AlreadyInitialised(SealiteError):
    """The vault exists already."""

class Locked(SealiteError):
    """The vault is locked: no key is in memory."""

class WrongKey(SealiteError):
    """No slot opens with this secret."""

class AuthenticationFailed(SealiteError):
    """A record, or the row that carries it, is not what was written."""

class UnknownKey(AuthenticationFailed):
    """A record names a key that the vault does not have."""

class DestroyedKey(SealiteError):
    """The key of the record has been destroyed."""

class NotIndexed(SealiteError):
    """A search on a sealed column without a blind index."""

class Conflict(SealiteError):
    """A unique value or an id is taken."""

class Busy(SealiteError):
    """Another process or thread holds the lock; nothing was done."""

class Corrupt(SealiteError):
    """The file is damaged."""

class Limit(SealiteError):
    """A documented limit is exceeded."""

class Closed(SealiteError):
    """The vault, transaction, snapshot or scan has ended."""

class AnotherLibrary(SealiteError):
    """Two SQLite libraries in this process would have the file open."""

class WeakKey(SealiteError):
    """A key or passphrase that is short, regular or well known."""

class InvalidInput(SealiteError, ValueError):
    """An argument is not acceptable."""

class TypeMismatch(SealiteError, TypeError):
    """A value does not fit the declared type."""

class NotFound(SealiteError, LookupError):
    """There is no table, column, slot or provider of this name."""

class NotAVault(SealiteError):
    """The file is no database, or another program's."""

class NewerFormat(SealiteError):
    """A newer version of the format wrote the file."""

class ReadOnly(SealiteError):
    """The file, folder or handle can't be written."""

class Full(SealiteError):
    """The disk is full; the transaction left no trace."""

class IoError(SealiteError, OSError):
    """The operating system refused to read or write."""

class Forked(SealiteError):
    """The vault was in use when the process forked."""

class Definition(SealiteError):
    """What is stored differs from what is declared."""

class Refused(SealiteError):
    """Refused by policy; the message says the way out."""

class NotAllowed(SealiteError):
    """Plain SQL, or a tenant, may not do this."""

class Sql(SealiteError):
    """The SQL statement is wrong."""

class LastSlot(SealiteError):
    """The last slot can't be removed."""

class AlreadyDecided(SealiteError):
    """The approval has been decided, or its action executed, already."""

class Expired(SealiteError):
    """It was valid up to a time that is past."""

class Denied(SealiteError):
    """The policy of the request, or the decision, is against it."""

class PayloadChanged(SealiteError):
    """The payload is not the one that was approved."""

class Interrupted(SealiteError):
    """The program has interrupted the call."""

class RolledBack(SealiteError):
    """The file is older than the checkpoint that was kept outside."""

class TokenRejected(SealiteError):
    """The token that was presented is not valid; why is not told."""

class Internal(SealiteError):
    """A fault in the engine itself: please report it."""
