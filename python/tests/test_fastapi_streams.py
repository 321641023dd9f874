"""Streams of FastAPI's end when the session or key that opened them does, and what they run is ended with them."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator
from typing import Annotated, Any

import fastapi
import httpx2
import pytest
from fastapi.sse import EventSourceResponse

import sealite
from sealite.fastapi import Sealite, StreamGuard

# Within which whatever is waited for has come, on the slowest of machines.
SOON = 120


def guard(vault: sealite.Vault, text: str, every: float = 0.01) -> StreamGuard:
    kinds: Any = ["session", "api_key"]
    return StreamGuard(vault.tokens.verify(text, kinds), lambda: vault.tokens.verify(text, kinds, scopes=["read"]), every)


class Source:
    """Numbers, each once it is asked for; knows whether it was closed."""

    def __init__(self, count: int | None = None) -> None:
        self.closed = False
        self.given = 0
        self._count = count

    async def numbers(self) -> AsyncIterator[int]:
        try:
            while self._count is None or self.given < self._count:
                self.given += 1
                yield self.given
                await asyncio.sleep(0)
        finally:
            self.closed = True

    async def silence(self) -> AsyncIterator[int]:
        try:
            await asyncio.Event().wait()
            yield 0
        finally:
            self.closed = True


def in_a_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(SOON):
            await main()

    asyncio.run(within())


@pytest.fixture
def text(vault: sealite.Vault) -> str:
    return vault.tokens.issue("session", subject="ada", scopes=["read"]).text


def test_all_of_a_stream_arrives_in_order(vault: sealite.Vault, text: str) -> None:
    async def main() -> None:
        source = Source(200)
        assert [number async for number in guard(vault, text)(source.numbers())] == list(range(1, 201))
        assert source.closed

    in_a_loop(main)


@pytest.mark.parametrize("talks", [True, False], ids=["talking", "silent"])
@pytest.mark.parametrize("ending", ["revoke", "revoke_subject", "disable"])
def test_a_stream_ends_after_revocation(vault: sealite.Vault, text: str, talks: bool, ending: str) -> None:
    async def main() -> None:
        source = Source()
        stream = guard(vault, text)
        numbers = stream(source.numbers() if talks else source.silence())
        if talks:
            assert await anext(numbers) == 1
        reading = asyncio.create_task(_rest(numbers))
        assert await stream.holds()
        name = "ada" if ending == "revoke_subject" else stream.token.id
        getattr(vault.tokens, ending)(name)
        await reading
        assert source.closed and not await stream.holds()

    in_a_loop(main)


def test_nothing_is_told_later_than_the_interval(vault: sealite.Vault, text: str) -> None:
    """Neither to a client that reads slowly: what it comes back for is looked at first."""

    async def main() -> None:
        stream = guard(vault, text, every=0.001)
        numbers = stream(Source().numbers())
        assert await anext(numbers) == 1
        vault.tokens.revoke(stream.token.id)
        due = asyncio.get_running_loop().time() + stream.every
        while asyncio.get_running_loop().time() < due:
            await asyncio.sleep(0)
        assert await anext(numbers, None) is None

    in_a_loop(main)


def test_a_source_is_not_ahead_of_its_reader(vault: sealite.Vault, text: str) -> None:
    async def main() -> None:
        source = Source()
        numbers = guard(vault, text)(source.numbers())
        assert await anext(numbers) == 1
        for _ in range(100):
            await asyncio.sleep(0)
        assert source.given <= 3
        await numbers.aclose()  # type: ignore[attr-defined]
        assert source.closed

    in_a_loop(main)


def test_what_goes_wrong_in_a_source_goes_wrong_in_the_stream(vault: sealite.Vault, text: str) -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise LookupError("no more")

    async def main() -> None:
        seen = []
        with pytest.raises(LookupError, match="no more"):
            async for number in guard(vault, text)(failing()):
                seen.append(number)
        assert seen == [1]

    in_a_loop(main)


def test_a_stream_that_is_cancelled_closes_its_source(vault: sealite.Vault, text: str) -> None:
    async def main() -> None:
        source = Source()
        reading = asyncio.create_task(_rest(guard(vault, text)(source.numbers())))
        while not source.given:
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert source.closed

    in_a_loop(main)


def test_a_source_runs_in_one_task(vault: sealite.Vault, text: str) -> None:
    """As time-outs and context variables within it ask for."""

    async def tasks() -> AsyncIterator[Any]:
        async with asyncio.timeout(SOON):
            for _ in range(5):
                yield asyncio.current_task()

    async def main() -> None:
        assert len({task async for task in guard(vault, text)(tasks())}) == 1

    in_a_loop(main)


def test_an_error_that_says_nothing_of_the_session_ends_the_stream_too(vault: sealite.Vault, text: str) -> None:
    def verify() -> sealite.Token:
        raise sealite.IoError("the disk is gone")

    async def main() -> None:
        source = Source()
        stream = StreamGuard(vault.tokens.verify(text, "session"), verify, 0.001)
        with pytest.raises(sealite.IoError):
            await _rest(stream(source.silence()))
        assert source.closed and "ada" not in repr(stream)

    in_a_loop(main)


async def _rest(numbers: AsyncIterable[Any]) -> None:
    async for _ in numbers:
        pass


@pytest.fixture
def app(vault: sealite.Vault) -> Iterator[fastapi.FastAPI]:
    extension = Sealite(vault=vault)
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app)

    @app.get("/events", response_class=EventSourceResponse)
    async def events(guard: Annotated[StreamGuard, extension.stream(scopes=["read"], every=0.01)]) -> AsyncIterator[str]:
        async for number in guard(Source().numbers()):
            yield f"{guard.token.subject} {number}"

    @app.get("/keys-only", response_class=EventSourceResponse)
    async def keys_only(guard: Annotated[StreamGuard, extension.stream("api_key")]) -> AsyncIterator[str]:
        yield "never"

    yield app
    with pytest.raises(sealite.InvalidInput):
        extension.stream(every=0)


@pytest.mark.parametrize("kind", ["session", "api_key"])
def test_server_sent_events_end_with_the_session_or_key(app: fastapi.FastAPI, vault: sealite.Vault, kind: Any) -> None:
    issued = vault.tokens.issue(kind, subject="ada", scopes=["read"])
    poor = vault.tokens.issue(kind, subject="ada").text

    def presented(text: str) -> list[tuple[bytes, bytes]]:
        header = ("cookie", f"__Host-sealite={text}") if kind == "session" else ("authorization", f"Bearer {text}")
        return [(header[0].encode(), header[1].encode())]

    async def main() -> None:
        async with app.router.lifespan_context(app):
            async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://s") as client:
                for text, path, status in (("", "/events", 401), ("x", "/events", 401), (poor, "/events", 403)):
                    assert (await client.get(path, headers=presented(text))).status_code == status
                if kind == "session":
                    assert (await client.get("/keys-only", headers=presented(issued.text))).status_code == 401
            told: list[bytes] = []
            first = asyncio.Event()
            reading = asyncio.create_task(ask(app, "/events", presented(issued.text), told, first))
            await first.wait()
            vault.tokens.revoke(issued.token.id)
            await reading
            assert b'data: "ada 1"' in told[0] and told[-1] == b""

    in_a_loop(main)


async def ask(
    app: fastapi.FastAPI, path: str, headers: list[tuple[bytes, bytes]], told: list[bytes], first: asyncio.Event
) -> None:
    """A client that reads a stream as it comes: the test clients collect it first."""

    async def receive() -> dict[str, Any]:
        if told:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.body":
            told.append(message.get("body", b""))
            first.set()

    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1"}
    scope |= {"method": "GET", "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": b""}
    await app(scope | {"root_path": "", "headers": headers, "client": ("192.0.2.1", 1), "server": ("s", 443)}, receive, send)
