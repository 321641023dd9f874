"""What Flask and FastAPI applications share: errors as HTTP answers, trace ids, limits. Needs no framework."""

import logging
import math
import os
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from . import (
    AlreadyDecided,
    AlreadyInitialised,
    Busy,
    Closed,
    Conflict,
    Denied,
    DestroyedKey,
    Expired,
    Forked,
    Full,
    IoError,
    Limit,
    Locked,
    NotInitialised,
    PayloadChanged,
    QuotaLimit,
    ReadOnly,
    RolledBack,
    SealiteError,
    Tenant,
    Token,
    TokenRejected,
    Trace,
    Vault,
    WeakKey,
    __version__,
    current_trace,
)

__all__ = [
    "Answer",
    "CsrfRejected",
    "LoginRequired",
    "RateLimited",
    "Trace",
    "answer_to",
    "bearer",
    "charge",
    "current_trace",
    "figures",
    "is_cross_site",
    "readiness",
    "status",
    "token_of",
    "trace_of",
]


class Answer(NamedTuple):
    """An HTTP answer: status, JSON body, headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class RateLimited(Exception):
    """Over a limit. `retry_after` is in seconds, from 1 on."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        super().__init__(f"over the limit: try again in {self.retry_after} s")


class LoginRequired(Exception):
    """Nobody is logged in. Answered 401 `{"error": "login_required"}`."""

    def __init__(self) -> None:
        super().__init__("a session is required")


class CsrfRejected(Exception):
    """A request that may have been sent in the user's name by another site. Answered 403 `{"error": "csrf_rejected"}`."""

    def __init__(self) -> None:
        super().__init__("a CSRF token of the session is required")


_log = logging.getLogger("sealite.web")

# What an audit entry takes, and no log is confused by.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# W3C Trace Context, level 1.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def trace_of(headers: Mapping[str, str]) -> Trace:
    """The ids that a request brings (`traceparent`, `X-Request-ID`, `X-Correlation-ID`), or a new one. Names of headers
    are in lower case."""
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip())
    given = parent[1] if parent else headers.get("x-request-id", "")
    correlation = headers.get("x-correlation-id", "")
    return Trace(
        given if _ID.fullmatch(given) else uuid.uuid4().hex,
        correlation if _ID.fullmatch(correlation) else None,
    )


def answer_to(error: Exception) -> Answer | None:
    """The answer to an error of the engine's; None for what is a plain 500, which frameworks log with its traceback. No
    answer has the error's message: that is for the log, and there (`sealite.web`) for the answers from 500 on and for a weak key."""
    if isinstance(error, RateLimited):
        seconds = error.retry_after
        return Answer(429, {"error": "rate_limited", "retry_after": seconds}, {"Retry-After": str(seconds)})
    if isinstance(error, LoginRequired):
        return Answer(401, {"error": "login_required"}, {})
    if isinstance(error, CsrfRejected):
        return Answer(403, {"error": "csrf_rejected"}, {})
    for kind, status, body in _ANSWERS:
        if isinstance(error, kind):
            # A weak key may be the vault's own, while it is made.
            if status >= 500 or kind is WeakKey:
                _log.warning("answered %d: %s: %s", status, error.name, error)
            return Answer(status, dict(body), dict(_HEADERS.get(kind, {})))
    return None


# What clients do, or can wait for. The rest is for whoever wrote or runs the application to look at, and a plain 500:
# - damage and edits from outside (AuthenticationFailed, UnknownKey, Corrupt), and a file or key that is another one
#   (WrongKey, NotAVault, NewerFormat, AnotherLibrary);
# - calls that the application's code gets wrong (InvalidInput, TypeMismatch, NotFound, NotIndexed, Definition, Refused,
#   NotAllowed, Sql, LastSlot, Interrupted). A client may be behind one of these too, by an id that it has made up, say; but
#   only the application knows which of its calls have such an id, and a 404 or 422 here would hide the name of a table that
#   is misspelt. Where it may be the client's, catch it there.
_ANSWERS: tuple[tuple[type[SealiteError], int, dict[str, Any]], ...] = (
    (NotInitialised, 503, {"error": "instance_not_ready", "setup_required": True}),
    (Locked, 503, {"error": "instance_not_ready", "setup_required": False}),
    (AlreadyInitialised, 409, {"error": "already_initialised"}),
    (Conflict, 409, {"error": "conflict"}),
    (AlreadyDecided, 409, {"error": "already_decided"}),
    (PayloadChanged, 409, {"error": "payload_changed"}),
    (Expired, 410, {"error": "expired"}),
    (TokenRejected, 401, {"error": "token_rejected"}),
    (Denied, 403, {"error": "denied"}),
    (Busy, 503, {"error": "busy"}),
    # Texts longer than their limits, and passwords that are empty: what was typed.
    (Limit, 422, {"error": "too_long"}),
    (WeakKey, 422, {"error": "too_weak"}),
    (DestroyedKey, 410, {"error": "erased"}),
    (Full, 507, {"error": "full"}),
    (IoError, 503, {"error": "degraded"}),
    (Forked, 503, {"error": "degraded"}),
    (ReadOnly, 503, {"error": "degraded"}),
    (RolledBack, 503, {"error": "degraded"}),
    (Closed, 503, {"error": "degraded"}),
)


