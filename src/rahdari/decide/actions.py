"""Acts on a case. One act is one transaction and one row of the journal; letters are written in the same transaction.

Invariants: the case is locked before it is looked at, so that of two acts at once the second meets the case as the
first left it; an act that `rules.MOVES` does not allow now raises `NotPossibleNow`; an officer acts only on a case that
is in the officer's own hands; a rule grants and never refuses. The journal names codes and never words about a person.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from rahdari import policy
from rahdari.apply import actions as apply
from rahdari.apply.models import Application
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Reason
from rahdari.register.models import Registration
from rahdari.verify import actions as verify
from rahdari.verify import queries as checks
from rahdari.verify.models import Check

from . import clocks, queries, rules
from .models import Case, Decision, Notice, Question
from .rules import CannotSecond, Lane, Move, Outcome, Standing, Status


class NotPossibleNow(Exception):
    """The case does not allow this act as it stands. `.act` and `.standing`."""

    def __init__(self, act: str, standing: Standing) -> None:
        super().__init__(f"{act} is not possible while the case is {standing}")
        self.act, self.standing = act, standing


class NotAnOfficer(Exception):
    """The person holds no post that lets them decide. `.user`."""

    def __init__(self, user: User) -> None:
        super().__init__(f"{user} is no officer")
        self.user = user


class NotYourCase(Exception):
    """The case is in nobody's or in another officer's hands: take it first. `.case`."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"{case} is not in this officer's hands")
        self.case = case


class AlreadyTaken(Exception):
    """Another officer has the case. `.case`."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"{case} is taken")
        self.case = case


class CodeNotUsable(Exception):
    """This code cannot be used for this act, here and now. `.code`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"code {code!r} cannot be used here")
        self.code = code


class ReasonNeeded(Exception):
    """The act needs a code or a sentence that was not given. `.what`: codes | text."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} must be given")
        self.what = what


class ChecksMissing(Exception):
    """A grant stands on passed checks. `.missing` are those that did not pass."""

    def __init__(self, missing: Sequence[rules.CheckFact]) -> None:
        super().__init__(f"{len(missing)} checks did not pass")
        self.missing = tuple(missing)


class MayNotSecond(Exception):
    """This officer may not decide as the second one. `.why` is a `rules.CannotSecond`."""

    def __init__(self, why: CannotSecond) -> None:
        super().__init__(f"may not second: {why}")
        self.why = why


class NoMoreTime(Exception):
    """More time was given as often as the policy allows. `.question`."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"{question} was extended already")
        self.question = question


