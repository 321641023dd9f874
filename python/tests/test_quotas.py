"""Quotas: limits that all processes share and that outlive them."""

import copy
import datetime
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sealite
from sealite import QuotaLimit, Unlock, Vault


def test_a_limit_lets_so_many_through_and_says_when_the_next(vault: Vault) -> None:
    for left in (2, 1, 0):
        decision = vault.quotas.check_and_charge("login:10.0.0.1", "3/minute")
        assert decision and decision.allowed is True
        assert (decision.remaining, decision.retry_after) == (left, 0.0)
    refused = vault.quotas.check_and_charge("login:10.0.0.1", "3/minute")
    assert not refused and refused.allowed is False and refused.remaining == 0
    assert 0 < refused.retry_after <= 60 and 0 < refused.reset_after <= 60
    assert refused.limit == QuotaLimit.sliding(3, 60) and str(refused.limit) == "3/minute"
    assert vault.quotas.check_and_charge("login:10.0.0.2", "3/minute")


def test_a_window_ends(vault: Vault) -> None:
    limit = QuotaLimit.sliding(1, 0.2)
    # Until one comes within the window of the other, however slow the machine is.
    while refused := vault.quotas.check_and_charge("key", limit):
        pass
    time.sleep(refused.retry_after + 0.02)
    assert vault.quotas.check_and_charge("key", limit)


@pytest.mark.parametrize(
    "limits",
    [
        "2/second; 3/day",
        ["2/second", "3/day"],
        ("2/second", QuotaLimit.sliding(3, datetime.timedelta(days=1))),
        iter([QuotaLimit.sliding(2, 1), "3 per day"]),
    ],
)
def test_limits_are_given_in_any_form(vault: Vault, limits) -> None:
    limits = list(limits) if not isinstance(limits, str) else limits
    assert vault.quotas.check_and_charge("key", limits, cost=2)
    refused = vault.quotas.check_and_charge("key", limits, cost=2)
    assert not refused and str(refused.limit) == "3/day"


def test_all_limits_are_checked_before_any_is_charged(vault: Vault) -> None:
    limits = ["10/minute", "2/hour"]
    assert vault.quotas.check_and_charge("key", limits, 2)
    for _ in range(5):
        assert not vault.quotas.check_and_charge("key", limits)
    assert vault.quotas.peek("key", "10/minute").remaining == 8


def test_peek_charges_nothing_and_reset_forgets(vault: Vault) -> None:
    for _ in range(3):
        assert vault.quotas.peek("key", "1/hour").remaining == 1
    assert vault.quotas.reset("key") is False
    assert vault.quotas.check_and_charge("key", "1/hour")
    assert not vault.quotas.peek("key", "1/hour")
    assert vault.quotas.reset("key") is True
    assert vault.quotas.peek("key", "1/hour")


def test_only_failures_are_charged_where_only_they_count(vault: Vault) -> None:
    for left in (1, 0):
        assert vault.quotas.peek("password:ada", "2/hour")
        assert vault.quotas.charge_failure("password:ada", "2/hour").remaining == left
    assert not vault.quotas.peek("password:ada", "2/hour")
    assert not vault.quotas.charge_failure("password:ada", "2/hour")


def test_sweep_removes_what_is_over(vault: Vault) -> None:
    assert vault.quotas.sweep() == 0
    for number in range(3):
        vault.quotas.check_and_charge(f"key{number}", QuotaLimit.sliding(1, 1))
    time.sleep(2.1)
    # The charges may have removed some of each other's, never the last.
    assert 1 <= vault.quotas.sweep() <= 3
    assert vault.quotas.sweep() == 0


def test_limits_as_objects(vault: Vault) -> None:
    sliding, fixed = QuotaLimit.sliding(5, 10), QuotaLimit.fixed(5, 10.0)
    assert (sliding.count, sliding.window, sliding.is_fixed) == (5, 10.0, False)
    assert fixed.is_fixed and sliding != fixed and fixed != "5 per 10 seconds"
    assert {sliding, QuotaLimit.sliding(5, datetime.timedelta(seconds=10))} == {sliding}
    assert (str(sliding), repr(fixed)) == ("5 per 10 seconds", "<QuotaLimit 5 per 10 seconds, fixed>")
    assert vault.quotas.check_and_charge("key", [fixed]).limit == fixed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("", "1/day"), sealite.InvalidInput),
        (("key", ""), sealite.InvalidInput),
        (("key", []), sealite.InvalidInput),
        (("key", "often"), sealite.InvalidInput),
        (("key", "1/day", 0), sealite.InvalidInput),
        (("key", "1/day", -1), sealite.InvalidInput),
        (("key", "1/day", 2), sealite.InvalidInput),
        (("key", "1/day", 2**40), sealite.InvalidInput),
        (("key", "1/day", 1.5), TypeError),
        (("key", 30), sealite.TypeMismatch),
        (("key", [30]), sealite.TypeMismatch),
        (("key", ["1/day"] * 9), sealite.Limit),
        (("key", None), sealite.TypeMismatch),
        ((b"key", "1/day"), TypeError),
    ],
)
def test_what_is_no_quota_is_refused(vault: Vault, arguments, error: type[Exception]) -> None:
    with pytest.raises(error):
        vault.quotas.check_and_charge(*arguments)


