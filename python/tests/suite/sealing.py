"""Seals every text column of every table that can be a sealed one."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from sealite.sqlalchemy import Sealed

_TEXT = {sa.String, sa.Text, sa.Unicode, sa.UnicodeText, sa.VARCHAR, sa.TEXT}


def install() -> None:
    """For the tables to come."""
    event.listen(sa.Table, "after_parent_attach", _seal)


def _seal(table: sa.Table, metadata: Any) -> None:
    keys = list(table.primary_key)
    if table.schema is not None or table._prefixes or len(keys) != 1 or not isinstance(keys[0].type, (sa.Integer, sa.String)):
        return
    for column in [column for column in table.columns if _fits(column)]:
        column.type = Sealed(column.type, label=f"{table.name}.{column.name}")
        column.type._set_parent_with_dispatch(column)
        column.dispatch.after_parent_attach(column, table)


def _fits(column: sa.Column[Any]) -> bool:
    taken = column.primary_key or column.foreign_keys or column.unique or column.index
    return type(column.type) in _TEXT and not taken and column.server_default is None and column.computed is None
