"""Receipts, signed by the agent."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari.feed import EMPTY, AppliedTarget, InvalidReceipt, Receipt, SignedReceipt, UnsupportedFormat

from .samples import SESSION

RECEIPT = Receipt(SESSION, 7, EMPTY, "2026-11-10T09:31:09Z", (AppliedTarget("North gateway", "nft", 6208, True),))
SIGNED = SignedReceipt.sign(RECEIPT, Ed25519PrivateKey.from_private_bytes(bytes([7] * 32)))
GOOD: dict[str, Any] = RECEIPT.as_json()


class TestReceipt:
    def test_comes_back_from_its_body(self) -> None:
        assert Receipt.from_json(json.loads(RECEIPT.body)) == RECEIPT

    def test_ignores_fields_of_a_later_version(self) -> None:
        later = {**GOOD, "format": "1.4", "signature": "x", "targets": [{**GOOD["targets"][0], "lag": 1}]}
        assert Receipt.from_json(later).targets == RECEIPT.targets

    def test_is_refused_in_another_major_version(self) -> None:
        with pytest.raises(UnsupportedFormat):
            Receipt.from_json({**GOOD, "format": "2.0"})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("format", None),
            ("session", "x"),
            ("session", 1),
            ("sequence", -1),
            ("sequence", True),
            ("sequence", "7"),
            ("sequence", 2**53),
            ("digest", None),
            ("applied_at", "yesterday"),
            ("applied_at", 5),
            ("targets", None),
            ("targets", ["x"]),
            ("targets", [{"name": "x"}] * 101),
            ("targets", [{"name": "x", "kind": "nft", "loaded": 1, "ok": True}] * 2),
        ],
    )
    def test_is_refused_with_the_field_that_is_wrong(self, field: str, value: object) -> None:
        with pytest.raises(InvalidReceipt) as refused:
            Receipt.from_json({**GOOD, field: value})
        assert refused.value.field.startswith(field)

    @pytest.mark.parametrize(
        "change",
        [{"name": ""}, {"name": "x" * 81}, {"name": "a\nb"}, {"kind": 1}, {"loaded": -1}, {"ok": 1}, {"ok": None}],
    )
    def test_is_refused_with_the_target_field_that_is_wrong(self, change: dict[str, Any]) -> None:
        with pytest.raises(InvalidReceipt) as refused:
            Receipt.from_json({**GOOD, "targets": [{**GOOD["targets"][0], **change}]})
        assert refused.value.field == f"targets.{next(iter(change))}"

    def test_is_no_receipt_when_it_is_no_object(self) -> None:
        with pytest.raises(InvalidReceipt):
            Receipt.from_json([GOOD])


class TestSignedReceipt:
    def test_comes_back_from_its_body_and_holds(self) -> None:
        given = SignedReceipt.from_json(json.loads(SIGNED.body))
        given.verify()
        assert given == SIGNED and given.receipt == RECEIPT

    @pytest.mark.parametrize("change", [{"sequence": 8}, {"applied_at": "2026-11-10T09:31:10Z"}, {"targets": []}])
    def test_does_not_hold_for_another_receipt(self, change: dict[str, Any]) -> None:
        given = SignedReceipt.from_json({**SIGNED.as_json(), "receipt": {**GOOD, **change}})
        with pytest.raises(InvalidReceipt) as refused:
            given.verify()
        assert refused.value.field == "signature"

    def test_does_not_hold_under_another_key(self) -> None:
        other = SignedReceipt.sign(RECEIPT, Ed25519PrivateKey.from_private_bytes(bytes([8] * 32)))
        with pytest.raises(InvalidReceipt):
            SignedReceipt(RECEIPT, other.key, SIGNED.signature).verify()

    @pytest.mark.parametrize(
        ("field", "value"),
        [("key", None), ("key", "00"), ("key", "zz" * 32), ("signature", 1), ("signature", "00"), ("receipt", None)],
    )
    def test_is_refused_with_the_field_that_is_wrong(self, field: str, value: object) -> None:
        with pytest.raises(InvalidReceipt) as refused:
            SignedReceipt.from_json({**SIGNED.as_json(), field: value})
        assert refused.value.field == field

    @pytest.mark.parametrize("value", [None, [], {}, GOOD])
    def test_is_none_without_a_signature(self, value: object) -> None:
        with pytest.raises(InvalidReceipt):
            SignedReceipt.from_json(value)
