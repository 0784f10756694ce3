"""From entries to the elements of sets, as packet filters want them. Pure.

There are three kinds of sets for hosts and three for prefixes, each for IPv4 and for IPv6: any protocol; a protocol; a
protocol and a port. Within a set no element is twice and none overlaps another: prefixes are merged into the fewest
that cover the same addresses. Hosts are kept apart from prefixes because a hash set takes one more element in the same
time whatever its size, which an interval set does not.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from .renderers.shaping import aggregated, parse

# By number: names need /etc/protocols, which a small machine may lack.
PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "gre": 47, "esp": 50}
_NAMES = {str(number): name for name, number in PROTOCOL_NUMBERS.items()}
KINDS = ("hosts", "nets", "host_protocols", "net_protocols", "host_ports", "net_ports")
SET_NAMES = tuple(f"{kind}{version}" for version in (4, 6) for kind in KINDS)
INTERVAL_SETS = frozenset(name for name in SET_NAMES if name.startswith("net"))


class Endpoint(Protocol):
    @property
    def prefix(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def port(self) -> int | None: ...


class Element(NamedTuple):
    set_name: str
    text: str

    @property
    def name(self) -> str:
        """For people: `203.0.113.32 udp 51820`."""
        prefix, *rest = self.text.split(" . ")
        return " ".join((prefix, *(_NAMES.get(each, each) for each in rest[:1]), *rest[1:]))


def element_of(prefix: str, protocol: str, port: int | None) -> Element:
    """As nft reads and prints it."""
    version, single = ("6", "/128") if ":" in prefix else ("4", "/32")
    kind = "net"
    if prefix.endswith(single):
        kind, prefix = "host", prefix[: -len(single)]
    if protocol == "any":
        return Element(f"{kind}s{version}", prefix)
    if port is None:
        return Element(f"{kind}_protocols{version}", f"{prefix} . {PROTOCOL_NUMBERS[protocol]}")
    return Element(f"{kind}_ports{version}", f"{prefix} . {PROTOCOL_NUMBERS[protocol]} . {port}")


type Changes = dict[str, tuple[set[str], set[str]]]


class Intervals:
    """What interval sets hold: elements that may overlap, and their merged form. One per device, small by nature."""

    def __init__(self, elements: Iterable[Element] = ()) -> None:
        # By set, then by what follows the prefix (protocol and port): only what is equal there is merged.
        self._prefixes: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._merged: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        self.change(added=elements, removed=())

    def change(self, *, added: Iterable[Element], removed: Iterable[Element]) -> Changes:
        """Take these in and out; by set, the merged elements that come and those that go."""
        touched: set[tuple[str, str]] = set()
        for elements, here in ((removed, False), (added, True)):
            for name, text in elements:
                prefix, rest = _parts(text)
                group = self._prefixes[name][rest]
                (group.add if here else group.discard)(prefix)
                touched.add((name, rest))
        changes: Changes = defaultdict(lambda: (set(), set()))
        for name, rest in touched:
            before = self._merged[name].get(rest, frozenset())
            after = frozenset(prefix + rest for prefix in aggregated(sorted(self._prefixes[name][rest], key=parse)))
            self._merged[name][rest] = after
            if after != before:
                changes[name][0].update(after - before)
                changes[name][1].update(before - after)
        return dict(changes)

    def merged(self, name: str) -> set[str]:
        return set().union(*self._merged[name].values()) if name in self._merged else set()


def _parts(text: str) -> tuple[str, str]:
    prefix, space, rest = text.partition(" ")
    return prefix, space + rest
