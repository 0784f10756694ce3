"""What other rooms call by a text: an application, an address of one. For rooms, not pages: no visitor asks here."""

import uuid
from collections.abc import Iterable

from django.db.models import CharField, Func, Model, OuterRef, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Concat, Substr

from rahdari.db.asked import Asked
from rahdari.people import holders
from rahdari.register.models import Registration

from .access import every
from .models import Application, Endpoint
from .rules import Status


def endpoint_by_subject(subject: str) -> Endpoint | None:
    """The endpoint that other rooms know by this text, unless it was taken out. No gatekeeper: for rooms, not pages."""
    _, _, key = subject.partition("endpoint:")
    return next(iter(_endpoint(key)), None) if key else None


_endpoint = Asked(
    lambda key: Endpoint.objects.select_related("application__applicant").filter(pk=key, removed_at__isnull=True)
)


def endpoints_by_subjects(subjects: Iterable[str]) -> dict[str, Endpoint]:
    """The endpoints that other rooms know by these texts, with their branches, in one query. For rooms, not pages."""
    ids = [subject.removeprefix("endpoint:") for subject in subjects if subject.startswith("endpoint:")]
    return {row.subject: row for row in Endpoint.objects.select_related("branch__organisation").filter(pk__in=ids)}


def application_by_subject(subject: str) -> Application | None:
    """The application that another room names by its subject. For the line: no visitor stands behind it."""
    kind, _, key = subject.partition(":")
    return Application.objects.filter(pk=key).first() if kind == "application" else None


def applications_by_subjects(subjects: Iterable[str]) -> dict[str, Application]:
    """The same of many, in one query."""
    keys = [subject.removeprefix("application:") for subject in subjects if subject.startswith("application:")]
    return {row.subject: row for row in every().filter(pk__in=keys)}


# How other rooms name an application, within a query.
SUBJECT = Concat(Value("application:"), Cast("pk", CharField()))


def named_in(column: str) -> QuerySet[Application]:
    """The one that a column of the query around names; none where a row of it names something else."""
    key = Func(OuterRef(column), Value("^application:(.*)$"), function="SUBSTRING", output_field=CharField())
    return Application.objects.filter(pk=Cast(key, UUIDField()))


def endpoint_named_in(column: str, among: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Of these endpoints the one that a column of the query around names; every row of it names an endpoint."""
    return among.filter(pk=Cast(Substr(OuterRef(column), len("endpoint:") + 1), UUIDField()))


def named_by[Row: Model](rows: QuerySet[Row]) -> QuerySet[Row, uuid.UUID]:
    """The keys of the applications that the `subject` of these rows names; other rows are left."""
    key = Cast(Substr("subject", len("application:") + 1), UUIDField())
    return rows.filter(subject__startswith="application:").order_by().values_list(key, flat=True)


def endpoint_names(found: QuerySet[Endpoint]) -> QuerySet[Endpoint, str]:
    named = Concat(Value("endpoint:"), Cast("pk", CharField()))
    return found.order_by().values_list(named, flat=True)


def names_of_first(found: QuerySet[Endpoint], most: int) -> QuerySet[Endpoint, str]:
    """Of the first of these endpoints, so many; a part of another room's query."""
    return endpoint_names(Endpoint.objects.filter(pk__in=found.values("pk")[:most]))


def subjects_of_endpoints(subjects: Iterable[str]) -> QuerySet[Endpoint, str]:
    """The addresses of these applications, removed ones as well, as other rooms name them; a part of their query."""
    keys = [uuid.UUID(each.removeprefix("application:")) for each in subjects if each.startswith("application:")]
    return names_within(keys)


def names_within(applications: Iterable[uuid.UUID]) -> QuerySet[Endpoint, str]:
    """The same of these applications by their keys."""
    return endpoint_names(Endpoint.objects.filter(application__in=list(applications)))


def applications_where(which: Q) -> QuerySet[Application]:
    """No gatekeeper: for rooms, not pages."""
    return Application.objects.filter(which)


def last_granted_for(registration: Registration) -> Application | None:
    """The application that the registration rests on now: the last renewal or change, or the first one."""
    return last_granted([registration]).get(registration.pk)


def last_granted(registrations: Iterable[Registration]) -> dict[uuid.UUID, Application]:
    """The same for many, in two queries."""
    rows = list(registrations)
    again = every().filter(registration__in=rows, status=Status.GRANTED)
    in_order = again.order_by("registration_id", "-submitted_at", "id").distinct("registration_id")
    found = {each.registration_id: each for each in in_order if each.registration_id is not None}
    first = {row.pk: row.origin.partition("application:")[2] for row in rows if row.pk not in found}
    by_key = {str(each.pk): each for each in every().filter(pk__in=[key for key in first.values() if key])}
    return found | {pk: by_key[key] for pk, key in first.items() if key in by_key}


def holder_name_of(registration: Registration) -> str:
    """The name of the holder that was looked at: a person's as it was granted, an organisation's as its last grant
    left it, whatever either typed since."""
    return holder_names_of([registration])[registration.pk]


def holder_names_of(registrations: Iterable[Registration]) -> dict[uuid.UUID, str]:
    """The same for many, in four queries at most."""
    rows = list(registrations)
    found = holders.public_holders(row.holder for row in rows)
    named = {pk: each.name for pk, each in found.items() if each.kind == "organisation"}
    granted = last_granted(row for row in rows if row.holder not in named)
    called = {pk: each.holder_name for pk, each in granted.items()}
    persons = {pk: each.name for pk, each in found.items()}
    return {row.pk: named.get(row.holder) or called.get(row.pk) or persons.get(row.holder, "") for row in rows}
