"""A site with views that log in, look and change, for the tests of sealite.flask."""

from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

import sealite
from sealite.flask import Sealite

COOKIE = "__Host-sealite"
Application = Callable[..., flask.Flask]


@pytest.fixture
def site(vault: sealite.Vault) -> Sealite:
    return Sealite(vault=vault)


@pytest.fixture
def application(site: Sealite) -> Application:
    def make(**settings: Any) -> flask.Flask:
        app = flask.Flask(__name__)
        app.config.update(settings)
        site.init_app(app)

        @app.post("/login/<subject>")
        def login(subject: str) -> dict[str, Any]:
            token = site.login(subject, scopes=flask.request.args.getlist("scope"), data={"theme": "dark"})
            assert site.current_session is token
            return {"id": token.id, "csrf": site.csrf_token()}

        @app.get("/me")
        @site.require_session()
        def me() -> dict[str, Any]:
            assert site.current_session is not None
            return {"subject": site.current_session.subject, "csrf": site.csrf_token()}

        @app.get("/page")
        @site.require_session(login="entrance")
        def page() -> str:
            return "the page"

        @app.get("/entrance")
        def entrance() -> str:
            return flask.render_template_string("[{{ csrf_token() }}]")

        @app.get("/editors")
        @site.require_session("edit")
        def editors() -> str:
            return "the editors' page"

        @app.post("/logout")
        def logout() -> str:
            site.logout()
            assert site.current_session is None
            return "bye"

        @app.post("/logout-everywhere")
        def logout_everywhere() -> dict[str, int]:
            return {"ended": site.logout_everywhere(keep_current="keep" in flask.request.args)}

        @app.route("/change", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        def change() -> str:
            return "changed"

        @app.post("/hook")
        @site.csrf_exempt
        def hook() -> str:
            return "taken"

        @app.post("/api")
        @site.limit("100/minute")
        @site.require_token("api_key")
        def api() -> str:
            return "called"

        @app.post("/either")
        @site.require_token("api_key", optional=True)
        def either() -> str:
            token, session = flask.g.token, site.current_session
            return "token" if token else "session" if session else "nobody"

        return app

    return make


def log_in(client: FlaskClient, subject: str = "ada", **query: Any) -> tuple[str, str]:
    """The text of the session and a CSRF token of it."""
    answer = client.post(f"/login/{subject}", query_string=query, headers=csrf(client))
    assert answer.status_code == 200
    return text_of(client), answer.get_json()["csrf"]


def text_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(COOKIE)
    return "" if cookie is None else cookie.value


def csrf(client: FlaskClient) -> dict[str, str]:
    answer = client.get("/me")
    return {"X-CSRF-Token": answer.get_json()["csrf"]} if answer.status_code == 200 else {}
