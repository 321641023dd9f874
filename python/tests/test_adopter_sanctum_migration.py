"""Sanctum's migration, cut off at every step."""

import json
import os
import subprocess
import sys
from pathlib import Path

import sealite
from sanctum_site import lay
from serving import ADOPTERS, SOON

# Before each call that the migration makes of the vault it is cut off, and asked to go on.
CUT_OFF = """
import json
from fastapi.testclient import TestClient
import sanctum
from sanctum import vault as instance

class Cut(Exception): pass

class UntilCut:
    def __init__(self, vault, calls):
        self.vault, self.calls = vault, calls
    def __getattr__(self, name):
        if not callable(member := getattr(self.vault, name)):
            return member
        if self.calls == 0:
            raise Cut
        self.calls -= 1
        return member

migrate, cuts = instance._migrate, 0
with TestClient(sanctum.app) as client:
    while True:
        instance._migrate = lambda vault: migrate(UntilCut(vault, cuts))
        try:
            instance.initialise()
            break
        except Cut:
            cuts += 1
            answer = client.get("/me")
            assert (answer.status_code, answer.json()["error"]) == (503, "instance_not_ready")
    vault = instance.site.vault
    values = vault.query("SELECT user_id, field_id, value, clear FROM field_values ORDER BY user_id, field_id")
    users = vault.query("SELECT email FROM users ORDER BY id")
    print(json.dumps([cuts, list(users), list(values), vault.settings.read("smtp.port").shown]))
"""


def test_a_migration_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    lay(tmp_path / "vault.db")
    settings = {"APP_KEY": sealite.generate_key(), "SANCTUM_DB": str(tmp_path / "vault.db")}
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF], cwd=ADOPTERS, env={**os.environ, **settings}, capture_output=True, text=True, timeout=SOON
    )
    assert done.returncode == 0, done.stderr
    cuts, users, values, port = json.loads(done.stdout)
    assert cuts >= 10 and users == [["Old.Ada@Example.org"], ["grace@example.org"]] and port == "2525"
    assert values == [[1, 1, "+44 20 oldcanary 0958", None], [1, 2, None, "Motto-in-clear"], [2, 1, "", None], [2, 3, None, None]]
    assert b"ldcanary" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


SET_UP = """
import os
from fastapi.testclient import TestClient
import sanctum
from sanctum.vault import site

with TestClient(sanctum.app) as client:
    answer = client.post("/setup", json={"code": os.environ["SANCTUM_SETUP_CODE"], "email": "GRACE@example.org"})
    print(answer.status_code, answer.json(), [(row.id, row["role"]) for row in site.vault.table("users").scan()])
"""


def test_who_was_there_before_the_vault_may_set_it_up(tmp_path: Path) -> None:
    """Else the instance would be made, and have no administrator."""
    lay(tmp_path / "vault.db")
    settings = {"APP_KEY": sealite.generate_key(), "SANCTUM_DB": str(tmp_path / "vault.db"), "SANCTUM_SETUP_CODE": "code"}
    done = subprocess.run(
        [sys.executable, "-c", SET_UP], cwd=ADOPTERS, env={**os.environ, **settings}, capture_output=True, text=True, timeout=SOON
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "201 {'id': 2} [(1, 'user'), (2, 'admin')]\n"
