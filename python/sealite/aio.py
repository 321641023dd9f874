"""Vaults in asyncio: calls run in a thread, and waiting waits without blocking the event loop.

    from sealite import aio

    user = await aio.run(users.find_one, "email", "ada@example.org")
    async with aio.transaction(vault) as tx:
        await tx.run(lambda inner: inner.table("users").update(1, plan="pro"))
    async with aio.snapshot(vault.tenant("acme")) as seen:
        count = await seen.run(lambda inner: inner.table("notes").count())
    state = await aio.wait_for_decision(vault.approvals, approval, timeout=300)

A call takes microseconds to milliseconds. Where that is nothing to a request, calling directly is as good: the GIL is
released around SQLite either way.

    >>> import asyncio
    >>> from sealite import aio
    >>> async def main(vault):
    ...     await aio.run(vault.define_table, "users", {"name": "text sealed"})
    ...     async with aio.transaction(vault) as transaction:
    ...         return await transaction.run(lambda inner: inner.table("users").insert(name="Ada"))
    >>> asyncio.run(main(sealite.Vault.in_memory()))
    1
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any, Generic, Literal, ParamSpec, TypeVar

from . import Approvals, Closed, SealiteError, Snapshot, Tenant, Transaction, Vault

__all__ = ["AsyncSnapshot", "AsyncTransaction", "run", "snapshot", "transaction", "wait_for_decision"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_I = TypeVar("_I", Transaction, Snapshot)
_A = TypeVar("_A", bound="_InThread[Any]")

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


async def run(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls the function in a thread, with this task's context. A call that has begun is finished even where the task is
    cancelled."""
    return await asyncio.to_thread(function, *args, **kwargs)


class _InThread(Generic[_I]):
    """What belongs to the thread that begins it, in one of its own."""

    def __init__(self, thread: ThreadPoolExecutor, inner: _I) -> None:
        self._thread = thread
        self._inner: _I = inner
        self._ended = False

    async def run(self, work: Callable[[_I], _T]) -> _T:
        """Calls the function with it; await one call before the next. Closed after the end of the block."""
        if self._ended:
            raise Closed(f"the {type(self).__name__} has ended")
        return await _on(self._thread, lambda: work(self._inner))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"an {type(self).__name__} can't be pickled or copied")


class AsyncTransaction(_InThread[Transaction]):
    """A transaction in a thread of its own."""


class AsyncSnapshot(_InThread[Snapshot]):
    """A snapshot in a thread of its own."""


@asynccontextmanager
async def transaction(place: Vault | Tenant) -> AsyncIterator[AsyncTransaction]:
    """A transaction of the vault, or of the tenant, that commits at the end of the block, and rolls back where the block
    raises or is cancelled.

    It holds the vault's only write lock meanwhile: await nothing slow within.
    """
    async with _begun(AsyncTransaction, place.transaction()) as begun:
        yield begun


@asynccontextmanager
async def snapshot(place: Vault | Tenant) -> AsyncIterator[AsyncSnapshot]:
    """The vault, or the tenant, as it is now, for the length of the block, whatever others write meanwhile. It holds up
    nobody; the file's log grows as long as it is open."""
    async with _begun(AsyncSnapshot, place.snapshot()) as begun:
        yield begun


@asynccontextmanager
async def _begun(make: Callable[[ThreadPoolExecutor, Any], _A], inner: AbstractContextManager[Any]) -> AsyncIterator[_A]:
    thread = ThreadPoolExecutor(1, thread_name_prefix="sealite")
    begun = make(thread, inner)
    try:
        await _on(thread, inner.__enter__)
        yield begun
    except BaseException as error:
        # Queued behind what still runs, and done even where the task is cancelled once more.
        await _on(thread, lambda: _leave(inner, error))
        raise
    else:
        await _on(thread, lambda: inner.__exit__(None, None, None))
    finally:
        begun._ended = True
        thread.shutdown(wait=False)


def _leave(inner: AbstractContextManager[Any], error: BaseException) -> None:
    # Where it has not begun, or has ended, there is nothing to undo; the error that led here says why.
    with suppress(SealiteError):
        inner.__exit__(type(error), error, error.__traceback__)


async def wait_for_decision(
    approvals: Approvals, id: str, timeout: float | None = None
) -> Literal["pending", "approved", "rejected", "executed", "expired"]:
    """Waits until an approval is no longer pending, or for so many seconds; its state then. Holds no thread meanwhile."""
    end = None if timeout is None else time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        state = (await run(approvals.get, id)).state
        left = _LONGEST_PAUSE if end is None else end - time.monotonic()
        if state != "pending" or not left > 0:
            return state
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _on(thread: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
    context = copy_context()
    future: asyncio.Future[Any] = asyncio.get_running_loop().run_in_executor(thread, context.run, call)
    return await asyncio.shield(future)
