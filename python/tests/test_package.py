"""The package as it is installed: its command, its symbols, its bill of materials, its names."""

import array
import fcntl
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import termios
import time
from importlib import metadata
from pathlib import Path

import pytest

import sealite
from sealite import _native

PROGRAM = Path(sysconfig.get_path("scripts"), "sealite")
linux = pytest.mark.skipif(platform.system() != "Linux", reason="symbols are read with the GNU tools")


def sealite_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120)


def test_the_command_is_installed_with_the_package(tmp_path: Path) -> None:
    assert sealite_command("--version").stdout == f"sealite {sealite.__version__}\n"
    by_module = subprocess.run([sys.executable, "-m", "sealite", "--help"], capture_output=True, text=True, timeout=120)
    assert by_module.stdout == sealite_command("--help").stdout != ""
    path, key = tmp_path / "app.db", tmp_path / "app.key"
    assert sealite_command("init", path, "--new-key-file", key).returncode == 0
    with sealite.Vault.open(path, sealite.Unlock.key_file(key)) as vault:
        assert vault.status == "open"


def test_exit_codes_and_json_come_through(tmp_path: Path, path: Path, vault: sealite.Vault) -> None:
    vault.close()
    done = sealite_command("--json", "status", path)
    assert (done.returncode, done.stderr) == (0, "") and json.loads(done.stdout)["slots"][0]["kind"] == "key"
    other = tmp_path / "other.key"
    other.write_text(sealite.generate_key())
    other.chmod(0o600)
    wrong = sealite_command("--json", "verify", path, "--key", f"file:{other}")
    assert wrong.returncode == 3 and json.loads(wrong.stdout)["error"]["name"] == "wrong_key"
    assert sealite_command("nothing").returncode == 2
    assert sealite_command("init", path, "--key", f"file:{other}").returncode == 4


def test_a_path_that_is_not_utf_8_is_a_path(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.db"))
    assert sealite_command("init", path, "--new-key-file", tmp_path / "app.key").returncode == 0
    assert path.exists()


def test_ctrl_c_ends_the_command(path: Path, vault: sealite.Vault) -> None:
    vault.add_slot("words", sealite.Unlock.passphrase("correct horse battery", memory_kib=19_456, passes=2, lanes=1))
    vault.close()
    command = [PROGRAM, "status", path, "--passphrase-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.write(b"correct horse")
        child.stdin.flush()
        # What was written is taken: it waits for the rest of the line.
        left = array.array("i", [1])
        while left[0]:
            time.sleep(0.01)
            fcntl.ioctl(child.stdin, termios.FIONREAD, left)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=120) == -signal.SIGINT


def binary() -> Path:
    assert _native.__file__ is not None
    return Path(_native.__file__)


def symbols(*options: str) -> list[str]:
    nm = shutil.which("nm")
    assert nm is not None, "binutils are not installed"
    done = subprocess.run([nm, "-D", *options, binary()], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


@linux
def test_the_module_exports_its_entry_and_no_symbol_that_could_clash() -> None:
    assert [line.split()[-1] for line in symbols("--defined-only")] == ["PyInit__native"]
    assert [line for line in symbols("--undefined-only") if "sqlite3" in line] == []


@linux
def test_the_c_library_needed_is_no_newer_than_the_tag_says() -> None:
    tags = re.findall(r"^Tag: (.+)$", distribution_file("WHEEL"), re.MULTILINE)
    assert all(tag.startswith("cp311-abi3-") for tag in tags)
    promised = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)", str(tags))]
    needed = {(int(major), int(minor)) for major, minor in re.findall(r"@GLIBC_(\d+)\.(\d+)", str(symbols()))}
    assert promised == [(2, 28)] and (2, 17) <= max(needed) <= (2, 28), (needed, promised)
    # Without a version it would be taken from whatever library has it.
    unversioned = [line.split()[-1] for line in symbols("--undefined-only") if "@" not in line]
    assert [name for name in unversioned if not name.startswith(("Py", "_Py", "__gmon_start__", "_ITM_"))] == []


def test_a_bill_of_materials_comes_along_with_the_sqlite_that_is_compiled_in() -> None:
    bill = json.loads(distribution_file("sealite-python.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    versions = {component["name"]: component["version"] for component in bill["components"]}
    assert {"libsqlite3-sys", "aes-gcm", "argon2", "pyo3", "clap"} <= versions.keys()
    assert versions.pop("sqlite") == sealite.dbapi2.sqlite_version
    assert [file.name for file in metadata.files("sealite") or () if "sboms" in file.parts] == ["sealite-python.cdx.json"]
    locked = Path(__file__).parents[2] / "Cargo.lock"
    pairs = set(re.findall(r'name = "(.+)"\nversion = "(.+)"', locked.read_text("utf-8")))
    assert {(name, version) for name, version in versions.items()} <= pairs


def test_licences_and_extras_come_along() -> None:
    found = metadata.metadata("sealite")
    assert found["License-Expression"] == "MIT OR Apache-2.0"
    assert set(found.get_all("License-File") or ()) == {"LICENSE-APACHE", "LICENSE-MIT"}
    assert metadata.requires("sealite") and all("extra ==" in each for each in metadata.requires("sealite") or ())


def test_the_module_declares_that_it_needs_no_gil() -> None:
    """What CPython without one reads; here the slot can be seen in the source only."""
    declared = (Path(__file__).parents[1] / "src" / "lib.rs").read_text("utf-8")
    assert re.search(r"^#\[pymodule\(gil_used = false\)\]\nfn _native\(", declared, re.MULTILINE)


def distribution_file(name: str) -> str:
    files = metadata.files("sealite")
    assert files is not None
    (found,) = (file for file in files if file.name == name)
    return found.read_text()