_HEADERS: dict[type[SealiteError], dict[str, str]] = {
    Busy: {"Retry-After": "1"},
    TokenRejected: {"WWW-Authenticate": "Bearer"},
}


def bearer(authorization: str) -> str:
    """What an `Authorization: Bearer` header presents; empty where it is another one, or none."""
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def token_of(
    vault: Vault | Tenant,
    presented: str | Callable[[], str],
    kinds: str | Iterable[str],
    scopes: Iterable[str] = (),
) -> Token:
    """The token whose text is presented; TokenRejected where it is no good one, Denied without its scopes, RateLimited
    over its own limits. A function in place of the text keeps it out of reports of errors, which show variables."""
    accepted: Any = kinds if isinstance(kinds, str) else list(kinds)
    token = vault.tokens.verify(presented if isinstance(presented, str) else presented(), accepted, scopes=list(scopes))
    if token.limits:
        charge(vault, token.limits, token.quota_key)
    return token


def charge(vault: Vault | Tenant, limits: str | QuotaLimit, key: str) -> None:
    """Charges a request to the key; raises RateLimited where it is over the limit. In front of everything else, so that
    failed attempts count."""
    decision = vault.quotas.check_and_charge(key, limits)
    if not decision.allowed:
        raise RateLimited(decision.retry_after)


# What an application adds to what the vault says: the names of what is wrong, none where all is well. One that raises is
# itself what is wrong.
ReadyCheck = Callable[[], Iterable[str]]


def readiness(vault: Callable[[], Vault], checks: Iterable[ReadyCheck] = ()) -> Answer:
    """The answer of `/readyz`: 200, or 503 with the reasons, those of the application's own checks after the vault's."""
    try:
        reasons = list(vault().health().reasons)
    except SealiteError as error:
        reasons = [error.name]
    reasons += _told(checks)
    if not reasons:
        return Answer(200, {"status": "ready"}, {})
    return Answer(503, {"status": "degraded", "reasons": reasons}, {})


def _told(checks: Iterable[ReadyCheck]) -> list[str]:
    reasons: list[str] = []
    for check in checks:
        try:
            reasons += check()
        except Exception:
            name = getattr(check, "__name__", "check")
            _log.exception("%s, which says whether the application is ready, has failed", name)
            reasons.append(f"{name}_failed" if name.isidentifier() else "check_failed")
    return reasons


def status(vault: Vault, checks: Iterable[ReadyCheck] = ()) -> dict[str, Any]:
    """What an administrator is told of a vault: states, names and numbers, never a value. Counters are of this worker."""
    health = vault.health()
    reasons = [*health.reasons, *_told(checks)]
    told: dict[str, Any] = {
        "status": "degraded" if reasons else "ready",
        "reasons": reasons,
        "vault": vault.status,
        "version": __version__,
        "worker": os.getpid(),
    }
    if told["vault"] != "open":
        return told
    metrics, settings = vault.metrics(), vault.settings
    slots = [{"id": slot.id, "kind": slot.kind, "label": slot.label} for slot in vault.slots()]
    problems = {problem.name: problem.fault for problem in settings.check(raising=False).problems}
    last = vault.audit.tail(1)
    return told | {
        "uptime_seconds": round(metrics.uptime),
        "slots": slots,
        "tables": [table.name for table in vault.tables()],
        "settings": {"restart_pending": settings.restart_pending(), "problems": problems},
        "audit": {"last": last[0].seq if last else None, "lost": vault.audit.lost},
        "counters": metrics.application,
    }


# name 3, or name{operation="get"} 3
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ", re.MULTILINE)


def figures(vault: Vault) -> str:
    """The answer of `/metrics`, in Prometheus' text format. Counters are of this worker, and say so by the label `worker`
    (the process id), as those of `sealite.prometheus`: `sum without (worker) (...)` is the whole application."""
    worker = f'worker="{os.getpid()}"'

    def with_worker(sample: re.Match[str]) -> str:
        return f"{sample[1]}{{{worker if sample[2] is None else f'{sample[2]},{worker}'}}} "

    return _SAMPLE.sub(with_worker, vault.metrics().prometheus())


def is_cross_site(header: Callable[[str], str | None], host: str) -> bool:
    """Whether a browser says that a page of another origin sent the request: by `Sec-Fetch-Site`, or where it sends none
    by `Origin`, which is then compared with the host that was asked. Programs send neither."""
    site = header("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = header("Origin")
    return origin is not None and urllib.parse.urlsplit(origin).netloc.lower() != host.lower()
