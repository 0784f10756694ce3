"""Reads of short messages, of the numbers that they go to, and of who carries them."""

import datetime as dt

from django.conf import settings
from django.db.models import Min, Q, QuerySet

from rahdari.delivery import left_alone as delivery

from .models import ContactNumber, Message, Person
from .providers import Provider, Told
from .providers.configuration import ConfigurationError, read
from .providers.configured import providers as configured


def contact_number(user: Person) -> ContactNumber | None:
    """The person's mobile number, confirmed or waiting for its code."""
    return ContactNumber.objects.filter(person=user.pk).first()


def number_for_notes(user: Person, *, of_disruptions: bool = False) -> str:
    """Where short notes go by SMS, in E.164; "" for whoever confirmed no number or wants none there. Notes
    `of_disruptions` are wanted apart."""
    kept = ContactNumber.objects.filter(person=user.pk, confirmed_at__isnull=False, notes=True).first()
    if kept is not None and of_disruptions and not kept.disruptions:
        return ""
    return kept.number if kept is not None and user.is_active else ""


def providers(*, told: Told) -> list[Provider]:
    """Who carries our SMS, in the order in which they are asked. Raises ConfigurationError."""
    return configured(path=settings.SMS_PROVIDERS, printed_into=settings.SMS_FOLDER, told=told)


def is_set_up() -> bool:
    """Whether this register sends SMS. A file that cannot be used is none: `rahdari doctor` says what is wrong."""
    try:
        return settings.SMS_FOLDER is not None or bool(read(settings.SMS_PROVIDERS))
    except ConfigurationError:
        return False


def to_send(*, now: dt.datetime) -> QuerySet[Message]:
    """What goes out next: what is of use for the shortest time first, so codes. What a dead process had is in it."""
    waits = Q(state=Message.State.QUEUED) | delivery.left_alone(now)
    return due(now=now).filter(waits).order_by("expires_at", "next_try_at", "id")


def failed_since(*, since: dt.datetime) -> int:
    return Message.objects.filter(state=Message.State.FAILED, written_at__gte=since).count()


def due(*, now: dt.datetime) -> QuerySet[Message]:
    """Those that are to go out now or are on their way."""
    return Message.objects.filter(state__in=["queued", "sending"], next_try_at__lte=now)


def oldest_due(*, now: dt.datetime) -> dt.datetime | None:
    """Since when the oldest of them waits: from when it was to go out, so that quiet hours do not count."""
    since: dt.datetime | None = due(now=now).aggregate(oldest=Min("next_try_at"))["oldest"]
    return since
