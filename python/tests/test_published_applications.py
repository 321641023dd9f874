"""Applications that others have published, unchanged, before and after their personal columns are sealed."""

from pathlib import Path

import pytest

import published
from published import Site
from published_comments import Comments
from published_wiki import Wiki


@pytest.fixture(scope="module")
def python() -> Path:
    return published.environment()


@pytest.mark.parametrize("application", [Wiki, Comments])
def test_a_published_application_gives_the_same_pages_once_its_columns_are_sealed(
    application: type[Site], python: Path, tmp_path: Path
) -> None:
    plain = application(python, tmp_path / "plain")
    plain.use(plain.first)
    before = plain.bytes_of_the_database()
    adopted = plain.copy_to(tmp_path / "adopted")
    adopted.seal()
    adopted.use(adopted.second)
    plain.use(plain.second)
    # One that is sealed before anybody uses it: its first start makes the tables.
    fresh = application(python, tmp_path / "fresh")
    fresh.use(lambda: None)
    fresh.seal()
    fresh.use(fresh.first, fresh.second)

    assert adopted.transcript == plain.transcript
    assert fresh.transcript == plain.transcript
    stood = [canary for canary in plain.canaries() if canary.encode() in before]
    assert len(stood) > 5
    for site in (adopted, fresh):
        after = site.bytes_of_the_database()
        assert [canary for canary in site.canaries() if canary.encode() in after] == []
