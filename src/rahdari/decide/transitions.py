"""What every act does: lock the case, find the move, name the officer, write the journal's row and the letter.

Invariants: the case is locked before it is looked at, so that of two acts at once the second meets the case as the
first left it; an act that `rules.MOVES` does not allow now raises `NotPossibleNow`; a rule grants and never refuses.
The journal names codes and never words about a person. Errors that several acts raise stand here;
the others stand beside their act.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from rahdari.apply import access
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import checking
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Reason

from . import case_clock, conflicts_of_interest, queries, queue_columns, rules
from .models import Case, CaseQuestion, Notice
from .reviewer_models import Reviewer
from .rules import By, CaseStanding, Move, Outcome, Status
from .seconding import Second

# How the journal names the workflow where it makes a move.
WORKFLOW = "system:workflow"


class NotPossibleNow(RahdariError):
    """The case does not allow this act as it stands. `.act` and `.standing`."""

    says = "{act} is not possible while the case is {standing}"
    act: str
    standing: CaseStanding


class NotAnOfficer(RahdariError):
    """The person holds no post that lets them decide. `.user`."""

    says = "{user} is no officer"
    user: User


class OwnApplication(RahdariError):
    """The officer applied, entered it for somebody, or belongs to the company that did: somebody else decides.
    `.case`."""

    says = "{case} is this officer's own application"
    case: Case


class NotYourCase(RahdariError):
    """The case is in nobody's or in another officer's hands: take it first. `.case`."""

    says = "{case} is not in this officer's hands"
    case: Case


class Recused(NotYourCase):
    """The officer has no part in the case any more. `.case`."""

    says = "this officer is recused from {case}"


class CodeNotUsable(RahdariError):
    """This code cannot be used for this act, here and now. `.code`."""

    says = "code {code!r} cannot be used here"
    code: str


class ReasonNeeded(RahdariError):
    """The act needs a code or a sentence that was not given. `.what`: codes | text."""

    says = "{what} must be given"
    what: str


class AlreadyAnswered(RahdariError):
    """The answer was given before and stands. `.answered` is the question or the notice."""

    says = "{answered} was answered already"
    answered: CaseQuestion | Notice


class WrongActor(RahdariError, ValueError):
    """A fault in the program: somebody else makes this move. `.move` and `.actor`."""

    says = "{move.act} is made by {move.by}, not by {actor}"
    move: Move
    actor: str


class MayNotSecond(RahdariError):
    """This officer may not decide as the second one. `.why` is a `rules.CannotSecond`."""

    says = "may not second: {why}"
    why: rules.CannotSecond


@dataclass(frozen=True)
class Begun:
    """A move that may be made: how the journal names whoever makes it, and the words that it is made with."""

    move: Move
    actor: str
    words: str

    @property
    def outcome(self) -> Outcome:
        """What a decision by this move comes to."""
        if self.move.outcome is None:
            raise ValueError(f"{self.move.act} decides nothing")
        return self.move.outcome


@dataclass(frozen=True)
class Attempt:
    """What the guards of a move look at. `officer` where an officer makes it; `codes` of the policy that it names."""

    case: Case
    officer: User | None
    codes: Sequence[str]
    now: dt.datetime


def lock(case: Case, *, with_checks: bool = False) -> Case:
    """`with_checks`: for an act that writes checks as well, whose answers mark the case."""
    if with_checks:
        checking.lock(case.application.subject)
    Case.objects.select_for_update().values_list("pk").get(pk=case.pk)
    return queries.cases().get(pk=case.pk)


def begin(
    case: Case, act: str, *, by: User | str, now: dt.datetime, codes: Sequence[str] = (), words: str = ""
) -> Begun:
    """Begin a move of a locked case as `rules.MOVES` has it: by whom, each of its guards, how the case stands, and a
    sentence where one is needed. `by`: the officer, or how the journal names whoever else acts.

    Raises NotAnOfficer, OwnApplication, WrongActor, NotPossibleNow, ReasonNeeded, and what the guards of the move
    raise.
    """
    officer = by if isinstance(by, User) else None
    move = rules.move_from(case.status, act)
    actor = by if isinstance(by, str) else _actor_of(case, by, move)
    if move is None:
        raise NotPossibleNow(act, case.standing)
    if not move.is_by(actor) or (move.by == By.SUPERVISOR and not (officer and people.is_supervisor(officer))):
        raise WrongActor(move, actor)
    attempt = Attempt(case, officer, codes, now)
    for guard in dict.fromkeys(GUARDS[name] for name in move.guards):
        guard(attempt)
    if not move.fits(case.standing) or (case.application.status == "withdrawn" and act != "close_withdrawn"):
        raise NotPossibleNow(act, case.standing)
    return Begun(move, actor, sentence(words) if move.reason_needed else words.strip())


def _in_own_hands(attempt: Attempt) -> None:
    if attempt.officer is None or attempt.case.assigned_to_id != attempt.officer.pk:
        raise NotYourCase(attempt.case)


def _names_a_code(attempt: Attempt) -> None:
    if not attempt.codes:
        raise ReasonNeeded("codes")


def _codes_are_confirmed(attempt: Attempt) -> None:
    for code in attempt.codes:
        usable(attempt.case, code)


def _may_second(attempt: Attempt) -> None:
    notice, officer = queries.open_notice(attempt.case), attempt.officer
    if notice is None or officer is None:
        raise NotPossibleNow("second", attempt.case.standing)
    notice.case = attempt.case
    why = Second(officer, attempt.now).cannot(notice)
    if why is not None:
        raise MayNotSecond(why)


def _may_suspend_first(attempt: Attempt) -> None:
    notice, officer = queries.open_notice(attempt.case), attempt.officer
    if notice is None or officer is None or not notice.before_hearing:
        raise NotPossibleNow("suspend_before_hearing", attempt.case.standing)
    notice.case = attempt.case
    if (why := Second(officer, attempt.now).cannot_suspend(notice)) is not None:
        raise MayNotSecond(why)


def _grants_only(attempt: Attempt) -> None:
    """Held by whom a refusal is by (`Move.by`): an officer makes no move of a rule."""
    if attempt.officer is not None:
        raise NotPossibleNow("rule", attempt.case.standing)


# The guards that moves name, and a policy may rely on (`policy.GUARDS`).
GUARDS: dict[str, Callable[[Attempt], None]] = {
    "own_case_only": _in_own_hands,
    "reason_required": _names_a_code,
    "confirmed_codes_only": _codes_are_confirmed,
    "notice_before_refusal": _may_second,
    "second_officer": _may_second,
    "no_self_second": _may_second,
    "director_rank": _may_second,
    "director_before_hearing": _may_suspend_first,
    "rule_never_refuses": _grants_only,
}


def officer_of(officer: User) -> str:
    """How the journal names this officer. Raises NotAnOfficer."""
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    return queries.actor_of(officer)


def _actor_of(case: Case, user: User, move: Move | None) -> str:
    """An officer apart from the case, or who was named from outside for the proposal that stands."""
    is_for_both = move is not None and move.is_by("reviewer:") and not people.is_officer(user)
    notice = queries.open_notice(case) if is_for_both else None
    if notice is None or not Reviewer.is_named(notice.subject, user):
        return apart_from(case, user)
    apart(case, user)
    return f"reviewer:{user.pk}"


def apart_from(case: Case, officer: User) -> str:
    """An officer who may decide: it is not their own application, and they are not recused. How the journal names
    them. Raises NotAnOfficer, OwnApplication, Recused.
    """
    actor = officer_of(officer)
    apart(case, officer)
    return actor


def apart(case: Case, user: User) -> None:
    """Raises OwnApplication, Recused."""
    if conflicts_of_interest.is_own(case.application, user):
        raise OwnApplication(case)
    if conflicts_of_interest.is_recused(case, user):
        raise Recused(case)


def record(
    case: Case, act: str, actor: str, now: dt.datetime, *, reason: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """The last thing that an act does: the journal's row, and what the queue goes by, as it is after the act."""
    journal.record(
        act=f"decide.{act}",
        actor=actor,
        subject=case.application.subject,
        now=now,
        reason=reason,
        detail={"case": str(case.pk), **(detail or {})},
    )
    if case.status == Status.OPEN:
        queue_columns.keep(case)


