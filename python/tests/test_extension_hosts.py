"""The loadable extension in programs in C, on Node (better-sqlite3) and in Go (mattn/go-sqlite3): ext/examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import sealite
from test_extension import EXTENSION, people, pytestmark  # noqa: F401  a fixture, and what skips without the extension

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "ext" / "examples"
# What is fetched and compiled for the examples stays here from one run to the next.
KEPT = ROOT / "target" / "ext-examples"
TAKEN = "UNIQUE constraint failed: people.email"


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: install {package}"
    return found


def run(command: list[str | Path], folder: Path, env: dict[str, str] | None = None, text: str = "") -> str:
    """What the command printed."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    extra = {name: value for name, value in os.environ.items() if name.lower().endswith(("_proxy", "_ca_certs", "_cafile"))}
    done = subprocess.run(
        command, cwd=folder, env={**known, **extra, **(env or {})}, input=text, capture_output=True, text=True, timeout=1800
    )
    return done.stdout if done.returncode == 0 else f"{done.returncode}\n{done.stdout}{done.stderr}"


def workshop(name: str) -> Path:
    """A copy of the example to build in."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (EXAMPLES / name).iterdir():
        shutil.copy(file, folder)
    return folder


def test_what_is_documented_stands_in_the_examples() -> None:
    blocks = re.findall(r"^```text\n(.*?)^```$", (ROOT / "docs" / "extension.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for begin, file, extension in [("const db", "node/people.js", "extension"), ("sql.Register", "go/main.go", "os.Args[1]")]:
        (block,) = (block for block in blocks if block.startswith(begin))
        block = block.replace('"target/ext/release/libsealite_ext.so"', extension).replace('"app.db"', "file")
        code = (EXAMPLES / file).read_text("utf-8")
        assert all(line.strip() in code for line in block.splitlines())


def test_node_reads_and_writes_sealed_tables(people: Path, key: str) -> None:  # noqa: F811
    folder, node = workshop("node"), tool("node", "nodejs")
    module = folder / "node_modules" / "better-sqlite3" / "build" / "Debug" / "better_sqlite3.node"
    if not module.exists():
        npm, headers = tool("npm", "npm"), Path(node).resolve().parents[1]
        assert (headers / "include" / "node" / "node.h").exists(), "Node's headers are missing: install libnode-dev"
        cache = {"npm_config_cache": str(KEPT / "npm")}
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, cache)
        # Without optimisation: it is compiled in seconds.
        print(run([npm, "run", "build-sqlite", "--", f"--nodedir={headers}"], folder, cache))
    program: list[str | Path] = [node, "people.js", EXTENSION, people]
    assert run(program, folder, {"APP_KEY": key}) == f"true Bob\nSQLITE_CONSTRAINT_UNIQUE {TAKEN}\n"
    refused = run(program, folder, {"APP_KEY": sealite.generate_key()})
    assert "sealite: wrong_key" in refused and "Bob" not in refused


def test_go_reads_and_writes_sealed_tables(people: Path, key: str, tmp_path: Path) -> None:  # noqa: F811
    folder, program = workshop("go"), tmp_path / "people"
    # Debian's package of the driver, which has no module cache: Go finds it in GOPATH.
    gopath = Path("/usr/share/gocode")
    assert (gopath / "src/github.com/mattn/go-sqlite3").exists(), "install golang-github-mattn-go-sqlite3-dev"
    go = {"GOPATH": str(gopath), "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(KEPT / "go-cache")}
    built = run([tool("go", "golang-go"), "build", "-o", program, "."], folder, go)
    assert program.exists(), built
    assert run([program, EXTENSION, people], folder, {"APP_KEY": key}) == f"true Bob\n{TAKEN}\n"
    refused = run([program, EXTENSION, people], folder, {"APP_KEY": sealite.generate_key()})
    assert "sealite: wrong_key" in refused and "Bob" not in refused


def test_a_key_is_bound_as_a_pointer(people: Path, key: str, tmp_path: Path) -> None:  # noqa: F811
    program = tmp_path / "bind_key"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    built = run([tool("cc", "gcc"), *flags, EXAMPLES / "bind_key.c", "-lsqlite3", "-o", program], tmp_path)
    assert program.exists(), f"{built}\nperhaps libsqlite3-dev is missing"
    assert run([program, EXTENSION, people], tmp_path, text=key) == "Ann\n"
    for wrong, name in [(sealite.generate_key(), "wrong_key"), ("11" * 32, "weak_key")]:
        refused = run([program, EXTENSION, people], tmp_path, text=wrong)
        assert f"sealite: {name}" in refused and "Ann" not in refused and wrong not in refused
