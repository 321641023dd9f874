"""Threads, forks, other processes, other SQLite libraries, and the end of the interpreter."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sealite
from conftest import record_bytes
from sealite import Table, Unlock, Vault

ROWS = int(os.environ.get("SEALITE_TEST_ROWS", "1000"))
# A fork in a process that has threads is what these tests are about; newer Pythons warn of it.
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def insert(table: Table, who: str, rows: int = ROWS, batch: int = 50) -> None:
    """Inserts rows one by one and in batches; a lock held elsewhere is waited for."""
    done = 0
    while done < rows:
        names = [(f"{who}-{number}@x.example", who) for number in range(done, min(done + batch, rows))]
        try:
            table.insert_many(["email", "name"], names)
        except sealite.Busy:
            continue
        done += len(names)


def unhurried(vault: Vault, path: Path, unlock: Unlock) -> Vault:
    """The vault opened anew, so that no commit waits for the disk: a fork waits some hundred milliseconds only."""
    vault.close()
    return Vault.open(path, unlock, synchronous="normal")


def in_child(work: Callable[[], None]) -> int:
    """Forks, and runs the work in the child."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def ended(pid: int, patience: float = 60) -> int:
    """The exit status of a child, which must not hang."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise AssertionError("the child hangs")


def check(vault: Vault, path: Path, expected: int, run: Callable[..., str]) -> None:
    """Nothing is lost, everything opens, and no nonce stands twice."""
    assert vault.table("users").count() == expected
    found = vault.verify()
    assert found.sound, (found.faults, found.integrity)
    records = record_bytes(path, "users", run)
    assert len({record[7:31] for record in records}) == len(records) == expected


@forks
def test_parent_and_children_insert_after_a_fork(vault: Vault, users: Table, path: Path, run) -> None:
    insert(users, "before", 100)
    children = [in_child(lambda number=number: insert(users, f"child{number}")) for number in range(3)]
    insert(users, "parent")
    assert [ended(child) for child in children] == [0, 0, 0]
    check(vault, path, 100 + 4 * ROWS, run)


@forks
def test_a_fork_while_threads_write_leaves_the_child_a_vault(vault: Vault, path: Path, unlock: Unlock, run) -> None:
    vault = unhurried(vault, path, unlock)
    users = vault.table("users")
    stop = threading.Event()
    written = [0] * 3

    def write(number: int) -> None:
        while not stop.is_set():
            insert(users, f"thread{number}.{written[number]}", 20, 20)
            written[number] += 20

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    forked = 20
    for number in range(forked):
        assert ended(in_child(lambda number=number: insert(users, f"child{number}", 5))) == 0
    stop.set()
    for thread in threads:
        thread.join()
    check(vault, path, sum(written) + 5 * forked, run)
    vault.close()


@forks
def test_a_fork_inside_a_transaction_leaves_it_to_the_parent(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        table = transaction.table("users")
        table.insert(email="a@x.example")

        def child() -> None:
            for work in (table.count, users.count, lambda: table.insert(email="b@x.example")):
                with pytest.raises(sealite.Forked):
                    work()

        assert ended(in_child(child)) == 0
        table.insert(email="c@x.example")
    assert users.count() == 2


@forks
def test_a_fork_does_not_wait_long_for_a_transaction_elsewhere(vault: Vault, users: Table) -> None:
    begun, finish = threading.Event(), threading.Event()

    def hold() -> None:
        with vault.transaction() as transaction:
            transaction.table("users").insert(email="a@x.example")
            begun.set()
            finish.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    start = time.monotonic()
    child = in_child(lambda: pytest.raises(sealite.Forked, users.count) and None)
    took = time.monotonic() - start
    finish.set()
    thread.join()
    assert ended(child) == 0
    assert took < 2
    assert users.count() == 1


@forks
def test_a_fork_waits_for_a_transaction_that_ends_soon(vault: Vault, path: Path, unlock: Unlock) -> None:
    """The forking thread lets go of the interpreter, so that the other thread can finish."""
    vault = unhurried(vault, path, unlock)
    users = vault.table("users")
    begun = threading.Event()

    def hold() -> None:
        with vault.transaction() as transaction:
            begun.set()
            for number in range(20):
                transaction.table("users").insert(email=f"{number}@x.example")

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    child = in_child(lambda: insert(users, "child", 5))
    thread.join()
    assert ended(child) == 0
    assert users.count() == 25
    vault.close()


@forks
def test_a_program_that_forks_often_is_not_slowed(users: Table) -> None:
    insert(users, "before", 100)
    took = []
    for number in range(50):
        users.insert(email=f"fork{number}@x.example")
        start = time.monotonic()
        child = in_child(lambda: None)
        took.append(time.monotonic() - start)
        assert ended(child) == 0
    assert sorted(took)[25] < 0.15


def _work(path: str, who: str, key: str) -> int:
    with Vault.open(path, Unlock.key_text(key), busy_timeout=30) as vault:
        insert(vault.table("users"), who, 200)
        return vault.table("users").count()


@forks
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_works(vault: Vault, users: Table, path: Path, key: str, method: str, run) -> None:
    insert(users, "before", 100)
    context = multiprocessing.get_context(method)
    with context.Pool(3) as pool:
        counts = pool.starmap(_work, [(str(path), f"worker{number}", key) for number in range(6)])
    assert max(counts) == 1_300
    check(vault, path, 1_300, run)


def test_threads_share_a_vault(vault: Vault, users: Table, path: Path, run) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round in range(20):
                insert(users, f"{number}.{round}", 10)
                assert len(users.find("email", f"{number}.{round}-3@X.example")) == 1
                assert sum(1 for _ in users.scan()) >= 10
                with vault.transaction() as transaction:
                    row = transaction.table("users").find_one("email", f"{number}.{round}-4@x.example")
                    assert row is not None
                    transaction.table("users").update(row.id, name="changed")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert sum(row["name"] == "changed" for row in users.scan()) == 80
    check(vault, path, 800, run)


def test_a_scan_read_by_two_threads_never_hangs(users: Table) -> None:
    insert(users, "row", 2_000)
    scan = users.scan()
    seen: list[int] = []
    lock = threading.Lock()

    def read() -> None:
        while True:
            try:
                row = next(scan)
            except StopIteration:
                return
            except sealite.Busy:
                continue
            with lock:
                seen.append(row.id)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sorted(seen) == list(range(1, 2_001))


def test_other_threads_run_while_a_passphrase_is_stretched(path: Path) -> None:
    ticks = 0
    stop = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        way = Unlock.passphrase("correct horse battery", memory_kib=65_536, passes=4, lanes=1)
        before, start = ticks, time.monotonic()
        Vault.create(path, way).close()
        took, during = time.monotonic() - start, ticks - before
    finally:
        stop.set()
        thread.join()
    # Held, the interpreter would have let a tick through at the beginning and at the end.
    assert took > 0.05
    assert during >= 5, (during, took)


def test_other_threads_run_while_rows_are_written(users: Table) -> None:
    ticks = 0
    stop = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.wait(0.001):
            ticks += 1

    rows = [(f"{number}@x.example", "x" * 2_000) for number in range(20_000)]
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        before = ticks
        users.insert_many(["email", "name"], rows)
        during = ticks - before
    finally:
        stop.set()
        thread.join()
    assert during >= 20


@pytest.mark.parametrize(
    "spelling",
    [str, Path, os.fsencode, os.path.relpath, lambda path: f"file:{path}", lambda path: f"file:{path}?mode=ro#x"],
)
def test_sqlite3_is_refused_a_file_that_a_vault_has(vault: Vault, path: Path, spelling) -> None:
    name = spelling(path)
    with pytest.raises(sealite.AnotherLibrary, match="SQLite library"):
        sqlite3.connect(name, uri=isinstance(name, str) and name.startswith("file:"))


def test_escapes_and_links_do_not_hide_the_file(vault: Vault, path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    names = [
        f"file://localhost{path}",
        f"file://{path}",
        "file:" + str(path).replace("p", "%70"),
        str(link),
        str(tmp_path / "." / "app.db"),
    ]
    for name in names:
        with pytest.raises(sealite.AnotherLibrary):
            sqlite3.connect(name, uri=True)


def test_sqlite3_has_any_other_file_and_the_vault_s_after_it_is_closed(vault: Vault, path: Path) -> None:
    for name in (":memory:", "file::memory:", "", str(path.parent / "other.db"), "file:%zz?mode=memory"):
        sqlite3.connect(name, uri=True).close()
    vault.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM users_sealed").fetchone() == (0,)
    connection.close()


def test_what_is_no_path_stays_sqlite3_s_error(vault: Vault) -> None:
    with pytest.raises(TypeError):
        sqlite3.connect(1.5)  # type: ignore[arg-type]


def test_a_vault_is_refused_a_file_that_sqlite3_has(path: Path, unlock: Unlock) -> None:
    Vault.create(path, unlock).close()
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    with pytest.raises(sealite.AnotherLibrary, match="SQLite"):
        Vault.open(path, unlock)
    connection.close()
    with Vault.open(path, unlock) as vault:
        assert vault.status == "open"


EXIT = """
import sys, threading
import sealite
vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"))
users = vault.table("users")
scan = users.scan(); next(scan)
snapshot = vault.snapshot().__enter__()
transaction = vault.transaction(); transaction.__enter__()
transaction.table("users").insert(email="never@x.example")
threading.Thread(target=lambda: [users.count() for _ in range(10**9)], daemon=True).start()
print("end")
if sys.argv[2] == "raise":
    raise SystemExit(3)
"""


@pytest.mark.parametrize(("how", "status"), [("fall", 0), ("raise", 3)])
def test_the_interpreter_exits_with_everything_open(
    vault: Vault, users: Table, path: Path, run, how: str, status: int
) -> None:
    insert(users, "row", 600)
    assert run(EXIT, path, how, status=status).strip() == "end"
    users.insert(email="after@x.example")
    assert users.count() == 601
    assert vault.verify().sound


def test_a_killed_process_leaves_no_half_transaction(vault: Vault, users: Table, path: Path, key: str) -> None:
    program = (
        "import sys, time, sealite\n"
        "vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY'))\n"
        "with vault.transaction() as transaction:\n"
        "    transaction.table('users').insert(email='never@x.example')\n"
        "    print('in', flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "APP_KEY": key},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "in\n"
    child.kill()
    child.wait()
    child.stdout.close()
    users.insert(email="after@x.example")
    assert users.count() == 1
