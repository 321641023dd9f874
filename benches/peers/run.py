"""Sealite and what a user might take instead, in one run: rows, single values, sessions, passwords, and what each protects.

    python run.py OUT.json [--rows N] [--rounds N]

`make bench-peers` installs what requirements.txt pins and runs it.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

import abilities
import machine
import rows
import values
from stores import STORES

PACKAGES = (
    "argon2-cffi asherah bcrypt cryptography floorvault itsdangerous PyJWT sealite sqlalchemy sqlalchemy-utils sqlcipher3"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    names = list(STORES)
    # Beside the results, on a disk: a temporary folder in memory would make commits free.
    options.out.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "machine": machine.about(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES.split()},
        "rows": options.rows,
        "rounds": options.rounds,
        "abilities": abilities.find_all(names),
        "stores": rows.measure(options.rows, options.rounds, names, options.out.parent),
        "fields": values.measure_fields(4 * options.rounds),
        "sessions": values.measure_sessions(),
        "passwords": values.measure_passwords(options.rounds),
    }
    rust = options.out.with_name("peers-rust.json")
    if rust.exists():
        results["rust"] = json.loads(rust.read_text())
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
