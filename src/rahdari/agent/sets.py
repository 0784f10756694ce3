"""From entries to the elements of sets, as packet filters want them. Pure.

There are three kinds of sets for hosts and three for prefixes, each for IPv4 and for IPv6: any protocol; a protocol; a
protocol and a port. Within a set no element is twice and none overlaps another: prefixes are merged into the fewest
that cover the same addresses. Hosts are kept apart from prefixes because a hash set takes one more element in the same
time whatever its size, which an interval set does not.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# By number: names need /etc/protocols, which a small machine may lack.
PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "gre": 47, "esp": 50}
KINDS = ("hosts", "nets", "host_protocols", "net_protocols", "host_ports", "net_ports")
SET_NAMES = tuple(f"{kind}{version}" for version in (4, 6) for kind in KINDS)


class Endpoint(Protocol):
    @property
    def prefix(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def port(self) -> int | None: ...


class Element(NamedTuple):
    network: Network
    protocol: int | None = None
    port: int | None = None

    def __str__(self) -> str:
        """As nft reads and prints it."""
        single = self.network.prefixlen == self.network.max_prefixlen
        address = str(self.network.network_address) if single else str(self.network)
        return " . ".join([address, *(str(part) for part in (self.protocol, self.port) if part is not None)])

    @property
    def set_name(self) -> str:
        single = self.network.prefixlen == self.network.max_prefixlen
        kind = "host" if single else "net"
        if self.protocol is None:
            return f"{kind}s{self.network.version}"
        return f"{kind}_{'protocols' if self.port is None else 'ports'}{self.network.version}"


type Sets = dict[str, frozenset[str]]


def sets_of(entries: Iterable[Endpoint]) -> Sets:
    """The elements of every set, by the set's name; empty sets are there too."""
    elements: dict[str, set[Element]] = defaultdict(set)
    for entry in entries:
        protocol = None if entry.protocol == "any" else PROTOCOL_NUMBERS[entry.protocol]
        element = Element(ipaddress.ip_network(entry.prefix), protocol, entry.port)
        elements[element.set_name].add(element)
    return {name: frozenset(map(str, merged(elements[name]))) for name in SET_NAMES}


def merged(elements: Iterable[Element]) -> Iterable[Element]:
    """The fewest elements that cover the same packets, none overlapping another."""
    networks: dict[tuple[int, int | None, int | None], list[Network]] = defaultdict(list)
    for element in elements:
        if element.network.prefixlen == element.network.max_prefixlen:
            yield element
        else:
            networks[element.network.version, element.protocol, element.port].append(element.network)
    for (_, protocol, port), group in networks.items():
        for network in ipaddress.collapse_addresses(group):  # type: ignore[type-var]
            yield Element(network, protocol, port)
