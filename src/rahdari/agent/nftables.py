"""Sets of nftables, filled by `nft`.

The table, its sets and its rules are the operator's; the agent changes what the sets hold. When the table, a set or all
rules of a chain are gone, as after a `flush ruleset`, it loads the ruleset again (`ruleset_for`), and no other.

All sets change in one transaction of the kernel. What changed is read back by a transaction that is only tried: one
that would take the new elements out again, and put the old ones in. It costs what changed, where `nft get` reads a
whole set.
"""

import ipaddress
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple

from .configuration import DEFAULT_TABLE, NftTarget
from .faults import AgentFault, Exit
from .programs import DeviceRefused, NotReadBack, Program
from .renderers.renderer import host
from .ruleset import Ruleset, ruleset_for
from .set_device import SetDevice, Texts
from .sets import INTERVAL_SETS, SET_NAMES, Element, Endpoint, element_of

# Of one line of a script; and of one transaction in which each element has a line, to learn which ones fail.
IN_A_LINE = 5_000
LINES = 20_000


class TableMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, netns: str, why: str = "") -> None:
        table_word = "" if table == DEFAULT_TABLE else f' --table "{table}"'
        within = f"ip netns exec {netns} " if netns else ""
        super().__init__(
            f"There is no table {table} in nftables{f' of the namespace {netns}' if netns else ''}{why}.",
            f"Load the ruleset: rahdari agent ruleset{table_word} | {within}nft -f -  (docs/operators.md).",
        )


class SetsMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, names: Sequence[str], why: str = "") -> None:
        super().__init__(
            f"The table {table} lacks the sets {', '.join(names)}{why}.",
            "`rahdari agent ruleset` prints all of them with their types.",
        )


class RulesMissing(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, table: str, names: Sequence[str], why: str) -> None:
        super().__init__(
            f"The table {table} has no rules in {', '.join(names)}{why}. Nothing is marked there.",
            "Mend the file that `ruleset` of this target names, or load it by hand.",
        )

    @classmethod
    def some(cls, table: str, names: Sequence[str]) -> "RulesMissing":
        fault = cls(table, names, "")
        fault.what = (
            f"The table {table} lacked rules for {', '.join(names)}. What these hold was not marked everywhere."
        )
        return fault


class SetTooSmall(AgentFault):
    """Nothing was left out and nothing was changed."""

    exit = Exit.NOT_APPLIED

    def __init__(self, name: str, size: int, needed: int) -> None:
        super().__init__(
            f"The set {name} holds {size} elements at most and {needed} are needed. It was left as it was.",
            f"Give the set a size of {needed * 2} or more in your ruleset, or no size at all.",
        )
        self.name_of_set, self.size, self.needed = name, size, needed


class _Lies(NamedTuple):
    """What of a table is there: its sets as nft describes them, its chains, those that have rules, and how often rules
    name each set."""

    is_there: bool
    sets: Mapping[str, Mapping[str, Any]]
    chains: frozenset[str]
    with_rules: frozenset[str]
    uses: Mapping[str, int]


NOTHING = _Lies(False, {}, frozenset(), frozenset(), {})


