"""What an appeal does to a decision: a refusal is void and the case is open again, a registration that was taken back
stands again. What was decided stays on record; the appeal itself is another room's.
"""

import datetime as dt

from django.db import transaction

from rahdari.apply import sending
from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register import queries as entries
from rahdari.register.rules import Standing

from . import conflicts_of_interest, queries, recusing, remedies
from .ending import restore, resume
from .models import Case, Recusal, Revocation
from .rules import Lane, Outcome, Status
from .transitions import NotPossibleNow, begin, lock, record


@transaction.atomic
def set_aside_refusal(*, case: Case, actor: str, allowed: bool, now: dt.datetime) -> Case:
    """The refusal is void and the case is decided anew, by others than those who refused where there are others.
    `actor`: `appeal:<uuid>`. Raises NotPossibleNow where no refusal stands, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "set_aside_refusal", by=actor, now=now)
    decision = queries.decision_of(case)
    if decision is None or decision.outcome != Outcome.REFUSED:
        raise NotPossibleNow("set_aside_refusal", case.standing)
    decision.voided_at, decision.voided_why = now, remedies.ALLOWED if allowed else remedies.SENT_BACK
    decision.save(update_fields=["voided_at", "voided_why"])
    case.status, case.lane, case.decided_at, case.assigned_to, case.assigned_at = (
        Status.OPEN,
        Lane.REVIEW,
        None,
        None,
        None,
    )
    case.save(update_fields=["status", "lane", "decided_at", "assigned_to", "assigned_at"])
    sending.reopen_application(application=case.application, actor=actor, now=now, reason="appeal")
    case = queries.cases().get(pk=case.pk)
    deciders = [each for each in (decision.proposed_by, decision.seconded_by) if each is not None]
    if recusing.others(case, besides=deciders):
        known = conflicts_of_interest.recused_from(case).values_list("officer", flat=True)
        for officer in (each for each in deciders if each.pk not in set(known)):
            Recusal.objects.create(case=case, officer=officer, asked_by=actor, at=now)
    record(case, "set_aside", begun.actor, now, reason=" ".join(decision.codes))
    return case


@transaction.atomic
def set_aside_revocation(*, taken: Revocation, actor: str, now: dt.datetime) -> int | None:
    """The registration stands again under its number. Returns how many addresses and lines did not come back; None
    where it ended meanwhile, so that nothing can stand again. Raises as `transitions.begin` does.
    """
    case = lock(taken.case)
    begin(case, "set_aside_revocation", by=actor, now=now)
    taken = Revocation.objects.select_related("registration").get(pk=taken.pk)
    lost: int | None = 0
    # What is over by then takes nothing back any more; what does is another decision.
    if not taken.is_over:
        taken.restored_at, taken.restored_why = now, "appeal"
        taken.save(update_fields=["restored_at", "restored_why"])
        lost = _stand_again(taken, actor, now)
    record(case, "set_aside", actor, now, reason=" ".join(taken.codes))
    return lost


def stand_for_now(*, taken: Revocation, actor: str, now: dt.datetime) -> bool:
    """The appeal is late: until it is decided the registration is as it was before. Whether it could stand again."""
    return not taken.is_over and _stand_again(taken, actor, now) is not None


def take_back_again(*, taken: Revocation, actor: str, now: dt.datetime) -> None:
    """What stood only until the appeal was decided, and the appeal was dismissed: a suspension to the end that it had
    from the start. One that is over by then, or whose registration is, stays so."""
    found = entries.fresh(taken.registration)
    is_over = taken.ended_at is not None or (taken.ends_at is not None and taken.ends_at <= now)
    if taken.restored_at is not None or is_over or entries.standing(found, now) is not Standing.VALID:
        return
    if taken.kind == "suspension":
        pausing.suspend(registration=found, code=taken.codes[0], actor=actor, now=now, until=taken.ends_at)
    else:
        register.strike_out(registration=found, code=taken.codes[0], actor=actor, now=now)


def _stand_again(taken: Revocation, actor: str, now: dt.datetime) -> int | None:
    found = entries.fresh(taken.registration)
    standing = entries.standing(found, now)
    code = found.struck_out_code or found.suspended_code
    if standing is Standing.VALID:
        return 0
    if found.expired_at is not None or now >= found.stays_until or code not in taken.codes:
        return None
    if standing is Standing.SUSPENDED:
        resume(registration=found, actor=actor, now=now)
        return 0
    return restore(registration=found, actor=actor, now=now)[1]