class TooLateToReopen(Exception):
    """The time in which a case that was not pursued may be reopened is over. `.until`."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(f"could be reopened until {until}")
        self.until = until


class AlreadyAnswered(Exception):
    """The answer was given before and stands. `.answered` is the question or the notice."""

    def __init__(self, answered: Question | Notice) -> None:
        super().__init__(f"{answered} was answered already")
        self.answered = answered


# -- what every act does -----------------------------------------------------------------------------------------


def _lock(case: Case) -> Case:
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    return queries.cases().get(pk=case.pk)


def _move(case: Case, act: str) -> Move:
    move = rules.move_for(case.standing, act)
    if move is None or (case.application.status == "withdrawn" and act != "close_withdrawn"):
        raise NotPossibleNow(act, case.standing)
    return move


def _officer(officer: User) -> str:
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    return f"officer:{officer.pk}"


def _in_own_hands(case: Case, officer: User) -> str:
    actor = _officer(officer)
    if case.assigned_to_id != officer.pk:
        raise NotYourCase(case)
    return actor


def _record(
    case: Case, act: str, actor: str, now: dt.datetime, *, reason: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    journal.record(
        act=f"decide.{act}",
        actor=actor,
        subject=case.application.subject,
        now=now,
        reason=reason,
        detail={"case": str(case.pk), **(detail or {})},
    )


def _write(case: Case, template: str, now: dt.datetime, **context: Any) -> None:
    application = case.application
    letters.write_letter(
        to=application.applicant,
        template=template,
        about=application.subject,
        context={"reference": application.reference, "url": page_of(application), **context},
        now=now,
    )


def page_of(application: Application) -> str:
    return reverse("portal:status", args=[application.reference])


def _wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_line")


def _sentence(text: str) -> str:
    if not text.strip():
        raise ReasonNeeded("text")
    return text.strip()


def _usable(case: Case, code: str, kind: str) -> Reason:
    reason = clocks.policy_of(case.application).reasons.get(code)
    if reason is None or reason.kind != kind or not reason.usable(settings.REASONS_TO_CONFIRM_ALLOWED):
        raise CodeNotUsable(code)
    return reason


# -- the automatic lane ------------------------------------------------------------------------------------------


@transaction.atomic
def decide_by_rule(*, application: Application, checks: Sequence[Check], now: dt.datetime) -> Case:
    """Grant when every required check passed, else open a case for an officer. A second call changes nothing."""
    case, is_new = Case.objects.get_or_create(
        application=application,
        defaults={"lane": Lane.AUTOMATIC, "opened_at": now, "started_at": _started_at(application, checks)},
    )
    if not is_new:
        return _lock(case)
    case = _lock(case)
    frozen = clocks.policy_of(application)
    actor = f"rule:{frozen.version}"
    service = frozen.services[application.service]
    result = rules.assess(rules=service.checks, facts=queries.checks_to_facts(checks))
    if isinstance(result, rules.NotYet):
        case.lane = Lane.REVIEW
        case.save(update_fields=["lane"])
        missing = sorted({fact.kind for fact in result.missing})
        _record(case, "opened_case", actor, now, detail={"missing": missing})
        return case
    _move(case, "grant_by_rule")
    _decide_grant(case, decided_by=actor, text="", now=now)
    _record(case, "granted_by_rule", actor, now, detail={"passed": result.passed})
    return queries.cases().get(pk=case.pk)


def _started_at(application: Application, found: Sequence[Check]) -> dt.datetime:
    """From receipt; while the applicant still owed the proof of an address, the clock had not begun."""
    proofs = [check.answered_at for check in found if check.kind == "control" and check.answered_at is not None]
    return max([application.submitted_at, *proofs]) if application.submitted_at else max(proofs)


def _decide_grant(case: Case, *, decided_by: str, text: str, now: dt.datetime) -> Decision:
    decision = Decision.objects.create(
        case=case,
        outcome=Outcome.GRANTED,
        text=text,
        decided_by=decided_by,
        rule_version=clocks.policy_of(case.application).version,
        at=now,
    )
    _close(case, Status.DECIDED, now)
    apply.close_application(application=case.application, outcome="granted", actor=decided_by, now=now)
    _wake()
    return decision


def _close(case: Case, status: Status, now: dt.datetime) -> None:
    case.status = status
    case.decided_at = now if status == Status.DECIDED else None
    case.closed_at = None if status == Status.DECIDED else now
    case.save(update_fields=["status", "decided_at", "closed_at"])


# -- whose case it is --------------------------------------------------------------------------------------------


@transaction.atomic
def take_case(*, case: Case, officer: User, now: dt.datetime) -> Case:
    case = _lock(case)
    actor = _officer(officer)
    _move(case, "take_case")
    if case.assigned_to_id == officer.pk:
        return case
    if case.assigned_to_id is not None:
        raise AlreadyTaken(case)
    _assign(case, officer, now)
    _record(case, "took_case", actor, now)
    return case


@transaction.atomic
def hand_over(*, case: Case, officer: User, to: User | None, now: dt.datetime) -> Case:
    """Pass the case to a colleague, or back into the queue. A supervisor may do it with anybody's case."""
    case = _lock(case)
    if people.is_supervisor(officer):
        actor = _officer(officer)
        _move(case, "reassign")
    else:
        actor = _in_own_hands(case, officer)
        _move(case, "hand_over")
    if to is not None:
        _officer(to)
    _assign(case, to, now)
    _record(case, "handed_over", actor, now, detail={"to": f"officer:{to.pk}" if to else ""})
    return case


def _assign(case: Case, officer: User | None, now: dt.datetime) -> None:
    case.assigned_to, case.assigned_at = officer, now if officer else None
    case.save(update_fields=["assigned_to", "assigned_at"])


