"""One value, kept in everything that can hold a secret, looked for everywhere that Python shows an object."""

import contextlib
import copy
import dataclasses
import faulthandler
import importlib
import io
import json
import logging
import os
import pickle
import pkgutil
import pprint
import string
import subprocess
import sys
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import fastapi.encoders
import flask
import pydantic
import pytest

import sealite
from sealite import dbapi2
from canary import CANARY, KEY, held, shown  # noqa: F401


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


class Pair(NamedTuple):
    value: Any
    number: int


def as_print(value: Any) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print(value, [value])
    return out.getvalue()


def as_warning(value: Any) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(f"{value} {value!r}", stacklevel=1)
    return "".join(warnings.formatwarning(each.message, each.category, each.filename, each.lineno) for each in caught)


def as_excepthook(value: Any) -> str:
    """What an interpreter writes that ends by an exception with it, and notes, and a cause."""
    with contextlib.redirect_stderr(io.StringIO()) as out:
        try:
            try:
                raise KeyError(value)
            except KeyError as cause:
                error = ValueError(value, [value])
                error.add_note(f"with {value}")
                raise error from cause
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    return out.getvalue()


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
        "jsonable_encoder": lambda value: repr(fastapi.encoders.jsonable_encoder(value)),
        "Flask's JSON": lambda value: flask.Flask("canary").json.dumps(value),
        "pprint": lambda value: pprint.pformat([value, {"value": value}]),
        "template": lambda value: string.Template("$value").substitute(value=value),
        "print": as_print,
        "warning": as_warning,
        "excepthook": as_excepthook,
        "simple namespace": lambda value: repr(types.SimpleNamespace(value=value)),
        "named tuple": lambda value: repr(Pair(value, 1)) + repr(Pair(value, 1)._asdict()),
    }
)


class Open:
    """What hides nothing."""

    def __init__(self) -> None:
        self.value = CANARY

    def __repr__(self) -> str:
        return f"<Open {self.value}>"

    def dict(self) -> dict[str, str]:
        return vars(self)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_shows_what_is_not_hidden(channel: str) -> None:
    """Else the tests below would hold whatever the classes do."""
    value = CANARY if channel == "Flask's JSON" else Open()
    assert shown(CHANNELS[channel](value)), channel


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_channel_shows_the_canary(channel: str, held: dict[str, Any]) -> None:
    for name, value in held.items():
        if name in ("Row", "dbapi2.Row") and channel == "jsonable_encoder":
            # A row is a mapping, or like one, and made to be answered.
            continue
        try:
            out = CHANNELS[channel](value)
        except (TypeError, ValueError) as refused:
            # Refused, or no form for it: without the value either way.
            out = "".join(traceback.format_exception(refused))
        assert not shown(out), f"{name} shows it by {channel}"


def test_what_holds_secrets_is_neither_pickled_nor_copied(held: dict[str, Any]) -> None:
    # A mask, which is nobody's secret; a list; and what has a name and a way to find the vault.
    shown_as_they_are = {
        "SettingValue", "Slot", "ForRow", "SealedForRow", "flask.Sealite", "fastapi.Sealite", "VaultStorage",
        "AsyncVaultStorage", "VaultSettingsSource", "Clock", "Functions", "VaultCollector",
    }  # fmt: skip
    assert shown_as_they_are < held.keys()
    for name in held.keys() - shown_as_they_are:
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"pickled?|copied"):
                print(name, way(held[name]))
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


CRASH = """
import faulthandler, os, sys
import sealite
faulthandler.enable()
secret = os.environ.pop("CANARY")
def crash(secret, *held):
    os.abort()
with sealite.Vault.in_memory() as vault:
    vault.settings.define("canary", secret=True)
    vault.settings.write("canary", secret, actor="ada")
    crash(secret, sealite.Unlock.passphrase(secret), vault.settings.read("canary"), vault.settings.use("canary"))
"""


def test_the_interpreter_s_own_dumps_do_not_show_it(held: dict[str, Any], tmp_path: Path) -> None:
    with (tmp_path / "dump").open("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        assert not shown(file.read())
    environment = {**os.environ, "CANARY": CANARY}
    done = subprocess.run([sys.executable, "-c", CRASH], env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert "Fatal Python error: Aborted" in done.stderr and "in crash" in done.stderr
    assert not shown(done.stderr + done.stdout)


def test_everything_that_holds_something_is_here(held: dict[str, Any]) -> None:
    """A new class of the package's is added to canary.py, or said to hold nothing."""
    nothing = {
        "CheckReport", "SettingProblem", "ImportReport", "AuditReport", "AuditFault", "Fault", "Histogram", "QuotaLimit",
        "Savepoint", "TenantTables", "Change", "RecoveryCode", "ProtectionPlan", "BackupReport", "Compaction",
        "AdoptionPreview", "TablePreview", "AdoptionReport", "AdoptedTable", "Keys", "KeyInfo", "MasterRotation", "Rotation",
        "RotationPlan", "RotationStatus", "TenantInfo", "ErasureReceipt", "Trace",
        # Of the modules: words of PEP 249, types of columns, names of settings, filters, what was answered anyway.
        "alembic.SealColumn", "alembic.UnsealColumn", "dbapi2.PrepareProtocol", "fastapi.SessionCookie",
        "fastapi.TraceIdMiddleware", "logging.RedactingFilter", "sqlalchemy.BlindIndex", "sqlalchemy.Sealed", "web.Answer",
    }  # fmt: skip
    here = {name for each in held for name in (each, each.split(".")[0])}
    missing = []
    for module in [sealite, *(importlib.import_module(f"sealite.{name}") for name in public_modules())]:
        prefix = "" if module is sealite else f"{module.__name__.removeprefix('sealite.')}."
        for name in module.__all__:
            value = getattr(module, name)
            ours = isinstance(value, type) and value.__module__.partition(".")[0] == "sealite"
            if ours and not issubclass(value, BaseException) and not {name, prefix + name} & (nothing | here):
                missing.append(prefix + name)
    assert missing == []


def public_modules() -> list[str]:
    names = [each.name for each in pkgutil.iter_modules(sealite.__path__) if not each.name.startswith("_")]
    assert {"aio", "dbapi2", "fastapi", "flask", "limits", "sqlalchemy", "web"} <= set(names)
    return names


def test_what_is_given_out_once_is_shown_by_its_own_name_only(vault: sealite.Vault) -> None:
    _, code = vault.add_recovery_slot("paper")
    issued, short = vault.tokens.issue("session", subject="ada"), vault.tokens.issue_code("ada", digits=10)
    for holder, secret in ((code, code.reveal()), (issued, issued.text), (short, short.code)):
        for name, channel in CHANNELS.items():
            try:
                assert secret not in str(channel(holder)), name
            except (TypeError, ValueError) as refused:
                assert secret not in str(refused)
