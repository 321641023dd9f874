"""Seals every text column of every table that can be a sealed one."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from sealite.sqlalchemy import Sealed

_TEXT = {sa.String, sa.Text, sa.Unicode, sa.UnicodeText, sa.VARCHAR, sa.TEXT}
sealed = 0


def install() -> None:
    event.listen(sa.Table, "after_parent_attach", _seal)


def _seal(table: sa.Table, metadata: Any) -> None:
    global sealed
    columns = [column for column in table.columns if _fits(column)]
    if columns and _can_be_sealed(table):
        for column in columns:
            type_ = Sealed(column.type, label=f"{table.name}.{column.name}")
            type_._set_parent_with_dispatch(column)
            column.type = type_
            _attach(column, table)
            sealed += 1


def _attach(column: sa.Column[Any], table: sa.Table) -> None:
    from sealite.sqlalchemy._schema import _attached

    _attached(column, table)


def _fits(column: sa.Column[Any]) -> bool:
    return (
        type(column.type) in _TEXT
        and not (column.primary_key or column.foreign_keys or column.unique or column.index)
        and column.server_default is None
        and column.computed is None
    )


def _can_be_sealed(table: sa.Table) -> bool:
    keys = list(table.primary_key)
    return (
        table.schema is None
        and not table._prefixes
        and not table.implicit_returning_off
        if hasattr(table, "implicit_returning_off")
        else table.schema is None and not table._prefixes
    ) and len(keys) == 1 and isinstance(keys[0].type, (sa.Integer, sa.String))
