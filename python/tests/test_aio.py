"""asyncio: the loop goes on while a vault works, and nothing stays open behind a cancelled task."""

import asyncio
import contextlib
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import fastapi
import httpx2
import pytest

import sealite
import sealite.limits
from sealite import aio
from sealite.fastapi import Sealite
from sealite.vaults import register_vault, unregister_vault


def test_calls_run_beside_the_loop(users: sealite.Table) -> None:
    async def main() -> None:
        id = await aio.run(users.insert, email="ada@example.org")
        row = await aio.run(users.get, id)
        assert row is not None and row["email"] == "ada@example.org"
        assert await aio.run(threading.get_ident) != threading.get_ident()

    asyncio.run(main())


def test_a_transaction_commits_or_rolls_back(vault: sealite.Vault, users: sealite.Table) -> None:
    async def main() -> None:
        async with aio.transaction(vault) as tx:
            await tx.run(lambda inner: inner.table("users").insert(email="a@x.org"))
            assert await tx.run(lambda inner: inner.table("users").count()) == 1
        with pytest.raises(ZeroDivisionError):
            async with aio.transaction(vault) as tx:
                await tx.run(lambda inner: inner.table("users").insert(email="b@x.org"))
                raise ZeroDivisionError
        with pytest.raises(sealite.Conflict):
            async with aio.transaction(vault) as tx:
                await tx.run(lambda inner: inner.table("users").insert(email="a@x.org"))

    asyncio.run(main())
    assert users.count() == 1


def test_a_cancelled_transaction_lets_the_next_one_write(vault: sealite.Vault, users: sealite.Table) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            async with aio.transaction(vault) as tx:
                await tx.run(lambda inner: inner.table("users").insert(email="a@x.org"))
                begun.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Cancelled before it has begun.
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await aio.run(users.insert, email="a@x.org")

    asyncio.run(main())
    assert users.count() == 1


def test_waiting_for_a_decision_leaves_the_loop_free(vault: sealite.Vault) -> None:
    async def main() -> None:
        approval = vault.approvals.create("delete", {"id": 1}, "ada")
        for timeout in (0, -1, math.nan):
            assert await aio.wait_for_decision(vault.approvals, approval, timeout=timeout) == "pending"
        waiting = asyncio.create_task(aio.wait_for_decision(vault.approvals, approval))
        turns = 0
        while turns < 10:
            await asyncio.sleep(0)
            turns += 1
        assert not waiting.done()
        await aio.run(vault.approvals.decide, approval, "grace", "approve")
        assert await waiting == "approved"

    asyncio.run(main())


def test_a_tenant_has_transactions_and_snapshots_too(vault: sealite.Vault) -> None:
    acme, globex = vault.tenant("acme"), vault.tenant("globex")

    async def main() -> None:
        async with aio.transaction(acme) as tx:
            await tx.run(lambda inner: inner.table("notes").insert(slug="one"))
        async with aio.snapshot(acme) as seen, aio.snapshot(vault) as whole:
            assert await seen.run(lambda inner: inner.table("notes").count()) == 1
            async with aio.transaction(acme) as tx:
                await tx.run(lambda inner: inner.table("notes").insert(slug="two"))
            assert await seen.run(lambda inner: inner.table("notes").count()) == 1
            assert await whole.run(lambda inner: inner.tenant("acme").table("notes").count()) == 1
            with pytest.raises(ZeroDivisionError):
                await seen.run(lambda inner: 1 // 0)
        with pytest.raises(sealite.Closed):
            await seen.run(lambda inner: inner.table("notes").count())
        # What is left open by an error is closed.
        with pytest.raises(ZeroDivisionError):
            async with aio.snapshot(acme):
                raise ZeroDivisionError

    asyncio.run(main())
    assert (acme.table("notes").count(), globex.table("notes").count()) == (2, 0)


HOLDER = """
import sys, sealite
with sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY")) as vault:
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="held@x.org")
        print("held", flush=True)
        sys.stdin.readline()
    if sys.argv[2:]:
        vault.approvals.decide(sys.argv[2], "grace", "approve")
"""


@contextlib.contextmanager
def held(path: Path, key: str, *approval: str) -> Iterator[Callable[[], None]]:
    """The write lock, by another process, until what this gives is called."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *approval],
        env={**os.environ, "APP_KEY": key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.stdin.close
    assert process.returncode == 0


async def insert(vault: sealite.Vault, begun: threading.Event) -> None:
    def work() -> None:
        begun.set()
        vault.table("users").insert(email="a@x.org")

    await aio.run(work)


async def in_a_transaction(vault: sealite.Vault, begun: threading.Event) -> None:
    begun.set()
    async with aio.transaction(vault) as tx:
        await tx.run(lambda inner: inner.table("users").insert(email="a@x.org"))


async def limited(vault: sealite.Vault, begun: threading.Event) -> None:
    storage = sealite.limits.AsyncVaultStorage("async+sealite://aio")
    begun.set()
    assert await storage.incr("LIMITS/a/30/1/minute", 60) == 1


async def logged_in(vault: sealite.Vault, begun: threading.Event) -> None:
    site = Sealite(vault=vault, name="aio-site")
    app = fastapi.FastAPI(lifespan=site.lifespan)
    site.install(app)

    @app.post("/login")
    async def login(request: fastapi.Request, response: fastapi.Response) -> None:
        begun.set()
        await aio.run(site.login, request, response, "ada")

    transport = httpx2.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="https://s") as client:
        answer = await client.post("/login")
        assert answer.status_code == 200 and "__Host-sealite" in answer.headers["set-cookie"]


async def tick(begun: threading.Event) -> None:
    """Some turns of the loop, once the call has begun. One that held the interpreter would let none of them pass."""
    while not begun.is_set():
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("work", [insert, in_a_transaction, limited, logged_in])
def test_the_loop_ticks_while_another_process_writes(
    work: Callable[[sealite.Vault, threading.Event], Coroutine[Any, Any, None]], path: Path, key: str, users: sealite.Table
) -> None:
    async def main(vault: sealite.Vault, release: Callable[[], None]) -> None:
        begun = threading.Event()
        waiting = asyncio.create_task(work(vault, begun))
        await tick(begun)
        assert not waiting.done()
        release()
        await waiting

    with sealite.Vault.open(path, sealite.Unlock.key_text(key), busy_timeout=120) as vault:
        register_vault(vault, "aio")
        with held(path, key) as release:
            asyncio.run(main(vault, release))
        unregister_vault("aio")


def test_the_loop_ticks_while_it_waits_for_a_decision_and_another_process_writes(
    path: Path, key: str, users: sealite.Table
) -> None:
    async def main(vault: sealite.Vault, approval: str, release: Callable[[], None]) -> None:
        begun = threading.Event()
        waiting = asyncio.create_task(aio.wait_for_decision(vault.approvals, approval))
        begun.set()
        await tick(begun)
        assert not waiting.done()
        release()
        assert await waiting == "approved"

    with sealite.Vault.open(path, sealite.Unlock.key_text(key), busy_timeout=120) as vault:
        approval = vault.approvals.create("delete", {"id": 1}, "ada")
        with held(path, key, approval) as release:
            asyncio.run(main(vault, approval, release))
