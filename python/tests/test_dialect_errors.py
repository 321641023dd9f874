"""What the dialect's errors and logs show: on `sqlite+sealite` parameters and rows are in clear, and stay out of them."""

import asyncio
import contextlib
import copy
import enum
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.asyncio import create_async_engine
from werkzeug.debug import DebuggedApplication
from werkzeug.test import Client

import sealite
from canary import CANARY, shown
from sealite import dbapi2
from sealite.sqlalchemy import Sealed


class Colour(enum.Enum):
    RED = "r"


METADATA = sa.MetaData()
COLUMNS: dict[str, Sealed] = {
    "email": Sealed(sa.Text(), index="unique email", label="t.email"),
    "colour": Sealed(sa.Enum(Colour, validate_strings=True), label="t.colour"),
    "day": Sealed(sa.Date(), label="t.day"),
    "json": Sealed(sa.JSON(), label="t.json"),
    "amount": Sealed(sa.Numeric(), label="t.amount"),
    "uuid": Sealed(sa.Uuid(), label="t.uuid"),
}
TABLE = sa.Table(
    "t",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(name, each) for name, each in COLUMNS.items()),
    sa.Column("plain", sa.Text),
)
MAIL = f"{CANARY}@example.org"
WRONG: dict[str, Any] = {
    "conflict": {"email": MAIL.upper(), "plain": CANARY},
    "conflict among several": [{"email": "a@example.org", "plain": CANARY}, {"email": MAIL, "plain": CANARY}],
    "an enumeration": {"colour": CANARY},
    "a date": {"day": CANARY},
    "JSON": {"json": {CANARY: object()}},
    "a number": {"amount": CANARY},
    "a UUID": {"uuid": CANARY},
    "a key": {"id": CANARY},
    "a type": {"plain": CANARY, "email": object()},
    "not Unicode": {"email": f"{CANARY}\ud800"},
}


def make(**keywords: Any) -> sa.Engine:
    engine = sa.create_engine("sqlite+sealite://", poolclass=sa.StaticPool, **keywords)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(TABLE), {"email": MAIL, "plain": CANARY})
    return engine


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    engine = make()
    yield engine
    engine.dispose()


def everything(error: BaseException) -> str:
    """What can be read of an error and of those that it came from, without its frames."""
    text = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        text += repr(seen) + str(seen) + repr(vars(seen)) + repr(seen.args)
        with contextlib.suppress(TypeError, AttributeError):
            text += repr(pickle.dumps(seen)) + repr(copy.copy(seen))
        text += str(getattr(seen, "params", None)) + str(getattr(seen, "object", None))
        seen = seen.__cause__ or seen.__context__
    return text


@pytest.mark.parametrize("what", WRONG)
def test_no_error_shows_what_was_given(engine: sa.Engine, what: str) -> None:
    with engine.connect() as connection, pytest.raises(Exception) as raised:  # noqa: PT011
        connection.execute(sa.insert(TABLE), WRONG[what])
    assert not shown(everything(raised.value))


@pytest.mark.parametrize("what", WRONG)
def test_no_error_of_the_driver_shows_what_was_given(engine: sa.Engine, what: str) -> None:
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        given = WRONG[what] if isinstance(WRONG[what], dict) else WRONG[what][1]
        for kind in (tuple, dict):
            marks = (f":{name}" if kind is dict else "?" for name in given)
            text = f"INSERT INTO t ({', '.join(given)}) VALUES ({', '.join(marks)})"
            values = given if kind is dict else tuple(given.values())
            for run in (lambda: raw.execute(text, values), lambda: raw.executemany(text, [values, values])):  # noqa: B023
                try:
                    run()
                except (dbapi2.Error, UnicodeEncodeError) as error:
                    shows = "".join(traceback.format_exception(error)) + str(error)
                    assert not shown(shows if isinstance(error, UnicodeError) else everything(error))
                raw.rollback()


