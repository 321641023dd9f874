#!/usr/bin/env python3
"""The texts of tokens without Sealite: a second reading of docs/format.md.

    tokens.py make token_text|csrf     prints known answers: tests/vectors/token_text.json and csrf.json were made so, once
    tokens.py check FILE...            checks known answers

Needs nothing but Python. The vectors are frozen: answers are added, none is changed.
"""

import base64, hashlib, hmac, json, re, sys, zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = re.compile("(?=.{1,24}$)[a-z][a-z0-9]*(_[a-z0-9]+)*")


def base62(number, digits):
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = ALPHABET[digit] + text
    if number:
        raise ValueError("the number has more digits")
    return text


def number(text):
    value = 0
    for character in text:
        value = value * 62 + ALPHABET.index(character)
    return value


def token_text(prefix, public_id, secret):
    text = prefix + "_" + base62(int.from_bytes(public_id, "big"), 17) + base62(int.from_bytes(secret, "big"), 43)
    return text + base62(zlib.crc32(text.encode()), 6)


def token_parse(text):
    """(prefix, public id, secret), or None."""
    prefix, separator, body = text[:-67], text[-67:-66], text[-66:]
    if separator != "_" or not PREFIX.fullmatch(prefix) or any(c not in ALPHABET for c in body):
        return None
    public_id, secret, checksum = number(body[:17]), number(body[17:60]), number(body[60:])
    if public_id >= 1 << 96 or secret >= 1 << 256 or checksum != zlib.crc32(text[:-6].encode()):
        return None
    return prefix, public_id.to_bytes(12, "big"), secret.to_bytes(32, "big")


def csrf_mac(public_id, secret):
    return hmac.digest(secret, b"sealite/v1/csrf" + public_id, "sha256")


def csrf_text(public_id, secret, mask):
    masked = bytes(a ^ b for a, b in zip(mask, csrf_mac(public_id, secret), strict=True))
    return base64.urlsafe_b64encode(mask + masked).rstrip(b"=").decode()


def csrf_holds(public_id, secret, text):
    if not re.fullmatch("[A-Za-z0-9_-]{86}", text):
        return False
    both = base64.urlsafe_b64decode(text + "==")
    return csrf_text(public_id, secret, both[:32]) == text


def pattern(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_128(b"sealite vectors " + label.encode()).digest(length)


def make_token_text():
    tokens = []
    for prefix, public_id, secret in (
        ("slses", pattern("token id", 12), pattern("token secret", 32)), ("a", bytes(12), bytes(32)),
        ("abcdefghijklmnopqrstuvwx", bytes([255] * 12), bytes([255] * 32)), ("my_app_v2_key", bytes(11) + b"\1", bytes(31) + b"\1"),
        ("x9", b"\1" + bytes(11), b"\1" + bytes(31)), ("sladm", pattern("another id", 12), pattern("another secret", 32)),
    ):
        text = token_text(prefix, public_id, secret)
        tokens.append({"prefix": prefix, "id": public_id.hex(), "secret": secret.hex(), "text": text})
    good = tokens[0]["text"]
    summed = lambda text: text + base62(zlib.crc32(text.encode()), 6)
    head, body = good[:-66], good[-66:-6]
    most = base62((1 << 256) - 1, 43)
    bad = {
        "nothing": "", "the prefix alone": head, "cut": good[:-1], "one more": good + "0", "cut in front": good[1:],
        "white space behind": good + " ", "a line's end behind": good + "\n", "white space before": " " + good,
        "another checksum": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "a checksum of more than 32 bits": good[:-6] + "zzzzzz",
        "an id of more than 96 bits": summed(head + base62(1 << 96, 17) + body[17:]),
        "the highest id that digits write": summed(head + "z" * 17 + body[17:]),
        "a secret of more than 256 bits": summed(head + body[:17] + most[:-1] + ALPHABET[ALPHABET.index(most[-1]) + 1]),
        "the highest secret that digits write": summed(head + body[:17] + "z" * 43),
        "no prefix": summed("_" + body), "no separator": summed(head[:-1] + body), "a hyphen": summed(head[:-1] + "-" + body),
        "an upper-case prefix": summed(head.upper() + body), "a prefix that begins with a digit": summed("9" + head + body),
        "two underscores": summed("a__b_" + body), "an underscore in front": summed("_" + head + body),
        "an underscore behind": summed(head + "_" + body), "a prefix of 25 characters": summed("a" * 25 + "_" + body),
        "a letter beyond ASCII in the prefix": summed("é" + head + body), "a NUL in the prefix": summed("a\0_" + body),
        "a digit beyond ASCII": summed(head + "é" + body[2:]), "full width": summed(head + "０" + body[1:]),
        "a symbol of base64": summed(head + "-" + body[1:]), "a NUL": summed(head + "\0" + body[1:]),
        "lower case": good.lower(), "twice": good + good,
    }
    bad = [{"name": name, "text": text} for name, text in bad.items()]
    return {"version": 1, "tokens": tokens, "malformed": bad}


def make_csrf():
    answers = []
    for label in ("one", "two"):
        public_id, secret, mask = (pattern(f"csrf {part} {label}", n) for part, n in (("id", 12), ("secret", 32), ("mask", 32)))
        for mask in (mask, bytes(32)):
            answers.append({"id": public_id.hex(), "secret": secret.hex(), "mask": mask.hex(),
                            "mac": csrf_mac(public_id, secret).hex(), "text": csrf_text(public_id, secret, mask),
                            "session": token_text("slses", public_id, secret)})
    return {"version": 1, "csrf": answers}


def hold(condition, name):
    if not condition:
        sys.exit(f"the known answer does not hold: {name}")


def check(vectors):
    for one in vectors.get("tokens", ()):
        parts = one["prefix"], bytes.fromhex(one["id"]), bytes.fromhex(one["secret"])
        hold(token_text(*parts) == one["text"] and token_parse(one["text"]) == parts, one["prefix"])
    for one in vectors.get("malformed", ()):
        hold(token_parse(one["text"]) is None, one["name"])
    for one in vectors.get("csrf", ()):
        public_id, secret, mask = (bytes.fromhex(one[part]) for part in ("id", "secret", "mask"))
        hold(csrf_mac(public_id, secret).hex() == one["mac"], "a CSRF token's MAC")
        hold(token_parse(one["session"]) == ("slses", public_id, secret), "the text of a CSRF token's session")
        hold(csrf_text(public_id, secret, mask) == one["text"] and csrf_holds(public_id, secret, one["text"]), "a CSRF token")
    return sum(len(part) for part in vectors.values() if isinstance(part, list))


def main():
    match sys.argv[1:]:
        case ["make", "token_text" | "csrf" as which]:
            made = make_token_text() if which == "token_text" else make_csrf()
            print(json.dumps(made, indent=1, ensure_ascii=True))
        case ["check", *files] if files:
            held = 0
            for path in files:
                with open(path, encoding="utf-8") as file:
                    held += check(json.load(file))
            print(held, "known answers hold")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
