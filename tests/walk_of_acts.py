"""Tries every act in every state that the acts themselves reach, and holds what happens against a table of moves."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import transaction

from rahdari.errors import RahdariError
from rahdari.journal.models import JournalEntry


class NothingThere(RahdariError):
    """There is nothing on which the act could be tried."""

    says = "nothing to act on"


class World(Protocol):
    """What is acted on, as it is now in the database."""

    def step(self) -> None:
        """The next act happens some time after the one before."""

    @property
    def standing(self) -> Any:
        """What the table of moves goes by."""

    @property
    def state(self) -> object:
        """The standing, and what else an act may look at: in each of these every act is tried once."""


class _Undone(Exception):
    """What was tried is taken back, and the next act is tried in the same state."""


@dataclass
class Walk[W: World]:
    """`acts` gives how each act is tried. One that is refused, or leaves no row in the journal, did not happen. `after`
    says where a move leads, or None where the table does not have it in this standing."""

    acts: Mapping[str, Callable[[W], object]]
    after: Callable[[str, Any], Iterable[Any] | None]
    refusals: tuple[type[Exception], ...] = (RahdariError,)
    seen: set[object] = field(default_factory=set)
    made: set[tuple[Any, str]] = field(default_factory=set)

    def begin(self, at: Callable[[], W]) -> None:
        with suppress(_Undone), transaction.atomic():
            self._go(at())
            raise _Undone

    def _go(self, world: W) -> None:
        if world.state in self.seen:
            return
        self.seen.add(world.state)
        for act in self.acts:
            with suppress(_Undone), transaction.atomic():
                tried = copy(world)
                tried.step()
                if self._happened(act, tried):
                    self._go(tried)
                raise _Undone

    def _happened(self, act: str, world: W) -> bool:
        before = world.standing
        try:
            with transaction.atomic():
                written = JournalEntry.objects.count()
                self.acts[act](world)
                if JournalEntry.objects.count() == written:
                    return False
        except self.refusals:
            return False
        allowed = self.after(act, before)
        assert allowed is not None, f"{act} happened in {before}"
        assert world.standing in allowed, f"{act} in {before} led to {world.standing}"
        self.made.add((before, act))
        return True

    def report(self, of: str, moves: int) -> str:
        acts = len({act for _before, act in self.made})
        return f"{of}: {len(self.seen)} states, {len(self.made)} transitions by {acts} acts; {moves} moves in the table"
