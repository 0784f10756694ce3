"""How a case may move, and when it may be granted or refused. Pure: no database, no clock, no request.

Four dimensions are kept apart and never multiplied into one list of statuses: the case's status, its question, its
notice, the hearing about the notice. A move that is not in MOVES does not exist. No move of a rule ends in a refusal,
and no path reaches a refusal but by a notice whose time was given and a second officer.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rahdari.policy import CheckRule, Reason


class Status(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    NOT_PURSUED = "not_pursued"
    WITHDRAWN = "withdrawn"


class Lane(StrEnum):
    AUTOMATIC = "automatic"
    REVIEW = "review"


class Outcome(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    # Not of an application: of the registration that came of it.
    REVOKED = "revoked"


class QuestionState(StrEnum):
    NONE = "none"  # never asked, or answered
    OPEN = "open"  # the applicant's turn
    LAPSED = "lapsed"  # the time to answer is over


class NoticeState(StrEnum):
    NONE = "none"  # never sent, or dropped
    RUNNING = "running"  # the applicant's turn
    RIPE = "ripe"  # answered, or the time is over: the second officer's turn


class HearingState(StrEnum):
    NONE = "none"  # nobody asked for one
    ASKED = "asked"  # nothing is decided before it
    OVER = "over"  # held, or nobody came


class HearingOutcome(StrEnum):
    ATTENDED = "attended"
    NOBODY_CAME = "nobody_came"
    MOVED = "moved"


class By(StrEnum):
    RULE = "rule"
    OFFICER = "officer"
    SECOND = "second officer"
    SUPERVISOR = "supervisor"
    DIRECTOR = "director"
    # Also somebody from outside who was named for this one proposal.
    EITHER = "officer or reviewer"
    APPLICANT = "applicant"
    CLOCK = "clock"
    WORKFLOW = "workflow"
    APPEAL = "appeal"


@dataclass(frozen=True)
class CaseStanding:
    status: Status
    question: QuestionState = QuestionState.NONE
    notice: NoticeState = NoticeState.NONE
    hearing: HearingState = HearingState.NONE


QUIET = frozenset({QuestionState.NONE})
ASKED = frozenset({QuestionState.OPEN})
OVERDUE = frozenset({QuestionState.LAPSED})
ANY_QUESTION = frozenset(QuestionState)
NO_NOTICE = frozenset({NoticeState.NONE})
RUNNING = frozenset({NoticeState.RUNNING})
RIPE = frozenset({NoticeState.RIPE})
STANDING_NOTICE = RUNNING | RIPE
ANY_NOTICE = frozenset(NoticeState)
NO_HEARING = frozenset({HearingState.NONE})
HEARING_ASKED = frozenset({HearingState.ASKED})
HEARING_SETTLED = frozenset({HearingState.NONE, HearingState.OVER})
NOT_HEARD = frozenset({HearingState.NONE, HearingState.ASKED})
ANY_HEARING = frozenset(HearingState)


@dataclass(frozen=True)
class Move:
    source: Status
    act: str
    target: Status
    by: By
    question: frozenset[QuestionState] = ANY_QUESTION
    notice: frozenset[NoticeState] = ANY_NOTICE
    outcome: Outcome | None = None
    guards: tuple[str, ...] = ()
    reason_needed: bool = False
    hearing: frozenset[HearingState] = ANY_HEARING

    def fits(self, standing: CaseStanding) -> bool:
        return (
            standing.status == self.source
            and standing.question in self.question
            and standing.notice in self.notice
            and standing.hearing in self.hearing
        )

    def is_by(self, actor: str) -> bool:
        """Whether somebody whom the journal calls this makes this move."""
        return _kind_of(actor) in _KINDS[self.by]


# What names in the journal begin with, up to the colon: of whoever makes a move.
_OFFICERS = frozenset({"officer", "supervisor"})
_KINDS = {
    By.RULE: frozenset({"rule"}),
    By.OFFICER: _OFFICERS,
    By.SECOND: _OFFICERS | {"reviewer"},
    By.EITHER: _OFFICERS | {"reviewer"},
    By.SUPERVISOR: _OFFICERS,
    By.DIRECTOR: _OFFICERS,
    By.APPLICANT: frozenset({"person", "agent"}),
    By.CLOCK: frozenset({"clock"}),
    By.WORKFLOW: frozenset({"system"}),
    By.APPEAL: frozenset({"appeal"}),
}


def _kind_of(actor: str) -> str:
    return actor.partition(":")[0]


OPEN, DECIDED, NOT_PURSUED, WITHDRAWN = Status.OPEN, Status.DECIDED, Status.NOT_PURSUED, Status.WITHDRAWN
OWN = "own_case_only"

MOVES = (
    Move(OPEN, "grant_by_rule", DECIDED, By.RULE, QUIET, NO_NOTICE, Outcome.GRANTED, ("rule_never_refuses",)),
    # Some check waits past the clock after which the policy lets a registration stand without it.
    Move(OPEN, "grant_provisionally", DECIDED, By.RULE, QUIET, NO_NOTICE, Outcome.GRANTED, ("rule_never_refuses",)),
    Move(OPEN, "take_case", OPEN, By.OFFICER),
    Move(OPEN, "hand_over", OPEN, By.OFFICER, guards=(OWN,)),
    Move(OPEN, "reassign", OPEN, By.SUPERVISOR),
    # Whoever had it holds no post any more: it is for anybody.
    Move(OPEN, "release_case", OPEN, By.CLOCK),
    # Somebody else decides: the officer says why, or the applicant does, once, and not instead of answering a notice.
    Move(OPEN, "recuse", OPEN, By.OFFICER, reason_needed=True),
    Move(DECIDED, "recuse", DECIDED, By.OFFICER, reason_needed=True),
    Move(OPEN, "ask_for_another_officer", OPEN, By.APPLICANT, notice=NO_NOTICE, reason_needed=True),
    Move(OPEN, "record_check", OPEN, By.OFFICER, guards=(OWN,), reason_needed=True),
    # Of an address whose network the directory does not know; also afterwards, for one that reaches nobody.
    Move(OPEN, "name_network", OPEN, By.OFFICER, guards=(OWN,)),
    Move(DECIDED, "name_network", DECIDED, By.OFFICER),
    # Whether the applicant is its subscriber: what an operator says goes into the file, and decides nothing.
    Move(OPEN, "ask_operator", OPEN, By.OFFICER, guards=(OWN,)),
    Move(OPEN, "grant", DECIDED, By.OFFICER, QUIET, NO_NOTICE, Outcome.GRANTED, (OWN,)),
    Move(OPEN, "ask_question", OPEN, By.OFFICER, QUIET, NO_NOTICE, None, (OWN, "confirmed_codes_only")),
    Move(OPEN, "extend_question", OPEN, By.APPLICANT, ASKED),
    Move(OPEN, "answer_question", OPEN, By.APPLICANT, ASKED),
    Move(OPEN, "close_unanswered", NOT_PURSUED, By.CLOCK, ASKED),
    Move(NOT_PURSUED, "answer_question", OPEN, By.APPLICANT, OVERDUE),
    Move(
        OPEN,
        "propose_refusal",
        OPEN,
        By.OFFICER,
        QUIET,
        NO_NOTICE,
        None,
        (OWN, "reason_required", "confirmed_codes_only"),
        True,
    ),
    # Until the second officer decides, a late answer is better than none.
    Move(OPEN, "answer_notice", OPEN, By.APPLICANT, QUIET, STANDING_NOTICE),
    Move(OPEN, "let_notice_run_out", OPEN, By.CLOCK, QUIET, RUNNING),
    # Nobody in the office may decide it: somebody from outside does, and reads this one file.
    Move(OPEN, "name_reviewer", OPEN, By.SUPERVISOR, QUIET, STANDING_NOTICE),
    # By a code whose remedies offer it the applicant wants to be heard: an officer sets the day, and writes down what
    # was said, or that nobody came.
    Move(OPEN, "ask_for_hearing", OPEN, By.APPLICANT, QUIET, STANDING_NOTICE, hearing=NO_HEARING),
    Move(OPEN, "set_hearing", OPEN, By.OFFICER, QUIET, STANDING_NOTICE, hearing=HEARING_ASKED),
    Move(OPEN, "record_hearing", OPEN, By.OFFICER, QUIET, STANDING_NOTICE, None, (), True, HEARING_ASKED),
    Move(OPEN, "drop_refusal", OPEN, By.EITHER, QUIET, STANDING_NOTICE, reason_needed=True),
    Move(
        OPEN,
        "second_refusal",
        DECIDED,
        By.SECOND,
        QUIET,
        RIPE,
        Outcome.REFUSED,
        ("notice_before_refusal", "second_officer", "no_self_second", "director_rank", "reason_required"),
        True,
        HEARING_SETTLED,
    ),
    Move(OPEN, "escalate", OPEN, By.CLOCK),
    Move(OPEN, "close_withdrawn", WITHDRAWN, By.CLOCK),
    Move(DECIDED, "return_grant", OPEN, By.WORKFLOW),
    # Of a provisional grant: what was awaited came, or did not. An entry stays meanwhile.
    Move(DECIDED, "confirm_grant", DECIDED, By.RULE, QUIET, NO_NOTICE, Outcome.GRANTED, ("rule_never_refuses",)),
    Move(DECIDED, "return_provisional", OPEN, By.WORKFLOW),
    # A registration that should not have been granted, or is in other hands now: the way of a refusal, once more.
    Move(
        DECIDED,
        "propose_revocation",
        DECIDED,
        By.OFFICER,
        QUIET,
        NO_NOTICE,
        None,
        ("reason_required", "confirmed_codes_only"),
        True,
    ),
    # A court ordered it: what is to be answered is answered there, and the holder is told at once.
    Move(
        DECIDED,
        "propose_by_order",
        DECIDED,
        By.OFFICER,
        QUIET,
        NO_NOTICE,
        None,
        ("reason_required", "confirmed_codes_only"),
        True,
    ),
    Move(DECIDED, "answer_notice", DECIDED, By.APPLICANT, QUIET, STANDING_NOTICE),
    Move(DECIDED, "let_notice_run_out", DECIDED, By.CLOCK, QUIET, RUNNING),
    # Off, unless the policy turns it on: for some hours, while the holder may still answer and is not heard. It decides
    # nothing, and there is one of a registration.
    Move(
        DECIDED,
        "suspend_before_hearing",
        DECIDED,
        By.DIRECTOR,
        QUIET,
        STANDING_NOTICE,
        None,
        ("director_before_hearing", "reason_required"),
        True,
        NOT_HEARD,
    ),
    Move(DECIDED, "ask_for_hearing", DECIDED, By.APPLICANT, QUIET, STANDING_NOTICE, hearing=NO_HEARING),
    Move(DECIDED, "set_hearing", DECIDED, By.OFFICER, QUIET, STANDING_NOTICE, hearing=HEARING_ASKED),
    Move(DECIDED, "record_hearing", DECIDED, By.OFFICER, QUIET, STANDING_NOTICE, None, (), True, HEARING_ASKED),
    # The time in which it had to be decided is over: the registration stays as it is.
    Move(DECIDED, "let_proposal_lapse", DECIDED, By.CLOCK, QUIET, RIPE),
    Move(DECIDED, "name_reviewer", DECIDED, By.SUPERVISOR, QUIET, STANDING_NOTICE),
    Move(DECIDED, "keep_registration", DECIDED, By.EITHER, QUIET, STANDING_NOTICE, reason_needed=True),
    Move(
        DECIDED,
        "second_revocation",
        DECIDED,
        By.SECOND,
        QUIET,
        RIPE,
        Outcome.REVOKED,
        ("notice_before_refusal", "second_officer", "no_self_second", "director_rank", "reason_required"),
        True,
        HEARING_SETTLED,
    ),
    Move(DECIDED, "restore_registration", DECIDED, By.OFFICER, QUIET, NO_NOTICE, reason_needed=True),
    # A suspension ends on its day, or before it when what it rested on came.
    Move(DECIDED, "end_suspension", DECIDED, By.CLOCK),
    Move(DECIDED, "restore_by_rule", DECIDED, By.RULE),
    # An appeal was allowed, or sent back: what was decided is void, and stays on record.
    Move(DECIDED, "set_aside_refusal", OPEN, By.APPEAL),
    Move(DECIDED, "set_aside_revocation", DECIDED, By.APPEAL),
)


def move_from(source: str, act: str) -> Move | None:
    """The one move of this act from this status; whether it fits the question and the notice too, `fits` says."""
    return next((move for move in MOVES if move.act == act and move.source == source), None)


def allows(standing: CaseStanding, act: str) -> bool:
    move = move_from(standing.status, act)
    return move is not None and move.fits(standing)


# -- granting ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckFact:
    """A check as far as a decision needs it. `target` is the roster of a roster check."""

    kind: str
    target: str
    outcome: str  # waiting | passed | failed
    title: tuple[str, str] = ("", "")
    # It waits, and past the clock after which its rule lets a registration stand provisionally.
    past_clock: bool = False

    @property
    def is_awaited(self) -> bool:
        return self.outcome == "waiting" and self.past_clock


# Codes of the policy with the ground "request": the holder asked for the end, or the pause.
ENDED_AT_REQUEST, PAUSED_AT_REQUEST = "X1", "S3"
# For so many days a holder may pause; it goes on by itself after them, and at a press before.
PAUSES = (7, 30, 90)
# Not a check of the policy: an address that no operator would get.
REACH = "reach"
# The same of a private person who applies in what reads like a company's name: a rule grants nothing then.
NAME = "name"


@dataclass(frozen=True)
class Grantable:
    passed: int


@dataclass(frozen=True)
class Provisional:
    """What a registration may stand without for now: checks that wait past their clocks, and the codes that say so."""

    passed: int
    awaited: tuple[CheckFact, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True)
class NotYet:
    """Why there is no grant: checks that did not pass, and required ones that were never made."""

    missing: tuple[CheckFact, ...]


type Assessment = Grantable | Provisional | NotYet


def assess(*, rules: Sequence[CheckRule], facts: Sequence[CheckFact]) -> Assessment:
    """Every required check passed, by rule or by hand, or one that the policy lets stand in for it did.

    A check that waits past its clock may be awaited: then the registration stands provisionally. One that failed never.
    """
    missing: list[CheckFact] = []
    awaited: list[CheckFact] = []
    codes: dict[str, None] = {}
    not_needed = stood_for(rules=rules, facts=facts)
    for rule in rules:
        if not rule.required or rule.kind in not_needed:
            continue
        for answered_by, fact in _without_answer(rule, rules, facts):
            if answered_by.provisional is not None and fact.is_awaited:
                awaited.append(fact)
                codes[answered_by.provisional.reason] = None
            else:
                missing.append(fact)
    passed = sum(fact.outcome == "passed" for fact in facts)
    if missing:
        return NotYet(tuple(missing))
    return Provisional(passed, tuple(awaited), tuple(codes)) if awaited else Grantable(passed)


def stood_for(*, rules: Sequence[CheckRule], facts: Sequence[CheckFact]) -> frozenset[str]:
    """The kinds of required checks in whose place another passed: what is found of them is in nobody's way."""
    return frozenset(rule.instead_of for rule in rules if rule.instead_of and _any_passed(_facts_of(rule, facts)))


