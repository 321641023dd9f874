"""The `limits` library on a vault: its strategies, its front ends, other processes."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import limits
import limits.aio.strategies
import limits.storage
import limits.strategies
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from flask_limiter import Limiter as FlaskLimiter
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded

import sealite
import sealite.limits
from sealite.vaults import register_vault, unregister_vault

STRATEGIES = sorted(limits.strategies.STRATEGIES)


@pytest.fixture(autouse=True)
def registered(vault: sealite.Vault) -> Iterator[None]:
    register_vault(vault)
    yield
    unregister_vault()


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_limit_holds_and_is_shared(name: str, vault: sealite.Vault) -> None:
    limit = limits.parse("3/hour")
    first, second = (
        limits.strategies.STRATEGIES[name](limits.storage.storage_from_string("sealite://default")) for _ in range(2)
    )
    assert first.get_window_stats(limit, "1.2.3.4").remaining == 3
    assert [each.hit(limit, "1.2.3.4") for each in (first, second, first)] == [True] * 3
    assert not second.hit(limit, "1.2.3.4") and not second.test(limit, "1.2.3.4")
    stats = second.get_window_stats(limit, "1.2.3.4")
    assert stats.remaining == 0 and time.time() - 1 < stats.reset_time <= time.time() + 3_601
    assert first.test(limit, "5.6.7.8") and first.hit(limit, "5.6.7.8", cost=2)
    assert not first.hit(limit, "5.6.7.8", cost=2) and not first.hit(limit, "9", cost=4)
    first.clear(limit, "1.2.3.4")
    assert second.hit(limit, "1.2.3.4")


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_for_asyncio(name: str) -> None:
    async def main() -> None:
        limit = limits.parse("3/hour")
        storage: Any = limits.storage.storage_from_string("async+sealite://default")
        limiter = limits.aio.strategies.STRATEGIES[name](storage)
        hits = await asyncio.gather(*(limiter.hit(limit, "a") for _ in range(8)))
        assert sum(hits) == 3 and await storage.check()
        assert (await limiter.get_window_stats(limit, "a")).remaining == 0
        await limiter.clear(limit, "a")
        assert await limiter.test(limit, "a")

    asyncio.run(main())


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_reset_forgets_what_the_storage_counted_and_nothing_else(name: str, vault: sealite.Vault) -> None:
    limit = limits.parse("2/hour")
    storages = [limits.storage.storage_from_string(f"sealite://default{query}") for query in ("", "?tenant=acme")]
    limiter, other = (limits.strategies.STRATEGIES[name](storage) for storage in storages)
    own = [sealite.QuotaLimit.sliding(1, 3_600)]
    assert vault.quotas.check_and_charge("own", own)
    for round in range(3):
        assert [each.hit(limit, "a") for each in (limiter, limiter, limiter)] == [True, True, False], round
        if round == 0:
            assert [other.hit(limit, "a") for _ in range(3)] == [True, True, False]
        storages[0].reset()
        assert limiter.get_window_stats(limit, "a").remaining == 2
    assert not other.test(limit, "a") and not vault.quotas.peek("own", own)

    async def main() -> None:
        storage: Any = limits.storage.storage_from_string("async+sealite://default?tenant=acme")
        await storage.reset()
        assert await limits.aio.strategies.STRATEGIES[name](storage).hit(limit, "a")

    asyncio.run(main())
    assert other.get_window_stats(limit, "a").remaining == 1


def test_a_reset_holds_in_another_process(path: Path, vault: sealite.Vault, run: Callable[..., str]) -> None:
    limit = limits.parse("1/hour")
    storage = limits.storage.storage_from_string("sealite://default")
    limiter = limits.strategies.MovingWindowRateLimiter(storage)  # type: ignore[arg-type]
    assert limiter.hit(limit, "a") and not limiter.hit(limit, "a")
    program = (
        "import sys, limits.storage, sealite, sealite.limits\n"
        "from sealite.vaults import register_vault\n"
        "register_vault(sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY')))\n"
        "limits.storage.storage_from_string('sealite://default').reset()\n"
    )
    for _ in range(2):
        run(program, path)
        assert limiter.hit(limit, "a") and not limiter.hit(limit, "a")


def test_storages_are_what_the_library_takes() -> None:
    """Nothing abstract is left, so that each strategy of the installed version finds what it asks for."""
    sync: Any = limits.storage.storage_from_string("sealite://default")
    asynchronous: Any = limits.storage.storage_from_string("async+sealite://default")
    for storage, base in ((sync, limits.storage), (asynchronous, limits.aio.storage)):
        assert isinstance(storage, base.Storage) and not type(storage).__abstractmethods__
        assert isinstance(storage, base.MovingWindowSupport) and isinstance(storage, base.SlidingWindowCounterSupport)


def test_another_process_counts_on(path: Path, vault: sealite.Vault, run: Callable[..., str]) -> None:
    limit = limits.parse("3/hour")
    limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.storage_from_string("sealite://default"))
    assert limiter.hit(limit, "a")
    program = (
        "import sys, limits, limits.storage, limits.strategies, sealite, sealite.limits\n"
        "from sealite.vaults import register_vault\n"
        "register_vault(sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY')))\n"
        "limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.storage_from_string('sealite://default'))\n"
        "print([limiter.hit(limits.parse('3/hour'), 'a') for _ in range(3)])\n"
    )
    assert run(program, path).strip() == "[True, True, False]"
    assert not limiter.hit(limit, "a")


def test_tenants_and_names_are_apart(vault: sealite.Vault) -> None:
    limit = limits.parse("1/hour")
    uris = ["sealite://default", "sealite://default?tenant=acme", "sealite://default?tenant=other"]
    for uri in uris:
        limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.storage_from_string(uri))
        assert limiter.hit(limit, "a") and not limiter.hit(limit, "a")
    nowhere = limits.storage.storage_from_string("sealite://nowhere")
    assert not nowhere.check()
    with pytest.raises(sealite.NotFound):
        limits.strategies.MovingWindowRateLimiter(nowhere).hit(limit, "a")  # type: ignore[arg-type]
    wrapped = limits.storage.storage_from_string("sealite://nowhere", wrap_exceptions=True)
    with pytest.raises(limits.errors.StorageError):
        wrapped.incr("a/1/1/hour", 3_600)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_slowapi_decorators_stay_as_they_are(strategy: str) -> None:
    def address(request: Request) -> str:
        return request.headers["x-client"]

    limiter = Limiter(key_func=address, storage_uri="sealite://default", strategy=strategy)
    app = FastAPI()
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]

    @app.get("/")
    @limiter.limit("2/hour")
    def index(request: Request) -> str:
        return "ok"

    @app.get("/waiting")
    @limiter.limit("2/hour")
    async def waiting(request: Request) -> str:
        return "ok"

    with TestClient(app) as client:
        for path in ("/", "/waiting"):
            assert [client.get(path, headers={"x-client": "a"}).status_code for _ in range(3)] == [200, 200, 429]
            assert client.get(path, headers={"x-client": "b"}).status_code == 200
        limiter.reset()
        assert client.get("/", headers={"x-client": "a"}).status_code == 200


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_flask_limiter_decorators_stay_as_they_are(strategy: str) -> None:
    app = flask.Flask(__name__)
    limiter = FlaskLimiter(
        lambda: flask.request.headers["x-client"], app=app, storage_uri="sealite://default", strategy=strategy
    )

    @app.get("/")
    @limiter.limit("2/hour")
    def index() -> str:
        return "ok"

    client = app.test_client()
    assert [client.get("/", headers={"x-client": "a"}).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/", headers={"x-client": "b"}).status_code == 200
    limiter.reset()
    assert client.get("/", headers={"x-client": "a"}).status_code == 200
