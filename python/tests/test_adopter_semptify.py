"""Semptify, with the files that it kept before: gunicorn with two workers forked from one. Each test is a line of what must
hold for it."""

import hashlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sealite
from serving import GUNICORN, Client, Server, at_once, hang_up, serving, until

__all__ = ["hang_up"]

# As people chose them: not of the engine's making.
ADMIN, GLASS, OFF, SECOND, USER, ROOMMATE, PLAIN = (
    f"{name}-token-8fJ2xQ" for name in ("admin", "glass", "off", "second", "user", "roommate", "plain")
)
SHAPES = ("list", "object of a list", "object of entries", "object of hashes")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def admin_file(shape: str) -> Any:
    """The shapes of admin_tokens.json in the application's history."""
    listed = [
        {"id": "ops", "hash": f"sha256:{sha(ADMIN)}", "enabled": True, "breakglass": False},
        {"id": "second", "hash": f"sha256:{sha(SECOND)}", "enabled": True, "breakglass": False},
        {"id": "off", "hash": f"sha256:{sha(OFF)}", "enabled": False, "breakglass": False},
        {"id": "safe", "hash": f"sha256:{sha(GLASS)}", "enabled": True, "breakglass": True},
    ]
    if shape == "list":
        return listed
    if shape == "object of a list":
        return {"tokens": listed}
    if shape == "object of entries":
        return {
            str(each["id"]): {"hash": str(each["hash"])[7:], "breakglass": each["breakglass"], "created": 1700000000, "enabled": each["enabled"]}
            for each in listed
        }
    return {"ops": sha(ADMIN), "second": sha(SECOND)}


USERS = {
    "list": [{"id": "u1", "name": "Ada Canary", "hash": sha(USER), "enabled": True, "created": "2025-10-27T09:30:00"}],
    "object": {"user_0a1b": {"hash": sha(ROOMMATE), "created": "2025-10-27T09:30:00", "type": "tenant"}},
    "keyed by the token": {PLAIN: {"created": "2025-10-27T09:30:00", "type": "tenant"}},
}
EVENTS = [{"ts": 1700000000 + n, "event": "admin_login", "payload": {"who": f"canary-{n}"}} for n in range(3)]


def lay(folder: Path, admins: Any = None, users: Any = None, events: str = "", flag: bool = False) -> None:
    security, logs = folder / "security", folder / "logs"
    security.mkdir(exist_ok=True)
    logs.mkdir(exist_ok=True)
    # As a whole: the application may look at any time.
    for path, text in (
        (security / "admin_tokens.json", json.dumps(admins) if admins else ""),
        (security / "users.json", json.dumps(users) if users else ""),
        (logs / "events.log", events),
    ):
        if text:
            (folder / "new").write_text(text)
            os.replace(folder / "new", path)
    if flag:
        (security / "breakglass.flag").touch()


def environment(folder: Path, **more: str) -> dict[str, str]:
    settings = {"SEALITE_PATH": str(folder / "vault.db"), "SEALITE_UNLOCK": "env:APP_KEY", "PROXIES": "1", "LOGIN_LIMIT": "100/second", "ADMIN_LIMIT": "60/hour"}
    settings |= {"SECURITY_FOLDER": str(folder / "security"), "LOG_FOLDER": str(folder / "logs"), **more}
    return {f"FLASK_{name}": value for name, value in settings.items()}


def made(server: Server) -> Server:
    """With its vault."""
    sealite.Vault.create(server.folder / "vault.db", sealite.Unlock.key_text(server.key)).close()
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("semptify")
    lay(folder, admin_file("list"), USERS["list"], "".join(json.dumps(event) + "\n" for event in EVENTS))
    with serving(f"{GUNICORN} semptify:create_app()", folder, environment(folder)) as server:
        yield made(server)


def admin(server: Server, who: str, worker: int = 0, token: str = ADMIN) -> Client:
    """An administrator, from an address of their own: the limit is by address."""
    return server.client(worker, X_Admin_Token=token, X_Forwarded_For=who)


def user(server: Server, who: str, worker: int = 0) -> Client:
    return server.client(worker, X_Forwarded_For=who)


