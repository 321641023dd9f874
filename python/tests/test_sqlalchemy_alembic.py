"""Migrations: autogenerate writes sealed columns, and sealing a plain one leaves no plaintext."""

import importlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import sealite
from sealite.sqlalchemy import Sealed, register_vault, tenant, unregister_vault

ENV = """
from alembic import context
import sqlalchemy as sa
import sealite.alembic
import models

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=models.metadata)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""
SCRIPT = '''
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''

Project = Callable[[sa.MetaData], str]


@pytest.fixture
def vault() -> Iterator[sealite.Vault]:
    with sealite.Vault.in_memory() as vault:
        register_vault(vault)
        yield vault
        unregister_vault()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "application.db"


@pytest.fixture
def config(tmp_path: Path, database: Path) -> Config:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text(SCRIPT)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{database}")
    return config


@pytest.fixture
def migrate(config: Config, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Autogenerates for the models, and upgrades; the migration's text."""

    def migrate(metadata: sa.MetaData) -> str:
        models = ModuleType("models")
        models.metadata = metadata  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "models", models)
        script = command.revision(config, autogenerate=True)
        assert script is not None and not isinstance(script, list)
        importlib.invalidate_caches()
        command.upgrade(config, "head")
        return Path(script.path).read_text()

    return migrate


def users(*columns: sa.Column[Any]) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    return metadata


SEALED = Sealed(sa.Text(), index="unique email", label="users.email", padding=64)


def test_a_new_sealed_column_is_written_and_made(migrate: Project, vault: sealite.Vault, database: Path) -> None:
    written = migrate(users(sa.Column("email", SEALED, nullable=False)))
    assert "sealite.sqlalchemy.Sealed(sa.Text(), label='users.email', index='unique email', padding=64" in written
    assert "sealite.sqlalchemy.BlindIndex(" in written and "import sealite.sqlalchemy" in written
    table = users(sa.Column("email", SEALED, nullable=False)).tables["users"]
    with sa.create_engine(f"sqlite:///{database}").begin() as connection:
        connection.execute(sa.insert(table), {"email": "ada@example.org"})
        assert connection.scalar(sa.select(table.c.id).where(table.c.email == "ADA@example.org")) == 1
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(table), {"email": "Ada@example.org"})


def test_a_sealed_column_added_later_is_written_and_made(migrate: Project, vault: sealite.Vault) -> None:
    migrate(users())
    migrate(users(sa.Column("email", SEALED)))
    assert "pass" in migrate(users(sa.Column("email", SEALED)))


def test_sealing_a_plain_column_leaves_no_plaintext(migrate: Project, vault: sealite.Vault, database: Path, config: Config) -> None:
    people = [f"needle{number}@example.org" for number in range(2_500)]
    migrate(users(sa.Column("email", sa.Text, nullable=False), sa.Column("plan", sa.Text)))
    connection = sqlite3.connect(database)
    connection.executemany("INSERT INTO users (email, plan) VALUES (?, 'free')", [(email,) for email in people])
    connection.commit()
    connection.close()
    assert b"needle" in database.read_bytes()

    sealed = users(sa.Column("email", SEALED, nullable=False), sa.Column("plan", sa.Text))
    assert "op.seal_column('users', 'email', sealite.sqlalchemy.Sealed(" in migrate(sealed)
    for file in database.parent.glob("application.db*"):
        assert b"needle" not in file.read_bytes(), file
    table = sealed.tables["users"]
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connected:
        assert list(connected.scalars(sa.select(table.c.email).order_by(table.c.id))) == people
        assert connected.scalar(sa.select(table.c.id).where(table.c.email == people[2_000].upper())) == 2_001
    assert "pass" in migrate(sealed)
    # As if it had been cut off before it was noted down.
    script = command.revision(config)
    assert script is not None and not isinstance(script, list)
    again = Path(script.path).read_text().replace("pass", f"op.seal_column('users', 'email', {SEALED!r}, existing_type=sa.Text())", 1)
    Path(script.path).write_text(f"from sealite.sqlalchemy import Sealed\n{again}")
    importlib.invalidate_caches()
    command.upgrade(config, "head")
    with engine.connect() as connected:
        assert list(connected.scalars(sa.select(table.c.email).order_by(table.c.id))) == people

    command.downgrade(config, "-3")
    with engine.connect() as connected:
        assert connected.exec_driver_sql("SELECT email FROM users ORDER BY id").scalars().all() == people
    engine.dispose()


def test_values_are_sealed_for_their_tenants_and_rows(
    migrate: Project, vault: sealite.Vault, database: Path, config: Config
) -> None:
    plain = sa.MetaData()
    columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("org", sa.Text))
    notes = sa.Table("notes", plain, *columns, sa.Column("born", sa.Date))
    migrate(plain)
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        rows = [{"org": f"org{day % 2}", "born": date(2000, 1, day)} for day in range(1, 5)]
        connection.execute(sa.insert(notes), rows)

    script = command.revision(config)
    assert script is not None and not isinstance(script, list)
    type_ = Sealed(sa.Date(), label="notes.born", per_tenant=True, bind_row=True)
    text = Path(script.path).read_text().replace("pass", f"op.seal_column('notes', 'born', {type_!r})", 1)
    Path(script.path).write_text(f"from sealite.sqlalchemy import Sealed\n{text}")
    with pytest.raises(sealite.Refused):
        command.upgrade(config, "head")
    text = text.replace("=True))", "=True), tenant_column='org')")
    Path(script.path).write_text(f"from sealite.sqlalchemy import Sealed\n{text}")
    importlib.invalidate_caches()
    command.upgrade(config, "head")

    bound = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("born", type_))
    with engine.connect() as connection, tenant("org1"):
        first, second = connection.execute(sa.select(bound).limit(2)).all()
        assert first.born.open(1) == date(2000, 1, 1)
        with pytest.raises(sealite.AuthenticationFailed):
            first.born.open(3)
        with pytest.raises(sealite.AuthenticationFailed):
            second.born.open(2)
    engine.dispose()
