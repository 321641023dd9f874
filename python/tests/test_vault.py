"""The life of a vault: states, ways to unlock, slots."""

import datetime
import os
from pathlib import Path

import pytest

import sealite
from sealite import Unlock, Vault

FLOOR = {"memory_kib": 19_456, "passes": 2, "lanes": 1}


def test_the_status_follows_the_life_of_the_vault(path: Path, unlock: Unlock) -> None:
    vault = Vault.at(path)
    assert vault.status == "absent"
    with pytest.raises(sealite.NotInitialised):
        vault.unlock(unlock)
    vault.initialise(unlock)
    assert vault.status == "open"
    vault.lock()
    assert vault.status == "locked"
    with pytest.raises(sealite.Locked):
        vault.tables()
    vault.unlock(unlock)
    assert vault.status == "open"
    vault.close()
    with pytest.raises(sealite.SealiteError):
        vault.tables()


def test_a_file_without_a_vault_is_uninitialised(path: Path) -> None:
    path.touch()
    assert Vault.at(path).status == "uninitialised"


def test_a_vault_is_created_once(path: Path, unlock: Unlock) -> None:
    Vault.create(path, unlock).close()
    with pytest.raises(sealite.AlreadyInitialised):
        Vault.create(path, unlock)


def test_with_closes(path: Path, unlock: Unlock) -> None:
    with Vault.create(path, unlock) as vault:
        vault.define_table("t", {"a": "sealed"})
    with pytest.raises(sealite.SealiteError):
        vault.table("t")


@pytest.mark.parametrize("convert", [str, Path, os.fsencode])
def test_paths_are_str_bytes_or_path_objects(path: Path, unlock: Unlock, convert: type) -> None:
    Vault.create(convert(path), unlock).close()
    with Vault.open(convert(path), unlock) as vault:
        assert vault.path == path
    assert Vault.in_memory().path is None


def test_a_path_that_is_not_utf_8_is_a_path(tmp_path: Path, unlock: Unlock) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.db"
    with Vault.create(path, unlock) as vault:
        assert vault.status == "open"
    assert os.path.exists(path)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e9])
def test_a_busy_timeout_out_of_range_is_refused(path: Path, seconds: float) -> None:
    with pytest.raises(sealite.InvalidInput):
        Vault.at(path, busy_timeout=seconds)


def test_options_are_checked(path: Path, unlock: Unlock) -> None:
    with Vault.create(path, unlock, busy_timeout=0.5, synchronous="normal"):
        pass
    with Vault.open(path, unlock, busy_timeout=5, synchronous="full"):
        pass
    with pytest.raises(sealite.InvalidInput):
        Vault.at(path, synchronous="off")  # type: ignore[typeddict-item]
    with pytest.raises(sealite.InvalidInput):
        Vault.at(path, sealed_sql="none")  # type: ignore[typeddict-item]
    with pytest.raises(sealite.InvalidInput):
        Vault.at(path, disk_reserve=-1)
    with pytest.raises(TypeError, match="sealed_sq"):
        Vault.at(path, sealed_sq="off")  # type: ignore[call-arg]


def test_how_much_sql_sees_is_an_option(path: Path, unlock: Unlock) -> None:
    with Vault.create(path, unlock) as vault:
        vault.define_table("people", {"name": "text sealed"})
        vault.table("people").insert(name="Ada")
    scan = "SELECT name FROM people WHERE name = 'Ada'"
    with Vault.open(path, unlock, sealed_sql="indexed") as vault, pytest.raises(sealite.NotIndexed):
        vault.query(scan)
    with Vault.open(path, unlock, sealed_sql="off") as vault, pytest.raises(sealite.Sql):
        vault.query(scan)
    copy = "CREATE TABLE copy AS SELECT name FROM people"
    with Vault.open(path, unlock) as vault, pytest.raises(sealite.NotAllowed):
        vault.execute(copy)
    with Vault.open(path, unlock, sealed_to_plain=True) as vault:
        assert vault.query(scan)[0] == ("Ada",)
        vault.execute(copy)
        assert vault.query("SELECT name FROM copy")[0] == ("Ada",)


def test_a_foreign_database_is_refused_unless_it_is_allowed(tmp_path: Path, unlock: Unlock, run) -> None:
    path = tmp_path / "other.db"
    run("import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE t (a)')", path)
    with pytest.raises(sealite.NotAVault):
        Vault.create(path, unlock)
    with Vault.create(path, unlock, existing_database=True) as vault:
        assert len(vault.query("SELECT * FROM t")) == 0