def events(client: Client, name: str) -> list[dict[str, Any]]:
    return [each for each in client.get("/admin/audit").json()["events"] if each["event"] == name]


def test_all_files_import_and_again_change_nothing(server: Server) -> None:
    ops = admin(server, "10.0.0.1")
    for shape in SHAPES:
        for users in USERS.values():
            lay(server.folder, admin_file(shape), users, "".join(json.dumps(event) + "\n" for event in EVENTS))
            assert ops.get("/admin/tokens").status_code == 200
            assert not any(path.is_file() for path in (server.folder / "security").iterdir())
    found = ops.get("/admin/tokens").json()["tokens"]
    assert sorted((each["kind"], each["subject"] or "") for each in found) == [
        ("admin", "off"), ("admin", "ops"), ("admin", "second"), ("break_glass", "safe"), ("user", ""), ("user", "u1"), ("user", "user_0a1b"),
    ]  # fmt: skip
    assert [each["name"] for each in found if each["subject"] == "u1"] == ["Ada Canary"]
    assert [each["payload"] for each in events(ops, "legacy.admin_login")] == [
        {"ts": event["ts"], "payload": event["payload"]} for event in EVENTS
    ]
    # What was revoked since is not revived.
    second = next(each["id"] for each in found if each["subject"] == "second")
    assert ops.post(f"/admin/tokens/{second}/revoke").status_code == 200
    lay(server.folder, admin_file("list"))
    assert admin(server, "10.0.0.1", 1, SECOND).get("/admin/tokens").status_code == 401
    # Two workers at once: one import.
    lay(server.folder, admin_file("list"), USERS["list"], json.dumps(EVENTS[0]) + "\n")
    both = [admin(server, "10.0.0.2", worker) for worker in (0, 1)]
    assert [answer.status_code for answer in at_once(partial(each.get, "/admin/tokens") for each in both)] == [200, 200]
    assert len(events(both[0], "legacy.admin_login")) == 4


def test_an_entry_keyed_by_a_plaintext_token_is_converted_and_the_plaintext_kept_nowhere(server: Server) -> None:
    lay(server.folder, users=USERS["keyed by the token"])
    assert user(server, "10.0.0.3").form("/login", user_token=PLAIN).status_code == 200
    everything = b"".join(path.read_bytes() for path in server.folder.rglob("*") if path.is_file())
    for token in (PLAIN, ADMIN, USER, "Ada Canary", "canary-1"):
        assert token.encode() not in everything


def test_imported_tokens_work_unchanged_and_are_upgraded_on_first_use(server: Server) -> None:
    ops = admin(server, "10.0.0.4")
    lay(server.folder, users=USERS["object"])

    def imported() -> bool:
        return bool(next(each["imported"] for each in ops.get("/admin/tokens").json()["tokens"] if each["subject"] == "user_0a1b"))

    def kept(field: str) -> set[Any]:
        with server.vault() as vault:
            return {getattr(each, field) for each in vault.tokens.list(subject="user_0a1b", kind="user")}

    assert imported() and kept("is_imported") == {True}
    before = rows(server, "sealite_token")
    assert user(server, "10.0.0.4").form("/login", user_token=ROOMMATE).status_code == 200
    assert user(server, "10.0.0.4", 1).post("/login", {"X-User-Token": ROOMMATE}).status_code == 200
    assert user(server, "10.0.0.4").form("/login", user_token=ROOMMATE + "x").status_code == 401
    # The hash that the row is found by is another one from then on.
    assert len(rows(server, "sealite_token") - before) >= 1
    assert sha(ROOMMATE).encode() not in server.stored() and bytes.fromhex(sha(ROOMMATE)) not in server.stored()


def rows(server: Server, table: str) -> set[tuple[Any, ...]]:
    """As they lie in the file."""
    connection = sqlite3.connect(server.folder / "vault.db")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if name.startswith(table)]
    found = {tuple(map(str, row)) for name in names for row in connection.execute(f"SELECT * FROM {name}")}
    connection.close()
    return found


