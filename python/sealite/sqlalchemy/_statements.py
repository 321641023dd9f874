"""Statements for the engine's own database: sealed columns by their names, and the DDL of sealed tables."""

import json
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDDLCompiler, SQLiteExecutionContext
from sqlalchemy.schema import CreateTable

import sealite

from ._schema import Companion, is_companion, key_of_companion, sealed_keys
from ._type import Sealed
from ._words import define, kind_of, words


class Compiler(SQLiteCompiler):
    """A companion stands for its sealed column in conditions, and for nothing elsewhere."""

    def visit_insert(self, insert_stmt: Any, *given: Any, **kw: Any) -> Any:
        with Companion.unwritten():
            return super().visit_insert(insert_stmt, *given, **kw)  # type: ignore[no-untyped-call]

    def visit_update(self, update_stmt: Any, *given: Any, **kw: Any) -> Any:
        with Companion.unwritten():
            return super().visit_update(update_stmt, *given, **kw)

    def visit_column(self, column: Any, add_to_result_map: Any = None, *given: Any, **kw: Any) -> str:
        if not is_companion(column):
            return super().visit_column(column, add_to_result_map, *given, **kw)
        if kw.get("within_columns_clause") or add_to_result_map is not None:
            if add_to_result_map is not None:
                add_to_result_map(column.name, column.name, (column, column.name, column.key), column.type)
            return "NULL" if kw.get("within_label_clause") else f"NULL AS {self.preparer.quote(column.name)}"
        sealed = column.table.c.get(key_of_companion(column.key)) if column.table is not None else None
        return super().visit_column(column if sealed is None else sealed, None, *given, **kw)


class DDL(SQLiteDDLCompiler):
    """A table with sealed columns is made by the engine, in one statement."""

    def visit_create_table(self, create: CreateTable, **kw: Any) -> str:
        if has_sealed(create.element):
            return define(create.element, self)
        text: str = super().visit_create_table(create, **kw)  # type: ignore[no-untyped-call]
        return text

    def get_column_specification(self, column: Any, **kw: Any) -> str:
        """Of a column that is added: `info["sealite"]` tells that the table is sealed."""
        if not isinstance(column.type, Sealed) and "sealite" not in column.info:
            text: str = super().get_column_specification(column, **kw)  # type: ignore[no-untyped-call]
            return text
        return f"{self.preparer.format_column(column)} {kind_of(column, self).upper()} {words(column, self)}"


class ExecutionContext(SQLiteExecutionContext):
    """Begins transactions before what sqlite3's habits would run outside of one, and takes the answer to a declaration."""

    dialect: Any

    def pre_exec(self) -> None:
        super().pre_exec()  # type: ignore[no-untyped-call]
        if self.isinsert or self.isupdate:
            self._check_floor(getattr(getattr(self.compiled, "statement", None), "table", None))
        if self.isddl or self.isinsert or self.isupdate or self.isdelete:
            self.dialect.begin(self.root_connection.connection.dbapi_connection)

    def _check_floor(self, table: Any) -> None:
        """What the model calls sealed is not written where it stands in clear, as in a database from before."""
        keys = sealed_keys(table)
        if not keys or table in self.dialect.floors:
            return
        connection: Any = self.root_connection.connection.dbapi_connection
        cursor = connection.cursor()
        try:
            cursor.execute("SELECT sealite_tables()")
            tables = {each["name"].lower(): each for each in json.loads(cursor.fetchall()[0][0])}
            found = tables.get(table.name.lower(), {"columns": []})
            sealed = {each["name"].lower() for each in found["columns"] if each["protection"] == "sealed"}
            cursor.execute("SELECT lower(name) FROM pragma_table_info(?)", (table.name,))
            clear = {row[0] for row in cursor.fetchall()} - sealed
        finally:
            cursor.close()
        plain = [table.c[key].name for key in keys if table.c[key].name.lower() in clear]
        if plain:
            raise sealite.Definition(
                f"{', '.join(plain)} of table {table.name} would be written in clear: the model has Sealed columns, and in the"
                " database they are plain. Vault.protect_table makes a plain table a sealed one, op.seal_column in a migration"
            )
        if sealed:
            self.dialect.floors.add(table)

    def post_exec(self) -> None:
        super().post_exec()  # type: ignore[no-untyped-call]
        create = getattr(self.compiled, "statement", None) if self.isddl else None
        if isinstance(create, CreateTable) and has_sealed(create.element):
            made = self.cursor.fetchall()[0][0]
            if not made and not create.if_not_exists:
                raise self.dialect.dbapi.OperationalError(f"table {create.element.name} already exists")


def has_sealed(table: Table) -> bool:
    """Whether a table has sealed columns."""
    return bool(sealed_keys(table))