def _without_answer(
    rule: CheckRule, rules: Sequence[CheckRule], facts: Sequence[CheckFact]
) -> list[tuple[CheckRule, CheckFact]]:
    """What of this rule did not pass; or else, what may come to stand in for it, if that is awaited already."""
    found = _facts_of(rule, facts)
    never = CheckFact(rule.kind, rule.roster or "", "never_made", (rule.title.en, rule.title.ur))
    open_ones = [(rule, fact) for fact in found if fact.outcome != "passed"] if found else [(rule, never)]
    if all(rule.provisional is not None and fact.is_awaited for _, fact in open_ones):
        return open_ones
    stand_ins = [(other, fact) for other in rules if other.instead_of == rule.kind for fact in _facts_of(other, facts)]
    hoped_for = [(other, fact) for other, fact in stand_ins if other.provisional is not None and fact.is_awaited]
    return hoped_for[:1] or open_ones


def is_settled(*, rules: Sequence[CheckRule], facts: Sequence[CheckFact]) -> bool:
    """Whether there is no need to wait: all is answered, or past its clock, or what waits makes no difference."""
    if not facts:
        return False
    if all(fact.outcome != "waiting" or fact.past_clock for fact in facts):
        return True
    return isinstance(assess(rules=rules, facts=facts), Grantable)


