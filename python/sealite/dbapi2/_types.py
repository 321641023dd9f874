"""Types of PEP 249, and what dates become. The formats are those of Python's own `sqlite3`."""

import contextlib
import datetime
import time
from collections.abc import Callable
from typing import Any

from sealite._dbapi2 import EncodingError, PrepareProtocol, adapters, converters

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = memoryview


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date of a number of seconds since 1970."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day of a number of seconds since 1970."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """The local date and time of a number of seconds since 1970."""
    return Timestamp(*time.localtime(ticks)[:6])


def register_adapter(type: type, adapter: Callable[[Any], Any], /) -> None:
    """Has parameters of that type go through a function, for all connections."""
    if not isinstance(type, _type):
        raise TypeError("register_adapter() argument 1 must be a type")
    adapters[type, PrepareProtocol] = adapter


def register_converter(typename: str, converter: Callable[[bytes], Any], /) -> None:
    """Has columns of that declared or named type go through a function, on connections that detect types."""
    converters[typename.upper()] = converter


def complete_statement(statement: str) -> bool:
    """True where a text ends with the end of a statement."""
    from _sqlite3 import complete_statement

    with contextlib.suppress(UnicodeEncodeError):
        return bool(complete_statement(statement))
    # Python's own would carry the text.
    raise EncodingError("utf-8", "?", 0, 1, "surrogates not allowed")


_type = type


def _adapt_date(value: datetime.date) -> str:
    return value.isoformat()


def _adapt_datetime(value: datetime.datetime) -> str:
    return value.isoformat(" ")


def _convert_date(value: bytes) -> datetime.date:
    return datetime.date(*map(int, value.split(b"-")))


def _convert_timestamp(value: bytes) -> datetime.datetime:
    date, _, clock = value.partition(b" ")
    whole, _, fraction = clock.partition(b".")
    year, month, day = map(int, date.split(b"-"))
    hours, minutes, seconds = map(int, whole.split(b":"))
    microseconds = int(f"{fraction.decode():0<6.6}") if fraction else 0
    return datetime.datetime(year, month, day, hours, minutes, seconds, microseconds)


register_adapter(datetime.date, _adapt_date)
register_adapter(datetime.datetime, _adapt_datetime)
register_converter("date", _convert_date)
register_converter("timestamp", _convert_timestamp)
