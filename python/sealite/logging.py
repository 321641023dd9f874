"""Logs without secrets: a filter for `logging`, and a processor for structlog.

    structlog.configure(processors=[..., sealite.logging.redact_event, structlog.processors.JSONRenderer()])

    >>> import logging, sys
    >>> import sealite.logging
    >>> handler = logging.StreamHandler(sys.stdout)
    >>> handler.addFilter(sealite.logging.RedactingFilter())
    >>> log = logging.Logger("shop")
    >>> log.addHandler(handler)
    >>> log.warning("refused: Authorization: Bearer %s", "mF_9.B5f-4.1JqM")
    refused: Authorization: [redacted] [redacted]
    >>> sealite.logging.redact("GET /reset?code=1234")
    'GET /reset?[redacted]'
    >>> sealite.logging.redact_event(None, "info", {"event": "login", "password": "correct horse"})
    {'event': 'login', 'password': '[redacted]'}

What looks like a token, key, recovery code, JSON web token or credential, and every URL's query string, is replaced; and so
is whatever stands under a name such as `password`. It is a net under the log, not a licence to write secrets there.
"""

import logging
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from . import TOKEN_PATTERN

__all__ = ["MARK", "RedactingFilter", "redact", "redact_event"]

MARK = "[redacted]"

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(TOKEN_PATTERN), MARK),
    # JSON web tokens.
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MARK),
    # Keys and hashes of 32 bytes in hexadecimal digits.
    (re.compile(r"\b[0-9A-Fa-f]{64}\b"), MARK),
    # Recovery codes.
    (re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}\b"), MARK),
    # RFC 9110 credentials, and passwords within a URL.
    (re.compile(r"\b(Bearer|Basic|Digest|Token)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MARK}"),
    (re.compile(r"(://[^\s/:@]+:)[^\s/@]+@"), rf"\1{MARK}@"),
    # Query strings: whatever a link carries is written into somebody's log.
    (re.compile(r"(?<=[\w/.\])])\?[^\s\"'<>?]*=[^\s\"'<>]*"), f"?{MARK}"),
    # name=value and "name": "value", also in a repr.
    (
        re.compile(
            r"([\"']?\b[\w-]*(?:password|passwd|passphrase|secret|token|api_?key|authorization|cookie|csrf)[\w-]*[\"']?\s*[=:]\s*)"
            # What a pattern above has replaced already.
            r"(?!\[redacted\])"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{MARK}",
    ),
)
_NAMES = re.compile(r"password|passwd|passphrase|secret|token|api_?key|authorization|cookie|csrf", re.IGNORECASE)
# What every record has; anything else came as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_DEPTH = 8


def redact(text: str, also: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without the texts given in `also`."""
    for secret in also:
        if secret:
            text = text.replace(secret, MARK)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


class RedactingFilter(logging.Filter):
    """Redacts records: message, arguments, `extra`, the text of an exception and of a stack. Never drops one.

    Add it to handlers: a logger's filters don't see what its children log. `also` are texts to hide wherever they appear.
    """

    def __init__(self, also: Iterable[str] = ()) -> None:
        super().__init__()
        self._also = tuple(also)

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, str):
            record.msg = self._value(record.msg)
        if isinstance(record.args, Mapping):
            record.args = {key: self._value(value, key) for key, value in record.args.items()}
        elif record.args:
            # Their number stays: access logs are formatted from them.
            record.args = tuple(self._value(value) for value in record.args)
        # Of a text only as a whole: `Bearer %s` and what it is filled with are no secret each by itself.
        try:
            message = record.getMessage()
        except Exception:
            # logging would print the arguments to stderr.
            record.msg, record.args = f"{MARK}: a message that does not fit its arguments", None
            message = record.msg
        whole = redact(message, self._also)
        if whole != message:
            record.msg, record.args = whole, None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text, self._also)
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self._also)
        for name in vars(record).keys() - _STANDARD:
            setattr(record, name, self._value(getattr(record, name), name))
        return True

    def _value(self, value: Any, name: object = "") -> Any:
        return _redacted(value, name, self._also, _DEPTH)

    def __repr__(self) -> str:
        return "<RedactingFilter>"


def redact_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog's processor: place it behind those that add to the event, before the renderer."""
    for name, value in event.items():
        if name == "exc_info" and value:
            continue
        event[name] = _redacted(value, name, (), _DEPTH)
    return event


def _redacted(value: Any, name: object, also: tuple[str, ...], depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if (isinstance(name, str) and _NAMES.search(name)) or depth == 0:
        return MARK
    if isinstance(value, str):
        return redact(value, also)
    if isinstance(value, Mapping):
        return {key: _redacted(each, key, also, depth - 1) for key, each in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_redacted(each, "", also, depth - 1) for each in value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return MARK
    text = str(value)
    hidden = redact(text, also)
    return value if hidden == text else hidden
