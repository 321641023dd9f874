#!/usr/bin/env python3
"""The audit chain and checkpoints without Sealite: a second reading of docs/format.md.

    audit.py make           prints known answers: tests/vectors/audit.json was made so, once
    audit.py check FILE     checks known answers

The vectors are frozen: answers are added, none is changed.
"""

import base64, hashlib, hmac, json, struct, sys

INTEGER, TEXT, BLOB = 1, 3, 4
SEALED = ("actor", "subject", "payload")


def subkey(label, key):
    """32 bytes of HKDF-SHA-256 (RFC 5869), without a salt."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, b"sealite/v1/" + label + b"\1", "sha256")


def encoded(value):
    tag, data = 0, b""
    if isinstance(value, int):
        tag, data = INTEGER, struct.pack(">q", value)
    elif isinstance(value, str):
        tag, data = TEXT, value.encode()
    elif value is not None:
        tag, data = BLOB, value
    return bytes([tag]) + struct.pack(">I", len(data)) + data


def digest(salt, entry):
    return hashlib.sha256(salt + b"".join(encoded(entry[name]) for name in SEALED)).digest()


def genesis(audit_key, vault):
    return hmac.digest(subkey(b"audit/chain", audit_key), b"sealite/audit/0\0" + vault, "sha256")


def link(audit_key, before, entry, sealed):
    said = [entry[name] for name in ("seq", "at", "event", "tenant", "trace_id", "correlation_id")]
    said += [sealed, entry["key"]] + ([] if entry["owner"] is None else [entry["owner"]])
    message = b"sealite/audit/1\0" + before + b"".join(map(encoded, said))
    return hmac.digest(subkey(b"audit/chain", audit_key), message, "sha256")


def checkpoint(audit_key, vault, key, seq, at, chain):
    body = vault + struct.pack(">Iqq", key, seq, at) + chain
    body += hmac.digest(subkey(b"audit/checkpoint", audit_key), body, "sha256")
    return "sealite-audit-1." + base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def pattern(label, length):
    """Bytes that look random and are not."""
    return hashlib.shake_128(b"sealite audit vectors " + label.encode()).digest(length)


def make():
    vault, keys = pattern("vault", 16), {3: pattern("first key", 32), 9: pattern("second key", 32)}
    plain = dict.fromkeys(("tenant", "trace_id", "correlation_id", "actor", "subject", "payload", "owner"))
    entries = [
        {"at": 1795000000123, "event": "vault.created", "key": 3},
        {"at": 1795000000124, "event": "setting.changed", "key": 3, "tenant": "acme", "actor": "ada", "payload": '{"a":1}'},
        {"at": -1, "event": "é", "key": 3, "tenant": "", "trace_id": "t-1", "correlation_id": "", "actor": "", "subject": "Zoë"},
        {"at": 2**63 - 1, "event": "key.rotated", "key": 9, "subject": "users:7", "payload": "[]", "owner": 12},
    ]
    chain = genesis(keys[3], vault)
    made = {"version": 1, "vault": vault.hex(), "keys": {str(key): secret.hex() for key, secret in keys.items()}}
    made |= {"genesis": chain.hex(), "entries": []}
    for seq, entry in enumerate(entries, 1):
        entry = {"seq": seq} | plain | entry
        salt = pattern(f"salt {seq}", 24)
        sealed = digest(salt, entry)
        chain = link(keys[entry["key"]], chain, entry, sealed)
        text = checkpoint(keys[entry["key"]], vault, entry["key"], seq, 1795000001000 + seq, chain)
        found = {"salt": salt.hex(), "digest": sealed.hex(), "chain": chain.hex()}
        made["entries"].append(entry | found | {"checkpoint_at": 1795000001000 + seq, "checkpoint": text})
    return made


def check(known):
    vault, keys = bytes.fromhex(known["vault"]), {int(key): bytes.fromhex(secret) for key, secret in known["keys"].items()}
    entries = known["entries"]
    chain = genesis(keys[entries[0]["key"]], vault)
    hold(chain.hex() == known["genesis"], "the link before the first entry")
    for entry in entries:
        sealed, key = digest(bytes.fromhex(entry["salt"]), entry), entry["key"]
        chain = link(keys[key], chain, entry, sealed)
        hold((sealed.hex(), chain.hex()) == (entry["digest"], entry["chain"]), f"entry {entry['seq']}")
        text = checkpoint(keys[key], vault, key, entry["seq"], entry["checkpoint_at"], chain)
        hold(text == entry["checkpoint"], f"the checkpoint at entry {entry['seq']}")
    return 1 + 3 * len(entries)


def hold(condition, name):
    if not condition:
        sys.exit(f"the known answer does not hold: {name}")


def main():
    match sys.argv[1:]:
        case ["make"]:
            print(json.dumps(make(), indent=1, ensure_ascii=True))
        case ["check", path]:
            with open(path, encoding="utf-8") as file:
                print(check(json.load(file)), "known answers hold")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
