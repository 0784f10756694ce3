"""What waits for the line, and what does not any more."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from rahdari.people.models import Organisation, User
from rahdari.register import queries as register
from rahdari.vault import index

from .access import every
from .file_hold import held
from .models import Application, Endpoint, LateEvidence
from .rules import Status
from .subjects import SUBJECT, endpoint_names


def submitted_without_checks() -> QuerySet[Application]:
    """Sent, and their checks not asked for yet, oldest first."""
    return every().filter(status=Status.SUBMITTED, checks_opened_at__isnull=True).order_by("submitted_at", "id")


def submitted_undecided() -> QuerySet[Application]:
    """Sent, their checks asked for, and nothing decided yet, oldest first."""
    return every().filter(status=Status.SUBMITTED, checks_opened_at__isnull=False).order_by("submitted_at", "id")


def awaiting_rule() -> QuerySet[Application]:
    """Of these the ones that no rule has decided or made a case of, oldest first."""
    return every().filter(status=Status.SUBMITTED, awaits_rule=True).order_by("submitted_at", "id")


# Of which nothing comes any more.
CLOSED_WITHOUT_GRANT = (Status.REFUSED, Status.WITHDRAWN, Status.NOT_PURSUED)


@dataclass(frozen=True)
class Held:
    persons: int
    oldest: dt.datetime | None


def held_without_a_registration(now: dt.datetime) -> Held:
    """Persons with an address in a closed application, of whom nothing stands on the register and nothing is applied
    for: 0, but for those whose time of keeping, of an appeal or of a late answer is not over, or whose file an officer
    holds; the age is that of the oldest that nobody holds."""
    holder = Coalesce("organisation__holder_ref", "applicant__holder_ref")
    stands = register.not_ended().filter(holder=OuterRef("holder"))
    open_ones = Application.objects.filter(applicant=OuterRef("applicant"), closed_at__isnull=True)
    closed = Application.objects.filter(closed_at__isnull=False, erased_at__isnull=True)
    found = (
        closed.annotate(holder=holder)
        .filter(Exists(Endpoint.objects.filter(application=OuterRef("pk"))))
        .exclude(Exists(stands) | Exists(open_ones))
        .aggregate(
            persons=Count("applicant", distinct=True),
            oldest=Min("closed_at", filter=Q(held_until__isnull=True) | ~held(now)),
        )
    )
    return Held(found["persons"], found["oldest"])


def any_kept_of(applicant: User) -> bool:
    """Whether any application of this person is still there with what was written in it."""
    return Application.objects.filter(applicant=applicant, erased_at__isnull=True).exists()


def removed_endpoint_subjects(*, since: dt.datetime) -> QuerySet[Endpoint, str]:
    """The addresses that were taken out of an application at that time or later, as other rooms name them."""
    return endpoint_names(Endpoint.objects.filter(removed_at__gte=since))


def proofs_to_take_in() -> QuerySet[LateEvidence]:
    """Later proofs that the checks do not know of yet, oldest first."""
    waiting = LateEvidence.objects.filter(taken_in_at__isnull=True).select_related("application")
    return waiting.order_by("given_at", "id")


def sent_for(organisation: Organisation) -> QuerySet[Application]:
    """What was sent for an organisation, the latest first."""
    found = Application.objects.filter(organisation=organisation, submitted_at__isnull=False)
    return found.order_by("-submitted_at", "id")


def open_with_the_number_of(application: Application) -> QuerySet[Application]:
    """What is sent and undecided with the same company number, whoever sent it; the latest first."""
    if application.organisation_id is None or not application.company_number:
        return Application.objects.none()
    found = Application.objects.filter(status=Status.SUBMITTED, company_number=application.company_number)
    found = found.filter(organisation__isnull=False)
    return found.select_related("organisation", "applicant").order_by("-submitted_at", "id")


def open_with_the_numbers_of(organisations: Iterable[uuid.UUID]) -> QuerySet[Application, str]:
    """What is sent and undecided with a company number under which one of these organisations was granted something, as
    other rooms name it; a part of their query."""
    granted = Application.objects.filter(organisation__in=list(organisations), status=Status.GRANTED)
    numbers = granted.exclude(company_number_index="").values("company_number_index")
    found = Application.objects.filter(status=Status.SUBMITTED, organisation__isnull=False)
    return found.filter(company_number_index__in=numbers).order_by().values_list(SUBJECT, flat=True)


def own_with_the_number_of(application: Application, applicant: User) -> QuerySet[Application]:
    """What this person has sent with the same company number, for themselves and not as an agent."""
    found = Application.objects.filter(applicant=applicant, submitted_at__isnull=False, mandate__isnull=True)
    return found.filter(company_number=application.company_number, organisation__isnull=False).order_by("id")


def holders_with_card(card: str) -> list[uuid.UUID]:
    """Those to whom something was granted with this card number."""
    found = Application.objects.filter(cnic_index=index.blind("cnic", card), organisation__isnull=True)
    return list(
        found.filter(status=Status.GRANTED).order_by().values_list("applicant__holder_ref", flat=True).distinct()
    )


def sent_with_the_number_of(application: Application) -> QuerySet[Application]:
    """What others have sent with the same company number, or the same card number; the latest first. A number that is
    abused may have very many."""
    sent = Application.objects.filter(submitted_at__isnull=False).exclude(pk=application.pk)
    if application.organisation_id is not None:
        if not application.company_number:
            return sent.none()
        found = sent.filter(company_number=application.company_number, organisation__isnull=False)
        found = found.exclude(organisation=application.organisation)
    elif application.cnic_index:
        found = sent.filter(cnic_index=application.cnic_index, organisation__isnull=True)
        found = found.exclude(applicant=application.applicant)
    else:
        return sent.none()
    return found.select_related("organisation", "applicant").order_by("-submitted_at", "id")
