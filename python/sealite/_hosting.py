"""What `sealite.flask` and `sealite.fastapi` do alike: sessions, what their cookies may be called, and the making of a vault.

A session is a token of the vault's, whose text the browser keeps in a cookie. The server keeps a keyed hash, and what it
knows of the session; the cookie says nothing of the user.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import AlreadyInitialised, Tenant, Token, TokenRejected, Tokens, Transaction, Unlock, Vault

# Where a request's sessions are.
Place = Vault | Tenant
Seconds = float | datetime.timedelta

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
# Requests by these methods change nothing, and need no CSRF token.
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))


class Session:
    """A session that holds, and the text that it was presented by. Never shown."""

    __slots__ = ("text", "token")

    def __init__(self, text: str, token: Token) -> None:
        self.text = text
        self.token = token

    def __reduce__(self) -> Any:
        raise TypeError("a session can't be pickled or copied")


def cookie_name(secure: bool) -> str:
    """The name of the cookie where none is given. Browsers take a __Host- cookie from this very host only, over TLS, for all
    of its paths."""
    return "__Host-sealite" if secure else "sealite"


def takes_tls(name: str) -> bool:
    """Whether browsers take a cookie of this name over TLS only."""
    return name.startswith(("__Host-", "__Secure-"))


def verified(place: Place, presented: Callable[[], str]) -> Session | None:
    """The session whose text is presented; None where that is none that holds."""
    # In no variable: reports of errors show those.
    if not presented():
        return None
    try:
        return Session(presented(), place.tokens.verify(presented(), "session"))
    except TokenRejected:
        return None


def begin(
    place: Place,
    before: Session | None,
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

    def issue(tokens: Tokens) -> Session:
        issued = tokens.issue(
            "session", subject=subject, label=label, scopes=list(scopes), data=data, expires_in=lifetime, idle=idle
        )
        if before is not None:
            tokens.revoke(before.token.id)
        return Session(issued.text, issued.token)

    if transaction is not None:
        return issue(transaction.tokens)
    with place.transaction() as own:
        return issue(own.tokens)


def rotated(place: Place, session: Session, grace: Seconds) -> Session:
    """The successor of a session."""
    issued = place.tokens.rotate(session.text, "session", grace=grace)
    return Session(issued.text, issued.token)


def end_all(place: Place, session: Session, *, keep_current: bool) -> int:
    """Ends all sessions of whose the session is, or all but this one; how many."""
    subject, id = session.token.subject, session.token.id
    if subject is None:
        return 0 if keep_current else int(place.tokens.revoke(id))
    return place.tokens.revoke_kind(subject, "session", keep=id if keep_current else None)


def initialise(vault: Vault, unlock: Unlock) -> None:
    """Makes the vault: AlreadyInitialised where another worker was first, and the vault is open then, too."""
    try:
        vault.initialise(unlock)
    except AlreadyInitialised:
        if vault.status == "locked":
            vault.unlock(unlock)
        raise


def declared(vault: Vault, declarations: Sequence[Callable[[Vault], object]], done: int) -> int:
    """Calls what is declared with an open vault, unless so many have been called already; how many have been then. The next
    request begins anew where one raises: they may be repeated."""
    if done == len(declarations) or vault.status != "open":
        return done
    # One may declare more meanwhile.
    now = list(declarations)
    for declare in now:
        declare(vault)
    return len(now)
