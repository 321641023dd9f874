"""Where CI runs the tests none of them is left out for want of a program."""

import pytest

from missing import missing


def test_what_is_missing_fails_in_ci_and_is_skipped_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a program"):
        missing("a program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="a program"):
        missing("a program")
