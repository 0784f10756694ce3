"""Entries, deltas and snapshots that the tests speak of, and the strategies of the property tests."""

import ipaddress

from hypothesis import strategies as st

from rahdari.feed import EMPTY, FeedEntry, Header, Kind, Op, Operation, SetDigest

SESSION = "5e55105e55105e55105e55105e55105e"
FREELANCER = FeedEntry(
    "00000000000000000000000000000001", "203.0.113.24/32", "udp", 51820, "2026-11-10T09:31:07Z", "2027-11-10T09:31:07Z"
)
MOVED = FeedEntry(
    "00000000000000000000000000000001", "203.0.113.99/32", "tcp", 443, "2026-11-10T09:31:07Z", "2027-11-10T09:31:07Z"
)
COMPANY = FeedEntry(
    "00000000000000000000000000000002",
    "2001:db8:40::/64",
    "any",
    None,
    "2026-11-10T09:31:08Z",
    "2027-11-10T09:31:08Z",
)


def digest_of(*entries: FeedEntry) -> str:
    digest = SetDigest()
    for entry in entries:
        digest.add(entry.canonical)
    return digest.hexdigest()


DELTA = [
    Operation(Op.ADD, FREELANCER),
    Operation(Op.ADD, COMPANY),
    Operation(Op.REPLACE, MOVED, was=FREELANCER),
    Operation(Op.REMOVE, COMPANY),
]
DELTA_HEADER = Header(
    kind=Kind.DELTA,
    session=SESSION,
    from_sequence=0,
    to_sequence=1,
    digest_before=EMPTY,
    digest_after=digest_of(MOVED),
    count=4,
)
SNAPSHOT = [Operation(Op.ADD, MOVED), Operation(Op.ADD, COMPANY)]
SNAPSHOT_HEADER = Header.snapshot(session=SESSION, sequence=7, digest=digest_of(MOVED, COMPANY), count=2)


v4 = st.builds(
    lambda address, length: str(ipaddress.ip_network((address, length), strict=False)),
    st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address),
    st.integers(8, 32),
)
# 2001:db8::/32 and below: never an IPv4-mapped address.
v6 = st.builds(
    lambda low, length: str(ipaddress.ip_network((0x20010DB8 << 96 | low, length), strict=False)),
    st.integers(0, 2**96 - 1),
    st.integers(32, 128),
)
times = st.datetimes().filter(lambda at: at.year >= 1000).map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"))
names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(
    lambda name: name not in {"id", "prefix", "protocol", "port", "not_before", "not_after"}
)
plain_text = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.integers(-(2**53) + 1, 2**53 - 1)
scalars = st.none() | st.booleans() | numbers | plain_text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


@st.composite
def entries(draw: st.DrawFn, *, later_fields: bool = False) -> FeedEntry:
    protocol = draw(st.sampled_from(["any", "udp", "tcp", "esp", "gre"]))
    port = draw(st.none() | st.integers(1, 65_535)) if protocol in {"udp", "tcp"} else None
    start, end = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    return FeedEntry(
        draw(st.integers(0, 2**128 - 1).map("{:032x}".format)),
        draw(v4 | v6),
        protocol,
        port,
        start,
        end,
        draw(st.dictionaries(names, scalars, max_size=2)) if later_fields else {},
    )
