"""What Flask and FastAPI show of an error, with everything in reach that holds the canary."""

import os
import traceback
from typing import Annotated, Any

import fastapi
import fastapi.exceptions
import fastapi.testclient
import flask
import pydantic
import pytest
from werkzeug.debug import DebuggedApplication
from werkzeug.debug.tbtools import DebugTraceback
from werkzeug.test import Client

import sealite
import sealite.fastapi
import sealite.flask
from canary import CANARY, held, shown  # noqa: F401


class Open:
    """What hides nothing."""

    def __repr__(self) -> str:
        return f"<Open {CANARY}>"


def debug_page(value: Any) -> str:
    """The page of an error with the value in reach, and what its console says of it in each of its frames."""
    try:
        raise RuntimeError(f"it failed with {value} {value!r}", value)
    except RuntimeError as error:
        trace = DebugTraceback(error)
    page = trace.render_debugger_html(evalex=True, secret="", evalex_trusted=True) + trace.render_traceback_text()
    asked = [frame.console.eval("value") for frame in trace.all_frames]
    return page + "".join(asked)


def test_flask_s_debug_page_does_not_show_it(held: dict[str, Any]) -> None:
    assert shown(debug_page(Open()))
    for name, value in held.items():
        assert not shown(debug_page(value)), name


def test_flask_in_debug_mode_does_not_show_it(held: dict[str, Any]) -> None:
    app = flask.Flask(__name__)
    app.debug = True

    @app.get("/<name>")
    def fail(name: str) -> str:
        value = held.get(name, Open())
        raise RuntimeError(f"it failed with {value!r}")

    # What Flask's own server runs in debug mode.
    client = Client(DebuggedApplication(app, evalex=True))
    assert shown(client.get("/open").text)
    for name in held:
        page = client.get(f"/{name}")
        assert page.status_code == 500 and "it failed with" in page.text and not shown(page.text), name


def test_fastapi_s_errors_do_not_show_it(held: dict[str, Any]) -> None:
    app = fastapi.FastAPI(debug=True)

    class Out(pydantic.BaseModel):
        value: int

    def of(name: str) -> Any:
        return held.get(name, Open())

    @app.get("/as it is/{name}", response_model=None)
    def as_it_is(name: str) -> Any:
        return {"value": of(name)}

    @app.get("/in a wrong model/{name}")
    def in_a_wrong_model(name: str) -> Out:
        return {"value": of(name)}  # type: ignore[return-value]

    @app.get("/failing/{name}")
    def failing(name: str) -> None:
        value = of(name)
        raise RuntimeError(f"it failed with {value!r}")

    @app.get("/invalid/{name}")
    def invalid(name: str) -> None:
        raise fastapi.exceptions.RequestValidationError([{"loc": ("body",), "msg": "no", "type": "no", "input": of(name)}])

    rows = {"Row", "dbapi2.Row"}  # dict(row) is what JSON is made of, on purpose
    with fastapi.testclient.TestClient(app, raise_server_exceptions=False) as client:
        assert shown(client.get("/failing/open").text)
        for name in held.keys() - rows:
            for path in ("as it is", "in a wrong model", "failing", "invalid"):
                assert not shown(client.get(f"/{path}/{name}").text), (path, name)
    with fastapi.testclient.TestClient(app) as client:
        for name in held.keys() - rows:
            for path in ("as it is", "in a wrong model"):
                try:
                    client.get(f"/{path}/{name}")
                except Exception as error:
                    text = traceback.TracebackException.from_exception(error)
                    assert not shown("".join(text.format()) + repr(error)), (path, name)


def frames(error: BaseException) -> str:
    """The variables of the package's frames, as tools that report errors make them; but for the ASGI scope, which each frame of
    Starlette's has, too."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    found = [frame for frame in trace.stack if f"{os.sep}sealite{os.sep}" in frame.filename]
    assert found
    return str([{name: value for name, value in (frame.locals or {}).items() if name != "scope"} for frame in found])


@pytest.mark.parametrize("how", ["header", "address", "cookie"])
def test_flask_s_frames_do_not_have_what_was_presented(how: str, vault: sealite.Vault) -> None:
    site = sealite.flask.Sealite(vault=vault)
    app = flask.Flask(__name__)
    app.testing = True
    site.init_app(app)
    app.register_error_handler(sealite.Closed, reraise)
    guard = {
        "header": site.require_token("api_key"),
        "address": site.require_token("api_key", presented=lambda: flask.request.args["key"]),
        "cookie": site.require_session(),
    }[how]

    @app.get("/")
    @guard
    def fail() -> str:
        raise RuntimeError("it failed")

    client = app.test_client()
    text = vault.tokens.issue("session" if how == "cookie" else "api_key", subject="ada").text
    client.set_cookie("__Host-sealite", text)
    headers = {"Authorization": f"Bearer {text}"}
    for error in (RuntimeError, sealite.Closed):
        with pytest.raises(error) as raised:
            client.get(f"/?key={text}", headers=headers)
        assert text not in frames(raised.value)
        vault.close()


@pytest.mark.parametrize("how", ["header", "address", "cookie", "stream", "stream by cookie"])
def test_fastapi_s_frames_do_not_have_what_was_presented(how: str, vault: sealite.Vault) -> None:
    site = sealite.fastapi.Sealite(vault=vault)
    app = fastapi.FastAPI(lifespan=site.lifespan)
    site.install(app)
    app.add_exception_handler(sealite.Closed, reraise)
    by = {
        "header": site.token("api_key"),
        "address": site.token("api_key", presented=lambda request: request.query_params["key"]),
        "cookie": site.session(),
        "stream": site.stream("api_key"),
        "stream by cookie": site.stream("session"),
    }[how]

    @app.get("/")
    def fail(who: Annotated[Any, by]) -> None:
        raise RuntimeError("it failed")

    text = vault.tokens.issue("session" if "cookie" in how else "api_key", subject="ada").text
    headers = {"Cookie": f"__Host-sealite={text}"} if "cookie" in how else {"Authorization": f"Bearer {text}"}
    with fastapi.testclient.TestClient(app) as client:
        for error in (RuntimeError, sealite.Closed):
            with pytest.raises(error) as raised:
                client.get(f"/?key={text}", headers=headers)
            assert text not in frames(raised.value)
            vault.close()


def reraise(*given: Any) -> Any:
    raise given[-1]
