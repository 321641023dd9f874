"""The elements of a statement, as far as they are, or hold, sealed values."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy.sql.elements import Cast, ClauseElement, ClauseList, ColumnElement, Grouping, Label, Null, Tuple, TypeCoerce
from sqlalchemy.sql.lambdas import LambdaElement
from sqlalchemy.sql.selectable import ScalarSelect, Select, SelectBase

from ._type import Sealed


def resolved(element: Any) -> Any:
    """What an attribute of a mapped class, or a lambda, stands for. None where it is not SQL."""
    # An element asks its comparator for what it lacks, which takes time.
    if not isinstance(element, ClauseElement) and hasattr(element, "__clause_element__"):
        element = element.__clause_element__()
    if isinstance(element, LambdaElement):
        element = element._resolved
        if isinstance(element, (list, tuple)):
            return ClauseList(*element)
    return element if isinstance(element, ClauseElement) or hasattr(element, "get_children") else None


def core(element: Any) -> Any:
    """An element without its name, its brackets, and the type that it is called instead of its own."""
    element = resolved(element)
    while True:
        if isinstance(element, (Label, Grouping)) or getattr(element, "__visit_name__", "") == "label_reference":
            element = element.element
        elif isinstance(element, TypeCoerce):
            element = element.clause
        else:
            return element


def sealed_type(element: Any, scope: Any = None) -> Sealed | None:
    """The type of an element whose value is a sealed one. The scope is the SELECT that names in it are of."""
    bare = core(element)
    if getattr(bare, "__visit_name__", "") == "textual_label_reference":
        return _named(bare.element, scope)
    if isinstance(bare, ScalarSelect):
        # Its own type is that of its first column.
        bare = bare.element
    if isinstance(bare, SelectBase):
        return next(filter(None, map(sealed_type, bare.selected_columns)), None)
    type_ = bare.type if isinstance(bare, ColumnElement) else None
    return type_ if isinstance(type_, Sealed) else None


def _named(name: str, scope: Any) -> Sealed | None:
    """What ORDER BY and GROUP BY mean by a name: a column that is selected, else one of the tables."""
    if not isinstance(scope, SelectBase):
        return None
    selected = [column for column in scope.selected_columns if name in _names(column)]
    if not selected and isinstance(scope, Select):
        selected = [column for each in scope.get_final_froms() for column in each.c if name in _names(column)]
    return next(filter(None, map(sealed_type, selected)), None)


def _names(column: Any) -> list[Any]:
    return [getattr(column, each, None) for each in ("key", "name", "_tq_label")]


def is_null(column: Any) -> bool:
    """Whether a column is NULL in every row."""
    bare = core(column)
    return isinstance(bare, Null) or (isinstance(bare, Cast) and isinstance(core(bare.clause), Null))


def flat(clauses: Iterable[Any]) -> Iterator[Any]:
    """Columns out of the lists that composites, bundles and functions have them in."""
    for clause in clauses:
        listed = resolved(clause)
        if isinstance(listed, (ClauseList, Grouping)) and not isinstance(listed, Tuple):
            yield from flat(listed.get_children())
        else:
            yield clause


def tells_rows_apart(selects: Sequence[Any], keyword: str = "") -> bool:
    """Whether a DISTINCT, or a UNION and the like, of these finds equal rows though sealed values are in them: each comes
    with the primary key of its row, in all of them from the same table."""
    if keyword == "UNION ALL":
        return True
    first, *others = ([core(column) for column in select.selected_columns] for select in selects)
    for at, column in enumerate(first):
        if not any(sealed_type(each[at]) for each in (first, *others) if at < len(each)):
            continue
        places = _places_of_key(column, first)
        if not places or any(_bases(first[each]) != _bases(other[each]) for other in others for each in (at, *places)):
            return False
    return True


def _places_of_key(sealed: Any, columns: Sequence[Any]) -> list[int]:
    """Where the primary key of a column's row is among the columns. Empty where it is not, or not all of it."""
    places: list[int] = []
    for key in [key for base in _bases(sealed) for key in getattr(getattr(base, "table", None), "primary_key", ())]:
        for at, column in enumerate(columns):
            bases, table = _bases(column), getattr(column, "table", None)
            if (key in bases and hash(table) == hash(sealed.table)) or any(_inherited(key, base) for base in bases):
                places.append(at)
                break
        else:
            return []
    return places


def _inherited(key: Any, other: Any) -> bool:
    """Whether a key is that of a row's other table, as joined inheritance has it."""
    if not (key.primary_key and getattr(other, "primary_key", False)):
        return False
    return any(each.column is other for each in key.foreign_keys) or any(each.column is key for each in other.foreign_keys)


def _bases(column: Any) -> frozenset[Any]:
    """The columns of tables that a column comes from."""
    return frozenset(getattr(column, "base_columns", ()))
