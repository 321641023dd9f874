"""Subjects, erasure, tenants, and a checkpoint that is given when a vault is opened."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import sealite

KEY = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f"
NOTES = {"user_id": "integer authenticated", "body": "sealed"}


def filled(path: Path | None = None) -> sealite.Vault:
    if path is None:
        vault = sealite.Vault.in_memory()
    else:
        vault = sealite.Vault.create(path, sealite.Unlock.key_text(KEY))
    vault.define_table("notes", NOTES, subject="user_id")
    vault.define_table("users", {"name": "sealed"}, subject="id")
    vault.define_table("theirs", NOTES, per_tenant=True, subject="user_id")
    for user in (1, 2, 3):
        vault.table("users").insert(id=user, name=f"name {user}")
        vault.table("notes").insert(user_id=user, body=f"body {user}")
        for tenant in ("acme", "globex"):
            vault.tenant(tenant).table("theirs").insert(user_id=user, body=tenant)
    return vault


def test_a_subject_is_erased_alone() -> None:
    vault = filled()
    assert {each.name: each.subject for each in vault.tables()} == {
        "notes": "user_id",
        "users": "id",
        "theirs": "user_id",
    }
    vault.audit.append("seen", subject="2", payload={"a": 1})
    receipt = vault.erase_subject(2)
    assert (receipt.rows, receipt.keys, receipt.subject, receipt.tenant) == (2, 1, "2", None)
    assert receipt.erasure == "complete" and receipt.text.startswith("sealite-erasure-1.")
    assert vault.verify_receipt(receipt.text) == receipt == vault.erase_subject("2")
    assert hash(receipt) == hash(vault.verify_receipt(receipt.text))
    with pytest.raises(sealite.AuthenticationFailed):
        filled().verify_receipt(receipt.text)
    with pytest.raises(sealite.DestroyedKey):
        vault.table("notes").insert(user_id=2, body="again")
    assert [row["user_id"] for row in vault.table("notes").scan()] == [1, 3]
    erased = [event for event in vault.audit.tail(10) if event.erased]
    assert [(event.event, event.subject, event.payload) for event in erased] == [("seen", None, None)]
    assert vault.audit.verify().sound and vault.verify().sound


@pytest.mark.parametrize("wrong", [True, 1.5, None, b"2"])
def test_a_subject_is_a_str_or_an_int(wrong: Any) -> None:
    with pytest.raises(sealite.TypeMismatch):
        filled().erase_subject(wrong)


def test_an_export_is_json() -> None:
    vault = filled()
    found = json.loads(vault.export_subject(2))
    assert found["tables"]["users"] == [{"id": 2, "name": "name 2"}]
    assert found["tables"]["notes"][0]["body"] == "body 2"
    theirs = json.loads(vault.export_subject("2", tenant="acme"))
    assert theirs["tables"] == {"theirs": [{"id": 3, "user_id": 2, "body": "acme"}]}


def test_tenants_are_listed_and_erased() -> None:
    vault = filled()
    vault.erase_subject(1, tenant="acme")
    assert vault.erase_tenant("globex").rows == 3
    found = {each.name: (each.subjects, each.erased_at is None) for each in vault.tenants()}
    assert found == {"acme": (2, True), "globex": (0, False)}
    with pytest.raises(sealite.DestroyedKey):
        vault.tenant("globex").table("theirs").insert(user_id=9, body="x")
    with pytest.raises(sealite.NotFound):
        vault.erase_tenant("initech")
    assert not hasattr(vault.tenant("acme"), "tenants")


def test_an_older_file_is_refused_with_a_checkpoint(tmp_path: Path) -> None:
    path, unlock = tmp_path / "app.db", sealite.Unlock.key_text(KEY)
    filled(path).close()
    shutil.copy(path, tmp_path / "old.db")
    with sealite.Vault.open(path, unlock) as vault:
        vault.erase_subject(2)
        checkpoint = vault.audit.checkpoint()
    sealite.Vault.open(path, unlock, checkpoint=checkpoint).close()
    with pytest.raises(sealite.RolledBack):
        sealite.Vault.open(tmp_path / "old.db", unlock, checkpoint=checkpoint)
    old = sealite.Vault.at(tmp_path / "old.db", checkpoint=checkpoint)
    with pytest.raises(sealite.RolledBack):
        old.unlock(unlock)
    assert old.status == "locked"
    sealite.Vault.open(tmp_path / "old.db", unlock).close()


def test_a_conversion_gives_rows_their_subjects() -> None:
    vault = sealite.Vault.in_memory()
    vault.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    vault.execute("INSERT INTO users (name) VALUES ('Ada')")
    assert vault.plan_protection("users", {"name": "sealed"}, subject="id").definition.subject == "id"
    vault.protect_table("users", {"name": "sealed"}, subject="id")
    assert vault.erase_subject(1).rows == 1
