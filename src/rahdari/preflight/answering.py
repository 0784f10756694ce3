"""What a planned change does to the entries of an edition: counts first, then the entries themselves.

Entries are asked for where the change names addresses; where it denies to everybody, they are counted by protocol and
port. So an answer costs what the change names, and not the size of the edition.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rahdari.address import Block

from .change import PROTOCOLS, Change
from .judging import Judge, State, Verdict, worst_of_lists
from .space import HIGHEST, VERSIONS, Span, Spans, blocks_of, common, size, union

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

    def counts(self) -> Mapping[tuple[int, str, int | None], int]:
        """How many there are, by family, protocol and port: asked where something is denied to everybody."""
        ...

    def some(self, version: int, protocol: str, port: int | None) -> Iterator[Held]:
        """Those of a family, protocol and port, as a stream."""
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
    def untouched(self) -> int:
        return self.entries - self.cut - self.affected

    @property
    def denies_by_default(self) -> bool:
        """Whether it cuts whoever it does not name, or most of all addresses however that is written."""
        return bool(self.by_default) or any(share.touched >= 0.5 for share in self.shares.values())


def answer(change: Change, edition: Edition) -> Answer:
    """Raises TooManyRules and JumpsInCircle."""
    named = {each.name: each for each in change.lists}
    judges = [Judge(each, named) for each in change.lists if each.applies]
    blanket = any(each.touches_everywhere for each in judges)
    counts = Counter(edition.counts()) if blanket else Counter[tuple[int, str, int | None]]()
    numbers: Counter[State] = Counter()
    graver: dict[State, list[Found]] = {State.CUT: [], State.AFFECTED: []}

    def put(entry: Held, verdict: Verdict) -> None:
        if len(graver[verdict.state]) < MOST_ENTRIES:
            graver[verdict.state].append(Found(entry, verdict))

    spans = {version: union(_stretches(judges, version)) for version in VERSIONS}
    for entry in edition.meeting(spans):
        if blanket:
            counts[entry.version, entry.protocol, entry.port] -= 1
        verdict = worst_of_lists([each.verdict(*entry[1:]) for each in judges])
        if verdict.state is not State.UNTOUCHED:
            numbers[verdict.state] += 1
            put(entry, verdict)
    for (version, protocol, port), count in counts.items():
        verdict = worst_of_lists([each.everywhere(version, protocol, port) for each in judges])
        if count <= 0 or verdict.state is State.UNTOUCHED:
            continue
        numbers[verdict.state] += count
        for entry in edition.some(version, protocol, port):
            if len(graver[verdict.state]) >= MOST_ENTRIES:
                break
            if not common(spans[version], (entry.block,)):
                put(entry, verdict)
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
