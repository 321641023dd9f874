"""Health and metrics: reasons that are really provoked, figures that are really counted."""

import re
import sqlite3
import threading
from pathlib import Path

import pytest

import sealite
from sealite import Table, Unlock, Vault

SECRET = "Xanthippe-unique-4711"
LINE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9.e+-]+')


def samples(text: str) -> dict[str, float]:
    """The samples of Prometheus's text format; each line has to be one, or a comment."""
    lines = text.splitlines()
    assert text.endswith("\n") and all(LINE.fullmatch(line) or line.startswith(("# HELP ", "# TYPE ")) for line in lines)
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_a_vault_in_order_is_ready(vault: Vault) -> None:
    health = vault.health()
    assert health and health.ready and health.usable and health.blocking == []
    assert (health.status, health.reasons, health.error) == ("ready", [], None)
    assert repr(health) == "<Health: ready>"
    assert Vault.in_memory().health()


def test_what_can_not_be_used_says_why(path: Path, unlock: Unlock) -> None:
    vault = Vault.at(path)
    assert (vault.health().reasons, vault.health().usable) == (["not_initialised"], False)
    assert vault.health().blocking == ["not_initialised"]
    vault.initialise(unlock)
    vault.lock()
    locked = vault.health()
    assert not locked and (locked.status, locked.reasons) == ("degraded", ["locked"])
    assert repr(locked) == "<Health: degraded, locked>"
    vault.unlock(unlock)
    assert vault.health()
    vault.close()
    assert vault.health().reasons == ["unreadable"]
    assert isinstance(vault.health().error, sealite.Closed)


def test_a_disk_that_is_nearly_full_is_told_and_usable(vault: Vault, path: Path, unlock: Unlock) -> None:
    vault.close()
    with Vault.open(path, unlock, disk_reserve=2**62) as again:
        health = again.health()
        assert (health.reasons, health.ready, health.usable) == (["disk_nearly_full"], False, True)
        assert health.blocking == []
    with Vault.open(path, unlock, disk_reserve=0) as again:
        assert again.health()
    with pytest.raises(sealite.InvalidInput):
        Vault.open(path, unlock, disk_reserve=-1)


def test_an_edited_audit_trail_is_told(vault: Vault, path: Path, unlock: Unlock) -> None:
    vault.approvals.create("a", {}, "ada")
    vault.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sealite_audit_sealed SET sealed = zeroblob(length(sealed))")
    connection.commit()
    connection.close()
    with Vault.open(path, unlock) as again:
        assert again.health().reasons == ["audit_broken"]


def test_the_clock_is_accepted_as_it_is(vault: Vault) -> None:
    vault.accept_clock()
    assert vault.health()


def test_what_is_asked_for_is_counted(vault: Vault, users: Table) -> None:
    id = users.insert(email="a@x.example", name=SECRET)
    users.insert_many([{"email": f"{number}@x.example"} for number in range(3)])
    users.get(id)
    users.find("email", "a@x.example")
    users.update(id, name="b")
    users.delete(id)
    assert len(list(users.scan())) == 3
    before = vault.metrics().rolled_back
    with pytest.raises(ZeroDivisionError), vault.transaction() as transaction:
        transaction.table("users").insert(email="b@x.example")
        raise ZeroDivisionError
    assert vault.metrics().rolled_back == before + 1
    for _ in range(3):
        vault.quotas.check_and_charge("key", "2/day")
    vault.approvals.decide(vault.approvals.create("a", {}, "ada"), "grace", "reject")
    found = vault.metrics()
    assert (found.gets, found.finds, found.inserts, found.updates, found.deletes) == (1, 1, 5, 1, 1)
    assert found.scan_rows == 3
    assert (found.quota_charged, found.quota_refused) == (2, 1)
    assert (found.approvals_created, found.approvals_decided) == (1, 1)
    assert found.audit_appended >= 2 and found.committed >= 6 and found.uptime > 0
    assert (found.busy, found.authentication_failures, found.settings_used) == (0, 0, 0)
    assert (found.settings_revealed, found.audit_lost) == (0, 0)


def test_latencies_are_measured(vault: Vault, users: Table) -> None:
    for number in range(130):
        users.insert(email=f"{number}@x.example")
        users.get(1)
    found = vault.metrics()
    for histogram in (found.read, found.write, found.commit):
        bounds, counts = zip(*histogram.buckets, strict=True)
        assert list(bounds) == sorted(bounds) and list(counts) == sorted(counts)
        assert counts[-1] <= histogram.count and histogram.sum > 0
    assert found.read.count >= 2 and found.write.count >= 130 and found.commit.count >= 130


def test_prometheus_reads_the_figures(vault: Vault, users: Table) -> None:
    users.insert(email="a@x.example", name=SECRET)
    vault.quotas.check_and_charge(SECRET, "1/day")
    vault.quotas.check_and_charge(SECRET, "1/day")
    vault.count("requests_total", 3)
    text = vault.metrics().prometheus()
    found = samples(text)
    assert found["sealite_quota_refused_total"] == 1 and found["requests_total"] == 3
    assert SECRET not in text and SECRET not in repr(vault.metrics())
    named = samples(vault.metrics().prometheus({"rate_limited_total": "sealite_quota_refused_total"}))
    assert named["rate_limited_total"] == 1 and "sealite_quota_refused_total" not in named
    for names in ({"a b": "sealite_quota_refused_total"}, {"a": "nothing"}, {"requests_total": "sealite_quota_refused_total"}):
        with pytest.raises(sealite.InvalidInput):
            vault.metrics().prometheus(names)
    for mistyped in ({"a": 1}, {1: "a"}, ["a"]):
        with pytest.raises(sealite.TypeMismatch):
            vault.metrics().prometheus(mistyped)  # type: ignore[arg-type]


def test_the_application_counts_under_its_own_names(vault: Vault) -> None:
    vault.count("admin_requests_total", 0)
    threads = [threading.Thread(target=lambda: [vault.count("hits_total") for _ in range(1_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert vault.metrics().application == {"admin_requests_total": 0, "hits_total": 4_000}
    for name, by in (("hits_total", -1), ("a-b", 1), ("", 1), ("sealite_gets_total", 1)):
        with pytest.raises(sealite.InvalidInput):
            vault.count(name, by)


def test_nothing_of_health_is_made_by_hand() -> None:
    for kind in (sealite.Health, sealite.Metrics, sealite.Histogram):
        with pytest.raises(TypeError):
            kind()


def test_the_engine_s_own_tables_are_not_reached(vault: Vault) -> None:
    vault.approvals.create("a", {}, "ada")
    vault.quotas.check_and_charge("key", "1/day")
    for root in (vault, vault.tenant("acme")):
        for name in ("sealite_audit", "sealite_approvals", "sealite_tenant_approvals", "sealite_quotas"):
            with pytest.raises(sealite.NotFound):
                root.table(name)
