"""The keys of a vault: listed, and the master key changed."""

import datetime
from pathlib import Path

import pytest

import sealite


def key() -> sealite.Unlock:
    return sealite.Unlock.key_text(sealite.generate_key())


def test_keys_are_listed_without_any_secret() -> None:
    vault = sealite.Vault.in_memory()
    vault.tenant("acme").field("note").seal("x")
    first, *_, last, index = vault.keys.list()
    assert (first.id, first.purpose, first.tenant, first.subject) == (1, "data", None, None)
    assert (last.purpose, last.tenant, last.generation, last.state) == ("data", "acme", 1, "active")
    assert (index.purpose, index.tenant) == ("index", "acme")
    assert last.created_at.tzinfo is datetime.UTC and last.changed_at >= last.created_at
    assert repr(last) == "<KeyInfo 4: data, active>"


def test_the_master_key_changes_and_the_slots_that_are_kept_open(tmp_path: Path) -> None:
    path, first, second, third = tmp_path / "app.db", key(), key(), key()
    with sealite.Vault.create(path, first, key_cache=16, key_age=60.0) as vault:
        vault.add_slot("second", second)
        other = sealite.Vault.open(path, second)
        with pytest.raises(sealite.Refused, match="slot 2"):
            vault.keys.rotate_master([first])
        with pytest.raises(sealite.WrongKey, match="secret 2 of 2"):
            vault.keys.rotate_master([first, third], drop_others=True)
        with pytest.raises(sealite.LastSlot):
            vault.keys.rotate_master([], drop_others=True)
        done = vault.keys.rotate_master([first, second])
        assert (done.kept, done.dropped, done.keys) == ([1, 2], [], 3)
        other.audit.append("still.here")
        done = vault.keys.rotate_master([first], drop_others=True)
        assert (done.kept, done.dropped) == ([1], [2])
        with pytest.raises(sealite.Locked):
            other.audit.append("no.more")
        assert vault.verify().sound and vault.verify().keys is None
        other.close()
    with pytest.raises(sealite.WrongKey):
        sealite.Vault.open(path, second)
    sealite.Vault.open(path, first).close()


def test_keys_in_memory_are_counted() -> None:
    vault = sealite.Vault.in_memory()
    metrics = vault.metrics()
    assert metrics.keys_locked + metrics.keys_not_locked > 0
    assert "sealite_keys_locked " in metrics.prometheus()
    vault.close()


@pytest.mark.parametrize("age", [-1.0, float("nan")])
def test_an_age_that_is_none_is_refused(tmp_path: Path, age: float) -> None:
    with pytest.raises(sealite.InvalidInput):
        sealite.Vault.at(tmp_path / "app.db", key_age=age)
