"""An officer looks at a decision again and says what they would have done; a supervisor says what followed."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from rahdari.decide import recusing
from rahdari.decide.case_clock import policy_of
from rahdari.decide.transitions import CodeNotUsable, ReasonNeeded, officer_of, sentence
from rahdari.journal import actions as journal
from rahdari.journal import seconding
from rahdari.people.models import User

from . import queries, rules
from .models import SecondLook
from .queries import LookNotFound

# The kind of code that a verdict names.
KINDS = {rules.Verdict.ASK: "question", rules.Verdict.REFUSE: "refusal"}


@transaction.atomic
def take_next(*, officer: User, now: dt.datetime) -> SecondLook | None:
    """The next one for this officer: what they have begun, or the longest waiting that nobody has. None where there is
    none. Raises NotAnOfficer."""
    actor = officer_of(officer)
    for found in queries.free_for(officer, now):
        if found.taken_by_id == officer.pk:
            SecondLook.objects.filter(pk=found.pk).update(taken_at=now)
            return found
        locked = SecondLook.objects.select_for_update(skip_locked=True).filter(pk=found.pk, looked_at__isnull=True)
        look = locked.filter(taken_by=found.taken_by_id).first()
        if look is None:
            continue  # a colleague was quicker
        look.taken_by, look.taken_at = officer, now
        look.save(update_fields=["taken_by", "taken_at"])
        _record(look, "sampling.took", actor, now)
        return look
    return None


@transaction.atomic
def give_verdict(
    *, look: SecondLook, officer: User, verdict: str, codes: Sequence[str] = (), text: str, now: dt.datetime
) -> SecondLook:
    """What the officer would have done, with a sentence. It changes nothing for anybody; where it is something else
    than what was decided, a supervisor follows it up.

    Raises LookNotFound for one that they do not have or gave their verdict on, CodeNotUsable, ReasonNeeded.
    """
    actor, look = officer_of(officer), _locked(look.pk)
    is_theirs = look.taken_by_id == officer.pk and look.looked_at is None
    if not is_theirs or queries.is_gone(look) or queries.has_part(look, officer):
        raise LookNotFound(look.pk)
    look.codes = _codes(look, rules.Verdict(verdict), codes)
    look.text, look.verdict, look.looked_at = sentence(text), rules.Verdict(verdict), now
    look.agrees = rules.agrees(verdict, look.decision.outcome)
    look.save(update_fields=["codes", "text", "verdict", "looked_at", "agrees"])
    act = "sampling.looked" if look.by_chance else "sampling.compared"
    _record(look, act, actor, now, verdict=str(verdict), agrees="yes" if look.agrees else "no")
    return look


@transaction.atomic
def leave(*, look: SecondLook, officer: User, why: str, now: dt.datetime) -> SecondLook:
    """The officer declares a conflict of interest: they have no part in the case any more, and another one looks.
    Raises LookNotFound, and as `recusing.recuse` does."""
    look = _locked(look.pk)
    if look.taken_by_id != officer.pk or look.looked_at is not None:
        raise LookNotFound(look.pk)
    recusing.recuse(case=look.decision.case, officer=officer, why=why, now=now)
    look.taken_by, look.taken_at = None, None
    look.save(update_fields=["taken_by", "taken_at"])
    return look


def _codes(look: SecondLook, verdict: rules.Verdict, codes: Sequence[str]) -> list[str]:
    if verdict not in KINDS:
        return []
    if not codes:
        raise ReasonNeeded("codes")
    known = policy_of(look.decision.case.application).reasons
    for code in codes:
        reason = known.get(code)
        usable = reason is not None and reason.usable(settings.REASONS_TO_CONFIRM_ALLOWED)
        if reason is None or not usable or reason.kind != KINDS[verdict]:
            raise CodeNotUsable(code)
    return list(dict.fromkeys(codes))


@transaction.atomic
def close(*, look: SecondLook, officer: User, done: str, text: str, now: dt.datetime) -> SecondLook:
    """A supervisor says what was done about a disagreement. The revocation, if there is one, has its own procedure.
    Raises LookNotFound where it is closed already or not theirs to close, ReasonNeeded, and
    seconding.NotSecond."""
    actor, look = officer_of(officer), _locked(look.pk)
    if look.pk not in {each.pk for each in queries.open_disagreements(officer)}:
        raise LookNotFound(look.pk)
    seconding.check(officer, [look.taken_by], now)
    look.closed_by, look.closed_at, look.closed_as = officer, now, rules.Done(done)
    look.closed_text = sentence(text)
    look.save(update_fields=["closed_by", "closed_at", "closed_as", "closed_text"])
    _record(look, "sampling.closed", actor, now, done=str(done))
    return look


def _locked(id: uuid.UUID) -> SecondLook:
    SecondLook.objects.select_for_update().values_list("pk").get(pk=id)
    return SecondLook.objects.select_related(*queries.WITH_A_CASE).get(pk=id)


def _record(look: SecondLook, act: str, actor: str, now: dt.datetime, **more: str) -> None:
    case = look.decision.case
    detail = {"look": str(look.pk), "case": str(case.pk), **more}
    journal.record(act=act, actor=actor, subject=case.application.subject, now=now, reason=look.why, detail=detail)
