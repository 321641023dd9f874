"""The source distribution has all that it is built from, and says of itself what the wheel says. It is compiled from, into an
empty environment, by `make test-package`: that takes minutes."""

import email
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import sealite

ROOT = Path(__file__).parents[2]
# What a build reads, of all that is kept.
BUILT_FROM = ("core/src", "cli/src", "python/src", "python/sealite", "core/Cargo.toml", "cli/Cargo.toml", "python/Cargo.toml")

# Its bill of materials, which git does not keep.
BILL = "sealite-python.cdx.json"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    # As `make sdist` does.
    subprocess.run([sys.executable, "-B", str(ROOT / "python" / "tools" / "sbom.py"), str(folder / "sbom")], check=True)
    shutil.copy(folder / "sbom" / BILL, ROOT / "python" / BILL)
    command = [sys.executable, "-m", "maturin", "sdist", "-m", str(ROOT / "python" / "Cargo.toml"), "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (archive,) = folder.glob("*.tar.gz")
    assert archive.name == f"sealite-{sealite.__version__}.tar.gz"
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def kept() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "--", *BUILT_FROM], cwd=ROOT, capture_output=True, check=True).stdout
    names = {name for name in listed.decode().split("\0") if name}
    # The layout of a source distribution has the package at its root.
    return {name.removeprefix("python/") if name.startswith("python/sealite/") else name for name in names}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what belongs to the sources, git knows")
def test_every_source_file_is_in_it_and_nothing_that_was_built(unpacked: Path) -> None:
    inside = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    expected = kept()
    assert len(expected) > 300 and expected - inside == set()
    assert [name for name in inside if re.search(r"\.(so|pyc|db|key|cdx\.json)$|(^|/)(target|__pycache__|\.git)/", name)] == [BILL]
    assert {"LICENSE-APACHE", "LICENSE-MIT", "README.md", "Cargo.lock", "pyproject.toml"} <= inside


def test_it_has_a_bill_of_materials_of_the_crates_that_are_locked(unpacked: Path) -> None:
    parts = {part["name"]: part["version"] for part in json.loads((unpacked / BILL).read_text("utf-8"))["components"]}
    locked = tomllib.loads((unpacked / "Cargo.lock").read_text("utf-8"))["package"]
    versions = {(package["name"], package["version"]) for package in locked}
    assert "sqlite" in parts and "aes-gcm" in parts and len(parts) > 50
    assert {part for part in parts.items() if part[0] != "sqlite"} - versions == set()


def test_what_the_sources_include_is_in_it(unpacked: Path) -> None:
    """But for known answers, which tests only read."""
    for source in unpacked.rglob("src/**/*.rs"):
        for included in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text("utf-8")):
            assert "tests/vectors/" in included or (source.parent / included).exists(), (source, included)


def test_it_says_of_itself_what_the_wheel_says(unpacked: Path) -> None:
    told = email.message_from_string((unpacked / "PKG-INFO").read_text("utf-8"))
    installed = metadata.metadata("sealite")
    for name in ("Name", "Version", "Summary", "License-Expression", "Requires-Python"):
        assert told[name] == installed[name] is not None, name
    for name in ("Classifier", "Provides-Extra", "Requires-Dist", "License-File"):
        assert sorted(told.get_all(name) or ()) == sorted(installed.get_all(name) or ()) != [], name
    assert told.get_payload() == installed.get_payload()  # type: ignore[attr-defined]


def test_cargo_resolves_it_as_it_is_locked(unpacked: Path) -> None:
    """Offline: every crate, in the version that was tested, is among those of the lock file."""
    command = ["cargo", "metadata", "--offline", "--format-version", "1"]
    found = json.loads(subprocess.run(command, cwd=unpacked, capture_output=True, check=True, timeout=300).stdout)
    members = {package["name"] for package in found["packages"] if package["source"] is None}
    assert members == {"sealite", "sealite-cli", "sealite-python"}
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]
    versions = {(package["name"], package["version"]) for package in locked}
    assert {(package["name"], package["version"]) for package in found["packages"]} <= versions
