"""Seals every text column of every table that can be a sealed one: with one integer or text key, in the file itself, without
CHECK constraints, and without a foreign key to itself, which is checked after each row of a sealed table and not after the
statement. Keys, columns with an index, with a default of the server or computed stay plain. So do the tables of which the
suite makes views, which a file can't have of sealed ones, and those whose text columns it adds an index to afterwards."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from sealite.sqlalchemy import Sealed

_TEXT = {sa.String, sa.Text, sa.Unicode, sa.UnicodeText, sa.VARCHAR, sa.TEXT}
_VIEWED = {"users", "email_addresses", "dingalings", "test_table"}
_INDEXED = {"noncol_idx_test_nopk", "noncol_idx_test_pk"}


def install() -> None:
    """For the tables to come."""
    event.listen(sa.Table, "after_parent_attach", _seal)


def _seal(table: sa.Table, metadata: Any) -> None:
    if not _can_be_sealed(table):
        return
    used = {column for held in (*table.indexes, *table.constraints) for column in held.columns}
    for column in [column for column in table.columns if _fits(column) and column not in used]:
        column.type = Sealed(column.type, label=f"{table.name}.{column.name}")
        column.type._set_parent_with_dispatch(column)
        column.dispatch.after_parent_attach(column, table)


def _can_be_sealed(table: sa.Table) -> bool:
    keys = list(table.primary_key)
    constraints = {*table.constraints, *(each for column in table.columns for each in column.constraints)}
    return (
        table.name not in _VIEWED | _INDEXED
        and table.schema is None
        and not table._prefixes
        and len(keys) == 1
        and isinstance(keys[0].type, (sa.Integer, sa.String))
        and not any(isinstance(each, sa.CheckConstraint) for each in constraints)
        and not any(key.target_fullname.partition(".")[0] == table.name for key in table.foreign_keys)
    )


def _fits(column: sa.Column[Any]) -> bool:
    return type(column.type) in _TEXT and column.server_default is None and column.computed is None
