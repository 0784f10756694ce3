"""Which acts there are. Each room declares its own once, in its `acts.py`: whether it is a read, who is shown it and in
which words, and the event that it raises. Every list of acts derives from here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from rahdari import optional
from rahdari.errors import RahdariError

type Words = str | Promise

_KEY = re.compile(r"[a-z]+\.[a-z0-9_]+")
# What a read is recorded of. The page "who looked at my data" asks for all of a holder's that are of these kinds.
READ_OF = frozenset({"application", "registration", "endpoint", "check", "attestation"})


class Reader(StrEnum):
    """Who is shown an act in the history of a case."""

    OFFICER = "officer"
    APPLICANT = "applicant"


NOBODY: frozenset[Reader] = frozenset()
OFFICERS = frozenset({Reader.OFFICER})
EVERYBODY = frozenset(Reader)


class UndeclaredAct(RahdariError, LookupError):
    """No room declares this act: a fault in the program. `.act`"""

    says = "{act}: declare it in the acts.py of its room"
    act: str


@dataclass(frozen=True)
class Event:
    """What programs are told of an act: the name, what it says besides what it is about, and whether why."""

    name: str
    says: Mapping[str, Any] = field(default_factory=dict)
    tells_reason: bool = False
    # The optional room without which it does not happen.
    room: str = ""


@dataclass(frozen=True)
class Act:
    """One act. `sentence` is its line in the history of a case, with the code of the policy behind it `with_code`;
    `done` its line in the list of what an agent did.

    A read has `seen`, what of somebody's data was seen; and, where the record itself does not say it, `reader` (who)
    and `why`, in which %(ground)s stands for the ground.
    """

    key: str
    sentence: Words = ""
    shown_to: frozenset[Reader] = NOBODY
    with_code: bool = False
    done: Words = ""
    seen: Words = ""
    reader: Words = ""
    why: Words = ""
    event: Event | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"{self.key}: an act is named <room>.<verb>")
        if bool(self.sentence) != bool(self.shown_to):
            raise ValueError(f"{self.key}: an act has a sentence if, and only if, it is shown to somebody")
        if (self.reader or self.why) and not self.seen:
            raise ValueError(f"{self.key}: of a read it is said what was seen")

    @property
    def is_read(self) -> bool:
        return bool(self.seen)

    def words(self) -> Iterator[Words]:
        """All that a person reads of it."""
        yield from filter(None, (self.sentence, self.done, self.seen, self.reader, self.why))


_declared: dict[str, Act] = {}


def declare(*acts: Act) -> None:
    """Called once for each act. Raises ValueError for one that was declared before."""
    for each in acts:
        if each.key in _declared:
            raise ValueError(f"{each.key} is declared twice")
        _declared[each.key] = each


def declare_unshown(room: str, verbs: str) -> None:
    """Acts that no page, no letter and no program tells of: they are on record for whoever audits."""
    declare(*(Act(f"{room}.{verb}") for verb in verbs.split()))


@cache
def load() -> None:
    """Read the `acts.py` of every app; once is enough."""
    autodiscover_modules("acts")


def declared() -> dict[str, Act]:
    """All acts, also for whoever asks while Django starts."""
    load()
    return _declared


def act_named(key: str) -> Act:
    """Raises UndeclaredAct."""
    found = declared().get(key)
    if found is None:
        raise UndeclaredAct(key)
    return found


def words_of(key: str) -> Act:
    """How an act that is on record is called: one that only an earlier version declared has no words."""
    return declared().get(key) or Act(key)


def reads() -> frozenset[str]:
    return frozenset(key for key, act in declared().items() if act.is_read)


def shown_to(reader: Reader) -> frozenset[str]:
    return frozenset(key for key, act in declared().items() if reader in act.shown_to)


def events() -> dict[str, Event]:
    without = optional.left_out()
    raised = {key: act.event for key, act in declared().items() if act.event is not None}
    return {key: event for key, event in raised.items() if event.room not in without}