@transaction.atomic
def record_check(*, case: Case, officer: User, check: uuid.UUID, outcome: str, how: str, now: dt.datetime) -> Check:
    """What an officer found out by hand, with words on how. The journal's row is written by `verify`."""
    case = _lock(case)
    actor = _in_own_hands(case, officer)
    _move(case, "record_check")
    found = checks.check_by_id(subject=case.application.subject, id=str(check))
    if found is None:
        raise queries.CaseNotFound(case.application.reference)
    return verify.record_by_hand(check=found, outcome=outcome, how=_sentence(how), actor=actor, now=now)


# -- granting ----------------------------------------------------------------------------------------------------


@transaction.atomic
def grant(*, case: Case, officer: User, text: str = "", now: dt.datetime) -> Decision:
    """An officer's grant. It stands on passed checks, as the rule's does; what was found by hand is recorded first."""
    case = _lock(case)
    actor = _in_own_hands(case, officer)
    _move(case, "grant")
    missing = queries.missing_for_grant(case)
    if isinstance(missing, rules.NotYet):
        raise ChecksMissing(missing.missing)
    decision = _decide_grant(case, decided_by=actor, text=text.strip(), now=now)
    _record(case, "granted", actor, now)
    return decision


@transaction.atomic
def mark_entered(*, decision: Decision, registration: Registration, now: dt.datetime) -> Decision:
    """The grant is on the register: the applicant is told. A second call changes nothing."""
    case = _lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.entered_at is not None:
        return decision
    decision.entered_at, decision.registration = now, registration
    decision.save(update_fields=["entered_at", "registration"])
    _record(case, "entered", "system:line", now, detail={"registration": registration.reference})
    service = clocks.policy_of(case.application).services[case.application.service]
    _write(
        case,
        "application_granted",
        now,
        registration=registration.reference,
        valid_until=registration.valid_until,
        service=service.title,
        url=reverse("portal:registration", args=[registration.reference]),
    )
    return decision


@transaction.atomic
def return_grant(*, decision: Decision, why: str, now: dt.datetime) -> Case:
    """A grant that cannot be entered goes back to an officer: voided, on record, and the case is open again."""
    case = _lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.voided_at is not None or decision.entered_at is not None:
        return case
    _move(case, "return_grant")
    decision.voided_at, decision.voided_why = now, why
    decision.save(update_fields=["voided_at", "voided_why"])
    case.status, case.lane, case.decided_at = Status.OPEN, Lane.REVIEW, None
    case.save(update_fields=["status", "lane", "decided_at"])
    apply.reopen_application(application=case.application, actor="system:line", now=now)
    # The world moved since the check was made: the officer is shown what the register holds now.
    verify.look_again(subject=case.application.subject, kind="not_registered", now=now)
    _record(case, "returned_grant", "system:line", now, detail={"why": why})
    return queries.cases().get(pk=case.pk)


# -- a question --------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_question(*, case: Case, officer: User, code: str, text: str = "", now: dt.datetime) -> Question:
    """Ask the applicant. The officer's clock stands still until the answer."""
    case = _lock(case)
    actor = _in_own_hands(case, officer)
    _move(case, "ask_question")
    reason = _usable(case, code, "question")
    allowance = clocks.policy_of(case.application).clocks["question"]
    question = Question.objects.create(
        case=case,
        code=code,
        text=text.strip(),
        asked_by=officer,
        asked_at=now,
        due_at=policy.add(start=now, allowance=allowance, calendar=clocks.calendar()),
    )
    _record(case, "asked_question", actor, now, reason=code)
    asked = reason.text.in_language(case.application.applicant.language)
    _write(
        case,
        "application_question",
        now,
        question=f"{asked}\n{question.text}".strip(),
        due_at=question.due_at,
        url=reverse("portal:question", args=[case.application.reference]),
    )
    return question


@transaction.atomic
def extend_question(*, question: Question, actor: str, now: dt.datetime) -> Question:
    """More time, without a reason, as often as the policy gives it."""
    case = _lock(question.case)
    _move(case, "extend_question")
    question = Question.objects.get(pk=question.pk)
    frozen = clocks.policy_of(case.application)
    if question.extended >= frozen.extensions_of_a_question:
        raise NoMoreTime(question)
    question.due_at = policy.add(
        start=clocks.question_due_at(question), allowance=frozen.clocks["question"], calendar=clocks.calendar()
    )
    question.extended += 1
    question.save(update_fields=["due_at", "extended"])
    _record(case, "extended_question", actor, now, reason=question.code)
    return question


