"""Deltas and snapshots: byte for byte, there and back, and everything that must be refused."""

import dataclasses
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.feed import (
    DELTA_LIMITS,
    EMPTY,
    CountMismatch,
    DigestMismatch,
    EditionReader,
    FeedEntry,
    FeedFault,
    Header,
    Kind,
    Limits,
    Malformed,
    Op,
    Operation,
    SetDigest,
    TooLarge,
    Truncated,
    UnsupportedFormat,
    canonical,
    encode_edition,
    follow,
)

from .samples import (
    COMPANY,
    DELTA,
    DELTA_HEADER,
    FREELANCER,
    MOVED,
    SESSION,
    SNAPSHOT,
    SNAPSHOT_HEADER,
    digest_of,
    entries,
)

GOLDEN = Path(__file__).parent / "golden"


def read(data: bytes, limits: Limits = DELTA_LIMITS) -> tuple[Header, list[Operation]]:
    reader = EditionReader(io.BytesIO(data), limits)
    return reader.header, list(reader)


def packed(*lines: bytes | dict[str, Any]) -> bytes:
    """A gzip file of these lines, as a hostile publisher may make it."""
    return gzip.compress(
        b"".join((line if isinstance(line, bytes) else canonical.encode(line)) + b"\n" for line in lines)
    )


HEADER = DELTA_HEADER.as_json()
LINES = [operation.line for operation in DELTA]


class TestEncode:
    @pytest.mark.parametrize(
        ("name", "header", "operations"),
        [("delta", DELTA_HEADER, DELTA), ("snapshot", SNAPSHOT_HEADER, SNAPSHOT)],
    )
    def test_writes_the_golden_lines(self, name: str, header: Header, operations: list[Operation]) -> None:
        golden = (GOLDEN / f"{name}.jsonl").read_bytes()
        assert gzip.decompress(encode_edition(header, operations)) == golden
        assert read(gzip.compress(golden)) == (header, operations)

    def test_gives_the_same_bytes_each_time_with_no_time_in_them(self) -> None:
        first = encode_edition(DELTA_HEADER, DELTA)
        assert encode_edition(DELTA_HEADER, iter(DELTA)) == first
        assert first[:4] == b"\x1f\x8b\x08\x00" and first[4:8] == bytes(4)

    def test_is_refused_when_the_count_is_wrong(self) -> None:
        with pytest.raises(CountMismatch):
            encode_edition(DELTA_HEADER, DELTA[:-1])

    @given(st.lists(entries(later_fields=True), max_size=8), st.data())
    def test_what_is_read_is_what_was_written(self, added: list[FeedEntry], data: st.DataObject) -> None:
        operations = [Operation(Op.ADD, entry) for entry in added]
        for entry in added:
            change = data.draw(st.sampled_from(["keep", "replace", "remove"]))
            if change == "replace":
                operations.append(Operation(Op.REPLACE, dataclasses.replace(COMPANY, id=entry.id), was=entry))
            elif change == "remove":
                operations.append(Operation(Op.REMOVE, entry))
        digest = SetDigest()
        for operation in operations:
            operation.apply_to(digest)
        header = Header(Kind.DELTA, SESSION, 4, 5, EMPTY, digest.hexdigest(), len(operations))
        encoded = encode_edition(header, operations)
        assert read(encoded) == (header, operations)
        followed = SetDigest()
        assert list(follow(EditionReader(io.BytesIO(encoded), DELTA_LIMITS), followed)) == operations
        assert followed == digest


class TestFollow:
    def test_is_refused_before_the_first_operation_when_the_set_is_another(self) -> None:
        reader = EditionReader(io.BytesIO(encode_edition(DELTA_HEADER, DELTA)), DELTA_LIMITS)
        other = SetDigest()
        other.add(COMPANY.canonical)
        with pytest.raises(DigestMismatch) as refused:
            next(follow(reader, other))
        assert refused.value.at == "before"

    def test_is_refused_after_the_last_when_the_result_is_another(self) -> None:
        header = dataclasses.replace(DELTA_HEADER, digest_after=digest_of(COMPANY))
        reader = EditionReader(io.BytesIO(encode_edition(header, DELTA)), DELTA_LIMITS)
        with pytest.raises(DigestMismatch) as refused:
            list(follow(reader, SetDigest()))
        assert refused.value.at == "after"


