"""What a statement asks the database about sealed values: looked through once, when it has been compiled, and refused where
the answer would be about bytes that say nothing.

Nothing is allowed but what is named here: a sealed value is selected and returned, counted, asked for NULL, and written from
a parameter. Comparisons that have an answer are none of its own: the comparator has made them comparisons of blind indexes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, Null, TextClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import (
    CompoundSelect,
    Exists,
    ForUpdateArg,
    FromClause,
    Join,
    ScalarSelect,
    Select,
    SelectStatementGrouping,
    TextualSelect,
)

import sealite

from ._binding import changed_on_conflict, given_by
from ._elements import core, flat, is_null, resolved, sealed_type, tells_rows_apart
from ._engine import is_engine
from ._type import Sealed

# Compiled statements that have been looked through: SQLAlchemy keeps and reuses them.
_passed: WeakSet[Any] = WeakSet()

# What hands values on as they are, to be judged where they arrive. Text is the program's own.
_CARRIERS = (Exists, ForUpdateArg, FromClause, ScalarSelect, SelectStatementGrouping, TextClause, TextualSelect)
_CARRIERS_OF_THE_ORM = ("memoized_select_entities", "orm_from_statement")

_NO_ANSWER = "an expression sees its bytes only"
_NO_ORDER = "the database has no order of its values, no groups, and no truth"
_NOT_EQUAL = "equal values are different bytes, which are kept apart, but with the primary keys of their rows"
_WRITTEN = "it is written from a parameter, to a column of its own type"


def before_cursor_execute(
    connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
) -> None:
    """Looks through a statement the first time that it is executed."""
    compiled = getattr(context, "compiled", None)
    if compiled is None or compiled in _passed or is_engine(compiled.dialect):
        return
    look_through(compiled)
    _passed.add(compiled)


def look_through(compiled: Any) -> None:
    """Refuses a compiled statement that asks what has no answer."""
    walk = _Walk()
    walk.look(getattr(compiled, "statement", None))
    # What the ORM has made of it: with the conditions of its relationships, and the criteria of its loaders.
    walk.look(getattr(getattr(compiled, "compile_state", None), "statement", None))


class _Walk:
    """Through the elements of a statement, each once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], Any] = {}
        self._ahead: list[tuple[Any, Any]] = []

    def look(self, statement: Any) -> None:
        self._go_on(statement, None)
        while self._ahead:
            element, scope = self._ahead.pop()
            if isinstance(element, Select):
                self._select(element)
            elif isinstance(element, CompoundSelect):
                self._compound(element)
            elif isinstance(element, (Insert, Update, Delete)):
                self._write(element)
            else:
                self._other(element, scope)

    def _go_on(self, element: Any, scope: Any) -> None:
        """Looks at an element later on. The scope is the SELECT whose columns its names are."""
        element = resolved(element)
        key = (id(element), id(scope))
        if element is not None and key not in self._seen:
            # Kept, so that nothing else gets its place in memory.
            self._seen[key] = (element, scope)
            self._ahead.append((element, scope))

    def _hand_on(self, elements: Iterable[Any], scope: Any) -> None:
        """Sealed values may come here as they are."""
        for element in elements:
            self._go_on(core(element), scope)

    def _refuse(self, elements: Iterable[Any], scope: Any, why: str = _NO_ANSWER) -> None:
        """No sealed value may come here."""
        for element in elements:
            sealed = sealed_type(element, scope)
            if sealed is not None:
                raise sealite.Refused(f"field {sealed.label} is sealed: {why}. Load the rows")
            self._go_on(element, scope)

    def _other(self, element: Any, scope: Any) -> None:
        children = list(element.get_children())
        if isinstance(element, Join):
            self._refuse([element.onclause], scope)
            self._hand_on([element.left, element.right], scope)
        elif isinstance(element, FunctionElement):
            arguments = flat(element.clauses)
            if element.name.lower() == "count":
                # COUNT asks for NULL only.
                self._hand_on(arguments, scope)
            else:
                self._refuse([*arguments, *children], scope, f"{element.name}() sees its bytes only")
        elif _hands_on(element):
            self._hand_on(children, scope)
        else:
            self._refuse(children, scope)

    def _select(self, select: Any) -> None:
        self._hand_on(flat(select._raw_columns), select)
        others = _without(select.get_children(), select._raw_columns)
        # DISTINCT ON compares what it names, and that is among the others.
        by_name = any(getattr(each, "_distinct_on", None) for each in (select, *others))
        if select._distinct and not by_name and not tells_rows_apart([select]):
            self._refuse(select.selected_columns, select, _NOT_EQUAL)
        self._refuse(others, select, _NO_ORDER)

    def _compound(self, compound: Any) -> None:
        for columns in zip(*(each.selected_columns for each in compound.selects), strict=False):
            of = [sealed_type(column) for column in columns if not is_null(column)]
            if any(of) and (not all(of) or not tells_rows_apart(compound.selects, compound.keyword.value)):
                self._refuse(columns, compound, _NOT_EQUAL if all(of) else "a UNION of it and of what is not gives bytes")
        self._hand_on(compound.selects, compound)
        self._refuse(_without(compound.get_children(), compound.selects), compound, _NO_ORDER)

    def _write(self, write: Any) -> None:
        # The second and the third: what the ORM has returned for itself.
        named = ("_returning", "_return_defaults_columns", "_supplemental_returning")
        seen = [write.table, *(column for name in named for column in getattr(write, name, None) or ())]
        self._hand_on(flat(seen), write)
        if not isinstance(write, Delete):
            values = given_by(write)
            for given in (values, *_rows(write)):
                self._assign(write.table, given)
            seen += [*values, *values.values()]
        if isinstance(write, Insert):
            if write.select is not None:
                self._refuse(write.select.selected_columns, write, _WRITTEN)
                self._go_on(write.select, None)
            after = write._post_values_clause
            self._assign(write.table, changed_on_conflict(after))
            names = ("update_whereclause", "inferred_target_whereclause")
            self._refuse((getattr(after, name, None) for name in names), write)
            seen += [write.select, after]
        self._refuse(_without(write.get_children(), seen), write)

    def _assign(self, table: Any, given: dict[Any, Any]) -> None:
        for key, value in given.items():
            if resolved(value) is None:
                continue
            column = table.c.get(getattr(key, "key", key))
            if not (isinstance(getattr(column, "type", None), Sealed) and isinstance(core(value), BindParameter)):
                self._refuse([value], None, _WRITTEN)


def _hands_on(element: Any) -> bool:
    if isinstance(element, BinaryExpression):
        left, right = core(element.left), core(element.right)
        if element.operator in (operators.is_, operators.is_not):
            return isinstance(left, Null) or isinstance(right, Null)
        # The column itself.
        return element.operator in (operators.eq, operators.ne) and hash(left) == hash(right)
    return isinstance(element, _CARRIERS) or getattr(element, "__visit_name__", "") in _CARRIERS_OF_THE_ORM


def _rows(write: Any) -> Iterator[dict[Any, Any]]:
    """The rows of insert().values([...])."""
    for rows in getattr(write, "_multi_values", ()):
        for row in rows:
            yield row if isinstance(row, dict) else dict(enumerate(row))


def _without(elements: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The first without the second, each taken away once."""
    away = Counter(map(id, others))
    left = []
    for element in elements:
        if away[id(element)]:
            away[id(element)] -= 1
        else:
            left.append(element)
    return left
