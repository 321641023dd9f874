"""sealite.flask: what other sites send in a user's name is refused."""

import logging

import pytest

import sealite
from flask_site import COOKIE, Application, application, log_in, site, text_of  # noqa: F401


def test_a_request_with_a_session_needs_a_token_of_it(application: Application) -> None:
    app = application()
    client, other = app.test_client(), app.test_client()
    text, good = log_in(client)
    _, of_another = log_in(other, "grace")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for bad in ({}, {"X-CSRF-Token": of_another}, {"X-CSRF-Token": text}, {"X-CSRF-Token": good[:-1]}):
            answer = client.open("/change", method=method, headers=bad)
            assert (answer.status_code, answer.get_json()) == (403, {"error": "csrf_rejected"})
        assert client.open("/change", method=method, headers={"X-CSRF-Token": good}).text == "changed"
    assert client.post("/change", data={"csrf_token": of_another}).status_code == 403
    assert client.post("/change", data={"csrf_token": good}).text == "changed"
    assert client.post("/change", json={"csrf_token": good}).status_code == 403
    assert client.get("/change").text == "changed"
    page = client.get("/entrance").text
    assert client.post("/change", data={"csrf_token": page[1:-1]}).text == "changed"
    assert client.post("/nowhere").status_code == 404


def test_a_request_without_a_session_is_refused_from_elsewhere(application: Application) -> None:
    client = application().test_client()
    assert client.get("/entrance").text == "[]"
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
    ):
        answer = client.post("/login/ada", headers=headers)
        assert (answer.status_code, answer.get_json()) == (403, {"error": "csrf_rejected"})
        assert not text_of(client)
    good: tuple[dict[str, str], ...] = (
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    )
    for headers in good:
        assert client.post("/login/ada", headers=headers).status_code == 200
        client.delete_cookie(COOKIE)


def test_what_looks_at_no_session_needs_no_token(
    application: Application, vault: sealite.Vault
) -> None:
    client = application().test_client()
    log_in(client)
    key = vault.tokens.issue("api_key").text
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/hook", headers=elsewhere).text == "taken"
    assert client.post("/api", headers=elsewhere | {"Authorization": f"Bearer {key}"}).text == "called"
    assert client.post("/api", headers=elsewhere).status_code == 401


def test_a_view_that_does_without_a_token_needs_one_against_other_sites(
    application: Application, vault: sealite.Vault
) -> None:
    client = application().test_client()
    _, good = log_in(client)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    key = {"Authorization": f"Bearer {vault.tokens.issue('api_key').text}"}
    assert client.post("/either", headers=elsewhere | key).text == "token"
    # What it would do for the session, another site must not have done.
    for headers in ({}, elsewhere):
        assert client.post("/either", headers=headers).get_json() == {"error": "csrf_rejected"}
    assert client.post("/either", headers={"X-CSRF-Token": good}).text == "session"
    for nonsense in ("Bearer nonsense", "Basic eA=="):
        assert client.post("/either", headers={"Authorization": nonsense}).status_code == 401
    client.delete_cookie(COOKIE)
    assert client.post("/either").text == "nobody"
    assert client.post("/either", headers=elsewhere).status_code == 403


def test_the_open_mode_counts_and_logs_what_it_lets_through(
    application: Application, vault: sealite.Vault, caplog: pytest.LogCaptureFixture
) -> None:
    client = application(SEALITE_CSRF="open").test_client()
    _, good = log_in(client)
    with caplog.at_level(logging.WARNING):
        assert client.post("/change?code=canary").text == "changed"
        assert client.post("/change", headers={"X-CSRF-Token": good}).text == "changed"
    assert [record.getMessage() for record in caplog.records] == ["CSRF is open: POST of change was let through"]
    assert vault.metrics().application == {"csrf_let_through_total": 1}
