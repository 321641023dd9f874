"""Forks while other threads are inside calls on the vault: each call of the child ends, and the file opens anew."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FULL = os.environ.get("SEALITE_TEST_FULL") == "1"

# Threads that call, and children that do so too.
PROGRAM = """
import itertools, multiprocessing, os, signal, sys, threading, time, traceback, warnings
import sealite
from sealite import Unlock, Vault, dbapi2

warnings.simplefilter("ignore", DeprecationWarning)
path, way, children = sys.argv[1], sys.argv[2], int(sys.argv[3])
unlock = Unlock.environment("APP_KEY")
numbers = itertools.count()

def calls(vault):
    users, field = vault.table("users"), vault.field("users.phone")
    connection = dbapi2.connect(vault=vault, check_same_thread=False)
    def email():
        return f"{next(numbers)}of{os.getpid()}@x.example"
    def transaction():
        with vault.transaction() as tx:
            tx.table("users").update(1, name="again")
            tx.table("users").insert(email=email())
    def sql():
        cursor = connection.execute("SELECT email FROM users WHERE role = ? LIMIT 90", ("user",))
        cursor.fetchone()
        cursor.close()
    return [
        lambda: users.get(1),
        lambda: users.find_one("email", "50@x.example"),
        lambda: users.insert(email=email()),
        transaction,
        lambda: sum(1 for _ in users.scan()),
        lambda: field.open(field.seal("12345")),
        lambda: vault.tokens.verify(token, "session"),
        lambda: vault.settings.use("limit"),
        lambda: vault.settings.write("limit", next(numbers), actor="test"),
        lambda: vault.audit.append("user.login"),
        lambda: vault.metrics(),
        lambda: vault.count("name"),
        lambda: vault.health(),
        sql,
    ]

vault = Vault.create(path, unlock, busy_timeout=120.0)
vault.define_table("users", {"email": "text sealed not null unique email", "name": "text sealed", "role": "text default 'user'"})
vault.table("users").insert_many(["email"], [(f"{n}@x.example",) for n in range(200)])
vault.settings.define("limit", "integer", default=10)
token = vault.tokens.issue("session", subject="ada").text
shared = dbapi2.connect(path, key="env:APP_KEY", timeout=120, check_same_thread=False)
stop, begun = threading.Event(), threading.Barrier(7)
# Nobody calls while a child is at work: SQLite's lock goes to whoever asks most.
going, called = threading.Event(), [0] * 6

def at_work(who):
    mine = calls(vault)
    begun.wait()
    for n in itertools.count(2 * who):
        if stop.is_set():
            return
        mine[n % len(mine)]()
        called[who] += 1
        going.wait()

def inside(held, let_go):
    shared.execute("BEGIN")
    with vault.snapshot() as snapshot:
        while not let_go.is_set():
            snapshot.table("users").get(1)
            shared.execute("SELECT count(*) FROM users").fetchone()
            held.set()
    shared.rollback()

def in_child(inherited, is_used):
    global vault
    signal.alarm(100)
    forked = 0
    for call in inherited:
        try:
            call()
        except (sealite.Forked, dbapi2.ProgrammingError) as error:
            assert isinstance(error, sealite.Forked) or "forked" in str(error), error
            forked += 1
    assert forked or not is_used
    inherited.clear()
    vault.close()
    vault = Vault.open(path, unlock, busy_timeout=120.0)
    for call in calls(vault):
        call()
    vault.close()
    # By file and key, connections of a process share a vault: not one that is the parent's.
    anew = dbapi2.connect(path, key="env:APP_KEY", timeout=120)
    assert anew.execute("SELECT count(*) FROM users").fetchone()[0] >= 200
    anew.close()

def forked_once(*given):
    child = os.fork()
    if child > 0:
        going.clear()
    if child == 0:
        status = 1
        try:
            in_child(*given)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def with_multiprocessing(*given):
    process = multiprocessing.get_context("fork").Process(target=in_child, args=given)
    process.start()
    going.clear()
    process.join()
    return process.exitcode

threads = [threading.Thread(target=at_work, args=(n,)) for n in range(6)]
for thread in threads:
    thread.start()
