"""Reads of second looks. `file_for_look` is the gatekeeper: it opens a file for whoever looks and records that it did.

Whoever looks sees neither the outcome nor who decided; after their own outcome both stand beside each other.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.decide import conflicts_of_interest
from rahdari.decide import queries as cases
from rahdari.decide.decided import SHARED_CARD
from rahdari.decide.models import Case
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.journal import queries as record
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.web.context import Link

from .models import WHY, SecondLook
from .rules import Rate

# So long whoever took a look has it; then another one may.
KEPT_FOR = dt.timedelta(hours=24)
# So far back published figures count.
YEAR = dt.timedelta(days=365)
# Of the looks that wait, so many of the oldest are considered for an officer.
CONSIDERED = 200
# Disagreements on one page; what is closed makes room for the next.
A_PAGE = 50
WITH_A_CASE = (
    "decision",
    "decision__case",
    "decision__case__application",
    "decision__case__application__applicant",
    "decision__case__application__organisation",
)


class LookNotFound(RahdariError):
    """There is no such second look, or it is not for you: nobody learns which. `.id`."""

    says = "no second look {id} for this officer"
    id: uuid.UUID


def waiting() -> QuerySet[SecondLook]:
    """Drawn and not looked at, oldest first. A decision that was taken back, or whose file is erased, needs no look."""
    return SecondLook.objects.filter(
        looked_at__isnull=True,
        decision__voided_at__isnull=True,
        decision__case__application__erased_at__isnull=True,
    ).order_by("drawn_at", "id")


def free_for(officer: User, now: dt.datetime) -> list[SecondLook]:
    """Those of the oldest that this officer may look at now, their own that they have begun in front."""
    others = Q(taken_by__isnull=False, taken_at__gt=now - KEPT_FOR) & ~Q(taken_by=officer)
    found = list(waiting().exclude(others).select_related(*WITH_A_CASE)[:CONSIDERED])
    free = _without_part(found, officer)
    return sorted(free, key=lambda look: look.taken_by_id != officer.pk)


def has_part(look: SecondLook, officer: User) -> bool:
    """Whether the officer decided, had the case, has seen the file, or may not see it."""
    return not _without_part([look], officer)


def _without_part(found: list[SecondLook], officer: User) -> list[SecondLook]:
    """Columns tell of those who decided; the journal of all who did something in the file or opened it, for anything
    but a second look."""
    if not found:
        return []
    is_own = conflicts_of_interest.own_of(officer)
    accounts = people.accounts_of(officer)
    actors = [f"{post}:{account}" for post in ("officer", "supervisor") for account in accounts]
    known = record.done_by(actors, [look.decision.case.application.subject for look in found])
    seen = set(known.exclude(reason__in=[WHY, SHARED_CARD]).order_by().values_list("subject", flat=True))
    # Another decision on the same case, of which they know what became.
    before = SecondLook.objects.filter(taken_by__in=accounts, looked_at__isnull=False)
    named = before.filter(decision__case__in=[look.decision.case_id for look in found])
    earlier = set(named.values_list("decision__case", flat=True))
    return [
        look
        for look in found
        if not _decided(look, accounts)
        and look.decision.case.application.subject not in seen
        and look.decision.case_id not in earlier
        and not is_own(look.decision.case.application)
    ]


def _id_of(actor: str) -> uuid.UUID | None:
    kind, _colon, name = actor.partition(":")
    return uuid.UUID(name) if kind in {"officer", "supervisor"} else None


def file_for_look(*, officer: User, id: uuid.UUID, now: dt.datetime, what: str = "file") -> SecondLook:
    """The look that this officer has taken, with its case, and the read on record. `what` is `file`; once they gave
    their own outcome they read the two side by side (`outcome`). Raises LookNotFound."""
    found = SecondLook.objects.select_related(*WITH_A_CASE, "decision__case__assigned_to").filter(pk=id)
    look = found.filter(taken_by=officer).first() if people.is_officer(officer) else None
    if look is None or (look.looked_at is None and (_is_over(look, now) or has_part(look, officer))):
        raise LookNotFound(id)
    case = look.decision.case
    if look.looked_at is not None:
        record_read(look, officer=officer, now=now, act="sampling.read_outcome")
    elif what == "file":
        record_read(look, officer=officer, now=now, act="sampling.read_file")
    cases.read_events([case], [case.pk])
    return look


def is_gone(look: SecondLook) -> bool:
    """Whether there is nothing to look at any more."""
    return look.decision.voided_at is not None or look.decision.case.application.erased_at is not None


def _is_over(look: SecondLook, now: dt.datetime) -> bool:
    return is_gone(look) or look.taken_at is None or look.taken_at <= now - KEPT_FOR


def record_read(look: SecondLook, *, officer: User, now: dt.datetime, act: str, **more: str) -> None:
    case: Case = look.decision.case
    journal.record(
        act=act,
        actor=cases.actor_of(officer),
        subject=case.application.subject,
        now=now,
        reason=look.why,
        ground=cases.ground_of(case),
        detail={"look": str(look.pk), **more},
    )


# -- disagreements -----------------------------------------------------------------------------------------------


def open_disagreements(officer: User) -> list[SecondLook]:
    """What a supervisor has to follow up, longest open first: without what they looked at or had a part in."""
    if not people.is_supervisor(officer):
        return []
    found = SecondLook.objects.filter(agrees=False, closed_at__isnull=True, looked_at__isnull=False)
    accounts = people.accounts_of(officer)
    rows = found.exclude(taken_by__in=accounts).select_related(*WITH_A_CASE).order_by("looked_at", "id")[:CONSIDERED]
    is_own = conflicts_of_interest.own_of(officer)
    theirs = [each for each in rows if not _decided(each, accounts) and not is_own(each.decision.case.application)]
    return theirs[:A_PAGE]


def _decided(look: SecondLook, accounts: frozenset[uuid.UUID]) -> bool:
    decision = look.decision
    parts = {decision.proposed_by_id, decision.seconded_by_id, decision.case.assigned_to_id}
    return not accounts.isdisjoint(parts | {_id_of(decision.decided_by)})


def record_list(looks: Iterable[SecondLook], *, officer: User, now: dt.datetime) -> None:
    """A list of disagreements is a look at each decision on it."""
    by_why: dict[str, list[str]] = {WHY: [], SHARED_CARD: []}
    for look in looks:
        by_why[look.why].append(look.decision.case.application.subject)
    for why, shown in by_why.items():
        journal.record_list(
            act="sampling.read_list",
            actor=cases.actor_of(officer),
            where="desk:second-looks",
            reason=why,
            shown=shown,
            now=now,
        )


def disagreement_for(*, officer: User, id: uuid.UUID, now: dt.datetime) -> SecondLook:
    """One of these, with the read on record. Raises LookNotFound."""
    look = next((each for each in open_disagreements(officer) if each.pk == id), None)
    if look is None:
        raise LookNotFound(id)
    record_read(look, officer=officer, now=now, act="sampling.read_outcome")
    return look


# -- figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """Of the last year, for everybody."""

    by_rule: Rate
    by_officers: Rate


def figures(now: dt.datetime) -> Figures:
    looked = SecondLook.objects.filter(looked_at__gt=now - YEAR, by_chance=True).order_by()
    rows = looked.values_list("by_rule").annotate(all=Count("*"), differed=Count("pk", filter=Q(agrees=False)))
    found = {by_rule: Rate(number, differed) for by_rule, number, differed in rows}
    nothing = Rate(0, 0)
    return Figures(found.get(True, nothing), found.get(False, nothing))


def by_officer(now: dt.datetime) -> list[tuple[str, Rate]]:
    """The same of each officer who decided, by name, for supervisors alone."""
    looked = SecondLook.objects.filter(looked_at__gt=now - YEAR, by_rule=False).order_by()
    rows = looked.values_list("decision__decided_by").annotate(
        all=Count("*"), differed=Count("pk", filter=Q(agrees=False))
    )
    found: dict[str, tuple[int, int]] = {}
    for actor, number, differed in rows:
        # Somebody may have decided in either post.
        name = actor.partition(":")[2]
        all_before, differed_before = found.get(name, (0, 0))
        found[name] = (all_before + number, differed_before + differed)
    named = [(people.name_of_staff(id) or _("An officer"), Rate(*counts)) for id, counts in found.items()]
    return sorted(named, key=lambda each: each[0].casefold())


def if_there_is_time(officer: User, now: dt.datetime) -> list[Link]:
    """For the empty queue (`settings.IF_THERE_IS_TIME`)."""
    count = len(free_for(officer, now))
    if not count:
        return []
    return [Link(_("Look again at decisions"), reverse("sampling:second_looks"), count=count)]
