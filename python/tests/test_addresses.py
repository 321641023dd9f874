"""Where a database is said by a text, a file's URI or SQLAlchemy's URL, whatever it is: it is understood, or it is an error of
the module's own, which shows no key. Texts are put together at random from what such texts are made of."""

import contextlib
import os
import random
import re
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import sealite
import sealite.sqlalchemy
from sealite import dbapi2

KEY = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f"
# The name of a variable or a file is a name, and shown, whatever it looks like.
NAMED = re.compile(rf"(^|key=)(env|file|credential|docker):[^&]*{KEY}", re.IGNORECASE | re.DOTALL)
# In full, and as somebody has torn it.
SHOWN = (KEY, KEY[:16], KEY[-16:])
FULL = bool(os.environ.get("SEALITE_TEST_FULL"))
SEED = int(os.environ.get("SEALITE_TEST_SEED", "20261123"))

WORDS = """
    file: // / /// localhost app.db :memory: . .. ? & = # % %00 %zz %ff %3F %26 @ : ; + ~ key mode cache ro rw rwc memory shared
    timeout isolation_level detect_types check_same_thread cached_statements uri existing_database hide_parameters true false yes 1
    -1 0.5 1e999 nan DEFERRED env:NOT_THERE file:/nowhere/key credential:none docker:none env: sqlite+sealite:// passphrase
""".split()
WORDS += [KEY, KEY.upper(), "\0", "\ud800", "é", " ", "\n", "%d8%00", "a" * 5_000, "key=" + KEY, "&key=", "?key=", "?mode=memory"]


def texts(count: int) -> list[str]:
    chance = random.Random(SEED)
    starts = ["", "file:", "file:app.db?", "file:///x?", "file:x?mode=memory&key=", "file:x?key=", KEY]
    made = [chance.choice(starts) + "".join(chance.choices(WORDS, k=chance.randrange(8))) for _ in range(count)]
    return [text for text in made if not NAMED.search(text)]


def told(error: BaseException) -> str:
    """All that a log of it would have."""
    text = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        text += repr(seen) + str(vars(seen)) + repr(getattr(seen, "object", None))
        seen = seen.__cause__ or seen.__context__
    return text.lower()


def check(what: str, call: Callable[[], Any], own: tuple[type[BaseException], ...]) -> bool:
    """True where it was understood."""
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            found = call()
        said = " ".join(str(warning.message) for warning in warned)
    except own as error:
        found, said = None, told(error)
    except Exception as error:
        raise AssertionError(f"seed {SEED}: {what!r} gives {type(error)}") from error
    for key in SHOWN:
        assert key not in said, f"seed {SEED}: {what!r} shows a key"
    if found is not None:
        found.close()
    return found is not None


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("uri", [True, False])
def test_any_text_for_a_database_is_understood_or_refused_without_its_key(uri: bool, tmp_path: Path) -> None:
    understood = 0
    for text in texts(20_000 if FULL else 500):
        understood += check(text, lambda: dbapi2.connect(text, uri=uri), (dbapi2.Error,))  # noqa: B023
        if not text.startswith(("env:", "file:", "credential:", "docker:")):
            understood += check(text, lambda: dbapi2.connect("app.db", uri=uri, key=text), (dbapi2.Error,))  # noqa: B023
    # Those in memory. No file was made, since none of the keys is there.
    assert understood > 0 and list(tmp_path.iterdir()) == []


def test_any_url_is_understood_or_refused_without_its_key(tmp_path: Path) -> None:
    chance = random.Random(SEED + 1)
    understood = 0
    for text in texts(10_000 if FULL else 300):
        scheme = chance.choice(["sqlite+sealite:///", "sqlite+sealite://", "sqlite+sealite:////tmp/"])
        try:
            url = sa.make_url(scheme + text)
        except (sa.exc.ArgumentError, ValueError):
            # SQLAlchemy's own.
            continue
        if url.drivername != "sqlite+sealite":
            continue

        def connected(url: sa.URL = url) -> Any:
            engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
            with contextlib.closing(engine.raw_connection()) as connection:
                connection.rollback()
            return connection

        own = (sa.exc.SQLAlchemyError, dbapi2.Error, sealite.SealiteError)
        understood += check(scheme + text, connected, own)
    assert understood > 0 and list(tmp_path.iterdir()) == []
