"""The audit trail: appending, reading, verifying, exporting, retaining."""

import io
import json
import pickle
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import sealite
from sealite import Vault

LATER = timedelta(days=1)


def test_an_entry_is_read_back(vault: Vault) -> None:
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    seq = vault.audit.append(
        "user.login",
        actor="ada",
        subject="bob",
        trace_id="4bf92f3577b34da6",
        correlation_id="c-1",
        payload={"b": [1, {"z": 1, "a": "ä"}], "a": None},
    )
    event = vault.audit.tail(1)[0]
    assert (event.seq, event.event, event.actor, event.subject) == (seq, "user.login", "ada", "bob")
    assert (event.trace_id, event.correlation_id, event.tenant) == ("4bf92f3577b34da6", "c-1", None)
    assert event.payload == {"a": None, "b": [1, {"a": "ä", "z": 1}]}
    assert before <= event.at <= datetime.now(timezone.utc)
    line = json.loads(event.json_line())
    assert line["seq"] == seq and line["payload"] == event.payload
    assert "ada" not in repr(event)
    assert vault.audit.append("empty") == seq + 1
    assert vault.audit.tail(1)[0].payload is None
    vault.audit.append("text", payload='{"x": 1}')
    vault.audit.append("list", payload=[1, 2])
    assert [each.payload for each in vault.audit.tail(2)] == [{"x": 1}, [1, 2]]
    with pytest.raises(TypeError):
        pickle.dumps(vault.audit)


def test_what_is_no_entry_is_refused(vault: Vault) -> None:
    audit = vault.audit
    with pytest.raises(sealite.InvalidInput):
        audit.append("")
    with pytest.raises(sealite.InvalidInput):
        audit.append("e", payload="not json")
    with pytest.raises(sealite.TypeMismatch):
        audit.append("e", payload=7)  # type: ignore[arg-type]
    with pytest.raises(sealite.Limit):
        audit.append("e" * 300)
    assert [event.event for event in audit if event.event.startswith("e")] == []


def test_an_entry_of_a_transaction_is_there_only_with_it(vault: Vault) -> None:
    with vault.transaction() as tx:
        tx.table("users").insert(email="a@x.example")
        tx.audit("user.created", actor="ada", payload={"id": 1})
    with pytest.raises(RuntimeError), vault.transaction() as tx:
        tx.audit("never", actor="ada")
        raise RuntimeError
    with pytest.raises(sealite.Limit), vault.transaction() as tx:
        tx.table("users").insert(email="b@x.example")
        tx.audit("x" * 300)
    assert [event.event for event in vault.audit.tail(2)][-1] == "user.created"
    assert vault.table("users").find("email", "b@x.example") == []


def test_best_effort_counts_its_losses(vault: Vault) -> None:
    lost = vault.audit.lost
    vault.audit.append_best_effort("seen", actor="ada")
    assert vault.audit.tail(1)[0].event == "seen" and vault.audit.lost == lost
    vault.audit.append_best_effort("x" * 300)
    audit = vault.audit
    vault.lock()
    audit.append_best_effort("late")
    assert audit.lost == lost + 2


def test_events_are_filtered_and_read_in_batches(vault: Vault) -> None:
    with vault.transaction() as tx:
        for number in range(3_000):
            tx.audit("step", payload={"n": number})
    vault.tenant("acme").audit.append("theirs")
    numbers = [event.payload["n"] for event in vault.audit if event.event == "step"]
    assert numbers == list(range(3_000))
    assert [event.event for event in vault.audit.events(tenant="acme")] == ["theirs"]
    assert [event.event for event in vault.tenant("acme").audit] == ["theirs"]
    assert list(vault.tenant("other").audit) == []
    now = datetime.now(timezone.utc)
    assert list(vault.audit.events(from_=now + LATER)) == []
    assert list(vault.audit.events(until=now - LATER)) == []
    assert len(list(vault.audit.events(from_=now - LATER, until=now + LATER))) >= 3_001
    last = vault.audit.tail(1)[0]
    assert [event.seq for event in vault.audit.events(from_=last.at)][-1] == last.seq
    assert last.seq not in [event.seq for event in vault.audit.events(until=last.at)]
    with pytest.raises(sealite.InvalidInput):
        vault.audit.events(from_=datetime(2026, 1, 1))
    with pytest.raises(sealite.TypeMismatch):
        vault.audit.events(from_=12)  # type: ignore[arg-type]


