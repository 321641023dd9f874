"""Builds the copy in which every mutant can be switched on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import switch

MARK = re.compile(rb"/\*<(\d+)\*/|/\*(\d+)>\*/")
# What is in no copy: results of builds and of earlier runs.
LEFT = shutil.ignore_patterns("target", ".git", "__pycache__", ".venv", "*.so")


def copy(project: Path, root: Path) -> None:
    """A fresh copy of the sources, over which only the compiled code of an earlier one stays."""
    for entry in root.iterdir() if root.exists() else ():
        if entry.name != "target":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(project, root, ignore=LEFT, dirs_exist_ok=True)


def cargo(root: Path, *args: str) -> tuple[int, list[dict], str]:
    """Runs cargo; its exit code, what it says as JSON, and as text."""
    done = subprocess.run(["cargo", *args], cwd=root, capture_output=True, text=True, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, said, done.stderr


def blamed(root: Path, said: list[dict]) -> set[int]:
    """The mutants in which the compiler found its errors."""
    numbers = set()
    for entry in said:
        message = entry.get("message")
        if entry.get("reason") != "compiler-message" or message["level"] != "error":
            continue
        for span in message["spans"]:
            while span.get("expansion") and not span["file_name"].startswith("core/"):
                span = span["expansion"]["span"]
            if not span["is_primary"] or not span["file_name"].startswith("core/"):
                continue
            inside: list[int] = []
            for mark in MARK.finditer((root / span["file_name"]).read_bytes()[: span["byte_start"]]):
                inside.append(int(mark[1])) if mark[1] else inside.remove(int(mark[2]))
            numbers.update(inside[-1:])
    return numbers


def fit(root: Path, project: Path, mutants: list[switch.Mutant]) -> tuple[set[int], set[int]]:
    """Writes the mutants into the copy; those that don't compile, and those that can't be switched."""
    broken: set[int] = set()
    while True:
        unplaced = {mutant.number for mutant in switch.write(root, project, mutants, broken)}
        code, said, text = cargo(root, "check", "--locked", "-p", "sealite", "--lib", "--message-format=json")
        if code == 0:
            return broken, unplaced
        new = blamed(root, said) - broken
        if not new:
            raise SystemExit(f"the copy doesn't compile, and no mutant is to blame:\n{text[-4000:]}")
        broken |= new


def binaries(root: Path) -> list[tuple[str, Path, Path]]:
    """The test programs of the crate and of the tests across it: name, file, and the folder they run in."""
    packages = ("-p", "sealite", "-p", "sealite-tests")
    code, said, text = cargo(root, "test", "--locked", "--no-run", *packages, "--lib", "--tests", "--message-format=json")
    if code != 0:
        raise SystemExit(text[-4000:])
    found = []
    for entry in said:
        if entry.get("reason") == "compiler-artifact" and entry.get("executable") and entry["profile"]["test"]:
            found.append((entry["target"]["name"], Path(entry["executable"]), Path(entry["manifest_path"]).parent))
    return found
