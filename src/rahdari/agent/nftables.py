"""Sets of nftables, filled by `nft`.

The table, its sets and its rules are the operator's; the agent changes what the sets hold and nothing else. All sets
change in one transaction of the kernel. What changed is read back by a transaction that is only tried: one that would
take the new elements out again, and put the old ones in. It costs what changed, where `nft get` reads a whole set.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from .configuration import DEFAULT_TABLE, NftTarget
from .faults import AgentFault, Exit
from .programs import DeviceRefused, NotReadBack, Program
from .renderers.renderer import host
from .set_device import SetDevice, Texts
from .sets import INTERVAL_SETS, SET_NAMES, Element, Endpoint, element_of

# Of one line of a script; and of one transaction in which each element has a line, to learn which ones fail.
IN_A_LINE = 5_000
LINES = 20_000


class TableMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, netns: str) -> None:
        table_word = "" if table == DEFAULT_TABLE else f' --table "{table}"'
        within = f"ip netns exec {netns} " if netns else ""
        super().__init__(
            f"There is no table {table} in nftables{f' of the namespace {netns}' if netns else ''}.",
            f"Load the ruleset once: rahdari agent ruleset{table_word} | {within}nft -f -  (docs/operators.md).",
        )


class SetsMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, names: Sequence[str]) -> None:
        super().__init__(
            f"The table {table} lacks the sets {', '.join(names)}.",
            "`rahdari agent ruleset` prints all of them with their types.",
        )


class SetTooSmall(AgentFault):
    """Nothing was left out and nothing was changed."""

    exit = Exit.NOT_APPLIED

    def __init__(self, name: str, size: int, needed: int) -> None:
        super().__init__(
            f"The set {name} holds {size} elements at most and {needed} are needed. It was left as it was.",
            f"Give the set a size of {needed * 2} or more in your ruleset, or no size at all.",
        )
        self.name_of_set, self.size, self.needed = name, size, needed


class NftSets(SetDevice):
    """One table."""

    interval_sets = INTERVAL_SETS
    set_names = SET_NAMES

    def __init__(self, target: NftTarget) -> None:
        super().__init__(target.name, target.capacity)
        self.table, self._netns = target.table, target.netns
        self._nft = Program([target.nft], install="nftables", netns=target.netns, run_as=target.run_as)

    def element(self, row: Endpoint) -> Element:
        return element_of(row.prefix, row.protocol, row.port)

    def check(self, needed: Mapping[str, int]) -> None:
        try:
            # Terse: the sets without what they hold.
            said = json.loads(self._nft.run("-j", "-t", "list", "table", *self.table.split()))
        except DeviceRefused as fault:
            missing_table = "No such file or directory" in fault.said
            raise (TableMissing(self.table, self._netns) if missing_table else fault) from None
        found: dict[str, Any] = {item["set"]["name"]: item["set"] for item in said["nftables"] if "set" in item}
        if missing := [name for name in SET_NAMES if name not in found]:
            raise SetsMissing(self.table, missing)
        for name, number in needed.items():
            size = found[name].get("size")
            if size is not None and number > size:
                raise SetTooSmall(name, size, number)

    def listed(self, name: str) -> Iterator[str]:
        for part in _elements(self._nft.lines("-n", "list", "set", *self.table.split(), name)):
            yield from _as_prefixes(part) if name in INTERVAL_SETS else (_as_python_writes(part),)

    def absent(self, name: str, texts: Sequence[str]) -> list[str]:
        for some in batched(texts, LINES):
            try:
                self._try(f"delete element {self.table} {name} {{ {', '.join(some)} }}\n")
            except DeviceRefused:
                break
        else:
            return []
        found: list[str] = []
        for some in batched(texts, LINES):
            try:
                self._try("".join(f"delete element {self.table} {name} {{ {text} }}\n" for text in some))
            except DeviceRefused as fault:
                numbers = [line.split(":")[1] for line in fault.said.splitlines() if ": Error: " in line]
                if not numbers:
                    raise
                found += [some[int(number) - 1] for number in numbers]
        return found

    def write(self, added: Texts, removed: Texts, *, emptied: Iterable[str] = ()) -> None:
        empty = "".join(f"flush set {self.table} {name}\n" for name in sorted(emptied))
        self._nft.run("-f", "-", given=empty + script(self.table, added, removed))

    def confirm(self, added: Texts, removed: Texts) -> None:
        # Where elements may not overlap, one that went may be covered by one that came: only what came is tried there.
        back = {name: texts for name, texts in removed.items() if name not in INTERVAL_SETS}
        try:
            self._try("".join(_lines("delete", self.table, added)) + "".join(_lines("create", self.table, back)))
        except DeviceRefused:
            raise NotReadBack(self.table) from None

    def _try(self, text: str) -> None:
        """What the kernel would say to this; nothing is changed."""
        self._nft.run("-c", "-f", "-", given=text)


def script(table: str, added: Texts, removed: Texts) -> str:
    """What nft reads, as one transaction. Taken out first: what comes in may overlap it."""
    return "".join((*_lines("delete", table, removed), *_lines("add", table, added)))


def _lines(verb: str, table: str, elements: Texts) -> Iterator[str]:
    for name in SET_NAMES:
        for some in batched(sorted(elements.get(name, ())), IN_A_LINE):
            yield f"{verb} element {table} {name} {{ {', '.join(some)} }}\n"


def _elements(lines: Iterable[str]) -> Iterator[str]:
    """The elements of a set as nft lists it, each without its counter, timeout or comment."""
    inside = False
    for line in lines:
        text = line.strip()
        if not inside:
            _, found, text = text.partition("elements = {")
            inside = bool(found)
        if not inside:
            continue
        text, end, _ = text.partition("}")
        for part in text.split(", "):
            if item := part.strip().rstrip(","):
                words = item.split()
                # "192.0.2.1 . 17 . 51820": what stands beyond such a chain is not the element.
                length = 1
                while length < len(words) and words[length] == ".":
                    length += 2
                yield " ".join(words[:length])
        if end:
            return


def _as_python_writes(text: str) -> str:
    """`::192.0.2.1` is written in another way here; the rest is the same."""
    if ":" in text and "." in text.partition(" ")[0]:
        address, space, rest = text.partition(" ")
        return str(ipaddress.ip_address(address)) + space + rest
    return text


def _as_prefixes(text: str) -> Iterator[str]:
    """The elements that one of a listing stands for: a range may stand for several prefixes."""
    first, space, rest = text.partition(" ")
    networks: Iterable[object]
    if "-" in first:
        low, high = (ipaddress.ip_address(end) for end in first.split("-"))
        networks = ipaddress.summarize_address_range(low, high)
    else:
        networks = [ipaddress.ip_network(first)]
    for network in networks:
        yield host(str(network)) + space + rest