main = calls(vault)
begun.wait()
ends = []
for number in range(children):
    going.set()
    held, let_go, is_used = threading.Event(), threading.Event(), number % 2 == 1
    if is_used:
        holder = threading.Thread(target=inside, args=(held, let_go))
        holder.start()
        held.wait()
    until = sum(called) + 8
    while sum(called) < until:
        time.sleep(0)
    ends.append((forked_once if way == "fork" else with_multiprocessing)(list(main), is_used))
    if is_used:
        let_go.set()
        holder.join()
stop.set()
going.set()
for thread in threads:
    thread.join()
assert ends == [0] * children, ends
assert vault.verify().sound
"""


@pytest.mark.parametrize("way", ["fork", "multiprocessing"])
def test_children_of_threads_inside_calls_end(way: str, path: Path, run: Callable[..., str]) -> None:
    run(PROGRAM, path, way, 150 if FULL else 12)


# Children that come back from a function that SQL calls, in each of its kinds.
COMES_BACK = """
import os, sys, warnings
from sealite import Unlock, Vault, dbapi2

warnings.simplefilter("ignore", DeprecationWarning)
unlock = Unlock.environment("APP_KEY")
vault = Vault.create(sys.argv[1], unlock)
connection = dbapi2.connect(vault=vault)
connection.execute("CREATE TABLE t (n INTEGER)")
connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
connection.commit()
codes = []

def forks():
    child = os.fork()
    if child:
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return child

def function(n):
    forks()
    return n

def raises():
    if not forks():
        raise ValueError
    return 1

class Total:
    def __init__(self):
        self.total = 0
    def step(self, n):
        self.total += n
    def finalize(self):
        forks()
        return self.total

def collation(a, b):
    forks()
    return (a > b) - (a < b)

connection.create_function("forks", 1, function)
connection.create_function("raises", 0, raises)
connection.create_aggregate("total_of", 1, Total)
connection.create_collation("forking", collation)
connection.isolation_level = None
connection.execute("UPDATE t SET n = forks(n) + 1")
assert connection.execute("SELECT raises()").fetchone() == (1,)
assert connection.execute("SELECT total_of(n) FROM t").fetchone() == (5,)
assert connection.execute("SELECT 'a' < 'b' COLLATE forking").fetchone() == (1,)
with connection:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t SELECT forks(9)")
assert codes and set(codes) == {70}, codes
assert connection.execute("SELECT sum(n) FROM t").fetchone() == (14,)
connection.close()
assert vault.verify().sound
"""


def test_a_child_that_comes_back_from_a_function_ends(path: Path, run: Callable[..., str]) -> None:
    run(COMES_BACK, path)


# A vault that is closed by a function of its own connection, and a cursor that a child inherits in the midst of its rows.
CLOSES = """
import os, sys, warnings
from sealite import Unlock, Vault, dbapi2

warnings.simplefilter("ignore", DeprecationWarning)
unlock = Unlock.environment("APP_KEY")
vault = Vault.create(sys.argv[1], unlock)
connection = dbapi2.connect(vault=vault)
connection.execute("CREATE TABLE t (n INTEGER)")
connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
connection.commit()
cursor = connection.execute("SELECT n FROM t ORDER BY n")
assert cursor.fetchone() == (0,)
child = os.fork()
if child == 0:
    status = 1
    try:
        cursor.fetchall()
    except dbapi2.ProgrammingError as error:
        assert "fork" in str(error), error
        del cursor, connection
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(child, 0)[1] == 0
assert len(cursor.fetchall()) == 999

def closes():
    vault.close()
    return 7

connection.create_function("closes", 0, closes)
assert connection.execute("SELECT closes()").fetchone() == (7,)
try:
    connection.execute("SELECT 1")
except dbapi2.ProgrammingError as error:
    assert "closed" in str(error), error
else:
    raise AssertionError("the vault is closed")
"""


def test_a_vault_closed_in_a_function_and_an_inherited_cursor_wait_for_nobody(
    path: Path, run: Callable[..., str]
) -> None:
    run(CLOSES, path)
