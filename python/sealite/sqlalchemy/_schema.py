"""The column of a blind index: made beside the sealed column, and filled from its value."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Column, Index, Table, event, exc
from sqlalchemy.orm import Mapper

from ._engine import is_engine

if TYPE_CHECKING:
    from ._type import Sealed

# Column(..., sqlite_authenticated=True): readable in the file of the dialect `sqlite+sealite`, and bound to its row.
Column.argument_for("sqlite", "authenticated", False)

# The keys of the sealed columns, by table. Not in Table.info: migrations would write it.
_sealed: WeakKeyDictionary[Table, tuple[str, ...]] = WeakKeyDictionary()
# Tables whose columns are still being added.
_unfinished: WeakSet[Table] = WeakSet()


def companion_key(key: str) -> str:
    """The key, or the name, of the column that holds the index of the one with this key, or name."""
    return f"{key}_bidx"


def key_of_companion(key: str) -> str:
    """The key of the column that the one with this key holds the index of."""
    return key.removesuffix("_bidx")


def sealed_keys(table: Any) -> tuple[str, ...]:
    """The keys of the sealed columns of a table."""
    return _sealed.get(table, ())


def attach(column: Column[Any], sealed: "Sealed") -> None:
    """Prepares a column that has got this type."""
    event.listen(column, "after_parent_attach", _attached)


def _attached(column: Column[Any], table: Any) -> None:
    from ._type import Sealed

    sealed = column.type
    if not isinstance(table, Table) or not isinstance(sealed, Sealed):
        return
    if column.primary_key or column.foreign_keys or column.unique or column.index:
        raise exc.ArgumentError(f"{table.name}.{column.name}: a sealed column is no key, and its index is declared in its type")
    if column.server_default is not None:
        raise exc.ArgumentError(f"{table.name}.{column.name}: a server's default would not be sealed")
    _sealed[table] = tuple(dict.fromkeys([*sealed_keys(table), column.key]))
    if not sealed.companion:
        return
    if table in _unfinished:
        # The program, or a migration, may name the column itself further on.
        event.listen(table, "after_parent_attach", lambda table, metadata: _add_companion(table, column))
    else:
        _add_companion(table, column)


def _add_companion(table: Table, column: Column[Any]) -> None:
    blind = column.type.blind_index()  # type: ignore[attr-defined]
    key = companion_key(column.key)
    if blind is None or key in table.c:
        return
    companion: Column[Any] = Companion(companion_key(column.name), blind, key=key, default=_value_of(column.key))
    table.append_column(companion)
    index = Index(f"ix_{table.name}_{companion.name}", companion, unique=blind.exact)
    callable_: Any = _not_engine
    index.ddl_if(callable_=callable_)


class Companion(Column[Any]):
    """The column of a blind index. The engine's own database has no such column: no statement for it writes one."""

    inherit_cache = True
    _unwritten: ContextVar[bool] = ContextVar("sealite_unwritten", default=False)

    @classmethod
    @contextmanager
    def unwritten(cls) -> Iterator[None]:
        """While a statement for the engine is compiled, companions have no default to be filled by."""
        token = cls._unwritten.set(True)
        try:
            yield
        finally:
            cls._unwritten.reset(token)

    @property
    def default(self) -> Any:
        return None if self._unwritten.get() else self.__dict__.get("own_default")

    @default.setter
    def default(self, value: Any) -> None:
        self.__dict__["own_default"] = value


def is_companion(column: Any) -> bool:
    """Whether a column holds the blind index of another."""
    from ._type import BlindIndex

    return isinstance(getattr(column, "type", None), BlindIndex)


def _not_engine(ddl: Any, target: Any, bind: Any, *given: Any, dialect: Any = None, **kw: Any) -> bool:
    return not is_engine(bind.dialect if dialect is None else dialect)


def _value_of(key: str) -> Any:
    """The default of a companion: the value of its column. The index's type turns it into the index."""

    def value(context: Any) -> Any:
        return context.get_current_parameters(isolate_multiinsert_groups=False).get(key)

    return value


@event.listens_for(Table, "before_parent_attach")
def _begun(table: Table, metadata: Any) -> None:
    _unfinished.add(table)


@event.listens_for(Table, "after_parent_attach")
def _finished(table: Table, metadata: Any) -> None:
    _unfinished.discard(table)


@event.listens_for(Mapper, "instrument_class")
def _hide_companions(mapper: Mapper[Any], class_: type) -> None:
    """Mapped classes have no attribute for the index: it would be loaded with every row."""
    table = mapper.local_table
    hidden = {companion_key(key) for key in sealed_keys(table)} if isinstance(table, Table) else set()
    if hidden:
        mapper.exclude_properties = hidden.union(mapper.exclude_properties or ())
