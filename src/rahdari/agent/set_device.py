"""A device that holds sets of elements and takes single changes: nftables, ipset, FRR.

A change costs what it changes: it is made in as few steps as the device can, and what changed is read back at once.
A look holds all that stands there against all that counts; what is missing is put back, and told. What was there stays
there until what replaces it is there: nothing registered is ever missing between two steps.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from .files import OverCapacity, Rows
from .programs import DeviceRefused
from .renderers.renderer import Row
from .sets import Element, Endpoint, Intervals

# More elements than this in one transaction cost the device much memory: a first filling goes in several.
MOST_AT_ONCE = 50_000
# Above this a set is listed only when nothing is known about it: to list a million takes nft 15 s and 580 MB.
LIST_UP_TO = 200_000
EXAMPLES = 100

type Wanted = Callable[[], Iterator[Element]]
type Texts = Mapping[str, set[str]]


@dataclass(frozen=True)
class Looked:
    """What a look found: how many elements count, how many were missing by set, and how many were there in excess;
    and in words what of the sets themselves was gone and was made again, or nothing."""

    wanted: int
    missing: Mapping[str, int]
    examples: tuple[Element, ...]
    excess: int
    made_again: str = ""


class SetDevice(ABC):
    """Subclasses say what an element is, and how sets are listed and changed."""

    interval_sets: frozenset[str] = frozenset()
    set_names: Sequence[str] = ()

    def __init__(self, name: str, capacity: int | None) -> None:
        self.name, self.capacity = name, capacity
        # What stands in the interval sets; None until they were looked at.
        self._intervals: Intervals | None = None
        self._number = 0
        # Whether what stands there is merged for the sake of the capacity.
        self.is_merged = False

    # For subclasses

    @abstractmethod
    def element(self, row: Endpoint) -> Element: ...

    @abstractmethod
    def prepare(self, needed: Mapping[str, int]) -> str:
        """See to it that the sets are there and hold as many; returns in words what was gone, where that is an alarm.
        Raises AgentFault when a set is not there or would not hold as many."""

    @abstractmethod
    def listed(self, name: str) -> Iterator[str]: ...

    @abstractmethod
    def absent(self, name: str, texts: Sequence[str]) -> list[str]:
        """Those of them that do not stand there."""

    @abstractmethod
    def write(self, added: Texts, removed: Texts, *, emptied: Iterable[str] = ()) -> None:
        """All of it in one transaction, or in an order in which nothing registered is missing meanwhile. `emptied`
        sets are emptied first, in the same transaction: only where there are `interval_sets`."""

    @abstractmethod
    def confirm(self, added: Texts, removed: Texts) -> None:
        """Raises NotReadBack unless the first stand there now and the second do not."""

    def merged(self, rows: Iterable[Row]) -> Iterator[Element] | None:
        """The fewest elements for the same addresses, for a device whose capacity needs it. None: it cannot."""
        return None

    # For `applying`

    def takes(self, *, added: int, removed: int) -> bool:
        """Whether single changes can be made: what stands there was seen by this process, and there is room."""
        room = self.capacity is None or self._number + added <= self.capacity
        # Merged for its capacity, one entry more or less may change others.
        return self._intervals is not None and room and not self.is_merged

    def elements(self, rows: Iterable[Row]) -> Iterator[Element]:
        """Of rows in order: each element once."""
        element = self.element
        for _, group in groupby(rows, attrgetter("prefix")):
            yield from dict.fromkeys(map(element, group))

    def change(self, *, added: Iterable[Element], removed: Iterable[Element]) -> None:
        if self._intervals is None:
            raise ValueError("nothing is known of what stands there: look first")
        coming, going = _by_set(added), _by_set(removed)
        out = [Element(name, text) for name in coming.keys() & self.interval_sets for text in coming[name]]
        gone = [Element(name, text) for name in going.keys() & self.interval_sets for text in going[name]]
        for name in self.interval_sets:
            coming.pop(name, None)
            going.pop(name, None)
        try:
            for name, (more, less) in self._intervals.change(added=out, removed=gone).items():
                coming[name], going[name] = more, less
            if coming or going:
                self.write(coming, going)
                self.confirm(coming, going)
            # Too high at worst, when one was there already: then a look comes sooner.
            self._number += sum(map(len, coming.values())) - sum(map(len, going.values()))
        except BaseException:
            self._intervals = None
            raise

    def look(self, rows: Rows, *, whole: bool, gone: Iterable[Element] = ()) -> Looked:
        """`whole`: nothing is known of what stands there, so what is in excess is looked for too, whatever it costs.
        Else only `gone` is taken out where the sets are large. Raises OverCapacity, and then nothing has changed."""
        self._intervals, self.is_merged = None, False
        wanted = self._wanted(rows)
        intervals, needed = _counted(wanted(), self.interval_sets)
        if self.capacity is not None and sum(needed.values()) > self.capacity:
            merging = self._merged_wanted(rows)
            if merging is not None:
                wanted, self.is_merged = merging, True
                intervals, needed = _counted(wanted(), self.interval_sets)
            if sum(needed.values()) > self.capacity:
                raise OverCapacity(self.name, self.capacity, sum(needed.values()))
        made_again = self.prepare(needed)
        filling = _Filling(self)
        for name in self.interval_sets:
            stands = set(self.listed(name))
            merged = intervals.merged(name)
            filling.take(name, added=merged - stands, removed=stands - merged)
        self._number = sum(needed.values())
        if whole or self._number <= LIST_UP_TO:
            self._compare(wanted, filling)
        else:
            self._check_presence(wanted, gone, filling)
        filling.finish(intervals)
        self._intervals = intervals
        return Looked(self._number, filling.added, tuple(filling.examples), filling.removed, made_again)

    def _wanted(self, rows: Rows) -> Wanted:
        return lambda: self.elements(rows())

    def _merged_wanted(self, rows: Rows) -> Wanted | None:
        if self.merged(()) is None:
            return None
        return lambda: self.merged(rows()) or iter(())

    def _compare(self, wanted: Wanted, filling: "_Filling") -> None:
        stands = {name: set(self.listed(name)) for name in self.set_names if name not in self.interval_sets}
        for name, text in wanted():
            if name in self.interval_sets:
                continue
            if text in stands[name]:
                stands[name].discard(text)
            else:
                filling.take(name, added=(text,))
        for name, texts in stands.items():
            filling.take(name, removed=texts)

    def _check_presence(self, wanted: Wanted, gone: Iterable[Element], filling: "_Filling") -> None:
        for name, texts in _by_set(gone).items():
            if name not in self.interval_sets:
                filling.take(name, removed=texts.difference(self.absent(name, sorted(texts))))
        waiting: dict[str, list[str]] = defaultdict(list)
        for name, text in wanted():
            if name in self.interval_sets:
                continue
            waiting[name].append(text)
            if len(waiting[name]) >= MOST_AT_ONCE:
                filling.take(name, added=self.absent(name, waiting.pop(name)))
        for name, rest in waiting.items():
            filling.take(name, added=self.absent(name, rest))


class _Filling:
    """Gathers what is to be changed; writes it in one step when it is not much, and else as it comes."""

    def __init__(self, device: SetDevice) -> None:
        self._device = device
        self._added: dict[str, set[str]] = defaultdict(set)
        self._removed: dict[str, set[str]] = defaultdict(set)
        self._waiting = 0
        self.added: dict[str, int] = defaultdict(int)
        self.removed = 0
        self.examples: list[Element] = []

    def take(self, name: str, *, added: Iterable[str] = (), removed: Iterable[str] = ()) -> None:
        for text in added:
            self._added[name].add(text)
            self.added[name] += 1
            self._waiting += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(Element(name, text))
            # Sets whose elements may not overlap change in one step, with what comes last.
            if self._waiting >= MOST_AT_ONCE and name not in self._device.interval_sets:
                self._write_additions()
        for text in removed:
            self._removed[name].add(text)
            self.removed += 1

    def _write_additions(self) -> None:
        now = {name: texts for name, texts in self._added.items() if name not in self._device.interval_sets}
        for name in now:
            del self._added[name]
        self._waiting = 0
        self._device.write(now, {})
        self._device.confirm(now, {})

    def finish(self, intervals: Intervals) -> None:
        if not self._added and not self._removed:
            return
        try:
            self._device.write(self._added, self._removed)
        except DeviceRefused:
            # Part of a range that somebody put there cannot be taken out: empty such a set and fill it anew.
            touched = self._device.interval_sets & (self._added.keys() | self._removed.keys())
            if not touched:
                raise
            refilled = {name: intervals.merged(name) for name in touched}
            self._device.write(
                self._added | refilled,
                {name: texts for name, texts in self._removed.items() if name not in touched},
                emptied=touched,
            )
        self._device.confirm(self._added, self._removed)


def _counted(elements: Iterator[Element], interval_sets: frozenset[str]) -> tuple[Intervals, dict[str, int]]:
    """What may overlap, merged; and how many elements each set needs."""
    intervals: list[Element] = []
    needed: dict[str, int] = defaultdict(int)
    for element in elements:
        if element.set_name in interval_sets:
            intervals.append(element)
        else:
            needed[element.set_name] += 1
    merged = Intervals(intervals)
    for name in interval_sets:
        needed[name] = len(merged.merged(name))
    return merged, needed


def _by_set(elements: Iterable[Element]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, text in elements:
        found[name].add(text)
    return found
