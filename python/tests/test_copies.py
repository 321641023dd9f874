"""Backup, restoration, compaction, and the sheet of a recovery code."""

from pathlib import Path

import pytest

import sealite
from sealite import Unlock, Vault


def test_a_backup_is_restored_and_opens(vault: Vault, tmp_path: Path, unlock: Unlock) -> None:
    seen: list[tuple[str, int, int | None]] = []
    for n in range(20):
        vault.table("users").insert(email=f"p{n}@example.org")
    copy = tmp_path / "copy.db"
    made = vault.backup(copy, progress=lambda *at: seen.append(at))
    assert {what for what, _, _ in seen} == {"copied", "opened", "audited"}
    assert all((whole is None) == (what != "copied") for what, _, whole in seen)
    assert made.bytes == copy.stat().st_size and copy.stat().st_mode & 0o777 == 0o600
    assert made.rows is not None and made.rows > 0 and made.audit_entries
    count = vault.table("users").count()
    checkpoint = vault.audit.checkpoint()
    vault.table("users").delete(1)
    vault.close()

    restored = tmp_path / "restored.db"
    assert Vault.restore(copy, restored, unlock, drill=True).rows == made.rows
    assert not restored.exists()
    Vault.restore(bytes(copy), str(restored), unlock)
    with Vault.open(restored, unlock) as opened:
        assert opened.table("users").count() == count
        assert [event.event for event in opened.audit.tail(2)] == ["vault.backup", "vault.restored"]
    Vault.restore(copy, tmp_path / "checked.db", unlock, checkpoint=str(checkpoint))


def test_an_older_backup_is_refused_where_there_is_a_checkpoint(
    vault: Vault, tmp_path: Path, unlock: Unlock
) -> None:
    vault.backup(tmp_path / "copy.db")
    vault.audit.append("later")
    with pytest.raises(sealite.Refused, match="older than the checkpoint"):
        Vault.restore(
            tmp_path / "copy.db", tmp_path / "old.db", unlock, checkpoint=str(vault.audit.checkpoint())
        )
    assert not (tmp_path / "old.db").exists()


def test_what_the_progress_raises_ends_the_copy(vault: Vault, tmp_path: Path, unlock: Unlock) -> None:
    def stop(what: str, done: int, whole: int | None) -> None:
        if what == "opened":
            raise KeyError(what)

    with pytest.raises(KeyError):
        vault.backup(tmp_path / "copy.db", progress=stop)
    vault.backup(tmp_path / "copy.db", verify=False, progress=stop)
    with pytest.raises(KeyError):
        Vault.restore(tmp_path / "copy.db", tmp_path / "new.db", unlock, progress=stop)
    with pytest.raises(sealite.Refused):
        vault.backup(tmp_path / "copy.db")
    left = {path.name for path in tmp_path.iterdir()}
    assert "copy.db" in left and not any("partial" in name or name.startswith("new.db") for name in left)


def test_compaction_gives_space_back(vault: Vault) -> None:
    vault.execute("CREATE TABLE own (text TEXT)")
    vault.execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)"
        " INSERT INTO own SELECT hex(randomblob(500)) FROM c"
    )
    vault.execute("DELETE FROM own")
    done = vault.compact()
    assert done.erasure == "complete" and done.after * 2 < done.before
    assert vault.verify().sound


def test_a_sheet_has_its_code_and_shows_it_to_nobody_else(vault: Vault) -> None:
    _, code = vault.add_recovery_slot("the safe")
    sheet = code.sheet()
    assert sheet.startswith("SEALITE RECOVERY SHEET") and sheet.count(code.reveal()) == 1
    assert "the safe" in sheet and code.reveal() not in repr(code)
    vault.lock()
    vault.unlock(Unlock.recovery_code(code.reveal()))
