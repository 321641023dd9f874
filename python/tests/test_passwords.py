"""Passwords: hashed with their cost, verified whatever they are, upgraded where the stored hash is weaker."""

import pytest

import sealite

CHEAP = sealite.PasswordHasher(memory_kib=19_456, passes=2, lanes=1)
# bcrypt, of abc
BCRYPT = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"


@pytest.mark.parametrize("password", ["x", "correct horse", "pässwörd \0 with all", b"\xff\x00bytes", "p" * 4_096])
def test_a_password_is_right_and_no_other_is(password: str | bytes) -> None:
    stored = CHEAP.hash(password)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert CHEAP.verify(password, stored)
    other = password + "x" if isinstance(password, str) else password + b"x"
    assert not CHEAP.verify(other, stored) and not CHEAP.verify(password[:-1], stored)


def test_a_text_and_its_bytes_are_one_password() -> None:
    assert CHEAP.verify("pässwörd".encode(), CHEAP.hash("pässwörd"))


def test_without_a_user_the_answer_is_no_after_as_much_work() -> None:
    assert not CHEAP.verify("anything", None)
    assert CHEAP.verify_and_update("anything", None) == (False, None)


def test_bcrypt_is_verified_and_upgraded() -> None:
    assert CHEAP.needs_rehash(BCRYPT)
    right, better = CHEAP.verify_and_update("abc", BCRYPT)
    assert right and better is not None and better.startswith("$argon2id$")
    assert CHEAP.verify_and_update("abc", better) == (True, None)
    assert CHEAP.verify_and_update("abd", BCRYPT) == (False, None)
    assert not CHEAP.verify("abc" + "\0" + "x", BCRYPT)


def test_another_cost_is_told() -> None:
    stored = CHEAP.hash("abc")
    dearer = sealite.PasswordHasher(memory_kib=19_456, passes=3, lanes=1)
    assert not CHEAP.needs_rehash(stored) and dearer.needs_rehash(stored)


def test_what_is_no_password_or_no_hash_is_refused() -> None:
    with pytest.raises(sealite.WeakKey):
        CHEAP.hash("")
    with pytest.raises(sealite.Limit):
        CHEAP.hash("p" * 4_097)
    assert not CHEAP.verify("p" * 4_097, CHEAP.hash("p"))
    for wrong in [7, None, bytearray(b"x")]:
        with pytest.raises(sealite.TypeMismatch):
            CHEAP.hash(wrong)  # type: ignore[arg-type]
    for stored in ["", "abc", "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"]:
        with pytest.raises(sealite.InvalidInput):
            CHEAP.verify("abc", stored)
    with pytest.raises(sealite.Limit):
        sealite.PasswordHasher(memory_kib=1024)
