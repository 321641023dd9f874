"""Plain tables that become sealed ones, and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sealite


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[sealite.Vault]:
    key = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f"
    vault = sealite.Vault.create(tmp_path / "app.db", sealite.Unlock.key_text(key))
    vault.execute("CREATE TABLE orgs (id INTEGER PRIMARY KEY)")
    vault.execute(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL, name TEXT,"
        " active BOOLEAN DEFAULT 1, org INTEGER REFERENCES orgs (id) ON DELETE CASCADE)"
    )
    vault.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
        " user INTEGER REFERENCES users (id) ON DELETE CASCADE)"
    )
    vault.execute("INSERT INTO orgs VALUES (1)")
    insert = "INSERT INTO users (email, name, org) VALUES (?, 'Secretname', 1)"
    with vault.transaction() as tx:
        for n in range(700):
            tx.execute(insert, [f"{n}@example.org"])
    vault.execute("INSERT INTO orders (user) SELECT id FROM users")
    yield vault
    vault.close()


ALL = "SELECT * FROM users ORDER BY id"
COLUMNS = {"email": "sealed unique email", "name": "sealed"}


def held(tmp_path: Path) -> bool:
    return any(b"Secretname" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_plain_table_becomes_a_sealed_one_and_plain_again(
    vault: sealite.Vault, tmp_path: Path
) -> None:
    before = list(vault.query(ALL))
    plan = vault.plan_protection("users", COLUMNS)
    assert isinstance(plan, sealite.ProtectionPlan)
    assert plan.rows == 700
    assert plan.obstacles == []
    assert plan.definition.columns["email"] == "text sealed not null unique email"
    assert "foreign key (org) to orgs" in plan.kept
    assert held(tmp_path)
    assert vault.protect_table("users", COLUMNS) == "complete"
    assert not held(tmp_path)
    assert list(vault.query(ALL)) == before
    found = vault.table("users").find_one("email", " 5@EXAMPLE.org")
    assert found is not None
    assert found["name"] == "Secretname"
    vault.execute("DELETE FROM users WHERE id = 1")
    assert list(vault.query("SELECT count(*) FROM orders")) == [(699,)]
    vault.unprotect_table("users")
    assert list(vault.query(ALL)) == before[1:]
    assert vault.tables() == []


def test_the_same_in_sql(vault: sealite.Vault) -> None:
    words = ["email sealed unique email", "name sealed"]
    assert vault.protect_table("users", words) == "complete"
    assert list(vault.query("SELECT sealite_unprotect('users')")) == [("complete",)]
    assert list(vault.query("SELECT sealite_protect('users', ?, ?)", words)) == [("complete",)]
    vault.execute("ALTER TABLE users ADD COLUMN phone TEXT")
    [table] = vault.tables()
    assert table.columns["phone"] == "text sealed"


def test_what_stands_against_it_is_listed(vault: sealite.Vault) -> None:
    vault.execute("CREATE VIEW names AS SELECT name FROM users")
    [obstacle] = vault.plan_protection("users", COLUMNS).obstacles
    assert "view names" in obstacle
    with pytest.raises(sealite.Refused, match="view names"):
        vault.protect_table("users", COLUMNS)
    assert vault.tables() == []
    with pytest.raises(sealite.NotFound):
        vault.unprotect_table("users")


@pytest.mark.parametrize("columns", ["email sealed", ["email"], [3], {"email": 3}, []])
def test_columns_are_specifications(vault: sealite.Vault, columns: Any) -> None:
    with pytest.raises((sealite.InvalidInput, sealite.TypeMismatch)):
        vault.protect_table("users", columns)
