"""The exception tree, and what must never show: no value, key or secret in a message, repr or traceback."""

import builtins
import copy
import pickle
import re
import traceback
from pathlib import Path

import pytest

import sealite
from sealite import Unlock, Vault

ROOT = Path(__file__).parents[2]
SECRET = "Xanthippe-unique-4711"

# The codes are stable, and shared with Rust.
CODES = {
    "NotInitialised": 1, "AlreadyInitialised": 2, "Locked": 3, "WrongKey": 4, "AuthenticationFailed": 5,
    "UnknownKey": 6, "DestroyedKey": 7, "NotIndexed": 8, "Conflict": 9, "Busy": 10, "Corrupt": 11, "Limit": 12,
    "Closed": 13, "AnotherLibrary": 14, "WeakKey": 15, "InvalidInput": 16, "TypeMismatch": 17, "NotFound": 18,
    "NotAVault": 19, "NewerFormat": 20, "ReadOnly": 21, "Full": 22, "IoError": 23, "Forked": 24, "Definition": 25,
    "Refused": 26, "NotAllowed": 27, "Sql": 28, "LastSlot": 29, "Internal": 30,
    "AlreadyDecided": 31, "Expired": 32, "Denied": 33, "PayloadChanged": 34,
    "TokenRejected": 35, "Interrupted": 36, "RolledBack": 37,
}  # fmt: skip


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_each_kind_has_its_class_and_code(name: str, code: int) -> None:
    error = getattr(sealite, name)
    assert issubclass(error, sealite.SealiteError)
    assert (error.code, error.sqlite_code, error.__module__) == (code, None, "sealite")
    assert error.name == error.name.lower() and error.__doc__


