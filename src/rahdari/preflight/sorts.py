"""Endpoints by what they are and not by where: their protocol, and their port or all of them."""

from collections.abc import Mapping

from .space import PORTS, Spans

# By the protocol of an entry, its ports: NO_PORT for one that has no port of its own, and so all of them.
type Sorts = Mapping[str, Spans]
NO_PORT = -1
EVERY_SORT: Sorts = dict.fromkeys(("any", "udp", "tcp", "esp", "gre"), ((NO_PORT, PORTS[0][1]),))


def condition(sorts: Sorts) -> str:
    """In SQL, as SQLite and PostgreSQL read it: whether the columns `protocol` and `port` of a row are of these sorts.
    A row costs the logarithm of the spans. Protocols and numbers are ours, so nothing in it needs to be quoted."""
    cases = " ".join(f"WHEN '{protocol}' THEN {_within(spans)}" for protocol, spans in sorts.items() if spans)
    return f"CASE protocol {cases} ELSE FALSE END" if cases else "FALSE"


def _within(spans: Spans) -> str:
    if len(spans) == 1:
        return f"coalesce(port, {NO_PORT}) BETWEEN {spans[0][0]} AND {spans[0][1]}"
    half = len(spans) // 2
    below, above = _within(spans[:half]), _within(spans[half:])
    return f"CASE WHEN coalesce(port, {NO_PORT}) < {spans[half][0]} THEN {below} ELSE {above} END"
