"""What other rooms call by a text: an application, an address of one. For rooms, not pages: no visitor asks here."""

import uuid
from collections.abc import Iterable

from django.db.models import CharField, OuterRef, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Concat, Substr

from rahdari.people import queries as people
from rahdari.register.models import Registration

from .access import every
from .models import Application, Endpoint
from .rules import Status


def endpoint_by_subject(subject: str) -> Endpoint | None:
    """The endpoint that other rooms know by this text, unless it was taken out. No gatekeeper: for rooms, not pages."""
    _, _, key = subject.partition("endpoint:")
    found = Endpoint.objects.select_related("application").filter(pk=key, removed_at__isnull=True) if key else None
    return found.first() if found is not None else None


def endpoints_by_subjects(subjects: Iterable[str]) -> dict[str, Endpoint]:
    """The endpoints that other rooms know by these texts, with their branches, in one query. For rooms, not pages."""
    ids = [subject.removeprefix("endpoint:") for subject in subjects if subject.startswith("endpoint:")]
    return {row.subject: row for row in Endpoint.objects.select_related("branch__organisation").filter(pk__in=ids)}


def application_by_subject(subject: str) -> Application | None:
    """The application that another room names by its subject. For the line: no visitor stands behind it."""
    kind, _, key = subject.partition(":")
    return Application.objects.filter(pk=key).first() if kind == "application" else None


# How other rooms name an application, within a query.
SUBJECT = Concat(Value("application:"), Cast("pk", CharField()))


def subjects_of(found: QuerySet[Application]) -> QuerySet[Application, str]:
    """Their names in other rooms, for a query of theirs."""
    return found.order_by().values_list(SUBJECT, flat=True)


def named_in(column: str) -> QuerySet[Application]:
    """The one that a column of the query around names; every row of it names an application."""
    return Application.objects.filter(pk=Cast(Substr(OuterRef(column), len("application:") + 1), UUIDField()))


def endpoint_names(found: QuerySet[Endpoint]) -> QuerySet[Endpoint, str]:
    named = Concat(Value("endpoint:"), Cast("pk", CharField()))
    return found.order_by().values_list(named, flat=True)


def subjects_of_endpoints(subjects: Iterable[str]) -> QuerySet[Endpoint, str]:
    """The addresses of these applications, removed ones as well, as other rooms name them; a part of their query."""
    keys = [uuid.UUID(each.removeprefix("application:")) for each in subjects if each.startswith("application:")]
    return endpoint_names(Endpoint.objects.filter(application__in=keys))


def applications_where(which: Q) -> QuerySet[Application]:
    """No gatekeeper: for rooms, not pages."""
    return Application.objects.filter(which)


def last_granted_for(registration: Registration) -> Application | None:
    """The application that the registration rests on now: the last renewal or change, or the first one."""
    again = every().filter(registration=registration, status=Status.GRANTED).order_by("-submitted_at", "id").first()
    if again is not None:
        return again
    _, _, key = registration.origin.partition("application:")
    return every().filter(pk=key).first() if key else None


def holder_name_of(registration: Registration) -> str:
    """The name under which the registration was granted, whatever its holder calls themselves since."""
    granted = last_granted_for(registration)
    if granted is not None and granted.holder_name:
        return granted.holder_name
    holder = people.public_holder(registration.holder)
    return holder.name if holder is not None else ""
