"""The dialect `sqlite+sealite`: SQLAlchemy over `sealite.dbapi2`.

    create_engine("sqlite+sealite:///app.db?key=env:APP_KEY")
"""

import contextlib
import warnings
from typing import Any
from weakref import WeakSet

from sqlalchemy import Table, exc
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.util import asbool

from ._reflection import Reflection
from ._statements import DDL, Compiler, ExecutionContext

_REFERENCES = ("env:", "file:", "credential:", "docker:")
# What pysqlite reads of a URL, beside ours.
_OPTIONS = ("cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout", "uri")
_FORMS = "a database URL has a file and no host: sqlite+sealite:///app.db, sqlite+sealite:////var/lib/app.db, sqlite+sealite://"


class SealiteDialect(Reflection, SQLiteDialect_pysqlite):
    """SQLite's dialect, where tables with `Sealed` columns are sealed tables.

    Databases in memory have one connection a thread (`SingletonThreadPool`), as with pysqlite: each connection to
    `:memory:` is an empty vault of its own. Files have a `QueuePool`, whose connections share one open vault.

    A transaction begins with the first statement that writes, with DDL, and with a savepoint, and not with a read: a read
    alone holds no snapshot, and an application that reads first and writes then is not told that the file is busy.
    """

    driver = "sealite"
    is_sealite = True
    supports_statement_cache = True
    statement_compiler = Compiler
    ddl_compiler = DDL
    execution_ctx_cls = ExecutionContext
    # As the engine gives them: in the order in which the rows are written, be the table sealed or plain.
    insert_returning = True
    update_returning = True
    delete_returning = True

    def __init__(self, hide_parameters: bool | str = True, **keywords: Any) -> None:
        """As SQLite's. `hide_parameters=False`, for `create_engine`, shows values in errors and logs."""
        super().__init__(**keywords)
        # Named above, so that create_engine hands it over: an engine can't tell its own default from a False that was given.
        self.hides_parameters = asbool(hide_parameters)
        # The tables whose sealed columns have been found sealed in the database.
        self.floors: WeakSet[Table] = WeakSet()

    @classmethod
    def import_dbapi(cls) -> Any:
        from sealite import dbapi2

        return dbapi2

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Here parameters and rows are in clear: they stay out of errors and logs."""
        dialect: Any = engine.dialect
        _hide(engine, dialect.hides_parameters)

    def set_engine_execution_options(self, engine: Engine, opts: Any) -> None:
        """An engine that differs in options is quiet as well."""
        super().set_engine_execution_options(engine, opts)
        _hide(engine, self.hides_parameters)

    def create_connect_args(self, url: URL) -> Any:
        options = dict(url.query)
        own: dict[str, Any] = {}
        key = options.pop("key", None)
        if key is not None:
            own["key"] = _reference(key)
        if "existing_database" in options:
            own["existing_database"] = str(options.pop("existing_database")).lower() in ("1", "true", "yes", "on")
        if url.username or url.password or url.host or url.port:
            raise exc.ArgumentError(_FORMS)
        if "uri" not in options and options.keys() - set(_OPTIONS):
            warnings.warn(f"of the options of the database URL only {', '.join(_OPTIONS)} are read here", exc.SAWarning, 2)
            options = {name: value for name, value in options.items() if name in _OPTIONS}
        with contextlib.suppress(ValueError, TypeError):
            arguments, keywords = super().create_connect_args(url.set(query=options))
            return arguments, {**keywords, **own}
        # SQLAlchemy's own errors show what they met, and that may be a key.
        raise exc.ArgumentError("an option of the database URL is not of its type, or the name of the file is missing")

    def connect(self, *arguments: Any, **keywords: Any) -> Any:
        # An open vault comes in place of a database.
        return super().connect(*(() if "vault" in keywords else arguments), **keywords)

    def get_isolation_level_values(self, dbapi_connection: Any) -> Any:
        # Nobody reads what is not committed.
        return ["SERIALIZABLE", "AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        dbapi_connection.isolation_level = None if level == "AUTOCOMMIT" else ""

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return "SERIALIZABLE"

    def begin(self, dbapi_connection: Any) -> None:
        """Begins a transaction, where transactions are wanted and none has begun."""
        level = dbapi_connection.isolation_level
        if level is not None and not dbapi_connection.in_transaction:
            cursor = dbapi_connection.cursor()
            cursor.execute(f"BEGIN {level}")
            cursor.close()

    def do_savepoint(self, connection: Connection, name: str) -> None:
        self.begin(connection.connection.dbapi_connection)
        super().do_savepoint(connection, name)  # type: ignore[no-untyped-call]

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        # A connection that was in use when the process forked stays the parent's.
        return getattr(e, "name", None) == "forked" or super().is_disconnect(e, connection, cursor)


def _hide(engine: Engine, hides: bool) -> None:
    engine.hide_parameters = hides
    if hides:
        # Asked before rows are logged, by echo="debug".
        engine._should_log_debug = lambda: False  # type: ignore[method-assign]


def _reference(key: Any) -> str:
    if not isinstance(key, str) or not key.startswith(_REFERENCES):
        # The text may be a key: it is not shown.
        raise exc.ArgumentError(
            "the key in a database URL is a reference, one of env:NAME, file:/path, credential:name and docker:name; a key"
            " itself is handed over by connect_args={'key_bytes': ...}"
        )
    return key