class TestRead:
    def test_ignores_fields_of_a_later_minor_version(self) -> None:
        later = {**HEADER, "format": "1.7", "merged": True}
        line = canonical.decode(LINES[0]) | {"log_index": 5}
        header, operations = read(packed(later, line, *LINES[1:]))
        assert header == dataclasses.replace(DELTA_HEADER, format="1.7") and operations == DELTA

    def test_refuses_a_higher_major_version_and_says_which(self) -> None:
        with pytest.raises(UnsupportedFormat) as refused:
            read(packed({**HEADER, "format": "2.0"}, *LINES))
        assert refused.value.found == "2.0"

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "diff"},
            {"kind": ["delta"]},
            {"session": "x"},
            {"from": None},
            {"from": 1},
            {"from": True},
            {"to": "1"},
            {"count": -1},
            {"digest_after": "0"},
            {"digest_before": None},
            {"kind": "snapshot"},
            {"kind": "snapshot", "from": None, "digest_before": digest_of(COMPANY)},
        ],
    )
    def test_refuses_a_header_that_is_none(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            read(packed({**HEADER, **change}, *LINES))

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b'{"op":"add"}',
            b'{"entry":{},"op":"add"}',
            LINES[0] + b" ",
            LINES[0].replace(b'"op":"add"', b'"op":"drop"'),
            LINES[0].replace(b'"op":"add"', b'"op":["add"]'),
            LINES[0].replace(b'"op":"add"', b'"op":"add","op":"add"'),
            LINES[0].replace(b'"op":"add"', b'"op":"replace"'),
            LINES[0].replace(b"/32", b"/33"),
            LINES[0].replace(b'"port":', b'"note":"\\ud800","port":'),
            LINES[0].replace(b'"port":', b'"note":"\\u0061","port":'),
            LINES[0].replace(b'"port":', b'"Note":1,"port":'),
            LINES[0].replace(b'"port":', b'"port":1,"port":'),
            LINES[2].replace(b'"was":{', b'"was":{"also":1.5,'),
            canonical.encode({"entry": MOVED.as_json(), "op": "replace", "was": COMPANY.as_json()}),
            canonical.encode({"entry": MOVED.as_json(), "op": "add", "was": MOVED.as_json()}),
            b"[" * 8000,
        ],
    )
    def test_refuses_a_line_that_is_no_operation_and_says_which(self, line: bytes) -> None:
        with pytest.raises(Malformed) as refused:
            read(packed({**HEADER, "count": 2}, LINES[0], line))
        assert refused.value.line == 3

    def test_refuses_operations_other_than_add_in_a_snapshot(self) -> None:
        with pytest.raises(Malformed):
            read(packed({**SNAPSHOT_HEADER.as_json(), "count": 1}, Operation(Op.REMOVE, COMPANY).line))

    @pytest.mark.parametrize("count", [0, 3, 5])
    def test_refuses_another_number_of_operations_than_promised(self, count: int) -> None:
        with pytest.raises(CountMismatch):
            read(packed({**HEADER, "count": count}, *LINES))

    def test_refuses_every_file_that_ends_early(self) -> None:
        whole = encode_edition(DELTA_HEADER, DELTA)
        for length in range(len(whole)):
            with pytest.raises((Truncated, Malformed)):
                read(whole[:length])

    def test_refuses_every_file_with_one_byte_changed(self) -> None:
        """All but the few bytes of the gzip frame that mean nothing, such as the name of the system."""
        whole = encode_edition(DELTA_HEADER, DELTA)
        for place in range(10, len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 0x55
            with pytest.raises(FeedFault):
                read(bytes(damaged))

    @pytest.mark.parametrize("data", [b"", b"no gzip at all", b"PK\x03\x04", json.dumps(HEADER).encode()])
    def test_refuses_what_is_no_gzip_file(self, data: bytes) -> None:
        with pytest.raises((Truncated, Malformed)):
            read(data)

    def test_refuses_a_second_file_behind_the_first(self) -> None:
        whole = encode_edition(DELTA_HEADER, DELTA)
        for behind in (b"x", whole, bytes(200_000)):
            with pytest.raises(Malformed):
                read(whole + behind)

    def test_refuses_a_last_line_without_its_end(self) -> None:
        with pytest.raises(Malformed):
            read(gzip.compress(gzip.decompress(packed(HEADER, *LINES))[:-1]))


class CountingFile(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


class TestLimits:
    def test_a_decompression_bomb_is_left_after_its_first_line(self) -> None:
        bomb = CountingFile(gzip.compress(bytes(200 * 2**20), 9))
        with pytest.raises(TooLarge) as refused:
            EditionReader(bomb, DELTA_LIMITS)
        assert refused.value.what == "line" and bomb.taken <= 65_536

    def test_a_bomb_of_short_lines_is_left_by_its_ratio(self) -> None:
        lines = canonical.encode(HEADER) + b"\n" + (LINES[0] + b"\n") * 200_000
        bomb = CountingFile(gzip.compress(lines, 9))
        with pytest.raises((TooLarge, CountMismatch)):
            list(EditionReader(bomb, DELTA_LIMITS))
        promised = gzip.compress(lines.replace(b'"count":4', b'"count":200000'), 9)
        with pytest.raises(TooLarge) as refused:
            list(EditionReader(io.BytesIO(promised), DELTA_LIMITS))
        assert refused.value.what == "ratio"

    def test_bytes_out_are_bounded(self) -> None:
        whole = packed(HEADER, *LINES)
        length = len(gzip.decompress(whole))
        assert read(whole, Limits(compressed=10**6, decompressed=length, entries=4))
        with pytest.raises(TooLarge) as refused:
            read(whole, Limits(compressed=10**6, decompressed=length - 1, entries=4))
        assert refused.value.what == "decompressed"

    def test_bytes_in_are_bounded(self) -> None:
        whole = packed(HEADER, *LINES)
        with pytest.raises(TooLarge) as refused:
            read(whole, Limits(compressed=len(whole) - 1, decompressed=10**6, entries=4))
        assert refused.value.what == "compressed"

    def test_entries_are_bounded_before_the_first_is_read(self) -> None:
        with pytest.raises(TooLarge) as refused:
            EditionReader(io.BytesIO(packed(HEADER)), Limits(compressed=10**6, decompressed=10**6, entries=3))
        assert refused.value.what == "entries"

    def test_a_line_is_bounded(self) -> None:
        limits = Limits(compressed=10**6, decompressed=10**6, entries=10, line=1000)
        with pytest.raises(TooLarge) as refused:
            read(packed(HEADER, b'"' + b"x" * 1000 + b'"'), limits)
        assert refused.value.what == "line"


class TestGolden:
    def test_tells_a_story_that_a_reader_can_follow(self) -> None:
        digest = SetDigest()
        for operation in DELTA:
            operation.apply_to(digest)
        assert digest.hexdigest() == DELTA_HEADER.digest_after == digest_of(MOVED)
        assert FREELANCER.id == MOVED.id
