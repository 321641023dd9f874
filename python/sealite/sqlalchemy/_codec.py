"""What SQLAlchemy's types take and give, as the five types of values that fields have. Nothing is converted on the way
that the type would not have converted: a wrong type is refused, by name, without the value."""

import datetime
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import exc, types

import sealite

from ._fields import Kind

_Convert = Callable[[Any], Any]


class Codec(NamedTuple):
    """How values of a type are sealed. None stands for: as they are."""

    kind: Kind
    # As a migration writes the type.
    written: str
    encode: _Convert | None = None
    decode: _Convert | None = None
    # The form that is equal where values are equal; as `encode` where there is none.
    canonical: _Convert | None = None
    indexable: bool = True


def codec(of: types.TypeEngine[Any], label: str) -> Codec:
    """How values of this type are sealed."""
    for kind, made in _CODECS:
        if isinstance(of, kind):
            return made(of, label)
    raise exc.ArgumentError(
        f"Sealed takes text, binary, integer, float, numeric, boolean, date, time, interval, UUID, enumeration and JSON"
        f" types, not {type(of).__name__}"
    )


def _mismatch(label: str, wanted: str, value: object) -> sealite.TypeMismatch:
    return sealite.TypeMismatch(f"field {label}: {wanted} is expected, not {type(value).__name__}")


def _exactly(label: str, wanted: type, to: _Convert) -> _Convert:
    def encode(value: Any) -> Any:
        # A datetime is a date to isinstance, and would lose its time.
        if type(value) is not wanted and (
            not isinstance(value, wanted) or (wanted is datetime.date and isinstance(value, datetime.datetime))
        ):
            raise _mismatch(label, wanted.__name__, value)
        return to(value)

    return encode


def _real(of: Any, label: str) -> Codec:
    def encode(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
            raise _mismatch(label, "a number", value)
        return float(value)

    return Codec("real", f"sa.{'Float' if isinstance(of, types.Float) else 'Numeric'}({_asdecimal(of)})", encode, indexable=False)


def _asdecimal(of: Any) -> str:
    # Float and Numeric differ in their defaults.
    return "" if of.asdecimal == (not isinstance(of, types.Float)) else f"asdecimal={of.asdecimal}"


def _number(of: Any, label: str) -> Codec:
    if not of.asdecimal:
        return _real(of, label)

    def encode(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (int, decimal.Decimal)):
            raise _mismatch(label, "Decimal", value)
        value = decimal.Decimal(value)
        if not value.is_finite():
            raise sealite.TypeMismatch(f"field {label}: a number that is not finite")
        return str(value)

    def canonical(value: Any) -> str:
        number = decimal.Decimal(encode(value))
        return "0" if not number else f"{number.normalize(_EXACT):f}"

    written = f"sa.{'Float' if isinstance(of, types.Float) else 'Numeric'}({_asdecimal(of)})"
    return Codec("text", written, encode, decimal.Decimal, canonical)


def _moment(of: Any, label: str) -> Codec:
    def utc(value: datetime.datetime) -> str:
        return (value if value.tzinfo is None else value.astimezone(datetime.UTC)).isoformat()

    written = f"sa.DateTime({'timezone=True' if of.timezone else ''})"
    parse = datetime.datetime.fromisoformat
    encode = _exactly(label, datetime.datetime, datetime.datetime.isoformat)
    return Codec("text", written, encode, parse, _exactly(label, datetime.datetime, utc))


def _date(of: Any, label: str) -> Codec:
    encode = _exactly(label, datetime.date, datetime.date.isoformat)
    return Codec("text", "sa.Date()", encode, datetime.date.fromisoformat)


def _time(of: Any, label: str) -> Codec:
    encode = _exactly(label, datetime.time, datetime.time.isoformat)
    return Codec("text", "sa.Time()", encode, datetime.time.fromisoformat)


def _interval(of: Any, label: str) -> Codec:
    microsecond = datetime.timedelta(microseconds=1)
    encode = _exactly(label, datetime.timedelta, lambda value: value // microsecond)
    return Codec("integer", "sa.Interval()", encode, lambda count: count * microsecond)


def _uuid(of: Any, label: str) -> Codec:
    if of.as_uuid:
        return Codec("text", "sa.Uuid()", _exactly(label, uuid.UUID, str), uuid.UUID)

    def encode(value: Any) -> str:
        try:
            return str(uuid.UUID(value))
        except (AttributeError, TypeError, ValueError):
            raise _mismatch(label, "a UUID's text", value) from None

    return Codec("text", "sa.Uuid(as_uuid=False)", encode)


def _enum(of: Any, label: str) -> Codec:
    members: dict[Any, str] = {}
    if of.enum_class is None:
        members = {text: text for text in of.enums}
    else:
        # Aliases share a member with the name before them.
        named = [member for name, member in of.enum_class.__members__.items() if member.name == name]
        members = dict(zip(named, of.enums, strict=True))
    values = {text: member for member, text in members.items()}

    def encode(value: Any) -> str:
        try:
            return members[value]
        except (KeyError, TypeError):
            raise _mismatch(label, "a member of the enumeration", value) from None

    # The members are the program's; a migration needs no more than their form.
    return Codec("text", "sa.Text()", encode, values.__getitem__)


def _json(of: Any, label: str) -> Codec:
    def encode(value: Any) -> str:
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            # Python's own error would show what it met.
            raise sealite.TypeMismatch(f"field {label}: not a JSON value") from None

    return Codec("text", "sa.JSON()", encode, json.loads, indexable=False)


def _plain(kind: Kind, written: str) -> Callable[[Any, str], Codec]:
    return lambda of, label: Codec(kind, written)


def _text(of: Any, label: str) -> Codec:
    return Codec("text", "sa.Text()" if of.length is None else f"sa.String({of.length})")


_EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
# The first that fits holds: an Enum is a String.
_CODECS: list[tuple[type, Callable[[Any, str], Codec]]] = [
    (types.Enum, _enum),
    (types.String, _text),
    (types.Boolean, _plain("boolean", "sa.Boolean()")),
    (types.Integer, _plain("integer", "sa.BigInteger()")),
    (types.Float, _number),
    (types.Numeric, _number),
    (types.DateTime, _moment),
    (types.Date, _date),
    (types.Time, _time),
    (types.Interval, _interval),
    (types.Uuid, _uuid),
    (types.JSON, _json),
    (types.LargeBinary, _plain("blob", "sa.LargeBinary()")),
]
