"""A text with a lone surrogate can't become UTF-8, and what says so does not hold the text: Python's own UnicodeEncodeError would,
in its repr and its `object`. Every argument of every public method is given one, by itself and inside of what holds texts."""

import ast
import inspect
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sealite
from sealite import dbapi2

CANARY = "canary 5d1e of the coal mine"
BAD = CANARY + "\ud800"
PACKAGE = Path(sealite.__file__).parent

PEOPLE = {"owner": "text authenticated", "name": "text sealed unique", "about": "json sealed"}


def vault() -> sealite.Vault:
    made = sealite.Vault.in_memory()
    made.define_table("people", PEOPLE, subject="owner")
    made.tenant("acme")
    made.settings.define("mail.from", "text")
    made.table("people").insert(owner="1", name="Ada")
    return made


# Where an object of each class comes from. A new vault for each: what one call leaves is nothing to the next class.
OBJECTS: list[tuple[str, Callable[[], Any]]] = [
    ("Approvals", lambda: vault().approvals),
    ("Audit", lambda: vault().audit),
    ("Field", lambda: vault().field("notes")),
    ("FieldBinding", lambda: sealite._native.FieldBinding("notes", "text")),
    ("FieldBinding", lambda: sealite._native.FieldBinding),
    ("Keys", lambda: vault().keys),
    ("PasswordHasher", lambda: sealite.PasswordHasher(memory_kib=19_456, passes=2, lanes=1)),
    ("Quotas", lambda: vault().quotas),
    ("Settings", lambda: vault().settings),
    ("Snapshot", lambda: vault().snapshot().__enter__()),
    ("Table", lambda: vault().table("people")),
    ("Tenant", lambda: vault().tenant("acme")),
    ("Tokens", lambda: vault().tokens),
    ("Transaction", lambda: vault().transaction().__enter__()),
    ("Vault", vault),
    ("Change", lambda: sealite.Change),
    ("QuotaLimit", lambda: sealite.QuotaLimit),
    ("Vault", lambda: sealite.Vault),
    ("Trace", lambda: sealite.Trace),
    ("Unlock", lambda: sealite.Unlock),
    ("Connection", lambda: dbapi2.connect(":memory:")),
    ("Connection", lambda: dbapi2.Connection),
    ("Cursor", lambda: dbapi2.connect(":memory:").cursor()),
]
# Ended by it, and the others need it.
LEFT_OUT = {"__exit__", "__aexit__"}

SAMPLES: dict[str, Any] = {
    "bool": False,
    "_TokenKind": "api_key",
    "_SettingKind": "text",
    "Unlock": sealite.Unlock.key_text(sealite.generate_key()),
    "Callable": lambda *_: None,
    "Mapping": {},
    "dict": {},
    "_Bytes": b"x",
    "bytes": b"x",
    "_Path": "x.db",
    "_Seconds": 1,
    "float": 0,
    "int": 1,
    "_Id": 1,
    "str": "x",
    "_Given": "x",
    "_Json": {},
    "Iterable": [],
    "Sequence": [],
    "Any": "x",
}
NAMED = {"table": "people", "name": "name", "column": "name", "kind": "api_key", "sql": "SELECT 1", "statement": "SELECT 1"}


def sample(name: str, annotation: str) -> Any:
    """Something that an argument takes, so that the one behind it is looked at."""
    if name in NAMED and "str" in annotation:
        return NAMED[name]
    return next((value for word, value in SAMPLES.items() if word in annotation), "x")


def methods(stub: str, wanted: str) -> Iterator[tuple[str, ast.arguments]]:
    tree = ast.parse((PACKAGE / stub).read_text("utf-8"))
    for found in tree.body:
        if isinstance(found, ast.ClassDef) and found.name == wanted:
            for method in found.body:
                if isinstance(method, ast.FunctionDef) and method.name not in LEFT_OUT:
                    yield method.name, method.args


def calls(arguments: ast.arguments) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Calls in each of which one argument is bad."""

    def told(argument: ast.arg) -> str:
        return ast.unparse(argument.annotation) if argument.annotation else "Any"

    positional = [*arguments.posonlyargs, *arguments.args]
    positional = [argument for argument in positional if argument.arg not in ("self", "cls")]
    required = positional[: len(positional) - len(arguments.defaults)]
    given = [sample(argument.arg, told(argument)) for argument in required]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    keywords = {one.arg: sample(one.arg, told(one)) for one, default in pairs if default is None}
    shapes: list[Any] = [BAD, [BAD], (BAD,), {"name": BAD}, {BAD: 1}, [{"name": BAD}], {"name": [BAD]}]
    for bad in shapes:
        for at in range(len(required)):
            yield [*given[:at], bad, *given[at + 1 :]], keywords
        for one in positional[len(required) :]:
            yield given, keywords | {one.arg: bad}
        for one in arguments.kwonlyargs:
            yield given, keywords | {one.arg: bad}
        if arguments.vararg:
            yield [*given, bad], keywords
        if arguments.kwarg:
            yield given, keywords | {"name": bad}


def everything(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        text += repr(seen) + str(seen) + repr(vars(seen)) + repr(seen.args) + repr(getattr(seen, "object", None))
        seen = seen.__cause__ or seen.__context__
    return text


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
def test_no_error_holds_a_text_that_is_no_utf_8() -> None:
    refused = 0
    for name, make in OBJECTS:
        is_dbapi = name in ("Connection", "Cursor")
        target = make()
        for method, arguments in methods("_dbapi2.pyi" if is_dbapi else "_native.pyi", name):
            constructs = method in ("__new__", "__init__")
            if constructs and not inspect.isclass(target):
                continue
            call = target if constructs else getattr(target, method)
            if not callable(call):
                continue
            for positional, keywords in calls(arguments):
                try:
                    call(*positional, **keywords)
                except Exception as error:  # noqa: BLE001
                    assert CANARY not in everything(error), f"{name}.{method}: {error!r}"
                    refused += isinstance(error, (sealite.TypeMismatch, dbapi2.EncodingError)) and "surrogate" in str(error)
        close = getattr(target, "rollback", None)
        if close is not None and not is_dbapi:
            close()
    # Most of them take it for what it is, and not for something of a wrong type.
    assert refused > 200


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("function", ["canonical_json", "exit_code"])
def test_nor_does_that_of_a_function(function: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        getattr(sealite, function)(BAD)
    assert CANARY not in everything(raised.value)


@pytest.mark.usefixtures("elsewhere")
def test_an_error_of_dbapi2_is_one_of_pep_249() -> None:
    connection = dbapi2.connect(":memory:")
    work: list[Callable[[], object]] = [
        lambda: connection.execute("SELECT ?", (BAD,)),
        lambda: connection.execute("SELECT :a", {"a": BAD}),
        lambda: connection.execute(f"SELECT '{BAD}'"),
        lambda: connection.executescript(f"SELECT '{BAD}'"),
        lambda: connection.create_function(BAD, 0, lambda: 1),
        lambda: dbapi2.complete_statement(BAD),
        lambda: dbapi2.connect("app.db", key=BAD),
        lambda: dbapi2.connect(BAD, key="env:SOME_KEY"),
    ]
    for call in work:
        with pytest.raises(dbapi2.Error) as raised:
            call()
        assert CANARY not in everything(raised.value)
    with pytest.raises(UnicodeEncodeError):
        connection.execute("SELECT ?", (BAD,))
