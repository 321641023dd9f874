"""Answers to requests that do not validate, without what was sent.

FastAPI's own answer repeats the input, which may be a password that was one character too short, and pydantic's messages may
repeat parts of it. What is left here: the place, the type, and the message where nothing in it comes from the client.
"""

from collections.abc import Iterator
from typing import Any, get_args

import fastapi
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core.core_schema import ErrorType

_GENERAL = "the value is not valid"
# Of the application's own schema: these a message may have. Others, such as `error` and `tag`, have parts of the input.
_DECLARED = frozenset(
    "ge gt le lt multiple_of min_length max_length actual_length field_type pattern expected expected_tags class "
    "class_name discriminator max_digits decimal_places whole_digits expected_schemes".split()
)
# Without those of validators, which say what they like.
_TYPES = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}
_NAMES = "sealite_declared_names"


async def answer(request: fastapi.Request, error: RequestValidationError) -> JSONResponse:
    """422 `{"detail": [{"type", "loc", "msg"}]}`. Names that no schema declares, such as the keys of an object that takes
    any, are `*` in `loc`."""
    names = _declared_names(request.app)
    return JSONResponse({"detail": [_told(each, names) for each in error.errors()]}, 422)


async def close(socket: fastapi.WebSocket, error: WebSocketRequestValidationError) -> None:
    """The same for a WebSocket: closed for the policy's sake, with no reason given."""
    await socket.close(code=1008)


def _told(error: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    known = error["type"] in _TYPES and error.get("ctx", {}).keys() <= _DECLARED
    place = [part if isinstance(part, int) or part in names else "*" for part in error["loc"]]
    return {"type": error["type"], "loc": place, "msg": error["msg"] if known else _GENERAL}


def _declared_names(app: fastapi.FastAPI) -> frozenset[str]:
    names: frozenset[str] | None = getattr(app.state, _NAMES, None)
    if names is None:
        names = frozenset(_strings(app.openapi())) | {"body", "query", "path", "header", "cookie"}
        setattr(app.state, _NAMES, names)
    return names


def _strings(schema: Any) -> Iterator[str]:
    """The names of properties and parameters."""
    if isinstance(schema, dict):
        if isinstance(name := schema.get("name"), str):
            yield name
        for key, value in schema.items():
            yield key
            yield from _strings(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _strings(value)
