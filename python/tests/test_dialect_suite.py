"""SQLAlchemy's own suite for dialects: with pysqlite, with the engine, and with the engine and every text column sealed.
What differs is listed, with its reason, in suite/differences.toml; anything else that differs fails here.

A sample, without the many variants of reflecting several tables at once; all of it with SEALITE_TEST_FULL=1.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

SUITE = Path(__file__).with_name("suite")
FULL = os.environ.get("SEALITE_TEST_FULL") == "1"
RUNS = {"pysqlite": "sqlite:///{}", "plain": "sqlite+sealite:///{}?key=env:APP_KEY", "sealed": "sqlite+sealite:///{}?key=env:APP_KEY"}

Outcomes = dict[str, str]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcomes]:
    def run(name: str) -> Outcomes:
        folder = tmp_path_factory.mktemp(name)
        command = [sys.executable, "-m", "pytest", "-c", SUITE / "setup.cfg", "--rootdir", SUITE, SUITE / "dialect.py"]
        command += ["--dburi", RUNS[name].format(folder / "suite.db"), *([] if FULL else ["-k", "not multi"])]
        environment = {**os.environ, "APP_KEY": "env-key", "SUITE_OUTCOMES": str(folder / "outcomes.json")}
        import sealite

        environment["APP_KEY"] = sealite.generate_key()
        if name == "sealed":
            environment["SUITE_SEAL"] = "1"
        done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, timeout=3_600)
        # 1: tests failed, which is looked at below.
        assert done.returncode in (0, 1), done.stdout[-5_000:] + done.stderr[-5_000:]
        found: Outcomes = json.loads((folder / "outcomes.json").read_text())
        return found

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(RUNS, threads.map(run, RUNS), strict=True))


def short(outcome: str) -> str:
    return outcome.split(maxsplit=1)[0]


@pytest.mark.parametrize("run", ["plain", "sealed"])
def test_what_differs_is_listed(outcomes: dict[str, Outcomes], run: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected, found = outcomes["pysqlite"], outcomes[run]
    assert len(expected) > (1_000 if not FULL else 1_700)
    listed = tomllib.loads((SUITE / "differences.toml").read_text()).get("difference", [])
    patterns = {pattern for each in listed if run in each["runs"] for pattern in each["tests"]}
    differing = {name for name in {*expected, *found} if short(expected.get(name, "none")) != short(found.get(name, "none"))}
    unlisted = {name: found.get(name) for name in differing if not any(fnmatchcase(name, pattern) for pattern in patterns)}
    with capsys.disabled():
        counts = {name: dict(Counter(map(short, outcomes[name].values()))) for name in ("pysqlite", run)}
        print(f"\n{counts}, {len(differing)} differ", end=" ")
    assert not unlisted, json.dumps(unlisted, indent=1)
    unused = {pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in differing)}
    assert not (FULL and unused), f"no longer different: {unused}"
