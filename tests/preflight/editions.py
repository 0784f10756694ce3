"""An edition in memory, as plain as can be: what real ones are held against."""

import ipaddress
from collections.abc import Generator, Iterable, Iterator, Mapping

from rahdari.preflight import NO_PORT, Answer, Held, Sorts, Spans, Syntax, answer, read, span_of


def held(address: str, protocol: str = "any", port: int | None = None, *, id: str = "") -> Held:
    block = ipaddress.ip_network(address)
    return Held(id or f"{address} {protocol} {port or '-'}", block.version, span_of(block), protocol, port)


class Edition:
    def __init__(self, entries: Iterable[Held]) -> None:
        self.entries = list(entries)

    def meeting(self, spans: Mapping[int, Spans]) -> Iterator[Held]:
        for entry in self.entries:
            if any(first <= entry.block[1] and entry.block[0] <= last for first, last in spans[entry.version]):
                yield entry

    def total(self) -> int:
        return len(self.entries)

    def count(self, version: int, sorts: Sorts) -> int:
        return len(list(self.some(version, sorts)))

    def some(self, version: int, sorts: Sorts) -> Generator[Held]:
        for entry in self.entries:
            port = NO_PORT if entry.port is None else entry.port
            if entry.version == version and any(first <= port <= last for first, last in sorts.get(entry.protocol, ())):
                yield entry


def looked(text: str, *entries: Held, syntax: Syntax | None = None) -> Answer:
    return answer(read(text.encode(), syntax), Edition(entries))


def states(text: str, *entries: Held, syntax: Syntax | None = None) -> dict[str, str]:
    """What becomes of each that is not left as it is, by its id."""
    found = looked(text, *entries, syntax=syntax)
    return {each.entry.id: str(each.verdict.state) for each in found.found}
