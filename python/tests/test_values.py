"""Every type times every awkward value, under every protection: what is read is what was written."""

import json
import math
import struct
from pathlib import Path

import pytest

import sealite
from sealite import Vault

PROTECTIONS = ["plain", "authenticated", "sealed"]
GOOD = {
    "integer": [0, -1, 1, 2**53 + 1, 2**63 - 1, -(2**63), None],
    "real": [0.0, -0.0, 1.0, 1e3, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.pi, None],
    "text": ["", "a", "1e3", "1.0", "0", "a\0b", "é", "e\u0301", "\U0001f512", " x ", "'\"", "x" * 100_000, None],
    "blob": [b"", b"\0", bytes(range(256)), b"1e3", bytes(100_000), None],
    "boolean": [True, False, None],
    "json": ['{"a":  1}', "[]", ' "x" ', "1e3", "null", '{"b":1,"a":1,"b":2}', None],
}
BAD = {
    "integer": ["1", 1.0, b"1", True, 2**63, -(2**63) - 1, 10**100],
    "real": ["1.0", math.nan, b"", True, 2**53 + 1],
    "text": [1, 1.0, b"a", True, "\ud800", "a\udcffb"],
    "blob": ["a", 1, 1.0, True],
    "boolean": [2, -1, 1.0, "true", b"\1"],
    "json": ["{", "", "NaN", b"{}", 1, True, {"a": 1}, [1], '"\ud800"'],
}


@pytest.fixture(params=PROTECTIONS)
def values(request: pytest.FixtureRequest, vault: Vault) -> sealite.Table:
    vault.define_table("matrix", {kind: f"{kind} {request.param}" for kind in GOOD})
    return vault.table("matrix")


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("kind", GOOD)
def test_values_come_back_exactly(values: sealite.Table, vault: Vault, kind: str) -> None:
    ids = values.insert_many([kind], [(value,) for value in GOOD[kind]])
    ids += [values.insert({kind: value}) for value in GOOD[kind]]
    expected = GOOD[kind] * 2
    for id, value in zip(ids, expected, strict=True):
        row = values.get(id)
        assert row is not None
        assert same(row[kind], value), (kind, type(value))
        assert all(row[other] is None for other in GOOD if other != kind)
    assert all(same(row[kind], value) for row, value in zip(values.scan(), expected, strict=True))
    assert vault.verify().sound


@pytest.mark.parametrize("kind", BAD)
def test_values_that_do_not_fit_are_refused(values: sealite.Table, kind: str) -> None:
    id = values.insert({kind: None})
    for value in BAD[kind]:
        with pytest.raises(sealite.TypeMismatch) as caught:
            values.insert({kind: value})
        assert caught.value.__context__ is None and caught.value.__cause__ is None
        with pytest.raises(sealite.TypeMismatch):
            values.insert_many([kind], [(None,), (value,)])
        with pytest.raises(sealite.TypeMismatch):
            values.update(id, {kind: value})
    assert values.count() == 1


def test_exact_conversions_are_made(values: sealite.Table) -> None:
    id = values.insert(real=2**53, boolean=1, blob=bytearray(b"ab"), text="")
    row = values.get(id)
    assert row is not None
    assert same(row["real"], float(2**53)) and row["boolean"] is True and same(row["blob"], b"ab")
    id = values.insert(blob=memoryview(b"abcd")[1:3])
    row = values.get(id)
    assert row is not None and same(row["blob"], b"bc")


def test_subclasses_count_as_what_they_are(values: sealite.Table) -> None:
    class Text(str):
        pass

    class Number(int):
        pass

    row = values.get(values.insert(text=Text("a"), integer=Number(3)))
    assert row is not None and same(row["text"], "a") and same(row["integer"], 3)


def test_json_is_given_and_taken_as_text(values: sealite.Table) -> None:
    text = json.dumps({"a": [1, 2.5, None, "é"]})
    row = values.get(values.insert(json=text))
    assert row is not None and row["json"] == text


@pytest.mark.parametrize("value", [object(), (), [], {}, 1j, range(3)])
def test_other_types_are_refused(values: sealite.Table, value: object) -> None:
    with pytest.raises(TypeError):
        values.insert(text=value)  # type: ignore[arg-type]


def test_a_large_value_is_kept_and_wiped_from_no_file(vault: Vault, path: Path) -> None:
    vault.define_table("large", {"blob": "blob sealed"})
    large = bytes([7]) * 20_000_000
    table = vault.table("large")
    row = table.get(table.insert(blob=large))
    assert row is not None and row["blob"] == large


def test_values_that_change_meanwhile_are_the_ones_that_were_given(vault: Vault) -> None:
    vault.define_table("changing", {"blob": "blob sealed"})
    table = vault.table("changing")
    buffer = bytearray(b"first")

    def rows():
        for _ in range(2):
            yield (buffer,)
            buffer[:] = b"later"

    table.insert_many(["blob"], rows())
    assert [row["blob"] for row in table.scan()] == [b"first", b"later"]