class NftSets(SetDevice):
    """One table."""

    interval_sets = INTERVAL_SETS
    set_names = SET_NAMES
    # A rehearsal looks, and loads nothing.
    is_tied = False

    def __init__(self, target: NftTarget) -> None:
        super().__init__(target.name, target.capacity)
        self.table, self.netns = target.table, target.netns
        self._file, self._loads = target.ruleset, target.loads
        self._nft = Program([target.nft], install="nftables", netns=target.netns, run_as=target.run_as)
        self._seen = NOTHING
        # By the text of a ruleset that was loaded here: how often its rules name each set.
        self._given: Mapping[str, Mapping[str, int]] = {}

    def element(self, row: Endpoint) -> Element:
        return element_of(row.prefix, row.protocol, row.port)

    def prepare(self, needed: Mapping[str, int]) -> str:
        ruleset, why = self._ruleset()
        found = self._lies()
        gone = self._gone(found, ruleset, why)
        if gone is not None:
            if ruleset is None or why:
                raise gone
            if not self.is_tied:
                self._load(ruleset, found)
                found = self._lies()
                # A file may empty a chain that it has filled: what it gives is what stands there once it is loaded.
                self._given = {ruleset.text: found.uses}
                if (still := self._gone(found, ruleset, f", though {ruleset.source} was loaded")) is not None:
                    raise still
        self._seen = found
        for name, number in needed.items():
            size = found.sets.get(name, {}).get("size")
            if size is not None and number > size:
                raise SetTooSmall(name, size, number)
        if gone is None or ruleset is None:
            return ""
        return f"{gone.what} The ruleset {'would be' if self.is_tied else 'was'} loaded from {ruleset.source}."

    def did(self, port: int) -> bool:
        """Whether the program that changed something over this netlink port was one of ours: nft's is its process."""
        return port in self._nft.processes

    def _ruleset(self) -> tuple[Ruleset | None, str]:
        """What to load for the table; and why it is not loaded, for the end of a sentence."""
        if not self._loads:
            return None, ""
        try:
            ruleset = ruleset_for(self.table, self._file)
        except (OSError, UnicodeDecodeError) as error:
            return None, f", and {self._file} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})"
        if ruleset is not None and ruleset.foreign:
            return (
                ruleset,
                f", and {ruleset.source} is left alone, since it says something of others: {ruleset.foreign}",
            )
        return ruleset, ""

    def _lies(self) -> _Lies:
        try:
            # Terse: the sets without what they hold.
            said = json.loads(self._nft.run("-j", "-t", "list", "table", *self.table.split()))["nftables"]
        except DeviceRefused as fault:
            if "No such file or directory" not in fault.output:
                raise
            return NOTHING
        return _Lies(
            True,
            {item["set"]["name"]: item["set"] for item in said if "set" in item},
            frozenset(item["chain"]["name"] for item in said if "chain" in item),
            frozenset(item["rule"]["chain"] for item in said if "rule" in item),
            Counter(name for item in said if "rule" in item for name in _named(item["rule"])),
        )

    def _gone(self, found: _Lies, ruleset: Ruleset | None, why: str) -> AgentFault | None:
        if not found.is_there:
            return TableMissing(self.table, self.netns, why)
        if missing := [name for name in SET_NAMES if name not in found.sets]:
            return SetsMissing(self.table, missing, why)
        if ruleset is not None and (empty := sorted(ruleset.chains - found.with_rules)):
            return RulesMissing(self.table, empty, why)
        if fewer := self._fewer(found, ruleset):
            return RulesMissing.some(self.table, fewer)
        return None

    def _fewer(self, found: _Lies, ruleset: Ruleset | None) -> list[str]:
        """The sets that rules name less often than the ruleset does."""
        if ruleset is None or ruleset.foreign:
            return []
        given = self._given.get(ruleset.text, ruleset.uses)
        return [name for name in SET_NAMES if found.uses.get(name, 0) < given.get(name, 0)]

    def _load(self, ruleset: Ruleset, found: _Lies) -> None:
        # A file of the operator's may only add: its rules shall not stand there twice.
        flush = "".join(f"flush chain {self.table} {name}\n" for name in sorted(ruleset.chains & found.chains))
        self._nft.run("-f", "-", given=flush + ruleset.text)

    def listed(self, name: str) -> Iterator[str]:
        if self.is_tied and name not in self._seen.sets:
            return
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
                numbers = [line.split(":")[1] for line in fault.output.splitlines() if ": Error: " in line]
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


def _named(said: object) -> Iterator[str]:
    """The sets that a rule names."""
    if isinstance(said, str):
        yield from [said[1:]] if said.startswith("@") else []
    elif isinstance(said, dict | list):
        for part in said.values() if isinstance(said, dict) else said:
            yield from _named(part)


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