def test_there_is_no_other_class() -> None:
    classes = {
        name for name, value in vars(sealite).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    assert classes == {*CODES, "SealiteError"}


def test_kinds_are_also_what_python_calls_them() -> None:
    assert issubclass(sealite.InvalidInput, ValueError)
    assert issubclass(sealite.TypeMismatch, TypeError)
    assert issubclass(sealite.NotFound, LookupError)
    assert issubclass(sealite.IoError, OSError)
    assert issubclass(sealite.UnknownKey, sealite.AuthenticationFailed)


def test_errors_carry_code_name_and_sqlite_code(vault: Vault) -> None:
    users = vault.table("users")
    users.insert(email="a@x.example")
    with pytest.raises(sealite.Conflict) as caught:
        users.insert(email="a@x.example")
    error = caught.value
    assert (error.code, error.name, error.sqlite_code) == (9, "conflict", 2067)
    assert str(error) == error.args[0] and "email" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is sealite.Conflict and again.sqlite_code == 2067 and str(again) == str(error)
    with pytest.raises(sealite.NotFound) as missing:
        vault.table("nothing")
    assert "nothing" in str(missing.value)


def test_no_value_shows_in_an_error(vault: Vault) -> None:
    users = vault.table("users")
    users.insert(email=f"{SECRET}@x.example", name=SECRET)
    attempts = [
        lambda: users.insert(email=f"{SECRET}@x.example"),
        lambda: users.insert(email=SECRET + "\ud800"),
        lambda: users.insert(email="b@x.example", name=[SECRET]),
        lambda: users.insert_many(["email"], [[SECRET, SECRET]]),
        lambda: users.insert_many(["email"], [SECRET]),
        lambda: users.find("name", SECRET),
        lambda: users.get(SECRET),
        lambda: users.update(1, name=SECRET.encode()),
        lambda: vault.query("SELECT ?", SECRET),
        lambda: vault.field("f").open(SECRET.encode()),
        lambda: vault.field("f").seal([SECRET]),
        lambda: vault.tenant("acme").table("notes").insert_many([{"slug": SECRET}, {"slug": SECRET, "body": "b"}]),
        lambda: Unlock.key_text(SECRET),
        lambda: Unlock.key_text(SECRET + "\ud800"),
        lambda: Unlock.key(SECRET.encode()),
        lambda: Unlock.passphrase(SECRET, memory_kib=1),
        lambda: Unlock.recovery_code(SECRET),
        lambda: Unlock.reference(SECRET),
    ]
    for attempt in attempts:
        with pytest.raises(sealite.SealiteError) as caught:
            attempt()
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        shown = shown.replace(f"{attempt}", "")
        assert SECRET not in shown, attempt
        assert SECRET not in str(vars(caught.value))


def test_no_value_shows_in_a_repr(vault: Vault, key: str) -> None:
    users = vault.table("users")
    users.insert(email=f"{SECRET}@x.example", name=SECRET)
    notes = vault.tenant("acme").table("notes")
    notes.insert(slug=SECRET, body=SECRET)
    _, code = vault.add_recovery_slot("paper")
    with vault.transaction() as transaction:
        shown = [repr(transaction), repr(transaction.savepoint()), repr(transaction.tenant("acme"))]
    with vault.snapshot() as snapshot:
        shown.append(repr(snapshot))
    shown += [repr(transaction), repr(users), repr(users.scan()), repr(users.get(1)), repr(notes.get(SECRET))]
    shown += [repr(vault.query("SELECT ?", [SECRET])), repr(vault.verify()), repr(vault.field("f"))]
    shown += [repr(vault), repr(Vault.in_memory()), repr(vault.tables()), repr(vault.slots()), repr(vault.tenant("t"))]
    shown += [repr(Unlock.key_text(key)), str(Unlock.passphrase(SECRET)), repr(code), str(code), f"{code}"]
    for text in shown:
        assert SECRET not in text and key not in text and code.reveal() not in text
        assert " at 0x" not in text


def public_classes() -> set[type]:
    values = (getattr(sealite, name) for name in sealite.__all__)
    return {value for value in values if isinstance(value, type) and not issubclass(value, BaseException)}


def test_nothing_that_holds_a_secret_is_pickled_or_copied(vault: Vault, unlock: Unlock) -> None:
    users = vault.table("users")
    users.insert(email="a@x.example")
    _, code = vault.add_recovery_slot("paper")
    tokens, approvals = vault.tokens, vault.approvals
    issued, short = tokens.issue("session"), tokens.issue_code("ada")
    approval = approvals.get(approvals.create("act", {}, "ada"))
    vault.audit.append("seen")
    with vault.transaction() as transaction:
        objects = [transaction, transaction.savepoint(), transaction.table("users"), transaction.tenant("acme")]
    with vault.snapshot() as snapshot:
        objects.append(snapshot)
    objects += [vault, users, unlock, code, users.get(1), users.scan(), vault.tenant("acme"), vault.field("f")]
    objects += [vault.settings, vault.keys, vault.quotas, vault.audit, tokens, issued, issued.token, short, approvals, approval]
    objects += [next(vault.audit.events()), vault.audit.events(), vault.query("SELECT 1")]
    vault.tenant("acme").table("notes").insert(slug="n", body="b")
    objects.append(vault.erase_tenant("acme"))
    objects += [sealite.LegacyEntry.from_token("api_key", SECRET), sealite.PasswordHasher()]
    for object in objects:
        for refused in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"pickled?\b|copied"):
                refused(object)
    # A class that says itself that it is refused is among them; of every other Python sees that it has more than an
    # object, and no way to tell what. Masks, marks and trace ids come back as they were.
    copied = {sealite.Change, sealite.SettingValue, sealite.Trace}
    for cls in public_classes() - copied - set(map(type, objects)):
        assert cls.__reduce__ is builtins.object.__reduce__ and cls.__basicsize__ > builtins.object.__basicsize__, cls
        assert not {"__copy__", "__deepcopy__", "__getnewargs__", "__setstate__"} & set(dir(cls)), cls


def test_nothing_is_made_by_hand() -> None:
    for name in ("Vault", "Unlock", "RecoveryCode", "Table", "Row", "Transaction", "Snapshot", "Scan", "Field"):
        with pytest.raises(TypeError):
            getattr(sealite, name)()
        with pytest.raises(TypeError):
            type("Sub", (getattr(sealite, name),), {})


def test_other_command_lines_end_with_the_exit_codes_of_the_command() -> None:
    from sealite import _native

    table = re.findall(r"^\| (\d) \| (.+) \|$", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.MULTILINE)
    by_name = {getattr(sealite, name).name: _native.exit_code(getattr(sealite, name).name) for name in CODES}
    # 0 is for what is done, 1 for a check that found something.
    assert set(by_name.values()) | {0, 1} == {int(code) for code, _ in table}
    assert [by_name[name] for name in ("invalid_input", "locked", "not_initialised", "rolled_back", "busy", "io")] == [2, 3, 4, 5, 6, 7]
    with pytest.raises(sealite.NotFound):
        _native.exit_code("error")
