"""One value, in everything that can hold a secret."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask
import pydantic_settings
import pytest
import sqlalchemy as sa

import sealite
import sealite.aio
import sealite.dbapi2
import sealite.fastapi
import sealite.flask
import sealite.limits
import sealite.sqlite3
import sealite.testing
from sealite._hosting import Session
from sealite._native import FieldBinding
from sealite.prometheus import VaultCollector
from sealite.pydantic_settings import VaultSettingsSource
from sealite.sqlalchemy import Sealed, SealedForRow
from sealite.sqlalchemy._rows import ForRow

CANARY = "canary-4Tq9vZ"
# A key that says the same.
KEY = CANARY.encode() + os.urandom(32 - len(CANARY))


def holders(vault: sealite.Vault) -> dict[str, Any]:
    """Everything that holds the canary, by name."""
    vault.define_table("secrets", {"value": "text sealed unique", "other": f"text default '{CANARY}' sealed"})
    table = vault.table("secrets")
    table.insert(value=CANARY)
    settings = vault.settings
    settings.define("canary", secret=True)
    settings.write("canary", CANARY, actor="ada")
    field = vault.field("f")
    type_ = Sealed(sa.Text(), label="f", bind_row=True)
    approval = vault.approvals.create("act", {"value": CANARY}, CANARY, session=CANARY)
    vault.audit.append("seen", actor=CANARY, payload={"value": CANARY})
    transaction = vault.transaction()
    connection = sealite.dbapi2.connect(vault=vault)
    connection.row_factory = sealite.dbapi2.Row
    cursor = connection.execute("SELECT *, ? FROM secrets WHERE value = ?", (CANARY, CANARY))
    bound = FieldBinding("f", "text", None)
    bound.bind(field)
    return {
        "Vault": vault,
        "Unlock.key": sealite.Unlock.key(KEY),
        "Unlock.key_text": sealite.Unlock.key_text(KEY.hex()),
        "Unlock.passphrase": sealite.Unlock.passphrase(CANARY),
        "Slot": vault.slots(),
        "Tenant": vault.tenant("acme"),
        "Table": table,
        "TableDefinition": table.definition,
        "Row": table.get(1),
        "Scan": table.scan(),
        "SqlRows": vault.query("SELECT ?", [CANARY]),
        "Transaction": transaction,
        "Snapshot": vault.snapshot(),
        "Field": field,
        "Setting": settings.read("canary"),
        "SettingValue": settings.use("canary"),
        "SettingVersion": settings.history("canary")[0],
        "Settings": settings,
        "Approval": vault.approvals.get(approval),
        "Approvals": vault.approvals,
        "Audit": vault.audit,
        "AuditEvent": vault.audit.tail(1)[0],
        "AuditEvents": vault.audit.events(),
        "Quotas": vault.quotas,
        "Decision": vault.quotas.check_and_charge(CANARY, "5/minute"),
        "Health": vault.health(),
        "Metrics": vault.metrics(),
        "Verification": vault.verify(),
        "Tokens": vault.tokens,
        "IssuedToken": (issued := vault.tokens.issue("api_key", subject=CANARY, label=CANARY, data={"value": CANARY})),
        "Token": issued.token,
        "IssuedCode": vault.tokens.issue_code(CANARY),
        "LegacyEntry": sealite.LegacyEntry.from_hash("admin", KEY.hex(), label=CANARY),
        "LegacyImport": vault.tokens.import_legacy([]),
        "PasswordHasher": sealite.PasswordHasher(),
        "ForRow": ForRow(CANARY, 1),
        "SealedForRow": SealedForRow(type_, field.seal(CANARY, 1)),
        "Functions": sealite.sqlite3.Functions(vault),
        "VaultCollector": VaultCollector(vault),
        "FieldBinding": bound,
        "flask.Sealite": flask_extension(vault),
        "fastapi.Sealite": sealite.fastapi.Sealite(vault=vault),
        "VaultStorage": sealite.limits.VaultStorage("sealite://canary"),
        "AsyncVaultStorage": sealite.limits.AsyncVaultStorage("async+sealite://canary"),
        "VaultSettingsSource": VaultSettingsSource(pydantic_settings.BaseSettings, settings),
        "dbapi2.Connection": connection,
        "dbapi2.Cursor": cursor,
        "dbapi2.Row": cursor.fetchone(),
        "Clock": sealite.testing.Clock(vault),
        "Session": session(vault),
        "StreamGuard": asyncio.run(stream_guard(vault)),
        "AsyncTransaction": sealite.aio.AsyncTransaction(ThreadPoolExecutor(1), vault.transaction()),
        "AsyncSnapshot": sealite.aio.AsyncSnapshot(ThreadPoolExecutor(1), vault.snapshot()),
    }


def session(vault: sealite.Vault) -> Session:
    """As Flask and FastAPI keep it with a request; its text is the canary, which no token's is."""
    return Session(CANARY, vault.tokens.issue("session", subject=CANARY).token)


async def stream_guard(vault: sealite.Vault) -> sealite.fastapi.StreamGuard:
    issued = vault.tokens.issue("session", subject=CANARY, data={"value": CANARY})
    text = CANARY
    return sealite.fastapi.StreamGuard(issued.token, lambda: vault.tokens.verify(text, "session"), 5.0)


def flask_extension(vault: sealite.Vault) -> sealite.flask.Sealite:
    app = flask.Flask(__name__)
    app.config["SEALITE_NAME"] = "canary"
    return sealite.flask.Sealite(app, vault)


@pytest.fixture
def held(path: Path) -> Iterator[dict[str, Any]]:
    with sealite.Vault.create(path, sealite.Unlock.key(KEY)) as vault:
        yield holders(vault)


def shown(value: Any) -> bool:
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return any(form in text for form in (CANARY, KEY.hex(), CANARY.encode().hex(), repr(KEY)[2:-1], CANARY[::-1]))
