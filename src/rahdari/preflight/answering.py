"""What a planned change does to the entries of an edition: counts first, then the entries themselves.

Entries are asked for where the change names addresses. Of the others only family, protocol and port matter: those that
fare alike are counted at once. So an answer costs what the change names, and a count or two.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, Protocol

from rahdari.address import Block

from .change import PROTOCOLS, Change
from .judging import Judge, State, Verdict, worst_of_lists
from .sorts import EVERY_SORT, NO_PORT, Sorts
from .space import HIGHEST, VERSIONS, Span, Spans, blocks_of, common, holds, meets, size, union, without

# So many entries are named; all are counted.
MOST_ENTRIES = 1_000


class Held(NamedTuple):
    """An entry: `block` is its first and its last address; `protocol` any, udp, tcp, esp or gre."""

    id: str
    version: int
    block: Span
    protocol: str
    port: int | None

    @property
    def prefix(self) -> Block:
        return next(iter(blocks_of(self.version, self.block)))


class Edition(Protocol):
    """The entries that count now of those that somebody follows."""

    def meeting(self, spans: Mapping[int, Spans]) -> Iterable[Held]:
        """Each that shares an address with these spans of a family, once."""
        ...

    def total(self) -> int:
        """How many there are."""
        ...

    def count(self, version: int, sorts: Sorts) -> int:
        """How many of a family are of these sorts: asked where something is denied to everybody."""
        ...

    def some(self, version: int, sorts: Sorts) -> Generator[Held]:
        """Those of a family that are of these sorts, as a stream in any order."""
        ...


class Found(NamedTuple):
    entry: Held
    verdict: Verdict


@dataclass(frozen=True)
class Share:
    """Which part of all addresses of a family it cuts off, from 0 to 1: everything at them, and each protocol.
    `touched`: the part at which it denies some protocol whatever the port, if only under a condition."""

    everything: float
    by_protocol: Mapping[str, float]
    touched: float


@dataclass(frozen=True)
class Answer:
    """`cut`, `affected` and `entries` are counts; `found` are those cut, then those affected, up to MOST_ENTRIES.

    `by_default` are the protocols that some list denies to whoever it does not name.
    """

    change: Change
    entries: int
    cut: int
    affected: int
    found: tuple[Found, ...]
    shares: Mapping[int, Share]
    by_default: tuple[str, ...]

    @property
    def untouched(self) -> int | None:
        """How many are not touched; None while lines are unread, as those may touch any."""
        return None if self.change.unread_count else self.entries - self.cut - self.affected

    @property
    def denies_all_of_others(self) -> bool:
        """Whether it denies every protocol to whoever it does not name, and not some alone."""
        return set(self.by_default) == set(PROTOCOLS)

    @property
    def denies_by_default(self) -> bool:
        """Whether it cuts whoever it does not name, or most of all addresses however that is written."""
        return bool(self.by_default) or any(share.touched >= 0.5 for share in self.shares.values())


def answer(change: Change, edition: Edition) -> Answer:
    """Raises TooManyRules and JumpsInCircle."""
    named = {each.name: each for each in change.lists}
    judges = [Judge(each, named) for each in change.lists if each.applies]
    unnamed = {version: _unnamed(judges, version) for version in VERSIONS}
    numbers: Counter[State] = Counter()
    graver: dict[State, list[Found]] = {State.CUT: [], State.AFFECTED: []}

    def put(entry: Held, verdict: Verdict) -> None:
        if len(graver[verdict.state]) < MOST_ENTRIES:
            graver[verdict.state].append(Found(entry, verdict))

    spans = {version: union(_stretches(judges, version)) for version in VERSIONS}
    for entry in edition.meeting(spans):
        for state, sorts in unnamed[entry.version].items():
            # It is counted below, and is not one of those.
            numbers[state] -= _is_of(entry, sorts)
        verdict = worst_of_lists([each.verdict(*entry[1:]) for each in judges])
        if verdict.state is not State.UNTOUCHED:
            numbers[verdict.state] += 1
            put(entry, verdict)
    for version, by_state in unnamed.items():
        for state, sorts in by_state.items():
            if not (count := edition.count(version, sorts)):
                continue
            numbers[state] += count
            with closing(edition.some(version, sorts)) as some:
                for entry in some:
                    if len(graver[state]) >= MOST_ENTRIES:
                        break
                    if not meets(spans[version], entry.block):
                        put(entry, _of_unnamed(judges, version, entry.protocol, entry.port))
    return Answer(
        change=change,
        entries=edition.total(),
        cut=numbers[State.CUT],
        affected=numbers[State.AFFECTED],
        found=(*graver[State.CUT], *graver[State.AFFECTED])[:MOST_ENTRIES],
        shares={version: _share(judges, version) for version in VERSIONS},
        by_default=tuple(
            protocol
            for protocol in PROTOCOLS
            if any(each.denies_others(version, protocol) for each in judges for version in VERSIONS)
        ),
    )


def _unnamed(judges: Sequence[Judge], version: int) -> dict[State, Sorts]:
    """Which endpoints that no rule names are cut, and which affected."""
    cut, touched = dict[str, Spans](), dict[str, Spans]()
    for protocol in PROTOCOLS:
        found = [each for judge in judges for each in judge.by_port(version, protocol)]
        cut[protocol] = union(span for span, state in found if state is State.CUT)
        touched[protocol] = union(span for span, state in found if state is not State.UNTOUCHED)
    cut["any"] = reduce(common, cut.values())
    touched["any"] = union(span for spans in touched.values() for span in spans)
    sorts: dict[State, Sorts] = {
        State.CUT: {protocol: cut[protocol] for protocol in EVERY_SORT if cut[protocol]},
        State.AFFECTED: {
            protocol: rest for protocol in EVERY_SORT if (rest := without(touched[protocol], cut[protocol]))
        },
    }
    return {state: each for state, each in sorts.items() if each}


def _of_unnamed(judges: Sequence[Judge], version: int, protocol: str, port: int | None) -> Verdict:
    return worst_of_lists([each.everywhere(version, protocol, port) for each in judges])


def _is_of(entry: Held, sorts: Sorts) -> bool:
    return holds(sorts.get(entry.protocol, ()), NO_PORT if entry.port is None else entry.port)


def _stretches(judges: Sequence[Judge], version: int) -> Iterator[Span]:
    for each in judges:
        yield from each.stretches(version)


def _share(judges: Sequence[Judge], version: int) -> Share:
    found = {protocol: [each.denied(version, protocol) for each in judges] for protocol in PROTOCOLS}
    cut = {protocol: _joined([whole for whole, _ in each]) for protocol, each in found.items()}
    touched = _joined([some for each in found.values() for _, some in each])
    everything = cut[PROTOCOLS[0]]
    for protocol in PROTOCOLS[1:]:
        everything = common(everything, cut[protocol])
    whole = HIGHEST[version] + 1
    return Share(
        size(everything) / whole,
        {protocol: size(spans) / whole for protocol, spans in cut.items()},
        size(touched) / whole,
    )


def _joined(parts: Sequence[Spans]) -> Spans:
    """All of them; mostly they are one and the same."""
    if parts and all(each is parts[0] for each in parts):
        return parts[0]
    return union(span for each in parts for span in each)
