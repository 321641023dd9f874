"""Sanctum, over the plaintext database that it had before: uvicorn with two workers. Each test is a line of what must hold
for it."""

import re
import sqlite3
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import sealite
from sanctum_site import (
    ADMIN,
    NOT_READY,
    SEALED,
    _begun,
    admin,
    begun,
    database,
    entered,
    events,
    link,
    put,
    registered,
    revealed,
    server,
)
from serving import Client, Server, at_once, hang_up

__all__ = ["_begun", "admin", "begun", "hang_up", "server"]


def test_before_initialisation_every_sealed_write_fails_and_nothing_is_stored(begun: dict[str, Any]) -> None:
    assert begun["early"] == [NOT_READY] * 4
    assert begun["ready"].status_code == 503 and begun["ready"].json()["reasons"] == ["not_initialised"]
    assert b"Early Canary" not in begun["stored"] and b"early@" not in begun["stored"]


def test_of_two_workers_that_initialise_at_once_one_wins_and_the_other_is_told(begun: dict[str, Any], admin: Client) -> None:
    assert begun["wrong"] == 403
    assert [status for status, _ in begun["setup"]] == [201, 409]
    assert begun["setup"][1][1] == {"error": "already_initialised"}
    assert len(events(admin, "instance.initialised")) == 1


def test_after_migrating_no_byte_string_of_the_old_values_is_in_the_file(server: Server, admin: Client) -> None:
    ada = entered(server, "old.ada@example.org", 1)
    assert ada.get("/me").json() == {
        "email": "Old.Ada@Example.org",
        "name": "Ada Oldcanary",
        "fields": {"phone": "+44 20 oldcanary 0958", "motto": "Motto-in-clear"},
    }
    assert entered(server, "grace@example.org").get("/me").json()["fields"] == {"phone": "", "diet": None}
    settings = admin.get("/admin/settings").json()
    assert settings["smtp.port"]["shown"] == "2525" and settings["smtp.password"]["requires_restart"]
    assert admin.post("/admin/settings/smtp.password/reveal", json={"reason": "test"}).json() == {"value": "oldcanary-password"}
    stored = server.stored()
    for value in (*SEALED, "Oldcanary", "oldcanary"):
        for encoded in (value.encode(), value.encode("utf-16-le"), value.encode().hex().encode()):
            assert encoded not in stored, value
    # What its switch leaves in clear.
    assert b"Motto-in-clear" in stored


def test_log_in_by_e_mail_whatever_the_case_spaces_or_normal_form(server: Server) -> None:
    email = "Zoë.Ångström@Exämple.org"
    client = registered(server, email, name="Zoë")
    forms = [email.upper(), f"  {email} ", unicodedata.normalize("NFD", email), "zoë.ångström@xn--exmple-cua.org"]
    for typed in forms:
        assert entered(server, typed, 1).get("/me").json()["email"] == email
        conflict = client.post("/users", json={"email": typed})
        assert (conflict.status_code, conflict.json()) == (409, {"error": "conflict"})
    at_the_same_time = at_once(partial(each.post, "/users", json={"email": "twice@example.org"}) for each in server.clients(each=4))
    assert sorted(answer.status_code for answer in at_the_same_time) == [201] + [409] * 7


def test_a_partial_update_of_several_fields_is_all_or_nothing(server: Server) -> None:
    client = registered(server, "partial@example.org", name="Before")
    assert client.ask("PATCH", "/me", json={"fields": {"phone": "1", "diet": "all"}}).status_code == 204
    before = client.get("/me").json()
    for wrong in (
        {"name": "After", "fields": {"phone": "2", "nothing": "3"}},
        {"name": "After", "fields": {"phone": "2"}, "unset": ["diet", "nothing"]},
        {"name": "After", "email": ADMIN, "fields": {"phone": "2"}},
    ):
        assert client.ask("PATCH", "/me", json=wrong).status_code in (409, 422)
        assert client.get("/me").json() == before
    assert client.ask("PATCH", "/me", json={"name": "After", "fields": {"phone": "2"}, "unset": ["diet"]}).status_code == 204
    assert client.get("/me").json() == {"email": "partial@example.org", "name": "After", "fields": {"phone": "2"}}


