"""What the application's own functions raise in Flask's and FastAPI's extensions: a plain 500 or a reason, and nothing is left."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import fastapi
import flask
import pytest
from fastapi.testclient import TestClient

import sealite
from sealite.fastapi import Sealite as FastSealite
from sealite.fastapi import TenantDep
from sealite.flask import Sealite as FlaskSealite
from sealite.vaults import unregister_vault

Ask = Callable[[str, str], tuple[int, str]]


class Stop(Exception):
    """What the application raises."""


class Callbacks:
    """The application's functions; those that are named raise."""

    def __init__(self) -> None:
        self.raising: set[str] = set()
        self.calls: list[str] = []

    def called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.raising:
            raise Stop("canary")

    def declare(self, vault: sealite.Vault) -> None:
        vault.define_table("users", {"email": "text sealed"})
        with vault.transaction() as transaction:
            transaction.table("users").insert(email="declared@x.example")
            self.called("on_open")

    def queue(self) -> list[str]:
        self.called("ready_check")
        return []

    def tenant(self, *_: object) -> str:
        self.called("tenant")
        return "acme"

    def key(self, *_: object) -> str:
        self.called("key")
        return "a"

    def limits(self, *_: object) -> str:
        self.called("limits")
        return "100/minute"

    def presented(self, *_: object) -> str:
        self.called("presented")
        return ""

    def admin(self, *_: object) -> bool:
        self.called("admin")
        return True


def flask_site(path: Path, callbacks: Callbacks) -> Iterator[Ask]:
    app = flask.Flask(__name__)
    app.config.update(SEALITE_PATH=path, SEALITE_UNLOCK="env:APP_KEY")
    site = FlaskSealite(tenant=callbacks.tenant)
    site.on_open(callbacks.declare)
    site.ready_check(callbacks.queue)
    site.init_app(app, admin=callbacks.admin)

    @app.get("/tenant")
    def of_tenant() -> str:
        return site.tenant.name

    @app.post("/users")
    @site.limit(callbacks.limits, key=callbacks.key)
    def add() -> str:
        return str(site.vault.table("users").insert(email="a@x.example"))

    @app.get("/api")
    @site.require_token(presented=callbacks.presented, optional=True)
    def api() -> str:
        return "nobody"

    def ask(method: str, address: str) -> tuple[int, str]:
        answer = app.test_client().open(address, method=method)
        return answer.status_code, answer.text

    yield ask
    app.extensions["sealite"].close()
    unregister_vault()


def fastapi_site(path: Path, callbacks: Callbacks) -> Iterator[Ask]:
    site = FastSealite(path, "env:APP_KEY", tenant=callbacks.tenant)
    app = fastapi.FastAPI(lifespan=site.lifespan)
    site.on_open(callbacks.declare)
    site.ready_check(callbacks.queue)
    site.install(app, admin=callbacks.admin)

    @app.get("/tenant")
    def of_tenant(tenant: TenantDep) -> str:
        return tenant.name

    @app.post("/users", dependencies=[site.limit(callbacks.limits, key=callbacks.key)])
    def add() -> str:
        return str(site.vault.table("users").insert(email="a@x.example"))

    @app.get("/api")
    def api(token: Annotated[sealite.Token | None, site.token(presented=callbacks.presented, optional=True)]) -> str:
        return "nobody"

    with TestClient(app, raise_server_exceptions=False) as client:

        def ask(method: str, address: str) -> tuple[int, str]:
            answer = client.request(method, address)
            return answer.status_code, answer.text

        yield ask


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks()


@pytest.fixture(params=[flask_site, fastapi_site], ids=["flask", "fastapi"])
def ask(
    request: pytest.FixtureRequest, path: Path, key: str, callbacks: Callbacks, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ask]:
    monkeypatch.setenv("APP_KEY", key)
    yield from request.param(path, callbacks)


@pytest.fixture
def other(path: Path, ask: Ask, key: str) -> Iterator[sealite.Vault]:
    """The vault, as another worker has made it meanwhile; it waits for no lock."""
    with sealite.Vault.create(path, sealite.Unlock.key_text(key), busy_timeout=0.0) as vault:
        yield vault


def test_what_on_open_raises_leaves_nothing_and_it_is_called_again(ask: Ask, other: sealite.Vault, callbacks: Callbacks) -> None:
    callbacks.raising = {"on_open"}
    for _ in range(2):
        status, text = ask("POST", "/users")
        assert status == 500 and "canary" not in text
    # No transaction holds the lock, and none was committed.
    assert other.table("users").count() == 0
    other.table("users").insert(email="other@x.example")
    callbacks.raising = set()
    assert ask("POST", "/users")[0] == 200 and other.table("users").count() == 3
    calls = callbacks.calls.count("on_open")
    assert ask("POST", "/users")[0] == 200 and callbacks.calls.count("on_open") == calls


def test_a_check_that_raises_is_a_reason_not_to_be_ready(
    ask: Ask, other: sealite.Vault, callbacks: Callbacks, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask("GET", "/readyz")[0] == 200
    callbacks.raising = {"ready_check"}
    status, text = ask("GET", "/readyz")
    assert status == 503 and "queue_failed" in text and "canary" not in text
    assert "Stop" in caplog.text and "queue" in caplog.text
    status, text = ask("GET", "/admin/status")
    assert status == 200 and "queue_failed" in text and "canary" not in text
    callbacks.raising = set()
    assert ask("GET", "/readyz")[0] == 200


@pytest.mark.parametrize(
    ("name", "method", "address"),
    [
        ("tenant", "GET", "/tenant"),
        ("key", "POST", "/users"),
        ("limits", "POST", "/users"),
        ("presented", "GET", "/api"),
        ("admin", "GET", "/admin/status"),
    ],
)
def test_what_another_callback_raises_is_a_plain_500_and_the_next_request_goes_on(
    name: str, method: str, address: str, ask: Ask, other: sealite.Vault, callbacks: Callbacks
) -> None:
    assert ask("GET", "/readyz")[0] == ask(method, address)[0] == 200
    callbacks.raising = {name}
    rows = other.table("users").count()
    for _ in range(3):
        status, text = ask(method, address)
        assert status == 500 and "canary" not in text
    assert callbacks.calls[-1] == name and other.table("users").count() == rows
    other.table("users").insert(email="other@x.example")
    callbacks.raising = set()
    assert ask(method, address)[0] == 200
    assert [thread for thread in threading.enumerate() if thread.name.startswith("sealite")] == []