@pytest.mark.parametrize("name", ["colour", "day", "uuid"])
def test_no_error_shows_what_was_read(engine: sa.Engine, name: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(f"UPDATE t SET {name} = ?", (CANARY,))
        with pytest.raises(sealite.TypeMismatch) as raised:
            connection.execute(sa.select(TABLE.c[name])).all()
    assert not shown(everything(raised.value))


ECHOES: dict[str, Callable[[], sa.Engine]] = {
    "echo": lambda: make(echo=True),
    "echo of rows": lambda: make(echo="debug"),
    "options": lambda: make(echo="debug").execution_options(logging_token="x"),
    "configured": lambda: sa.engine_from_config({"sqlalchemy.url": "sqlite+sealite://", "sqlalchemy.echo": "debug"}),
    "configured, said": lambda: sa.engine_from_config({"sqlalchemy.url": "sqlite+sealite://", "sqlalchemy.hide_parameters": "true"}),
}


@pytest.mark.parametrize("what", ECHOES)
def test_no_log_shows_parameters_or_rows(what: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "sqlalchemy"):
        engine = ECHOES[what]()
        work(engine)
        engine.dispose()
    assert "INSERT INTO t" in caplog.text and "failed" in caplog.text and not shown(caplog.text)


def work(engine: sa.Engine) -> None:
    METADATA.create_all(engine)
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(TABLE), {"email": f"other{MAIL}", "plain": CANARY})
            connection.execute(sa.insert(TABLE), [{"email": f"{n}{MAIL}", "plain": CANARY} for n in range(3)])
            assert connection.execute(sa.select(TABLE.c.email, TABLE.c.plain)).all()[-1][1] == CANARY
            connection.exec_driver_sql("SELECT ? AS given", (CANARY,)).all()
            connection.execute(sa.insert(TABLE), {"email": f"1{MAIL}"})
    except sa.exc.IntegrityError:
        logging.getLogger("sqlalchemy.test").exception("failed")


def test_who_wants_to_see_them_says_so(caplog: pytest.LogCaptureFixture) -> None:
    for said in (False, "false"):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "sqlalchemy"):
            engine = make(hide_parameters=said, echo="debug")
            with pytest.raises(sa.exc.IntegrityError) as raised, engine.begin() as connection:
                connection.execute(sa.insert(TABLE), {"email": MAIL})
            engine.dispose()
        assert shown(str(raised.value)) and shown(caplog.text)


def test_tasks_are_as_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        engine = create_async_engine("sqlite+sealite_async://", echo="debug")
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(sa.insert(TABLE), {"email": MAIL})
            assert (await connection.execute(sa.select(TABLE.c.email))).all() == [(MAIL,)]
            with pytest.raises(sa.exc.IntegrityError) as raised:
                await connection.execute(sa.insert(TABLE), {"email": MAIL})
        assert not shown(everything(raised.value))
        await engine.dispose()

    with caplog.at_level(logging.DEBUG, "sqlalchemy"):
        asyncio.run(main())
    assert "INSERT INTO t" in caplog.text and not shown(caplog.text)


@pytest.mark.parametrize("said", [None, False])
def test_flask_s_debug_page_does_not_show_them(said: bool | None) -> None:
    app = flask.Flask(__name__)
    app.debug = True
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite+sealite://"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {} if said is None else {"hide_parameters": said}
    db = SQLAlchemy(app)

    class Guest(db.Model):  # type: ignore[name-defined,misc]
        id = sa.Column(sa.Integer, primary_key=True)
        email = sa.Column(Sealed(sa.Text(), index="unique", label="guest.email"))

    @app.get("/")
    def fail() -> str:
        db.create_all()
        for _ in range(2):
            db.session.add(Guest(email=MAIL))
            db.session.commit()
        return ""

    page = Client(DebuggedApplication(app, evalex=True)).get("/")
    assert page.status_code == 500 and "UNIQUE constraint failed" in page.text
    assert shown(page.text) is (said is False)


class Failing(sa.types.TypeDecorator[Any]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        failed = sealite.Conflict("refused")
        failed.sqlite_code = failed.sqlite_errorcode = 2067  # type: ignore[attr-defined]
        failed.add_note("a note")
        raise failed


@pytest.mark.parametrize("url", ["sqlite://", "sqlite+sealite://"])
def test_what_a_type_refuses_keeps_its_codes_and_notes(url: str) -> None:
    """SQLAlchemy raises a new one from the one that was raised."""
    engine = sa.create_engine(url)
    with engine.connect() as connection, pytest.raises(sealite.Conflict) as raised:
        connection.execute(sa.select(sa.literal(CANARY, Failing())))
    error: Any = raised.value
    assert (str(error), error.code, error.name) == ("refused", sealite.Conflict.code, "conflict")
    assert (error.sqlite_code, error.sqlite_errorcode, error.__notes__) == (2067, 2067, ["a note"])
    assert isinstance(error.__cause__, sealite.Conflict) and error.__cause__ is not error
    assert not shown(everything(error))
    engine.dispose()
