"""What other rooms call by a text: an application, an address of one. For rooms, not pages: no visitor asks here."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from rahdari.people import queries as people
from rahdari.register.models import Registration

from .models import Application, Endpoint
from .reach import every
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
