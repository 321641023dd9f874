"""Tables and columns in the words of the engine, as `sealite_define_table` and ALTER TABLE take them."""

import re
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.sql.compiler import DDLCompiler

from ._engine import NotForSealedTables
from ._schema import is_companion
from ._type import Sealed

# By what a type is called in SQL, as SQLite goes about it; the first that fits.
_KINDS = (
    ("boolean", ("BOOL",)),
    ("json", ("JSON",)),
    ("integer", ("INT",)),
    ("text", ("CHAR", "CLOB", "TEXT", "UUID", "DATE", "TIME")),
    ("blob", ("BLOB", "BINARY")),
    ("real", ("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL")),
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_TEXT = re.compile(r"'(?:[^']|'')*'", re.DOTALL)
_BYTES = re.compile(r"[xX]'[0-9a-fA-F]*'")

Columns = Column[Any]


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def kind_of(column: Columns, compiler: DDLCompiler) -> str:
    """The engine's type for the values of a column."""
    type_ = column.type.of if isinstance(column.type, Sealed) else column.type
    written = compiler.dialect.type_compiler_instance.process(type_, type_expression=column).upper()
    for kind, parts in _KINDS:
        if any(part in written for part in parts):
            return kind
    raise NotForSealedTables(f"{_name(column)}: a sealed table has no columns of type {written}")


def is_authenticated(column: Columns) -> bool:
    return bool(column.dialect_options["sqlite"]["authenticated"])


def words(column: Columns, compiler: DDLCompiler, *, unique: bool = False) -> str:
    """What stands behind the name and the type of a column."""
    if column.computed is not None:
        raise NotForSealedTables(f"{_name(column)}: a sealed table has no computed columns")
    sealed = column.type if isinstance(column.type, Sealed) else None
    if sealed is not None and sealed.per_tenant:
        raise NotForSealedTables(f"{_name(column)}: tables of tenants are declared by the engine, and not reached in SQL")
    found = ["sealed" if sealed is not None else "authenticated" if is_authenticated(column) else "plain"]
    if not column.nullable:
        found.append("not null")
    default = compiler.get_column_default_string(column)
    if default is not None:
        found.append(f"default {_default(column, default, kind_of(column, compiler))}")
    if sealed is not None and sealed.index:
        found.append(sealed.index)
    elif unique:
        found.append("unique")
    return " ".join(found)


def define(table: Table, compiler: DDLCompiler) -> str:
    """The statement that makes a table with sealed columns."""
    if table.schema not in (None, "main") or table._prefixes:
        raise NotForSealedTables(f"{table.name}: a sealed table is in the schema main, and not temporary")
    arguments = [table.name]
    unique = {column.name for column in _unique_columns(table)}
    keys = list(table.primary_key)
    for column in table.columns:
        if is_companion(column):
            continue
        kind = kind_of(column, compiler)
        if keys == [column] and kind in ("integer", "text"):
            arguments.append(f"{quoted(column.name)} {kind} primary key")
        elif column.primary_key:
            raise NotForSealedTables(f"{table.name}: the key of a sealed table is one integer or text column")
        else:
            arguments.append(f"{quoted(column.name)} {kind} {words(column, compiler, unique=column.name in unique)}")
    if not keys:
        raise NotForSealedTables(f"{table.name}: a sealed table has a primary key")
    paddings = {column.type.padding for column in table.columns if isinstance(column.type, Sealed)} - {None}
    if len(paddings) > 1:
        raise NotForSealedTables(f"{table.name}: the columns of a sealed table share one padding")
    arguments += [f"with padding {padding}" for padding in paddings]
    arguments += [_foreign_key(each, compiler) for each in _constraints(table)]
    return f"SELECT sealite_define_table({', '.join(map(literal, arguments))})"


def _constraints(table: Table) -> list[ForeignKeyConstraint]:
    """The foreign keys; what else the table has that a sealed one can't have is refused."""
    found = []
    for constraint in sorted(table.constraints, key=lambda each: str(each.name or "")):
        if isinstance(constraint, ForeignKeyConstraint):
            found.append(constraint)
        elif isinstance(constraint, UniqueConstraint) and len(constraint.columns) > 1:
            raise NotForSealedTables(f"{table.name}: a sealed table has UNIQUE constraints of one column each")
        elif isinstance(constraint, CheckConstraint):
            raise NotForSealedTables(f"{table.name}: a sealed table has no CHECK constraints")
        elif not isinstance(constraint, (UniqueConstraint, PrimaryKeyConstraint)):
            raise NotForSealedTables(f"{table.name}: a sealed table has no {type(constraint).__name__}")
    return sorted(found, key=lambda each: [column.name for column in each.columns])


def _foreign_key(constraint: ForeignKeyConstraint, compiler: DDLCompiler) -> str:
    text = compiler.process(constraint)
    return text[text.index("FOREIGN KEY") :]


def _unique_columns(table: Table) -> list[Columns]:
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    return [next(iter(each.columns)) for each in constraints if len(each.columns) == 1]


def _default(column: Columns, text: str, kind: str) -> str:
    inner = text.strip()
    while inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1].strip()
    if _TEXT.fullmatch(inner):
        if kind in ("text", "json"):
            return inner
        inner = inner[1:-1].replace("''", "'")
    if kind == "boolean":
        inner = {"0": "false", "1": "true"}.get(inner, inner)
    fits = _BYTES.fullmatch(inner) if kind == "blob" else _NUMBER.fullmatch(inner) and kind in ("integer", "real")
    if fits or inner.lower() == "null" or (kind == "boolean" and inner.lower() in ("true", "false")):
        return inner
    raise NotForSealedTables(f"{_name(column)}: in a sealed table the server's default is a literal of the column's type")


def _name(column: Columns) -> str:
    return f"{column.table.name}.{column.name}" if column.table is not None else column.name
