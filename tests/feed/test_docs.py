"""`docs/feed.md` says what the code does: its lines are the golden lines, its program is run, no field is missing."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from rahdari.feed import (
    DELTA_LIMITS,
    EMPTY,
    SNAPSHOT_LIMITS,
    BulkStatement,
    FeedEntry,
    Head,
    Header,
    Op,
    Receipt,
    SignedReceipt,
)
from rahdari.feed.entry import PROTOCOLS
from rahdari.feed.receipt import SIGNED_PREFIX

from .samples import COMPANY, FREELANCER, digest_of

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "feed.md").read_text(encoding="utf-8")
GOLDEN = (Path(__file__).parent / "golden" / "delta.jsonl").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


class TestFeedDocument:
    def test_shows_the_golden_delta(self) -> None:
        header, operations, *_ = blocks("json")
        assert header + operations == GOLDEN

    def test_shows_a_receipt_that_is_one(self) -> None:
        text = blocks("json")[3].strip()
        assert Receipt.from_json(json.loads(text)).body.decode() == text

    def test_shows_how_a_receipt_is_signed(self) -> None:
        shown = json.loads(blocks("json")[4].replace("KEY64", "00" * 32).replace("SIGNATURE128", "00" * 64))
        receipt = json.loads(blocks("json")[3])
        assert SignedReceipt.from_json({**shown, "receipt": receipt}).as_json().keys() == shown.keys()
        assert repr(SIGNED_PREFIX.decode()) == r"'rahdari receipt 1\n'" and "`rahdari receipt 1`, a line feed" in DOC

    def test_shows_a_bulk_statement_that_is_one(self) -> None:
        text = blocks("json")[2].strip()
        assert BulkStatement.decode(text.encode()).body.decode() == text

    def test_has_a_program_that_counts_the_digest(self) -> None:
        names: dict[str, object] = {}
        exec(blocks("python")[0], names)
        digest = names["digest"]
        assert callable(digest)
        assert digest([]) == EMPTY
        assert digest([FREELANCER.canonical, COMPANY.canonical]) == digest_of(COMPANY, FREELANCER)

    @pytest.mark.parametrize("shape", [FeedEntry, Head, Receipt])
    def test_names_every_field(self, shape: type) -> None:
        for field in dataclasses.fields(shape):
            assert field.name == "extra" or f"`{field.name}`" in DOC or f'"{field.name}"' in DOC

    def test_names_every_field_of_the_header_and_every_value(self) -> None:
        for name in Header.snapshot(session="0" * 32, sequence=0, digest=EMPTY, count=0).as_json():
            assert f'"{name}"' in DOC
        for value in [*PROTOCOLS, *Op]:
            assert f"`{value}`" in DOC

    def test_gives_the_bounds_that_hold(self) -> None:
        assert (DELTA_LIMITS.line, DELTA_LIMITS.ratio) == (8 * 1024, 64) and "8 KB a line; 64 bytes out" in DOC
        for text in ("32 MB in, 256 MB out and 1 million", "1 GB, 4 GB and 12 million"):
            assert text in DOC.replace("\n", " ")
        assert (DELTA_LIMITS.compressed, DELTA_LIMITS.decompressed, DELTA_LIMITS.entries) == (2**25, 2**28, 10**6)
        assert (SNAPSHOT_LIMITS.compressed, SNAPSHOT_LIMITS.decompressed) == (2**30, 2**32)
        assert SNAPSHOT_LIMITS.entries == 12 * 10**6
