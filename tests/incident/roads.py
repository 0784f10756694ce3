"""Networks of the test's own, in namespaces: places that look, an operator with an edge, and servers behind it.

    out-1  out-2  out-3     in-1
       \\     |     /          |
          the road ------ the operator ------ the server: 203.0.113.24
             |            203.0.113.30-33
      the other operator: 198.51.100.40-43

Packets are really forwarded, TLS is spoken at every address, and whoever looks is the product's own probe. What cuts is
a rule of nftables: on the road, at the operator's edge, or at the server.
"""

import ipaddress
import os
import secrets
import socketserver
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from rahdari import probe
from rahdari.probe import Attempt, ProbeAnswer
from rahdari.vantage.message import Request
from tests.needs import needs_namespaces, needs_program
from tests.probe.certificates import an_identity
from tests.probe.networks import said
from tests.vantage.test_process import Web

ADDRESS = "203.0.113.24"
OTHERS = [f"203.0.113.{n}" for n in range(30, 34)]
ELSEWHERE = [f"198.51.100.{n}" for n in range(40, 44)]
CONTROL = "192.0.2.250"
# Of each machine the one that it is behind, and its addresses.
MACHINES: dict[str, tuple[str, list[str]]] = {
    "road": ("", [CONTROL]),
    "out-1": ("road", ["192.0.2.201"]),
    "out-2": ("road", ["192.0.2.202"]),
    "out-3": ("road", ["192.0.2.203"]),
    "operator": ("road", OTHERS),
    "other": ("road", ELSEWHERE),
    "in-1": ("operator", ["203.0.113.2"]),
    "server": ("operator", [ADDRESS]),
}
SERVERS = ("operator", "other", "server")
PORT = 8443
STANDPOINT = probe.Standpoint(allowed_ranges=("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"))
# So long a look waits here for what is dropped, in seconds; and for what answers, on a machine that does much beside.
DROPPED, PATIENCE = 0.4, 60.0


class _Control(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\nrahdari-control\n")


class Roads:
    """`claim` is what holds at every address; `control` is what each place looks at beside them."""

    def __init__(self, folder: Path) -> None:
        self.namespaces = {machine: f"{machine}-{secrets.token_hex(4)}" for machine in MACHINES}
        self._web = Web(an_identity(folder, "vpn.sample.example"))
        self._threads = {
            machine: ThreadPoolExecutor(8, machine, initializer=partial(self._enter, machine)) for machine in MACHINES
        }
        self._dropped: Callable[[str, str], bool] = lambda place, address: False
        self.claim = probe.TlsClaim(self._web.identity.fingerprint, port=PORT)
        self.control = Attempt(ipaddress.ip_address(CONTROL), probe.HttpClaim(line="rahdari-control"))

    def _enter(self, machine: str) -> None:
        with open(f"/run/netns/{self.namespaces[machine]}") as namespace:
            os.setns(namespace.fileno(), os.CLONE_NEWNET)

    def at[T](self, machine: str, act: Callable[[], T]) -> T:
        """What `act` gives when it is done on this machine."""
        return self._threads[machine].submit(act).result()

    def look(self, place: str, request: Request) -> ProbeAnswer:
        """The product's own look, from this place."""
        patience = DROPPED if self._dropped(place, str(request.address)) else PATIENCE
        given = {"address": request.address, "timeout": patience, "standpoint": STANDPOINT}
        return self.at(place, partial(probe.prove, request.claim, **given))

    def cut(self, machine: str, hook: str, *rule: str, drops: Callable[[str, str], bool]) -> None:
        """Whatever fits the rule is dropped there: `drops` says so of a place and an address; `hook` is `forward` or
        `input`."""
        self._dropped = drops
        chain = f"chain cut {{ type filter hook {hook} priority 0; {' '.join(rule)} drop; }}"
        self._nft(machine, "-f", "-", text=f"table ip cut {{ {chain}; }}\n")

    def mend(self, machine: str) -> None:
        self._dropped = lambda place, address: False
        self._nft(machine, "delete", "table", "ip", "cut")

    def _nft(self, machine: str, *words: str, text: str | None = None) -> None:
        said(["ip", "netns", "exec", self.namespaces[machine], "nft", *words], text=text)

    def begin(self, ended: ExitStack) -> None:
        for machine, name in self.namespaces.items():
            said(["ip", "netns", "add", name])
            ended.callback(said, ["ip", "netns", "delete", name])
            said(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1"])
            self._connect(machine)
        for thread in self._threads.values():
            ended.callback(thread.shutdown)
        for machine in SERVERS:
            running = self._web.running("0.0.0.0", PORT)
            self.at(machine, running.__enter__)
            ended.callback(self.at, machine, partial(running.__exit__, None, None, None))
        server = self.at("road", partial(socketserver.ThreadingTCPServer, (CONTROL, 80), _Control))
        self._threads["road"].submit(server.serve_forever)
        ended.callback(server.server_close)
        ended.callback(server.shutdown)

    def _connect(self, machine: str) -> None:
        """To the one that it is behind, where its end of the line is called as this one; and all above lead to it."""
        behind, addresses = MACHINES[machine]
        self._ip(machine, "link set lo up", *(f"address add {each}/32 dev lo" for each in addresses))
        if not behind:
            return
        self._ip(
            machine,
            f"link add line type veth peer name {machine} netns {self.namespaces[behind]}",
            "link set line up",
            f"route add default via {MACHINES[behind][1][0]} dev line onlink src {addresses[0]}",
        )
        self._ip(behind, f"link set {machine} up")
        while behind:
            hop = MACHINES[machine][1][0]
            self._ip(behind, *(f"route add {each}/32 via {hop} dev {machine} onlink" for each in addresses))
            machine, behind = behind, MACHINES[behind][0]

    def _ip(self, machine: str, *lines: str) -> None:
        said(["ip", "-n", self.namespaces[machine], "-batch", "-"], text="\n".join(lines))


@contextmanager
def roads(folder: Path) -> Iterator[Roads]:
    needs_namespaces()
    for program, package in {"ip": "iproute2", "nft": "nftables", "sysctl": "procps"}.items():
        needs_program(program, f"apt-get install {package}")
    with ExitStack() as ended:
        found = Roads(folder)
        found.begin(ended)
        yield found
