"""Sessions: tokens of the vault's, whose text the browser keeps in a cookie. The server keeps a keyed hash, and what it
knows of the session; the cookie says nothing of the user."""

import datetime
from collections.abc import Iterable
from typing import Any

import flask

from .. import Tenant, Token, TokenRejected, Tokens, Transaction, Vault
from ._options import Options

# Kept with the request itself: `flask.g` outlives it where a test or a command has pushed an application context.
_SESSION = "sealite.session"
_COOKIE = "sealite.cookie"

# Where a request's sessions are.
Place = Vault | Tenant


class Session:
    """A session that holds, and the text that it was presented by. Never shown."""

    __slots__ = ("text", "token")

    def __init__(self, text: str, token: Token) -> None:
        self.text = text
        self.token = token

    def __reduce__(self) -> Any:
        raise TypeError("a session can't be pickled or copied")


def current(place: Place, options: Options) -> Session | None:
    """The session that the request's cookie presents, verified once a request."""
    environ = flask.request.environ
    if _SESSION not in environ:
        environ[_SESSION] = _presented(place, options)
    session: Session | None = environ[_SESSION]
    return session


def _presented(place: Place, options: Options) -> Session | None:
    # In no variable: reports of errors show those.
    if not flask.request.cookies.get(options.cookie_name):
        return None
    try:
        token = place.tokens.verify(flask.request.cookies[options.cookie_name], "session")
    except TokenRejected:
        return None
    return Session(flask.request.cookies[options.cookie_name], token)


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
    before = current(place, options)

    def begin(tokens: Tokens) -> Session:
        issued = tokens.issue(
            "session",
            subject=subject,
            label=label,
            scopes=list(scopes),
            data=data,
            expires_in=options.lifetime if lifetime is None else lifetime,
            idle=options.idle if idle is None else idle,
        )
        if before is not None:
            tokens.revoke(before.token.id)
        return Session(issued.text, issued.token)

    if transaction is not None:
        session = begin(transaction.tokens)
    else:
        with place.transaction() as own:
            session = begin(own.tokens)
    _set(session)
    return session.token


def rotate(place: Place, options: Options, grace: float | datetime.timedelta) -> Token | None:
    """Another text for the session; None where there is none."""
    session = current(place, options)
    if session is None:
        return None
    issued = place.tokens.rotate(session.text, "session", grace=grace)
    after = Session(issued.text, issued.token)
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
    if session is None or session.token.subject is None:
        log_out(place, options)
        return 0 if session is None else 1
    keep = session.token.id if keep_current else None
    ended = place.tokens.revoke_kind(session.token.subject, "session", keep=keep)
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