def test_break_glass_works_when_armed_once_for_exactly_one_of_many_requests(server: Server) -> None:
    ops = admin(server, "10.0.0.5")
    glass = next(each["id"] for each in ops.get("/admin/tokens").json()["tokens"] if each["kind"] == "break_glass")

    def everybody() -> list[int]:
        people = [user(server, f"10.0.5.{number}", number % 2) for number in range(12)]
        return sorted(answer.status_code for answer in at_once(partial(each.form, "/admin/breakglass", breakglass_token=GLASS) for each in people))

    used = len(events(ops, "token.break_glass_used"))
    assert everybody() == [401] * 12
    assert len(events(ops, "token.break_glass_used")) == used
    for reason in ("the identity provider is down", "and again"):
        assert ops.post(f"/admin/tokens/{glass}/arm", data={"reason": reason}).status_code == 200
        assert everybody() == [200] + [401] * 11
        used += 1
        assert len(events(ops, "token.break_glass_used")) == used
    # By the empty file, as before.
    lay(server.folder, flag=True)
    assert everybody() == [200] + [401] * 11
    assert len(events(ops, "token.break_glass_used")) == used + 1


def test_break_glass_never_works_as_an_ordinary_admin_token(server: Server) -> None:
    ops, holder = admin(server, "10.0.0.6"), admin(server, "10.0.0.6", 1, GLASS)
    glass = next(each["id"] for each in ops.get("/admin/tokens").json()["tokens"] if each["kind"] == "break_glass")
    ops.post(f"/admin/tokens/{glass}/arm", data={"reason": "drill"})
    assert holder.get("/admin/tokens").status_code == holder.get("/admin/status", Authorization=f"Bearer {GLASS}").status_code == 401
    assert user(server, "10.0.0.6").form("/admin/breakglass", breakglass_token=ADMIN).status_code == 401
    opened = user(server, "10.0.0.6")
    answer = opened.form("/admin/breakglass", breakglass_token=GLASS)
    assert answer.json()["reason"] == "drill"
    # What it gives is a session, with the limits of one.
    assert opened.get("/admin/tokens").status_code == 200
    assert opened.post("/admin/tokens", data={"id": "eve"}).json() == {"error": "csrf_rejected"}
    assert opened.post("/admin/tokens", {"X-CSRF-Token": answer.json()["csrf_token"]}, data={"id": "deputy"}).status_code == 201


def test_disabled_and_expired_tokens_are_refused_always(server: Server) -> None:
    ops = admin(server, "10.0.0.7")
    assert admin(server, "10.0.0.7", 0, OFF).get("/admin/tokens").status_code == 401
    brief, other = (ops.post("/admin/tokens", data={"id": f"brief{n}", "expires_in": str(n)}).json() for n in (0.5, 3600))
    for seconds in ("", "soon", "0", "-1", "nan", "inf"):
        # No time that nobody can read becomes for ever.
        assert ops.post("/admin/tokens", data={"id": "lasting", "expires_in": seconds}).status_code == 400
    until(lambda: time.time() > brief["expires"], "the end of the token's time")
    for worker in (0, 1):
        assert admin(server, "10.0.0.7", worker, brief["token"]).get("/admin/tokens").status_code == 401
        assert admin(server, "10.0.0.7", worker, other["token"]).get("/admin/tokens").status_code == 200
    ops.post(f"/admin/tokens/{other['id']}/disable")
    for worker in (0, 1):
        assert admin(server, "10.0.0.7", worker, other["token"]).get("/admin/tokens").status_code == 401
    ops.post(f"/admin/tokens/{other['id']}/enable")
    assert admin(server, "10.0.0.7", 1, other["token"]).get("/admin/tokens").status_code == 200
    # A session goes with the token that began it.
    ada = user(server, "10.0.0.7", 1)
    account = ada.form("/register", name="Ada").json()
    assert ada.form("/login", user_token=account["user_token"]).status_code == 200 == ada.get("/journal").status_code
    assert ops.post(f"/admin/tokens/{account['id']}/disable").status_code == 200
    assert ada.get("/journal").status_code == 401


