"""The quick reader and the careful one agree on everything: on what they take, and on how they refuse the rest."""

import gzip
import io
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rahdari.feed import (
    EMPTY,
    SNAPSHOT_LIMITS,
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
    encode_edition,
)
from rahdari.feed.canonical import encode_checked
from rahdari.feed.plain import EntryRow, entries_in, key_of, plain_rows
from tests.needs import fewer

SESSION = "5e" * 16
small = st.integers(0, 3)
octets = st.sampled_from(
    ["0", "1", "9", "10", "99", "100", "199", "249", "250", "255", "256", "01", "00", "999", "1000"]
)
v4 = st.lists(octets, min_size=3, max_size=5).map(".".join)
groups = st.sampled_from(["0", "1", "db8", "2001", "ffff", "FFFF", "0db8", "", "fffff", "1.2.3.4", "64"])
v6 = st.lists(groups, min_size=2, max_size=9).map(":".join)
lengths = st.sampled_from(
    ["/0", "/8", "/24", "/31", "/32", "/032", "/33", "/64", "/96", "/127", "/128", "/129", "", "/x"]
)
real_v4 = st.ip_addresses(v=4).map(lambda address: f"{address}/32")
real_v6 = st.ip_addresses(v=6).map(lambda address: f"{address}/128")
networks = st.tuples(
    st.sampled_from(["10.0.0.0", "192.0.2.0", "2001:db8::", "::", "::ffff:0:0", "0.0.0.0"]), lengths
).map("".join)
prefixes = st.one_of(
    real_v4, real_v6, networks, st.tuples(v4, lengths).map("".join), st.tuples(v6, lengths).map("".join)
)
times = st.one_of(
    st.datetimes().map(lambda at: at.strftime("%4Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
    st.sampled_from(
        [
            "2027-02-29T00:00:00Z",
            "2028-02-29T00:00:00Z",
            "2027-02-28T24:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-04-31T10:00:00Z",
            "0000-01-01T00:00:00Z",
            "2027-01-01T00:00:60Z",
            "2027-01-01t00:00:00Z",
            "2027-01-01T00:00:00+00:00",
            "٢027-01-01T00:00:00Z",
        ]
    ),
)
ports = st.sampled_from([None, 0, 1, 443, 65_535, 65_536, 99_999, 100_000, -1, True, "443", 4.5])
protocols = st.sampled_from(["any", "udp", "tcp", "esp", "gre", "icmp", "TCP", 6])
ids = st.sampled_from(["0a" * 16, "ff" * 16, "0A" * 16, "0a" * 15, "", 7])
fine = st.fixed_dictionaries(
    {
        "id": st.binary(min_size=16, max_size=16).map(bytes.hex),
        "prefix": st.one_of(real_v4, real_v6),
        "protocol": st.just("any"),
        "port": st.none(),
        "not_before": st.just("2026-11-01T00:00:00Z"),
        "not_after": st.just("2027-11-01T00:00:00Z"),
    }
)
odd = st.fixed_dictionaries(
    {"id": ids, "prefix": prefixes, "protocol": protocols, "port": ports, "not_before": times, "not_after": times},
    optional={"colour": st.sampled_from(["green", "سبز", 'a"b', 1, {"a": 1}])},
)
# One thing strange at a time finds what ten at a time hide.
nearly = st.tuples(
    fine, odd, st.sampled_from(["id", "prefix", "protocol", "port", "not_before", "not_after", "colour"])
).map(lambda three: {**three[0], **({three[2]: three[1][three[2]]} if three[2] in three[1] else {})})
with_port = st.tuples(fine, st.sampled_from(["udp", "tcp", "esp"]), ports).map(
    lambda three: {**three[0], "protocol": three[1], "port": three[2]}
)


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def line_of(entry: Any, change: int) -> bytes:
    """An operation on this entry, now and then in another form."""
    shapes: list[Callable[[], bytes]] = [
        lambda: canonical({"entry": entry, "op": "add"}),
        lambda: canonical({"entry": entry, "op": "remove"}),
        lambda: canonical({"entry": entry, "op": "add", "zone": 1}),
        lambda: canonical({"about": 1, "entry": entry, "op": "add"}),
        lambda: canonical({"entry": entry, "op": "replace", "was": entry}),
        lambda: canonical({"entry": entry, "op": "add"}) + b" ",
        lambda: canonical({"entry": entry, "op": "add"}) + b"\r",
        lambda: canonical({"entry": entry, "op": "add"}).replace(b'"op"', b' "op"'),
        lambda: canonical({"entry": entry, "op": "add"}).replace(b'"any"', b'"a\\u006ey"'),
        lambda: b'{"op":"add","entry":' + canonical(entry) + b"}",
        lambda: b"",
        lambda: b"x" + canonical({"entry": entry, "op": "add"}),
        lambda: canonical({"entry": entry, "op": "add"}) * 2,
        lambda: canonical({"entry": entry, "op": "add"})[:-1],
        lambda: b"\xff\xfe",
    ]
    return shapes[change]()


lines = st.tuples(
    st.one_of(fine, fine, fine, nearly, nearly, with_port, odd), st.one_of(st.just(0), st.just(0), st.integers(0, 14))
).map(lambda pair: line_of(*pair))


def plain_but(**other: Any) -> bytes:
    entry = {"id": "0a" * 16, "prefix": "192.0.2.1/32", "protocol": "udp", "port": 443}
    term = {"not_before": "2026-11-01T00:00:00Z", "not_after": "2027-11-01T00:00:00Z"}
    return line_of({**entry, **term, **other}, 0)


def a_file(content: list[bytes], count: int, ending: bytes = b"\n") -> bytes:
    header = Header.snapshot(session=SESSION, sequence=1, digest=EMPTY, count=max(count, 0)).as_json()
    return gzip.compress(b"\n".join([canonical(header), *content]) + ending)


def carefully(file: bytes, limits: Limits) -> object:
    try:
        return [
            (EntryRow.of(operation.entry), entry)
            for operation, entry, _ in EditionReader(io.BytesIO(file), limits).with_bytes()
        ]
    except FeedFault as fault:
        return (type(fault), str(fault))


def quickly(file: bytes, limits: Limits) -> object:
    """The same, with the bytes of each entry cut out of the line wherever that is said to be right."""
    taken: list[tuple[EntryRow, bytes | None]] = []
    try:
        for rows, block in EditionReader(io.BytesIO(file), limits).rows():
            cut = [None] * len(rows) if block is None else entries_in(block)
            taken += [(EntryRow(*row), entry) for row, entry in zip(rows, cut, strict=True)]
    except FeedFault as fault:
        return (type(fault), str(fault))
    return taken


class TestQuickReader:
    @settings(max_examples=fewer(400, 100), deadline=None)
    @given(st.lists(lines, max_size=6), st.integers(-1, 1), st.sampled_from([b"\n", b"\n", b"", b"\n\n"]))
    @example([line_of({}, 0)], 0, b"\n")
    @example([plain_but(), plain_but(id="0A" * 16)], 0, b"\n")
    @example([plain_but(), plain_but(id="0a" * 15 + "\u00e9a")], 0, b"\n")
    @example([plain_but(), plain_but(prefix="192.0.02.1/32")], 0, b"\n")
    @example([plain_but(), plain_but(prefix="192.0.513/32")], 0, b"\n")
    @example([plain_but(), plain_but(not_after="2026-11-01T00:00:00Z")], 0, b"\n")
    @example([plain_but(), plain_but(protocol="gre")], 0, b"\n")
    @example([plain_but(), plain_but(port=65_536)], 0, b"\n")
    def test_agrees_with_the_careful_one(self, content: list[bytes], off: int, ending: bytes) -> None:
        file = a_file(content, len(content) + off, ending)
        for limits in (SNAPSHOT_LIMITS, Limits(compressed=2**20, decompressed=2**20, entries=100, line=300)):
            careful, quick = carefully(file, limits), quickly(file, limits)
            if isinstance(careful, tuple) or isinstance(quick, tuple):
                assert careful == quick
                continue
            assert isinstance(careful, list) and isinstance(quick, list)
            assert [row for row, _ in careful] == [row for row, _ in quick]
            for (_, entry), (_, cut) in zip(careful, quick, strict=True):
                assert cut is None or cut == entry

    @settings(max_examples=fewer(300, 75), deadline=None)
    @given(st.lists(st.one_of(fine, with_port, nearly), min_size=1, max_size=4))
    def test_takes_nothing_that_an_entry_may_not_be(self, entries: list[dict[str, Any]]) -> None:
        rows = plain_rows(b"".join(canonical({"entry": entry, "op": "add"}) + b"\n" for entry in entries))
        if rows is None:
            return
        assert [EntryRow(*row) for row in rows] == [EntryRow.of(FeedEntry.from_json(entry)) for entry in entries]

    @given(st.one_of(real_v4, real_v6, networks))
    def test_keys_have_the_order_of_addresses(self, prefix: str) -> None:
        try:
            entry = FeedEntry("0a" * 16, prefix, "any", None, "2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")
        except FeedFault:
            return
        network = entry.network
        packed = network.network_address.packed
        assert key_of(prefix) == bytes([network.version]) + packed + bytes([network.prefixlen])

    def test_takes_what_nearly_all_lines_are(self) -> None:
        entries = [
            FeedEntry(secrets.token_hex(16), prefix, protocol, port, "2026-11-01T00:00:00Z", "2028-02-29T00:00:00Z")
            for prefix, protocol, port in (
                ("192.0.2.1/32", "any", None),
                ("198.51.100.0/24", "udp", 51_820),
                ("2001:db8::1/128", "tcp", 443),
                ("2001:db8::/48", "esp", None),
            )
        ]
        block = b"".join(Operation(Op.ADD, entry).line + b"\n" for entry in entries)
        assert plain_rows(block) == [EntryRow.of(entry) for entry in entries]

    def test_reads_many_blocks(self) -> None:
        entries = [
            FeedEntry(
                f"{n:032x}",
                f"10.{n >> 8}.{n & 255}.1/32",
                "any",
                None,
                "2026-11-01T00:00:00Z",
                "2027-11-01T00:00:00Z",
                {"colour": "green"} if n % 1000 == 999 else {},
            )
            for n in range(5_000)
        ]
        digest = SetDigest()
        digest.add_all(entry.canonical for entry in entries)
        header = Header.snapshot(session=SESSION, sequence=1, digest=digest.hexdigest(), count=len(entries))
        file = encode_edition(header, [Operation(Op.ADD, entry) for entry in entries])
        read = [row for rows, _ in EditionReader(io.BytesIO(file), SNAPSHOT_LIMITS).rows() for row in rows]
        assert read == [EntryRow.of(entry) for entry in entries]
        assert read[999][6] == encode_checked({"colour": "green"})

    def test_reads_no_delta(self) -> None:
        file = encode_edition(Header(Kind.DELTA, SESSION, 1, 2, EMPTY, EMPTY, 0), [])
        with pytest.raises(Malformed):
            list(EditionReader(io.BytesIO(file), SNAPSHOT_LIMITS).rows())


class TestAddAll:
    @given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.binary(max_size=40), max_size=20))
    def test_is_adding_one_by_one(self, first: list[bytes], second: list[bytes]) -> None:
        one, all_ = SetDigest(), SetDigest()
        for entry in [*first, *second]:
            one.add(entry)
        all_.add_all(first)
        for entry in second:
            all_.add(entry)
        assert one == all_
        one.remove(b"x")
        all_.remove(b"x")
        assert one.hexdigest() == all_.hexdigest()

    @given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.binary(max_size=40), max_size=20))
    def test_may_be_done_apart(self, first: list[bytes], second: list[bytes]) -> None:
        whole, one, other = SetDigest(), SetDigest(), SetDigest()
        whole.add_all([*first, *second])
        one.add_all(first)
        other.add_all(second)
        one.add_state(other.state)
        assert one == whole