@pytest.mark.parametrize("window", [0, -1, float("nan"), float("inf"), 1e300, 0.0001, datetime.timedelta(days=-1)])
def test_what_is_no_window_is_refused(window) -> None:
    with pytest.raises(sealite.InvalidInput):
        QuotaLimit.sliding(1, window)
    with pytest.raises(sealite.TypeMismatch):
        QuotaLimit.fixed(1, "minute")  # type: ignore[arg-type]


def test_a_key_is_in_no_message(vault: Vault) -> None:
    with pytest.raises(sealite.TypeMismatch) as caught:
        vault.quotas.check_and_charge("Xanthippe\ud800", "1/day")
    assert "Xanthippe" not in str(caught.value)


def test_a_key_is_not_in_the_file(vault: Vault, path: Path) -> None:
    vault.quotas.check_and_charge("Xanthippe-4711", "1/day")
    vault.execute("CREATE TABLE control (text TEXT)")
    vault.execute("INSERT INTO control VALUES ('positive-control')")
    vault.close()
    stored = b"".join(file.read_bytes() for file in path.parent.glob("app.db*"))
    assert b"positive-control" in stored and b"Xanthippe" not in stored


def test_a_charge_inside_a_transaction_is_refused(vault: Vault) -> None:
    with vault.transaction(), pytest.raises(sealite.Refused):
        vault.quotas.check_and_charge("key", "1/day")
    assert vault.quotas.peek("key", "1/day")


def test_tenants_are_apart(vault: Vault) -> None:
    acme, other = vault.tenant("acme"), vault.tenant("other")
    for quotas in (acme.quotas, other.quotas, vault.quotas):
        assert quotas.check_and_charge("key", "1/day")
        assert not quotas.check_and_charge("key", "1/day")
    assert acme.quotas.reset("key")
    assert not other.quotas.peek("key", "1/day")


def test_quotas_outlive_the_vault_s_handle(vault: Vault, path: Path, unlock: Unlock) -> None:
    quotas = vault.quotas
    assert quotas.check_and_charge("key", "1/day")
    vault.close()
    with pytest.raises(sealite.Closed):
        quotas.peek("key", "1/day")
    with Vault.open(path, unlock) as again:
        assert not again.quotas.check_and_charge("key", "1/day")


def test_quotas_work_in_memory() -> None:
    with Vault.in_memory() as vault:
        assert vault.quotas.check_and_charge("key", "1/day")
        assert not vault.quotas.check_and_charge("key", "1/day")


def test_quotas_are_neither_made_by_hand_nor_copied(vault: Vault) -> None:
    for kind in (sealite.Quotas, sealite.QuotaLimit, sealite.Decision):
        with pytest.raises(TypeError):
            kind()
    for refused in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            refused(vault.quotas)


HAMMER = """
import sys, sealite
vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment("APP_KEY"), busy_timeout=60)
print(sum(bool(vault.quotas.check_and_charge("key", "50/hour")) for _ in range(40)))
"""


def test_four_processes_never_get_more_than_the_limit(vault: Vault, path: Path, key: str) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, str(path)],
            env={**os.environ, "APP_KEY": key},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    through = [int(child.communicate(timeout=120)[0]) for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert sum(through) == 50
    assert vault.quotas.peek("key", "50/hour").remaining == 0


def test_the_limits_of_a_text_are_objects(vault: Vault) -> None:
    limits = sealite.QuotaLimit.parse("30/minute; 5 per 10 seconds")
    assert limits == [sealite.QuotaLimit.sliding(30, 60), sealite.QuotaLimit.sliding(5, 10)]
    assert vault.quotas.check_and_charge("k", limits).limit == limits[1]
    for text in ("", "often", "0/minute"):
        with pytest.raises(sealite.InvalidInput):
            sealite.QuotaLimit.parse(text)
