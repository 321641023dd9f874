"""Migrations of sealed tables, in the engine's own database: autogenerate, the operations, and no plaintext left."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations

import sealite
import sealite.alembic
from sealite.sqlalchemy import Sealed

from test_sqlalchemy_alembic import ENV, SCRIPT

EMAIL = Sealed(sa.Text(), index="unique email", label="users.email")
Migrate = Callable[[sa.MetaData], str]


def users(*columns: sa.Column[Any]) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    return metadata


@pytest.fixture
def url(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("APP_KEY", key)
    return f"sqlite+sealite:///{path}?key=env:APP_KEY"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def config(tmp_path: Path, url: str) -> Config:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    (folder / "script.py.mako").write_text(SCRIPT)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("sqlalchemy.url", url)
    return config


@pytest.fixture
def migrate(config: Config, monkeypatch: pytest.MonkeyPatch) -> Migrate:
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


@pytest.fixture
def operations(engine: sa.Engine) -> Iterator[Operations]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            yield Operations(context)


def everything() -> sa.MetaData:
    metadata = users(
        sa.Column("email", EMAIL, nullable=False),
        sa.Column("born", Sealed(sa.Date(), label="users.born")),
        sa.Column("notes", Sealed(sa.JSON(), label="users.notes")),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("since", sa.DateTime),
        sa.Column("balance", sa.Numeric(10, 2)),
        sa.Column("plan", sa.String(20), index=True, server_default="free"),
        sa.Column("nick", sa.String(20), unique=True),
        sa.Column("role", sa.Text, sqlite_authenticated=True),
        sa.Column("team", sa.ForeignKey("teams.id")),
    )
    sa.Table("teams", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
    sa.Table("orders", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("user", sa.ForeignKey("users.id")))
    return metadata


def test_autogenerate_sees_no_difference_after_create_all(engine: sa.Engine) -> None:
    metadata = everything()
    metadata.create_all(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_a_migration_makes_what_the_models_say(migrate: Migrate, engine: sa.Engine) -> None:
    written = migrate(everything())
    assert "sealite.sqlalchemy.Sealed(sa.Text(), label='users.email', index='unique email'" in written
    assert "    pass\n" in migrate(everything())
    table = everything().tables["users"]
    with engine.begin() as connection:
        connection.execute(sa.insert(table), {"email": "ada@example.org", "active": True})
        assert connection.scalar(sa.select(table.c.plan).where(table.c.email == "ADA@example.org")) == "free"


def test_columns_come_and_go(migrate: Migrate, engine: sa.Engine) -> None:
    migrate(users(sa.Column("email", EMAIL)))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (email) VALUES ('ada@example.org')")
    more = users(sa.Column("email", EMAIL), sa.Column("name", Sealed(sa.Text(), label="users.name")), sa.Column("plan", sa.Text))
    migrate(more)
    protections = {column["name"]: column["protection"] for column in _listed(engine)["users"]["columns"]}
    assert protections == {"email": "sealed", "name": "sealed", "plan": "plain"}
    migrate(users(sa.Column("email", EMAIL)))
    assert [column["name"] for column in _listed(engine)["users"]["columns"]] == ["email"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM users").all() == [(1, "ada@example.org")]


def test_sealing_a_plain_column_leaves_no_plaintext(migrate: Migrate, engine: sa.Engine, config: Config, path: Path) -> None:
    people = [f"needle{number}@example.org" for number in range(500)]
    migrate(users(sa.Column("email", sa.Text, nullable=False), sa.Column("plan", sa.Text)))
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO users (email) VALUES (:email)"), [{"email": email} for email in people])
    sealed = users(sa.Column("email", EMAIL, nullable=False), sa.Column("plan", sa.Text))
    assert "op.seal_column('users', 'email', sealite.sqlalchemy.Sealed(" in migrate(sealed)
    engine.dispose()
    for file in path.parent.glob("app.db*"):
        assert b"needle" not in file.read_bytes(), file
    table = sealed.tables["users"]
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(table.c.email).order_by(table.c.id))) == people
        assert connection.scalar(sa.select(table.c.id).where(table.c.email == people[400].upper())) == 401
    assert "    pass\n" in migrate(sealed)
    command.downgrade(config, "-2")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT email FROM users ORDER BY id").scalars().all() == people
        assert _listed(engine) == {}


def test_a_sealed_column_is_added_to_a_plain_table(migrate: Migrate, engine: sa.Engine) -> None:
    migrate(users(sa.Column("plan", sa.Text)))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (plan) VALUES ('free')")
    migrate(users(sa.Column("plan", sa.Text), sa.Column("email", EMAIL)))
    assert list(_listed(engine)) == ["users"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM users").all() == [(1, "free", None)]


def test_the_operations_work_on_sealed_tables(engine: sa.Engine, operations: Operations) -> None:
    op = operations
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", Sealed(sa.Text(), label="people.email", index="unique", companion=False)),
        sa.Column("plan", sa.Text),
    )
    op.create_index("ix_plan", "people", ["plan"])
    op.bulk_insert(sa.table("people", sa.column("email"), sa.column("plan")), [{"email": "a@b.example", "plan": "free"}])
    op.alter_column("people", "plan", new_column_name="tier")
    op.rename_table("people", "users")
    op.execute("UPDATE users SET email = 'c@d.example'")
    assert op.get_bind().exec_driver_sql("SELECT email, tier FROM users").all() == [("c@d.example", "free")]
    assert [index["name"] for index in sa.inspect(op.get_bind()).get_indexes("users")] == ["ix_plan"]
    op.drop_index("ix_plan", "users")
    op.drop_column("users", "tier")
    with pytest.raises(sealite.Refused):
        op.alter_column("users", "email", type_=sa.Integer())
    with pytest.raises(sealite.Refused):
        op.alter_column("users", "email", nullable=False)
    op.drop_table("users")
    assert sa.inspect(op.get_bind()).get_table_names() == []


def test_a_migration_is_one_transaction(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with pytest.raises(ZeroDivisionError), context.begin_transaction():
            op = Operations(context)
            op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True), sa.Column("body", Sealed(sa.Text(), label="n.b")))
            op.create_table("plain", sa.Column("id", sa.Integer, primary_key=True))
            raise ZeroDivisionError
    assert sa.inspect(engine).get_table_names() == []


def _listed(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        tables: dict[str, Any] = engine.dialect.sealed_tables(connection)  # type: ignore[attr-defined]
        return tables
