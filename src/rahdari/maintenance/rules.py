"""Announced work: its states and moves, what it can do to an address, and what a notice of it must say. Pure.

A move that is not in MOVES does not exist. Whoever announces may give less notice than the policy asks for: an urgent
repair does not wait a week. It is said to the holder and counted, and nothing else follows. What work does is said for
each component, in the words of the standard (BCOP maintnote), of which the worst counts.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rahdari.address import AddressError, Block, EndpointError, Part, Protocol, format_block, parse_block, parse_port
from rahdari.policy import Maintenance


class State(StrEnum):
    DRAFT = "draft"
    ANNOUNCED = "announced"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


OPEN = (State.ANNOUNCED, State.STARTED)


class Status(StrEnum):
    """X-MAINTNOTE-STATUS. `RE-SCHEDULED`, which some send, is not of the standard: another window is a new SEQUENCE."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    IN_PROCESS = "IN-PROCESS"
    COMPLETED = "COMPLETED"


class Impact(StrEnum):
    """X-MAINTNOTE-IMPACT, the mildest first."""

    NO_IMPACT = "NO-IMPACT"
    REDUCED_REDUNDANCY = "REDUCED-REDUNDANCY"
    DEGRADED = "DEGRADED"
    OUTAGE = "OUTAGE"

    @property
    def weight(self) -> int:
        return list(Impact).index(self)


def worst(impacts: Iterable[Impact]) -> Impact:
    return max(impacts, key=lambda each: each.weight, default=Impact.NO_IMPACT)


class Reason(StrEnum):
    """Why there is work: a closed list, and one sentence beside it. None of them is about what a line carries."""

    MOVE = "move"  # lines go to another gateway or building
    UPGRADE = "upgrade"  # of equipment or software
    REPAIR = "repair"
    CABLE = "cable"
    POWER = "power"
    CAPACITY = "capacity"
    RENUMBER = "renumber"
    SECURITY = "security"  # of the network's own equipment
    TEST = "test"
    ORDERED = "ordered"  # by a public body, of the network
    REGISTER = "register"  # of the register and its feed
    OTHER = "other"  # as the sentence beside it says: of a notice that was read in, there is no more


class By(StrEnum):
    ANNOUNCER = "announcer"  # the operator of the networks, or the regulator


@dataclass(frozen=True)
class Move:
    """`tells`: it is a new sequence, of which each consumer hears."""

    source: State
    act: str
    target: State
    tells: bool = True
    by: By = By.ANNOUNCER


MOVES = (
    Move(State.DRAFT, "edit", State.DRAFT, tells=False),
    Move(State.DRAFT, "announce", State.ANNOUNCED),
    Move(State.ANNOUNCED, "change", State.ANNOUNCED),
    Move(State.ANNOUNCED, "cancel", State.CANCELLED),
    Move(State.ANNOUNCED, "start", State.STARTED),
    # Once it runs, what was announced stands: only the end that is expected moves.
    Move(State.STARTED, "prolong", State.STARTED),
    Move(State.STARTED, "complete", State.COMPLETED),
    # Whoever forgot to say that it began says that it is over.
    Move(State.ANNOUNCED, "complete", State.COMPLETED),
)


def allows(state: str, act: str) -> bool:
    return any(move.source == state and move.act == act for move in MOVES)


def target_of(state: str, act: str) -> State:
    return next(move.target for move in MOVES if move.source == state and move.act == act)


# A crew begins a little before its hour. Days before it the button is pressed by mistake: everybody reads at once that
# the work runs, and no move leads back.
EARLY = dt.timedelta(hours=1)


def possible_from(state: str, act: str, starts_at: dt.datetime | None) -> dt.datetime | None:
    """From when on announced work can be said to have begun, or to be over; None: there is no such time."""
    early = {"start": EARLY, "complete": dt.timedelta()}.get(act) if state == State.ANNOUNCED else None
    return starts_at - early if starts_at is not None and early is not None else None


def status_of(state: str, *, is_tentative: bool) -> Status:
    """How a notice of work in this state is called. There is none of a draft."""
    if state == State.ANNOUNCED:
        return Status.TENTATIVE if is_tentative else Status.CONFIRMED
    return {
        State.STARTED: Status.IN_PROCESS,
        State.COMPLETED: Status.COMPLETED,
        State.CANCELLED: Status.CANCELLED,
    }[State(state)]


