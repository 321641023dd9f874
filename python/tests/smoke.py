"""What an installation without anything else must be able to do. Needs nothing but the standard library."""

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import sealite


def main() -> None:
    others = {distribution.name for distribution in metadata.distributions()} - {"pip", "setuptools"}
    assert others == {"sealite"}, others
    with tempfile.TemporaryDirectory() as folder:
        key, path = Path(folder, "app.key"), Path(folder, "app.db")
        command("init", path, "--new-key-file", key)
        with sealite.Vault.open(path, sealite.Unlock.key_file(key)) as vault:
            vault.define_table("users", {"email": "text sealed unique email"})
            vault.table("users").insert(email="Ada@example.org")
            found = vault.table("users").find_one("email", "ada@EXAMPLE.org")
            assert found is not None and found["email"] == "Ada@example.org"
        verified = command("verify", path, "--key", f"file:{key}", "--json")
        assert json.loads(verified)["sound"] is True
        assert b"example.org" not in path.read_bytes()
    print(f"sealite {sealite.__version__} works in {sys.prefix}")


def command(*arguments: str | Path) -> str:
    program = Path(sys.executable).with_name("sealite")
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


main()
