"""Which replica may answer a reader, as a model: nobody misses what they wrote, whatever happens in whatever order.

The choice is the product's own; the primary, the replicas and what is read are counted. tests/ops/test_replicas.py has
a real primary and real replicas.
"""

from dataclasses import dataclass, field

import hypothesis
from hypothesis import strategies as st

from rahdari.db.replicas import A_MOMENT, Floor, first_that_has
from tests.needs import fewer

REPLICAS, PEOPLE = 3, 2


@dataclass
class Following:
    """A replica: the log up to there, or away."""

    has: int = 0
    away: bool = False

    def replayed(self) -> int | None:
        return None if self.away else self.has


@dataclass
class Reading:
    """A page that began: from where it reads, and what must stand on it."""

    place: Following | None
    own: int
    of_all: int


@dataclass
class World:
    log: int = 0
    now: float = 0.0
    replicas: list[Following] = field(default_factory=lambda: [Following() for _ in range(REPLICAS)])
    # Of each person: where their last write ends, what is noted of it, and their pages that are not done.
    wrote: list[int] = field(default_factory=lambda: [0] * PEOPLE)
    noted: list[int] = field(default_factory=lambda: [0] * PEOPLE)
    pages: list[list[Reading]] = field(default_factory=lambda: [[] for _ in range(PEOPLE)])
    # Where the log ended, by time.
    was: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.floor = Floor(lambda: self.log)

    def others_write(self, count: int) -> None:
        self.log += count

    def write(self, who: int, others: int) -> None:
        """The commit, what others write before it is noted, and the answer."""
        self.log += 1
        self.wrote[who] = self.log
        self.log += others
        self.noted[who] = max(self.noted[who], self.log)

    def replay(self, number: int, count: int) -> None:
        each = self.replicas[number]
        each.has = min(self.log, each.has + count)

    def leave(self, number: int) -> None:
        self.replicas[number].away = True

    def come_back(self, number: int) -> None:
        self.replicas[number].away = False

    def wait(self, seconds: float) -> None:
        self.was.append((self.now, self.log))
        self.now += seconds

    def begin(self, who: int, first: int) -> None:
        least = max(self.noted[who], self.floor.at(self.now))
        order = self.replicas[first:] + self.replicas[:first]
        old = max((log for at, log in self.was if at <= self.now - A_MOMENT), default=0)
        self.pages[who].append(Reading(first_that_has(least, order), self.wrote[who], old))

    def end(self, who: int) -> bool:
        """Whether a replica was read."""
        if not self.pages[who]:
            return False
        page = self.pages[who].pop(0)
        read = self.log if page.place is None else page.place.has
        assert read >= page.own, "somebody does not see what they wrote"
        assert read >= page.of_all, "what is read is older than a moment"
        return page.place is not None


who, number, count = st.integers(0, PEOPLE - 1), st.integers(0, REPLICAS - 1), st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("others_write"), count),
        st.tuples(st.just("write"), who, count),
        st.tuples(st.just("replay"), number, count),
        st.tuples(st.just("leave"), number),
        st.tuples(st.just("come_back"), number),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, A_MOMENT])),
        st.tuples(st.just("begin"), who, number),
        st.tuples(st.just("end"), who),
    ),
    min_size=10,
    max_size=60,
)


class TestChoice:
    def test_shows_everybody_what_they_wrote(self) -> None:
        """In 10,000 interleavings."""
        tried = from_replica = 0

        @hypothesis.settings(max_examples=fewer(10_000, 1_000), deadline=None, database=None)
        @hypothesis.given(STEPS)
        def interleaved(steps: list[tuple[object, ...]]) -> None:
            nonlocal tried, from_replica
            world = World()
            for name, *given in steps:
                from_replica += bool(getattr(world, str(name))(*given))
            tried += 1

        interleaved()
        assert tried >= fewer(10_000, 1_000)
        # Not by asking the primary always.
        assert from_replica > tried / 10

    def test_takes_the_first_that_has_enough(self) -> None:
        away, behind, level, ahead = Following(9, away=True), Following(4), Following(5), Following(6)
        assert first_that_has(5, [away, behind, level, ahead]) is level
        assert first_that_has(7, [away, behind, level, ahead]) is None


class TestFloor:
    def test_is_asked_for_once_in_a_moment(self) -> None:
        written = iter([10, 20])
        floor = Floor(lambda: next(written))
        assert [floor.at(now) for now in (100.0, 100.0 + A_MOMENT - 0.1, 100.0 + A_MOMENT)] == [10, 10, 20]
