"""When a registered connection is cut: what may be said, how an incident moves, and when two reports have one cause.

Pure: no database, no clock, no request. A move that is not in MOVES does not exist; its guard looks at `Facts` alone.
Whether something was cut is never a matter of who says so: an incident ends when the connection answers again, from
inside the operator's network and from outside, or for a reason that its holder may dispute.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

Block = IPv4Network | IPv6Network

# Reports of the same minute, at the same operator and measured alike, have one cause.
A_MINUTE = dt.timedelta(minutes=1)


class State(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # whoever has to mend it has read it
    WITH_OPERATOR = "with_operator"  # it gave a reason, and works on it
    RESOLVED = "resolved"  # it says that it is over; that is not shown yet
    CLOSED_WITH_PROOF = "closed_with_proof"
    CLOSED_BY_ITSELF = "closed_by_itself"  # nobody mended it, or nobody showed that it was mended
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"  # another one has the same cause


class By(StrEnum):
    HOLDER = "holder"  # or their program
    OPERATOR = "operator"  # the desk, where no operator is known
    DESK = "desk"
    CLOCK = "clock"


class Channel(StrEnum):
    """How a report came."""

    PAGE = "page"
    API = "api"
    AGENT = "agent"  # the holder's own, which sees the way out of their network
    DESK = "desk"  # somebody called, or wrote an SMS, and an officer wrote it down
    MEASURED = "measured"
    OVERRUN = "overrun"  # announced work that is not over in its time


# By these the holder asked for it: officers see what was measured in such an incident alone.
OF_THE_HOLDER = frozenset({Channel.PAGE, Channel.API, Channel.AGENT, Channel.DESK})


class Sees(StrEnum):
    """What the holder sees. Nothing about what they do there."""

    NOTHING = "nothing"  # nothing connects
    DROPS = "drops"
    SLOW = "slow"
    SOME = "some"  # from some places only


class OwnSide(StrEnum):
    ON = "on"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """What whoever mends it says. A closed list: words stand beside it, and never instead of it."""

    FILTER_TOO_WIDE = "filter_too_wide"
    LIST_NOT_APPLIED = "list_not_applied"  # the register's list was not, or not wholly, in force
    PLANNED_WORK = "planned_work"
    FAULT = "fault"  # of a device or a line of the network
    ATTACK = "attack"  # what was done against one caught it, too
    UPSTREAM = "upstream"
    POWER = "power"
    ORDER = "order"  # of a court or an authority, in writing
    HOLDER_SERVER = "holder_server"
    NOTHING_FOUND = "nothing_found"
    NOT_OURS = "not_ours"  # another network has the address


# It works on these; it says by those that there is nothing for it to mend, and the holder may dispute that.
MENDS = tuple(each for each in Reason if each not in {"order", "holder_server", "nothing_found", "not_ours"})
DISCLAIMS = (Reason.HOLDER_SERVER, Reason.NOTHING_FOUND, Reason.ORDER)


class Proof(StrEnum):
    """On what an end rests."""

    LOOKS = "looks"  # k in a row, from inside and outside
    HOLDERS = "holders"  # nobody measured; everybody who reported it says that it works again


@dataclass(frozen=True)
class Facts:
    """What the guards look at."""

    has_operator: bool = True
    reason: Reason | None = None
    is_measured: bool = False
    answers_again: bool = False  # k looks in a row, from inside and outside
    is_cut_again: bool = False  # k looks in a row after somebody said that it is mended
    all_work: bool = False  # every report that stands says so
    is_only_report: bool = True
    answer_is_late: bool = False
    mend_is_late: bool = False
    report_is_late: bool = False
    is_muted: bool = False
    window_is_over: bool = False
    is_undisputed: bool = False  # the time to dispute is over
    is_work_alone: bool = False  # nobody reported a connection: work was not over in its window, and is now
    may_open_again: bool = False


@dataclass(frozen=True)
class Guard:
    """`text` is how the table in docs/incidents.md says it."""

    text: str
    holds: Callable[[Facts], bool]


ALWAYS = Guard("–", lambda facts: True)
A_REASON = Guard("a reason was given", lambda facts: facts.reason is not None)
PROVED = Guard(
    "it answers from inside and outside, or nobody measured and all say that it works",
    lambda facts: facts.answers_again or (not facts.is_measured and facts.all_work),
)


@dataclass(frozen=True)
class Move:
    """`reasons`: one of these is given with it; none: it takes none."""

    sources: frozenset[State]
    act: str
    target: State | None  # None: it stays as it is
    by: By
    guard: Guard = ALWAYS
    reasons: tuple[Reason, ...] = ()

    def leads_from(self, state: State) -> State:
        return self.target or state


OPEN, ACKNOWLEDGED, WITH_OPERATOR, RESOLVED = State.OPEN, State.ACKNOWLEDGED, State.WITH_OPERATOR, State.RESOLVED
CUT = frozenset({OPEN, ACKNOWLEDGED, WITH_OPERATOR})
LIVE = CUT | {RESOLVED}
ENDED = frozenset({State.CLOSED_WITH_PROOF, State.CLOSED_BY_ITSELF, State.FALSE_ALARM})
UNANSWERED = frozenset({OPEN, ACKNOWLEDGED})

MOVES = (
    Move(LIVE, "join", None, By.HOLDER, Guard("it has the same cause", lambda facts: True)),
    Move(LIVE, "add", None, By.HOLDER),
    Move(LIVE, "say_it_works", None, By.HOLDER),
    Move(CUT, "withdraw", State.FALSE_ALARM, By.HOLDER, Guard("it is the only report", lambda f: f.is_only_report)),
    Move(LIVE, "withdraw", None, By.HOLDER, Guard("there are other reports", lambda f: not f.is_only_report)),
    Move(frozenset({RESOLVED}), "dispute", WITH_OPERATOR, By.HOLDER),
    Move(ENDED, "open_again", OPEN, By.HOLDER, Guard("within the time for it", lambda facts: facts.may_open_again)),
    Move(frozenset({OPEN}), "acknowledge", ACKNOWLEDGED, By.OPERATOR),
    Move(CUT, "answer", WITH_OPERATOR, By.OPERATOR, reasons=MENDS),
    Move(LIVE | ENDED, "tell", None, By.OPERATOR),
    Move(CUT, "say_mended", RESOLVED, By.OPERATOR, A_REASON),
    Move(CUT, "disclaim", RESOLVED, By.OPERATOR, reasons=DISCLAIMS),
    Move(
        CUT, "hand_back", OPEN, By.OPERATOR, Guard("an operator has it", lambda f: f.has_operator), (Reason.NOT_OURS,)
    ),
    Move(CUT, "assign", OPEN, By.DESK, Guard("no operator has it", lambda facts: not facts.has_operator)),
    Move(LIVE, "merge", State.MERGED, By.DESK, Guard("into one that is open, of the same operator", lambda f: True)),
    Move(ENDED, "report", None, By.OPERATOR),
    # The clock. What it looks at is measured, or was said by whoever may say it.
    Move(CUT, "overrun", None, By.CLOCK, Guard("its window is over", lambda f: f.is_muted and f.window_is_over)),
    Move(UNANSWERED, "escalate", None, By.CLOCK, Guard("the answer is late", lambda facts: facts.answer_is_late)),
    Move(CUT, "escalate_mend", None, By.CLOCK, Guard("it is not mended in time", lambda facts: facts.mend_is_late)),
    Move(ENDED, "escalate_report", None, By.CLOCK, Guard("the report is late", lambda facts: facts.report_is_late)),
    Move(frozenset({WITH_OPERATOR, RESOLVED}), "close", State.CLOSED_WITH_PROOF, By.CLOCK, PROVED),
    Move(UNANSWERED, "close", State.CLOSED_BY_ITSELF, By.CLOCK, PROVED),
    Move(
        frozenset({RESOLVED}),
        "find_cut",
        WITH_OPERATOR,
        By.CLOCK,
        Guard("it was said to be mended, and does not answer", lambda facts: facts.is_cut_again),
    ),
    Move(
        LIVE,
        "let_stand",
        State.CLOSED_BY_ITSELF,
        By.CLOCK,
        Guard(
            "nobody reported a connection, and the announced work that overran is over",
            lambda facts: facts.is_work_alone,
        ),
    ),
    Move(
        frozenset({RESOLVED}),
        "let_stand",
        State.FALSE_ALARM,
        By.CLOCK,
        Guard(
            "the operator found nothing to mend, and nobody disputes it",
            lambda facts: facts.is_undisputed and facts.reason in DISCLAIMS,
        ),
    ),
    Move(
        frozenset({RESOLVED}),
        "let_stand",
        State.CLOSED_BY_ITSELF,
        By.CLOCK,
        Guard(
            "it was said to be mended, nobody could measure, and nobody disputes it",
            lambda facts: facts.is_undisputed and not facts.is_measured and facts.reason not in DISCLAIMS,
        ),
    ),
)


def moves_named(act: str) -> tuple[Move, ...]:
    return tuple(move for move in MOVES if move.act == act)


def move_of(act: str, state: State, facts: Facts, reason: Reason | None = None) -> Move | None:
    """The move that this act makes now, with this reason; None: it makes none."""
    for move in moves_named(act):
        takes = reason in move.reasons if move.reasons else reason is None
        if state in move.sources and takes and move.guard.holds(facts):
            return move
    return None


def steps() -> frozenset[tuple[State, State]]:
    """From which state to which other one a move leads: what the database lets through."""
    return frozenset((a, move.target) for move in MOVES if move.target for a in move.sources if a != move.target)


# -- one cause -----------------------------------------------------------------------------------------------------


# Verdicts of a cut: on the way, or at the operator.
ON_THE_WAY = frozenset({"path_blocked", "this_operator"})


@dataclass(frozen=True)
class Cause:
    """What a report is compared by. `operator`: its key; "": none is known. `measured`: what the verdict says, "" where
    it says nothing; `began_at`: when it was seen to be so first, and `unseen`: so long before nobody had looked."""

    operator: str
    blocks: tuple[Block, ...]
    began_at: dt.datetime
    measured: str = ""
    unseen: dt.timedelta = dt.timedelta(0)

    def may_have_begun_before(self, other: "Cause") -> bool:
        return self.began_at - self.unseen - A_MINUTE <= other.began_at


def overlap(one: Block, other: Block) -> bool:
    return one.version == other.version and one.overlaps(other)


def have_one_cause(one: Cause, other: Cause) -> bool:
    """Of one operator, and at addresses that overlap, or measured alike from what may be the same minute on. What an
    operator cuts is first seen to be in the way, and the operator named at the next look: that is alike. Where no
    operator is known the addresses alone say it."""
    if one.operator != other.operator:
        return False
    if any(overlap(a, b) for a in one.blocks for b in other.blocks):
        return True
    alike = one.measured != "" and other.measured in alike_to(one.measured)
    together = one.may_have_begun_before(other) and other.may_have_begun_before(one)
    return one.operator != "" and alike and together


def alike_to(measured: str) -> frozenset[str]:
    return ON_THE_WAY if measured in ON_THE_WAY else frozenset({measured})


# -- looks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What one round saw of one connection. None: nobody could look from there, or it is not enough to say. `is_off`:
    by the verdict its server was, which no network mends."""

    at: dt.datetime
    outside: bool | None
    inside: bool | None = None
    is_off: bool = False

    @property
    def says_nothing_of_others(self) -> bool:
        return self.is_off or self.outside is None


