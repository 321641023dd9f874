"""The security schemes that the documentation page shows. They read nothing: what they gave would stand in the variables of
whatever depends on them, which reports of errors show."""

from typing import Any

from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, HTTPBearer


class Cookie(APIKeyCookie):
    """A session, by its cookie."""

    async def __call__(self, request: HTTPConnection) -> Any:
        return None


class Bearer(HTTPBearer):
    """A token, by `Authorization: Bearer`."""

    async def __call__(self, request: HTTPConnection) -> Any:
        return None
