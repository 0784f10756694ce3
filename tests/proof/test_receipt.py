"""Receipts, and who may fetch."""

import json
from typing import Any

import pytest

from rahdari.proof import EMPTY, Access, AppliedTarget, InvalidReceipt, Malformed, Receipt, UnsupportedFormat, holder_of
from rahdari.proof.access import encode_access, parse_access, token_digest

from .samples import SESSION

RECEIPT = Receipt(SESSION, 7, EMPTY, "2026-11-10T09:31:09Z", (AppliedTarget("North gateway", "nft", 6208, True),))
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


class TestAccess:
    def test_finds_whose_token_it_is(self) -> None:
        accesses = [Access("sample-fibre", token_digest("one")), Access("sample-mobile", token_digest("two"))]
        assert parse_access(encode_access(accesses)) == accesses
        assert holder_of("two", accesses) == "sample-mobile"
        assert holder_of("three", accesses) is None
        assert holder_of("", accesses) is None
        assert holder_of("\ud800", accesses) is None

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b'{"operators":1}',
            b'{"format":"1.0","operators":[1]}',
            b'{"operators":[]}',
            b"\xff",
            b"[" * 100_000,
        ],
    )
    def test_is_refused_when_it_is_no_access_file(self, text: bytes) -> None:
        with pytest.raises(Malformed):
            parse_access(text)

    @pytest.mark.parametrize("slug", ["", "Sample", "a/b", "-a", "a" * 51])
    def test_refuses_a_slug_that_is_none(self, slug: str) -> None:
        with pytest.raises(Malformed):
            Access(slug, token_digest("x"))
