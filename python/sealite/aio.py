"""Vaults in asyncio: calls run in a thread, and waiting waits without blocking the event loop.

    from sealite import aio

    user = await aio.run(users.find_one, "email", "ada@example.org")
    async with aio.transaction(vault) as tx:
        await tx.run(lambda inner: inner.table("users").update(1, plan="pro"))
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
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any, Literal, ParamSpec, TypeVar

from . import Approvals, SealiteError, Transaction, Vault

__all__ = ["AsyncTransaction", "run", "transaction", "wait_for_decision"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


async def run(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls the function in a thread, with this task's context. A call that has begun is finished even where the task is
    cancelled."""
    return await asyncio.to_thread(function, *args, **kwargs)


class AsyncTransaction:
    """A transaction in a thread of its own: transactions belong to the thread that begins them."""

    def __init__(self, thread: ThreadPoolExecutor, inner: Transaction) -> None:
        self._thread = thread
        self._inner = inner

    async def run(self, work: Callable[[Transaction], _T]) -> _T:
        """Calls the function with the transaction; await one call before the next."""
        return await _on(self._thread, lambda: work(self._inner))

    def __repr__(self) -> str:
        return "<AsyncTransaction>"


@asynccontextmanager
async def transaction(vault: Vault) -> AsyncIterator[AsyncTransaction]:
    """A transaction that commits at the end of the block, and rolls back where the block raises or is cancelled.

    It holds the vault's only write lock meanwhile: await nothing slow within.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="sealite-transaction")
    inner = vault.transaction()
    try:
        await _on(thread, inner.__enter__)
        yield AsyncTransaction(thread, inner)
    except BaseException as error:
        # Queued behind what still runs, and done even where the task is cancelled once more.
        await _on(thread, lambda: _roll_back(inner, error))
        raise
    else:
        await _on(thread, lambda: inner.__exit__(None, None, None))
    finally:
        thread.shutdown(wait=False)


def _roll_back(inner: Transaction, error: BaseException) -> None:
    # Where it has not begun, or has ended, there is nothing to roll back; the error that led here says why.
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
        if state != "pending" or left <= 0:
            return state
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _on(thread: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
    context = copy_context()
    future: asyncio.Future[Any] = asyncio.get_running_loop().run_in_executor(thread, context.run, call)
    return await asyncio.shield(future)
