"""Approvals: asked for in one place, decided once in another, executed once."""

import asyncio
import copy
import datetime
import hashlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sealite
from sealite import Vault

PAYLOAD = {"to": "DE00 4711", "amount": 1200, "lines": [{"b": 1, "a": None}]}


@pytest.fixture
def request_id(vault: Vault) -> str:
    return vault.approvals.create("payment.send", PAYLOAD, "ada", subject="invoice:7", session="s1")


def test_a_request_stands_as_it_was_made(vault: Vault, request_id: str) -> None:
    found = vault.approvals.get(request_id)
    assert (found.id, found.action, found.requester, found.state) == (request_id, "payment.send", "ada", "pending")
    assert (found.subject, found.session) == ("invoice:7", "s1")
    assert (found.exclude_requester, found.allowed_roles) == (True, [])
    assert (found.approver, found.role, found.reason, found.decided_at, found.executed_at) == (None,) * 5
    assert found.expires_at - found.created_at == datetime.timedelta(hours=1)
    assert abs(datetime.datetime.now(datetime.UTC) - found.created_at) < datetime.timedelta(minutes=1)
    canonical = '{"amount":1200,"lines":[{"a":null,"b":1}],"to":"DE00 4711"}'
    assert found.payload_hash == hashlib.sha256(canonical.encode()).digest()
    assert request_id in repr(found) and "ada" not in repr(found).replace(request_id, "")


def test_it_is_decided_once_and_executed_once(vault: Vault, request_id: str) -> None:
    with pytest.raises(sealite.Denied):
        vault.approvals.claim(request_id, PAYLOAD)
    decided = vault.approvals.decide(request_id, "grace", "approve", role="treasurer", reason="checked")
    assert (decided.state, decided.approver, decided.role, decided.reason) == (
        "approved", "grace", "treasurer", "checked",
    )  # fmt: skip
    assert decided.decided_at is not None
    for verdict in ("approve", "reject"):
        with pytest.raises(sealite.AlreadyDecided):
            vault.approvals.decide(request_id, "grace", verdict)
    claimed = vault.approvals.claim(request_id, PAYLOAD)
    assert claimed.state == "executed" and claimed.executed_at is not None
    with pytest.raises(sealite.AlreadyDecided):
        vault.approvals.claim(request_id, PAYLOAD)


def test_another_payload_is_not_executed(vault: Vault, request_id: str) -> None:
    vault.approvals.decide(request_id, "grace", "approve")
    with pytest.raises(sealite.PayloadChanged):
        vault.approvals.claim(request_id, {**PAYLOAD, "amount": 12000})
    as_text = '{ "lines": [{"a": null, "b": 1.0}], "amount": 1200, "to": "DE00 4711" }'
    assert vault.approvals.claim(request_id, as_text).state == "executed"


def test_what_is_rejected_is_not_executed(vault: Vault, request_id: str) -> None:
    assert vault.approvals.decide(request_id, "grace", "reject").state == "rejected"
    with pytest.raises(sealite.Denied):
        vault.approvals.claim(request_id, PAYLOAD)
    assert vault.approvals.list_pending() == []


def test_the_policy_says_who_decides(vault: Vault) -> None:
    approvals = vault.approvals
    own = approvals.create("a", {}, "ada")
    with pytest.raises(sealite.Denied):
        approvals.decide(own, "ada", "approve")
    free = approvals.create("a", {}, "ada", exclude_requester=False)
    assert approvals.decide(free, "ada", "approve").state == "approved"
    limited = approvals.create("a", {}, "ada", allowed_roles=("admin", "owner"))
    assert approvals.get(limited).allowed_roles == ["admin", "owner"]
    for role in (None, "user"):
        with pytest.raises(sealite.Denied):
            approvals.decide(limited, "grace", "approve", role=role)
    assert approvals.decide(limited, "grace", "approve", role="owner").role == "owner"


def test_what_waits_is_listed_by_subject_and_session(vault: Vault) -> None:
    approvals = vault.approvals
    assert approvals.list_pending() == []
    one = approvals.create("a", {}, "ada", subject="x", session="s")
    time.sleep(0.002)
    two = approvals.create("a", {}, "ada", subject="x")
    ids = lambda **by: [found.id for found in approvals.list_pending(**by)]  # noqa: E731
    assert ids() == ids(subject="x") == [one, two]
    assert ids(session="s") == ids(subject="x", session="s") == [one]
    assert ids(subject="y") == []
    approvals.decide(one, "grace", "approve")
    assert ids(subject="x") == [two]


