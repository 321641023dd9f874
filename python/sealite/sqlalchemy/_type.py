"""The types: a sealed value, and the blind index beside it."""

from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, LargeBinary, exc, types
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators, type_api
from sqlalchemy.sql.base import SchemaEventTarget

import sealite

from ._codec import codec
from ._compare import Comparator
from ._engine import is_engine
from ._rows import ForRow, SealedForRow
from ._schema import attach
from ._fields import Family, Key, Padding, family

# Called by position; SQLAlchemy's own protocols for them name the argument.
_Process = Callable[..., Any]
# Their drivers take and give bytes as they are.
_PLAIN_DRIVERS = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})


class _FieldType(types.TypeDecorator[Any]):
    """What the two types share: the field, looked up by its label for every value."""

    of: types.TypeEngine[Any]
    label: str
    index: str | None
    vault: str
    per_tenant: bool
    padding: Padding | None

    def _family(self) -> Family:
        kind = codec(self.of, self.label).kind
        return family(Key(self.vault, self.label, kind, self.index, self.padding))

    def _native(self, method: Literal["seal", "open", "index"]) -> Callable[..., Any]:
        """The method of the binding that is in force when it is called. Native where that is always the same one."""
        family = self._family()
        if not self.per_tenant:
            # One of: seal, open, index.
            native: Callable[..., Any] = getattr(family.own, method)
            return native
        of_tenant = family.of_tenant
        return lambda *value: getattr(of_tenant(), method)(*value)

    def _with_driver(
        self, process: _Process, dialect: Dialect, driver: Callable[[Dialect], _Process | None], *, first: bool
    ) -> _Process:
        other = None if dialect.name in _PLAIN_DRIVERS else driver(dialect)
        if other is None:
            return process
        if first:
            return lambda value: process(other(value))
        return lambda value: other(process(value))

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """In the engine's own database the column has the type of its values."""
        return dialect.type_descriptor(self.of) if is_engine(dialect) else super().load_dialect_impl(dialect)

    def _plain(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """The type of the values, where the engine's SQL takes and gives them as they are."""
        return self.of.dialect_impl(dialect)

    def literal_processor(self, dialect: Dialect) -> _Process | None:
        """SQL text with values in it has what would be sent."""
        if is_engine(dialect):
            return self._plain(dialect).literal_processor(dialect)
        process = self.bind_processor(dialect)

        def literal(value: Any) -> str:
            sent = process(value) if process else value
            if not isinstance(sent, bytes):
                return "NULL" if sent is None else str(sent)
            return f"'\\x{sent.hex()}'::bytea" if dialect.name == "postgresql" else f"X'{sent.hex()}'"

        return literal


class Sealed(_FieldType):
    """A value that the database holds sealed: of any of SQLAlchemy's types for text, binaries, numbers, booleans,
    dates and times, intervals, UUIDs, enumerations and JSON. None is NULL, and can be told.

    - `label` names the field: what is sealed under one label opens under the same only. Never change it.
    - `index` is `unique` or `lookup COUNT`, and a normaliser for text (`unique email`): the column can then be compared,
      through a column `<name>_bidx` that this type adds to the table.
    - `vault` is the name that the vault is registered by.
    - `per_tenant` seals for the tenant in force (`with tenant(...)`), and refuses where there is none.
    - `bind_row` seals for the row: the primary key must be known before the INSERT. Mapped objects then open what they
      load; a column that is selected by itself gives a `SealedForRow`.
    - `padding` hides the length: a block in bytes (default 32), "none" or "padme".

    A statement selects, returns and counts the column, asks whether it is NULL, and sets it to a value. With a `unique`
    index it compares it with ==, != and IN, and with a `lookup` index by `column.candidates(value)`. Whatever else it does
    with it raises `Refused` when it is executed.

    In a database of the dialect `sqlite+sealite` the column is a sealed column of a sealed table: SQL compares, sorts and
    computes with its values, and the engine seals. `label`, `vault` and `bind_row` say nothing there.
    """

    impl = LargeBinary
    # What identifies a type is in the public attributes that its constructor names; SQLAlchemy leaves out those that are
    # given by keyword only.
    cache_ok = True
    __module__ = "sealite.sqlalchemy"

    def __init__(
        self,
        of: types.TypeEngine[Any] | type[types.TypeEngine[Any]],
        label: str,
        index: str | None = None,
        vault: str = "default",
        per_tenant: bool = False,
        bind_row: bool = False,
        padding: Padding | None = None,
        companion: bool = True,
    ) -> None:
        super().__init__()
        self.of = type_api.to_instance(of)
        self.label = label
        self.index = index
        self.vault = vault
        self.per_tenant = per_tenant
        self.bind_row = bind_row
        self.padding = padding
        # False in migrations, which name every column themselves.
        self.companion = companion
        self.hashable = self.of.hashable
        if index is not None and not codec(self.of, label).indexable:
            raise exc.ArgumentError(f"field {label}: values of this type have no index")
        # A wrong index is found here, not with the first value.
        self._family()

    comparator_factory = Comparator  # pyright: ignore[reportAssignmentType]

    @property
    def python_type(self) -> type[Any]:
        return self.of.python_type

    def blind_index(self) -> "BlindIndex | None":
        """The type of the column that holds the index."""
        if self.index is None:
            return None
        return BlindIndex(
            self.of, label=self.label, index=self.index, vault=self.vault, per_tenant=self.per_tenant
        )

    def same_field(self, other: types.TypeEngine[Any]) -> bool:
        """Whether equal values of both have equal indexes."""
        return isinstance(other, Sealed) and self._identity() == other._identity()

    def _identity(self) -> tuple[object, ...]:
        return (self.vault, self.label, self.index, self.per_tenant, codec(self.of, self.label).kind)

    def _set_parent(self, parent: SchemaEventTarget, outer: bool = False, **kw: Any) -> None:
        super()._set_parent(parent, outer=outer, **kw)
        if isinstance(parent, Column):
            attach(parent, self)

    def bind_processor(self, dialect: Dialect) -> _Process | None:
        if is_engine(dialect):
            return _quiet(self._plain(dialect).bind_processor(dialect), self.label)
        seal, encode = self._native("seal"), codec(self.of, self.label).encode
        process: _Process = seal
        if self.bind_row:
            process = _sealing_for_row(self.label, seal, encode)
        elif encode is not None:
            process = lambda value: None if value is None else seal(encode(value))  # noqa: E731
        return self._with_driver(process, dialect, self.impl_instance.bind_processor, first=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Process | None:
        if is_engine(dialect):
            return _quiet(self._plain(dialect).result_processor(dialect, coltype), self.label)
        open_, decode = self._native("open"), codec(self.of, self.label).decode
        process: _Process = open_
        if self.bind_row:
            process = lambda sealed: None if sealed is None else SealedForRow(self, sealed)  # noqa: E731
        elif decode is not None:
            process = lambda sealed: None if sealed is None else decode(open_(sealed))  # noqa: E731
        driver = lambda dialect: self.impl_instance.result_processor(dialect, coltype)  # noqa: E731
        return self._with_driver(process, dialect, driver, first=True)

    def open_for_row(self, sealed: bytes, record: int | str) -> Any:
        """Opens a value that was sealed for a row."""
        decode = codec(self.of, self.label).decode
        value = self._native("open")(sealed, record)
        return value if decode is None else decode(value)

    def __repr__(self) -> str:
        given = [codec(self.of, self.label).written, f"label={self.label!r}"]
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                given.append(f"{name}={value!r}")
        return f"Sealed({', '.join(given)})"


class BlindIndex(_FieldType):
    """The blind index of a sealed value: 16 bytes for a unique one, an integer for a look-up. Takes the value itself."""

    impl = LargeBinary
    # What identifies a type is in the public attributes that its constructor names; SQLAlchemy leaves out those that are
    # given by keyword only.
    cache_ok = True
    __module__ = "sealite.sqlalchemy"

    def __init__(
        self,
        of: types.TypeEngine[Any] | type[types.TypeEngine[Any]],
        label: str,
        index: str,
        vault: str = "default",
        per_tenant: bool = False,
    ) -> None:
        super().__init__()
        self.of = type_api.to_instance(of)
        self.label = label
        self.index = index
        self.vault = vault
        self.per_tenant = per_tenant
        self.padding = None
        storage: Any = LargeBinary(16) if self.exact else BigInteger()
        self.impl = self.impl_instance = storage

    @property
    def exact(self) -> bool:
        """Whether equal indexes mean equal values. Those of a look-up collide, as they are meant to."""
        return str(self.index).split(maxsplit=1)[0] == "unique"

    def bind_processor(self, dialect: Dialect) -> _Process | None:
        if is_engine(dialect):
            return self._plain(dialect).bind_processor(dialect)
        index, of = self._native("index"), codec(self.of, self.label)
        canonical = of.canonical or of.encode

        def process(value: Any) -> Any:
            if isinstance(value, ForRow):
                value = value.value
            return None if value is None else index(canonical(value) if canonical else value)

        return self._with_driver(process, dialect, self.impl_instance.bind_processor, first=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Process | None:
        if is_engine(dialect):
            return self._plain(dialect).result_processor(dialect, coltype)
        return self.impl_instance.result_processor(dialect, coltype)

    def coerce_compared_value(self, op: operators.OperatorType | None, value: Any) -> types.TypeEngine[Any]:
        return self

    def __repr__(self) -> str:
        given = [codec(self.of, self.label).written, f"label={self.label!r}", f"index={self.index!r}"]
        if self.vault != "default":
            given.append(f"vault={self.vault!r}")
        if self.per_tenant:
            given.append("per_tenant=True")
        return f"BlindIndex({', '.join(given)})"


_DEFAULTS = {
    "index": None,
    "vault": "default",
    "per_tenant": False,
    "bind_row": False,
    "padding": None,
    "companion": True,
}


def _quiet(process: _Process | None, label: str) -> _Process | None:
    """A processor of SQLAlchemy's own, without its errors: some show the value."""
    if process is None:
        return None

    def quiet(value: Any) -> Any:
        try:
            return process(value)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            pass
        raise sealite.TypeMismatch(f"field {label}: the type of the column does not take {type(value).__name__}, or not this one")

    return quiet


def _sealing_for_row(label: str, seal: Callable[..., Any], encode: _Process | None) -> _Process:
    def process(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, ForRow):
            raise sealite.Refused(f"field {label} is bound to its row, and the statement does not tell which row")
        if value.value is None:
            return None
        return seal(encode(value.value) if encode else value.value, value.record)

    return process
