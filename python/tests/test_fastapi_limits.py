"""FastAPI's limits: by route and client, before anything is looked at, in a thread of their own."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import fastapi
import httpx2
import pytest
from fastapi.testclient import TestClient

import sealite
from sealite.fastapi import Sealite


@pytest.fixture
def extension(vault: sealite.Vault) -> Iterator[Sealite]:
    yield Sealite(vault=vault)


def application(extension: Sealite) -> fastapi.FastAPI:
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app)
    return app


def test_routes_of_one_path_in_two_routers_are_limited_apart(extension: Sealite) -> None:
    app = application(extension)
    people, machines = fastapi.APIRouter(), fastapi.APIRouter()

    @people.post("/login", dependencies=[extension.limit("2/hour")])
    def person() -> None: ...

    @machines.post("/login", dependencies=[extension.limit("2/hour")])
    async def machine() -> None: ...

    app.include_router(people, prefix="/people")
    app.include_router(machines, prefix="/machines")
    with TestClient(app) as client:
        for path in ("/people/login", "/machines/login"):
            assert [client.post(path).status_code for _ in range(3)] == [200, 200, 429]


def test_what_does_not_validate_or_authenticate_counts(extension: Sealite) -> None:
    app = application(extension)

    @app.post("/numbers", dependencies=[extension.limit("2/hour"), extension.token("api_key")])
    def numbers(number: int) -> None: ...

    with TestClient(app) as client:
        answers = [client.post("/numbers?number=x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        body = answers[2].json()
        assert body == {"error": "rate_limited", "retry_after": body["retry_after"]} and 1 <= body["retry_after"] <= 3_600
        assert answers[2].headers["retry-after"] == str(body["retry_after"])


def test_the_event_loop_runs_on_while_the_vault_is_busy(path: Path, unlock: sealite.Unlock) -> None:
    """A route that has to wait for another writer holds up nobody else."""
    vault = sealite.Vault.create(path, unlock, busy_timeout=120)
    extension = Sealite(vault=vault)
    app = application(extension)
    begun = threading.Event()

    def key(request: fastapi.Request) -> str:
        begun.set()
        return "a"

    @app.post("/limited", dependencies=[extension.limit("9/minute", key=key)])
    async def limited() -> str:
        return "ok"

    @app.get("/ping")
    async def ping() -> str:
        return "pong"

    async def main() -> None:
        transport = httpx2.ASGITransport(app=app)
        async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="https://s") as client:
            async with sealite.aio.transaction(vault):
                waiting = asyncio.create_task(client.post("/limited"))
                await asyncio.to_thread(begun.wait, 60)
                for _ in range(3):
                    assert (await client.get("/ping")).json() == "pong"
                assert not waiting.done()
            assert (await waiting).status_code == 200

    asyncio.run(main())
    vault.close()