def test_a_sound_trail_verifies(vault: Vault) -> None:
    for number in range(20):
        vault.audit.append("step", payload=[number])
    checkpoint = vault.audit.checkpoint()
    assert checkpoint.startswith("sealite-audit-1.")
    vault.audit.append("after")
    seen: list[int] = []
    report = vault.audit.verify(checkpoint, progress=seen.append)
    assert report.sound and report.faults == [] and report.last == vault.audit.tail(1)[0].seq
    assert seen and seen[-1] == report.entries >= 21
    assert vault.audit.verify_since(checkpoint).sound
    with pytest.raises(sealite.InvalidInput):
        vault.audit.verify("no checkpoint")
    with pytest.raises(ZeroDivisionError):
        vault.audit.verify(progress=lambda count: 1 // 0)


def test_edits_removals_and_a_cut_tail_are_detected(
    path: Path, unlock: sealite.Unlock, run: Callable[..., str]
) -> None:
    vault = Vault.create(path, unlock)
    for number in range(9):
        vault.audit.append("step", actor="ada", payload=[number])
    checkpoint = vault.audit.checkpoint()
    vault.close()
    program = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()\n"
    table = "sealite_audit_sealed"
    run(program, path, f"UPDATE {table} SET event = 'other' WHERE seq = (SELECT max(seq) - 6 FROM {table})")
    run(program, path, f"DELETE FROM {table} WHERE seq = (SELECT max(seq) - 3 FROM {table})")
    run(program, path, f"DELETE FROM {table} WHERE seq = (SELECT max(seq) FROM {table})")
    vault = Vault.open(path, unlock)
    report = vault.audit.verify(checkpoint)
    last = report.last
    assert last is not None and not report.sound
    faults = {(fault.kind, fault.seq - last, fault.through - last) for fault in report.faults}
    assert {("edited", -5, -5), ("missing", -2, -2), ("truncated", 1, 1)} <= faults, report.faults
    assert "missing" in repr(report.faults) and "faults" in repr(report)
    vault.close()


def test_an_export_goes_to_paths_and_files(vault: Vault, tmp_path: Path) -> None:
    for number in range(50):
        vault.audit.append("step", actor="ä", payload=[number])
    count = len(list(vault.audit))
    wanted = "".join(event.json_line() for event in vault.audit)
    target = tmp_path / "audit.jsonl"
    target.touch()
    assert vault.audit.export(target) == count
    assert target.read_text("utf-8") == wanted
    new = tmp_path / "new.jsonl"
    vault.audit.export(str(new))
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    text, binary = io.StringIO(), io.BytesIO()
    assert vault.audit.export(text) == vault.audit.export(binary) == count
    assert text.getvalue() == wanted == binary.getvalue().decode()
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as file:
        vault.audit.export(file)
        file.seek(0)
        assert file.read() == wanted
    with open(tmp_path / "raw", "wb", buffering=0) as raw:
        vault.audit.export(raw)
    assert (tmp_path / "raw").read_text("utf-8") == wanted
    assert vault.audit.export(io.StringIO(), until=datetime(2000, 1, 1, tzinfo=timezone.utc)) == 0
    with pytest.raises(sealite.IoError):
        vault.audit.export(tmp_path / "nowhere" / "audit.jsonl")

    class Broken:
        def write(self, data: object) -> int:
            if data:
                raise ZeroDivisionError
            return 0

    with pytest.raises(ZeroDivisionError):
        vault.audit.export(Broken())  # type: ignore[arg-type]


def test_a_file_object_may_itself_use_the_vault(unlock: sealite.Unlock) -> None:
    vault = Vault.in_memory()
    vault.audit.append("one")

    class Nested(io.StringIO):
        def write(self, text: str) -> int:
            if isinstance(text, str):
                vault.audit.append("nested")
            return super().write(text)

    nested, count = Nested(), len(list(vault.audit))
    assert vault.audit.export(nested) == nested.getvalue().count("\n") == count
    # Whoever reads may also append: the reading ends where the trail did.
    for event in vault.audit:
        vault.audit.append("again", payload=[event.seq])
    assert vault.audit.tail(1)[0].event == "again"


def test_a_daily_export_is_continued(vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "daily"
    folder.mkdir()
    vault.audit.append("one")
    written = vault.audit.export_daily(folder)
    assert sum(written.values()) == len(list(vault.audit)) and all(path.suffix == ".jsonl" for path in written)
    assert vault.audit.export_daily(folder) == {}
    newest = max(folder.iterdir())
    with newest.open("a") as file:
        file.write('{"seq": 99, "torn')
    vault.audit.append("two", payload={"long": "x" * 100_000})
    vault.audit.append("three")
    assert sum(vault.audit.export_daily(folder).values()) == 2
    lines = [json.loads(line) for file in sorted(folder.iterdir()) for line in file.read_text("utf-8").splitlines()]
    assert [line["seq"] for line in lines] == [event.seq for event in vault.audit]
    newest.write_text("notes\n")
    with pytest.raises(sealite.Refused):
        vault.audit.export_daily(folder)
    assert newest.read_text() == "notes\n"


def test_retention_drops_the_oldest_and_still_verifies(vault: Vault) -> None:
    for _ in range(10):
        vault.audit.append("step")
    checkpoint = vault.audit.checkpoint()
    seq = vault.audit.tail(4)[0].seq
    assert vault.audit.retain_after(seq) == seq
    report = vault.audit.verify(checkpoint)
    assert report.sound and report.first == seq + 1
    assert vault.audit.tail(1)[0].event == "audit.retained"
    with pytest.raises(sealite.NotFound):
        vault.audit.retain_after(seq + 1_000)


def test_no_personal_data_lie_in_the_file(vault: Vault, path: Path) -> None:
    vault.audit.append("control-7d1f", actor="actor-7d1f", subject="subject-7d1f", payload={"p": "payload-7d1f"})
    vault.close()
    content = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert b"control-7d1f" in content
    for word in (b"actor-7d1f", b"subject-7d1f", b"payload-7d1f"):
        assert word not in content


def test_an_iterator_left_open_does_not_hinder_the_exit(path: Path, unlock: sealite.Unlock, key: str) -> None:
    Vault.create(path, unlock).close()
    program = (
        "import sys, sealite\n"
        "vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.key_text(sys.argv[2]))\n"
        "vault.audit.append('one')\n"
        "events = iter(vault.audit); next(events)\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program, str(path), key], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
