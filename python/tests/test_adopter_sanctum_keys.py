"""Sanctum's keys: the administrator's, which opens the vault, and those beneath. Each test is a line of what must hold for it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sealite
from sanctum_site import ADMIN, _begun, begun, database, entered, events, put, registered, revealed, server
from serving import Client, Server, hang_up

__all__ = ["_begun", "begun", "hang_up", "server"]


def records(server: Server) -> dict[str, list[Any]]:
    """What is sealed, as it lies in the file."""
    with database(server) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE name LIKE '%\\_sealed' ESCAPE '\\' AND type = 'table'")]
        kept = [name for name in tables if not name.startswith(("sealite_audit", "sealite_token", "sealite_quota"))]
        return {name: file.execute(f"SELECT rowid, sealed FROM {name}").fetchall() for name in kept}


def opens(server: Server, key: str) -> bool:
    try:
        sealite.Vault.open(server.folder / "vault.db", sealite.Unlock.key_text(key)).close()
    except sealite.WrongKey:
        return False
    return True


def test_changing_the_admin_s_key_needs_no_plaintext_and_rewrites_no_row(server: Server) -> None:
    admin = entered(server, ADMIN)
    before, first, second = records(server), sealite.generate_key(), sealite.generate_key()
    assert before["users_sealed"] and before["field_values_sealed"] and before["sealite_settings_sealed"]

    def add(label: str, key: str) -> int:
        asked = {"label": label, "key": key}
        # The key alone, and nothing of what it protects.
        assert len(admin.http.build_request("POST", "/admin/keys", json=asked).read()) < 200
        answer = admin.post("/admin/keys", json=asked)
        assert answer.status_code == 201
        return int(answer.json()["id"])

    old = add("the admin's, first", first)
    new = add("the admin's, second", second)
    assert opens(server, first) and opens(server, second)
    assert admin.ask("DELETE", f"/admin/keys/{old}").status_code == 204
    assert not opens(server, first) and opens(server, second) and opens(server, server.key)
    assert admin.ask("DELETE", f"/admin/keys/{new}").status_code == 204
    assert records(server) == before


def test_rotating_the_application_s_secret_loses_nothing(server: Server) -> None:
    admin = entered(server, ADMIN)
    put(admin, "mail.password", "kept")
    before, old_key, new_key = records(server), server.key, sealite.generate_key()
    checkpoint = admin.get("/admin/audit/checkpoint").json()
    assert admin.post("/admin/keys", json={"label": "new", "key": new_key}).status_code == 201
    server.key = server.environment["APP_KEY"] = new_key
    server.restart()
    admin = entered(server, ADMIN)
    # Nothing waits for that any more.
    assert admin.get("/admin/settings/restart").json() == []
    (old,) = (id for id, label in admin.get("/admin/keys").json().items() if label != "new")
    assert admin.ask("DELETE", f"/admin/keys/{old}").status_code == 204
    assert records(server) == before
    assert entered(server, "OLD.ada@example.org").get("/me").json()["name"] == "Ada Oldcanary"
    assert revealed(admin, "mail.password") == "kept"
    report = admin.get(f"/admin/audit/verify?checkpoint={checkpoint}").json()
    assert report["sound"] and report["entries"] > 10
    assert not opens(server, old_key)


def test_rotating_every_key_loses_nothing_while_the_site_is_used(server: Server) -> None:
    admin, other = entered(server, ADMIN), registered(server, "rotated@example.org", 1, name="Rotated Canary")
    put(admin, "mail.password", "kept over rotations")
    before, checkpoint = records(server), admin.get("/admin/audit/checkpoint").json()
    with ThreadPoolExecutor(1) as pool:
        rotating = pool.submit(admin.post, "/admin/keys/rotation")
        used = 0
        while not rotating.done() or used == 0:
            assert other.get("/me").json()["name"] == "Rotated Canary"
            assert other.ask("PATCH", "/me", json={"fields": {"phone": str(used)}}).status_code == 204
            used += 1
    answer = rotating.result()
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"data": "finished", "index": "finished", "token": "waiting", "audit": "finished"}
    after = records(server)
    for table in ("users_sealed", "field_values_sealed", "sealite_settings_sealed"):
        assert not set(before[table]) & set(after[table]), f"{table} has records of the old key"
    # Sessions of before, look-ups, settings and the trail.
    assert other.get("/me").json()["fields"]["phone"] == str(used - 1)
    assert entered(server, "ROTATED@example.org").get("/me").json()["name"] == "Rotated Canary"
    conflict = other.post("/users", json={"email": "rotated@EXAMPLE.org"})
    assert (conflict.status_code, conflict.json()) == (409, {"error": "conflict"})
    assert revealed(admin, "mail.password") == "kept over rotations"
    report = admin.get(f"/admin/audit/verify?checkpoint={checkpoint}").json()
    assert report["sound"] and events(admin, "keys.rotated")
