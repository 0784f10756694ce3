"""Refusals: proposed by one officer, announced to the applicant with time to answer, decided by another officer."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse

from rahdari import policy
from rahdari.apply import sending
from rahdari.db.wake import wake
from rahdari.people import queries as people
from rahdari.people.models import User

from . import case_clock, due, evidence, hearings, queries, remedies, reviewing
from .models import Case, Decision, Notice
from .seconding import rank_of
from .transitions import (
    AlreadyAnswered,
    CodeNotUsable,
    NotPossibleNow,
    answer_of,
    begin,
    close,
    lock,
    record,
    usable,
    write,
)


@transaction.atomic
def propose_refusal(
    *, case: Case, officer: User, codes: Sequence[str], text: str, now: dt.datetime, named: str = ""
) -> Notice:
    """Tell the applicant why the case may be refused, and until when there is time to answer. Nothing is decided.

    `named`: what in the file shows it, for codes whose evidence only a person can find.
    Raises CodeNotUsable, EvidenceMissing, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "propose_refusal", by=officer, now=now, codes=codes, words=text)
    reasons = [usable(case, code, "refusal") for code in dict.fromkeys(codes)]
    barred = remedies.barred_codes(case)
    for reason in reasons:
        if reason.code in barred or not evidence.fits(case.application, reason):
            raise CodeNotUsable(reason.code)
    evidence.require(evidence.File(case.application, now), reasons, named=bool(named.strip()))
    frozen = case_clock.policy_of(case.application)
    listed = [reason.code for reason in reasons]
    notice = Notice.objects.create(
        case=case,
        codes=listed,
        text=begun.words,
        evidence=named.strip(),
        rank=rank_of(reasons),
        proposed_by=officer,
        sent_at=now,
        answer_due_at=policy.add(
            start=now, allowance=case_clock.notice_allowance(frozen, listed), calendar=case_clock.calendar()
        ),
    )
    record(case, "proposed_refusal", begun.actor, now, reason=" ".join(listed))
    write(
        case,
        "application_notice",
        now,
        code=listed,
        reason=[reason.text for reason in reasons],
        text=f"{notice.text}\n{notice.evidence}".strip(),
        due_at=notice.answer_due_at,
        hearing=hearings.is_offered(notice),
        **reviewing.told(notice),
        url=reverse("portal:notice", args=[case.application.reference]),
    )
    return notice


@transaction.atomic
def answer_notice(*, notice: Notice, answer: str, actor: str, now: dt.datetime) -> Notice:
    """The applicant's answer to a notice that stands.
    Raises AlreadyAnswered, NotPossibleNow, and as `transitions.begin` does.
    """
    case = lock(notice.case)
    notice = Notice.objects.get(pk=notice.pk)
    if notice.answered_at is not None:
        raise AlreadyAnswered(notice)
    if not notice.is_standing:
        raise NotPossibleNow("answer_notice", case.standing)
    begin(case, "answer_notice", by=actor, now=now)
    notice.answered_at, notice.answer, notice.draft = now, answer_of(case, notice, answer), ""
    notice.case = case
    if notice.decide_by is not None:
        notice.decide_by = case_clock.decide_by(notice)
    notice.save(update_fields=["answered_at", "answer", "draft", "decide_by"])
    record(case, "answered_notice", actor, now, reason=" ".join(notice.codes))
    wake()
    return notice


@transaction.atomic
def drop_refusal(*, case: Case, officer: User, why: str, now: dt.datetime) -> Case:
    """Take the proposal back, as its author or in the author's place. The case goes on; of a hearing that was set the
    applicant is told that it does not take place."""
    case = lock(case)
    begun = begin(case, "drop_refusal", by=officer, now=now, words=why)
    notice = queries.open_notice(case)
    assert notice is not None  # noqa: S101 - the move exists only while one stands
    notice.case = case
    notice.withdrawn_at, notice.withdrawn_by, notice.withdrawn_why = now, officer, begun.words
    notice.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    reviewing.end(notice.subject, now)
    record(case, "dropped_refusal", begun.actor, now, reason=" ".join(notice.codes))
    hearings.call_off(notice, now)
    return queries.cases().get(pk=case.pk)


@transaction.atomic
def second_refusal(*, case: Case, officer: User, because: str, now: dt.datetime) -> Decision:
    """The second officer's decision. The words are the second officer's own; the applicant reads them.
    Raises NotPossibleNow without a notice, CodeNotUsable, EvidenceMissing, and as `transitions.begin` does.
    """
    case = lock(case)
    notice = queries.open_notice(case)
    if notice is None:
        raise NotPossibleNow("second_refusal", case.standing)
    begun = begin(case, "second_refusal", by=officer, now=now, codes=notice.codes, words=because)
    reasons = [usable(case, code, "refusal") for code in notice.codes]
    evidence.require(evidence.File(case.application, now, notice=notice), reasons, named=bool(notice.evidence))
    frozen, actor, text = case_clock.policy_of(case.application), begun.actor, begun.words
    forum = frozen.forum_for("officer_decision")
    assert forum is not None  # noqa: S101 - the loader refuses a policy without one
    decision = Decision.objects.create(
        case=case,
        outcome=begun.outcome,
        codes=notice.codes,
        text=text,
        decided_by=actor,
        proposed_by=notice.proposed_by,
        seconded_by=officer,
        notice=notice,
        rule_version=frozen.version,
        at=now,
        appeal_until=policy.add(start=now, allowance=forum.file_within, calendar=case_clock.calendar()),
    )
    notice.concluded_at = now
    notice.save(update_fields=["concluded_at"])
    reviewing.end(notice.subject, now)
    close(case, begun.move.target, now)
    closed = sending.close_application(application=case.application, outcome="refused", actor=actor, now=now)
    record(
        case, "refused", actor, now, reason=" ".join(notice.codes), detail={"proposed_by": str(notice.proposed_by_id)}
    )
    write(
        case,
        "application_refused",
        now,
        code=list(notice.codes),
        reason=[frozen.reasons[code].text for code in notice.codes],
        provisions=list(remedies.provisions_of(frozen, notice.codes)),
        remedies=list(remedies.remedies_after(frozen, notice.codes)),
        **remedies.written_to(frozen),
        **({"reviewer": True} if not people.is_officer(officer) else {}),
        text=text,
        appeal_until=decision.appeal_until,
        readable_until=due.readable_until(closed),
        url=reverse("portal:refusal", args=[case.application.reference]),
    )
    return decision
