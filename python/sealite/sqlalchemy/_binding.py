"""Which row each value of an INSERT or UPDATE is for, where the type binds values to rows."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Table
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import Update
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList

import sealite

from ._rows import ForRow, record_of
from ._type import Sealed

_Parameters = dict[str, Any]


def given_by(statement: Any) -> dict[Any, Any]:
    """What values() and ordered_values() were given."""
    # SQLAlchemy 2.0 keeps what has an order apart.
    return dict(statement._values or {}) | dict(getattr(statement, "_ordered_values", None) or ())


def changed_on_conflict(clause: Any) -> dict[Any, Any]:
    """What the clause behind the values of an INSERT sets, by column."""
    changed = getattr(clause, "update_values_to_set", None) or getattr(clause, "update", None) or ()
    return dict(changed)


class RowBinding:
    """The columns of a table whose values are bound to their rows, and its primary key."""

    def __init__(self, table: Table, types: dict[str, Sealed]) -> None:
        self._table = table
        self._bound = [key for key, each in types.items() if each.bind_row]
        keys = list(table.primary_key)
        if len(keys) != 1:
            raise sealite.Refused(f"{table.name}: values are bound to rows by a primary key of one column")
        self._key = keys[0]

    def bound(
        self, statement: Any, values: dict[str, Any], multiple: Any, single: _Parameters
    ) -> tuple[Any, list[_Parameters], _Parameters]:
        """The statement and its parameters, where each bound value comes with its row."""
        if statement._multi_values:
            raise sealite.Refused(f"{self._table.name}: values bound to their rows are inserted by execute(insert(), [...])")
        values = {key: values[key] for key in self._bound if key in values}
        set_ = {getattr(column, "key", column): value for column, value in given_by(statement).items()}
        if isinstance(statement, Update):
            name, default = self._row_of_update(statement)
            for given in (set_, *multiple, single):
                if self._key.key in given and name != self._key.key:
                    raise sealite.Refused(f"{self._table.name}: the key of a row stays, since values are bound to it")
        else:
            name, default = self._key.key, getattr(set_.get(self._key.key), "value", None)
            if values and default is None and single.get(name) is None:
                default = self._made_key()
                statement = statement.values({self._key: default})
            elif default is None:
                multiple = [self._with_key(each) for each in multiple]
                single = self._with_key(single) if single else single
        if values:
            record = self._record(single, name, default)
            statement = statement.values({key: ForRow(value.value, record) for key, value in values.items()})
        return (
            statement,
            [self._for_row(each, name, default) for each in multiple],
            self._for_row(single, name, default),
        )

    def _for_row(self, given: _Parameters, name: str | None, default: Any) -> _Parameters:
        bound = [key for key in self._bound if key in given]
        if not bound:
            return given
        record = self._record(given, name, default)
        return {**given, **{key: ForRow(given[key], record) for key in bound}}

    def _record(self, given: _Parameters, name: str | None, default: Any) -> int | str:
        key = default if name is None else given.get(name, default)
        if key is None:
            raise sealite.Refused(
                f"{self._table.name} has values bound to their rows: the primary key must be known before the statement"
                " (given, or by a default of the column such as uuid4)"
            )
        return record_of(key)

    def _with_key(self, given: _Parameters) -> _Parameters:
        if given.get(self._key.key) is not None:
            return given
        made = self._made_key()
        return given if made is None else {**given, self._key.key: made}

    def _made_key(self) -> Any:
        """The primary key that its column's default makes."""
        default: Any = self._key.default
        if default is None or not (default.is_callable or default.is_scalar):
            return None
        return default.arg(None) if default.is_callable else default.arg

    def _row_of_update(self, statement: Any) -> tuple[str | None, Any]:
        """The parameter that names the row of an UPDATE, and the value that it has by itself."""
        for clause in _conjuncts(statement._where_criteria):
            if isinstance(clause, BinaryExpression) and clause.operator is operators.eq:
                left, right = clause.left, clause.right
                if getattr(left, "key", None) == self._key.key and isinstance(right, BindParameter):
                    return right.key, right.value
        return None, None


def _conjuncts(clauses: Iterable[Any]) -> Iterator[Any]:
    """What all must hold, one by one."""
    for clause in clauses:
        if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
            yield from _conjuncts(clause.clauses)
        else:
            yield clause