# -- another night -------------------------------------------------------------------------------------------------

# What a holder who asks for another night may be answered.
MOVED, STAYS = "moved", "stays"


class Stays(StrEnum):
    """Why work stays where it is: a closed list, and words beside it."""

    URGENT = "urgent"  # what is to be repaired would get worse
    OTHERS = "others"  # another company works then, or lends what is needed
    WORSE = "worse"  # another night interrupts more holders
    ORDERED = "ordered"  # a public body set the time
    MOVED_BEFORE = "moved_before"  # it was moved for somebody already


# What a holder may write to whoever announced.
LONGEST_WHY = 200


def answer_by(*, asked_at: dt.datetime, starts_at: dt.datetime, terms: Maintenance) -> dt.datetime:
    """Until when whoever announced has to answer: never longer than until the work begins."""
    return min(asked_at + terms.answer_within, starts_at)


# -- what is affected ----------------------------------------------------------------------------------------------

FEED_ID = re.compile(r"[0-9a-f]{32}")


# All that runs at an address.
WHOLE = Part(Protocol.ANY)


@dataclass(frozen=True)
class Component:
    """A prefix, all that runs at it or one service, or an entry by its feed id, with what the work does to it."""

    block: Block | None
    impact: Impact
    part: Part = WHOLE
    feed_id: str = ""


class LineFault(StrEnum):
    NOTHING = "nothing"
    TOO_MANY = "too_many"
    ADDRESS = "address"
    PROTOCOL = "protocol"
    PORT = "port"
    IMPACT = "impact"
    REST = "rest"


@dataclass(frozen=True)
class LineTrouble:
    """What is wrong with a line, and which it is; 0: with all of them together."""

    line: int
    fault: LineFault
    text: str = ""
    suggestion: str = ""
    limit: int = 0


def read_components(text: str, *, impact: Impact, most: int) -> list[Component] | LineTrouble:
    """A line each: `203.0.113.32/27`, `203.0.113.41 udp 51820`, or the feed id of an entry; behind it its impact where
    it is another than `impact`. What stands behind `#` is a note."""
    found: list[Component] = []
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    for number, line in lines:
        if not line:
            continue
        if len(found) == most:
            return LineTrouble(number, LineFault.TOO_MANY, limit=most)
        read = read_component(line, impact=impact)
        if isinstance(read, LineTrouble):
            return LineTrouble(number, read.fault, read.text, read.suggestion)
        found.append(read)
    return found or LineTrouble(0, LineFault.NOTHING)


def read_component(text: str, *, impact: Impact) -> Component | LineTrouble:
    """One line of these."""
    words = text.replace(",", " ").replace("/udp", " udp").replace("/tcp", " tcp").split()
    if not words:
        return LineTrouble(0, LineFault.ADDRESS, text)
    first, rest = words[0], words[1:]
    if rest and rest[-1].upper().replace("_", "-") in set(Impact):
        impact = Impact(rest.pop().upper().replace("_", "-"))
    if FEED_ID.fullmatch(first.lower()):
        return LineTrouble(0, LineFault.REST, rest[0]) if rest else Component(None, impact, feed_id=first.lower())
    try:
        block = parse_block(first)
    except AddressError as error:
        return LineTrouble(0, LineFault.ADDRESS, first, error.suggestion or "")
    part = _part(rest)
    return part if isinstance(part, LineTrouble) else Component(block, impact, part)


def _part(words: Sequence[str]) -> Part | LineTrouble:
    if not words:
        return WHOLE
    if len(words) > 2:
        # The last word can be nothing but a misspelt impact.
        return LineTrouble(0, LineFault.IMPACT, words[-1])
    protocol = words[0].lower()
    if protocol not in set(Protocol):
        return LineTrouble(0, LineFault.PROTOCOL, words[0])
    try:
        return Part(Protocol(protocol), parse_port(words[1]) if len(words) == 2 else None)
    except EndpointError:
        return LineTrouble(0, LineFault.PORT, words[-1])


def line_of(component: Component, *, usual: Impact | None = None) -> str:
    """As `read_components` reads it."""
    what = component.feed_id or " ".join((format_block(component.block), *part_words(component.part)))  # type: ignore[arg-type]
    return what if component.impact == usual else f"{what} {component.impact}"


