"""Reads of letters. `letters_of` is the gatekeeper: a person sees their own and nobody else's."""

import datetime as dt
import uuid
from collections.abc import Collection

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, IntegerField, Min, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from rahdari import optional
from rahdari import policy as policies
from rahdari.archive import queries as archive
from rahdari.delivery import left_alone as delivery
from rahdari.delivery.rules import DELIVERY_KEPT
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.vault import links

from .catalogue import LETTERS
from .models import Letter, LetterState, ReminderOptOut
from .previews import InOneLanguage
from .previews import letter as preview
from .previews import letters as previews
from .previews import notes as note_previews
from .words import DeliveryStanding, reached
from .writing import UnknownLetter

__all__ = [
    "DeliveryStanding",
    "InOneLanguage",
    "LetterNotFound",
    "UnknownLetter",
    "deliveries_kept_since",
    "failed_since",
    "given_up",
    "letter_for",
    "letters_about",
    "letters_of",
    "note_previews",
    "oldest_waiting",
    "on_its_way",
    "person_of_link",
    "preview",
    "previews",
    "reached",
    "sms_is_set_up",
    "stop_url",
    "title_of",
    "to_send",
    "unread_count",
    "waiting",
    "wants_no_reminders",
]


class LetterNotFound(RahdariError):
    """There is no such letter, or it is not yours: nobody learns which. `.id` is what was asked for."""

    says = "no letter {id} for this person"
    id: uuid.UUID


def letters_of(user: User) -> QuerySet[Letter]:
    """A person's letters, newest first. Sign-in codes are in no one's file."""
    return Letter.objects.filter(to=user).order_by("-written_at", "-id")


def letter_for(user: User, id: uuid.UUID) -> Letter:
    """A letter to this person. Raises LetterNotFound for any other."""
    letter = letters_of(user).filter(pk=id).first()
    if letter is None:
        raise LetterNotFound(id)
    return letter


# Of the person whose row is read.
UNREAD = RawSQL(
    "(SELECT count(*) FROM letters_letter WHERE to_id = people_user.id AND read_at IS NULL)", [], IntegerField()
)


def unread_count(user: User) -> int:
    """Of the reader of a page it came with them (`people.reader`)."""
    known: int | None = getattr(user, "unread_letters", None)
    if known is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM letters_letter WHERE to_id = %s AND read_at IS NULL", [user.pk])
        return int(cursor.fetchone()[0])


def letters_about(about: str) -> QuerySet[Letter]:
    """All letters about one subject ("application:<uuid>"), for the file that an officer sees."""
    return Letter.objects.filter(about=about).order_by("-written_at", "-id")


def arrived_at(*, about: Collection[str], templates: Collection[str], at: dt.datetime) -> dt.datetime | None:
    """When what was written about one of these at this moment arrived: then, unless every letter came back; else when
    one of them was first read here. None: it has not arrived. What was never written is taken to have arrived."""
    found = list(Letter.objects.filter(about__in=about, template__in=templates, written_at=at))
    if not found or any(letter.state != LetterState.FAILED for letter in found):
        return at
    return min((letter.read_at for letter in found if letter.read_at is not None), default=None)


def on_its_way(about: str) -> bool:
    """Whether a letter about this subject is neither sent nor given up."""
    return Letter.objects.filter(about=about, state__in=[LetterState.QUEUED, LetterState.SENDING]).exists()


def title_of(letter: Letter) -> str:
    """What kind of letter it is, in the words of whoever reads the file."""
    kind = LETTERS.get(letter.template)
    return str(kind.title) if kind is not None else letter.template


def deliveries_kept_since(now: dt.datetime) -> dt.datetime:
    """What travelled before then is forgotten, as the policy in force says; long ago where it keeps it for ever."""
    rule = policies.current(settings.POLICY_FILE).retention.get("letter_delivery")
    kept = DELIVERY_KEPT if rule is None else None if archive.is_kept(rule.key) else rule.span
    return now - kept if kept is not None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


STOP = "letters.no_reminders"


def wants_no_reminders(user: User) -> bool:
    return ReminderOptOut.objects.filter(person=user).exists()


def stop_url(letter: Letter) -> str:
    """Where whoever got this reminder by mail says that they want no more of them. Its secret is in no table."""
    path = reverse("letters:no_reminders", args=[letter.pk, links.token(STOP, str(letter.pk))])
    return settings.SITE_URL.rstrip("/") + path


def person_of_link(*, id: uuid.UUID, token: str) -> User:
    """Whose reminders the link of a letter stops. Raises LetterNotFound."""
    letter = Letter.objects.select_related("to").filter(pk=id, to__isnull=False).first()
    if letter is None or letter.to is None or not links.matches(STOP, str(id), token):
        raise LetterNotFound(id)
    return letter.to


def to_send(*, now: dt.datetime) -> QuerySet[Letter]:
    """What goes out next: codes first, since who waits for one sits in front of the screen, then in the order of
    writing. What a dead process was sending is sent again.

    A letter waits for what was written to the same person about the same thing before and is on its way; not for one
    that a mail server has put off.
    """
    on_its_way = Letter.objects.filter(state__in=[LetterState.QUEUED, LetterState.SENDING], next_try_at__lte=now)
    earlier = on_its_way.filter(
        to=OuterRef("to"), about=OuterRef("about"), about__gt="", written_at__lt=OuterRef("written_at")
    )
    waits = Q(state=LetterState.QUEUED) | delivery.left_alone(now)
    return on_its_way.filter(waits, ~Exists(earlier)).order_by(
        F("expires_at").asc(nulls_last=True), "next_try_at", "id"
    )


def failed_since(*, since: dt.datetime) -> int:
    """How many letters were given up on: `rahdari doctor` and the administrator's page say so."""
    return Letter.objects.filter(state=LetterState.FAILED, written_at__gte=since).count()


# -- how they go ------------------------------------------------------------------------------------------------------


def sms_is_set_up() -> bool:
    """Whether this register sends SMS."""
    return bool(optional.ask(__package__, "is_set_up"))


def _due(now: dt.datetime) -> QuerySet[Letter]:
    return Letter.objects.filter(state__in=[LetterState.QUEUED, LetterState.SENDING], next_try_at__lte=now)


def waiting(*, now: dt.datetime) -> dict[str, int]:
    """How many letters and messages are to go out now or are on their way, by channel."""
    return {"email": _due(now).count(), **optional.joined(__package__, "waiting", now=now)}


def oldest_waiting(*, now: dt.datetime) -> dict[str, dt.datetime | None]:
    """Since when the oldest of them waits: from when it was to go out, so that quiet hours do not count."""
    oldest = _due(now).aggregate(oldest=Min("next_try_at"))["oldest"]
    return {"email": oldest, **optional.joined(__package__, "oldest_waiting", now=now)}


def given_up(*, since: dt.datetime) -> dict[str, int]:
    """How many of those that were written since then were given up, by channel."""
    return {"email": failed_since(since=since), **optional.joined(__package__, "given_up", since=since)}
