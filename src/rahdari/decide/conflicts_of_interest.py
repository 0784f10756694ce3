"""In which cases an officer has no part: their own, those that they entered for somebody, and those from which they are
recused. Nobody decides for whom they act. Reached through `queries`."""

import uuid
from collections.abc import Callable, Collection

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from rahdari.apply import subjects
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.people import acting_for
from rahdari.people import queries as people
from rahdari.people.models import User

from .models import Case, Recusal


def is_own(application: Application, officer: User) -> bool:
    # Nobody else applies in a person's own right.
    if application.organisation_id is None:
        return not people.accounts_of(officer).isdisjoint((application.applicant_id, application.entered_by_id))
    return own_of(officer)(application)


def is_recused(case: Case, officer: User) -> bool:
    return recused_from(case).filter(officer__in=people.accounts_of(officer)).exists()


def recused_from(case: Case) -> QuerySet[Recusal]:
    """Who has no part in the case any more, and why, in the order in which it was said."""
    return Recusal.objects.filter(case=case).select_related("officer")


# Each account of each of these people with theirs among them; and without one, the accounts that are recused.
_ACCOUNTS_AND_RECUSALS = """
SELECT account, each FROM unnest(%s::uuid[]) AS each, people_accounts_of(each) AS account
UNION ALL
SELECT officer_id, NULL FROM decide_recusal JOIN decide_case ON decide_case.id = decide_recusal.case_id
WHERE decide_case.application_id = %s
"""


def with_part_in(application: Application, officers: Collection[User]) -> set[uuid.UUID]:
    """Those who may not decide it, with whichever account: of whose own applications it is one, and who are recused. In
    two statements at most."""
    own = {application.applicant_id, *filter(None, [application.entered_by_id])}
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS_AND_RECUSALS, [[each.pk for each in officers], application.pk])
        accounts = cursor.fetchall()
    own |= {account for account, of in accounts if of is None}
    accounts = [(account, of) for account, of in accounts if of is not None]
    if application.organisation is not None:
        known = [account for account, _of in accounts]
        own |= acting_for.who_has_part(known, application.organisation, application.created_at)
    return own | {of for account, of in accounts if account in own}


def own_of(officer: User) -> Callable[[Application], bool]:
    """Tells an officer's own applications: what they applied for or entered for somebody else, or somebody for whom
    they acted when it began, later, or in the year before (`people.parts_of`); and those from whose cases they are
    recused. Then somebody else decides: nobody leaves a company to decide its case.
    """
    parts = acting_for.parts_of(officer)
    accounts = people.accounts_of(officer)
    left = set(Recusal.objects.filter(officer__in=accounts).values_list("case__application", flat=True))

    def is_own(application: Application) -> bool:
        return (
            not accounts.isdisjoint((application.applicant_id, application.entered_by_id))
            or application.pk in left
            or acting_for.has_part(parts, application.holder_ref, application.created_at)
        )

    return is_own


def without_recusals(found: QuerySet[Case], officer: User) -> QuerySet[Case]:
    """Of these cases the ones from which the officer is not recused."""
    return found.filter(~Exists(Recusal.objects.filter(officer__in=people.accounts_of(officer), case=OuterRef("pk"))))


def of_others(found: QuerySet[Case], officer: User) -> QuerySet[Case]:
    """The cases that the officer may decide: neither their own applications (`own_of`) nor left to others."""
    return without_recusals(found.exclude(application__in=_own_applications(officer)), officer)


def own_among(found: QuerySet[Case], officer: User) -> QuerySet[Case]:
    """The others of these."""
    recused = Recusal.objects.filter(officer__in=people.accounts_of(officer)).values("case")
    return found.filter(Q(application__in=_own_applications(officer)) | Q(pk__in=recused))


def _own_applications(user: User) -> QuerySet[Application]:
    accounts = people.accounts_of(user)
    own = Q(applicant__in=accounts) | Q(entered_by__in=accounts)
    for holder, until in acting_for.parts_of(user).items():
        # Nobody else applies in a person's own right; without this an officer who acts for nobody has no other table.
        if holder != user.holder_ref:
            of_holder = Q(organisation__holder_ref=holder)
            own |= of_holder if until is None else of_holder & Q(created_at__lt=until + acting_for.PART_LASTS)
    return subjects.applications_where(own)


def own_subjects(actor: str) -> frozenset[str]:
    """What operators and associations are asked about this person's own applications: these, and their checks. Empty
    for who is no person. `settings.OWN_SUBJECTS` names it for their desks, which know no application.
    """
    user = people.person_by_actor(actor)
    if user is None:
        return frozenset()
    own = [application.subject for application in _own_applications(user).only("pk")]
    return frozenset(own) | {f"check:{check.pk}" for each in checks.checks_of_subjects(own).values() for check in each}
