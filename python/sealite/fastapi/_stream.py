"""Streams that end when the session or key that opened them does."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, TypeVar

from .. import Denied, Token, TokenRejected, aio

_T = TypeVar("_T")
_NOTHING: Any = object()
_END: Any = object()


class StreamGuard:
    """Hands on what a stream has to say while its session or key holds.

    It is looked at again every `every` seconds, whether there is anything to say or not, and nothing is handed on later than
    that after a look: a stream ends within `every` seconds, and the time of one look-up, of the revocation. A client that
    reads nothing may keep its connection for longer; it gets nothing more by it. Only one task iterates the source, which is
    closed before the stream ends.
    """

    def __init__(self, token: Token, verify: Callable[[], Token], every: float) -> None:
        """For `Sealite.stream`. `verify` raises TokenRejected or Denied; it is called in a thread."""
        self.token = token
        self.every = every
        self._verify = verify
        self._due = asyncio.get_running_loop().time() + every

    async def holds(self) -> bool:
        """Whether the session or key holds now. Errors that say nothing of it are raised, and end the stream as well."""
        try:
            await aio.run(self._verify)
        except (TokenRejected, Denied):
            return False
        self._due = asyncio.get_running_loop().time() + self.every
        return True

    async def __call__(self, events: AsyncIterable[_T]) -> AsyncIterator[_T]:
        """The events, until they end or may not be told any more."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[_T] = asyncio.Queue(1)
        source = loop.create_task(_pump(events, queue))
        try:
            while True:
                event = await _next(queue, self._due)
                if loop.time() >= self._due and not await self.holds():
                    return
                if event is _END or (event is _NOTHING and source.done() and queue.empty()):
                    await source
                    return
                if event is not _NOTHING:
                    yield event
        finally:
            source.cancel()
            await asyncio.wait([source])
            if not source.cancelled():
                # Seen, if it was not raised above.
                source.exception()

    def __repr__(self) -> str:
        return f"<StreamGuard every={self.every}>"

    def __reduce__(self) -> Any:
        raise TypeError("a StreamGuard can't be pickled or copied")


async def _next(queue: "asyncio.Queue[_T]", due: float) -> _T:
    """The next event; _NOTHING where none comes in time."""
    try:
        async with asyncio.timeout_at(due):
            return await queue.get()
    except TimeoutError:
        nothing: _T = _NOTHING
        return nothing


async def _pump(events: AsyncIterable[_T], queue: "asyncio.Queue[_T]") -> None:
    failed: Exception | None = None
    try:
        async for event in events:
            await queue.put(event)
    except Exception as error:
        failed = error
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    await queue.put(_END)
    if failed is not None:
        raise failed