class Beside(StrEnum):
    """What a failed check means on which the decision does not rest."""

    STANDS = "stands"  # another proof is accepted in its place
    OPEN = "open"  # it was offered in the place of a check that has not passed
    OPTIONAL = "optional"


def beside(*, required: bool, instead_of: str | None, not_passed: Collection[str]) -> Beside:
    """`instead_of`: the kind in whose place it was offered; `not_passed`: the required kinds that neither passed nor
    have another to stand in for them."""
    if not required and instead_of is None:
        return Beside.OPTIONAL
    return Beside.OPEN if not required and instead_of in not_passed else Beside.STANDS


# Where the evidence of a check says when the answer came to us: the first that is there counts.
CAME_AT = ("came_at", "proved_at", "answered_at", "paid_at", "at")


def came_at(evidence: Mapping[str, Any], answered_at: dt.datetime) -> dt.datetime:
    """When the answer of somebody else came: our own delay in reading it is ours, and counts."""
    said = next((evidence[key] for key in CAME_AT if evidence.get(key)), None)
    return min(dt.datetime.fromisoformat(said), answered_at) if isinstance(said, str) else answered_at


def may_decide_late(*, found: Assessment, settled: bool, returned: bool, news: bool) -> bool:
    """Whether a rule decides a case that waits for an officer, when no officer has touched it.

    One that was decided before and came back (`returned`) is decided by a rule only when something was answered since
    (`news`), and never provisionally again: nothing goes round in circles, and no provisional term grows by itself.
    """
    if isinstance(found, Grantable):
        return news or not returned
    return isinstance(found, Provisional) and settled and not returned


