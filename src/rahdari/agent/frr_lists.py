"""Prefix lists of a running FRR, changed line by line through `vtysh`.

A list that is away matches nothing, so it is never taken away: what comes is added first, at the end, and then what is
to go is taken out by its number. Lists are short (docs/devices/bird-frr.md says why), and a look reads all of them.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .configuration import FrrTarget
from .programs import NotReadBack, Program
from .renderers.frr import STEP, line
from .renderers.renderer import Row
from .renderers.shaping import aggregated, prefixes
from .set_device import SetDevice, Texts
from .sets import Element, Endpoint

_LINE = re.compile(r"\s*seq (\d+) permit (\S+)")


class FrrLists(SetDevice):
    set_names = ("4", "6")

    def __init__(self, target: FrrTarget) -> None:
        super().__init__(target.name, target.capacity)
        self.list = target.list
        self._vtysh = Program(target.vtysh, install="frr", netns=target.netns, run_as=target.run_as)
        self._numbers: dict[str, dict[str, int]] = {}

    def element(self, row: Endpoint) -> Element:
        return Element("6" if ":" in row.prefix else "4", row.prefix)

    def merged(self, rows: Iterable[Row]) -> Iterator[Element]:
        for prefix in aggregated(prefixes(rows)):
            yield Element("6" if ":" in prefix else "4", prefix)

    def prepare(self, needed: Mapping[str, int]) -> str:
        """A list is made by its first line, and holds as many as there are."""
        return ""

    def listed(self, name: str) -> Iterator[str]:
        self._numbers[name] = self._read(name)
        yield from self._numbers[name]

    def absent(self, name: str, texts: Sequence[str]) -> list[str]:
        stands = set(self.listed(name))
        return [text for text in texts if text not in stands]

    def write(self, added: Texts, removed: Texts, *, emptied: Iterable[str] = ()) -> None:
        lines: list[str] = []
        for name in self.set_names:
            numbers = self._numbers.get(name) or self._read(name)
            next_number = max(numbers.values(), default=0) + STEP
            for prefix in sorted(set(added.get(name, ())) - numbers.keys()):
                lines.append(line(self.list, v6=name == "6", number=next_number, prefix=prefix))
                next_number += STEP
        for name in self.set_names:
            word = "ipv6" if name == "6" else "ip"
            numbers = self._numbers.get(name, {})
            lines += [
                f"no {word} prefix-list {self.list}{name} seq {numbers[prefix]}\n"
                for prefix in sorted(removed.get(name, ()))
                if prefix in numbers
            ]
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("".join(lines))
            file.flush()
            self._vtysh.run("-f", file.name)

    def confirm(self, added: Texts, removed: Texts) -> None:
        for name in self.set_names:
            if added.get(name) or removed.get(name):
                stands = set(self.listed(name))
                if not (set(added.get(name, ())) <= stands and stands.isdisjoint(removed.get(name, ()))):
                    raise NotReadBack(f"the prefix list {self.list}{name}")

    def _read(self, name: str) -> dict[str, int]:
        """Prefix and number of each line, of those that every daemon that has the list knows."""
        word = "ipv6" if name == "6" else "ip"
        # Not as JSON: what FRR 10.3 says of a list that is not there is no JSON.
        said = self._vtysh.run("-c", f"show {word} prefix-list {self.list}{name}")
        daemons = [dict[str, int]()]
        for text in said.splitlines():
            if found := _LINE.match(text):
                daemons[-1][found[2]] = int(found[1])
            elif daemons[-1]:
                daemons.append({})
        lists = [found for found in daemons if found] or [{}]
        return {prefix: number for prefix, number in lists[-1].items() if all(prefix in one for one in lists)}
