"""An officer with a conflict of interest leaves a case to others: by their own word, or because the applicant asked."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from rahdari.apply.models import Application
from rahdari.db.asked import Asked, Later
from rahdari.errors import RahdariError
from rahdari.people import acting_for
from rahdari.people import queries as people
from rahdari.people.models import Role, User

from . import conflicts_of_interest, queries, refusals, revocation
from .models import Case, Recusal
from .rules import Status, allows
from .transitions import begin, lock, record


class AskedBefore(RahdariError):
    """The applicant asked for another officer before, and got one. `.recusal`."""

    says = "another officer was asked for before: {recusal}"
    recusal: Recusal


class NotWithAnOfficer(RahdariError):
    """Nobody has the case, or a refusal was announced: then the answer to the notice is the place for it. `.case`."""

    says = "no officer has {case}, or a notice stands"
    case: Case


class NobodyElse(RahdariError):
    """No other officer could decide the case: it stays where it is. `.case`."""

    says = "nobody else can decide {case}"
    case: Case


@transaction.atomic
def recuse(*, case: Case, officer: User, why: str, now: dt.datetime) -> Recusal:
    """An officer declares a conflict of interest. From then on they neither see the case nor act in it; one that they
    had goes back into the queue, and a proposal of theirs that stands is withdrawn; either also where it is under
    another account of the same person.
    Raises as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "recuse", by=officer, now=now, words=why)
    notice = queries.open_notice(case)
    if notice is not None and notice.proposed_by_id in people.accounts_of(officer):
        if case.status == Status.DECIDED:
            revocation.keep_registration(case=case, officer=officer, why=begun.words, now=now)
        else:
            case = refusals.drop_refusal(case=case, officer=officer, why=begun.words, now=now)
    recusal = _leave(case, officer, asked_by=begun.actor, why=begun.words, now=now)
    record(case, "recused", begun.actor, now)
    return recusal


@transaction.atomic
def ask_for_another(*, case: Case, actor: str, why: str, now: dt.datetime) -> Recusal:
    """The applicant asks that another officer than the one who has the case decides it, and says why. Once.

    Raises AskedBefore, NobodyElse, NotWithAnOfficer, and as `transitions.begin` does.
    """
    case = lock(case)
    if case.assigned_to is None or not allows(case.standing, "ask_for_another_officer"):
        raise NotWithAnOfficer(case)
    begun = begin(case, "ask_for_another_officer", by=actor, now=now, words=why)
    if (before := asked_before(case)) is not None:
        raise AskedBefore(before)
    if not others(case):
        raise NobodyElse(case)
    recusal = _leave(case, case.assigned_to, asked_by=actor, why=begun.words, now=now)
    record(case, "asked_for_another", actor, now)
    return recusal


def _leave(case: Case, officer: User, *, asked_by: str, why: str, now: dt.datetime) -> Recusal:
    if case.assigned_to_id in people.accounts_of(officer):
        case.assigned_to, case.assigned_at = None, None
        case.save(update_fields=["assigned_to", "assigned_at"])
    return Recusal.objects.create(case=case, officer=officer, asked_by=asked_by, why=why, at=now)


def others(case: Case, *, besides: Collection[User] = ()) -> list[User]:
    """Who could have the case in the place of the person who has it, and of those `besides`."""
    posts = people.all_posts().filter(role__in=[Role.OFFICER, Role.SUPERVISOR])
    known = [each.pk for each in (case.assigned_to, *besides) if each is not None]
    without = {account for account, _of in acting_for.accounts_of_each(known)}
    found = {post.user_id: post.user for post in posts if post.user_id not in without}
    out = conflicts_of_interest.with_part_in(case.application, found.values())
    return [user for user in found.values() if user.pk not in out]


_of_applications = Asked(lambda applications: Recusal.objects.filter(case__application__in=applications))


def recusals_later(application: Application) -> Later[Recusal]:
    """What `recusals_of` asks, for `db.together.ahead`."""
    return _of_applications.later([application.pk])


def recusals_of(application: Application) -> list[Recusal]:
    """Who left its case to others, for the applicant: that it happened, and at whose word."""
    return _of_applications([application.pk])


def asked_before(case: Case) -> Recusal | None:
    """The applicant's own request for another officer."""
    return next((each for each in conflicts_of_interest.recused_from(case) if each.is_asked_for), None)


def may_ask_for_another(case: Case | None) -> bool:
    """Whether the applicant may ask: an officer has the case, no notice stands, and it was not asked before."""
    if case is None or case.assigned_to_id is None or not allows(case.standing, "ask_for_another_officer"):
        return False
    return asked_before(case) is None
