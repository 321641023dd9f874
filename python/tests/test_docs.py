"""The Python blocks of the documents run, in their order, each document in a folder of its own."""

import re
from pathlib import Path

import pytest

import sealite

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    every = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    return sorted(path for path in every if BLOCK.search(path.read_text("utf-8")))


def test_the_documents_with_python_are_found() -> None:
    names = {path.name for path in documents()}
    assert {"README.md", "fastapi.md", "passwords.md", "python.md", "state.md", "tokens.md"} <= names


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_python_blocks_run(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    for found in BLOCK.finditer(text):
        # Blank lines in front, so that a traceback names the line of the document.
        code = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(code, str(document), "exec"), names)
    vault = names.get("vault")
    if isinstance(vault, sealite.Vault):
        vault.close()
