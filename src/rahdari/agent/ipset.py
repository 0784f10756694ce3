"""Sets of ipset, for iptables: made, filled and kept by the agent.

Four for each family: addresses, prefixes, and both with protocol and port. A change is one `ipset restore`, additions
first. A set that is too small is made anew, filled, and swapped in one step with the one that rules name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from .configuration import IpsetTarget
from .programs import DeviceRefused, NotReadBack, Program
from .renderers.renderer import host
from .set_device import SetDevice, Texts
from .sets import Element, Endpoint

KINDS = {"hosts": "hash:ip", "nets": "hash:net", "host-ports": "hash:ip,port", "net-ports": "hash:net,port"}
SETS = {f"{kind}{version}": (type, version) for version in "46" for kind, type in KINDS.items()}
LEAST_SIZE = 65_536
# Asked one by one; more than that are found by listing.
ASKED = 16
_SIZE = re.compile(r"\bmaxelem (\d+)")


class IpsetSets(SetDevice):
    """`prefix` begins the name of each set."""

    set_names = tuple(SETS)

    def __init__(self, target: IpsetTarget) -> None:
        super().__init__(target.name, target.capacity)
        self.prefix = target.prefix
        self._ipset = Program([target.ipset], install="ipset", netns=target.netns, run_as=target.run_as)

    def element(self, row: Endpoint) -> Element:
        """ipset knows no protocol with all of its ports: udp or tcp without a port is listed for any protocol."""
        version, single = ("6", "/128") if ":" in row.prefix else ("4", "/32")
        kind = "host" if row.prefix.endswith(single) else "net"
        address = host(row.prefix)
        if row.port is None and row.protocol in {"any", "udp", "tcp"}:
            return Element(f"{kind}s{version}", address)
        return Element(f"{kind}-ports{version}", f"{address},{row.protocol}:{row.port or 0}")

    def prepare(self, needed: Mapping[str, int]) -> str:
        made: list[str] = []
        for name, (type, version) in SETS.items():
            number = needed.get(name, 0)
            size = self._size(name)
            if size is not None and number <= size:
                continue
            size = max(LEAST_SIZE, 1 << (number * 2 - 1).bit_length())
            options = f"{type} family {'inet' if version == '4' else 'inet6'} maxelem {size}"
            if self._size(name) is None:
                made.append(f"create {self._full(name)} {options}")
                continue
            # Filled with what stands, then swapped: rules go on naming it, and miss nothing.
            new = f"{self.prefix}-new"
            stands = (f"add {new} {text}" for text in self.listed(name))
            swap = [f"swap {new} {self._full(name)}", f"destroy {new}"]
            self._restore(chain([f"create {new} {options}"], stands, swap))
        if made:
            self._restore(made)
        # What was in a set that was destroyed is told as missing.
        return ""

    def listed(self, name: str) -> Iterator[str]:
        start = f"add {self._full(name)} "
        for line in self._ipset.lines("list", self._full(name), "-output", "save"):
            if line.startswith(start):
                yield line[len(start) :].split()[0]

    def absent(self, name: str, texts: Sequence[str]) -> list[str]:
        stands = set(self.listed(name))
        return [text for text in texts if text not in stands]

    def write(self, added: Texts, removed: Texts, *, emptied: Iterable[str] = ()) -> None:
        self._restore(
            chain(
                (f"add {self._full(name)} {text}" for name, texts in added.items() for text in sorted(texts)),
                (f"del {self._full(name)} {text}" for name, texts in removed.items() for text in sorted(texts)),
            )
        )

    def confirm(self, added: Texts, removed: Texts) -> None:
        for name in SETS:
            more, less = added.get(name, set()), removed.get(name, set())
            if len(more) + len(less) > ASKED:
                stands = set(self.listed(name))
                right = more <= stands and less.isdisjoint(stands)
            else:
                right = all(self._stands(name, text) for text in more) and not any(
                    self._stands(name, text) for text in less
                )
            if not right:
                raise NotReadBack(self._full(name))

    def _stands(self, name: str, text: str) -> bool:
        try:
            self._ipset.run("test", self._full(name), text)
        except DeviceRefused as fault:
            if "is NOT in set" in fault.output:
                return False
            raise
        return True

    def _size(self, name: str) -> int | None:
        try:
            said = self._ipset.run("list", self._full(name), "-terse", "-output", "save")
        except DeviceRefused as fault:
            if "does not exist" in fault.output:
                return None
            raise
        found = _SIZE.search(said)
        return int(found[1]) if found else 0

    def _restore(self, lines: "chain[str] | list[str]") -> None:
        # -exist: what is there already, or not there any more, is no fault.
        self._ipset.run("-exist", "restore", given="".join(f"{line}\n" for line in lines))

    def _full(self, name: str) -> str:
        return f"{self.prefix}-{name}"
