"""Runs the suite: SQLAlchemy's plugin, where asked for with text columns sealed, and a record of what each test came to."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403

if os.environ.get("SUITE_SEAL"):
    import sealing

    sealing.install()


_start = pytest_sessionstart  # noqa: F405


def pytest_sessionstart(session: pytest.Session) -> None:
    from sqlalchemy.dialects.sqlite import provision

    # No second file is attached, which the engine would refuse: the same for both drivers.
    provision.post_configure_engine.fns["sqlite"] = lambda *given: None
    _start(session)



_DRIVER = re.compile(r"_sqlite\+\w+?_[\d_]+")
_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = _DRIVER.sub("", report.nodeid.partition("::")[2])
    if report.when == "call" or report.outcome != "passed":
        if _outcomes.get(name, "passed") == "passed":
            _outcomes[name] = f"failed {_why(report)}" if report.outcome == "failed" else report.outcome


def _why(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).split("\n", 1)[0]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(_outcomes, indent=1, sort_keys=True))
    return (yield)
