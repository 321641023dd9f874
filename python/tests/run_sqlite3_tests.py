"""Runs CPython's own tests of sqlite3 against `sealite.dbapi2`, and prints what became of each as JSON.

They are those of the interpreter that runs this, as its `test` package has them; nothing of them is kept here.

    SEALITE_TEST_KEY=… python run_sqlite3_tests.py
"""

import importlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import types
import unittest
import warnings
from typing import Any

from sealite import dbapi2

KEY = "env:SEALITE_TEST_KEY"
MODULES = ["backup", "dbapi", "dump", "factory", "hooks", "regression", "transactions", "types", "userfunctions"]


class Connection(dbapi2.Connection):
    """A connection whose files all have one key: the tests name files only."""

    def __init__(self, database: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(database, *arguments, **{"key": KEY, **keywords})


def stand_in() -> types.ModuleType:
    """A module that the tests take for sqlite3."""
    module = types.ModuleType("sqlite3")
    module.__dict__.update({name: value for name, value in vars(dbapi2).items() if not name.startswith("__")})
    # SQLite's warnings and errors name the module by its classes' names only.
    vars(module)["Connection"] = Connection

    def connect(database: Any, *arguments: Any, **keywords: Any) -> Any:
        factory = arguments[4] if len(arguments) > 4 else keywords.get("factory", Connection)
        return factory(database, *arguments, **keywords)

    vars(module)["connect"] = connect
    module.__path__ = []
    return module


class Results(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def _note(self, test: Any, outcome: str, reason: str = "") -> None:
        # A sub-test is told as its test.
        whole = getattr(test, "test_case", test)
        name = whole.id().removeprefix("test.test_sqlite3.")
        if outcome == "ok":
            self.outcomes.setdefault(name, "ok")
            return
        self.outcomes[name] = outcome
        self.reasons.setdefault(name, reason)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._note(test, "ok")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._note(test, "skipped", reason)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._note(test, "failed", last_line(err))

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self._note(test, "failed", last_line(err))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self._note(test, "failed", last_line(err))


def last_line(err: Any) -> str:
    return f"{err[0].__name__}: {err[1]}".splitlines()[0][:200]


def main() -> None:
    sys.modules["sqlite3"] = sys.modules["sqlite3.dbapi2"] = stand_in()
    results, suite = Results(), unittest.TestSuite()
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.test_sqlite3") is None:
        print(json.dumps(None))
        return
    warnings.simplefilter("ignore")
    said, sys.stdout, sys.stderr = sys.stdout, io.StringIO(), io.StringIO()
    only = sys.argv[1:]
    for name in MODULES:
        module = importlib.import_module(f"test.test_sqlite3.test_{name}")
        suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(module))
    if only:
        chosen = [test for test in flat(suite) if any(part in test.id() for part in only)]
        suite = unittest.TestSuite(chosen)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        suite.run(results)
        os.chdir("/")
    said.write(json.dumps({"outcomes": results.outcomes, "reasons": results.reasons}, indent=1, sort_keys=True) + "\n")


def flat(suite: Any) -> Any:
    for each in suite:
        yield from flat(each) if isinstance(each, unittest.TestSuite) else [each]


if __name__ == "__main__":
    main()
