"""Single sealed values against what other packages seal single values with, and SQLAlchemy's ORM over sealed columns against
the same over plain ones. The peers are pinned in benches/peers/requirements.txt; without them, their ratios are left out."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sealite

TEXT = "A text of 64 bytes, as names, addresses and notes may well have."
# Few, so that what else the machine does falls between the pairs.
ROUNDS = 500
Pairs = list[tuple[float, float]]


def peers() -> dict[str, Callable[[str], str]]:
    """What seals and opens the text, by the name of the ratio. Keys are made, and schedules cached, beforehand."""
    made: dict[str, Callable[[str], str]] = {}
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    gcm, fernet = AESGCM(AESGCM.generate_key(256)), Fernet(Fernet.generate_key())

    def aesgcm(text: str) -> str:
        nonce = os.urandom(12)
        return gcm.decrypt(nonce, gcm.encrypt(nonce, text.encode(), None), None).decode()

    made["py_field_vs_aesgcm"] = aesgcm
    made["py_field_vs_fernet"] = lambda text: fernet.decrypt(fernet.encrypt(text.encode())).decode()
    try:
        from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine
    except ImportError:
        pass
    else:
        engine = AesGcmEngine()
        engine._update_key("a secret of 32 characters, or so.")
        made["py_field_vs_sqlalchemy_utils"] = lambda text: str(engine.decrypt(engine.encrypt(text)))
    try:
        import floorvault
    except ImportError:
        pass
    else:
        floor = floorvault.FloorVault(os.urandom(32))
        place = {"table": "users", "record_id": "7", "column": "email"}
        made["py_field_vs_floorvault"] = lambda text: str(floor.decrypt(floor.encrypt(text, **place), **place))
    try:
        import asherah
    except ImportError:
        pass
    else:
        factory = asherah.SessionFactory(
            {
                "ServiceName": "bench",
                "ProductID": "bench",
                "Metastore": "memory",
                "KMS": "static",
                "StaticMasterKeyHex": os.urandom(32).hex(),
                "EnableSessionCaching": True,
            }
        )
        session = factory.get_session("users")
        made["py_field_vs_asherah"] = lambda text: session.decrypt_bytes(session.encrypt_bytes(text.encode())).decode()
    return made


def measure_fields(pairs: int) -> dict[str, Pairs]:
    """Seconds of sealing and opening ROUNDS times, for a row's id, and of the peer's doing as much."""
    taken: dict[str, Pairs] = {}
    with sealite.Vault.in_memory() as vault:
        field = vault.field("users.email")
        seal, open_ = field.seal, field.open

        def ours(text: str) -> str:
            opened: str = open_(seal(text, 7), 7)
            return opened

        for name, theirs in peers().items():
            assert ours(TEXT) == theirs(TEXT) == TEXT
            taken[name] = []
            for pair in range(pairs + 1):
                times = {}
                for side in (ours, theirs) if pair % 2 == 0 else (theirs, ours):
                    start = time.perf_counter()
                    for _ in range(ROUNDS):
                        side(TEXT)
                    times[side] = time.perf_counter() - start
                if pair:
                    # The first warms both up.
                    taken[name].append((times[ours], times[theirs]))
    return taken


def measure_orm(pairs: int, folder: Path, rows: int = 10_000) -> dict[str, Pairs]:
    """Seconds of inserting and of loading so many objects: three sealed values and an index, and the same in plain. Sealed as
    single values in SQLite, and by the engine's own dialect, whose plain side has the same journal."""
    try:
        import sqlalchemy as sa
    except ImportError:
        return {}
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    from sealite.sqlalchemy import Sealed, register_vault, unregister_vault

    class Base(DeclarativeBase):
        pass

    class Plain(Base):
        __tablename__ = "plain"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)
        name: Mapped[str]
        phone: Mapped[str]
        role: Mapped[str]
        plan: Mapped[str]

    class Secret(Base):
        __tablename__ = "secret"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))
        name: Mapped[str] = mapped_column(Sealed(sa.Text(), label="users.name"))
        phone: Mapped[str] = mapped_column(Sealed(sa.Text(), label="users.phone"))
        role: Mapped[str]
        plan: Mapped[str]

    people = [
        {"email": f"some.body{n}@mail.example", "name": f"Some Body {n}", "phone": f"+44 {n:09}", "role": "user", "plan": "free"}
        for n in range(rows)
    ]

    def insert(model: type[Base], engine: sa.Engine) -> None:
        with Session(engine) as session:
            session.add_all([model(**person) for person in people])
            session.commit()

    def select(model: type[Base], engine: sa.Engine) -> None:
        with Session(engine) as session:
            assert len(session.scalars(sa.select(model)).all()) == rows

    def wal(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    def engine_of(model: type[Base], kind: str, file: Path) -> sa.Engine:
        if kind == "dialect" and model is Secret:
            return sa.create_engine(f"sqlite+sealite:///{file}?key=env:BENCH_KEY")
        engine = sa.create_engine(f"sqlite:///{file}")
        if kind == "dialect":
            sa.event.listen(engine, "connect", wal)
        return engine

    os.environ["BENCH_KEY"] = sealite.generate_key()
    taken: dict[str, Pairs] = {}
    vault = sealite.Vault.create(folder / "keys.db", sealite.Unlock.key_text(sealite.generate_key()))
    register_vault(vault)
    for pair, kind in [(pair, kind) for pair in range(pairs + 1) for kind in ("fields", "dialect")]:
        models: list[type[Base]] = [Secret, Plain] if pair % 2 == 0 else [Plain, Secret]
        engines = {model: engine_of(model, kind, folder / f"{model.__tablename__}_{kind}{pair}.db") for model in models}
        for model, engine in engines.items():
            model.metadata.tables[model.__tablename__].create(engine)
        for name, work in ((f"orm_insert_{kind}_vs_plain", insert), (f"orm_select_{kind}_vs_plain", select)):
            times = {}
            for model in models:
                start = time.perf_counter()
                work(model, engines[model])
                times[model] = time.perf_counter() - start
            if pair:
                taken.setdefault(name, []).append((times[Secret], times[Plain]))
        for engine in engines.values():
            engine.dispose()
    unregister_vault()
    vault.close()
    return taken


MEANING = {
    "py_field_vs_aesgcm": "cryptography's AESGCM with a cached key and os.urandom's nonce",
    "py_field_vs_fernet": "cryptography's Fernet",
    "py_field_vs_sqlalchemy_utils": "SQLAlchemy-Utils' AesGcmEngine",
    "py_field_vs_floorvault": "FloorVault, bound to table, row and column",
    "py_field_vs_asherah": "Asherah's session, cached keys",
    "orm_insert_fields_vs_plain": "add_all and commit of 10,000 objects against plain columns, SQLAlchemy on SQLite",
    "orm_select_fields_vs_plain": "loading 10,000 objects against plain columns, SQLAlchemy on SQLite",
    "orm_insert_dialect_vs_plain": "add_all and commit of 10,000 objects by sqlite+sealite, against plain columns by pysqlite, WAL",
    "orm_select_dialect_vs_plain": "loading 10,000 objects by sqlite+sealite, against plain columns by pysqlite, WAL",
}


def meaning(name: str) -> str:
    """What a ratio is, for the report."""
    told = MEANING[name]
    return told if name.startswith("orm_") else f"seal and open of a text of 64 bytes for a row, against {told}"


def one_side(side: str, rounds: int) -> None:
    """Seals and opens so many times, and nothing else: for a profiler."""
    with sealite.Vault.in_memory() as vault:
        field = vault.field("users.email")
        seal, open_ = field.seal, field.open
        theirs = peers()
        work = theirs[side] if side in theirs else lambda text: open_(seal(text, 7), 7)
        for _ in range(rounds):
            work(TEXT)


if __name__ == "__main__":
    one_side(sys.argv[1], int(sys.argv[2]))
