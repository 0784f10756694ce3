"""The entries of one session, found by their prefix: a dict for each family and prefix length.

What is in force is not looked at here: an index holds what the edition holds. A patch is worked out against an index
without touching it, and either all of it is put in or nothing.

`near` says where prefixes of in-between lengths lie at all, by the wider prefix that holds them (lengths 25 to 31 by
their /24, and so on): one look there spares one for each of the lengths, and where it says nothing there is nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from rahdari.feed import Malformed

from .records import Place, place_of, prefix_of

# One entry on a prefix is held as it is, several as a tuple, in order of their ids.
type Held = bytes | tuple[bytes, ...]
type Lengths = dict[int, dict[int, Held]]
type Patch = dict[Place, tuple[bytes, ...]]
# How many entries lie in a wider prefix: by the length of that, then by the prefix.
type Near = dict[int, dict[int, int]]

WIDER = {4: (24, 16, 8), 6: (64, 48, 32)}
_NEAR = {
    (version, length): (wide, length - wide)
    for version, wides in WIDER.items()
    for wide, narrowest in zip(wides, (32, *wides) if version == 4 else (128, *wides), strict=False)
    for length in range(wide + 1, narrowest)
}

# While this many are copied, a request waits for the interpreter at most a part of a millisecond.
_AT_ONCE = 2_000


class Index:
    __slots__ = ("entries", "near_v4", "near_v6", "v4", "v6")

    def __init__(self) -> None:
        self.v4: Lengths = {}
        self.v6: Lengths = {}
        self.near_v4: Near = {}
        self.near_v6: Near = {}
        self.entries = 0

    def lengths(self, version: int) -> Lengths:
        return self.v4 if version == 4 else self.v6

    def near(self, version: int) -> Near:
        return self.near_v4 if version == 4 else self.near_v6

    def at(self, place: Place) -> tuple[bytes, ...]:
        return several(self.lengths(place.version).get(place.length, {}).get(place.key))

    def add(self, record: bytes, prefix: str, twins: Iterable["Index"] = ()) -> None:
        """Put one in, while nobody reads: for loading. Where a twin holds the same, its bytes are used."""
        version, length, key = place_of(prefix)
        for twin in twins:
            beside = twin.lengths(version).get(length, {}).get(key)
            if beside == record and type(beside) is type(record):
                record = beside
        table = self.lengths(version).setdefault(length, {})
        held = table.setdefault(key, record)
        if held is not record:
            table[key] = tuple(sorted((*several(held), record)))
        if (version, length) in _NEAR:
            self._count(Place(version, length, key), 1)
        self.entries += 1

    def records(self) -> Iterator[bytes]:
        for lengths in (self.v4, self.v6):
            for table in lengths.values():
                for held in table.values():
                    yield from several(held)

    def put(self, patch: Patch) -> None:
        """In place: for few changes, while nobody reads."""
        for place, records in patch.items():
            self._put(place, records)

    def patched(self, patch: Patch) -> "Index":
        """Another index with the patch put in, while this one is read: for many changes."""
        other = Index()
        touched = {(place.version, place.length) for place in patch}
        other.entries = self.entries
        for version in (4, 6):
            for wide, counted in self.near(version).items():
                copied = any((version, wide) == (place.version, _NEAR.get(place[:2], (-1, 0))[0]) for place in patch)
                other.near(version)[wide] = _copied(counted) if copied else counted
            for length, table in self.lengths(version).items():
                copied = (version, length) in touched
                other.lengths(version)[length] = _copied(table) if copied else table
        other.put(patch)
        return other

    def _put(self, place: Place, records: tuple[bytes, ...]) -> None:
        lengths = self.lengths(place.version)
        table = lengths.setdefault(place.length, {})
        more = len(records) - len(several(table.get(place.key)))
        self.entries += more
        if place[:2] in _NEAR:
            self._count(place, more)
        if records:
            table[place.key] = records[0] if len(records) == 1 else records
        else:
            table.pop(place.key, None)
            if not table:
                del lengths[place.length]

    def _count(self, place: Place, more: int) -> None:
        wide, bits = _NEAR[place[:2]]
        counted = self.near(place.version).setdefault(wide, {})
        key = place.key >> bits
        number = counted.get(key, 0) + more
        if number:
            counted[key] = number
        else:
            counted.pop(key, None)


def several(held: Held | None) -> tuple[bytes, ...]:
    if held is None:
        return ()
    return held if isinstance(held, tuple) else (held,)


def worked_out(index: Index, changes: Iterable[tuple[bytes | None, bytes | None]]) -> Patch:
    """The patch that (taken out, put in) pairs make, one after the other.

    Raises Malformed when one that is taken out is not there, or one that is put in is there already.
    """
    patch: Patch = {}

    def at(record: bytes) -> tuple[Place, tuple[bytes, ...]]:
        place = place_of(prefix_of(record))
        return place, patch[place] if place in patch else index.at(place)

    for out, into in changes:
        if out is not None:
            place, held = at(out)
            if out not in held:
                raise Malformed("an operation takes out an entry that is not there")
            patch[place] = tuple(record for record in held if record != out)
        if into is not None:
            place, held = at(into)
            if into in held:
                raise Malformed("an operation puts in an entry that is there already")
            patch[place] = tuple(sorted((*held, into)))
    return patch


def _copied[Value](table: Mapping[int, Value]) -> dict[int, Value]:
    copy: dict[int, Value] = {}
    items = iter(table.items())
    while part := dict(islice(items, _AT_ONCE)):
        copy.update(part)
    return copy