def noted_line_of(component: Component, *, usual: Impact | None = None) -> str:
    """The same for whoever changes it: behind the feed id of an entry stands its address, as a note."""
    line = line_of(component, usual=usual)
    return f"{line}  # {place_of(component)}" if component.feed_id and component.block is not None else line


def place_of(component: Component) -> str:
    """By which its operator knows it: `203.0.113.41 udp 51820`."""
    return line_of(replace(component, feed_id=""), usual=component.impact)


def part_words(part: Part) -> list[str]:
    """`["udp", "51820"]`; nothing of all that runs at an address."""
    if part.protocol is Protocol.ANY:
        return []
    return [str(part.protocol), *([str(part.port)] if part.port is not None else [])]


@dataclass(frozen=True)
class Plan:
    """What is to be announced. A draft may lack its window and its sentence."""

    components: Sequence[Component]
    reason: Reason
    text_en: str = ""
    text_ur: str = ""
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    # How long an address is without an answer at most, where that is shorter than the window.
    minutes: int | None = None
    is_tentative: bool = False


# -- what an operator writes to holders ----------------------------------------------------------------------------


class Words(StrEnum):
    """How it is with the words of whoever announces."""

    SHOWN = "shown"
    WAIT = "wait"  # for an officer to read them
    KEPT_BACK = "kept_back"


def words_of(is_shown: bool | None) -> Words:
    return Words.WAIT if is_shown is None else Words.SHOWN if is_shown else Words.KEPT_BACK


def wording_key(text_en: str, text_ur: str) -> str:
    """The same of texts that differ in figures, in capitals and in spaces alone."""
    plain = (" ".join(unicodedata.normalize("NFKC", each).casefold().split()) for each in (text_en, text_ur))
    folded = (re.sub(r"\d+", "0", each) for each in plain)
    return hashlib.sha256("\n".join(folded).encode()).hexdigest()


# So many letters a day one holder gets of one announcer; what is beyond goes into one letter with others, at most every
# six hours.
LETTERS_A_DAY = 5
GATHERED_FOR = dt.timedelta(hours=6)

# -- when ----------------------------------------------------------------------------------------------------------


class WindowFault(StrEnum):
    MISSING = "missing"
    ENDS_FIRST = "ends_first"
    PAST = "past"
    TOO_LONG = "too_long"
    TOO_FAR = "too_far"
    INTERRUPTED_LONGER = "interrupted_longer"
    NOT_LONGER = "not_longer"  # than the announced window, or than now: of work that takes longer


def judge_draft(*, starts_at: dt.datetime | None, ends_at: dt.datetime | None, now: dt.datetime) -> WindowFault | None:
    """Whether this can be drafted. It may lack its window; one that is over can never be announced."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        return WindowFault.ENDS_FIRST
    if any(each is not None and each <= now for each in (starts_at, ends_at)):
        return WindowFault.PAST
    return None


def judge_window(
    *,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
    minutes: int | None,
    terms: Maintenance,
    now: dt.datetime,
) -> WindowFault | None:
    """Whether this can be announced. How much notice it gives is no fault."""
    if starts_at is None or ends_at is None:
        return WindowFault.MISSING
    if fault := judge_draft(starts_at=starts_at, ends_at=ends_at, now=now):
        return fault
    if ends_at - starts_at > terms.longest_window:
        return WindowFault.TOO_LONG
    if starts_at - now > terms.furthest_ahead:
        return WindowFault.TOO_FAR
    if minutes is not None and dt.timedelta(minutes=minutes) > ends_at - starts_at:
        return WindowFault.INTERRUPTED_LONGER
    return None


def is_in_time(*, told_at: dt.datetime, starts_at: dt.datetime, terms: Maintenance) -> bool:
    return starts_at - told_at >= terms.notice


def is_worse(before: Sequence[Component], after: Sequence[Component]) -> bool:
    """Whether anybody may be affected, or affected more, of whom nothing was said before: then notice counts anew."""
    known = {(each.block, each.part, each.feed_id): each.impact.weight for each in before}
    return any(each.impact.weight > known.get((each.block, each.part, each.feed_id), -1) for each in after)
