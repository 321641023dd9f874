"""Reflection: the tables that SQL reaches, sealed ones by their declarations. Physical tables and the engine's own are not
there."""

import json
from typing import Any

from sqlalchemy import exc, types
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Connection, reflection

from ._type import Sealed

_TYPES: dict[str, type[types.TypeEngine[Any]]] = {
    "integer": types.INTEGER,
    "real": types.REAL,
    "text": types.TEXT,
    "blob": types.BLOB,
    "boolean": types.BOOLEAN,
    "json": types.JSON,
}
_ENGINE = "sealite_"

Table = dict[str, Any]


class Reflection(SQLiteDialect):
    """What the dialect reflects."""

    @reflection.cache
    def sealed_tables(self, connection: Connection, **kw: Any) -> dict[str, Table]:
        """The sealed tables, by their names in lower case."""
        listed = connection.exec_driver_sql("SELECT sealite_tables()").scalar_one()
        return {table["name"].lower(): table for table in json.loads(listed)}

    def _tables(self, connection: Connection, schema: str | None, kw: dict[str, Any]) -> dict[str, Table]:
        if schema not in (None, "main"):
            return {}
        # The cache goes by what is given: nothing of what is asked of one table.
        cache = {"info_cache": kw["info_cache"]} if "info_cache" in kw else {}
        tables: dict[str, Table] = self.sealed_tables(connection, **cache)
        return tables

    def _sealed(self, connection: Connection, name: str, schema: str | None, kw: dict[str, Any]) -> Table | None:
        return self._tables(connection, schema, kw).get(name.lower())

    @reflection.cache
    def get_table_names(
        self, connection: Connection, schema: str | None = None, sqlite_include_internal: bool = False, **kw: Any
    ) -> list[str]:
        names: list[str] = super().get_table_names(connection, schema, sqlite_include_internal, **kw)  # type: ignore[no-untyped-call]
        if schema not in (None, "main"):
            return names
        tables = self._tables(connection, schema, kw)
        return sorted([*(name for name in names if not _is_hidden(name, tables)), *(each["name"] for each in tables.values())])

    @reflection.cache
    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        tables = self._tables(connection, schema, kw)
        if table_name.lower() in tables:
            return True
        if schema in (None, "main") and _is_hidden(table_name, tables):
            return False
        there: bool = super().has_table(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]
        return there

    @reflection.cache
    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        table = self._sealed(connection, table_name, schema, kw)
        if table is None:
            return super().get_columns(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]
        key = {"name": table["key"], "type": _TYPES[table["key_type"]](), "nullable": False, "default": None, "primary_key": 1}
        columns = [_column(table, column) for column in table["columns"]]
        columns.insert(table["columns_before_key"], key)
        return columns

    @reflection.cache
    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        table = self._sealed(connection, table_name, schema, kw)
        if table is None:
            return super().get_pk_constraint(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]
        return {"constrained_columns": [table["key"]], "name": None}

    @reflection.cache
    def get_foreign_keys(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        table = self._sealed(connection, table_name, schema, kw)
        found = super().get_foreign_keys(connection, table["physical"] if table else table_name, schema, **kw)  # type: ignore[no-untyped-call]
        tables = self._tables(connection, schema, kw)
        logical = {each["physical"].lower(): each["name"] for each in tables.values()}
        for key in found:
            referred = str(key["referred_table"])
            key["referred_table"] = logical.get(referred.lower(), referred)
        return found

    @reflection.cache
    def get_indexes(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        table = self._sealed(connection, table_name, schema, kw)
        if table is None:
            return super().get_indexes(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]
        try:
            found = super().get_indexes(connection, table["physical"], schema, **kw)  # type: ignore[no-untyped-call]
        except exc.NoSuchTableError:
            # It has none.
            return []
        return [index for index in found if not str(index["name"]).lower().startswith(_ENGINE)]

    @reflection.cache
    def get_unique_constraints(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        table = self._sealed(connection, table_name, schema, kw)
        if table is None:
            return super().get_unique_constraints(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]
        # An index that the program has named is an index.
        named = {tuple(index["column_names"]) for index in self.get_indexes(connection, table_name, schema, **kw)}
        return [
            {"name": None, "column_names": [column["name"]]}
            for column in table["columns"]
            if column["protection"] != "sealed" and column["index"] == "unique" and (column["name"],) not in named
        ]

    @reflection.cache
    def get_check_constraints(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        if self._sealed(connection, table_name, schema, kw) is not None:
            return []
        return super().get_check_constraints(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]

    @reflection.cache
    def get_table_options(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        if self._sealed(connection, table_name, schema, kw) is not None:
            return {}
        return super().get_table_options(connection, table_name, schema, **kw)  # type: ignore[no-untyped-call]


def _column(table: Table, column: Table) -> dict[str, Any]:
    type_: types.TypeEngine[Any] = _TYPES[column["type"]]()
    if column["protection"] == "sealed":
        # Without a companion: what is reflected here is of the engine's own database.
        label = f"{table['name']}.{column['name']}"
        type_ = Sealed(type_, label=label, index=column["index"], companion=False)
    found = {
        "name": column["name"],
        "type": type_,
        "nullable": not column["not_null"],
        "default": column["default"],
        "primary_key": 0,
    }
    if column["protection"] == "authenticated":
        found["dialect_options"] = {"sqlite_authenticated": True}
    return found


def _is_hidden(name: str, tables: dict[str, Table]) -> bool:
    """Whether a table of the file is the engine's own, or the physical side of a sealed one."""
    name = name.lower()
    return name.startswith(_ENGINE) or any(name == table["physical"].lower() for table in tables.values())
