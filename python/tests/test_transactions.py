"""Transactions, savepoints, snapshots and plain SQL."""

import gc
import threading
import weakref

import pytest

import sealite
from sealite import Table, Vault


def in_thread(work) -> object:
    """What the work gave or raised in another thread."""
    result: list[object] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    return result[0]


def test_a_transaction_commits_at_its_end(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="a@x.example")
        transaction.tenant("acme").table("notes").insert(slug="n", body="b")
        transaction.execute("CREATE TABLE log (at, what)")
        assert transaction.execute("INSERT INTO log VALUES (?, ?)", [1, "one"]) == 1
        rows = transaction.query("SELECT at, what FROM log WHERE at = ?", (1,))
        assert rows == [(1, "one")] and rows.columns == ("at", "what")
    assert users.count() == 1
    assert vault.query("SELECT what FROM log") == [("one",)]


def test_an_exception_rolls_back(vault: Vault, users: Table) -> None:
    with pytest.raises(ZeroDivisionError):
        with vault.transaction() as transaction:
            transaction.table("users").insert(email="a@x.example")
            raise ZeroDivisionError
    assert users.count() == 0
    with vault.transaction() as transaction:
        assert transaction.table("users").insert(email="a@x.example") == 1


def test_a_failed_call_leaves_the_rest_of_the_transaction(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        table = transaction.table("users")
        table.insert(email="a@x.example")
        with pytest.raises(sealite.Conflict):
            table.insert(email="A@x.example")
    assert users.count() == 1


def test_a_savepoint_is_taken_back_alone(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        table = transaction.table("users")
        table.insert(email="a@x.example")
        with pytest.raises(ZeroDivisionError):
            with transaction.savepoint():
                table.insert(email="b@x.example")
                with transaction.savepoint():
                    table.insert(email="c@x.example")
                raise ZeroDivisionError
        with transaction.savepoint():
            table.insert(email="d@x.example")
            with pytest.raises(ZeroDivisionError):
                with transaction.savepoint():
                    table.delete(1)
                    raise ZeroDivisionError
    assert sorted(row["email"] for row in users.scan()) == ["a@x.example", "d@x.example"]
    assert vault.verify().sound


def test_savepoints_out_of_order_are_refused(vault: Vault) -> None:
    with vault.transaction() as transaction:
        outer, inner = transaction.savepoint(), transaction.savepoint()
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        with pytest.raises(sealite.Closed):
            inner.__exit__(None, None, None)
        with pytest.raises(sealite.Closed):
            outer.__exit__(None, None, None)
        transaction.table("users").insert(email="a@x.example")


def test_a_transaction_is_used_inside_its_with_only(vault: Vault) -> None:
    transaction = vault.transaction()
    with pytest.raises(sealite.Closed):
        transaction.table("users")
    with transaction:
        table = transaction.table("users")
        with pytest.raises(sealite.Closed):
            transaction.__enter__()
    for work in (table.count, lambda: transaction.query("SELECT 1"), lambda: list(table.scan()), transaction.__enter__):
        with pytest.raises(sealite.Closed):
            work()


def test_with_over_a_begun_transaction_ends_it(vault: Vault, users: Table) -> None:
    with vault.transaction().begin() as transaction:
        transaction.table("users").insert(email="a@x.example")
        with pytest.raises(sealite.Closed):
            transaction.__enter__()
    with pytest.raises(ZeroDivisionError):
        with vault.transaction().begin() as transaction:
            transaction.table("users").insert(email="b@x.example")
            raise ZeroDivisionError
    assert [row["email"] for row in users.scan()] == ["a@x.example"]
    ended = vault.transaction().begin()
    ended.roll_back()
    with pytest.raises(sealite.Closed), ended:
        pass


def test_a_transaction_belongs_to_its_thread(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        table = transaction.table("users")
        table.insert(email="a@x.example")
        for work in (table.count, lambda: transaction.query("SELECT 1"), lambda: transaction.savepoint().__enter__()):
            error = in_thread(work)
            assert isinstance(error, sealite.Refused) and "thread" in str(error)
        assert isinstance(in_thread(lambda: transaction.__exit__(None, None, None)), sealite.Refused)
        assert table.count() == 1
    assert users.count() == 1


def test_the_vault_is_busy_for_the_thread_that_writes(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        with pytest.raises(sealite.Busy):
            users.insert(email="a@x.example")
        with pytest.raises(sealite.Busy):
            vault.transaction().__enter__()
        transaction.table("users").insert(email="b@x.example")
    assert users.count() == 1


def test_other_threads_wait_for_a_transaction(vault: Vault, users: Table) -> None:
    started = threading.Event()

    def write() -> None:
        started.set()
        users.insert(email="b@x.example")

    thread = threading.Thread(target=write)
    with vault.transaction() as transaction:
        thread.start()
        started.wait()
        transaction.table("users").insert(email="a@x.example")
        assert transaction.table("users").count() == 1
    thread.join(30)
    assert [row["email"] for row in users.scan()] == ["a@x.example", "b@x.example"]


def test_a_snapshot_sees_one_moment(vault: Vault, users: Table) -> None:
    users.insert_many(["email"], [("a@x.example",), ("b@x.example",)])
    vault.tenant("acme").table("notes").insert(slug="n", body="b")
    vault.execute("CREATE TABLE log (what)")
    with vault.snapshot() as snapshot:
        table = snapshot.table("users")
        assert table.count() == 2
        users.delete(1)
        users.insert(email="c@x.example")
        vault.execute("INSERT INTO log VALUES (1)")
        assert [row and row["email"] for row in table.get_many([1, 2, 3])] == ["a@x.example", "b@x.example", None]
        assert [row.id for row in table.scan()] == [1, 2]
        assert snapshot.query("SELECT * FROM log") == []
        assert snapshot.tenant("acme").table("notes").count() == 1
        assert in_thread(table.count) == 2
        with pytest.raises(sealite.ReadOnly):
            table.insert(email="d@x.example")
        with pytest.raises(sealite.ReadOnly):
            table.insert_many([{"email": "d@x.example"}, {"email": "e@x.example", "name": "E"}])
    with pytest.raises(sealite.Closed):
        table.count()
    with pytest.raises(sealite.Closed):
        snapshot.__enter__()


def test_what_is_dropped_gives_its_connection_back(vault: Vault, users: Table) -> None:
    users.insert_many(["email"], [(f"{number}@x.example",) for number in range(600)])
    for _ in range(100):
        scan = users.scan()
        next(scan)
        snapshot = vault.snapshot()
        snapshot.__enter__()
        transaction = vault.transaction()
        transaction.__enter__()
        transaction.table("users").insert(email="never@x.example")
        del scan, snapshot, transaction
        gc.collect()
    # More than the number of readers that a vault gives out, and the writer each time.
    assert users.count() == 600
    users.insert(email="now@x.example")


def test_a_transaction_in_a_reference_cycle_is_rolled_back(vault: Vault, users: Table) -> None:
    class Holder:
        pass

    holder = Holder()
    holder.own = holder  # type: ignore[attr-defined]
    holder.transaction = vault.transaction()  # type: ignore[attr-defined]
    holder.transaction.__enter__().table("users").insert(email="a@x.example")  # type: ignore[attr-defined]
    gone = weakref.ref(holder)
    del holder
    # The collector runs in another thread than the one that began it.
    in_thread(gc.collect)
    assert gone() is None
    assert users.count() == 0
    users.insert(email="a@x.example")


def test_plain_sql_takes_and_gives_the_five_types(vault: Vault) -> None:
    vault.execute("CREATE TABLE plain (a, b, c, d, e)")
    values = (None, 2**62, 1.5, "é\0", b"\xff")
    assert vault.execute("INSERT INTO plain VALUES (?, ?, ?, ?, ?)", values) == 1
    rows = vault.query("SELECT * FROM plain")
    assert list(rows) == [values] and rows[0] == values and rows[0:1] == [values] and len(rows) == 1
    assert rows[-1] == values and rows.columns == ("a", "b", "c", "d", "e")
    with pytest.raises(IndexError):
        rows[1]
    with pytest.raises(sealite.TypeMismatch):
        vault.query("SELECT ?", [float("nan")])
    with pytest.raises(sealite.InvalidInput):
        vault.query("SELECT :a", {"a": 1})
    with pytest.raises(sealite.InvalidInput):
        vault.query("SELECT ?", "a")


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELEC 1", sealite.Sql),
        ("UPDATE users_sealed SET plan = 'pro'", sealite.NotAllowed),
        ("SELECT sealed FROM users_sealed", sealite.NotAllowed),
        ("PRAGMA secure_delete = OFF", sealite.NotAllowed),
        ("COMMIT", sealite.NotAllowed),
        ("INSERT INTO nothing VALUES (1)", sealite.Sql),
    ],
)
def test_plain_sql_does_not_reach_what_is_sealed(vault: Vault, sql: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        vault.execute(sql)
    with vault.transaction() as transaction, pytest.raises(error):
        transaction.execute(sql)


def test_a_table_is_declared_where_the_transaction_commits(vault: Vault) -> None:
    with pytest.raises(ZeroDivisionError):
        with vault.transaction() as transaction:
            assert transaction.define_table("pets", {"name": "text sealed"})
            transaction.table("pets").insert(name="Rex")
            raise ZeroDivisionError
    assert "pets" not in {table.name for table in vault.tables()}
    with vault.transaction() as transaction:
        assert transaction.define_table("pets", {"name": "text sealed"}, key="slug", text_key=True)
        transaction.table("pets").insert(slug="rex", name="Rex")
        assert not transaction.define_table("pets", {"name": "text sealed"}, key="slug", text_key=True)
        with pytest.raises(sealite.Definition):
            transaction.define_table("pets", {"colour": "text sealed"}, key="slug", text_key=True)
    assert vault.table("pets").count() == 1
    with vault.tenant("acme").transaction() as transaction:
        with pytest.raises(sealite.NotAllowed):
            transaction.define_table("more", {"name": "text sealed"})


def test_a_transaction_is_begun_and_ended_by_calls(vault: Vault, users: Table) -> None:
    transaction = vault.transaction()
    for ended in (transaction.commit, transaction.roll_back, transaction.savepoint):
        with pytest.raises(sealite.Closed):
            ended()
    assert transaction.begin() is transaction
    with pytest.raises(sealite.Closed):
        transaction.begin()
    transaction.table("users").insert(email="kept@x.example")
    transaction.commit()
    for ended in (transaction.commit, transaction.roll_back, transaction.begin):
        with pytest.raises(sealite.Closed):
            ended()
    transaction = vault.transaction().begin()
    transaction.table("users").insert(email="lost@x.example")
    with pytest.raises(sealite.Refused):
        raise in_thread(transaction.commit)  # type: ignore[misc]
    transaction.roll_back()
    assert [row["email"] for row in users.scan()] == ["kept@x.example"]


def test_with_lets_be_what_was_ended_in_it(vault: Vault, users: Table) -> None:
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="kept@x.example")
        transaction.commit()
        with pytest.raises(sealite.Closed):
            transaction.table("users").count()
    with vault.transaction() as transaction:
        transaction.table("users").insert(email="lost@x.example")
        transaction.roll_back()
    with pytest.raises(ZeroDivisionError):
        with vault.transaction() as transaction:
            transaction.table("users").insert(email="too@x.example")
            transaction.commit()
            raise ZeroDivisionError
    assert [row["email"] for row in users.scan()] == ["kept@x.example", "too@x.example"]