@transaction.atomic
def answer_question(*, question: Question, answer: str, actor: str, now: dt.datetime) -> Question:
    """The applicant's answer. It also reopens a case closed for want of one, while the policy allows."""
    case = _lock(question.case)
    question = Question.objects.get(pk=question.pk)
    if question.answered_at is not None:
        raise AlreadyAnswered(question)
    move = _move(case, "answer_question")
    text = _sentence(answer)
    if move.source == Status.NOT_PURSUED:
        until = policy.add(
            start=question.lapsed_at or now,
            allowance=clocks.policy_of(case.application).reopen_within,
            calendar=clocks.calendar(),
        )
        if now > until:
            raise TooLateToReopen(until)
        case.status, case.closed_at = Status.OPEN, None
        case.save(update_fields=["status", "closed_at"])
        apply.reopen_application(application=case.application, actor=actor, now=now)
    question.answered_at, question.answer = now, text
    question.save(update_fields=["answered_at", "answer"])
    _record(case, "answered_question", actor, now, reason=question.code)
    _wake()
    return question


# -- a refusal ---------------------------------------------------------------------------------------------------


@transaction.atomic
def propose_refusal(*, case: Case, officer: User, codes: Sequence[str], text: str, now: dt.datetime) -> Notice:
    """Tell the applicant why the case may be refused, and until when there is time to answer. Nothing is decided."""
    case = _lock(case)
    actor = _in_own_hands(case, officer)
    _move(case, "propose_refusal")
    if not codes:
        raise ReasonNeeded("codes")
    reasons = [_usable(case, code, "refusal") for code in dict.fromkeys(codes)]
    frozen = clocks.policy_of(case.application)
    listed = [reason.code for reason in reasons]
    notice = Notice.objects.create(
        case=case,
        codes=listed,
        text=_sentence(text),
        proposed_by=officer,
        sent_at=now,
        answer_due_at=policy.add(
            start=now, allowance=clocks.notice_allowance(frozen, listed), calendar=clocks.calendar()
        ),
    )
    _record(case, "proposed_refusal", actor, now, reason=" ".join(listed))
    _write(
        case,
        "application_notice",
        now,
        code=listed,
        reason=[reason.text for reason in reasons],
        text=notice.text,
        due_at=notice.answer_due_at,
        url=reverse("portal:notice", args=[case.application.reference]),
    )
    return notice


@transaction.atomic
def answer_notice(*, notice: Notice, answer: str, actor: str, now: dt.datetime) -> Notice:
    case = _lock(notice.case)
    notice = Notice.objects.get(pk=notice.pk)
    if notice.answered_at is not None:
        raise AlreadyAnswered(notice)
    if not notice.is_standing:
        raise NotPossibleNow("answer_notice", case.standing)
    _move(case, "answer_notice")
    notice.answered_at, notice.answer = now, _sentence(answer)
    notice.save(update_fields=["answered_at", "answer"])
    _record(case, "answered_notice", actor, now, reason=" ".join(notice.codes))
    _wake()
    return notice


@transaction.atomic
def drop_refusal(*, case: Case, officer: User, why: str, now: dt.datetime) -> Case:
    """Take the proposal back, as its author or in the author's place. The case goes on."""
    case = _lock(case)
    actor = _officer(officer)
    _move(case, "drop_refusal")
    notice = queries.open_notice(case)
    assert notice is not None  # noqa: S101 - the move exists only while one stands
    notice.withdrawn_at, notice.withdrawn_by, notice.withdrawn_why = now, officer, _sentence(why)
    notice.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    _record(case, "dropped_refusal", actor, now, reason=" ".join(notice.codes))
    return queries.cases().get(pk=case.pk)


