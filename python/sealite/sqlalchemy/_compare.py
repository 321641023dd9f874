"""What a sealed column can be compared with: through its blind index, or in the engine's database only."""

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import type_coerce, types
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BindParameter, ClauseElement, ColumnElement, Null

import sealite

from ._engine import EngineOnly
from ._schema import companion_key

if TYPE_CHECKING:
    from ._type import Sealed

_EQUAL = (operators.eq, operators.ne)
_MEMBER = (operators.in_op, operators.not_in_op)
_IS = (operators.is_, operators.is_not)


class Comparator(types.Concatenable.Comparator[Any]):
    """Turns a comparison with a sealed column into one with its index. Where that has no answer, and the engine's own
    SQL has, it is one for the engine only."""

    __slots__ = ()

    def operate(self, op: operators.OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        try:
            return self._indexed(op, *other, **kwargs)
        except sealite.SealiteError as refusal:
            return EngineOnly(op(_plain(self.expr), *map(_plain, other), **kwargs), refusal)

    def reverse_operate(self, op: operators.OperatorType, other: Any, **kwargs: Any) -> ColumnElement[Any]:
        refusal = self._refused(f"{getattr(op, '__name__', 'this operator').removesuffix('_op')} has no answer")
        return EngineOnly(_plain(self.expr).reverse_operate(op, _plain(other), **kwargs), refusal)

    def _indexed(self, op: operators.OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
        if len(other) == 1 and (other[0] is None or isinstance(other[0], Null)) and op in (*_EQUAL, *_IS):
            return super().operate(op, *other, **kwargs)
        if op in _EQUAL and isinstance(other[0], ClauseElement) and hash(other[0]) == hash(self.expr):
            # The column itself: SQLAlchemy looks columns up in dictionaries.
            return super().operate(op, *other, **kwargs)
        if op in _EQUAL:
            return self._index(exactly=True).operate(op, self._operand(other[0]))
        if op in _MEMBER:
            return self._index(exactly=True).operate(op, self._members(other[0]))
        raise self._refused(f"{getattr(op, '__name__', 'this operator').removesuffix('_op')} has no answer")

    def candidates(self, value: Any) -> ColumnElement[bool]:
        """The rows whose value may be this one: for a look-up index, whose values collide. Filter what it finds."""
        return self._index(exactly=False).operate(operators.eq, self._operand(value))

    @property
    def _sealed(self) -> "Sealed":
        sealed: Any = self.expr.type
        return cast("Sealed", sealed)

    @property
    def _label(self) -> str:
        return self._sealed.label

    def _refused(self, why: str) -> sealite.SealiteError:
        return sealite.Refused(
            f"field {self._label} is sealed: {why}. ==, !=, IN and IS NULL have; for others, load the rows"
        )

    def _index(self, *, exactly: bool) -> ColumnElement[Any]:
        blind = self._sealed.blind_index()
        if blind is None:
            raise sealite.NotIndexed(f"field {self._label} is sealed without an index: declare index=\"unique\"")
        columns = getattr(getattr(self.expr, "table", None), "c", {})
        key = companion_key(str(self.expr.key))
        found: ColumnElement[Any] | None = columns.get(key)
        if found is None:
            raise sealite.NotIndexed(f"field {self._label}: what is selected from here has no column {key}")
        if exactly and not blind.exact:
            raise self._refused("values of a look-up index collide: use column.candidates(value), and filter the rows")
        return found

    def _operand(self, other: Any) -> Any:
        if hasattr(other, "__clause_element__"):
            other = other.__clause_element__()
        if not isinstance(other, ClauseElement):
            return other
        if isinstance(other, BindParameter) and other.type._isnull:
            return other
        if isinstance(other, ColumnElement) and self._sealed.same_field(other.type):
            return other.comparator._index(exactly=True)  # type: ignore[attr-defined]
        raise self._refused("it compares with values and with columns of the same field")

    def _members(self, others: Any) -> Any:
        if isinstance(others, BindParameter) and others.type._isnull:
            return others
        if isinstance(others, ClauseElement) or hasattr(others, "__clause_element__"):
            raise self._refused("IN takes a list of values")
        others = list(others)
        if any(isinstance(other, ClauseElement) for other in others):
            raise self._refused("IN takes a list of values")
        return others


def _plain(operand: Any) -> Any:
    """A sealed column, or a value for one, as one of its plain type; anything else as it is."""
    if hasattr(operand, "__clause_element__"):
        operand = operand.__clause_element__()
    of = getattr(getattr(operand, "type", None), "of", None)
    return operand if of is None else type_coerce(operand, of)