def test_a_request_expires(vault: Vault) -> None:
    approvals = vault.approvals
    soon = approvals.create("a", {}, "ada", expires_in=0.05)
    later = approvals.create("a", {}, "ada", expires_in=datetime.timedelta(days=2))
    assert approvals.get(later).expires_at - approvals.get(later).created_at == datetime.timedelta(days=2)
    assert approvals.wait(soon) == "expired"
    with pytest.raises(sealite.Expired):
        approvals.decide(soon, "grace", "approve")
    approvals.create("a", {}, "ada", expires_in=0.5)
    time.sleep(0.6)
    assert approvals.sweep() == 1
    assert approvals.sweep() == 0


def test_a_finished_request_is_kept_as_long_as_it_says(vault: Vault) -> None:
    approvals = vault.approvals
    kept, gone = (approvals.create("a", {}, "ada", keep_for=keep) for keep in (datetime.timedelta(days=1), 0))
    for id in (kept, gone):
        approvals.decide(id, "grace", "reject")
    assert approvals.get(kept).state == "rejected"
    with pytest.raises(sealite.NotFound):
        approvals.get(gone)
    with pytest.raises(sealite.InvalidInput):
        approvals.create("a", {}, "ada", keep_for=datetime.timedelta(days=3661))


def test_an_unknown_id_is_not_found(vault: Vault) -> None:
    work: list[Callable[[], object]] = [
        lambda: vault.approvals.get("nothing"),
        lambda: vault.approvals.decide("nothing", "grace", "approve"),
        lambda: vault.approvals.claim("nothing", {}),
        lambda: vault.approvals.wait("nothing", 0),
    ]
    for known in range(2):
        for call in work:
            with pytest.raises(sealite.NotFound):
                call()
        vault.approvals.create("a", {}, "ada")


def test_each_change_is_in_the_audit_trail(vault: Vault, request_id: str) -> None:
    vault.approvals.decide(request_id, "grace", "approve")
    vault.approvals.claim(request_id, PAYLOAD)
    assert vault.verify().internal["sealite_audit"] >= 3


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ("{", sealite.InvalidInput),
        ("no json", sealite.InvalidInput),
        ('{"a": 1, "a": 2}', sealite.InvalidInput),
        ({"a": 1, 1: 2, "1": 3}, sealite.InvalidInput),
        ({"n": 2**60}, sealite.InvalidInput),
        ({"n": float("nan")}, sealite.InvalidInput),
        ({"text": "\ud800"}, sealite.InvalidInput),
        ("\ud800", sealite.TypeMismatch),
        (b"{}", sealite.TypeMismatch),
        ({"Xanthippe"}, sealite.TypeMismatch),
        ({("Xanthippe",): 1}, sealite.TypeMismatch),
        ("x" * (1 << 20) + "x", sealite.Limit),
    ],
)
def test_what_is_no_payload_is_refused(vault: Vault, request_id: str, payload, error: type[Exception]) -> None:
    for call in (lambda: vault.approvals.create("a", payload, "ada"), lambda: vault.approvals.claim(request_id, payload)):
        with pytest.raises(error) as caught:
            call()
        assert "Xanthippe" not in str(caught.value)


def test_wrong_arguments_are_refused(vault: Vault, request_id: str) -> None:
    approvals = vault.approvals
    invalid: list[Callable[[], object]] = [
        lambda: approvals.create("", {}, "ada"),
        lambda: approvals.create("a", {}, ""),
        lambda: approvals.create("a", {}, "ada", expires_in=0),
        lambda: approvals.create("a", {}, "ada", expires_in=-1),
        lambda: approvals.create("a", {}, "ada", expires_in=datetime.timedelta(days=400)),
        lambda: approvals.decide(request_id, "grace", "maybe"),  # type: ignore[arg-type]
        lambda: approvals.wait(request_id, -1),
        lambda: approvals.wait(request_id, float("nan")),
    ]
    for call in invalid:
        with pytest.raises(sealite.InvalidInput):
            call()
    mistyped: list[Callable[[], object]] = [
        lambda: approvals.create("a", {}, "ada", allowed_roles="admin"),
        lambda: approvals.create("a", {}, "ada", allowed_roles=[1]),  # type: ignore[list-item]
        lambda: approvals.create("a", {}, "Xanthippe\ud800"),
        lambda: approvals.wait(request_id, "long"),  # type: ignore[arg-type]
        lambda: approvals.get(7),  # type: ignore[arg-type]
    ]
    for call in mistyped:
        with pytest.raises(TypeError) as caught:
            call()
        assert "Xanthippe" not in str(caught.value)
    assert approvals.get(request_id).state == "pending"