@transaction.atomic
def second_refusal(*, case: Case, officer: User, because: str, now: dt.datetime) -> Decision:
    """The second officer's decision. The words are the second officer's own; the applicant reads them."""
    case = _lock(case)
    actor = _officer(officer)
    notice = queries.open_notice(case)
    if notice is None:
        raise NotPossibleNow("second_refusal", case.standing)
    frozen = clocks.policy_of(case.application)
    why = rules.may_second(
        proposer=notice.proposed_by_id,
        second=officer.pk,
        is_director=people.has_rank(officer, "director"),
        reasons=[frozen.reasons[code] for code in notice.codes],
        ripe=notice.state == rules.NoticeState.RIPE,
    )
    if why is not None:
        raise MayNotSecond(why)
    for code in notice.codes:
        _usable(case, code, "refusal")
    _move(case, "second_refusal")
    text = _sentence(because)
    forum = frozen.forum_for("officer_decision")
    assert forum is not None  # noqa: S101 - the loader refuses a policy without one
    decision = Decision.objects.create(
        case=case,
        outcome=Outcome.REFUSED,
        codes=notice.codes,
        text=text,
        decided_by=actor,
        proposed_by=notice.proposed_by,
        seconded_by=officer,
        notice=notice,
        rule_version=frozen.version,
        at=now,
        appeal_until=policy.add(start=now, allowance=forum.file_within, calendar=clocks.calendar()),
    )
    notice.concluded_at = now
    notice.save(update_fields=["concluded_at"])
    _close(case, Status.DECIDED, now)
    apply.close_application(application=case.application, outcome="refused", actor=actor, now=now)
    _record(
        case, "refused", actor, now, reason=" ".join(notice.codes), detail={"proposed_by": str(notice.proposed_by_id)}
    )
    _write(
        case,
        "application_refused",
        now,
        code=list(notice.codes),
        reason=[frozen.reasons[code].text for code in notice.codes],
        provisions=list(queries.provisions_of(frozen, notice.codes)),
        remedies=list(queries.remedies_of(frozen, notice.codes)),
        text=text,
        appeal_until=decision.appeal_until,
        url=reverse("portal:refusal", args=[case.application.reference]),
    )
    return decision


# -- the clock ---------------------------------------------------------------------------------------------------


def close_unanswered(*, now: dt.datetime, limit: int = 200) -> int:
    """Times that are over. An unanswered question closes the case, an unanswered notice becomes ripe; a case that is
    not decided in time goes to a supervisor and the applicant is told. Returns how many cases moved."""
    moved = 0
    due = list(queries.clocks_to_run(now).values_list("pk", flat=True)[:limit])
    for pk in dict.fromkeys([*due, *(case.pk for case in queries.cases_out_of_time(now)[:limit])]):
        with transaction.atomic():
            locked = Case.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if locked is not None:
                moved += _run_clock(queries.cases().get(pk=pk), now)
    return moved


def _run_clock(case: Case, now: dt.datetime) -> bool:
    if case.status != Status.OPEN:
        return False
    if case.application.status == "withdrawn":
        _move(case, "close_withdrawn")
        _close(case, Status.WITHDRAWN, now)
        _record(case, "closed_withdrawn", "clock", now)
        return True
    question, notice = queries.open_question(case), queries.open_notice(case)
    if question is not None and question.lapsed_at is None and now > clocks.question_due_at(question):
        _move(case, "close_unanswered")
        question.lapsed_at = now
        question.save(update_fields=["lapsed_at"])
        _close(case, Status.NOT_PURSUED, now)
        apply.close_application(application=case.application, outcome="not_pursued", actor="clock", now=now)
        _record(case, "closed_unanswered", "clock", now, reason=question.code)
        _write(case, "application_not_pursued", now)
        return True
    if notice is not None and notice.state == rules.NoticeState.RUNNING and now > clocks.notice_due_at(notice):
        _move(case, "let_notice_run_out")
        notice.ran_out_at = now
        notice.save(update_fields=["ran_out_at"])
        _record(case, "notice_ran_out", "clock", now, reason=" ".join(notice.codes))
        return True
    if case.escalated_at is None and clocks.clock_of(case, now).is_late:
        _move(case, "escalate")
        case.escalated_at = now
        case.save(update_fields=["escalated_at"])
        _record(case, "escalated", "clock", now)
        complaint = clocks.policy_of(case.application).remedies.get("ombudsman")
        _write(case, "application_late", now, complaint=complaint)
        return True
    return False
