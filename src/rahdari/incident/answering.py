"""What whoever mends it does: an operator, or the desk where none is known. And the desk's own two acts.

Invariants: a reason is one of a closed list, and words stand beside it; nobody closes an incident by saying so: what is
said to be mended waits for looks or for its holder, what is said to be none of theirs may be disputed. The same word
within a day, with nothing asked anew in between, is one: a program that got no answer sends it again.
"""

import datetime as dt

from django.db import transaction

from rahdari.errors import RahdariError
from rahdari.people import quoting
from rahdari.publish.models import Operator

from . import actions, queries, telling
from .actions import NotPossibleNow, lock, make, possible, sentence
from .models import Incident, Report
from .rules import DISCLAIMS, MENDS, By, Reason, State

# After this the same word is news: it is still so.
SAID_FOR = dt.timedelta(days=1)
# What asks for an answer anew, also for the same one.
ASKS_ANEW = ("dispute", "open_again", "find_cut", "hand_back", "assign")


class AnotherOperator(RahdariError):
    """Two incidents of different operators have no cause in common. `.incident` and `.other`"""

    says = "{incident} and {other} are not of one operator"
    incident: Incident
    other: Incident


@transaction.atomic
def acknowledge(*, incident: Incident, actor: str, now: dt.datetime) -> Incident:
    """It was read by somebody there. No answer yet. Raises NotPossibleNow."""
    incident = lock(incident)
    move = possible(incident, "acknowledge", now)
    incident.acknowledged_at = now
    make(incident, move, actor=actor, now=now)
    return incident


@transaction.atomic
def answer(*, incident: Incident, reason: Reason, words: str = "", actor: str, now: dt.datetime) -> Incident:
    """The cause, and that it is worked on; or, by its code, that there is nothing for it to mend, or that another
    network has the address. Raises NotPossibleNow, LeadsAway.
    """
    incident = lock(incident)
    act = "answer" if reason in MENDS else "disclaim" if reason in DISCLAIMS else "hand_back"
    move, asked = possible(incident, act, now, reason), incident.operator
    words = _held(words, asked)
    if _is_said(incident, act, words, now, code=reason):
        return incident
    if act == "hand_back":
        # The desk finds out whose it is; that this operator does not have it, is no cause.
        incident.operator = None
        if incident.is_muted(now):
            # The work is that operator's, and keeps no other one from being asked.
            incident.muted_until, incident.work = None, ""
        _ask_anew(incident, now)
    else:
        incident.reason, incident.answered_at = reason, incident.answered_at or now
        incident.claimed_at = now if act == "disclaim" else None
    make(incident, move, actor=actor, now=now, code=reason, words=words, of=asked)
    if act != "hand_back":
        telling.answered(incident, words, now)
    return incident


def _is_said(incident: Incident, act: str, words: str, now: dt.datetime, *, code: str = "") -> bool:
    lately = incident.happenings.filter(act__in=[act, *ASKS_ANEW], at__gt=now - SAID_FOR)
    last = lately.order_by("-at").first()
    return last is not None and (last.act, last.code, last.words) == (act, code, words)


def _ask_anew(incident: Incident, now: dt.datetime) -> None:
    allowed = queries.times()
    incident.acknowledged_at = incident.answered_at = incident.claimed_at = None
    incident.reason = ""
    incident.answer_due_at, incident.mend_due_at = now + allowed.first_answer, now + allowed.mend


@transaction.atomic
def tell(*, incident: Incident, words: str, actor: str, now: dt.datetime) -> Incident:
    """How far it is, to all who reported it. Raises NotPossibleNow, WordsNeeded, LeadsAway."""
    incident = lock(incident)
    move, words = possible(incident, "tell", now), _held(sentence(words), incident.operator)
    if not _is_said(incident, "tell", words, now):
        make(incident, move, actor=actor, now=now, words=words)
    return incident


def _held(words: str, operator: Operator | None) -> str:
    """What holders read as the word of this operator; without one it is our own. Raises LeadsAway."""
    return quoting.held(words) if operator is not None else words.strip()


@transaction.atomic
def say_mended(*, incident: Incident, words: str = "", actor: str, now: dt.datetime) -> Incident:
    """It is over, whoever mends it says. That is to be seen. Raises NotPossibleNow, LeadsAway."""
    incident = lock(incident)
    move = possible(incident, "say_mended", now)
    incident.claimed_at = now
    words = _held(words, incident.operator)
    make(incident, move, actor=actor, now=now, code=incident.reason, words=words)
    telling.answered(incident, words, now, mended=True)
    return incident


@transaction.atomic
def report(*, incident: Incident, words: str, actor: str, now: dt.datetime) -> Incident:
    """What happened and what changes, after the end. Raises NotPossibleNow, WordsNeeded, LeadsAway."""
    incident = lock(incident)
    move, words = possible(incident, "report", now), _held(sentence(words), incident.operator)
    if _is_said(incident, "report", words, now):
        return incident
    incident.reported_at = incident.reported_at or now
    make(incident, move, actor=actor, now=now, words=words)
    telling.told_what_happened(incident, now)
    return incident


# -- the desk ------------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(*, incident: Incident, operator: Operator, actor: str, now: dt.datetime) -> Incident:
    """Whose it is to mend. Its clock begins now. Raises NotPossibleNow."""
    incident = lock(incident)
    move = possible(incident, "assign", now)
    _ask_anew(incident, now)
    incident.operator = operator
    make(incident, move, actor=actor, now=now)
    telling.asked(incident, now)
    return incident


@transaction.atomic
def merge(*, incident: Incident, into: Incident, actor: str, now: dt.datetime) -> Incident:
    """They have one cause: its reports go to the other one. Raises NotPossibleNow, AnotherOperator."""
    first, second = sorted((incident, into), key=lambda each: str(each.pk))
    locked = {each.pk: each for each in (lock(first), lock(second))}
    incident, into = locked[incident.pk], locked[into.pk]
    if incident.pk == into.pk or incident.operator_id != into.operator_id:
        raise AnotherOperator(incident, into)
    if not into.is_live:
        raise NotPossibleNow("merge", into)
    move = possible(incident, "merge", now)
    there = {(each.subject, each.holder) for each in queries.standing_reports(into)}
    for each in queries.standing_reports(incident):
        if (each.subject, each.holder) in there:
            each.withdrawn_at = now
            each.save(update_fields=["withdrawn_at"])
    Report.objects.filter(incident=incident, withdrawn_at__isnull=True).update(incident=into)
    if incident.began_at < into.began_at:
        into.began_at = incident.began_at
    incident.merged_into, incident.ended_at = into, now
    make(incident, move, actor=actor, now=now, code=into.reference)
    into.save(update_fields=["began_at"])
    actions.record(into, "join", By.DESK, actor=actor, now=now, code=incident.reference)
    return into


def asked_of(incident: Incident) -> tuple[Reason, ...]:
    """The reasons that may be given now; none where it is not to be answered."""
    if incident.state not in (State.OPEN, State.ACKNOWLEDGED, State.WITH_OPERATOR):
        return ()
    return (*MENDS, *DISCLAIMS, *((Reason.NOT_OURS,) if incident.operator_id is not None else ()))