def test_tenants_are_apart(vault: Vault) -> None:
    acme, other = vault.tenant("acme").approvals, vault.tenant("other").approvals
    id = acme.create("a", {}, "ada")
    for approvals in (other, vault.approvals):
        assert approvals.list_pending() == []
        with pytest.raises(sealite.NotFound):
            approvals.decide(id, "grace", "approve")
    assert acme.decide(id, "grace", "approve").state == "approved"


def test_nothing_of_approvals_is_made_by_hand_or_copied(vault: Vault, request_id: str) -> None:
    for kind in (sealite.Approvals, sealite.Approval):
        with pytest.raises(TypeError):
            kind()
    for object in (vault.approvals, vault.approvals.get(request_id)):
        for refused in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                refused(object)


def test_a_wait_ends_with_its_time(vault: Vault, request_id: str) -> None:
    for timeout in (0, 0.05, datetime.timedelta(seconds=0.45)):
        start = time.monotonic()
        assert vault.approvals.wait(request_id, timeout) == "pending"
        seconds = timeout.total_seconds() if isinstance(timeout, datetime.timedelta) else timeout
        assert seconds <= time.monotonic() - start


def test_other_threads_run_and_decide_while_one_waits(vault: Vault, request_id: str) -> None:
    states: list[str] = []
    waiting = threading.Thread(target=lambda: states.append(vault.approvals.wait(request_id, 600)))
    waiting.start()
    vault.approvals.decide(request_id, "grace", "reject")
    waiting.join(120)
    assert states == ["rejected"]


def test_an_event_loop_waits_in_a_thread(vault: Vault, request_id: str) -> None:
    async def main() -> str:
        waiting = asyncio.create_task(asyncio.to_thread(vault.approvals.wait, request_id, 120))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await asyncio.to_thread(vault.approvals.decide, request_id, "grace", "approve")
        return await waiting

    assert asyncio.run(main()) == "approved"


WAIT = """
import signal, sys, sealite
signal.signal(signal.SIGINT, signal.default_int_handler)
vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"), busy_timeout=30)
try:
    print("waiting", flush=True)
    print(vault.approvals.wait(sys.argv[2], 120))
except KeyboardInterrupt:
    print("interrupted")
"""
CLAIM = """
import sys, sealite
vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"), busy_timeout=30)
try:
    print(vault.approvals.claim(sys.argv[2], sys.argv[3]).state)
except sealite.AlreadyDecided:
    print("late")
"""


def start(program: str, key: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "APP_KEY": key},
        stdout=subprocess.PIPE,
        text=True,
    )


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_one_process_waits_while_another_decides(vault: Vault, path: Path, key: str, request_id: str) -> None:
    with start(WAIT, key, path, request_id) as child:
        assert line(child) == "waiting"
        assert child.poll() is None
        vault.approvals.decide(request_id, "grace", "approve")
        assert line(child) == "approved"
    assert child.returncode == 0


def test_a_wait_is_interrupted_by_the_keyboard(vault: Vault, path: Path, key: str, request_id: str) -> None:
    with start(WAIT, key, path, request_id) as child:
        assert line(child) == "waiting"
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        assert line(child) == "interrupted"
    assert child.returncode == 0


def test_of_processes_that_claim_at_once_one_wins(vault: Vault, path: Path, key: str) -> None:
    id = vault.approvals.create("a", {"n": 1}, "ada")
    vault.approvals.decide(id, "grace", "approve")
    children = [start(CLAIM, key, path, id, '{"n":1}') for _ in range(4)]
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert sorted(said) == ["executed", "late", "late", "late"]
