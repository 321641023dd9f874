#!/usr/bin/env python3
"""Opens Sealite records without Sealite: a second reading of docs/format.md, and a way out if the engine is ever lost.

    open_record.py vectors FILE                              checks known answers (tests/vectors/record.json)
    open_record.py rows DATABASE KEY TABLE [--tenant T] ID…  prints rows, KEY being the 64 hexadecimal digits of a slot
    open_record.py keys DATABASE KEY                         prints every key of the way from the slot to a record

Needs the package `cryptography`. It reads what is there and repairs nothing; whatever is not what was written raises
`Refused`. Values are printed as {"type": value}: integers as decimal text, doubles as their 8 bytes, blobs as bytes.
"""

import argparse, hmac, json, sqlite3, struct, sys, urllib.parse

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NULL, INTEGER, REAL, TEXT, BLOB, BOOLEAN, JSON = range(7)
NAMES = ["null", "integer", "real", "text", "blob", "boolean", "json"]
SLOTS, KEYS, CATALOG = 1, 2, 3


class Refused(Exception):
    """Not what was written."""


def subkey(label, key, salt=b"", info=b""):
    """32 bytes of HKDF-SHA-256 (RFC 5869)."""
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, b"sealite/v1/" + label.encode() + info + b"\1", "sha256")


def blind_value(key, bits, tag, normal):
    """The value of a blind index, of a value that has its normal form already; `bits` is 128 for a unique index."""
    digest = hmac.digest(key, bytes([tag]) + normal, "sha256")
    if bits == 128:
        return BLOB, digest[:16]
    return INTEGER, (int.from_bytes(digest[:8], "big") >> (64 - bits)).to_bytes(8, "big")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def derive(key, nonce):
    """The message key, its 12-byte nonce, and the key commitment."""
    aes = Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update
    doubled = int.from_bytes(aes(bytes(16)), "big") << 1
    k1 = (doubled ^ (0x87 | 1 << 128 if doubled >> 128 else 0)).to_bytes(16, "big")
    head, tail = nonce[:12], nonce[12:]
    message_key = b"".join(aes(xor(bytes([0, i, 0x58, 0]) + head, k1)) for i in (1, 2))
    x1 = xor(aes(b"XCMT" + head), k1)
    commitment = b"".join(aes(xor(x1, tail + bytes([0, 1, 0, i]))) for i in (1, 2))
    return message_key, tail, commitment


def open_record(key, record, aad):
    """The payload of a record, padding included."""
    if len(record) < 79 or record[0] != 1:
        raise Refused("not a record of version 1")
    header, body, commitment = record[:31], record[31:-32], record[-32:]
    message_key, nonce, expected = derive(key, header[7:31])
    if not hmac.compare_digest(commitment, expected):
        raise Refused("the key commitment is another key's")
    try:
        return AESGCM(message_key).decrypt(nonce, body, aad)
    except InvalidTag:
        raise Refused("the tag does not fit") from None


def sized(data):
    return struct.pack(">I", len(data)) + data