def test_rate_limits_count_failed_attempts_before_the_token_is_looked_at(server: Server) -> None:
    guesses = [admin(server, "10.0.0.8", worker, "guess") for worker in (0, 1)]
    # Shared by the workers, and the answer is the same for a good token.
    assert [guesses[n % 2].get("/admin/tokens").status_code for n in range(60)] == [401] * 60
    refused = admin(server, "10.0.0.8").get("/admin/tokens")
    assert refused.status_code == 429
    body = refused.json()
    assert body == {"error": "rate_limited", "retry_after": body["retry_after"]} and 1 <= body["retry_after"] <= 3_720
    assert refused.headers["retry-after"] == str(body["retry_after"])
    assert admin(server, "10.0.0.9").get("/admin/tokens").status_code == 200


def test_rate_limits_survive_a_restart(server: Server) -> None:
    answers = [admin(server, "10.0.0.10", 0, "guess").get("/admin/tokens").status_code for _ in range(2)]
    assert answers == [401, 401]
    with server.vault() as vault:
        left = vault.quotas.peek("admin.tokens/admin/10.0.0.10", "60/hour").remaining
    guess = admin(server, "10.0.0.10", 0, "guess")
    assert [guess.get("/admin/tokens").status_code for _ in range(left)] == [401] * left
    assert guess.get("/admin/tokens").status_code == 429
    server.restart()
    assert admin(server, "10.0.0.10").get("/admin/tokens").status_code == 429


def test_a_million_different_keys_do_not_grow_the_file_without_bound(server: Server) -> None:
    count = 20_000 if os.environ.get("SEALITE_TEST_FULL") == "1" else 100
    asking, before = server.client(), len(rows(server, "sealite_quota"))
    grown = []
    for batch in range(4):
        for number in range(count):
            # Limited within a second: what counts no more goes a few with each charge.
            answer = asking.post("/login", {"X-User-Token": "guess", "X-Forwarded-For": f"2001:db8:{batch}::{number:x}"})
            assert answer.status_code == 401
        grown.append(len(rows(server, "sealite_quota")) - before)
        time.sleep(1.1)
    assert max(grown) <= 2 * count + 20


def test_a_torn_file_is_never_read_as_an_empty_one(server: Server) -> None:
    ops = admin(server, "10.0.0.11")
    assert ops.get("/readyz").json() == {"status": "ready"}
    torn = json.dumps(admin_file("list"))[:-20]
    (server.folder / "security" / "admin_tokens.json").write_text(torn)
    (server.folder / "security" / "users.json").write_text("")
    (server.folder / "logs" / "events.log").write_text('{"ts": 1, "event": "admin_')
    reasons = ["unreadable:admin_tokens.json", "unreadable:users.json", "unreadable:events.log"]
    for worker in (0, 1):
        asking = admin(server, "10.0.0.11", worker)
        answer = asking.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "degraded", "reasons": reasons})
        for answer in (asking.get("/admin/tokens"), asking.form("/register", name="nobody")):
            assert (answer.status_code, answer.json()) == (503, {"error": "degraded", "reasons": reasons})
    # As it was, for somebody to look at.
    assert (server.folder / "security" / "admin_tokens.json").read_text() == torn
    for name in ("security/users.json", "logs/events.log"):
        (server.folder / name).unlink()
    lay(server.folder, admin_file("list"))
    assert ops.get("/admin/tokens").status_code == 200
    assert ops.get("/readyz").json() == {"status": "ready"}


def test_a_corrupt_vault_is_never_read_as_an_empty_one(tmp_path: Path) -> None:
    lay(tmp_path, admin_file("list"))
    with serving(f"{GUNICORN} semptify:create_app()", tmp_path, environment(tmp_path), workers=1) as server:
        ops = admin(made(server), "10.0.0.12")
        assert ops.get("/admin/tokens").status_code == 200
        # By another process, as a failing disk would: every table but the first pages.
        file = tmp_path / "vault.db"
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        whole = file.read_bytes()
        with file.open("r+b") as damaged:
            damaged.seek(4096)
            damaged.write(os.urandom(len(whole) - 4096))
        size = file.stat().st_size
        answer = ops.get("/readyz")
        assert answer.status_code == 503 and answer.json()["status"] == "degraded" and answer.json()["reasons"]
        assert ops.get("/admin/tokens").status_code in (500, 503)
        assert ops.form("/register", name="nobody").status_code in (500, 503)
        assert file.stat().st_size == size