def awaited[Of](looked: Sequence[tuple[Of, Sequence[Look]]]) -> Sequence[tuple[Of, Sequence[Look]]]:
    """Those that have to answer for it to be over. A server that is off by now, or of which nothing can be said, keeps
    no incident of others open."""
    return [(each, looks) for each, looks in looked if not (looks and looks[-1].says_nothing_of_others)] or looked


def answered_in_a_row(looks: Sequence[Look]) -> int:
    """How many of the last looks in a row were answered from everywhere that looked. A look that says nothing breaks
    no row and lengthens none."""
    count = 0
    for look in sorted(looks, key=lambda each: each.at, reverse=True):
        seen = {look.outside, look.inside} - {None}
        if not seen:
            continue
        if False in seen:
            break
        count += 1
    return count


def failed_in_a_row(looks: Sequence[Look]) -> int:
    """The same of those that were not answered from outside."""
    count = 0
    for look in sorted(looks, key=lambda each: each.at, reverse=True):
        if look.outside is None:
            continue
        if look.outside:
            break
        count += 1
    return count


def answers_again(looks: Sequence[Look], *, needed: int, holder_says_so: bool) -> bool:
    """Whether the last `needed` looks show that it is back: from outside, and from inside. Where nobody can look from
    inside the operator's network its holder, who is there, says it."""
    if answered_in_a_row(looks) < needed:
        return False
    last = [each for each in sorted(looks, key=lambda each: each.at) if each.outside is not None][-needed:]
    outside = len(last) == needed and all(each.outside for each in last)
    inside = any(each.inside for each in last) or (all(each.inside is None for each in last) and holder_says_so)
    return outside and inside


def all_answer(reports: Iterable[bool]) -> bool:
    """Of the reports that stand, whether each answers; not where there is none."""
    said = list(reports)
    return bool(said) and all(said)