def associated_data(header, vault, table, field=None, record=None, tenant=None, subject=None, columns=()):
    """`record` is (tag, bytes) of the id; `columns` holds (column id, tag, bytes) in ascending order of the ids."""
    present = [field is not None, record is not None, tenant is not None, subject is not None]
    out = b"sealite/record/1" + header + vault + struct.pack(">I", table)
    out += bytes([sum(bit << at for at, bit in enumerate(present))])
    out += sized(field.encode()) if field is not None else b""
    out += bytes([record[0]]) + sized(record[1]) if record is not None else b""
    out += b"".join(sized(text.encode()) for text in (tenant, subject) if text is not None)
    out += struct.pack(">H", len(columns))
    return out + b"".join(struct.pack(">IB", column, tag) + sized(data) for column, tag, data in columns)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Refused("cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Refused("a number of more than 32 bits")

    def bytes(self):
        return self.take(self.varint())

    def list(self, item):
        return [item() for _ in range(self.varint())]


def payload_values(payload):
    """{column id: (tag, bytes)}; a column that is not there is NULL."""
    reader, found, last = Reader(payload), {}, 0
    while reader.at < len(payload) and payload[reader.at] != 0:
        column, tag, data = reader.varint(), reader.byte(), reader.bytes()
        if column <= last or not INTEGER <= tag <= JSON:
            raise Refused("the payload is out of order")
        found[column], last = (tag, data), column
    if any(payload[reader.at :]):
        raise Refused("the padding is not zero")
    return found


def catalog_entry(entry):
    r = Reader(entry)
    if r.byte() != 1:
        raise Refused("a catalog entry of a version that this reader does not know")
    text, maybe = (lambda: r.bytes().decode()), (lambda item: item() if r.byte() else None)
    index = lambda: {"flags": r.byte(), "normaliser": r.byte(), "version": r.varint(),
                     "expected": maybe(lambda: r.take(8)), "reason": maybe(text)}
    blind = lambda: {"id": r.varint(), "generation": r.varint(), "physical": text(), "bits": r.byte(), "flags": r.byte()}
    column = lambda: {"id": r.varint(), "name": text(), "type": r.byte(), "protection": r.byte(), "flags": r.byte(),
                      "since": r.varint(), "default": maybe(lambda: (r.byte(), r.bytes())),
                      "index": maybe(index), "blind": maybe(blind)}
    layout = lambda: {"number": r.varint(), "authenticated": r.list(r.varint), "sealed": r.list(r.varint)}
    table = {"id": r.varint(), "name": text(), "key": text(), "flags": r.byte(), "padding": r.varint(),
             "next_id": r.varint(), "columns": r.list(column), "retired": r.list(blind), "layouts": r.list(layout)}
    if table["flags"] & 4:
        table["columns_before_key"] = r.varint()
    if r.at != len(entry):
        raise Refused("a catalog entry with something behind its end")
    return table


class Text(bytes):
    """Text as SQLite holds it, kept apart from blobs."""


def tagged(value, kind=None):
    """A value of SQLite as (tag, bytes); `kind` is the catalog's type of the column: 5 boolean, 6 JSON."""
    match value:
        case None:
            return NULL, b""
        case 0 | 1 if kind == 5 and isinstance(value, int):
            return BOOLEAN, bytes([value])
        case int():
            return INTEGER, value.to_bytes(8, "big", signed=True)
        case float():
            return REAL, struct.pack(">d", value)
        case Text():
            return (JSON if kind == 6 else TEXT), bytes(value)
        case _:
            return BLOB, value


class Vault:
    def __init__(self, path, key):
        self.db = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=rw", uri=True)
        self.db.text_factory = Text
        (self.id,) = self.db.execute("SELECT vault FROM sealite_meta").fetchone()
        self.wrap = subkey("wrap", self.master(key), info=self.id)
        self.tables = {}
        for number, record in self.db.execute("SELECT id, sealed FROM sealite_catalog"):
            payload = self.open(record, CATALOG, number, None, [])
            entry = catalog_entry(payload[1][1])
            self.tables[entry["name"]] = entry

    def master(self, key):
        sql = "SELECT id, kind, label, created_at, parameters, sealed FROM sealite_slots WHERE kind = 1"
        for number, kind, label, created_at, parameters, record in self.db.execute(sql):
            columns = [(1, *tagged(kind)), (2, *tagged(label)), (3, *tagged(created_at)), (4, *tagged(parameters))]
            aad = associated_data(record[:31], self.id, SLOTS, record=tagged(number), columns=columns)
            try:
                return payload_values(open_record(subkey("slot/key", key, parameters), record, aad))[5][1]
            except Refused as refused:
                if "commitment" not in str(refused):
                    raise
        raise Refused("no slot opens with this key")

    def keys(self, key):
        """The slot key, the master key, the wrapping key and the vault's own first data key."""
        (salt,) = self.db.execute("SELECT parameters FROM sealite_slots WHERE kind = 1").fetchone()
        (number,) = self.db.execute("SELECT min(id) FROM sealite_keys WHERE purpose = 1 AND tenant IS NULL").fetchone()
        found = {"slot": subkey("slot/key", key, salt), "master": self.master(key), "wrapping": self.wrap}
        return found | {"data": self.data_key(number, None)}

    def data_key(self, number, tenant):
        names = "purpose, tenant, subject, generation, state, created_at, changed_at, floor, sealed"
        row = self.db.execute(f"SELECT {names} FROM sealite_keys WHERE id = ?", [number]).fetchone()
        if row is None:
            raise Refused(f"there is no key {number}")
        owner, subject = (None if text is None else text.decode() for text in row[1:3])
        columns = [(at, *tagged(row[column])) for at, column in zip((1, 2, 3, 4, 5, 7), (0, 3, 4, 5, 6, 7))]
        aad = associated_data(row[8][:31], self.id, KEYS, None, tagged(number), owner, subject, columns)
        payload = payload_values(open_record(self.wrap, row[8], aad))
        if row[0] != 1 or row[4] not in (1, 2) or owner != tenant or subject is not None:
            raise Refused(f"key {number} is not for this")
        return payload[6][1]

    def open(self, record, table, number, tenant, columns):
        if not isinstance(record, bytes) or isinstance(record, Text) or len(record) < 79:
            raise Refused("not a record")
        key = self.data_key(int.from_bytes(record[3:7], "big"), tenant)
        aad = associated_data(record[:31], self.id, table, None, tagged(number), tenant, None, columns)
        return payload_values(open_record(key, record, aad))

    def row(self, name, number, tenant):
        quote = lambda name: '"' + name.replace('"', '""') + '"'
        table = self.tables[name]
        where = f"{quote(table['key'])} = ?" + (" AND tenant = ?" if table["flags"] & 2 else "")
        wanted = [number.decode() if isinstance(number, Text) else number] + ([tenant] if table["flags"] & 2 else [])
        cursor = self.db.execute(f"SELECT * FROM {quote(name + '_sealed')} WHERE {where}", wanted)
        physical = {about[0]: value for about, value in zip(cursor.description, cursor.fetchone() or ())}
        if not physical:
            raise Refused("no such row")
        record, layouts = physical["sealed"], {layout["number"]: layout for layout in table["layouts"]}
        layout = layouts.get(int.from_bytes(record[1:3], "big"))
        if layout is None:
            raise Refused("a layout that the catalog does not know")
        outside = {c["id"]: tagged(physical[c["name"]], c["type"]) for c in table["columns"] if c["flags"] & 1}
        blinds = [c["blind"] for c in table["columns"] if c["blind"]] + table["retired"]
        outside |= {blind["id"]: tagged(physical[blind["physical"]]) for blind in blinds}
        columns = [(column, *outside[column]) for column in layout["authenticated"]]
        payload = self.open(record, table["id"], number, tenant, columns)
        values = {}
        for column in (c for c in table["columns"] if not c["flags"] & 2):
            value = column["default"] or (NULL, b"")
            if column["id"] in layout["sealed"]:
                value = payload.get(column["id"], (NULL, b""))
            elif column["flags"] & 1 and layout["number"] >= column["since"]:
                value = outside[column["id"]]
            values[column["name"]] = shown(*value)
        return values


def shown(tag, data):
    forms = {NULL: lambda: None, INTEGER: lambda: str(int.from_bytes(data, "big", signed=True)),
             BOOLEAN: lambda: data == b"\1", TEXT: data.decode, JSON: data.decode}
    return {NAMES[tag]: forms.get(tag, data.hex)()}


def hold(found, known, name):
    if found != known:
        sys.exit(f"the known answer does not hold: {name}")


def check_vectors(vectors):
    for one in vectors["records"]:
        sealed, place = bytes.fromhex(one["sealed"]), one["place"]
        record = place["record"] and (place["record"][0], bytes.fromhex(place["record"][1]))
        columns = [(column, tag, bytes.fromhex(data)) for column, tag, data in one["columns"]]
        aad = associated_data(sealed[:31], bytes.fromhex(place["vault"]), place["table"], place["field"], record,
                              place["tenant"], place["subject"], columns)
        hold(aad.hex(), one["aad"], one["name"])
        payload = open_record(bytes.fromhex(one["key"]), sealed, aad)
        hold(payload.hex(), one["payload"], one["name"])
        found = [[column, tag, data.hex()] for column, (tag, data) in payload_values(payload).items()]
        hold(found, one["values"], one["name"])
    for one in vectors["derived"]:
        key, salt, info = (bytes.fromhex(one[part]) for part in ("key", "salt", "info"))
        hold(subkey(one["label"], key, salt, info).hex(), one["derived"], one["label"])
    for one in vectors["blind"]:
        tag, value = blind_value(bytes.fromhex(one["key"]), one["bits"], one["tag"], bytes.fromhex(one["normal"]))
        hold([tag, value.hex()], one["value"], "a blind index")
    for one in vectors["catalog"]:
        hold(catalog_entry(bytes.fromhex(one["entry"]))["name"], one["name"], "a catalog entry")
    return sum(len(vectors[part]) for part in ("records", "derived", "blind", "catalog"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors").add_argument("file")
    rows = commands.add_parser("rows")
    for name in ("database", "key", "table", "--tenant"):
        rows.add_argument(name)
    rows.add_argument("ids", nargs="+", metavar="ID")
    keys = commands.add_parser("keys")
    for name in ("database", "key"):
        keys.add_argument(name)
    given = parser.parse_args()
    if given.command == "vectors":
        with open(given.file, encoding="utf-8") as file:
            print(check_vectors(json.load(file)), "known answers hold")
        return
    try:
        vault = Vault(given.database, bytes.fromhex(given.key))
        if given.command == "keys":
            print(json.dumps({name: key.hex() for name, key in vault.keys(bytes.fromhex(given.key)).items()}))
            return
        text_key = vault.tables[given.table]["flags"] & 1
        for number in given.ids:
            number = Text(number.encode()) if text_key else int(number)
            print(json.dumps(vault.row(given.table, number, given.tenant)))
    except Refused as refused:
        sys.exit(f"refused: {refused}")


if __name__ == "__main__":
    main()
