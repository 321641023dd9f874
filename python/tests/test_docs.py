"""The Python blocks of the documents run, in their order, each document in a folder of its own; every public name is
documented, and the examples of docstrings run."""

import doctest
import importlib
import inspect
import io
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import postgresql
import sealite
from sealite import vaults

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    every = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    return sorted(path for path in every if BLOCK.search(path.read_text("utf-8")))


def test_the_documents_with_python_are_found() -> None:
    names = {path.name for path in documents()}
    assert {"README.md", "fastapi.md", "passwords.md", "python.md", "state.md", "tokens.md"} <= names


@pytest.fixture
def database() -> Iterator[postgresql.Server]:
    with postgresql.running() as server:
        yield server


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_python_blocks_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    key = sealite.generate_key()
    monkeypatch.setenv("APP_KEY", key)
    monkeypatch.setenv("VAULT_KEY", "env:APP_KEY")
    if document.name == "README.md":
        # What its shell block does.
        Path("app.key").write_text(key, "utf-8")
        Path("app.key").chmod(0o600)
        sealite.Vault.create("app.db", sealite.Unlock.key_text(key)).close()
    names: dict[str, object] = {"__name__": "example"}
    text = document.read_text("utf-8")
    if "DATABASE_URL" in text:
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("database").url("psycopg"))
    for found in BLOCK.finditer(text):
        # Blank lines in front, so that a traceback names the line of the document.
        code = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(code, str(document), "exec"), names)
    vault = names.get("vault")
    if isinstance(vault, sealite.Vault):
        vault.close()


def modules() -> list[ModuleType]:
    """The package and its public modules."""
    found = pkgutil.walk_packages(sealite.__path__, "sealite.")
    names = [each.name for each in found if not any(part.startswith("_") for part in each.name.split("."))]
    return [sealite, *map(importlib.import_module, names)]


def public() -> dict[str, object]:
    """Every public name: of modules, and of the classes in them."""
    names: dict[str, object] = {}
    for module in modules():
        for name in module.__all__:
            value = getattr(module, name)
            if not isinstance(value, type) and not callable(value):
                continue
            names[f"{module.__name__}.{name}"] = value
            # PEP 249 has names for some of Python's own types.
            if isinstance(value, type) and value.__module__.partition(".")[0] == "sealite":
                members = {of: getattr(value, of) for of in vars(value) if not of.startswith("_")}
                names |= {f"{module.__name__}.{name}.{of}": member for of, member in members.items()}
    return {name: value for name, value in names.items() if callable(value) or inspect.isdatadescriptor(value)}


def test_every_public_name_is_documented() -> None:
    names = public()
    assert len(names) > 400
    # What overrides a method of a library's is documented there.
    undocumented = {name for name, value in names.items() if not (inspect.getdoc(value) or "").strip()}
    # One that limits itself leaves without.
    assert {name for name in undocumented if not name.endswith(".base_exceptions")} == set()
    assert [module.__name__ for module in modules() if not module.__doc__] == []


def with_examples() -> dict[str, str]:
    """The docstrings with examples: of modules, and of what is in them."""
    found = {module.__name__: module.__doc__ for module in modules()}
    # Those of the library that a class derives from are the library's.
    found |= {name: inspect.getdoc(value) for name, value in public().items() if "__doc__" in dir(value)}
    theirs = {"sealite.dbapi2.NUMBER", "sealite.dbapi2.ROWID"}
    return {name: doc for name, doc in found.items() if doc and ">>>" in doc and name not in theirs}


EXAMPLES = with_examples()

# What the engine answers with, and programs only read.
RECORDS = {
    "AdoptedTable", "AdoptionPreview", "AdoptionReport", "Answer", "Approval", "AuditEvent", "AuditEvents", "AuditFault",
    "AuditReport", "BackupReport", "CheckReport", "Compaction", "Decision", "ErasureReceipt", "Fault", "Histogram",
    "ImportReport", "IssuedCode", "IssuedToken", "KeyInfo", "LegacyImport", "MasterRotation", "PrepareProtocol",
    "ProtectionPlan", "RotationPlan", "RotationStatus", "Setting", "SettingProblem", "SettingVersion", "Slot",
    "TableDefinition", "TablePreview", "TenantInfo", "Verification",
    # Made by functions of asyncio's that have examples.
    "AsyncSnapshot", "AsyncTransaction",
}  # fmt: skip


def test_every_class_that_programs_use_has_an_example() -> None:
    """Of its own, or in that of its module."""
    missing = set()
    for module in modules():
        for name in module.__all__:
            value = getattr(module, name)
            ours = isinstance(value, type) and value.__module__.partition(".")[0] == "sealite"
            if not ours or issubclass(value, BaseException) or name in RECORDS:
                continue
            if f"{module.__name__}.{name}" not in EXAMPLES and not re.search(
                rf"\b{name}\b", EXAMPLES.get(module.__name__, "")
            ):
                missing.add(f"{module.__name__}.{name}")
    assert missing == set()


def test_every_module_has_an_example() -> None:
    # What both frameworks use; pytest's fixtures are shown by the one class beside them.
    others = {"sealite.web", "sealite.testing"}
    assert {module.__name__ for module in modules()} - EXAMPLES.keys() == others


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXAMPLE_KEY", sealite.generate_key())
    names: dict[str, object] = {"sealite": sealite, "__name__": "example"}
    example = doctest.DocTestParser().get_doctest(f"{EXAMPLES[name]}\n", names, name, None, None)
    out = io.StringIO()
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    try:
        assert doctest.DocTestRunner(optionflags=flags).run(example, out=out.write).failed == 0, out.getvalue()
    finally:
        vaults.unregister_vault()
