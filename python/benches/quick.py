"""Sealed rows against the plain rows of Python's own sqlite3, a secret setting against an AES-GCM open, sessions against
signed ones, and what fields.py measures: ratios, each the median of interleaved pairs.

    python benches/quick.py RATIOS.json [ROWS]

Both sides keep the same columns and a unique index on e-mail, in WAL mode with synchronous=FULL, each in a file of its
own. Within a pair they take turns, share by share, so that what else the machine does falls on both alike.
"""

import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from itsdangerous import URLSafeTimedSerializer

import dbapi
import fields
import sealite
from people import people

PAIRS = 5
BATCH = 10_000
COLUMNS = ["name", "email", "phone", "role", "plan"]


class Sealed:
    def __init__(self, folder: Path, number: int) -> None:
        key = sealite.Unlock.key_text(sealite.generate_key())
        self.vault = sealite.Vault.create(folder / f"sealed{number}.db", key)
        self.vault.define_table(
            "people",
            {
                "name": "text sealed",
                "email": "text sealed not null unique email",
                "phone": "text sealed",
                "role": "text authenticated",
                "plan": "text",
            },
        )
        self.people = self.vault.table("people")

    def insert(self, rows: list[tuple[str, ...]]) -> None:
        self.people.insert_many(COLUMNS, rows)

    def get(self, ids: list[int]) -> None:
        get = self.people.get
        for id in ids:
            row = get(id)
            assert row is not None

    def find(self, emails: list[str]) -> None:
        find = self.people.find
        for email in emails:
            rows = find("email", email)
            assert len(rows) == 1

    def scan(self, count: int) -> None:
        seen = 0
        for row in self.people.scan():
            tuple(row.values())
            seen += 1
        assert seen == count

    def close(self) -> None:
        self.vault.close()


class Plain:
    SELECT = "SELECT id, name, email, phone, role, plan FROM people"

    def __init__(self, folder: Path, number: int) -> None:
        self.connection = sqlite3.connect(folder / f"plain{number}.db", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, email TEXT NOT NULL, phone TEXT, role TEXT,"
            " plan TEXT)"
        )
        self.connection.execute("CREATE UNIQUE INDEX people_email ON people (email)")

    def insert(self, rows: list[tuple[str, ...]]) -> None:
        sql = "INSERT INTO people (name, email, phone, role, plan) VALUES (?, ?, ?, ?, ?)"
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(sql, rows)
        self.connection.execute("COMMIT")

    def get(self, ids: list[int]) -> None:
        execute, sql = self.connection.execute, f"{self.SELECT} WHERE id = ?"
        for id in ids:
            row = execute(sql, (id,)).fetchone()
            assert row is not None

    def find(self, emails: list[str]) -> None:
        execute, sql = self.connection.execute, f"{self.SELECT} WHERE email = ?"
        for email in emails:
            rows = execute(sql, (email,)).fetchall()
            assert len(rows) == 1

    def scan(self, count: int) -> None:
        seen = 0
        for row in self.connection.execute(self.SELECT):
            tuple(row)
            seen += 1
        assert seen == count

    def close(self) -> None:
        self.connection.close()


def seconds(work: Callable[[Any], None], argument: object) -> float:
    start = time.perf_counter()
    work(argument)
    return time.perf_counter() - start


