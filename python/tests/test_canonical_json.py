"""Canonical JSON against the answers that RFC 8785 gives, and what has none."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

import sealite

_ANSWERS = json.loads((Path(__file__).parents[2] / "tests" / "vectors" / "rfc8785.json").read_text())


@pytest.mark.parametrize("text", _ANSWERS["texts"], ids=lambda text: text["source"])
def test_the_texts_of_rfc_8785_have_its_bytes(text: dict[str, str]) -> None:
    canonical = sealite.canonical_json(text["input"])
    assert canonical.hex() == text["canonical_utf8_hex"]
    assert sealite.canonical_json(json.loads(text["input"])) == canonical


def test_the_numbers_of_rfc_8785_have_its_digits() -> None:
    for bits, digits in _ANSWERS["numbers"].items():
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert sealite.canonical_json({"a": [number]}).decode() == f'{{"a":[{digits}]}}'


def test_equal_values_have_one_form_to_full_depth() -> None:
    one = {"b": [{"y": 1, "x": [None, True]}], "a": "\N{EURO SIGN}"}
    other = {"a": "€", "b": [{"x": [None, True], "y": 1.0}]}
    assert sealite.canonical_json(one) == sealite.canonical_json(other) == '{"a":"€","b":[{"x":[null,true],"y":1}]}'.encode()


@pytest.mark.parametrize(
    "value", ["", "{", '{"a":1,"a":1}', "9007199254740993", {"a": 2**53 + 1}, {"a": math.nan}, {"a": math.inf}, '"\\ud800"']
)
def test_what_has_no_one_meaning_is_refused(value: Any) -> None:
    with pytest.raises(sealite.InvalidInput):
        sealite.canonical_json(value)


def test_what_json_has_no_form_for_is_refused() -> None:
    with pytest.raises(sealite.TypeMismatch):
        sealite.canonical_json({"a": object()})  # type: ignore[dict-item]
