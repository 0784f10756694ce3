"""An edition in memory, as plain as can be: what real ones are held against."""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rahdari.preflight import Answer, Held, Spans, Syntax, answer, read, span_of


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

    def counts(self) -> Mapping[tuple[int, str, int | None], int]:
        return Counter((entry.version, entry.protocol, entry.port) for entry in self.entries)

    def some(self, version: int, protocol: str, port: int | None) -> Iterator[Held]:
        wanted = (version, protocol, port)
        return (entry for entry in self.entries if (entry.version, entry.protocol, entry.port) == wanted)


def looked(text: str, *entries: Held, syntax: Syntax | None = None) -> Answer:
    return answer(read(text.encode(), syntax), Edition(entries))


def states(text: str, *entries: Held, syntax: Syntax | None = None) -> dict[str, str]:
    """What becomes of each that is not left as it is, by its id."""
    found = looked(text, *entries, syntax=syntax)
    return {each.entry.id: str(each.verdict.state) for each in found.found}
