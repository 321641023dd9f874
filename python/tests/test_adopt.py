"""Existing databases that move in."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

import sealite
import sealite.sqlalchemy as sealed

KEY = "3a9107fe5c28b3604de2198f74c50bd62ea95381f7166bcc409d35ea0278b15f"
USERS = 1200


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application's database."""
    path = tmp_path / "app.db"
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT)")
    rows = ((f"u{n}@example.org", f"Secretname {n}") for n in range(USERS))
    conn.executemany("INSERT INTO users (email, name) VALUES (?, ?)", rows)
    conn.commit()
    conn.close()
    return path


def created(path: Path, *, existing: bool = False) -> sealite.Vault:
    return sealite.Vault.create(path, sealite.Unlock.key_text(KEY), existing_database=existing)


def held(folder: Path) -> bool:
    return any(b"Secretname" in path.read_bytes() for path in folder.iterdir())


def test_tables_are_adopted_in_place(app: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, str, int, int]] = []
    with created(app, existing=True) as vault:
        plan = "[tables.users]\nemail = 'sealed unique email'\n"
        columns = ["users.name: sealed"]
        preview = vault.preview_adoption(plan, columns=columns)
        assert preview.possible and repr(preview) == "<AdoptionPreview possible>"
        [table] = preview.tables
        assert (table.table, table.rows, table.done, table.refused) == ("users", USERS, False, [])
        assert table.bytes_after > table.bytes > 0 and table.seconds > 0
        assert any("blind" in changed for changed in table.changed)
        report = vault.adopt(plan, columns=columns, progress=lambda *step: seen.append(step))
        [adopted] = report.tables
        assert (adopted.table, adopted.rows, adopted.was_done, adopted.removed) == ("users", USERS, False, False)
        assert report.erasure == "complete" and report.seconds > 0
        assert vault.table("users").find_one("email", "U7@Example.org")["name"] == "Secretname 7"  # type: ignore[index]
        assert vault.adopt(plan, columns=columns).tables[0].was_done
    assert ("sealing", "users", 500, USERS) in seen and seen[-1][0] == "erasing"
    assert not held(tmp_path)


def test_tables_move_into_a_vault(app: Path, tmp_path: Path) -> None:
    with created(tmp_path / "vault.db") as vault:
        columns = ["users.email: sealed, unique email", "users.name: sealed"]
        report = vault.adopt(columns=columns, source=app, remove=True)
        assert report.tables[0].removed
        assert vault.table("users").count() == USERS
    assert not held(tmp_path)
    conn = sqlite3.connect(app)
    assert conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    conn.close()


def test_values_are_sealed_as_the_types_of_sqlalchemy_read_them(app: Path, tmp_path: Path) -> None:
    with created(tmp_path / "vault.db") as vault:
        columns = ["users.email: sealed, unique email", "users.name: sealed"]
        vault.adopt(columns=columns, source=app, values=True)
        assert not held(tmp_path)
        sealed.register_vault(vault)
        users = sa.Table(
            "users",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sealed.Sealed(sa.String, "users.email", index="unique email")),
            sa.Column("name", sealed.Sealed(sa.String, "users.name")),
        )
        engine = sa.create_engine(f"sqlite:///{app}")
        with engine.begin() as conn:
            found = conn.execute(sa.select(users.c.id, users.c.name).where(users.c.email == " U7@EXAMPLE.org")).all()
            assert found == [(8, "Secretname 7")]
            with pytest.raises(sa.exc.IntegrityError), conn.begin_nested():
                conn.execute(sa.insert(users).values(email="u8@example.org", name="again"))
        engine.dispose()
        sealed.unregister_vault()


def test_what_stands_against_it_is_listed_and_nothing_is_done(app: Path, tmp_path: Path) -> None:
    conn = sqlite3.connect(app)
    conn.execute("CREATE VIEW names AS SELECT name FROM users")
    conn.close()
    with created(tmp_path / "vault.db") as vault:
        given = {"columns": ["users.name: sealed"], "source": app, "values": True}
        preview = vault.preview_adoption(**given)  # type: ignore[arg-type]
        assert not preview.possible and "view names" in preview.tables[0].refused[0]
        with pytest.raises(sealite.Refused, match="view names"):
            vault.adopt(**given)  # type: ignore[arg-type]
        with pytest.raises(sealite.InvalidInput):
            vault.adopt("[tables.users]\nname = 'seled'\n", source=app)


def test_what_progress_raises_ends_it_and_the_same_call_goes_on(app: Path) -> None:
    def stop(phase: str, table: str, done: int, total: int) -> None:
        if done >= 1000:
            raise KeyError(table)

    first: list[int] = []
    with created(app, existing=True) as vault:
        columns = ["users.name: sealed"]
        with pytest.raises(KeyError):
            vault.adopt(columns=columns, progress=stop)
        vault.adopt(columns=columns, progress=lambda phase, table, done, total: first.append(done))
        assert first[0] >= 1000
        assert vault.table("users").count() == USERS
