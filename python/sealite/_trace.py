"""The request that a thread or task works at."""

from collections.abc import Iterator
from contextlib import contextmanager

from ._native import Trace, current_trace


@contextmanager
def trace(trace_id: str, correlation_id: str | None = None) -> Iterator[Trace]:
    """Every entry of the audit trail that comes of the block carries these ids: the application's own and the engine's, such as
    `token.issued` and `setting.changed`. It holds for this thread or task, and for what `sealite.aio` runs for it. What an entry
    names itself goes before. The middlewares of `sealite.fastapi` and `sealite.flask` do so for each request.

        with sealite.trace("nightly-2026-11-22"):
            vault.tokens.purge()
    """
    held = Trace(trace_id, correlation_id)
    token = current_trace.set(held)
    try:
        yield held
    finally:
        current_trace.reset(token)
