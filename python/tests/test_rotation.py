"""Rotation: new keys while everything stays readable, and old ones that are refused afterwards."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import sealite
from sealite import Rotation, RotationStatus, Vault


def fill(vault: Vault, rows: int = 1_200) -> None:
    vault.define_table("people", {"email": "text sealed unique email", "name": "text sealed"})
    people = vault.table("people")
    people.insert_many(["email", "name"], [(f"p{n}@example.org", "Ada") for n in range(rows)])


def test_rows_move_to_new_keys_and_the_old_ones_are_destroyed(vault: Vault) -> None:
    fill(vault)
    keys = vault.keys
    for rotation in (Rotation.data(), Rotation.index()):
        plan = keys.plan(rotation)
        assert plan.records >= 1_200 and plan.tables["people"] == 1_200
        assert isinstance(plan.estimate, timedelta) and repr(plan).startswith("<RotationPlan")
        assert keys.status(rotation) is None
        begun = keys.begin(rotation)
        assert (begun.state, begun.old_key, begun.rotation) == ("running", plan.key, rotation)
        assert begun.finished_at is None and isinstance(begun.started_at, datetime)
        with pytest.raises(sealite.Conflict):
            keys.begin(rotation)
        with pytest.raises(sealite.Refused):
            keys.destroy_retired(rotation, fields_resealed=True)
        while keys.step(rotation).state == "running":
            person = vault.table("people").find_one("email", "P7@example.org")
            assert person is not None and person["name"] == "Ada"
            with pytest.raises(sealite.Conflict):
                vault.table("people").insert(email="p1199@example.org")
        done = keys.status(rotation)
        assert done is not None and done.state == "finished" and done.remaining == timedelta(0)
        assert done.done >= 1_200 and done.moved >= 1_200 and done.left == 0
        assert keys.destroy_retired(rotation, fields_resealed=True) == [begun.old_key]
    assert [one.rotation.kind for one in keys.rotations()] == ["data", "index"]
    assert vault.verify().sound and vault.audit.verify().sound


def test_what_progress_raises_ends_a_run_and_the_next_goes_on(vault: Vault) -> None:
    fill(vault)
    told: list[RotationStatus] = []

    def stop(status: RotationStatus) -> None:
        told.append(status)
        if status.done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.keys.run(Rotation.data(), stop)
    before = vault.keys.status(Rotation.data())
    assert before is not None and before.state == "running" and before.done == told[-1].done
    done = vault.keys.run(Rotation.data(), progress=told.append)
    assert done.state == "finished" and done.new_key == before.new_key


def test_tokens_wait_until_they_are_presented_or_revoked(vault: Vault) -> None:
    first, second = (vault.tokens.issue("api_key", subject="ada") for _ in range(2))
    rotation = Rotation.token()
    status = vault.keys.run(rotation)
    assert (status.state, status.left) == ("waiting", 2)
    vault.tokens.verify(first.text, "api_key")
    status = vault.keys.run(rotation)
    assert (status.state, status.left) == ("waiting", 1)
    assert vault.keys.revoke_left() == 1
    assert vault.keys.run(rotation).state == "finished"
    vault.keys.destroy_retired(rotation, fields_resealed=False)
    vault.tokens.verify(first.text, "api_key")
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(second.text, "api_key")


def test_fields_are_found_across_keys_and_sealed_anew(vault: Vault) -> None:
    field = vault.field("users.email")
    sealed, index = field.seal("ada", record=7), field.index("ada", "unique")
    assert field.reseal(sealed, record=7) is None
    for rotation in (Rotation.data(), Rotation.index(), Rotation.audit()):
        vault.keys.run(rotation)
    fresh = field.reseal(sealed, record=7)
    assert fresh is not None and fresh != sealed and field.open(fresh, record=7) == "ada"
    values = field.index_values("ada", "unique")
    assert len(values) == 2 and values[1] == index and values[0] == field.index("ada", "unique")
    with pytest.raises(sealite.AuthenticationFailed):
        field.reseal(sealed, record=8)
    with pytest.raises(TypeError):
        vault.keys.destroy_retired(Rotation.data())  # type: ignore[call-arg]
    with pytest.raises(sealite.Refused):
        vault.keys.destroy_retired(Rotation.data(), fields_resealed=False)
    vault.keys.destroy_retired(Rotation.data(), fields_resealed=True)
    with pytest.raises(sealite.DestroyedKey):
        field.open(sealed, record=7)
    with pytest.raises(sealite.Refused):
        vault.keys.destroy_retired(Rotation.audit(), fields_resealed=True)


def test_everything_is_rotated_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    unlock = sealite.Unlock.key_text(sealite.generate_key())
    vault = Vault.create(path, unlock)
    fill(vault, 10)
    told: list[RotationStatus] = []
    master, done = vault.keys.rotate_all([unlock], progress=told.append)
    assert len(master.kept) == 1 and len(told) > len(done)
    assert {status.rotation.kind for status in done} == {"audit", "index", "data"}
    assert vault.verify().sound
    vault.close()
    raw = sqlite3.connect(path)
    used = {row[0] for row in raw.execute("SELECT hex(substr(sealed, 4, 4)) FROM people_sealed")}
    assert used and all(int(key, 16) > 3 for key in used)


def test_a_rotation_is_a_value() -> None:
    assert Rotation.data() == Rotation.data(None) != Rotation.data("acme")
    assert len({Rotation.index("a"), Rotation.index("a"), Rotation.index("b")}) == 2
    assert (Rotation.audit().kind, Rotation.token("acme").tenant) == ("audit", "acme")
    assert "acme" not in repr(Rotation.token("acme"))
