"""What a statement asks the database about sealed values: looked through once, when it has been compiled, and refused where
the answer would be about bytes that say nothing."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

from sqlalchemy import Column
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import Case, Cast, ClauseList, Extract, Grouping, Over
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Select

import sealite

from ._engine import is_engine
from ._type import Sealed

# Compiled statements that have been looked through: SQLAlchemy keeps and reuses them.
_passed: WeakSet[Any] = WeakSet()


def before_cursor_execute(
    connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
) -> None:
    """Looks through a statement the first time that it is executed."""
    compiled = getattr(context, "compiled", None)
    if compiled is None or compiled in _passed or is_engine(compiled.dialect):
        return
    statement = getattr(compiled, "statement", None)
    if statement is not None:
        for element in visitors.iterate(statement):
            _check(element)
    _passed.add(compiled)


def _check(element: Any) -> None:
    if isinstance(element, Select):
        for clause in _flat((*element._order_by_clauses, *element._group_by_clauses)):
            _refuse(clause, "the database has no order of its values, and no groups")
        if element._distinct:
            _check_distinct(element)
    elif isinstance(element, FunctionElement):
        # COUNT asks for NULL only.
        if element.name.lower() != "count":
            for clause in _flat(element.clauses):
                _refuse(clause, f"{element.name}() sees its bytes only")
    elif isinstance(element, (Case, Cast, Extract, Over)):
        for clause in _flat(element.get_children()):
            _refuse(clause, "an expression sees its bytes only")


def _check_distinct(select: Select[Any]) -> None:
    selected = list(_flat(select._raw_columns))
    if any(getattr(column, "primary_key", False) for column in selected):
        return
    for column in selected:
        _refuse(column, "equal values are different bytes, so that DISTINCT keeps them all")


def _refuse(clause: Any, why: str) -> None:
    type_ = getattr(clause, "type", None)
    if isinstance(type_, Sealed) and isinstance(clause, Column):
        raise sealite.Refused(f"field {type_.label} is sealed: {why}. Load the rows")


def _flat(clauses: Any) -> Iterator[Any]:
    for clause in clauses:
        if isinstance(clause, (ClauseList, Grouping)):
            yield from _flat(clause.get_children())
        else:
            yield clause
