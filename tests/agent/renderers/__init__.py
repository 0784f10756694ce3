"""Rows for renderers and devices, in order, as the state gives them."""

import datetime as dt
import ipaddress
from collections.abc import Callable, Iterator

from rahdari.agent.entries import EntryRow
from rahdari.agent.renderers.renderer import Head
from rahdari.feed import FeedEntry

AT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)
HEAD = Head((("feed-static", "5e" * 16, 42, "d1" * 32), ("feed-dynamic", "6f" * 16, 7, "e2" * 32)), AT)
TERM = ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")


def a_row(prefix: str, protocol: str = "any", port: int | None = None, **other: object) -> EntryRow:
    number = sum(prefix.encode()) % 256
    return EntryRow(f"{number:02x}" * 16, prefix, protocol, port, *TERM, "feed-static")._replace(**other)  # type: ignore[arg-type]


def in_order(rows: list[EntryRow]) -> list[EntryRow]:
    def key(row: EntryRow) -> tuple[int, int, int, str, int]:
        network = ipaddress.ip_network(row.prefix)
        return (network.version, int(network.network_address), network.prefixlen, row.protocol, row.port or 0)

    return sorted(rows, key=key)


def rows_of(*entries: FeedEntry) -> Callable[[], Iterator[EntryRow]]:
    rows = in_order(
        [EntryRow(e.id, e.prefix, e.protocol, e.port, e.not_before, e.not_after, "feed-static") for e in entries]
    )
    return lambda: iter(rows)
