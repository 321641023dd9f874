"""The known answers of `tests/vectors` and the committed vault of format 1, as far as Python reaches them."""

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import sealite

_TESTS = Path(__file__).parents[2] / "tests"
_FIXTURES = _TESTS / "fixtures"
# The fixture's secrets: they protect nothing.
_KEY = "5b6f1c9a2e7d40833fd1a6c4b9e80257184ac3f96d2b70e5f1c8934ea05d7b62"
_PASSPHRASE = "a passphrase of the fixture"
_PASSWORD = "a password of the fixture"
# When it was made, as its clock says.
_MADE = 1_800_000_000_000


def _vectors(name: str) -> Any:
    return json.loads((_TESTS / "vectors" / f"{name}.json").read_text())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copy(_FIXTURES / "format-1.db", tmp_path / "vault.db"))


def _text(name: str) -> str:
    return (_FIXTURES / name).read_text()


@pytest.mark.parametrize(
    "unlock",
    [
        sealite.Unlock.key_text(_KEY),
        sealite.Unlock.passphrase(_PASSPHRASE),
        sealite.Unlock.recovery_code(_text("format-1.recovery")),
    ],
    ids=["key", "passphrase", "recovery"],
)
def test_the_vault_of_format_1_opens_with_every_slot_and_reads_as_it_was_written(copy: Path, unlock: sealite.Unlock) -> None:
    with sealite.Vault.open(copy, unlock) as vault:
        assert vault.verify().sound
        ada = vault.table("users").find_one("email", "ADA@bücher.EXAMPLE")
        assert ada is not None and ada.id == 1
        assert [ada[column] for column in ("email", "surname", "age", "role", "plan", "vip")] == [
            "Ada@Bücher.example",
            "Lovelace",
            36,
            "user",
            "pro",
            True,
        ]
        assert ada["photo"] == b"\x00\xff" and str(ada["weight"]) == "-0.0"
        for tenant in ("acme", "beta"):
            note = vault.tenant(tenant).table("notes").get("one")
            assert note is not None and note["body"] == f"a note of {tenant}"
        sealed = (_FIXTURES / "format-1.field").read_bytes()
        assert vault.field("users.phone").open(sealed, 7) == "+44 20 7946 0958"


def test_its_trail_has_the_known_checkpoint_and_its_settings_the_known_values(copy: Path) -> None:
    known = _text("format-1.checkpoint")
    with sealite.Vault.open(copy, sealite.Unlock.key_text(_KEY)) as vault:
        vault._set_clock(_MADE)
        assert vault.audit.checkpoint() == known
        assert vault.audit.verify(known).sound
        with pytest.raises(sealite.AuthenticationFailed):
            vault.audit.verify(known[:100] + ("B" if known[100] == "A" else "A") + known[101:])
        (made,) = [event for event in vault.audit if event.event == "fixture.made"]
        assert (made.actor, made.payload, vault.audit.tail(1)[0].seq) == ("ada", {"n": 1}, 14)
        password = vault.settings.use("mail.password")
        assert password is not None and password.expose() == _PASSWORD


def test_normalisers_answers_hold_in_blind_indexes() -> None:
    field = sealite.Vault.in_memory().field("f")
    vectors = _vectors("normaliser")["vectors"]
    assert len(vectors) > 30
    for vector in vectors:
        index = f"unique {vector['normaliser']}"
        found = field.index(vector["input"], index)
        assert len(found) == 16 and found == field.index(vector["output"], index), vector
        assert found != field.index(vector["output"] + "1", index), vector


def test_texts_of_tokens_are_told_from_others_as_the_answers_say() -> None:
    vectors = _vectors("token_text")
    for kind, expected in (("tokens", True), ("malformed", False)):
        assert len(vectors[kind]) > 5
        for one in vectors[kind]:
            assert sealite.is_token_text(one["text"]) == expected, one


def test_csrf_tokens_answers_hold_for_their_sessions_and_for_no_other() -> None:
    tokens = sealite.Vault.in_memory().tokens
    answers = _vectors("csrf")["csrf"]
    assert len(answers) == 4
    for one in answers:
        for other in answers:
            assert tokens.check_csrf(other["session"], one["text"]) == (one["id"] == other["id"]), one
        assert not tokens.check_csrf(one["session"], one["text"][1:])
        issued = base64.urlsafe_b64decode(tokens.csrf(one["session"]) + "==")
        unmasked = bytes(a ^ b for a, b in zip(issued[:32], issued[32:], strict=True))
        assert unmasked.hex() == one["mac"]


def test_recovery_codes_answers_are_accepted_and_altered_ones_are_not() -> None:
    answers = _vectors("record")["recovery_codes"]
    assert len(answers) == 3
    for one in answers:
        assert sealite.Unlock.recovery_code(one["code"]).kind == "recovery"
        with pytest.raises(sealite.InvalidInput):
            sealite.Unlock.recovery_code(("B" if one["code"][0] == "A" else "A") + one["code"][1:])
