"""The small modules: sqlite3 functions, pydantic-settings, prometheus_client, fixtures for applications."""

import datetime
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import prometheus_client
import pydantic
import pydantic_settings
import pytest

import sealite
import sealite.sqlite3
from sealite.prometheus import VaultCollector
from sealite.pydantic_settings import VaultSettingsSource
from sealite.vaults import registered_vault


def test_sql_functions_seal_open_and_index(vault: sealite.Vault, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "other.db")
    functions = sealite.sqlite3.register(connection, vault)
    connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email BLOB, email_bidx BLOB UNIQUE)")
    insert = "INSERT INTO users VALUES (?1, sealite_seal('u.email', ?2, ?1), sealite_index('u.email', ?2, 'unique email'))"
    connection.executemany(insert, [(1, "needle@example.org"), (2, "b@example.org"), (3, None)])
    find = "SELECT sealite_open('u.email', email, id) FROM users WHERE email_bidx = sealite_index('u.email', ?, 'unique email')"
    assert connection.execute(find, ["NEEDLE@example.org"]).fetchall() == [("needle@example.org",)]
    assert connection.execute("SELECT email, email_bidx, sealite_open('u.email', email) FROM users WHERE id = 3").fetchone() == (None,) * 3
    connection.commit()
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT sealite_open('u.email', email, id + 1) FROM users").fetchall()
    assert isinstance(functions.error, sealite.AuthenticationFailed)
    for value in (5, 1.5, "é", b"\0"):
        assert connection.execute("SELECT sealite_open('f', sealite_seal('f', ?))", [value]).fetchone() == (value,)
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("SELECT sealite_open('f', sealite_seal('u.email', 1))").fetchone()
    connection.close()
    assert b"needle" not in (tmp_path / "other.db").read_bytes()


def test_a_planted_view_can_not_open(vault: sealite.Vault, tmp_path: Path) -> None:
    planted = sqlite3.connect(tmp_path / "other.db")
    planted.create_function("sealite_open", 2, lambda field, value: None)
    planted.execute("CREATE VIEW v AS SELECT sealite_open('f', x'00')")
    planted.close()
    connection = sqlite3.connect(tmp_path / "other.db")
    sealite.sqlite3.register(connection, vault)
    with pytest.raises(sqlite3.OperationalError, match="unsafe use"):
        connection.execute("SELECT * FROM v").fetchall()
    connection.close()


def test_the_functions_of_a_tenant_are_its_own(vault: sealite.Vault) -> None:
    connections = [sqlite3.connect(":memory:") for _ in range(2)]
    for connection, name in zip(connections, ("acme", "other"), strict=True):
        sealite.sqlite3.register(connection, vault.tenant(name))
    (sealed,) = connections[0].execute("SELECT sealite_seal('f', 'x')").fetchone()
    assert connections[0].execute("SELECT sealite_open('f', ?)", [sealed]).fetchone() == ("x",)
    with pytest.raises(sqlite3.OperationalError):
        connections[1].execute("SELECT sealite_open('f', ?)", [sealed]).fetchone()
    for connection in connections:
        connection.close()


def test_settings_are_a_source_and_secrets_are_secret(vault: sealite.Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = vault.settings
    settings.define("mail.host", default="localhost")
    settings.define("mail.password", secret=True)
    settings.define("pin", "integer", secret=True)
    settings.define("unset")
    settings.write("mail.password", "hunter2", actor="ada")
    settings.write("pin", 1234, actor="ada")
    monkeypatch.setenv("UNSET", "from the environment")

    class Base(pydantic_settings.BaseSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[pydantic_settings.BaseSettings],
            init_settings: pydantic_settings.PydanticBaseSettingsSource,
            env_settings: pydantic_settings.PydanticBaseSettingsSource,
            dotenv_settings: pydantic_settings.PydanticBaseSettingsSource,
            file_secret_settings: pydantic_settings.PydanticBaseSettingsSource,
        ) -> tuple[pydantic_settings.PydanticBaseSettingsSource, ...]:
            names = {"number": "pin"} if "number" in settings_cls.model_fields else None
            return init_settings, VaultSettingsSource(settings_cls, settings, names), env_settings

    class App(Base):
        mail_host: str
        mail_password: pydantic.SecretStr
        number: pydantic.Secret[int]
        unset: str
        other: int = 5

    app = App()
    assert (app.mail_host, app.unset, app.other) == ("localhost", "from the environment", 5)
    assert app.mail_password.get_secret_value() == "hunter2" and app.number.get_secret_value() == 1234
    assert "hunter2" not in f"{app!r}{app.model_dump()}{app.model_dump_json()}" and "1234" not in repr(app)

    class Careless(Base):
        mail_password: str

    with pytest.raises(pydantic.ValidationError) as raised:
        Careless()
    assert "hunter2" not in str(raised.value) and "hunter2" not in repr(raised.value.errors())


def test_prometheus_collects_the_counters_of_this_worker(vault: sealite.Vault, users: sealite.Table) -> None:
    registry = prometheus_client.CollectorRegistry()
    registry.register(VaultCollector(vault, {"rate_limited_total": "sealite_quota_refused_total"}))
    users.insert(email="ada@example.org")
    worker = str(os.getpid())
    inserted = registry.get_sample_value("sealite_requests_total", {"operation": "insert", "worker": worker})
    assert inserted == vault.metrics().inserts == 1
    text = prometheus_client.generate_latest(registry).decode()
    assert f'worker="{worker}"' in text and "rate_limited_total{" in text


def test_fixtures_give_an_application_what_it_needs(
    sealite_vault: sealite.Vault, sealite_clock: "sealite.testing.Clock", sealite_unlock: sealite.Unlock
) -> None:
    assert registered_vault() is sealite_vault and sealite_unlock.kind == "key"
    limits = ["2/minute"]
    charge = sealite_vault.quotas.check_and_charge
    assert [bool(charge("a", limits)) for _ in range(3)] == [True, True, False]
    sealite_clock.advance(61)
    assert charge("a", limits)
    sealite_clock.advance(datetime.timedelta(days=1))
    sealite_vault.audit.append("moved")
    assert abs(sealite_vault.audit.tail(1)[0].at - sealite_clock.now) < datetime.timedelta(milliseconds=1)
    with pytest.raises(ValueError, match="zone"):
        sealite_clock.set(datetime.datetime(2024, 1, 1))


def test_the_cheap_passphrase_opens_a_vault(sealite_passphrase: sealite.Unlock, sealite_vault_file: sealite.Vault) -> None:
    assert sealite_vault_file.add_slot("people", sealite_passphrase) > 0


def test_the_package_imports_nothing_of_third_parties() -> None:
    program = (
        "import sys, sealite, sealite.vaults, sealite.aio, sealite.logging, sealite.sqlite3\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'sealite', '__main__'}))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=120)
    found = {name for name in eval(done.stdout) if not name.startswith("_")}
    assert found <= {"sitecustomize", "distutils"}, found
