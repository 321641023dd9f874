"""Whether a statement is for the engine's own database, where SQL reaches sealed columns, or for any other."""

from typing import Any

from sqlalchemy import exc
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import BinaryExpression, ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal


def is_engine(dialect: Dialect) -> bool:
    """Whether the dialect is one of ours."""
    return bool(getattr(dialect, "is_sealite", False))


class EngineOnly(ColumnElement[Any]):
    """An expression over a sealed column that has an answer in the engine's database only. Elsewhere it raises, when the
    statement is compiled."""

    __visit_name__ = "sealite_engine_only"
    _traverse_internals = [("element", InternalTraversal.dp_clauseelement)]

    def __init__(self, element: Any, refusal: Exception) -> None:
        self.element = element
        self.refusal = refusal
        self.type = element.type

    @property
    def _from_objects(self) -> Any:
        return self.element._from_objects


@compiles(EngineOnly)
def _compile(element: EngineOnly, compiler: Any, **kw: Any) -> str:
    if not is_engine(compiler.dialect):
        # A new one each time: a traceback is kept with the one that is raised.
        raise type(element.refusal)(*element.refusal.args)
    text: str = compiler.process(element.element, **kw)
    return f"({text})" if isinstance(element.element, BinaryExpression) else text


class NotForSealedTables(exc.CompileError):
    """What a table has that a sealed table can't have."""
