"""Single sealed values and their blind indexes."""

import pytest

import sealite
from sealite import Vault

VALUES = [None, True, False, 0, 2**63 - 1, -0.0, 1.5, "", "é", "x" * 1_000, b"", b"\0\xff"]


def test_values_open_as_they_were_sealed(vault: Vault) -> None:
    field = vault.field("users.email")
    for value in VALUES:
        for record in (None, 1, "id"):
            opened = field.open(field.seal(value, record), record)
            assert opened == value and type(opened) is type(value)
    assert field.open_many(field.seal_many(VALUES)) == VALUES
    records = [None, *range(len(VALUES) - 1)]
    sealed = field.seal_many(iter(VALUES), records)
    assert field.open_many(sealed, records) == VALUES
    assert field.open(bytearray(field.seal(bytearray(b"x")))) == b"x"


def test_a_value_opens_for_its_field_tenant_and_record_only(vault: Vault) -> None:
    field = vault.field("users.email")
    sealed = field.seal("x", 1)
    acme = vault.tenant("acme").field("users.email")
    for other, record in [(field, 2), (field, None), (field, "1"), (vault.field("users.name"), 1), (acme, 1)]:
        with pytest.raises(sealite.AuthenticationFailed):
            other.open(sealed, record)
    flipped = bytearray(sealed)
    flipped[40] ^= 1
    for damaged in (bytes(flipped), sealed[:-1], b"", b"\0" * 100):
        with pytest.raises(sealite.AuthenticationFailed):
            field.open(damaged, 1)
    assert acme.open(acme.seal("y")) == "y"


def test_padding_hides_the_length(vault: Vault) -> None:
    assert {len(vault.field("f").seal("x" * length)) for length in range(20)} == {79 + 32}
    assert {len(vault.field("f", padding=64).seal("x" * length)) for length in range(50)} == {79 + 64}
    assert len({len(vault.field("f", padding="none").seal("x" * length)) for length in range(20)}) == 20
    vault.field("f", padding="padme").seal("x")
    with pytest.raises(sealite.InvalidInput):
        vault.field("f", padding="much")  # type: ignore[arg-type]


def test_indexes_compare_in_their_normal_form(vault: Vault) -> None:
    field = vault.field("users.email")
    index = field.index("Ada@Example.org", "unique email")
    assert type(index) is bytes and len(index) == 16
    assert index == field.index(" ada@example.ORG ", "unique email")
    assert index != field.index("eve@example.org", "unique email")
    assert index != vault.tenant("acme").field("users.email").index("ada@example.org", "unique email")
    assert field.index(None, "unique email") is None
    assert type(field.index("Lovelace", "lookup 5000 text")) is int
    many = field.index_many(["ada@example.org", None], "unique email")
    assert many == [index, None]
    with pytest.raises(sealite.Refused):
        field.index("x", "lookup 10")
    with pytest.raises(sealite.InvalidInput):
        field.index("x", "sealed unique")


def test_records_and_values_go_in_pairs(vault: Vault) -> None:
    field = vault.field("f")
    with pytest.raises(sealite.InvalidInput):
        field.seal_many(["a", "b"], [1])
    with pytest.raises(sealite.InvalidInput):
        field.open_many([], [1])
    with pytest.raises(sealite.InvalidInput):
        field.seal_many("ab")
    with pytest.raises(sealite.TypeMismatch):
        field.open("not bytes")  # type: ignore[arg-type]
    with pytest.raises(sealite.TypeMismatch):
        field.seal(float("nan"))
    with pytest.raises(sealite.InvalidInput):
        vault.field("")