def test_what_is_no_database_is_not_a_vault(path: Path, unlock: Unlock) -> None:
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(sealite.NotAVault):
        Vault.open(path, unlock)


def test_every_provider_unlocks(
    path: Path, key: str, unlock: Unlock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Vault.create(path, unlock).close()
    file = tmp_path / "key"
    file.write_text(key)
    file.chmod(0o600)
    monkeypatch.setenv("SEALITE_TEST_KEY", key)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    ways = [
        Unlock.key(bytes.fromhex(key)),
        Unlock.key(bytearray.fromhex(key)),
        Unlock.key_text(key),
        Unlock.environment("SEALITE_TEST_KEY"),
        Unlock.key_file(file),
        Unlock.credential("key"),
        Unlock.reference("env:SEALITE_TEST_KEY"),
        Unlock.reference(f"file:{file}"),
        Unlock.reference("credential:key"),
    ]
    for way in ways:
        assert way.kind == "key"
        with Vault.open(path, way) as vault:
            assert vault.status == "open"


def test_providers_refuse_what_they_should(tmp_path: Path, key: str) -> None:
    with pytest.raises(sealite.NotFound):
        Unlock.environment("SEALITE_SURELY_UNSET")
    with pytest.raises(sealite.NotFound):
        Unlock.docker_secret("surely-not-there")
    with pytest.raises(sealite.InvalidInput):
        Unlock.docker_secret("../etc/passwd")
    with pytest.raises(sealite.InvalidInput):
        Unlock.reference(key)
    with pytest.raises(sealite.InvalidInput):
        Unlock.recovery_code("AAAA-BBBB")
    open_to_others = tmp_path / "key"
    open_to_others.write_text(key)
    open_to_others.chmod(0o644)
    with pytest.raises(sealite.WeakKey):
        Unlock.key_file(open_to_others)


@pytest.mark.parametrize("weak", [b"", b"short", bytes(32), b"changeme" * 4, bytes(range(32))])
def test_weak_keys_are_refused(weak: bytes) -> None:
    with pytest.raises(sealite.WeakKey):
        Unlock.key(weak)


def test_weak_passphrases_and_costs_are_refused() -> None:
    with pytest.raises(sealite.WeakKey):
        Unlock.passphrase("short")
    with pytest.raises(sealite.Limit):
        Unlock.passphrase("correct horse battery", memory_kib=1)
    with pytest.raises(TypeError):
        Unlock.key("not bytes")  # type: ignore[arg-type]


def test_slots_are_added_listed_used_and_removed(path: Path, unlock: Unlock, vault: Vault) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=2)
    phrase = Unlock.passphrase("correct horse battery", **FLOOR)
    passphrase = vault.add_slot("phrase", phrase)
    recovery, code = vault.add_recovery_slot("paper")
    slots = vault.slots()
    assert [slot.kind for slot in slots] == ["key", "passphrase", "recovery"]
    assert [slot.id for slot in slots][1:] == [passphrase, recovery]
    assert slots[1].label == "phrase"
    assert before <= slots[1].created_at <= datetime.datetime.now(datetime.UTC)
    for way in (phrase, Unlock.recovery_code(code.reveal().lower())):
        Vault.open(path, way).close()
    vault.remove_slot(slots[0].id)
    with pytest.raises(sealite.WrongKey):
        Vault.open(path, unlock)
    vault.remove_slot(passphrase)
    with pytest.raises(sealite.LastSlot):
        vault.remove_slot(recovery)
    with pytest.raises(sealite.NotFound):
        vault.remove_slot(passphrase)


def test_a_wrong_key_is_told(path: Path, vault: Vault) -> None:
    with pytest.raises(sealite.WrongKey):
        Vault.open(path, Unlock.key_text(sealite.generate_key()))


def test_generated_keys_differ() -> None:
    keys = {sealite.generate_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key) == 64 for key in keys)


def test_a_vault_in_memory_works_like_one_in_a_file() -> None:
    with Vault.in_memory() as vault:
        vault.define_table("t", {"a": "sealed"})
        table = vault.table("t")
        table.insert_many(["a"], [(str(number),) for number in range(600)])
        scan = table.scan()
        next(scan)
        # The scan holds no connection between its batches.
        assert table.count() == 600
        assert len(list(scan)) == 599
        with vault.snapshot() as snapshot:
            assert snapshot.table("t").count() == 600


def test_a_process_knows_which_files_its_vaults_have_open(vault: Vault, path: Path, tmp_path: Path) -> None:
    assert Vault.holds_file(path) and Vault.holds_file(os.fsencode(path))
    assert not Vault.holds_file(tmp_path / "other.db")
    vault.close()
    assert not Vault.holds_file(path)