def write(case: Case, template: str, now: dt.datetime, **context: Any) -> None:
    application = case.application
    for reader in access.readers_of(application):
        letters.write_letter(
            to=reader,
            template=template,
            about=application.subject,
            context={
                "reference": application.reference,
                "url": page_of(application),
                **access.on_behalf(application),
                **context,
            },
            now=now,
        )


def page_of(application: Application) -> str:
    return reverse("portal:status", args=[application.reference])


def sentence(text: str) -> str:
    """The words without spaces around them. Raises ReasonNeeded where there are none."""
    if not text.strip():
        raise ReasonNeeded("text")
    return text.strip()


def answer_of(case: Case, asked: CaseQuestion | Notice, text: str) -> str:
    """The words of an answer; papers alone are one too. Raises ReasonNeeded when there is neither."""
    if not text.strip() and applications.documents_of_answer(case.application, asked.subject).exists():
        return ""
    return sentence(text)


def usable(case: Case, code: str, kind: str = "") -> Reason:
    """A code of the case's policy that may be used here and now, of this kind where one is named.
    Raises CodeNotUsable.
    """
    reason = case_clock.policy_of(case.application).reasons.get(code)
    if reason is None or (kind and reason.kind != kind) or not reason.usable(settings.REASONS_TO_CONFIRM_ALLOWED):
        raise CodeNotUsable(code)
    return reason


def close(case: Case, status: Status, now: dt.datetime) -> None:
    """Set the status of a locked case, with the moment at which it was decided or closed."""
    case.status = status
    case.decided_at = now if status == Status.DECIDED else None
    case.closed_at = None if status == Status.DECIDED else now
    case.save(update_fields=["status", "decided_at", "closed_at", *queue_columns.forget(case)])
