"""The stores that are compared: plain SQLite, SQLCipher, Sealite, and columns encrypted by hand with what PyPI has."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from orm import STORES as ORM
from store import COLUMNS, CREATE, PERSONAL, Person, Row, SqlStore, Store, configure, empty, key


class Plain(SqlStore):
    title = "sqlite3, plain rows"
    rotation = "nothing to rotate"


class SqlCipher(SqlStore):
    title = "SQLCipher (sqlcipher3)"
    rotation = "`PRAGMA rekey`: the whole file in one transaction, everybody else waits"

    def connect(self, file: Path) -> Any:
        from sqlcipher3 import dbapi2

        connection = dbapi2.connect(str(file), isolation_level=None)
        # A raw key: no time goes into deriving one from a passphrase.
        connection.execute(f"PRAGMA key = \"x'{key(file).hex()}'\"")
        configure(connection)
        return connection


class Sealite(Store):
    title = "Sealite, tables"
    physical = ("people_sealed", "sealed")
    rotation = "in steps, resumable, while other processes read and write"

    def __init__(self, file: Path) -> None:
        import sealite

        unlock = sealite.Unlock.key(key(file))
        self.vault = sealite.Vault.open(file, unlock) if file.exists() else sealite.Vault.create(file, unlock)
        self.vault.define_table(
            "people",
            {
                "name": "text sealed not null",
                "email": "text sealed not null unique email",
                "phone": "text sealed not null",
                "role": "text authenticated not null",
                "plan": "text not null",
            },
        )
        self.people = self.vault.table("people")

    def insert(self, rows: Sequence[Row]) -> None:
        self.people.insert_many(list(COLUMNS), rows)

    def get(self, id: int) -> Person | None:
        row = self.people.get(id)
        return None if row is None else self.person(row)

    def find(self, email: str) -> Person | None:
        row = self.people.find_one("email", email)
        return None if row is None else self.person(row)

    def person(self, row: Any) -> Person:
        return tuple(row.values())  # type: ignore[return-value]

    def scan(self) -> Iterable[Person]:
        return map(self.person, self.people.scan())

    def update(self, changes: Sequence[tuple[int, str, str]]) -> None:
        with self.vault.transaction() as tx:
            people = tx.table("people")
            for id, name, role in changes:
                people.update(id, name=name, role=role)

    def close(self) -> None:
        self.vault.close()


class SealiteSql(SqlStore):
    title = "Sealite, SQL (sealite.dbapi2)"
    physical = ("people_sealed", "sealed")
    rotation = Sealite.rotation

    def __init__(self, file: Path) -> None:
        from sealite import dbapi2

        self.connection = dbapi2.connect(file, key_bytes=key(file), isolation_level=None)
        self.connection.define_table(
            "people",
            {
                "name": "text sealed not null",
                "email": "text sealed not null unique email",
                "phone": "text sealed not null",
                "role": "text authenticated not null",
                "plan": "text not null",
            },
        )

    def close(self) -> None:
        self.connection.close()


class ByHand(SqlStore):
    """Columns that the program encrypts before it binds them, and a keyed hash of the e-mail address beside them, by which
    it is found: the least that a program needs to keep its look-up."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.connection = self.connect(file)
        self.secret = key(file)
        self.prepare()
        if empty(self.connection):
            self.connection.execute(CREATE.format(kind="BLOB", more=", email_index BLOB NOT NULL"))
            self.connection.execute("CREATE UNIQUE INDEX people_email ON people (email_index)")
        self.next = self.connection.execute("SELECT coalesce(max(id), 0) + 1 FROM people").fetchone()[0]

    def prepare(self) -> None:
        """Makes the keys ready."""
        raise NotImplementedError

    def seal(self, id: int, fields: dict[str, str]) -> dict[str, bytes]:
        raise NotImplementedError

    def open(self, id: int, fields: dict[str, bytes]) -> dict[str, str]:
        raise NotImplementedError

    def index(self, email: str) -> bytes:
        return hmac.digest(self.secret, b"email" + email.strip().lower().encode(), hashlib.sha256)[:16]

    def insert(self, rows: Sequence[Row]) -> None:
        names = f"id, {', '.join(COLUMNS)}, email_index"
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(f"INSERT INTO people ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", self.sealed(rows))
        self.connection.execute("COMMIT")

    def sealed(self, rows: Sequence[Row]) -> Iterable[tuple[Any, ...]]:
        for name, email, phone, role, plan in rows:
            sealed = self.seal(self.next, {"name": name, "email": email, "phone": phone})
            yield (self.next, *sealed.values(), role, plan, self.index(email))
            self.next += 1

    def get(self, id: int) -> Person | None:
        row = super().get(id)
        return None if row is None else self.opened(row)

    def find(self, email: str) -> Person | None:
        found = self.connection.execute(f"{self.SELECT} WHERE email_index = ?", (self.index(email),))
        return next((person for person in map(self.opened, found) if person[2] == email), None)

    def scan(self) -> Iterable[Person]:
        return map(self.opened, super().scan())

    def opened(self, row: Any) -> Person:
        id, name, email, phone, role, plan = row
        fields = self.open(id, {"name": name, "email": email, "phone": phone})
        return (id, *(fields[name] for name in PERSONAL), role, plan)

    def update(self, changes: Sequence[tuple[int, str, str]]) -> None:
        super().update([(id, self.seal(id, {"name": name})["name"], role) for id, name, role in changes])  # type: ignore[misc]


