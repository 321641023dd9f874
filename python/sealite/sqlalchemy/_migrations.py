"""Migrations in the engine's own database: what Alembic's operations are there, and what it compares."""

from typing import Any, Protocol

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations import ops

import sealite

from ._engine import is_engine
from ._schema import is_companion
from ._type import Sealed
from ._words import kind_of, literal, quoted


class Conversion(Protocol):
    """What is converted."""

    table_name: str
    column_name: str
    type_: Sealed


def convert(connection: sa.Connection, operation: Conversion, *, to_sealed: bool) -> None:
    """Seals or opens a column in place: the engine does it, outside of transactions."""
    name, column = operation.table_name, operation.column_name
    vault = connection.connection.driver_connection
    vault = getattr(vault, "_conn", vault).vault  # type: ignore[union-attr]
    table = _tables(connection).get(name.lower())
    index = operation.type_.index
    if to_sealed:
        if table is None:
            words = f"{quoted(column)} sealed {index or ''}"
            connection.exec_driver_sql(f"SELECT sealite_protect({literal(name)}, {literal(words)})").all()
            return
        vault.protect(name, column, "sealed")
        if index:
            vault.add_index(name, column, index)
    elif table is not None:
        if [each["name"] for each in table["columns"] if each["protection"] != "plain"] == [column]:
            connection.exec_driver_sql(f"SELECT sealite_unprotect({literal(name)})").all()
        else:
            vault.protect(name, column, "plain")


def _tables(connection: sa.Connection) -> dict[str, Any]:
    """The sealed tables of the engine's own database, by their names in lower case."""
    dialect: Any = connection.dialect
    tables: dict[str, Any] = dialect.sealed_tables(connection)
    return tables


class SealiteImpl(SQLiteImpl):
    """SQLite's operations, and on `sqlite+sealite` those of sealed tables."""

    __dialect__ = "sqlite"

    def __init__(self, dialect: sa.Dialect, *given: Any, **keywords: Any) -> None:
        super().__init__(dialect, *given, **keywords)
        if is_engine(dialect):
            # Here a migration is one transaction.
            self.transactional_ddl = True

    def _sealed(self, table_name: str | None) -> dict[str, Any] | None:
        if not is_engine(self.dialect) or self.connection is None or table_name is None:
            return None
        table: dict[str, Any] | None = _tables(self.connection).get(table_name.lower())
        return table

    def add_column(self, table_name: str, column: sa.Column[Any], **keywords: Any) -> None:
        if is_engine(self.dialect):
            if is_companion(column):
                return
            if self._sealed(table_name) is not None:
                column.info["sealite"] = True
            elif isinstance(column.type, Sealed) and not self.as_sql:
                raise sealite.Refused(
                    f"table {table_name} is plain: add the column with its plain type, then op.seal_column seals it"
                )
        super().add_column(table_name, column, **keywords)

    def alter_column(self, table_name: str, column_name: str, **keywords: Any) -> None:
        if self._sealed(table_name) is not None:
            unasked = {"nullable": None, "type_": None, "server_default": False, "comment": False}
            if any(keywords.get(key, value) is not value for key, value in unasked.items()):
                raise sealite.Refused(
                    f"{table_name}.{column_name}: of a column of a sealed table the name is altered here; add a column,"
                    " update, and drop the old one"
                )
        super().alter_column(table_name, column_name, **keywords)

    def create_index(self, index: sa.Index, **keywords: Any) -> None:
        if not (is_engine(self.dialect) and any(is_companion(column) for column in index.columns)):
            super().create_index(index, **keywords)

    def compare_type(self, inspector_column: sa.Column[Any], metadata_column: sa.Column[Any]) -> bool:
        was, wanted = (isinstance(column.type, Sealed) for column in (inspector_column, metadata_column))
        if not is_engine(self.dialect):
            return bool(super().compare_type(inspector_column, metadata_column))
        if was != wanted:
            return True
        if self._sealed(metadata_column.table.name) is None:
            return bool(super().compare_type(inspector_column, metadata_column))
        # Of its types a sealed table keeps those that the engine has.
        compiler = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
        return kind_of(inspector_column, compiler) != kind_of(metadata_column, compiler)


def is_there(item: Any, name: Any, kind: str, reflected: bool, compared: Any) -> bool:
    """False for a blind index and its column, which the engine's own database does not show."""
    if kind == "column":
        return not is_companion(item)
    return not (kind == "index" and any(is_companion(column) for column in item.columns))


def plain_first(context: AutogenContext, table_name: str, change: Any) -> Sealed | None:
    """A sealed column that is added to a plain table of the engine's is added plain; the type that seals it then."""
    if not (isinstance(change, ops.AddColumnOp) and isinstance(change.column.type, Sealed)):
        return None
    if context.dialect is None or context.connection is None or not is_engine(context.dialect):
        return None
    if table_name.lower() in _tables(context.connection):
        return None
    column, type_ = change.column, change.column.type
    change.column = sa.Column(column.name, type_.of, nullable=column.nullable)
    return type_
