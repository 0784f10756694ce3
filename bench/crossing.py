"""Packets through a router with rules that were made up: two ends and the router are network namespaces.

The ends are raw sockets, so each packet is what is written here and no other. A flow is packets to an endpoint and
back, as a connection has them; it is open where all arrive. The router is Linux with nftables. Needs root, `ip`, `nft`.
"""

import ipaddress
import os
import random
import select
import socket
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

NEAR, FAR = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")
ROUTER_NEAR, ROUTER_FAR = bytes.fromhex("02000000010a"), bytes.fromhex("02000000010b")
PROTOCOLS = {"tcp": 6, "udp": 17, "gre": 47, "esp": 50}
ENDPOINTS = ipaddress.ip_network("192.0.2.0/24")
# In each half of all addresses.
CLIENTS = (ipaddress.IPv4Network("198.18.0.0/15"), ipaddress.IPv4Network("100.64.0.0/10"))
# What the router does takes no time but the processor's: nothing more comes after so many seconds.
PATIENCE = (0.004, 0.1, 0.5)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
# The way, the flags of TCP, and how many octets it carries: the first of WireGuard has 148.
_CONNECTION = ((True, SYN, 0), (False, SYN | ACK, 0), (True, ACK, 0), (True, PSH | ACK, 90), (False, PSH | ACK, 120))
_EXCHANGE = ((True, 0, 148), (False, 0, 92), (True, 0, 32), (False, 0, 400))


class Flow(NamedTuple):
    """To one endpoint; `protocol` is none of `any`, and `port` is 0 for esp and gre."""

    address: int
    protocol: str
    port: int


