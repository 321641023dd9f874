"""Values that are sealed for their row: mapped objects open them when they are loaded."""

import uuid
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import event, exc
from sqlalchemy.orm import Mapper

import sealite

from ._schema import sealed_keys

if TYPE_CHECKING:
    from ._type import Sealed


class ForRow:
    """A value on its way to the type, with the row that it is for."""

    __slots__ = ("record", "value")

    def __init__(self, value: Any, record: int | str) -> None:
        self.value = value
        self.record = record

    def __repr__(self) -> str:
        return "<ForRow>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a ForRow can't be pickled or copied")


class SealedForRow:
    """A value as it lies in the database: selected without the row that it is bound to. `open` takes the primary key."""

    __slots__ = ("_sealed", "_type")

    def __init__(self, type_: "Sealed", sealed: bytes) -> None:
        self._type = type_
        self._sealed = sealed

    def open(self, key: int | str | uuid.UUID) -> Any:
        """The value, for the row with this primary key."""
        return self._type.open_for_row(self._sealed, record_of(key))

    def __repr__(self) -> str:
        return f"<SealedForRow {self._type.label}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SealedForRow can't be pickled or copied")


def record_of(key: object) -> int | str:
    """A primary key as the id of a record."""
    if isinstance(key, (int, str)) and not isinstance(key, bool):
        return key
    if isinstance(key, uuid.UUID):
        return str(key)
    raise sealite.TypeMismatch("a value is bound to a row by an integer, text or UUID as primary key")


@event.listens_for(Mapper, "after_mapper_constructed")
def _open_what_is_loaded(mapper: Mapper[Any], class_: type) -> None:
    table = mapper.local_table
    columns = [table.c[key] for key in sealed_keys(table)]
    bound = [mapper.get_property_by_column(column).key for column in columns if column.type.bind_row]  # type: ignore[attr-defined]
    if not bound:
        return
    if len(mapper.primary_key) != 1:
        raise exc.ArgumentError(f"{class_.__name__}: values are bound to rows by a primary key of one column")

    def open_loaded(target: Any, context: Any, attributes: Any = None) -> None:
        values = target.__dict__
        for key in bound:
            sealed = values.get(key)
            if isinstance(sealed, SealedForRow):
                (identity,) = mapper.primary_key_from_instance(target)
                values[key] = sealed.open(identity)

    event.listen(class_, "load", open_loaded, propagate=True)
    event.listen(class_, "refresh", open_loaded, propagate=True)