def _facts_of(rule: CheckRule, facts: Iterable[CheckFact]) -> list[CheckFact]:
    return [fact for fact in facts if fact.kind == rule.kind and (rule.roster is None or fact.target == rule.roster)]


def _any_passed(facts: Sequence[CheckFact]) -> bool:
    return any(fact.outcome == "passed" for fact in facts)


class KeptBack(StrEnum):
    """Why the holder does not read a note after the decision. A closed list."""

    OTHER_PERSON = "other_person"
    CHECK = "check"


class WhyNotGranted(StrEnum):
    """Why a case that was chosen with others is not granted."""

    TOO_MANY = "too_many"
    UNKNOWN = "unknown"
    CLOSED = "closed"
    TAKEN = "taken"
    QUESTION = "question"
    NOTICE = "notice"
    CHECKS = "checks"
    CHANGED = "changed"


# -- the second officer ------------------------------------------------------------------------------------------


class Needs(StrEnum):
    """Who in the office may decide what needs another person."""

    SECOND = "second"  # an officer who did not propose it
    DIRECTOR = "director"  # the same, of that rank
    APPEAL = "appeal"  # a supervisor or Director without a part in the case
    COMPLAINT = "complaint"  # an officer without a part in the case


class CannotSecond(StrEnum):
    """Why this officer may not decide as the second one."""

    YOURS = "yours"
    RANK = "rank"
    NOT_YET = "not_yet"
    NEW = "new"
    HEARING = "hearing"
    LATE = "late"