def test_unset_empty_and_null_are_three_things(server: Server) -> None:
    client = registered(server, "three@example.org")
    for fields in ({}, {"phone": "", "diet": ""}, {"phone": None, "diet": None}, {"phone": "x", "diet": "y"}):
        unset = [] if fields else ["phone", "diet"]
        assert client.ask("PATCH", "/me", json={"fields": fields, "unset": unset}).status_code == 204
        assert client.get("/me").json()["fields"] == fields
    assert client.get("/me").json()["name"] is None
    assert client.ask("PATCH", "/me", json={"name": ""}).status_code == 204
    assert client.get("/me").json()["name"] == ""


def test_turning_a_field_s_encryption_on_seals_what_is_there_and_off_opens_it(server: Server, admin: Client) -> None:
    assert admin.post("/admin/fields", json={"name": "nickname", "encrypted": False}).status_code == 201
    people = [registered(server, f"nick-{number}@example.org") for number in range(3)]
    values = ["nick-canary-0", "", None]

    def kept() -> list[Any]:
        return [each.get("/me").json()["fields"]["nickname"] for each in people]

    for each, value in zip(people, values, strict=True):
        assert each.ask("PATCH", "/me", json={"fields": {"nickname": value, "motto": "Motto-of-many"}}).status_code == 204
    assert b"nick-canary-0" in server.stored()
    assert admin.ask("PUT", "/admin/fields/nickname", json={"encrypted": True}).json() == {"erasure": "complete"}
    assert b"nick-canary-0" not in server.stored() and kept() == values
    # Fields that are meant to stay in clear stay so.
    assert b"Motto-of-many" in server.stored()
    assert admin.ask("PUT", "/admin/fields/motto", json={"encrypted": True}).status_code == 409
    assert people[1].ask("PATCH", "/me", json={"fields": {"nickname": "nick-canary-1"}}).status_code == 204
    assert b"nick-canary-1" not in server.stored()
    assert admin.ask("PUT", "/admin/fields/nickname", json={"encrypted": False}).status_code == 200
    assert kept() == ["nick-canary-0", "nick-canary-1", None]
    with database(server) as file:
        sql = "SELECT clear FROM field_values_sealed WHERE field_id = (SELECT id FROM fields WHERE name = 'nickname') ORDER BY user_id"
        assert [clear for (clear,) in file.execute(sql)] == ["nick-canary-0", "nick-canary-1", None]


def form(admin: Client) -> dict[str, str]:
    """The form of the settings, as it is shown."""
    return {name: each["shown"] for name, each in admin.get("/admin/settings").json().items()}


def test_a_secret_reads_as_a_mask_and_the_form_as_shown_changes_nothing(server: Server, admin: Client) -> None:
    admin.ask("DELETE", "/admin/settings/mail.password")
    assert form(admin)["mail.password"] == ""
    put(admin, "mail.password", "correct-horse-canary")
    shown = form(admin)
    assert shown["mail.password"] not in ("", "correct-horse-canary")
    assert "correct-horse-canary" not in admin.get("/admin/settings").text
    assert admin.post("/admin/settings", data=shown).json() == []
    assert admin.post("/admin/settings", data=shown | {"mail.password": ""}).json() == []
    assert admin.post("/admin/settings", data=shown | {"site.notice": "closed today"}).json() == ["site.notice"]
    assert revealed(admin, "mail.password") == "correct-horse-canary"
    # Clearing is explicit.
    assert admin.ask("DELETE", "/admin/settings/mail.password").status_code == 204
    assert form(admin)["mail.password"] == ""
    assert b"correct-horse-canary" not in server.stored()


def test_a_secret_that_looks_like_the_mask_or_like_a_ciphertext_survives(server: Server, admin: Client) -> None:
    put(admin, "mail.password", "something else")
    mask = form(admin)["mail.password"]
    with database(server) as file:
        ((sealed,),) = file.execute("SELECT sealed FROM users_sealed LIMIT 1").fetchall()
    for value in (mask, mask * 2, sealed.hex(), "gAAAAABm" + "A" * 92, "enc:v1:" + "0" * 64):
        put(admin, "mail.password", value)
        assert revealed(admin, "mail.password") == value
        assert admin.post("/admin/settings", data=form(admin)).json() == []
        assert revealed(admin, "mail.password") == value