def test_sixteen_registrations_at_once_store_sixteen_users(server: Server) -> None:
    people = server.clients(each=8)
    answers = at_once(partial(each.form, "/register", name=f"Sixteen {number}") for number, each in enumerate(people))
    assert [answer.status_code for answer in answers] == [201] * 16
    tokens = {answer.json()["user_token"] for answer in answers}
    assert len(tokens) == 16
    found = admin(server, "10.0.0.13").get("/admin/tokens").json()["tokens"]
    assert sorted(each["name"] for each in found if (each["name"] or "").startswith("Sixteen")) == sorted(f"Sixteen {n}" for n in range(16))
    assert [people[0].form("/login", user_token=token).status_code for token in tokens] == [200] * 16
    assert b"Sixteen" not in server.stored()


def test_csrf_is_enforced_by_form_field_or_header(server: Server) -> None:
    ada = user(server, "10.0.0.14")
    csrf = ada.form("/login", user_token=ada.form("/register", name="Ada").json()["user_token"]).json()["csrf_token"]
    assert ada.form("/journal", text="forged").json() == {"error": "csrf_rejected"}
    assert ada.form("/journal", text="forged", csrf_token=csrf[:-1] + "?").status_code == 403
    assert ada.form("/journal", text="by the form", csrf_token=csrf).status_code == 201
    assert ada.post("/journal", {"X-CSRF-Token": csrf}, data={"text": "by the header"}).status_code == 201
    assert ada.get("/journal").json() == {"entries": ["by the form", "by the header"]}
    assert b"by the header" not in server.stored()


def test_csrf_can_be_open(tmp_path: Path) -> None:
    settings = environment(tmp_path, SEALITE_CSRF="open")
    with serving(f"{GUNICORN} semptify:create_app()", tmp_path, settings, workers=1) as server:
        ada = user(made(server), "10.0.0.15")
        ada.form("/login", user_token=ada.form("/register", name="Ada").json()["user_token"])
        assert ada.form("/journal", text="without a token").status_code == 201
        assert "csrf_let_through_total 1" in re.sub(r"\{.*?\}", "", ada.get("/metrics").text)


def test_the_counters_have_the_names_that_are_charted(server: Server) -> None:
    ops = admin(server, "10.0.0.16")
    token = ops.post("/admin/tokens", data={"id": "rotated"}).json()["token"]
    rotated = admin(server, "10.0.0.16", 0, token).post("/admin/tokens/rotate")
    assert rotated.status_code == 201 and admin(server, "10.0.0.16", 0, token).get("/admin/tokens").status_code == 401
    assert admin(server, "10.0.0.16", 0, rotated.json()["token"]).get("/admin/tokens").status_code == 200
    told = ops.get("/metrics").text
    for name in ("requests_total", "admin_requests_total", "admin_actions_total", "token_rotations_total", "uptime_seconds"):
        assert re.search(rf"^(?:sealite_)?{name}(\{{.*\}})? [1-9.]", told, re.MULTILINE), name
    status = ops.get("/admin/status", Authorization=f"Bearer {ADMIN}").json()
    assert status["status"] == "ready" and status["counters"]["token_rotations_total"] == 1


def test_no_token_in_a_url_or_anywhere_else_reaches_a_log(server: Server) -> None:
    """Of all that the tests before this one have sent and got."""
    asking = user(server, "10.0.0.17")
    issued = asking.form("/register", name="Log").json()["user_token"]
    assert asking.get(f"/admin/tokens?admin_token={ADMIN}").status_code == 200
    assert asking.post(f"/login?user_token={issued}").status_code == 200
    assert asking.get("/journal?user_token=" + USER).status_code == 200
    log = until(lambda: (text := server.log()).count("[redacted]") >= 3 and text, "the access log")
    for token in (ADMIN, GLASS, OFF, SECOND, USER, ROOMMATE, PLAIN, issued, server.key, *asking.cookies.values()):
        assert token not in log
    assert not re.search(sealite.TOKEN_PATTERN, log) and "Traceback" not in log
