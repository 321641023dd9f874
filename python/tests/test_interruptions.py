"""What raises inside the engine's calls, Ctrl-C, what is left half-read, and the end of the interpreter: nothing hangs,
and no transaction is left behind."""

import gc
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sealite
from sealite import Table, Unlock, Vault


class Stop(Exception):
    """What the application raises."""


def stop(*_: object) -> Any:
    raise Stop


def fill(users: Table, rows: int) -> None:
    users.insert_many(["email", "name"], [(f"{number}@x.example", "x" * 50) for number in range(rows)])


WRITE = """
import sys, sealite
with sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"), busy_timeout=0.0) as vault:
    vault.table("users").insert(email="other@x.example")
    print(vault.table("users").count())
"""


@pytest.fixture
def nothing_is_left(path: Path, run: Callable[..., str]) -> Callable[[int], None]:
    """Checks that another process can write at once, and so many rows are there then."""
    return lambda rows: None if int(run(WRITE, path)) == rows else pytest.fail("rows are missing")


class Writer(io.StringIO):
    """A file that raises once it has taken something."""

    def write(self, text: str) -> int:
        if isinstance(text, bytes):
            raise TypeError
        raise Stop


def rows_that_stop() -> Iterator[tuple[str, str]]:
    yield ("new@x.example", "x")
    raise Stop


class Text(str):
    """Raises when it is looked at."""

    __str__ = __hash__ = __eq__ = stop  # type: ignore[assignment]


def in_a_transaction(vault: Vault) -> None:
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="new@x.example")
        with transaction.savepoint():
            transaction.table("users").insert(email="newer@x.example")
            transaction.table("users").insert_many(["email", "name"], rows_that_stop())


def in_a_transaction_s_scan(vault: Vault) -> None:
    with vault.transaction() as transaction:
        for row in transaction.table("users").scan():
            transaction.table("users").update(row.id, name="changed")
            raise Stop


def beside(vault: Vault, name: str) -> Path:
    assert vault.path is not None
    return Path(vault.path).with_name(name)


def in_a_restoration(vault: Vault, unlock: Unlock) -> None:
    copy = beside(vault, "copy.db")
    vault.backup(copy)
    Vault.restore(copy, beside(vault, "restored.db"), unlock, progress=stop)


def in_an_adoption(vault: Vault, _: Unlock) -> None:
    vault.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, name TEXT)")
    vault.execute("INSERT INTO plain VALUES (1, 'Ada')")
    vault.adopt(columns=["plain.name: sealed"], progress=stop)


CALLBACKS: dict[str, Callable[[Vault, Unlock], object]] = {
    "progress of verify": lambda vault, _: vault.verify(stop),
    "progress of audit.verify": lambda vault, _: vault.audit.verify(progress=stop),
    "file of audit.export": lambda vault, _: vault.audit.export(Writer()),
    "progress of backup": lambda vault, _: vault.backup(beside(vault, "copy.db"), progress=stop),
    "progress of restore": in_a_restoration,
    "progress of adopt": in_an_adoption,
    "progress of keys.run": lambda vault, _: vault.keys.run(sealite.Rotation.data(), stop),
    "progress of keys.rotate_all": lambda vault, unlock: vault.keys.rotate_all([unlock], progress=stop),
    "rows of insert_many": lambda vault, _: vault.table("users").insert_many(["email", "name"], rows_that_stop()),
    "a transaction": lambda vault, _: in_a_transaction(vault),
    "a scan in a transaction": lambda vault, _: in_a_transaction_s_scan(vault),
    "a value": lambda vault, _: vault.table("users").insert({Text("email"): "new@x.example"}),
}


@pytest.mark.parametrize("where", CALLBACKS)
def test_what_a_callback_raises_is_raised_and_leaves_nothing(
    where: str, vault: Vault, unlock: Unlock, users: Table, nothing_is_left: Callable[[int], None]
) -> None:
    fill(users, 1_000)
    vault.audit.append("seen")
    with pytest.raises(Stop):
        CALLBACKS[where](vault, unlock)
    nothing_is_left(1_001)
    assert vault.verify().sound and users.count() == 1_001
    assert all(row["name"] != "changed" for row in users.scan())
    restored = beside(vault, "restored.db")
    assert not list(restored.parent.glob("*partial*")) and not restored.exists()
    for status in vault.keys.rotations():
        # What was begun is gone on with.
        assert vault.keys.run(status.rotation).state == "finished"


def test_work_ends_where_its_progress_raises(vault: Vault, users: Table) -> None:
    fill(users, 5_000)
    for number in range(1_000):
        vault.audit.append("seen") if number % 500 == 0 else None
    told: list[int] = []

    def progress(count: int) -> None:
        told.append(count)
        if len(told) == 2:
            raise Stop

    with pytest.raises(Stop):
        vault.verify(progress)
    assert len(told) == 2 and told[-1] < 5_000


SETUP = """
import asyncio, atexit, signal, sys, threading
import sealite
from sealite import aio

vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"), busy_timeout=5.0)
users = vault.table("users")

def begun():
    print("begun", flush=True)
"""