def test_turning_a_setting_secret_leaves_its_old_value_nowhere(server: Server, admin: Client) -> None:
    put(admin, "site.notice", "notice-canary")
    assert form(admin)["site.notice"] == "notice-canary"
    assert admin.ask("PUT", "/admin/settings/site.notice/secret", json={"secret": True}).status_code == 204
    assert form(admin)["site.notice"] not in ("", "notice-canary")
    assert b"notice-canary" not in server.stored()
    assert "notice-canary" not in admin.get("/admin/audit").text and "notice-canary" not in server.log()
    assert revealed(admin, "site.notice") == "notice-canary"
    # Also for a worker that has read it before.
    other = entered(server, ADMIN, 1)
    assert "notice-canary" not in other.get("/admin/settings").text


def test_moving_a_ciphertext_to_another_setting_s_row_is_detected(server: Server, admin: Client) -> None:
    put(admin, "mail.password", "one")
    put(admin, "smtp.password", "two")
    with database(server) as file:
        name = next(name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'sealite_setting%sealed'"))
        columns = [column[1] for column in file.execute(f"PRAGMA table_info({name})")]
        key = columns[0]
        rows = file.execute(f"SELECT {key}, sealed FROM {name}").fetchall()
        for id, _ in rows:
            for other, sealed in rows:
                if other != id:
                    file.execute(f"UPDATE {name} SET sealed = ? WHERE {key} = ?", [sealed, id])
        answers = [
            server.again(admin).get("/admin/settings"),
            server.again(admin, 1).post("/admin/settings/mail.password/reveal", json={"reason": "test"}),
        ]
        for id, sealed in rows:
            file.execute(f"UPDATE {name} SET sealed = ? WHERE {key} = ?", [sealed, id])
    assert [answer.status_code for answer in answers] == [500, 500]
    assert revealed(admin, "mail.password") == "one" and revealed(admin, "smtp.password") == "two"


def test_precedence_is_vault_environment_default(admin: Client) -> None:
    def host() -> tuple[str, str]:
        found = admin.get("/admin/settings").json()["mail.host"]
        return found["shown"], found["source"]

    assert host() == ("mail.environment.example", "environment")
    put(admin, "mail.host", "mail.vault.example")
    assert host() == ("mail.vault.example", "vault")
    admin.ask("DELETE", "/admin/settings/mail.host")
    assert host() == ("mail.environment.example", "environment")
    found = admin.get("/admin/settings").json()["site.url"]
    assert (found["shown"], found["source"]) == ("http://127.0.0.1:8000", "default")


def test_export_as_env_and_reveal_are_audited(server: Server, admin: Client) -> None:
    put(admin, "mail.password", "export-canary")
    before = len(events(admin, "settings.exported")) + len(events(admin, "setting.exported"))
    masked = admin.post("/admin/settings/export", json={"reason": "move"}).text
    whole = admin.post("/admin/settings/export", json={"reason": "move", "secrets": True})
    assert "export-canary" not in masked and whole.headers["cache-control"] == "no-store"
    assert re.search(r"^\S*MAIL.?PASSWORD\S*=.*export-canary", whole.text, re.MULTILINE | re.IGNORECASE)
    revealed(admin, "mail.password")
    trail = admin.get("/admin/audit").json()
    kinds = {each["event"] for each in trail if each["actor"] == "user-3" or (each["payload"] or {}).get("reason") in ("move", "test")}
    assert any("export" in kind for kind in kinds) and any("reveal" in kind for kind in kinds), kinds
    assert "export-canary" not in str(trail)
    assert before < len(events(admin, "settings.exported")) + len(events(admin, "setting.exported"))


def test_which_changed_settings_need_a_restart(server: Server) -> None:
    admin = entered(server, ADMIN)
    put(admin, "mail.host", "mail.vault.example")
    put(admin, "site.url", "https://sanctum.example")
    for worker in (0, 1):
        pending = entered(server, ADMIN, worker).get("/admin/settings/restart").json()
        assert "site.url" in pending and "mail.host" not in pending


def test_a_magic_link_works_once_and_a_new_one_can_cancel_the_old(server: Server) -> None:
    both = server.clients(each=4)
    text = link(server, both[0], ADMIN)
    answers = at_once(partial(each.post, "/enter", json={"token": text}) for each in both)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    one, two = server.clients()
    first = link(server, one, ADMIN)
    second = link(server, one, ADMIN, cancel_older=False)
    third = link(server, one, ADMIN, cancel_older=False)
    fourth = link(server, one, ADMIN)
    assert [two.post("/enter", json={"token": each}).status_code for each in (first, second, third, fourth)] == [401, 401, 401, 200]
    fifth, sixth = link(server, one, ADMIN), link(server, one, ADMIN, cancel_older=False)
    two.cookies.clear()
    for each in (sixth, fifth):
        assert two.post("/enter", json={"token": each}).status_code == 200
        two.cookies.clear()
    unknown = one.post("/login", json={"email": "nobody@example.org"})
    assert unknown.status_code == 202


def test_the_session_cookie_carries_no_personal_data(server: Server) -> None:
    client = registered(server, "cookie-canary@example.org", name="Cookie Canary")
    ((name, text),) = client.cookies.items()
    assert name.startswith("__Host-") and re.fullmatch(sealite.TOKEN_PATTERN, text)
    assert text.encode() not in server.stored()


def test_a_session_can_be_revoked_alone_or_with_all_others_of_its_user(server: Server) -> None:
    laptop = registered(server, "sessions@example.org")
    phone, tablet, stranger = (entered(server, email, 1) for email in ("sessions@example.org",) * 2 + ("grace@example.org",))
    listed = phone.get("/me/sessions").json()
    assert len(listed) == 3 and sum(each["current"] for each in listed) == 1
    current = next(each["id"] for each in laptop.get("/me/sessions").json() if each["current"])
    assert stranger.ask("DELETE", f"/me/sessions/{current}").status_code == 404
    assert phone.ask("DELETE", f"/me/sessions/{current}").status_code == 204
    assert [each.get("/me").status_code for each in (laptop, phone, tablet, stranger)] == [401, 200, 200, 200]
    assert phone.ask("DELETE", "/me/sessions").json() == {"ended": 1}
    assert [each.get("/me").status_code for each in (phone, tablet, stranger)] == [200, 401, 200]


def test_the_audit_chain_shows_edits_removals_cut_tails_and_reorderings(server: Server) -> None:
    admin = entered(server, ADMIN)
    checkpoint = admin.get("/admin/audit/checkpoint").json()

    def report(asking: Client) -> dict[str, Any]:
        answer = asking.get(f"/admin/audit/verify?checkpoint={checkpoint}")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    assert report(admin)["sound"]
    with database(server) as file:
        columns = [column[1] for column in file.execute("PRAGMA table_info(sealite_audit_sealed)")]
        rows = file.execute("SELECT * FROM sealite_audit_sealed").fetchall()
    key, marks = columns[0], ", ".join("?" * len(columns))
    middle, following, last = len(rows) // 2, len(rows) // 2 + 1, len(rows) - 1

    def edited(file: sqlite3.Connection) -> None:
        file.execute(f"UPDATE sealite_audit_sealed SET event = 'nothing.happened' WHERE {key} = ?", [rows[middle][0]])

    def removed(file: sqlite3.Connection) -> None:
        file.execute(f"DELETE FROM sealite_audit_sealed WHERE {key} = ?", [rows[middle][0]])

    def cut(file: sqlite3.Connection) -> None:
        file.execute(f"DELETE FROM sealite_audit_sealed WHERE {key} >= ?", [rows[last - 1][0]])

    def reordered(file: sqlite3.Connection) -> None:
        for at, other in ((middle, following), (following, middle)):
            file.execute(f"DELETE FROM sealite_audit_sealed WHERE {key} = ?", [rows[at][0]])
            file.execute(f"INSERT INTO sealite_audit_sealed VALUES ({marks})", [rows[at][0], *rows[other][1:]])

    changes: list[Callable[[sqlite3.Connection], None]] = [edited, removed, cut, reordered]
    seen: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        with database(server) as file:
            change(file)
        seen[change.__name__] = [report(admin)]
        if change is cut:
            # Nothing recomputes it, also where the application begins anew.
            server.restart()
            admin = server.again(admin)
            seen[change.__name__].append(report(admin))
        with database(server) as file:
            file.execute("DELETE FROM sealite_audit_sealed")
            file.executemany(f"INSERT INTO sealite_audit_sealed VALUES ({marks})", rows)
    assert all(not found["sound"] and found["faults"] for reports in seen.values() for found in reports), seen
    assert len(seen["cut"]) == 2
    assert report(admin)["sound"]
