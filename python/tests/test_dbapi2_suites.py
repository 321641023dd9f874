"""Two suites that nobody here wrote: the DB-API compliance tests of PyPI, and CPython's own tests of sqlite3."""

import importlib
import json
import os
import sqlite3
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path
from typing import Any

import pytest

import sealite
from missing import missing
from sealite import dbapi2

HERE = Path(__file__).parent
DEVIATIONS = HERE / "dbapi2_deviations.toml"


def deviations() -> dict[str, str]:
    """Tests that do not pass, with the reason."""
    groups = tomllib.loads(DEVIATIONS.read_text("utf-8"))["deviation"]
    return {test: group["reason"] for group in groups for test in group["tests"]}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, str]]:
    environment = {**os.environ, "SEALITE_TEST_KEY": sealite.generate_key()}
    done = subprocess.run(
        [sys.executable, HERE / "run_sqlite3_tests.py"], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] | None = json.loads(done.stdout)
    if found is None:
        missing("this interpreter comes without CPython's tests of sqlite3 (Debian's does, even with its testsuite package)")
    return found


def test_cpython_tests_of_sqlite3_pass_but_for_those_listed(outcomes: dict[str, dict[str, str]]) -> None:
    failed = {name: outcomes["reasons"][name] for name, outcome in outcomes["outcomes"].items() if outcome == "failed"}
    unlisted = {name: reason for name, reason in failed.items() if name not in deviations()}
    assert not unlisted, json.dumps(unlisted, indent=1)
    assert sum(outcome == "ok" for outcome in outcomes["outcomes"].values()) > 300


def test_every_listed_deviation_is_one(outcomes: dict[str, dict[str, str]]) -> None:
    passed = [name for name in deviations() if outcomes["outcomes"].get(name) == "ok"]
    assert not passed, "these pass: take them off the list"


def test_the_compliance_suite_passes_where_sqlite3_does(tmp_path: Path) -> None:
    key = {"key_bytes": b"0123456789abcdef" * 2}
    ours, run = failures(compliance(dbapi2, tmp_path / "ours.db", key))
    theirs, _ = failures(compliance(sqlite3, tmp_path / "theirs.db", {}))
    listed = set(tomllib.loads(DEVIATIONS.read_text("utf-8"))["compliance"]["tests"])
    assert run > 30
    assert set(ours) == listed, ours
    # What sqlite3 does, programs rely on: PEP 249 is not followed against it.
    assert set(theirs) >= listed, theirs


def failures(case: type[unittest.TestCase]) -> tuple[dict[str, str], int]:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    failed = {test.id().rpartition(".")[2]: trace for test, trace in result.errors + result.failures}
    return failed, result.testsRun


def compliance(module: Any, database: Path, keywords: dict[str, Any]) -> type[unittest.TestCase]:
    dbapi20: Any = importlib.import_module("dbapi20")

    class Compliance(dbapi20.DatabaseAPI20Test):  # type: ignore[misc]
        driver = module
        connect_args = (database,)
        connect_kw_args = keywords

        # The parts that a driver is to fill in, or that SQLite has nothing for.
        def test_nextset(self) -> None:
            self.assertFalse(hasattr(module.Cursor, "nextset"))

        def test_callproc(self) -> None:
            self.assertFalse(hasattr(module.Cursor, "callproc"))

        def test_setoutputsize(self) -> None:
            connection = self._connect()
            try:
                connection.cursor().setoutputsize(1_000)
            finally:
                connection.close()

    return Compliance