def shares(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def use_setting(folder: Path) -> list[tuple[float, float]]:
    """Seconds of using a secret setting, value taken, and of opening the same bytes with AES-GCM."""
    secret = "sk_live_" + "0123456789abcdef" * 3
    vault = sealite.Vault.create(folder / "settings.db", sealite.Unlock.key_text(sealite.generate_key()))
    settings = vault.settings
    settings.define("payment.key", "text", secret=True)
    settings.write("payment.key", secret, actor="benchmark")
    gcm, nonce = AESGCM(AESGCM.generate_key(256)), os.urandom(12)
    sealed = gcm.encrypt(nonce, secret.encode(), None)
    used = settings.use("payment.key")
    assert used is not None and used.expose().encode() == gcm.decrypt(nonce, sealed, None)

    def use(rounds: int) -> None:
        use = settings.use
        for _ in range(rounds):
            use("payment.key").expose()

    def open_(rounds: int) -> None:
        decrypt = gcm.decrypt
        for _ in range(rounds):
            decrypt(nonce, sealed, None)

    pairs = in_turn(use, open_, 50_000)
    vault.close()
    return pairs


def in_turn(ours: Callable[[int], None], theirs: Callable[[int], None], rounds: int) -> list[tuple[float, float]]:
    pairs = []
    for pair in range(2 * PAIRS + 1):
        times = {}
        for side in (ours, theirs) if pair % 2 == 0 else (theirs, ours):
            times[side] = seconds(side, rounds)
        pairs.append((times[ours], times[theirs]))
    # The first pair warms both up.
    return pairs[1:]


def sessions(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds of verifying sessions and reading whose they are, and of the same for what signs the same facts."""
    vault = sealite.Vault.create(folder / "tokens.db", sealite.Unlock.key_text(sealite.generate_key()))
    tokens, key, now = vault.tokens, os.urandom(32), int(time.time())
    signer = URLSafeTimedSerializer(key)
    texts, webs, signed = [], [], []
    for number in range(1_000):
        subject = f"user-{number}"
        issued = tokens.issue("session", subject=subject, scopes=["read"])
        payload = {"jti": issued.token.id, "sub": subject, "scope": "read", "iat": now, "exp": now + 7 * 86_400}
        texts.append(issued.text)
        webs.append(jwt.encode(payload, key, algorithm="HS256"))
        signed.append(signer.dumps({name: payload[name] for name in ("jti", "sub", "scope")}))

    def verify(rounds: int) -> None:
        verify = tokens.verify
        for _ in range(rounds):
            for text in texts:
                assert verify(text, "session").subject

    def decode(rounds: int) -> None:
        decode, algorithms = jwt.decode, ["HS256"]
        for _ in range(rounds):
            for text in webs:
                assert decode(text, key, algorithms=algorithms)["sub"]

    def loads(rounds: int) -> None:
        loads = signer.loads
        for _ in range(rounds):
            for text in signed:
                assert loads(text, max_age=7 * 86_400)["sub"]

    # With the first verification the last use is written.
    verify(1)
    pairs = {"jwt": in_turn(verify, decode, 10), "itsdangerous": in_turn(verify, loads, 10)}
    vault.close()
    return pairs


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    rows = people(count)
    draw = random.Random(1)
    ids = [draw.randrange(1, count + 1) for _ in range(min(count, 20_000))]
    emails = [rows[id - 1][1] for id in ids]
    taken: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number in range(PAIRS):
            sealed, plain = Sealed(Path(name), number), Plain(Path(name), number)
            work: dict[str, list[Any]] = {
                "insert": shares(rows, BATCH),
                "get": shares(ids, 1_000),
                "find": shares(emails, 1_000),
                "scan": [count] * 3,
            }
            for what, arguments in work.items():
                times: dict[Sealed | Plain, float] = {sealed: 0.0, plain: 0.0}
                for turn, argument in enumerate(arguments):
                    for side in (sealed, plain) if (turn + number) % 2 == 0 else (plain, sealed):
                        times[side] += seconds(getattr(side, what), argument)
                taken.setdefault(what, []).append((times[sealed], times[plain]))
            sealed.close()
            plain.close()
            for file in Path(name).iterdir():
                file.unlink()
        taken["use"] = use_setting(Path(name))
        taken |= fields.measure_fields(4 * PAIRS)
        taken |= fields.measure_orm(PAIRS, Path(name))
        taken |= dbapi.measure(PAIRS, Path(name), rows)
        taken.update(sessions(Path(name)))
    names = {
        "insert": ("py_insert_many_vs_executemany", f"insert_many of {BATCH} rows against executemany, in transactions; {count} rows"),
        "get": ("py_get_vs_sqlite3", f"get by id against execute(SELECT).fetchone(); {count} rows"),
        "find": ("py_find_vs_sqlite3", f"find by e-mail, unique index, against execute(SELECT).fetchall(); {count} rows"),
        "scan": ("py_scan_vs_sqlite3", f"scan of all rows, values as tuples, against execute(SELECT); {count} rows"),
        "use": ("py_setting_use_vs_gcm_open", "use(...).expose() of a secret setting of 56 characters against AESGCM.decrypt"),
        "jwt": ("py_session_verify_vs_pyjwt", "verify(...).subject of 1,000 sessions in turn against PyJWT's decode, HS256"),
        "itsdangerous": (
            "py_session_verify_vs_itsdangerous",
            "verify(...).subject of 1,000 sessions in turn against itsdangerous' loads with max_age",
        ),
    }
    names |= {name: (name, fields.meaning(name)) for name in fields.MEANING if name in taken}
    names |= {name: (name, f"{meaning}; {count} rows") for name, meaning in dbapi.MEANING.items()}
    report = {}
    for what, (name, meaning) in names.items():
        ratios = [sealed / plain for sealed, plain in taken[what]]
        ratio = statistics.median(ratios)
        spread = [round(min(ratios), 3), round(max(ratios), 3)]
        report[name] = {"ratio": round(ratio, 3), "better": "lower", "what": meaning, "spread": spread}
        took = statistics.median(sealed for sealed, _ in taken[what])
        print(f"{name:32} {ratio:.3f}  [{spread[0]:.3f}, {spread[1]:.3f}]  sealed {took:.3f} s")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
