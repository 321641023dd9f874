"""Logs: what is secret is not in them, and what is not secret is."""

import io
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

import sealite
from sealite.logging import MARK, RedactingFilter, redact, redact_event

TOKEN = "slkey_" + "0aB" * 22
SECRETS = {
    "a token": (f"used {TOKEN} now", TOKEN),
    "a token in a path": (f"GET /reset/{TOKEN}/form", TOKEN),
    "a query string": ("GET /login?next=/a&code=123456 HTTP/1.1", "123456"),
    "a URL": ("https://example.org/magic?t=abcdef.", "abcdef"),
    "a web token": ("got eyJhbGciOiJI.eyJzdWIi.SflKxwRJSM", "SflKxwRJSM"),
    "a key": (f"key {sealite.generate_key()[:0]}{'d3' * 32}", "d3d3"),
    "a recovery code": ("51J8-SYV2-B6Z2-PCQA-PNEX-XTDG-PW4Q-90F7-GBCZ", "PCQA"),
    "a header": ("Authorization: Bearer abc.def-ghi", "abc.def"),
    "basic credentials": ("sent Basic dXNlcjpwYXNz=", "dXNlcjpwYXNz"),
    "a DSN": ("postgresql://app:hunter2@db/app", "hunter2"),
    "an assignment": ("password=hunter2, user=ada", "hunter2"),
    "a repr": ("{'api_key': 'hunter2', 'user': 'ada'}", "hunter2"),
    "JSON": ('{"client_secret": "hunter2 and more", "user": "ada"}', "hunter2"),
    "a cookie": ("Set-Cookie: session=hunter2; Path=/", "hunter2"),
}
HARMLESS = [
    "user ada logged in from 192.0.2.1",
    "what is this? a = b",
    "GET /users/5 HTTP/1.1 200",
    "commit 4d112ae took 3.5 s",
    "trace 0af7651916cd43dd8448eb211c80319c",
]


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    logger = logging.getLogger("application")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter(["exactly this"]))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("what", SECRETS)
def test_secrets_are_not_logged(what: str, logged: tuple[logging.Logger, io.StringIO]) -> None:
    text, secret = SECRETS[what]
    logger, stream = logged
    logger.info(text.replace("%", "%%"))
    logger.info("%s", text)
    logger.info("%(text)s", {"text": text})
    logger.info("%s", Exception(text))
    logger.info("%s", [text, {"a": text}])
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("it failed")
    assert secret not in stream.getvalue()
    assert stream.getvalue().count(MARK) >= 6 and "it failed" in stream.getvalue()


def test_parts_that_are_harmless_apart_are_redacted_together(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = logged
    logger.info("password=%s for %s", "hunter2", "ada")
    logger.info("token: %(token)s", {"token": "hunter2"})
    logger.info("said exactly this")
    logger.info("%d", "hunter2")
    assert "hunter2" not in stream.getvalue() and "exactly" not in stream.getvalue()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("form", "argument"),
    [
        ("refused: Authorization: Bearer %s", "mF_9.B5f-4.1JqM"),
        ("sent Basic %s", "dXNlcjpwYXNz="),
        ("password=%s", "mF_9.B5f-4.1JqM"),
        ("Set-Cookie: %s", "mF_9.B5f-4.1JqM"),
        ("%(password)s", {"password": "mF_9.B5f-4.1JqM"}),
    ],
)
def test_what_says_that_a_secret_follows_is_redacted_with_it(
    form: str, argument: Any, logged: tuple[logging.Logger, io.StringIO]
) -> None:
    logger, stream = logged
    # A second filter meets what the first has left.
    logger.handlers[0].addFilter(RedactingFilter())
    logger.info(form, argument)
    secret = argument["password"] if isinstance(argument, dict) else argument
    assert secret not in stream.getvalue() and MARK in stream.getvalue() and f"{MARK}]" not in stream.getvalue()


def test_extra_and_access_logs_keep_their_form() -> None:
    record = logging.makeLogRecord(
        {
            "msg": '%s - "%s %s HTTP/%s" %d',
            "args": ("127.0.0.1:5", "GET", "/a?code=5", "1.1", 200),
            "password": "hunter2",
            "request": {"path": "/b?code=5", "cookie": "hunter2", "status": 200},
        }
    )
    assert RedactingFilter().filter(record)
    assert record.args == ("127.0.0.1:5", "GET", f"/a?{MARK}", "1.1", 200)
    changed: Any = vars(record)
    assert changed["password"] == MARK
    assert changed["request"] == {"path": f"/b?{MARK}", "cookie": MARK, "status": 200}


def test_structlog_events_are_redacted() -> None:
    lines: list[Any] = []

    def keep(logger: Any, name: str, event: Any) -> Any:
        lines.append(dict(event))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(None, processors=[redact_event, keep])
    logger.info("GET /a?code=5", user="ada", password="hunter2", nested={"token": "hunter2", "n": [1, TOKEN]})
    assert lines == [
        {"event": f"GET /a?{MARK}", "user": "ada", "password": MARK, "nested": {"token": MARK, "n": [1, MARK]}}
    ]
