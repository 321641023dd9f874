"""The ids of a request are in every entry of the audit trail that it leads to, the engine's own too."""

import asyncio
import contextvars
import pickle
import threading

import pytest

import sealite
from sealite import aio, web

_OWN = {"table.defined", "setting.defined", "setting.changed", "setting.revealed", "token.issued", "token.consumed", "approval.created",
        "approval.denied", "approval.approved", "approval.executed", "key.rotated", "subject.exported", "subject.erased", "vault.compacted",
        "clock.accepted", "its.own"}  # fmt: skip


def everything(vault: sealite.Vault) -> None:
    """Whatever of the engine's own writes entries."""
    vault.define_table("people", {"name": "sealed"}, subject="id")
    vault.table("people").insert(id=7, name="Ada")
    vault.settings.define("mail.host")
    for place in (vault, vault.tenant("acme")):
        place.settings.write("mail.host", "a", actor="ada")
        place.settings.reveal("mail.host", actor="ada", reason="because")
        place.tokens.consume(place.tokens.issue("magic_link", subject="7").text, "magic_link")
        request = place.approvals.create("a", {}, "ada")
        with pytest.raises(sealite.Denied):
            place.approvals.decide(request, "ada", "approve")
        place.approvals.decide(request, "grace", "approve")
        place.approvals.claim(request, {})
    with vault.transaction() as tx:
        tx.tokens.issue("session")
        tx.audit("its.own")
    vault.keys.run(sealite.Rotation.data())
    vault.export_subject(7)
    vault.erase_subject(7)
    vault.compact()
    vault.accept_clock()


def test_every_entry_carries_the_trace_and_the_correlation() -> None:
    vault = sealite.Vault.in_memory()
    before = len(vault.audit.tail(1_000))
    with sealite.trace("trace-1", "order-1") as held:
        assert sealite.current_trace.get() is held is not None
        everything(vault)
    vault.accept_clock()
    *within, after = vault.audit.tail(1_000)[before:]
    assert {event.event for event in within} >= _OWN
    assert {(event.trace_id, event.correlation_id) for event in within} == {("trace-1", "order-1")}
    assert (after.trace_id, after.correlation_id) == (None, None)
    assert sealite.current_trace.get() is None


def test_what_an_entry_names_itself_goes_before() -> None:
    vault = sealite.Vault.in_memory()
    with sealite.trace("outer", "order"):
        vault.audit.append("a", trace_id="own")
        with sealite.trace("inner"):
            vault.audit.append("a")
        vault.audit.append("a", correlation_id="own")
    ids = [(event.trace_id, event.correlation_id) for event in vault.audit.tail(3)]
    assert ids == [("own", "order"), ("inner", None), ("outer", "own")]


def test_a_trace_ends_with_an_exception_and_is_of_its_thread() -> None:
    vault = sealite.Vault.in_memory()
    with pytest.raises(RuntimeError), sealite.trace("here"):
        thread = threading.Thread(target=vault.audit.append, args=("elsewhere",))
        thread.start()
        thread.join()
        # What takes the context along takes the trace.
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(vault.audit.append, "along"))
        thread.start()
        thread.join()
        raise RuntimeError
    assert [event.trace_id for event in vault.audit.tail(2)] == [None, "here"]
    vault.audit.append("after")
    assert vault.audit.tail(1)[0].trace_id is None


def test_tasks_do_not_see_each_other_s() -> None:
    vault = sealite.Vault.in_memory()

    async def task(number: int) -> None:
        with sealite.trace(f"task-{number}"):
            for _ in range(5):
                await asyncio.sleep(0)
                vault.audit.append(f"direct.{number}")
                await aio.run(vault.audit.append, f"thread.{number}")

    async def transaction(number: int) -> None:
        with sealite.trace(f"task-{number}"):
            async with aio.transaction(vault) as tx:
                await tx.run(lambda inner: inner.audit(f"transaction.{number}"))

    async def all_tasks() -> None:
        await asyncio.gather(*(task(number) for number in range(4)))
        # Apart: a direct call would keep the loop from ending the transaction that it waits for.
        await asyncio.gather(*(transaction(number) for number in range(4)))

    before = len(vault.audit.tail(1_000))
    asyncio.run(all_tasks())
    events = vault.audit.tail(1_000)[before:]
    assert len(events) == 4 * 11
    assert all(event.trace_id == f"task-{event.event.rpartition('.')[2]}" for event in events)


def test_ids_that_no_entry_could_have_are_refused() -> None:
    for wrong, error in (("", sealite.InvalidInput), ("x" * 257, sealite.Limit)):
        with pytest.raises(error):
            sealite.Trace(wrong)
        with pytest.raises(error):
            sealite.Trace("a", wrong)
    # What is no trace in the variable is none in the trail.
    vault = sealite.Vault.in_memory()
    token = sealite.current_trace.set("a text")  # type: ignore[arg-type]
    vault.accept_clock()
    sealite.current_trace.reset(token)
    assert vault.audit.tail(1)[0].trace_id is None


def test_a_trace_is_a_value() -> None:
    one = sealite.Trace("a", "b")
    assert one == sealite.Trace("a", "b") != sealite.Trace("a") and len({one, sealite.Trace("a", "b")}) == 1
    assert pickle.loads(pickle.dumps(one)) == one and repr(one) == 'Trace("a", "b")'
    assert (sealite.Trace("a").trace_id, sealite.Trace("a").correlation_id) == ("a", None)
    assert web.Trace is sealite.Trace and web.current_trace is sealite.current_trace
