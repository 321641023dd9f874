"""One value, kept in everything that can hold a secret, looked for everywhere that Python shows an object."""

import copy
import dataclasses
import faulthandler
import io
import json
import logging
import os
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import fastapi
import fastapi.testclient
import flask
import pydantic
import pytest
import sqlalchemy as sa

import sealite
import sealite.sqlite3
from sealite.prometheus import VaultCollector
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
    }


@pytest.fixture
def held(path: Path) -> Iterator[dict[str, Any]]:
    with sealite.Vault.create(path, sealite.Unlock.key(KEY)) as vault:
        yield holders(vault)


def shown(value: Any) -> bool:
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return any(form in text for form in (CANARY, KEY.hex(), CANARY.encode().hex(), repr(KEY)[2:-1], CANARY[::-1]))


def as_json(value: Any) -> str:
    return json.dumps(value, default=repr)


def as_log(value: Any) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.Logger("canary")
    logger.addHandler(handler)
    logger.info("%s %r", value, value, extra={"value": value})
    try:
        raise ValueError(value)
    except ValueError:
        logger.exception("failed")
    return stream.getvalue()


def as_traceback(value: Any) -> str:
    held = {"value": value, "all": [value]}
    try:
        raise ValueError(value)
    except ValueError as error:
        trace = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(trace.format()) + repr(held)


@dataclasses.dataclass
class Data:
    value: Any


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    value: Any
    number: int = 0


def as_dataclass(value: Any) -> str:
    return repr(Data(value)) + repr(dataclasses.asdict(Data(value)))


def as_model(value: Any) -> str:
    model = Model(value=value)
    return f"{model!r} {model.model_dump()!r}"


def as_model_json(value: Any) -> str:
    return Model(value=value).model_dump_json(fallback=repr)


def as_validation_error(value: Any) -> str:
    with pytest.raises(pydantic.ValidationError) as raised:
        Model.model_validate({"value": value, "number": value})
    return str(raised.value) + repr(raised.value.errors())


def as_attributes(value: Any) -> str:
    # What reads a value on purpose is left out: a row, an event, an approval give what they hold when they are asked.
    return repr(getattr(value, "__dict__", {})) + repr(dir(value)) + repr(type(value).__doc__)


CHANNELS: MappingProxyType[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "repr": repr,
        "str": str,
        "format": lambda value: f"{value!s:>40}" + f"{value!r}",
        "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031
        "vars": as_attributes,
        "json": as_json,
        "pickle": pickle.dumps,
        "copy": lambda value: repr(copy.copy(value)),
        "deepcopy": lambda value: repr(copy.deepcopy(value)),
        "log": as_log,
        "traceback": as_traceback,
        "dataclass": as_dataclass,
        "model": as_model,
        "model as JSON": as_model_json,
        "validation error": as_validation_error,
    }
)
# These show what they hold on purpose: rows are read, not kept.
SHOW = {"SqlRows", "AuditEvent", "TableDefinition"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_channel_shows_the_canary(channel: str, held: dict[str, Any]) -> None:
    for name, value in held.items():
        try:
            out = CHANNELS[channel](value)
        except TypeError as refused:
            # Refused, or no form for it: without the value either way.
            out = str(refused)
        assert not shown(out), f"{name} shows it by {channel}"


def test_what_holds_secrets_is_neither_pickled_nor_copied(held: dict[str, Any]) -> None:
    refused = 0
    for name, value in held.items():
        if name in ("SettingValue", "Slot", "Functions", "VaultCollector"):
            # A mask, a list, and two that hold what refuses.
            continue
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"pickled?|copied"):
                way(value)
            refused += 1
    assert refused >= 60
    masked = pickle.loads(pickle.dumps(held["SettingValue"]))
    assert CANARY not in repr(masked) and CANARY not in str(copy.deepcopy(held["SettingValue"]))


