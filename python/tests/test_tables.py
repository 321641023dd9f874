"""Sealed tables: declaring, writing, reading, altering."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import sealite
from sealite import Table, Vault
from conftest import PEOPLE


def test_a_definition_reads_back_and_declares_again(vault: Vault) -> None:
    notes, users = vault.tables()
    assert (notes.name, notes.key, notes.text_key, notes.per_tenant) == ("notes", "slug", True, True)
    assert (users.name, users.key, users.text_key, users.padding) == ("users", "id", False, 32)
    assert users.columns["email"] == "text sealed not null unique email"
    assert users.columns == vault.table("users").columns == vault.table("users").definition.columns
    for table in (notes, users):
        created = vault.define_table(
            table.name,
            table.columns,
            key=table.key,
            text_key=table.text_key,
            per_tenant=table.per_tenant,
            padding=table.padding,
        )
        assert not created


def test_columns_are_a_mapping_or_whole_specifications(vault: Vault) -> None:
    assert vault.define_table("a", ["x integer sealed", '"full name" sealed'], padding="padme")
    assert vault.define_table("b", {"full name": "sealed", 'quo"te': "sealed"}, padding="none")
    assert list(vault.table("a").columns) == ["x", "full name"]
    assert vault.table("b").columns == {"full name": "text sealed", 'quo"te': "text sealed"}
    assert [table.padding for table in vault.tables()][:2] == ["padme", "none"]


@pytest.mark.parametrize(
    ("columns", "options", "error"),
    [
        ({"a": "frobnicated"}, {}, sealite.InvalidInput),
        ({"a": "sealed lookup 10"}, {}, sealite.Refused),
        ({"a": "sealed"}, {"padding": 0}, sealite.InvalidInput),
        ({"a": "sealed"}, {"padding": 65_535}, sealite.InvalidInput),
        ({"a": "sealed"}, {"padding": "some"}, sealite.InvalidInput),
        ({"a": 1}, {}, sealite.TypeMismatch),
        ({1: "sealed"}, {}, sealite.TypeMismatch),
        ("a sealed", {}, sealite.TypeMismatch),
    ],
)
def test_what_is_no_definition_is_refused(vault: Vault, columns, options, error) -> None:
    with pytest.raises(error):
        vault.define_table("t", columns, **options)


def test_a_weaker_declaration_is_refused_and_a_stronger_one_too(vault: Vault) -> None:
    with pytest.raises(sealite.Definition):
        vault.define_table("users", {"plan": "text sealed"})


def test_rows_are_found_in_any_spelling(users: Table) -> None:
    id = users.insert({"email": "Ada@Example.org"}, name="Ada", surname="Lovelace")
    assert id == 1
    row = users.find_one("email", " ada@EXAMPLE.org ")
    assert row is not None
    assert row["name"] == "Ada"
    assert row["role"] == "user"
    assert [row.id for row in users.find("surname", "LOVELACE")] == [1]
    assert users.find("email", "nobody@example.org") == []
    assert users.find_one("email", "nobody@example.org") is None
    assert [row.id for row in users.find("id", 1)] == [1]


def test_a_search_without_an_index_is_refused(users: Table) -> None:
    with pytest.raises(sealite.NotIndexed):
        users.find("name", "Ada")


def test_a_row_is_a_mapping(users: Table) -> None:
    users.insert(email="ada@example.org", name="Ada")
    row = users.get(1)
    assert row is not None
    expected = {"id": 1, "email": "ada@example.org", "name": "Ada", "surname": None, "role": "user", "plan": "free"}
    assert isinstance(row, Mapping)
    assert dict(row) == expected == {**row}
    assert row == expected and expected == row and row == users.get(1)
    assert row != {**expected, "name": "Eve"} and row != 1
    assert list(row) == list(row.keys()) == list(expected)
    assert row.values() == tuple(expected.values())
    assert row.items() == tuple(expected.items())
    assert row.keys() & {"email", "nothing"} == {"email"}
    assert len(row) == 6 and row.id == row["id"] == 1
    assert "email" in row and "nothing" not in row and 1 not in row
    assert row.get("name") == "Ada" and row.get("nothing") is None and row.get("nothing", 7) == 7
    # A name that is not the interned one.
    assert row["".join(["na", "me"])] == "Ada"
    with pytest.raises(KeyError, match="nothing"):
        row["nothing"]
    with pytest.raises(AttributeError):
        row.email  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        hash(row)


def test_many_rows_are_inserted_all_or_none(users: Table) -> None:
    assert users.insert_many([{"email": "a@x.example"}, {"email": "b@x.example"}]) == [1, 2]
    assert users.insert_many(["email", "name"], (row for row in [("c@x.example", "C"), ["d@x.example", None]])) == [3, 4]
    assert users.insert_many([]) == [] and users.insert_many(["email"], []) == []
    with pytest.raises(sealite.Conflict):
        users.insert_many(["email"], [("e@x.example",), ("A@X.example",)])
    assert users.count() == 4


def test_mappings_with_different_keys_are_inserted_all_or_none(vault: Vault, users: Table) -> None:
    rows: list[dict[str, object]] = [
        {"email": "a@x.example"},
        {"email": "b@x.example", "role": "admin"},
        {"email": "c@x.example", "name": "C"},
        {"name": "D", "email": "d@x.example"},
    ]
    assert users.insert_many(rows) == [1, 2, 3, 4]
    # A column that is not given holds its default.
    assert [row["role"] for row in users.scan()] == ["user", "admin", "user", "user"]
    bad = [{"email": "e@x.example"}, {"email": "a@x.example", "name": "again"}]
    with pytest.raises(sealite.Conflict):
        users.insert_many(bad)
    with vault.transaction() as transaction:
        table = transaction.table("users")
        with pytest.raises(sealite.Conflict):
            table.insert_many(bad)
        assert table.insert_many([{"email": "f@x.example"}, {"email": "g@x.example", "name": "G"}])
    assert users.count() == 6


@pytest.mark.parametrize(
    "arguments",
    [
        (["email", "name"], [("a@x.example",)]),
        (["email"], [("a@x.example", "A")]),
        (["email", "email"], [("a@x.example", "b@x.example")]),
        ("email", [("a@x.example",)]),
        (["email"], ["a"]),
        (["email"], [{"email": "a@x.example"}]),
        (["email"], [b"a"]),
    ],
)
def test_rows_that_do_not_fit_their_columns_are_refused(users: Table, arguments) -> None:
    with pytest.raises(sealite.InvalidInput):
        users.insert_many(*arguments)
    assert users.count() == 0


def test_an_iterable_that_raises_inserts_nothing(users: Table) -> None:
    def rows():
        yield ("a@x.example",)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        users.insert_many(["email"], rows())
    assert users.count() == 0


def test_an_unknown_column_is_refused(users: Table) -> None:
    with pytest.raises(sealite.NotFound):
        users.insert(email="a@x.example", nothing=1)
    with pytest.raises(sealite.InvalidInput):
        users.insert({"email": "a@x.example"}, email="b@x.example")
    with pytest.raises(sealite.TypeMismatch):
        users.insert({1: "a"})  # type: ignore[dict-item]
    with pytest.raises(sealite.TypeMismatch):
        users.insert([("email", "a@x.example")])  # type: ignore[arg-type]
    with pytest.raises(sealite.TypeMismatch):
        users.insert()


def test_a_partial_update_leaves_the_other_columns(users: Table) -> None:
    users.insert(email="a@x.example", name="A")
    assert users.update(1, name="B", role="admin")
    assert users.update(1, {"plan": "pro"})
    assert not users.update(2, name="B")
    row = users.get(1)
    assert row is not None
    assert row.values()[1:] == ("a@x.example", "B", None, "admin", "pro")
    with pytest.raises(sealite.TypeMismatch):
        users.update(1, email=None)


def test_rows_are_deleted_and_discarded(users: Table) -> None:
    users.insert_many(["email"], [(f"{number}@x.example",) for number in range(3)])
    assert users.delete(1) and users.discard(2)
    assert not users.delete(1) and not users.discard(2)
    assert users.get(1) is None
    assert [row and row.id for row in users.get_many([3, 1, 3])] == [3, None, 3]
    assert users.count() == 1


def test_a_row_can_be_copied_through_a_dict(users: Table) -> None:
    users.insert(email="a@x.example", name="A")
    row = users.get(1)
    assert row is not None
    assert users.insert({**row, "id": 7, "email": "b@x.example"}) == 7
    users.delete(1)
    assert users.insert(row) == 1
    assert users.get(1) == row


def test_a_scan_gives_every_row_in_order(users: Table) -> None:
    users.insert_many(["email"], [(f"{number}@x.example",) for number in range(1_000)])
    scan = users.scan()
    assert iter(scan) is scan
    assert [row.id for row in scan] == list(range(1, 1_001))
    assert next(scan, None) is None


def test_a_scan_sees_one_moment_and_ends_when_it_is_closed(users: Table) -> None:
    users.insert_many(["email"], [(f"{number}@x.example",) for number in range(600)])
    with users.scan() as scan:
        next(scan)
        users.insert(email="late@x.example")
        assert sum(1 for _ in scan) == 599
    scan = users.scan()
    next(scan)
    scan.close()
    assert list(scan) == []


def test_tenants_do_not_see_each_other(vault: Vault) -> None:
    acme, beta = vault.tenant("acme"), vault.tenant("beta")
    assert acme.table("notes").insert(slug="x", body="acme's") == "x"
    beta.table("notes").insert(slug="x", body="beta's")
    row = acme.table("notes").get("x")
    assert row is not None and row["body"] == "acme's" and row.id == "x"
    assert [row["body"] for row in beta.table("notes").scan()] == ["beta's"]
    assert acme.name == "acme"
    with pytest.raises(sealite.InvalidInput):
        vault.table("notes")
    with pytest.raises(sealite.NotFound):
        acme.table("users")
    with pytest.raises(sealite.InvalidInput):
        vault.tenant("")
    with acme.transaction() as transaction:
        transaction.table("notes").insert(slug="y", body="more")
        with pytest.raises(sealite.NotAllowed):
            transaction.tenant("beta").table("notes")
        with pytest.raises(sealite.NotAllowed):
            transaction.query("SELECT 1")
    with acme.snapshot() as snapshot:
        assert snapshot.table("notes").count() == 2
        with pytest.raises(sealite.NotAllowed):
            snapshot.tenant("beta").table("notes")


def test_a_key_of_the_wrong_type_is_refused(vault: Vault, users: Table) -> None:
    for id in ("1", True, 1.0, None, b"1", 2**63):
        with pytest.raises(sealite.TypeMismatch):
            users.get(id)  # type: ignore[arg-type]
    with pytest.raises(sealite.TypeMismatch):
        vault.tenant("acme").table("notes").get(1)


def test_a_table_is_altered_while_it_holds_rows(vault: Vault, users: Table, path: Path) -> None:
    name = "Ada-Zk7qWvXp"
    users.insert(email="a@x.example", name=name)
    assert vault.add_column("users", "age integer sealed default 7") == "complete"
    assert vault.rename_column("users", "name", "full name") == "complete"
    assert vault.protect("users", "role", "sealed") == "complete"
    assert vault.protect("users", "plan", "authenticated") == "complete"
    assert vault.add_index("users", "full name", "unique") == "complete"
    row = users.find_one("full name", name)
    assert row is not None
    assert dict(row) == {
        "id": 1, "email": "a@x.example", "full name": name, "surname": None, "role": "user", "plan": "free", "age": 7,
    }  # fmt: skip
    assert vault.drop_index("users", "full name") == "complete"
    with pytest.raises(sealite.NotIndexed):
        users.find("full name", name)
    assert vault.drop_column("users", "surname") == "complete"
    assert vault.rename_table("users", "people") == "complete"
    with pytest.raises(sealite.NotFound):
        users.count()
    people = vault.table("people")
    assert "surname" not in people.columns
    assert vault.finish_alteration("people") == "complete"
    assert vault.finish_erasure() == "complete"
    assert name.encode() not in path.read_bytes()
    assert vault.drop_table("people") == "complete"
    assert [table.name for table in vault.tables()] == ["notes"]


@pytest.mark.parametrize("index", ["", "unique nothing", "sealed unique", "unique not null", "lookup"])
def test_what_is_no_index_is_refused(vault: Vault, index: str) -> None:
    with pytest.raises(sealite.InvalidInput):
        vault.add_index("users", "name", index)


def test_a_protection_is_named(vault: Vault) -> None:
    with pytest.raises(sealite.InvalidInput):
        vault.protect("users", "name", "hidden")  # type: ignore[arg-type]


def test_an_edit_from_outside_is_refused_and_found(vault: Vault, users: Table, path: Path, unlock, run) -> None:
    users.insert_many(["email"], [("a@x.example",), ("b@x.example",), ("c@x.example",)])
    vault.tenant("acme").table("notes").insert(slug="x", body="x")
    vault.close()
    run(
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute(\"UPDATE users_sealed SET role = 'admin' WHERE id = 2\"); c.commit()",
        path,
    )
    with sealite.Vault.open(path, unlock) as vault:
        users = vault.table("users")
        with pytest.raises(sealite.AuthenticationFailed):
            users.get(2)
        with pytest.raises(sealite.AuthenticationFailed):
            list(users.scan())
        counts: list[int] = []
        found = vault.verify(counts.append)
        assert found.tables == {"notes": 1, "users": 2}
        assert found.internal.keys() == {"sealite_audit"}
        assert not found.sound and found.integrity == []
        (fault,) = found.faults
        assert (fault.table, fault.tenant, fault.id) == ("users", None, 2)
        assert isinstance(fault.error, sealite.AuthenticationFailed)
        assert counts and counts == sorted(counts)
        assert users.discard(2)
        assert vault.verify().sound


def test_what_progress_raises_is_raised(vault: Vault, users: Table) -> None:
    users.insert(email="a@x.example")

    def progress(count: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vault.verify(progress)
    assert vault.verify().sound


def test_the_declared_columns_are_the_ones_in_the_fixture(users: Table) -> None:
    assert list(users.columns) == list(PEOPLE)