class Fernet(ByHand):
    title = "Fernet (cryptography), by hand"
    rotation = "by a loop of the program's own (`MultiFernet.rotate`)"

    def prepare(self) -> None:
        import base64

        from cryptography.fernet import Fernet

        self.fernet = Fernet(base64.urlsafe_b64encode(self.secret))

    def seal(self, id: int, fields: dict[str, str]) -> dict[str, bytes]:
        return {name: self.fernet.encrypt(value.encode()) for name, value in fields.items()}

    def open(self, id: int, fields: dict[str, bytes]) -> dict[str, str]:
        return {name: self.fernet.decrypt(value).decode() for name, value in fields.items()}


class FloorVault(ByHand):
    title = "FloorVault, by hand"
    rotation = "by a loop of the program's own (`KeyRing` reads both keys)"

    def prepare(self) -> None:
        import floorvault
        from floorvault.beacons import BeaconIndexer, derive_beacon_key

        self.vault = floorvault.FloorVault(self.secret)
        self.beacons = BeaconIndexer(derive_beacon_key(self.secret), bits=64)

    def index(self, email: str) -> bytes:
        return self.beacons.beacon(email.strip().lower(), scope="people.email")

    def seal(self, id: int, fields: dict[str, str]) -> dict[str, bytes]:
        return self.vault.encrypt_fields(fields, table="people", record_id=str(id))

    def open(self, id: int, fields: dict[str, bytes]) -> dict[str, str]:
        opened = self.vault.decrypt_fields(fields, table="people", record_id=str(id))
        return {name: value.decode() for name, value in opened.items()}


class Asherah(ByHand):
    title = "Asherah, by hand"
    rotation = "new values by themselves under new keys; old ones by a loop of the program's own"

    def prepare(self) -> None:
        import asherah

        options = {
            "ServiceName": "peers",
            "ProductID": "bench",
            "Metastore": "sqlite",
            "ConnectionString": str(self.file.with_suffix(".metastore")),
            # The attacks on the file open copies of it: to Asherah, another configuration.
            "ConfigDriftForceRun": True,
            "KMS": "static",
            "StaticMasterKeyHex": self.secret.hex(),
            "EnableSessionCaching": True,
        }
        self.factory = asherah.SessionFactory(options)
        self.session = self.factory.get_session("people")

    def close(self) -> None:
        self.session.close()
        self.factory.close()
        super().close()

    def seal(self, id: int, fields: dict[str, str]) -> dict[str, bytes]:
        return {name: self.encrypt(value) for name, value in fields.items()}

    def encrypt(self, value: str) -> bytes:
        sealed: Any = self.session.encrypt_bytes(value.encode())
        return sealed.encode() if isinstance(sealed, str) else sealed

    def open(self, id: int, fields: dict[str, bytes]) -> dict[str, str]:
        return {name: self.session.decrypt_bytes(value.decode()).decode() for name, value in fields.items()}


STORES: dict[str, type[Store]] = {
    "sqlite3": Plain,
    "sealite": Sealite,
    "sealite_sql": SealiteSql,
    "sqlcipher": SqlCipher,
    "fernet": Fernet,
    "floorvault": FloorVault,
    "asherah": Asherah,
    **ORM,
}
