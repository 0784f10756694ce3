"""A registration is taken back: suspended or struck out, by the way of a refusal; and it can be restored.

Invariants: it is proposed by one officer with a code of the policy and the evidence named, announced to the holder with
time to answer and to be heard (`hearings`), and decided by another officer; a rule never does it; nothing changes in
the feed before. When it is not decided in its time the proposal is dropped, and the registration stays as it is. A
suspension ends on a day that is known from the start. Where the policy turns it on, one begins before the hearing, by a
Director, for some hours, once. An order of a court is announced at once, and answered there. The
decision, the register and the letter are one transaction: there is no moment in which they disagree.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from rahdari import policy
from rahdari.apply.late_evidence import File, attach_to_answer
from rahdari.db.wake import wake
from rahdari.letters import actions as letters
from rahdari.people.models import User
from rahdari.policy import Policy, Reason, Remedy
from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import STANDING, Standing

from . import case_clock, conflicts_of_interest, hearings, queries, remedies, reviewing, rules
from . import evidence as in_file
from .ending import notify_holder, restore, resume
from .models import Case, Notice, Revocation
from .seconding import Second, rank_of
from .transitions import Begun, CodeNotUsable, NotPossibleNow, ReasonNeeded, begin, lock, record

KINDS = ("suspension", "striking_out")


def codes_of(rules: Policy) -> list[Reason]:
    """The codes by which an officer may take a registration back for what was found, with time to answer."""
    return [reason for reason in _usable(rules) if reason.ground == "finding" and reason.notice is not None]


def codes_of_orders(rules: Policy) -> list[Reason]:
    """Those by which an officer carries out the order of a court: by a second officer, without time to answer here."""
    return [reason for reason in _usable(rules) if reason.ground == "order" and reason.second_officer]


def _usable(rules: Policy) -> list[Reason]:
    allowed = bool(settings.REASONS_TO_CONFIRM_ALLOWED)
    return [reason for kind in KINDS for reason in rules.reasons_of_kind(kind, confirm_allowed=allowed)]


def registration_of(case: Case, now: dt.datetime) -> Registration | None:
    """What came of the case and stands, in full: a provisional one goes back to an officer by its own way."""
    decision = queries.decision_of(case)
    found = decision.registration if decision is not None else None
    if found is None or found.is_provisional or entries.standing(found, now) not in STANDING:
        return None
    return found


@transaction.atomic
def propose_revocation(
    *,
    case: Case,
    officer: User,
    code: str,
    text: str,
    evidence: str,
    now: dt.datetime,
    paper: File | None = None,
    before_hearing: bool = False,
) -> Notice:
    """Tell the holder why the registration may be taken back, and until when there is time to answer.

    `evidence` names what in the file shows it; `paper` is what the officer adds to the file for that.
    `before_hearing`: and that it is proposed to suspend it at once, where the policy allows that for the code.
    Raises NotPossibleNow, CodeNotUsable, ReasonNeeded, EvidenceMissing, screening.FileRefused, and as
    `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "propose_revocation", by=officer, now=now, codes=[code], words=text)
    frozen = case_clock.policy_of(case.application)
    reason = next((each for each in codes_of(frozen) if each.code == code), None)
    if reason is None or (before_hearing and not may_be_before_hearing(case, frozen, reason, now)):
        raise CodeNotUsable(code)
    allowance = case_clock.notice_allowance(frozen, [code])
    due_at = policy.add(start=now, allowance=allowance, calendar=case_clock.calendar())
    notice = Notice(
        proposed_by=officer, sent_at=now, answer_due_at=due_at, text=begun.words, before_hearing=before_hearing
    )
    found = _announce(case, notice, reason, evidence, "propose_revocation", now, paper=paper, actor=begun.actor)
    record(case, "proposed_revocation", begun.actor, now, reason=code)
    first = {"hours": hours_before_hearing(frozen)} if before_hearing else {}
    _tell_of(
        found,
        notice,
        reason,
        "registration_notice",
        now,
        due_at=due_at,
        decide_by=notice.decide_by,
        kind=str(reason.kind),
        **first,
        **reviewing.told(notice),
    )
    return notice


@transaction.atomic
def propose_by_order(
    *, case: Case, officer: User, code: str, order: str, text: str, evidence: str, copy: File, now: dt.datetime
) -> Notice:
    """A court or tribunal ordered it: tell the holder at once. `order` is its number and who gave it; `evidence` says
    where the certified copy is, and `copy` is its file. A second officer decides, and there is no time to answer: that
    court hears the holder. Raises screening.FileRefused, and as `propose_revocation` does.
    """
    case = lock(case)
    begun = begin(case, "propose_by_order", by=officer, now=now, codes=[code], words=text)
    reason = next((each for each in codes_of_orders(case_clock.policy_of(case.application)) if each.code == code), None)
    if reason is None:
        raise CodeNotUsable(code)
    if not order.strip():
        raise ReasonNeeded("order")
    notice = Notice(
        proposed_by=officer,
        sent_at=now,
        answer_due_at=now,
        ran_out_at=now,
        text=begun.words,
        is_order=True,
        order_named=order.strip(),
    )
    found = _announce(case, notice, reason, evidence, "propose_by_order", now, paper=copy, actor=begun.actor)
    record(case, "proposed_by_order", begun.actor, now, reason=code)
    _tell_of(found, notice, reason, "registration_ordered", now, order=notice.order_named)
    return notice


def _announce(
    case: Case,
    notice: Notice,
    reason: Reason,
    evidence: str,
    act: str,
    now: dt.datetime,
    *,
    paper: File | None,
    actor: str,
) -> Registration:
    """Keep the notice, with the paper that shows it; the registration that it is about."""
    found = registration_of(case, now)
    if found is None:
        raise NotPossibleNow(act, case.standing)
    if not evidence.strip():
        raise ReasonNeeded("evidence")
    notice.case, notice.codes, notice.evidence = case, [reason.code], evidence.strip()
    in_file.require(in_file.File(case.application, now, adds_paper=paper is not None), [reason])
    notice.rank = rank_of([reason])
    notice.decide_by = case_clock.decide_by(notice)
    notice.save(force_insert=True)
    if paper is not None:
        attach_to_answer(application=case.application, asked=notice.shown_subject, sent=paper, actor=actor, now=now)
    return found


def _tell_of(
    found: Registration, notice: Notice, reason: Reason, template: str, now: dt.datetime, **context: Any
) -> None:
    frozen = case_clock.policy_of(notice.case.application)
    notify_holder(
        found,
        template,
        now,
        code=[reason.code],
        reason=[reason.text],
        provisions=list(remedies.provisions_of(frozen, [reason.code])),
        remedies=[
            each
            for each in remedies.remedies_of(frozen, [reason.code])
            if notice.is_order or each.key in remedies.BEFORE_THE_DECISION
        ],
        text=f"{notice.text}\n{notice.evidence}",
        url=reverse("portal:notice", args=[notice.case.application.reference]),
        **context,
    )


@transaction.atomic
def keep_registration(*, case: Case, officer: User, why: str, now: dt.datetime) -> None:
    """It stays as it is: the proposal is dropped, by its author or by another officer, and the holder is told."""
    case = lock(case)
    begun = begin(case, "keep_registration", by=officer, now=now, words=why)
    notice = _standing(case, "keep_registration")
    notice.withdrawn_at, notice.withdrawn_by, notice.withdrawn_why = now, officer, begun.words
    notice.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    reviewing.end(notice.subject, now)
    again = _end_before_hearing(case, begun.actor, now, resumes=True)
    record(case, "kept_registration", begun.actor, now, reason=" ".join(notice.codes))
    decision = queries.decision_of(case)
    if decision is not None and decision.registration is not None:
        notify_holder(decision.registration, "registration_stays", now, text=notice.withdrawn_why, again=again)
        hearings.call_off(notice, now)


@transaction.atomic
def let_lapse(*, case: Case, now: dt.datetime) -> None:
    """It was not decided in its time: the proposal is dropped by the clock, and the holder and its author are told."""
    case = lock(case)
    begin(case, "let_proposal_lapse", by="clock", now=now)
    notice = _standing(case, "let_proposal_lapse")
    notice.withdrawn_at = now
    notice.save(update_fields=["withdrawn_at"])
    reviewing.end(notice.subject, now)
    again = _end_before_hearing(case, "clock", now, resumes=True)
    record(case, "proposal_lapsed", "clock", now, reason=" ".join(notice.codes))
    decision = queries.decision_of(case)
    if decision is not None and decision.registration is not None:
        notify_holder(decision.registration, "registration_stays", now, undecided=True, again=again)
    letters.write_letter(
        to=notice.proposed_by,
        template="proposal_lapsed",
        about=case.application.subject,
        context={
            "reference": case.application.reference,
            "url": reverse("decide:case", args=[case.application.reference]),
        },
        now=now,
    )


@transaction.atomic
def second_revocation(*, case: Case, officer: User, because: str, now: dt.datetime) -> Revocation:
    """The second officer's decision: suspended or struck out, as the code says. Its words are the second officer's.
    Raises NotPossibleNow, EvidenceMissing, and as `transitions.begin` does.
    """
    case = lock(case)
    notice = _standing(case, "second_revocation")
    begun = begin(case, "second_revocation", by=officer, now=now, codes=notice.codes, words=because)
    frozen, actor = case_clock.policy_of(case.application), begun.actor
    found = registration_of(case, now)
    if found is None:
        raise NotPossibleNow("second_revocation", case.standing)
    _require_evidence(case, notice, now)
    kind = frozen.reasons[notice.codes[0]].kind
    ends_at = case_clock.suspension_ends_at(case.application, now) if kind == "suspension" else None
    is_before = _end_before_hearing(case, actor, now)
    taken = _taken(found, notice, officer, begun, now, kind=kind, ends_at=ends_at)
    notice.concluded_at = now
    notice.save(update_fields=["concluded_at"])
    reviewing.end(notice.subject, now)
    if taken.kind == "suspension":
        # In the place of a pause of the holder's own, which a press would end, or of what was before the hearing.
        pausing.suspend(
            registration=found,
            code=notice.codes[0],
            actor=actor,
            now=now,
            until=ends_at,
            instead_of=notice.codes[0] if is_before else rules.PAUSED_AT_REQUEST,
        )
    else:
        register.strike_out(registration=found, code=notice.codes[0], actor=actor, now=now)
    record(
        case,
        "revoked",
        actor,
        now,
        reason=" ".join(notice.codes),
        detail={"kind": taken.kind, "proposed_by": str(notice.proposed_by_id)},
    )
    _tell_of_taking(taken, remedies.remedies_after(frozen, notice.codes), now)
    wake()
    return taken


@transaction.atomic
def suspend_before_hearing(*, case: Case, officer: User, because: str, now: dt.datetime) -> Revocation:
    """A Director agrees to suspend it for some hours, before its holder is heard: nothing is decided yet, and it ends
    by itself, or with what is decided. Raises NotPossibleNow, EvidenceMissing, and as `transitions.begin` does.
    """
    case = lock(case)
    notice = _standing(case, "suspend_before_hearing")
    begun = begin(case, "suspend_before_hearing", by=officer, now=now, codes=notice.codes, words=because)
    frozen, found = case_clock.policy_of(case.application), registration_of(case, now)
    may = may_be_before_hearing(case, frozen, frozen.reasons[notice.codes[0]], now)
    if found is None or not may or entries.standing(found, now) is not Standing.VALID:
        raise NotPossibleNow("suspend_before_hearing", case.standing)
    _require_evidence(case, notice, now)
    ends_at = now + dt.timedelta(hours=hours_before_hearing(frozen))
    taken = _taken(found, notice, officer, begun, now, kind="suspension", ends_at=ends_at, before_hearing=True)
    pausing.suspend(registration=found, code=notice.codes[0], actor=begun.actor, now=now, until=ends_at)
    record(
        case,
        "suspended_first",
        begun.actor,
        now,
        reason=" ".join(notice.codes),
        detail={"proposed_by": str(notice.proposed_by_id)},
    )
    _tell_of_taking(taken, remedies.remedies_of(frozen, notice.codes), now)
    wake()
    return taken


def _require_evidence(case: Case, notice: Notice, now: dt.datetime) -> None:
    known = case_clock.policy_of(case.application).reasons
    in_file.require(in_file.File(case.application, now, notice=notice), [known[code] for code in notice.codes])


def hours_before_hearing(rules: Policy) -> int:
    """For how many hours a suspension before a hearing lasts at most; 0: it is off."""
    return rules.before_hearing.length if rules.before_hearing is not None else 0


def may_be_before_hearing(case: Case, rules: Policy, reason: Reason, now: dt.datetime) -> bool:
    """Whether the registration of a case may be suspended by this code before its holder is heard: the policy says so,
    and it never was."""
    found = registration_of(case, now)
    is_on = rules.before_hearing is not None and reason.before_hearing
    return is_on and found is not None and not found.revocations.filter(before_hearing=True).exists()


def _end_before_hearing(case: Case, actor: str, now: dt.datetime, *, resumes: bool = False) -> bool:
    """What was suspended before the hearing gives way to what is decided now; `resumes`: that it stays. Whether it was
    suspended until now."""
    taken = taken_back(case).filter(before_hearing=True).first()
    if taken is None:
        return False
    taken.ended_at, taken.ended_by = now, actor
    taken.save(update_fields=["ended_at", "ended_by"])
    is_suspended = entries.standing(taken.registration, now) is Standing.SUSPENDED
    if resumes and is_suspended:
        pausing.resume(registration=taken.registration, actor=actor, now=now)
    return is_suspended


def _taken(
    found: Registration, notice: Notice, officer: User, begun: Begun, now: dt.datetime, **how: Any
) -> Revocation:
    frozen = case_clock.policy_of(notice.case.application)
    forum = frozen.forum_for("officer_decision")
    assert forum is not None  # noqa: S101 - the loader refuses a policy without one
    return Revocation.objects.create(
        case=notice.case,
        registration=found,
        notice=notice,
        codes=notice.codes,
        text=begun.words,
        decided_by=begun.actor,
        proposed_by=notice.proposed_by,
        seconded_by=officer,
        rule_version=frozen.version,
        at=now,
        appeal_until=policy.add(start=now, allowance=forum.file_within, calendar=case_clock.calendar()),
        **how,
    )


def _tell_of_taking(taken: Revocation, what_can_be_done: Iterable[Remedy], now: dt.datetime) -> None:
    """The order, with its reasons, and what the holder can do."""
    notice, frozen = taken.notice, case_clock.policy_of(taken.case.application)
    notify_holder(
        taken.registration,
        "registration_suspended" if taken.kind == "suspension" else "registration_struck_out",
        now,
        code=list(notice.codes),
        reason=[frozen.reasons[code].text for code in notice.codes],
        provisions=list(remedies.provisions_of(frozen, notice.codes)),
        remedies=list(what_can_be_done),
        **({} if notice.is_order else remedies.written_to(frozen)),
        text=taken.text,
        order=notice.order_named,
        appeal_until=None if notice.is_order else taken.appeal_until,
        **({"ends_at": taken.ends_at} if taken.ends_at is not None else {}),
        **({"before_hearing": True} if taken.before_hearing else {}),
        **({"reviewer": True} if taken.decided_by.startswith("reviewer:") else {}),
    )


@transaction.atomic
def restore_registration(*, case: Case, officer: User, why: str, now: dt.datetime) -> Revocation:
    """It was taken back wrongly, or what it was taken back for is mended: it stands again, under the same number.
    Raises NotPossibleNow, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "restore_registration", by=officer, now=now, words=why)
    actor = begun.actor
    taken = to_restore(case, now)
    if taken is None:
        raise NotPossibleNow("restore_registration", case.standing)
    taken.restored_at, taken.restored_by, taken.restored_why = now, officer, begun.words
    taken.save(update_fields=["restored_at", "restored_by", "restored_why"])
    if entries.standing(taken.registration, now) is Standing.SUSPENDED:
        resume(registration=taken.registration, actor=actor, now=now, why=begun.words)
    else:
        restore(registration=taken.registration, actor=actor, now=now, why=begun.words)
    record(case, "restored_registration", actor, now, reason=" ".join(taken.codes))
    return taken


def taken_back(case: Case) -> QuerySet[Revocation]:
    """What was taken back from this case and did not end, the last in front."""
    found = Revocation.objects.filter(case=case, restored_at__isnull=True, ended_at__isnull=True)
    found = found.select_related("registration")
    return found.order_by("-at", "-id")


def last_before_hearing(case: Case) -> Revocation | None:
    """The suspension before a hearing, also after it has ended; not one that was set aside."""
    found = Revocation.objects.filter(case=case, before_hearing=True, restored_at__isnull=True)
    return found.select_related("registration", "notice").first()


def to_restore(case: Case, now: dt.datetime, found: Iterable[Revocation] | None = None) -> Revocation | None:
    """What was taken back from this case, stands taken back, and could stand again. `found`: what `taken_back` did."""
    taken = taken_back(case).first() if found is None else next(iter(found), None)
    if taken is None or taken.registration.expired_at is not None or now >= taken.registration.stays_until:
        return None
    over = entries.standing(taken.registration, now) in {Standing.SUSPENDED, Standing.STRUCK_OUT}
    code = taken.registration.struck_out_code or taken.registration.suspended_code
    return taken if over and code in taken.codes else None


def _standing(case: Case, act: str) -> Notice:
    notice = queries.open_notice(case)
    if notice is None:
        raise NotPossibleNow(act, case.standing)
    return notice


def can_be_first(case: Case, notice: Notice | None) -> bool:
    """Whether a Director may still agree to suspend it before its holder is heard, as was proposed."""
    if notice is None or not notice.before_hearing or not rules.allows(case.standing, "suspend_before_hearing"):
        return False
    return not case.revocations.filter(before_hearing=True).exists()


def waiting(*, officer: User, now: dt.datetime) -> list[tuple[Notice, rules.CannotSecond | None]]:
    """Proposals to take a registration back that wait for an answer or a second officer; none of the officer's own
    registrations. Whoever shows them puts the look on record (`desk.record_looks`)."""
    standing = Notice.objects.filter(
        case__status=rules.Status.DECIDED, withdrawn_at__isnull=True, concluded_at__isnull=True
    )
    found = standing.select_related("case__application__organisation", "case__application__applicant", "proposed_by")
    is_own = conflicts_of_interest.own_of(officer)
    second = Second(officer, now)
    return [
        (each, second.cannot(each))
        for each in found.order_by("decide_by", "id")[:200]
        if not is_own(each.case.application)
    ]
