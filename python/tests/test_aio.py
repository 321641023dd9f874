"""asyncio: the loop goes on while a vault works, and nothing stays open behind a cancelled task."""

import asyncio
import threading

import pytest

import sealite
from sealite import aio


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
        assert await aio.wait_for_decision(vault.approvals, approval, timeout=0) == "pending"
        waiting = asyncio.create_task(aio.wait_for_decision(vault.approvals, approval))
        turns = 0
        while turns < 10:
            await asyncio.sleep(0)
            turns += 1
        assert not waiting.done()
        await aio.run(vault.approvals.decide, approval, "grace", "approve")
        assert await waiting == "approved"

    asyncio.run(main())
