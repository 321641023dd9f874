"""The dialect `sqlite+sealite_async`: the same over a thread, as aiosqlite does it for sqlite3."""

from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
    SQLiteExecutionContext_aiosqlite,
)
from sqlalchemy.util import await_only

from ._dialect import SealiteDialect
from ._statements import ExecutionContext


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)


class _Module(AsyncAdapt_aiosqlite_dbapi):
    """aiosqlite's threads around connections of ours."""

    def _init_dbapi_attributes(self) -> None:
        for name in (
            "DatabaseError",
            "Error",
            "IntegrityError",
            "NotSupportedError",
            "OperationalError",
            "ProgrammingError",
            "sqlite_version",
            "sqlite_version_info",
            "PARSE_COLNAMES",
            "PARSE_DECLTYPES",
            "Binary",
        ):
            setattr(self, name, getattr(self.sqlite, name))

    def connect(self, *arguments: Any, **keywords: Any) -> Any:
        # aiosqlite lets one call in at a time.
        keywords["check_same_thread"] = False
        connection = self.aiosqlite.Connection(lambda: self.sqlite.connect(*arguments, **keywords), 64)
        # As for any other: a process ends without waiting for it.
        connection._thread.daemon = True
        return _Connection(self, await_only(connection))


class _AsyncContext(ExecutionContext, SQLiteExecutionContext_aiosqlite):
    """As the synchronous one, with the cursors of aiosqlite."""


class SealiteAsyncDialect(SealiteDialect, SQLiteDialect_aiosqlite):
    """As `SealiteDialect`, for asyncio. Needs aiosqlite. A database in memory has one connection (`StaticPool`): tasks have
    no thread of their own that another one could belong to."""

    driver = "sealite_async"
    is_async = True
    supports_statement_cache = True
    execution_ctx_cls = _AsyncContext

    @classmethod
    def import_dbapi(cls) -> Any:
        import aiosqlite

        from sealite import dbapi2

        return _Module(aiosqlite, dbapi2)