def may_second(
    *,
    proposer: object,
    second: Collection[object],
    is_director: bool,
    reasons: Iterable[Reason],
    ripe: bool,
    is_new: bool = False,
    is_heard: bool = True,
    is_late: bool = False,
) -> CannotSecond | None:
    """`second`: all accounts of whoever would decide. `is_new`: in office for so short a time that whoever appointed
    them may be playing both parts. `is_heard`: no hearing is to be held before. `is_late`: the time in which it had to
    be decided is over."""
    if proposer in second:
        return CannotSecond.YOURS
    if is_new:
        return CannotSecond.NEW
    if any(reason.rank == "director" for reason in reasons) and not is_director:
        return CannotSecond.RANK
    if is_late:
        return CannotSecond.LATE
    if not is_heard:
        return CannotSecond.HEARING
    return None if ripe else CannotSecond.NOT_YET


# -- the clock ---------------------------------------------------------------------------------------------------


class Urgency(StrEnum):
    CALM = "calm"
    NEAR = "near"
    LATE = "late"
    STOPPED = "stopped"


def urgency(*, used_share: float, paused: bool, escalate_at: Sequence[int]) -> Urgency:
    """Silence never grants and never refuses: it escalates, at the percentages that the policy names."""
    if paused:
        return Urgency.STOPPED
    if used_share >= escalate_at[-1] / 100:
        return Urgency.LATE
    return Urgency.NEAR if used_share >= escalate_at[0] / 100 else Urgency.CALM
