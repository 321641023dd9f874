"""The vault, which is the application's own database, sealed in place; and how it became that."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealite import AlreadyInitialised, NotInitialised, Transaction, Vault
from sealite.fastapi import Sealite

PATH = Path(os.environ.get("SANCTUM_DB", "sanctum.db"))
site = Sealite(PATH, "env:APP_KEY", existing_database=True)

# As Sanctum has always had them. A value is NULL where it was set to nothing; where there is no row, nothing was set.
_TABLES = (
    """CREATE TABLE IF NOT EXISTS users
       (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, role TEXT NOT NULL DEFAULT 'user')""",
    """CREATE TABLE IF NOT EXISTS fields
       (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, encrypted BOOLEAN NOT NULL DEFAULT 0, public BOOLEAN NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS field_values
       (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        field_id INTEGER NOT NULL REFERENCES fields (id) ON DELETE CASCADE, value TEXT, UNIQUE (user_id, field_id))""",
    """CREATE TABLE IF NOT EXISTS settings
       (key TEXT PRIMARY KEY, value TEXT, is_secret BOOLEAN, requires_restart BOOLEAN, category TEXT, description TEXT)""",
)
_USERS = {"email": "text sealed not null unique email", "name": "text sealed", "role": "text authenticated not null default 'user'"}


@site.on_open
def declare(vault: Vault) -> None:
    if not _is_migrated(vault):
        raise NotInitialised("the instance is being set up")
    settings = vault.settings
    settings.define("site.url", default="http://127.0.0.1:8000", environment="SANCTUM_URL", requires_restart=True, category="site")
    settings.define("mail.host", default="localhost", environment="SANCTUM_MAIL_HOST", category="mail")
    settings.define("mail.password", secret=True, category="mail", description="of the mail server")
    settings.define("site.notice", category="site", description="shown to everybody")


def initialise() -> None:
    """Makes the vault, exactly once, and seals what the database held before. AlreadyInitialised where that was done; where
    it was begun and cut off, it goes on."""
    with _alone():
        vault = site.handle()
        try:
            site.initialise()
        except AlreadyInitialised:
            if _is_migrated(vault):
                raise
        _migrate(vault)


def erase_remnants(tx: Transaction) -> None:
    """Has `finish_erasure`, once this has committed, overwrite what the transaction has replaced in clear."""
    tx.query("SELECT sealite_define_table('remnants', '\"id\" integer primary key', '\"value\" text sealed')")
    tx.execute("DROP TABLE remnants")


def _migrate(vault: Vault) -> None:
    for statement in _TABLES:
        if not vault.query("SELECT 1 FROM sqlite_master WHERE name = ?", [f"{statement.split()[5]}_sealed"]):
            vault.execute(statement)
    vault.protect_table("users", _USERS)
    vault.protect_table("field_values", {"value": "text sealed"})
    if "clear" not in vault.table("field_values").columns:
        vault.add_column("field_values", "clear text plain")
    for key, value, secret, restart, category, description in vault.query("SELECT * FROM settings"):
        vault.settings.define(key, secret=bool(secret), requires_restart=bool(restart), category=category, description=description)
        if value is not None:
            vault.settings.write(key, value, actor="migration")
    with vault.transaction() as tx:
        # Field by field, as the switches say.
        tx.execute("UPDATE field_values SET clear = value, value = NULL WHERE field_id IN (SELECT id FROM fields WHERE NOT encrypted)")
        tx.execute("DROP TABLE settings")
        erase_remnants(tx)
    vault.finish_erasure()


def _is_migrated(vault: Vault) -> bool:
    tables = {name for (name,) in vault.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {"users_sealed", "field_values_sealed"} <= tables and "settings" not in tables


@contextmanager
def _alone() -> Iterator[None]:
    """Of all workers one at a time. The lock goes with its process."""
    with PATH.with_suffix(".setup").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