def test_errors_do_not_show_the_value_that_they_are_about(held: dict[str, Any]) -> None:
    vault: sealite.Vault = held["Vault"]
    table = vault.table("secrets")
    field = vault.field("f")
    calls: list[Callable[[], Any]] = [
        lambda: table.insert(value=CANARY),
        lambda: table.insert({"value": [CANARY]}),  # type: ignore[dict-item]
        lambda: table.find("other", CANARY),
        lambda: field.seal([CANARY]),  # type: ignore[arg-type]
        lambda: field.seal(f"{CANARY}\ud800"),
        lambda: field.open(CANARY.encode()),
        lambda: sealite.Unlock.key(CANARY.encode()),
        lambda: sealite.Unlock.key_text(CANARY),
        lambda: sealite.Unlock.recovery_code(CANARY),
        lambda: sealite.Vault.open(vault.path or "", sealite.Unlock.passphrase(CANARY)),
        lambda: vault.settings.write("canary", {"a": object(), "b": CANARY}, actor="ada"),
        lambda: vault.approvals.create("act", {"a": object(), "b": CANARY}, "ada"),
        lambda: vault.approvals.decide(CANARY, "ada", "approve"),
        lambda: vault.audit.append("seen", payload={"a": object(), "b": CANARY}),
        lambda: vault.quotas.check_and_charge(CANARY, [CANARY]),
    ]
    for number, call in enumerate(calls):
        with pytest.raises((sealite.SealiteError, TypeError, ValueError)) as raised:
            call()
        error = raised.value
        text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(error.__context__)
        # The traceback shows this file's own lines, which name CANARY and do not have it.
        assert not shown(text), number


def test_the_interpreter_s_own_dumps_do_not_show_it(held: dict[str, Any], tmp_path: Path) -> None:
    with (tmp_path / "dump").open("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        assert not shown(file.read())


def test_flask_s_debug_page_does_not_show_it(held: dict[str, Any]) -> None:
    app = flask.Flask(__name__)
    app.debug = True

    @app.get("/")
    def fail() -> str:
        value, unlock = held["SettingValue"], held["Unlock.passphrase"]
        raise RuntimeError(f"it failed with {value} {unlock}")

    from werkzeug.debug import DebuggedApplication

    client = DebuggedApplication(app, evalex=True)
    output: list[bytes] = []
    environment = app.test_request_context("/").request.environ
    output.extend(client(environment, lambda status, headers, info=None: output.append))  # type: ignore[arg-type, misc, return-value]
    page = b"".join(output)
    assert b"it failed with" in page and not shown(page)


def test_fastapi_s_errors_do_not_show_it(held: dict[str, Any]) -> None:
    app = fastapi.FastAPI(debug=True)

    @app.get("/setting", response_model=None)
    def setting() -> Any:
        return {"value": held["SettingValue"]}

    @app.get("/wrong", response_model=int)
    def wrong() -> Any:
        return held["SettingValue"]

    @app.get("/fails")
    def fails() -> Any:
        value = held["SettingValue"]
        raise RuntimeError(f"it failed with {value!r}")

    with fastapi.testclient.TestClient(app, raise_server_exceptions=False) as client:
        for path in ("/setting", "/wrong", "/fails"):
            assert not shown(client.get(path).text), path
    with fastapi.testclient.TestClient(app) as client:
        for path in ("/setting", "/wrong"):
            try:
                client.get(path)
            except Exception as error:
                assert not shown(str(error) + repr(error))


def test_everything_that_holds_something_is_here(held: dict[str, Any]) -> None:
    """A new class of the native module is added above, or said to hold nothing."""
    nothing = {
        "CheckReport", "SettingProblem", "ImportReport", "AuditReport", "AuditFault", "Fault", "Histogram", "QuotaLimit",
        "Savepoint", "TenantTables", "Change", "RecoveryCode",
    }  # fmt: skip
    classes = {
        name for name in sealite.__all__
        if isinstance(getattr(sealite, name), type) and not issubclass(getattr(sealite, name), BaseException)
    }  # fmt: skip
    assert classes - nothing <= {name.split(".")[0] for name in held}


def test_what_is_given_out_once_is_shown_by_its_own_name_only(vault: sealite.Vault) -> None:
    _, code = vault.add_recovery_slot("paper")
    issued, short = vault.tokens.issue("session", subject="ada"), vault.tokens.issue_code("ada", digits=10)
    for holder, secret in ((code, code.reveal()), (issued, issued.text), (short, short.code)):
        for name, channel in CHANNELS.items():
            try:
                assert secret not in str(channel(holder)), name
            except TypeError as refused:
                assert secret not in str(refused)
