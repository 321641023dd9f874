#!/usr/bin/env python3
"""Made tests/vectors/record.json, once. The vectors are frozen: nothing of version 1 ever changes, so this is run again
only to add some. It seals with the encodings of open_record.py, and the engine's own tests hold the engine to the result.

    make_vectors.py > ../vectors/record.json
"""

import hashlib, json, struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from open_record import *

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def pattern(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_128(b"sealite vectors " + label.encode()).digest(length)


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def padded(length, padding):
    if padding == 0 or (padding == 65535 and length < 2):
        return length
    if padding == 65535:
        exponent = length.bit_length() - 1
        mask = (1 << max(exponent - (exponent.bit_length() if exponent else 1), 0)) - 1
        return (length + mask) & ~mask
    return -(-max(length, 1) // padding) * padding


def record(name, key, key_id, layout, place, columns=(), values=(), padding=0):
    nonce = pattern("nonce " + name, 24)
    header = struct.pack(">BHI", 1, layout, key_id) + nonce
    payload = b"".join(varint(column) + bytes([tag]) + varint(len(data)) + data for column, tag, data in values)
    payload += bytes(padded(len(payload), padding) - len(payload))
    aad = associated_data(header, place["vault"], place["table"], place["field"], place["record"], place["tenant"],
                          place["subject"], columns)
    message_key, gcm_nonce, commitment = derive(key, nonce)
    sealed = header + AESGCM(message_key).encrypt(gcm_nonce, payload, aad) + commitment
    hexed = lambda items: [[column, tag, data.hex()] for column, tag, data in items]
    shown = dict(place, vault=place["vault"].hex(), record=place["record"] and [place["record"][0], place["record"][1].hex()])
    return {"name": name, "key": key.hex(), "key_id": key_id, "layout": layout, "nonce": nonce.hex(), "place": shown,
            "columns": hexed(columns), "values": hexed(values), "padding": padding, "aad": aad.hex(),
            "payload": payload.hex(), "sealed": sealed.hex()}


def place(vault, table, field=None, record=None, tenant=None, subject=None):
    return {"vault": vault, "table": table, "field": field, "record": record, "tenant": tenant, "subject": subject}


def integer(value):
    return INTEGER, value.to_bytes(8, "big", signed=True)


def recovery_code(bits):
    checksum = int.from_bytes(hashlib.sha256(b"sealite/recovery-code/1" + bits).digest()[:3], "big") >> 4
    symbols = [int.from_bytes(bits[at : at + 5], "big") >> (35 - 5 * n) & 31 for at in range(0, 20, 5) for n in range(8)]
    symbols += [checksum >> (15 - 5 * n) & 31 for n in range(4)]
    text = "".join(ALPHABET[symbol] for symbol in symbols)
    return "-".join(text[at : at + 4] for at in range(0, 36, 4))


def catalog():
    text = lambda value: varint(len(value.encode())) + value.encode()
    blind = lambda number, generation, name, bits, flags: (
        varint(number) + varint(generation) + text(name) + bytes([bits, flags]))
    none, some = b"\0", b"\1"
    email = varint(1) + text("email") + bytes([3, 2, 4]) + varint(1) + none
    email += some + bytes([1, 2]) + varint(1) + none + none + some + blind(4, 1, "email_bidx", 128, 0)
    name = varint(2) + text("näme") + bytes([3, 2, 0]) + varint(1) + none
    name += some + bytes([0, 1]) + varint(1) + some + struct.pack(">Q", 5000) + some + text("why not")
    name += some + blind(300, 2, "näme_bidx_300", 8, 2)
    age = varint(3) + text("age") + bytes([1, 1, 3]) + varint(2) + some + bytes([1]) + varint(8) + struct.pack(">q", -7)
    age += none + none
    entry = bytes([1]) + varint(256) + text("users") + text("id") + bytes([2]) + varint(32) + varint(301) + varint(3)
    entry += email + name + age + none + none
    return entry[:-2] + varint(1) + blind(5, 1, "age_bidx_5", 12, 0) + varint(2) + b"".join(
        varint(number) + varint(len(a)) + b"".join(map(varint, a)) + varint(len(s)) + b"".join(map(varint, s))
        for number, a, s in ((1, (4, 5), (1, 2)), (2, (3, 4, 300), (1, 2))))


def main():
    vault, data, index = pattern("vault", 16), pattern("data key", 32), pattern("index key", 32)
    master, salt = pattern("master key", 32), pattern("salt", 16)
    own, bits = pattern("slot secret", 32), pattern("recovery", 20)
    passphrase = "correct horse battery staple"
    stretched = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19456).derive(passphrase.encode())
    entry = catalog()
    every = [(1, *integer(-(2**63))), (2, REAL, struct.pack(">d", -0.0)), (3, TEXT, "a\0é😀".encode()), (4, BLOB, b""),
             (5, BOOLEAN, b"\1"), (6, JSON, b' { "a" : 1 }'), (128, TEXT, b""), (70000, BLOB, bytes(range(256)))]
    beside = [(7, NULL, b""), (8, *integer(1)), (9, REAL, struct.pack(">d", 1.0)), (10, TEXT, b""), (11, BLOB, b"\0"),
              (12, BOOLEAN, b"\0"), (13, JSON, b"{}"), (2**32 - 1, TEXT, b"last")]
    number, name = integer(42), (TEXT, "naïve".encode())
    user = place(vault, 256, record=number)
    records = [
        record("empty payload", data, 1, 1, user),
        record("one text", data, 1, 1, user, values=[(1, TEXT, b"ada@example.org")], padding=32),
        record("every type sealed", data, 1, 1, user, values=every, padding=32),
        record("every type authenticated", data, 1, 65535, user, beside, padding=32),
        record("both", data, 2**32 - 1, 258, user, beside, every, 65535),
        record("text id", data, 1, 1, place(vault, 257, record=name), values=every[:3]),
        record("tenant", data, 3, 1, place(vault, 256, record=number, tenant="acme"), beside[:2], every[:3], 64),
        record("tenant and subject", data, 3, 1, place(vault, 256, record=number, tenant="acme", subject="person 7"),
               beside[:1], every[:1], 1),
        record("field", data, 1, 0, place(vault, 0, field="users.email"), values=[(1, TEXT, b"x")], padding=32),
        record("field of a record", data, 1, 0, place(vault, 0, "users.email", name, "acme"), values=[(1, TEXT, b"x")]),
        record("field that is NULL", data, 1, 0, place(vault, 0, "users.email", number), padding=32),
        record("high-water mark", data, 1, 0, place(vault, 4, record=integer(256)), values=[(1, *integer(7))]),
        record("catalog entry", data, 1, 0, place(vault, 3, record=integer(256)), values=[(1, BLOB, entry)], padding=32),
        record("data key", subkey("wrap", master, info=vault), 0, 0, place(vault, 2, record=integer(1)),
               [(1, *integer(1)), (2, *integer(1)), (3, *integer(1)), (4, *integer(1700000000)), (5, *integer(1700000000))],
               [(6, BLOB, data)]),
        record("index key of a tenant", subkey("wrap", master, info=vault), 0, 0,
               place(vault, 2, record=integer(4), tenant="acme"),
               [(1, *integer(2)), (2, *integer(1)), (3, *integer(1)), (4, *integer(1700000000)), (5, *integer(1700000009))],
               [(6, BLOB, index)]),
    ]
    for kind, label, key, parameters in (
        (1, "key", subkey("slot/key", own, salt), salt),
        (2, "passphrase", subkey("slot/passphrase", stretched), salt + struct.pack(">III", 19456, 2, 1)),
        (3, "paper", subkey("slot/recovery", bits, salt), salt),
    ):
        columns = [(1, *integer(kind)), (2, TEXT, label.encode()), (3, *integer(1700000000)), (4, BLOB, parameters)]
        records.append(record(f"slot of kind {kind}", key, 0, 0, place(vault, 1, record=integer(kind)), columns,
                              [(5, BLOB, master)]))
    derived = [("slot/key", own, salt, b""), ("slot/recovery", bits, salt, b""), ("slot/passphrase", stretched, b"", b""),
               ("wrap", master, b"", vault), ("blind-index/table", index, b"", struct.pack(">IIH", 256, 4, 1)),
               ("blind-index/table", index, b"", struct.pack(">IIH", 2**32 - 1, 300, 65535)),
               ("blind-index/field", index, b"", struct.pack(">BH", 2, 1) + b"users.email"),
               ("blind-index/field", index, b"", struct.pack(">BH", 0, 1) + "é".encode())]
    derived = [{"label": label, "key": key.hex(), "salt": salt.hex(), "info": info.hex(),
                "derived": subkey(label, key, salt, info).hex()} for label, key, salt, info in derived]
    mac = subkey("blind-index/table", index, info=struct.pack(">IIH", 256, 4, 1))
    blind = []
    for bits_kept, normaliser, tag, value, normal in (
        (128, 2, TEXT, " Ada@Example.ORG ", "ada@example.org"), (128, 0, TEXT, "Ada", "Ada"), (8, 1, TEXT, "Ädä  X", "ädä x"),
        (1, 0, TEXT, "", ""), (56, 3, TEXT, "+49 (30) 12", "+493012"), (128, 0, INTEGER, *[integer(-5)[1]] * 2),
        (12, 0, BLOB, *[b"\0"] * 2), (128, 0, BOOLEAN, *[b"\1"] * 2),
    ):
        raw = [part.encode() if isinstance(part, str) else part for part in (value, normal)]
        kept = blind_value(mac, bits_kept, tag, raw[1])
        blind.append({"key": mac.hex(), "bits": bits_kept, "normaliser": normaliser, "tag": tag, "input": raw[0].hex(),
                      "normal": raw[1].hex(), "value": [kept[0], kept[1].hex()]})
    codes = [{"bits": one.hex(), "code": recovery_code(one)} for one in (bits, bytes(20), bytes([255] * 20))]
    passphrases = [{"passphrase": passphrase, "salt": salt.hex(), "memory_kib": 19456, "passes": 2, "lanes": 1,
                    "stretched": stretched.hex()}]
    print(json.dumps({"version": 1, "records": records, "derived": derived, "blind": blind, "recovery_codes": codes,
                      "passphrases": passphrases, "catalog": [{"name": "users", "entry": entry.hex()}]}, indent=1,
                     ensure_ascii=False))


if __name__ == "__main__":
    main()