# Each is interrupted once it has said that it has begun, and would go on for hours.
LONG = {
    "a scan": """
    begun()
    while True:
        for row in users.scan():
            row["name"]
    """,
    "a scan in a transaction": """
    with vault.transaction() as transaction:
        table = transaction.table("users")
        table.insert(email="never@x.example")
        begun()
        while True:
            for row in table.scan():
                table.update(row.id, name="changed")
    """,
    "a scan of SQL rows in a snapshot": """
    with vault.snapshot() as snapshot:
        begun()
        while True:
            for id, name in snapshot.query("SELECT id, name FROM users"):
                assert list(snapshot.query("SELECT name FROM users WHERE id = ?", [id])) == [(name,)]
    """,
    "verify": """
    begun()
    while True:
        vault.verify()
    """,
    "verify of the audit trail": """
    begun()
    while True:
        vault.audit.verify()
    """,
    "insert_many": """
    def rows():
        yield ("never@x.example", "x")
        begun()
        while True:
            yield from ()
    users.insert_many(["email", "name"], rows())
    """,
    "waiting for a decision": """
    approval = vault.approvals.create("act", {}, "ada")
    begun()
    vault.approvals.wait(approval, timeout=3600)
    """,
    "an event loop": """
    async def main():
        async with aio.transaction(vault) as transaction:
            await transaction.run(lambda inner: inner.table("users").insert(email="never@x.example"))
            begun()
            await asyncio.sleep(3600)
    asyncio.run(main())
    """,
}

INTERRUPTED = """
try:{work}
except KeyboardInterrupt:
    users.insert(email="after@x.example")
    print(users.count(), vault.verify().sound, flush=True)
"""


@pytest.mark.parametrize("what", LONG)
def test_ctrl_c_ends_long_work_and_the_vault_goes_on(
    what: str, vault: Vault, users: Table, path: Path, key: str, nothing_is_left: Callable[[int], None]
) -> None:
    fill(users, 2_000)
    vault.audit.append("seen")
    program = SETUP + INTERRUPTED.format(work=LONG[what])
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", program, str(path)],
        env={**os.environ, "APP_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline() == "begun\n", child.stderr.read()
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=120)
    assert (child.returncode, out, errors) == (0, "2001 True\n", "")
    nothing_is_left(2_002)
    assert all(row["name"] != "changed" for row in users.scan())


def names(vault: Vault) -> Iterator[str]:
    """A generator of the application's, with a transaction around what it yields."""
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="never@x.example")
        for row in transaction.table("users").scan():
            yield row["name"]


def test_a_generator_left_half_read_gives_its_transaction_back(
    vault: Vault, users: Table, nothing_is_left: Callable[[int], None]
) -> None:
    fill(users, 1_000)
    for end in ("drop", "close", "cycle"):
        generator = names(vault)
        assert next(generator) == "x" * 50
        if end == "close":
            generator.close()
        if end == "cycle":
            held: list[object] = [generator]
            held.append(held)
            del held
        del generator
        gc.collect()
        users.insert(email=f"{end}@x.example")
    nothing_is_left(1_004)


def test_iterators_left_half_read_let_others_write(vault: Vault, users: Table, nothing_is_left: Callable[[int], None]) -> None:
    fill(users, 2_000)
    for _ in range(2):
        vault.audit.append("seen")
    held = [users.scan(), vault.audit.events(), vault.query("SELECT id FROM users", []), vault.snapshot()]
    assert [next(each) for each in map(iter, held[:3])]  # type: ignore[call-overload]
    users.insert(email="new@x.example")
    del held
    gc.collect()
    nothing_is_left(2_002)


# Each ends the interpreter with a vault open, in a way of its own.
ENDS = {
    "iterators and a generator": """
        def names():
            with vault.transaction() as transaction:
                transaction.table("users").insert(email="never@x.example")
                for row in transaction.table("users").scan():
                    yield row["name"]
        generator, scan, events = names(), users.scan(), vault.audit.events()
        next(generator), next(scan)
    """,
    "work at exit": """
        atexit.register(lambda: print(users.count()))
        atexit.register(lambda: users.insert(email="last@x.example"))
    """,
    "an object with a finalizer": """
        class Holder:
            def __init__(self):
                self.vault, self.transaction = vault, vault.transaction().__enter__()
                self.transaction.table("users").insert(email="never@x.example")
            def __del__(self):
                try:
                    self.transaction.table("users").count()
                except sealite.SealiteError:
                    pass
        holder = Holder()
        holder.itself = holder
    """,
    "threads in the middle of their calls": """
        started = threading.Barrier(4)
        def work(call):
            started.wait()
            while True:
                call()
        for call in (users.count, vault.verify, lambda: users.update(1, name="x" * 50)):
            threading.Thread(target=work, args=(call,), daemon=True).start()
        started.wait()
    """,
    "a call of an event loop that nobody waits for": """
        async def main():
            loop.append(asyncio.ensure_future(aio.run(vault.verify)))
            await asyncio.sleep(0)
        loop = []
        asyncio.run(main())
    """,
    "two vaults that know each other": """
        other = sealite.Vault.in_memory()
        sys.modules["kept"] = (vault, other, vault.transaction().__enter__(), other.snapshot().__enter__())
    """,
    "os._exit in a transaction": """
        import os
        transaction = vault.transaction().__enter__()
        transaction.table("users").insert(email="never@x.example")
        os._exit(0)
    """,
}


@pytest.mark.parametrize("how", ENDS)
def test_the_interpreter_ends_with_open_vaults(
    how: str, vault: Vault, users: Table, path: Path, run: Callable[..., str], nothing_is_left: Callable[[int], None]
) -> None:
    fill(users, 1_000)
    vault.audit.append("seen")
    lines = (line.removeprefix("        ") for line in ENDS[how].splitlines())
    out = run(SETUP + "\n".join(lines), path)
    at_exit = how == "work at exit"
    assert out == ("1001\n" if at_exit else "")
    nothing_is_left(1_002 if at_exit else 1_001)
    assert vault.verify().sound
