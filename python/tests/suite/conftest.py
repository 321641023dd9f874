"""Runs the suite: SQLAlchemy's plugin, where asked for with text columns sealed, and a record of what each test came to."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.dialects.sqlite import provision

provision._drivernames |= {"sealite"}

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403

if os.environ.get("SUITE_SEAL"):
    import sealing

    sealing.install()

_DRIVER = re.compile(r"_sqlite\+\w+?_[\d_]+")
_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = _DRIVER.sub("", report.nodeid.partition("::")[2])
    if report.when == "call" or report.outcome != "passed":
        why = "" if report.outcome == "passed" else str(report.longrepr).strip().rsplit("\n", 1)[-1]
        if _outcomes.get(name, "passed").startswith("passed"):
            _outcomes[name] = f"{report.outcome} {why}" if report.outcome == "failed" else report.outcome


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(_outcomes, indent=1, sort_keys=True))
    return (yield)