class World:
    """The router and its two ends."""

    def __init__(self, router: str, near: socket.socket, far: socket.socket) -> None:
        self.router, self.near, self.far = router, near, far
        self._clients = 0

    def load(self, rules: str) -> str:
        """In the place of all before. What the kernel says where it refuses them."""
        command = ["ip", "netns", "exec", self.router, "nft", "-f", "-"]
        done = subprocess.run(command, input=f"flush ruleset\n{rules}", capture_output=True, text=True, check=False)
        return done.stderr.strip()

    def passes(self, flows: Sequence[Flow]) -> list[bool]:
        """Which are open. One that is not is tried again, slower, from elsewhere and from another port."""
        found = [False] * len(flows)
        tries = ((CLIENTS[0], 32_768, 45_000), (CLIENTS[1], 45_001, 60_999), (CLIENTS[1], 1_024, 32_767))
        for patience, (block, low, high) in zip(PATIENCE, tries, strict=True):
            left = [at for at, passed in enumerate(found) if not passed]
            for at, passed in zip(
                left, self._tried([flows[at] for at in left], patience, block, low, high), strict=True
            ):
                found[at] = passed
        return found

    def _tried(
        self, flows: Sequence[Flow], patience: float, block: ipaddress.IPv4Network, low: int, high: int
    ) -> list[bool]:
        clients = []
        for _ in flows:
            # Each from an address of its own, so that no connection is one that the router has seen.
            self._clients += 1
            place = self._clients * 7_919 % block.num_addresses
            clients.append((int(block.network_address) + place, random.randint(low, high)))
        open_ = set(range(len(flows)))
        for step in range(len(_CONNECTION)):
            for to in (True, False):
                sent = {}
                for at in sorted(open_):
                    steps = _CONNECTION if flows[at].protocol == "tcp" else _EXCHANGE
                    if step < len(steps) and steps[step][0] is to:
                        sent[clients[at][0]] = (
                            at,
                            _packet(flows[at], *clients[at], steps[step][0], steps[step][1], steps[step][2]),
                        )
                arrived = self._sent([packet for _, packet in sent.values()], patience, to=to)
                open_ -= {at for client, (at, _) in sent.items() if client not in arrived}
        return [at in open_ for at in range(len(flows))]

    def _sent(self, packets: Sequence[bytes], patience: float, *, to: bool) -> set[int]:
        """The addresses of the clients of which a packet arrived on the other side."""
        source, target = (self.near, self.far) if to else (self.far, self.near)
        head = (ROUTER_NEAR + NEAR if to else ROUTER_FAR + FAR) + b"\x08\x00"
        found = set[int]()
        for packet in packets:
            source.send(head + packet)
        while len(found) < len(packets) and select.select([target], [], [], patience)[0]:
            with suppress(BlockingIOError):
                while True:
                    frame, place = target.recvfrom(2_000)
                    if place[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00":
                        found.add(int.from_bytes(frame[26:30] if to else frame[30:34]))
        return found


@contextmanager
def world() -> Iterator[World]:
    """Made and taken away. Needs root."""
    names = {end: f"cross-{os.getpid()}-{end}" for end in ("near", "router", "far")}
    with ExitStack() as stack:
        for name in names.values():
            _run("ip", "netns", "add", name)
            stack.callback(_run, "ip", "netns", "del", name)
        router = ("ip", "-n", names["router"])
        for end, ours, theirs in (("near", NEAR, ROUTER_NEAR), ("far", FAR, ROUTER_FAR)):
            _run(
                "ip",
                "-n",
                names[end],
                "link",
                "add",
                "end",
                "type",
                "veth",
                "peer",
                "name",
                end,
                "netns",
                names["router"],
            )
            _run("ip", "-n", names[end], "link", "set", "end", "address", ours.hex(":"), "up")
            _run(*router, "link", "set", end, "address", theirs.hex(":"), "up")
            _run("ip", "netns", "exec", names["router"], "sysctl", "-qw", f"net.ipv4.conf.{end}.rp_filter=0")
        _run("ip", "netns", "exec", names["router"], "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for end, blocks, address in (("near", CLIENTS, "10.0.1"), ("far", (ENDPOINTS,), "10.0.2")):
            _run(*router, "addr", "add", f"{address}.1/30", "dev", end)
            lladdr = (NEAR if end == "near" else FAR).hex(":")
            _run(*router, "neigh", "add", f"{address}.2", "lladdr", lladdr, "dev", end, "nud", "permanent")
            for block in blocks:
                _run(*router, "route", "add", str(block), "via", f"{address}.2", "dev", end)
        yield World(names["router"], *(stack.enter_context(_end(names[end])) for end in ("near", "far")))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _end(name: str) -> socket.socket:
    """A socket stays in the namespace in which it was made."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        os.setns(there, os.CLONE_NEWNET)
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        made.bind(("end", 0x0800))
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        return made
    finally:
        os.setns(here, os.CLONE_NEWNET)
        os.close(there)
        os.close(here)


def _packet(flow: Flow, client: int, port: int, to: bool, flags: int, carries: int) -> bytes:
    ends = (client, flow.address) if to else (flow.address, client)
    ports = (port, flow.port) if to else (flow.port, port)
    content = bytes(carries)
    number = PROTOCOLS[flow.protocol]
    pseudo = struct.pack("!II", *ends)
    if flow.protocol == "udp":
        head = struct.pack("!HHHH", *ports, 8 + carries, 0)
        summed = _checksum(pseudo + struct.pack("!HH", number, 8 + carries) + head + content) or 0xFFFF
        content = head[:6] + summed.to_bytes(2) + content
    elif flow.protocol == "tcp":
        # Of its own direction: what was sent before is 1 for SYN, and 90 when the answer confirms it.
        sequence = (1_000 if to else 5_000) + (not flags & SYN)
        confirms = 0 if flags == SYN else (5_001 if to else 1_001 + 90 * bool(flags & PSH))
        head = struct.pack("!HHIIBBHHH", *ports, sequence, confirms, 0x50, flags, 64_000, 0, 0)
        summed = _checksum(pseudo + struct.pack("!HH", number, 20 + carries) + head + content)
        content = head[:16] + summed.to_bytes(2) + head[18:] + content
    elif flow.protocol == "esp":
        content = struct.pack("!II", 0x1234, 1) + content
    else:
        content = struct.pack("!HH", 0, 0x0800) + content
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(content), random.randrange(1, 65_536), 0, 64, number, 0, *ends)
    return head[:10] + _checksum(head).to_bytes(2) + head[12:] + content


def _checksum(content: bytes) -> int:
    content += bytes(len(content) % 2)
    total = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


# -- rules that are made up ----------------------------------------------------------------------------------------


def endpoints(chance: random.Random, count: int) -> list[tuple[int, str, int | None]]:
    """Addresses, each with a protocol as entries have them and a port."""
    found = []
    for place in chance.sample(range(1, 255), count):
        protocol = chance.choice(("any", "udp", "udp", "tcp", "tcp", "esp", "gre"))
        port = chance.choice((443, 500, 1194, 4500, 51_820, 8443)) if protocol in {"udp", "tcp"} else None
        found.append((int(ENDPOINTS.network_address) + place, protocol, port))
    return found


def flow_to(chance: random.Random, address: int, protocol: str, port: int | None) -> Flow:
    if protocol == "any":
        protocol = chance.choice(("udp", "tcp", "esp", "gre"))
        port = chance.choice((443, 500, 4500, 51_820, 22, 9_999))
    return Flow(address, protocol, port or 0) if protocol in {"udp", "tcp"} else Flow(address, protocol, 0)


class RuleSet:
    """Made of what operators write: matches beside each other, in chains that lead to each other."""

    def __init__(self, chance: random.Random, addresses: Sequence[int]) -> None:
        self.chance, self.addresses = chance, addresses

    def text(self) -> str:
        chance = self.chance
        others = [f"o{at}" for at in range(chance.randrange(3))]
        chains = []
        for at, name in enumerate(others):
            body = "\n".join(self._rule(others[at + 1 :]) for _ in range(chance.randint(1, 4)))
            chains.append(f"chain {name} {{\n{body}\n}}")
        for at in range(chance.choice((1, 1, 1, 2))):
            hook = chance.choice(
                (
                    *("forward priority 0",) * 6,
                    *(f"prerouting priority {each}" for each in ("-150", "raw")),
                    "postrouting priority 0",
                )
            )
            policy = chance.choice((*("accept",) * 6, "drop"))
            rules = [self._rule(others) for _ in range(chance.randint(1, 7))]
            if chance.random() < 0.6:
                rules.insert(chance.choice((0, 0, 0, len(rules))), self._established())
            body = "\n".join(rules)
            chains.append(f"chain c{at} {{\ntype filter hook {hook}; policy {policy};\n{body}\n}}")
        members = ", ".join(self._block() for _ in range(3))
        triples = ", ".join(f"{self._address()} . {chance.choice(('udp', 'tcp'))} . {self._port()}" for _ in range(4))
        sets = (
            f"set s {{ type ipv4_addr; flags interval; auto-merge;\nelements = {{ {members} }}\n}}\n"
            f"set t {{ type ipv4_addr . inet_proto . inet_service;\nelements = {{ {triples} }}\n}}"
        )
        return f"table ip f {{\n{sets}\n" + "\n".join(chains) + "\n}\n"

    def _established(self) -> str:
        return self.chance.choice(
            (
                "ct state established,related accept",
                "ct state { established, related } accept",
                "ct state established accept",
                "ct state vmap { established : accept, related : accept, invalid : drop }",
                "ct state new accept",
                "ct state invalid drop",
                "ct state != new accept",
            )
        )

    def _rule(self, chains: Sequence[str]) -> str:
        chance = self.chance
        parts = [self._match() for _ in range(chance.choice((0, *(1,) * 6, *(2,) * 8, *(3,) * 4)))]
        verdicts = ["drop"] * 3 + ["accept"] * 2 + ["reject with icmp type host-unreachable", "return", "continue"]
        verdict = chance.choice([*verdicts, *(f"{chance.choice(('jump', 'goto'))} {each}" for each in chains)])
        if chance.random() < 0.1:
            named = sorted({self._address(), self._address()})
            pairs = ", ".join(f"{at} : {chance.choice(('drop', 'accept'))}" for at in named)
            return f"ip {chance.choice(('saddr', 'daddr'))} vmap {{ {pairs} }}"
        if chance.random() < 0.05:
            verdict = chance.choice(("counter", "meta mark set 0x1", 'log prefix "x"'))
        return " ".join([*parts, "counter" if chance.random() < 0.2 else "", verdict])

    def _address(self) -> str:
        return str(ipaddress.IPv4Address(self.chance.choice(self.addresses)))

    def _block(self) -> str:
        length = self.chance.choice((32, 32, 31, 29, 27, 25, 24, 8, 1))
        return str(ipaddress.ip_network(f"{self._address()}/{length}", strict=False))

    def _port(self) -> str:
        return str(self.chance.choice((443, 500, 1194, 4500, 51_820, 8443, 22)))

    def _ports(self) -> str:
        chance = self.chance
        one = chance.randint(1, 65_000)
        return chance.choice(
            (
                self._port(),
                f"{{ {self._port()}, {9_000 + one % 999} }}",
                f"{one}-{min(one + 20_000, 65_535)}",
                *(f"!= {self._port()}", f"< {one}", f"> {one}"),
                *("1024-65535", "0-32767", "32768-65535"),
            )
        )

    def _match(self) -> str:
        chance = self.chance
        end, side = chance.choice(("saddr", "daddr")), chance.choice(("sport", "dport", "dport"))
        with_ports = chance.choice(("udp", "tcp", "th"))
        before = "meta l4proto { tcp, udp } " if with_ports == "th" else ""
        ports = f"{before}{with_ports} {side} {self._ports()}"
        key, values = chance.choice(_MATCHES)
        return chance.choice(
            (
                f"ip {end} {self._block()}",
                f"ip {end} {self._address()}",
                f"ip {end} {{ {self._address()}, {self._address()} }}",
                f"ip {end} != {self._block()}",
                f"ip {end} @s",
                f"ip {end} . meta l4proto . th {side} @t",
                *(ports, ports, ports),
                *(f"{key} {chance.choice(values.split('; '))}" for _ in range(9)),
            )
        )


# What is matched, and what with.
_MATCHES = (
    ("meta l4proto", "udp; tcp; esp; gre; icmp; != tcp; { udp, esp }; != { tcp, udp, sctp }"),
    ("ip protocol", "udp; esp; != gre; sctp"),
    ("ct state", "new; established; related; invalid; untracked; new,established; != new; { new, invalid }"),
    ("ct direction", "original; reply"),
    ("tcp flags", "syn; & (syn|ack) == syn; syn / fin,syn,rst,ack; != syn; & ack == ack; == 0x0; { syn, ack }; psh"),
    ("tcp flags", "& (fin|syn) == (fin|syn); & (syn|ack) == (syn|ack); rst; & psh != 0; ! ack"),
    ("meta length", "176; != 176; > 300; 40-80"),
    ("udp length", "156; > 100; 8-40"),
    ("ip length", "176; < 100"),
    ("udp checksum", "0; != 0"),
    ("ip ttl", "1; 63; 64; < 64; != 63"),
    ("ip dscp", "cs0; ef; != cs0"),
    ("ip frag-off & 0x1fff", "!= 0; == 0"),
    ("ip id", "> 30000; 7"),
    ("meta pkttype", "host; broadcast; multicast; unicast; != broadcast"),
    ("meta random & 1", "== 0; == 1"),
    ("iifname", '"near"; "far"; "elsewhere"'),
    ("oifname", '"near"; != "far"; != "near"'),
    ("meta mark", "0; 0x1; != 0"),
    ("fib daddr type", "unicast; local; broadcast; != local"),
    ("fib saddr . iif oif", "missing; exists"),
    ("meta protocol", "ip; ip6"),
    ("ether type", "ip; ip6; arp"),
    ("ct status", "assured; seen-reply"),
    ("ct mark", "0; 1"),
    ("ip version", "4; 6"),
    ("limit rate", "over 1/second; 1/hour burst 1 packets; 1000000/second"),
)
