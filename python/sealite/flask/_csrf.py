"""Requests that another site has sent in a user's name are refused, before any view sees them.

A request with a session has to bring a token of that session's (`Tokens.csrf`), which no other site can read. One without a
session has nothing to be misused but the log-in itself: it is refused where the browser says that it comes from elsewhere.
"""

from collections.abc import Callable
from typing import TypeVar

import flask

from .. import Locked, NotInitialised, Vault, web
from .._hosting import CSRF_FIELD, CSRF_HEADER, SAFE_METHODS, Place
from . import _sessions
from ._options import Options

_V = TypeVar("_V", bound=Callable[..., object])
_EXEMPT = "_sealite_csrf_exempt"


def _always() -> bool:
    return True


def exempt(view: _V, when: Callable[[], bool] = _always) -> _V:
    """Marks a view, for the requests of which that holds. `functools.wraps` hands the mark on, so that the order of
    decorators does not matter."""
    before: Callable[[], bool] | None = getattr(view, _EXEMPT, None)
    setattr(view, _EXEMPT, when if before is None else lambda: before() or when())
    return view


def _is_exempt(view: Callable[..., object]) -> bool:
    when: Callable[[], bool] | None = getattr(view, _EXEMPT, None)
    return when is not None and when()


def token(place: Place, options: Options) -> str:
    """A token for the forms of the current session; empty where there is none."""
    session = _sessions.current(place, options)
    return "" if session is None else place.tokens.csrf(session.text)


def check(vault_of: Callable[[], Vault], place_of: Callable[[], Place], options: Options) -> None:
    """Raises `web.CsrfRejected`; in open mode counts and logs it only."""
    request = flask.request
    view = flask.current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE_METHODS or view is None or _is_exempt(view) or _holds(place_of, options):
        return
    if options.csrf_enforced:
        raise web.CsrfRejected
    # Not the address: it may have a token in it.
    flask.current_app.logger.warning("CSRF is open: %s of %s was let through", request.method, request.endpoint)
    vault_of().count("csrf_let_through_total")


def _holds(place_of: Callable[[], Place], options: Options) -> bool:
    request = flask.request
    try:
        session = _sessions.current(place_of(), options)
    except (NotInitialised, Locked):
        # No session holds yet; what needs the vault is answered 503 by itself.
        session = None
    if session is None:
        return not web.is_cross_site(request.headers.get, request.host)
    # The form is not read where the header is there: uploads stay streams.
    return place_of().tokens.check_csrf(session.text, request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, ""))
