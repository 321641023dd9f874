"""The session of a request, and the cookie that its answer gives."""

import datetime
from collections.abc import Iterable
from typing import Any

import flask

from .. import Token, Transaction, _hosting
from .._hosting import Place, Session
from ._options import Options

# Kept with the request itself: `flask.g` outlives it where a test or a command has pushed an application context.
_SESSION = "sealite.session"
_COOKIE = "sealite.cookie"


def current(place: Place, options: Options) -> Session | None:
    """The session that the request's cookie presents, verified once a request."""
    environ = flask.request.environ
    if _SESSION not in environ:
        environ[_SESSION] = _hosting.verified(place, lambda: flask.request.cookies.get(options.cookie_name, ""))
    session: Session | None = environ[_SESSION]
    return session


def log_in(
    place: Place,
    options: Options,
    subject: str,
    *,
    scopes: Iterable[str],
    label: str | None,
    data: Any,
    lifetime: float | datetime.timedelta | None,
    idle: float | datetime.timedelta | None,
    transaction: Transaction | None,
) -> Token:
    """A new session for the subject, in place of the one that the request came with."""
    session = _hosting.begin(
        place,
        current(place, options),
        subject,
        scopes=scopes,
        label=label,
        data=data,
        lifetime=options.lifetime if lifetime is None else lifetime,
        idle=options.idle if idle is None else idle,
        transaction=transaction,
    )
    _set(session)
    return session.token


def rotate(place: Place, options: Options, grace: float | datetime.timedelta) -> Token | None:
    """Another text for the session; None where there is none."""
    session = current(place, options)
    if session is None:
        return None
    after = _hosting.rotated(place, session, grace)
    _set(after)
    return after.token


def log_out(place: Place, options: Options) -> None:
    """Ends the session, everywhere that it is presented."""
    session = current(place, options)
    if session is not None:
        place.tokens.revoke(session.token.id)
    _set(None)


def log_out_everywhere(place: Place, options: Options, *, keep_current: bool) -> int:
    """Ends all sessions of whose session it is; how many."""
    session = current(place, options)
    ended = 0 if session is None else _hosting.end_all(place, session, keep_current=keep_current)
    if not keep_current:
        _set(None)
    return ended


def _set(session: Session | None) -> None:
    flask.request.environ[_SESSION] = session
    flask.request.environ[_COOKIE] = True


def show(response: flask.Response, options: Options) -> flask.Response:
    """Gives the answer the cookie of a session that began or ended, and keeps caches from mixing people up."""
    environ = flask.request.environ
    if _SESSION in environ:
        response.vary.add("Cookie")
    if not environ.get(_COOKIE):
        return response
    response.headers["Cache-Control"] = "no-store"
    session: Session | None = environ[_SESSION]
    if session is None:
        response.delete_cookie(
            options.cookie_name,
            secure=options.cookie_secure,
            httponly=True,
            samesite=options.cookie_samesite,
        )
        return response
    response.set_cookie(
        options.cookie_name,
        session.text,
        expires=session.token.expires_at,
        secure=options.cookie_secure,
        httponly=True,
        samesite=options.cookie_samesite,
    )
    return response
