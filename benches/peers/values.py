"""What is compared value by value: single values sealed and opened, sessions verified, passwords verified."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sealite

sys.path.append(str(Path(__file__).parents[2] / "python" / "benches"))
import fields  # noqa: E402
import quick  # noqa: E402

FIELDS = {
    "py_field_vs_aesgcm": "AESGCM (cryptography), bare",
    "py_field_vs_asherah": "Asherah",
    "py_field_vs_floorvault": "FloorVault",
    "py_field_vs_fernet": "Fernet (cryptography)",
    "py_field_vs_sqlalchemy_utils": "SQLAlchemy-Utils, AesGcmEngine",
}
SESSIONS = {"itsdangerous": "itsdangerous, timed loads", "jwt": "PyJWT, decode HS256"}
# quick.sessions verifies 1,000 sessions 10 times over.
VERIFIED = 10_000


def against(title: str, pairs: list[tuple[float, float]], operations: int) -> dict[str, Any]:
    """Theirs against ours: a ratio above 1 is how many times longer theirs takes."""
    ratios = [theirs / ours for ours, theirs in pairs]
    return {
        "title": title,
        "ours": statistics.median(ours for ours, _ in pairs) / operations,
        "each": statistics.median(theirs for _, theirs in pairs) / operations,
        "ratio": statistics.median(ratios),
        "spread": [min(ratios), max(ratios)],
    }


def measure_fields(pairs: int) -> list[dict[str, Any]]:
    taken = fields.measure_fields(pairs)
    lacking = FIELDS.keys() - taken.keys()
    if lacking:
        raise RuntimeError(f"not installed: {lacking}")
    return [against(title, taken[name], fields.ROUNDS) for name, title in FIELDS.items()]


def measure_sessions() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        taken = quick.sessions(Path(folder))
    return [against(title, taken[name], VERIFIED) for name, title in SESSIONS.items()]


def measure_passwords(pairs: int) -> list[dict[str, Any]]:
    """A right password verified: Argon2id with the same parameters on both sides, and bcrypt at its usual cost."""
    import argon2
    import bcrypt

    hasher = sealite.PasswordHasher()
    password = "correct horse battery staple"
    stored = hasher.hash(password)
    _, _, _, parameters, *_ = stored.split("$")
    told = {name: int(value) for name, value in (part.split("=") for part in parameters.split(","))}
    theirs = argon2.PasswordHasher(time_cost=told["t"], memory_cost=told["m"], parallelism=told["p"])
    argon, crypt = theirs.hash(password), bcrypt.hashpw(password.encode(), bcrypt.gensalt(12))
    peers: dict[str, Callable[[], bool]] = {
        f"argon2-cffi, the same {told['m'] // 1024} MiB and {told['t']} passes": lambda: theirs.verify(argon, password),
        "bcrypt, cost 12": lambda: bcrypt.checkpw(password.encode(), crypt),
    }
    result = []
    for title, peer in peers.items():
        taken = []
        for pair in range(pairs + 1):
            sides = {"ours": lambda: hasher.verify(password, stored), "theirs": peer}
            times = {}
            for side in sides if pair % 2 == 0 else reversed(sides):
                start = time.perf_counter()
                assert sides[side]()
                times[side] = time.perf_counter() - start
            if pair:
                taken.append((times["ours"], times["theirs"]))
        result.append(against(title, taken, 1))
    return result
