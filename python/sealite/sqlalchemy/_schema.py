"""The column of a blind index: made beside the sealed column, and filled from its value."""

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Column, Index, Table, event, exc
from sqlalchemy.orm import Mapper

if TYPE_CHECKING:
    from ._type import Sealed

# The keys of the sealed columns, by table. Not in Table.info: migrations would write it.
_sealed: WeakKeyDictionary[Table, tuple[str, ...]] = WeakKeyDictionary()
# Tables whose columns are still being added.
_unfinished: WeakSet[Table] = WeakSet()


def companion_key(key: str) -> str:
    """The key, or the name, of the column that holds the index of the one with this key, or name."""
    return f"{key}_bidx"


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
    companion: Column[Any] = Column(companion_key(column.name), blind, key=key, default=_value_of(column.key))
    table.append_column(companion)
    Index(f"ix_{table.name}_{companion.name}", companion, unique=blind.exact)


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
