"""The session of a request, its cookie, and what CSRF allows it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import fastapi

from .. import InvalidInput, Tokens, Transaction, Vault, _hosting, web
from .._hosting import CSRF_FIELD, CSRF_HEADER, SAFE_METHODS, Place, Seconds, Session

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Within the scope: verified once a request.
_SESSION = "sealite.session"
_log = logging.getLogger("sealite.fastapi")


@dataclass(frozen=True)
class SessionCookie:
    """The cookie of a session: always HttpOnly, for all paths of this very host.

    `lifetime` is 7 days unless given; `idle` ends a session that was not used for so long. Both are in seconds. `secure=False`
    is for development without TLS: browsers take a secure cookie from localhost as it is.
    """

    name: str = ""
    secure: bool = True
    same_site: Literal["lax", "strict", "none"] = "lax"
    lifetime: Seconds | None = None
    idle: Seconds | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", _hosting.cookie_name(self.secure))
        if self.same_site not in ("lax", "strict", "none"):
            raise InvalidInput("same_site is lax, strict or none")
        if not self.secure and (self.same_site == "none" or _hosting.takes_tls(self.name)):
            raise InvalidInput("same_site='none' and the prefixes __Host- and __Secure- take secure=True")

    def set(self, response: fastapi.Response, session: Session) -> None:
        """Gives the browser the session, by an answer that no cache may keep."""
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            self.name,
            session.text,
            expires=session.token.expires_at,
            secure=self.secure,
            httponly=True,
            samesite=self.same_site,
        )

    def remove(self, response: fastapi.Response) -> None:
        """Takes the session from the browser."""
        response.headers["Cache-Control"] = "no-store"
        response.delete_cookie(self.name, secure=self.secure, httponly=True, samesite=self.same_site)


def current(request: fastapi.Request, place: Place, cookie: SessionCookie) -> Session | None:
    """The session that the request's cookie presents; None where it presents none that holds."""
    if _SESSION not in request.scope:
        request.scope[_SESSION] = _hosting.verified(place, lambda: request.cookies.get(cookie.name, ""))
    found: Session | None = request.scope[_SESSION]
    return found


def begin(
    request: fastapi.Request,
    place: Place,
    cookie: SessionCookie,
    subject: str,
    *,
    scopes: Iterable[str],
    label: str | None,
    data: Any,
    lifetime: Seconds | None,
    idle: Seconds | None,
    transaction: Transaction | None,
) -> Session:
    """A new session for the subject, in place of the one that the request came with."""
    session = _hosting.begin(
        place,
        current(request, place, cookie),
        subject,
        scopes=scopes,
        label=label,
        data=data,
        lifetime=cookie.lifetime if lifetime is None else lifetime,
        idle=cookie.idle if idle is None else idle,
        transaction=transaction,
    )
    request.scope[_SESSION] = session
    return session


def end(request: fastapi.Request, place: Place, cookie: SessionCookie) -> None:
    """Ends the session, if there is one."""
    session = current(request, place, cookie)
    request.scope[_SESSION] = None
    if session is not None:
        place.tokens.revoke(session.token.id)


def end_all(request: fastapi.Request, place: Place, cookie: SessionCookie, *, keep_current: bool) -> int:
    """Ends all sessions of whose the session is, or all but this one; how many."""
    session = current(request, place, cookie)
    if not keep_current:
        request.scope[_SESSION] = None
    return 0 if session is None else _hosting.end_all(place, session, keep_current=keep_current)


def rotate(request: fastapi.Request, place: Place, cookie: SessionCookie, grace: Seconds) -> Session | None:
    """The successor of the session; None where there is none."""
    session = current(request, place, cookie)
    if session is None:
        return None
    request.scope[_SESSION] = after = _hosting.rotated(place, session, grace)
    return after


async def check_csrf(request: fastapi.Request, tokens: Tokens, session: Session | None) -> bool:
    """Whether a request may do what it asks for. One with a session brings a token of that session's, which no other site
    can read; one without has nothing to be misused but the log-in itself: it may not come from another site's page."""
    if request.method in SAFE_METHODS:
        return True
    if session is None:
        return not web.is_cross_site(request.headers.get, request.headers.get("host", ""))
    # A MAC, no look-up: too short for a thread.
    return tokens.check_csrf(session.text, await _presented(request))


async def _presented(request: fastapi.Request) -> str:
    header = request.headers.get(CSRF_HEADER)
    if header is not None:
        return header
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return ""
    # Kept by the request: the route reads the same form.
    field = (await request.form()).get(CSRF_FIELD, "")
    return field if isinstance(field, str) else ""


def let_through(request: fastapi.Request, vault: Vault) -> None:
    """Counts and logs what CSRF in open mode does not refuse."""
    route = request.scope.get("route")
    # Not the address: it may have a token in it.
    _log.warning("CSRF is open: %s of %s was let through", request.method, getattr(route, "path", "an unknown route"))
    vault.count("csrf_let_through_total")
