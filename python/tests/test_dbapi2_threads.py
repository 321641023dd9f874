"""`sealite.dbapi2` with threads, processes, forks and interrupts."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import sealite
from sealite import dbapi2

INSERT = "INSERT INTO people (email, name) VALUES (?, ?)"


def emails(connection: dbapi2.Connection) -> list[str]:
    return [email for (email,) in connection.execute("SELECT email FROM people ORDER BY id")]


def test_another_thread_is_refused_where_it_is_not_allowed(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    raised: list[BaseException] = []

    def work(connection: dbapi2.Connection) -> None:
        try:
            connection.execute(INSERT, (f"{threading.get_ident()}@example.org", None))
        except dbapi2.Error as error:
            raised.append(error)

    def in_thread(connection: dbapi2.Connection) -> None:
        thread = threading.Thread(target=work, args=(connection,))
        thread.start()
        thread.join()

    in_thread(connection)
    assert len(raised) == 1 and isinstance(raised[0], dbapi2.ProgrammingError)
    shared = connect(check_same_thread=False)
    in_thread(shared)
    shared.commit()
    assert len(raised) == 1 and len(emails(connection)) == 1


def test_threads_with_a_connection_each_lose_nothing(connect: Callable[..., dbapi2.Connection], connection: dbapi2.Connection) -> None:
    def work(number: int) -> None:
        own = connect(timeout=60)
        for row in range(20):
            with own:
                own.execute(INSERT, (f"{number}.{row}@example.org", "P"))
        own.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(emails(connection)) == 80


def test_a_shared_connection_with_a_function_of_pythons_does_not_hang(connect: Callable[..., dbapi2.Connection]) -> None:
    shared = connect(check_same_thread=False)
    shared.create_function("slow", 1, lambda value: sum(range(200)) and value)
    counts: list[int] = []

    def work() -> None:
        sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500) SELECT slow(x) FROM n"
        counts.append(len(shared.execute(sql).fetchall()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [500] * 4


def test_processes_share_the_file(connection: dbapi2.Connection, path: Path, run: Callable[..., str]) -> None:
    program = (
        "import sys\nfrom sealite import dbapi2\nc = dbapi2.connect(sys.argv[1], key='env:APP_KEY', timeout=60)\n"
        f"with c:\n    c.execute({INSERT!r}, (sys.argv[2], 'P'))\nprint(c.execute('SELECT count(*) FROM people').fetchone()[0])\nc.close()"
    )
    assert run(program, path, "a@example.org").split() == ["1"]
    assert emails(connection) == ["a@example.org"]
    assert run(program, path, "b@example.org").split() == ["2"]
    assert len(emails(connection)) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_an_idle_connection_works_on_both_sides_of_a_fork(connection: dbapi2.Connection) -> None:
    connection.create_function("twice", 1, lambda value: value * 2)
    connection.execute(INSERT, ("before@example.org", "P"))
    connection.commit()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            with connection:
                connection.execute(INSERT, ("child@example.org", "P"))
            status = 0 if connection.execute("SELECT twice(count(*)) FROM people").fetchone() == (4,) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert emails(connection) == ["before@example.org", "child@example.org"]
    assert connection.execute("SELECT twice(21)").fetchone() == (42,)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_transaction_stays_with_the_parent(connection: dbapi2.Connection) -> None:
    connection.execute(INSERT, ("parent@example.org", "P"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            connection.execute("SELECT 1")
        except dbapi2.ProgrammingError as error:
            status = 0 if error.code == sealite.Forked.code else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    connection.commit()
    assert emails(connection) == ["parent@example.org"]


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_stops_a_scan(connection: dbapi2.Connection) -> None:
    started = threading.Event()
    connection.create_function("started", 0, started.set)

    def press() -> None:
        started.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        connection.execute(ENDLESS.replace("count(*)", "count(*) + (SELECT started())") + " WHERE (SELECT started()) IS NULL")
    thread.join()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_interrupt_stops_from_another_thread(connect: Callable[..., dbapi2.Connection]) -> None:
    shared = connect(check_same_thread=False)
    started = threading.Event()
    shared.create_function("started", 0, started.set)

    def press() -> None:
        started.wait()
        shared.interrupt()

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(dbapi2.OperationalError) as raised:
        shared.execute(ENDLESS + " WHERE (SELECT started()) IS NULL")
    thread.join()
    assert raised.value.sqlite_errorcode == dbapi2.SQLITE_INTERRUPT
