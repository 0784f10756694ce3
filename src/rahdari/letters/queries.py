"""Reads of letters. `letters_of` is the gatekeeper: a person sees their own and nobody else's."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, F, Min, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from rahdari import policy as policies
from rahdari.archive import queries as archive
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.vault import links

from .catalogue import LETTERS
from .models import Letter, LetterState, Message, ProviderHealth, ReminderOptOut
from .previews import InOneLanguage
from .previews import letter as preview
from .previews import letters as previews
from .previews import notes as note_previews
from .providers import Provider, Told
from .providers.configuration import ConfigurationError, read
from .providers.configured import providers as configured
from .rules import DELIVERY_KEPT, LEFT_ALONE, WITHOUT_JOB
from .words import DeliveryStanding, reached
from .writing import UnknownLetter

__all__ = [
    "ConfigurationError",
    "DeliveryStanding",
    "InOneLanguage",
    "LetterNotFound",
    "UnknownLetter",
    "carriers",
    "deliveries_kept_since",
    "failed_since",
    "left_alone",
    "letter_for",
    "letters_about",
    "letters_of",
    "messages_about",
    "messages_failed_since",
    "messages_left_alone",
    "note_previews",
    "oldest_waiting",
    "person_of_link",
    "preview",
    "previews",
    "providers",
    "reached",
    "sms_is_set_up",
    "stop_url",
    "title_of",
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
    letter = letters_of(user).filter(pk=id).first()
    if letter is None:
        raise LetterNotFound(id)
    return letter


def unread_count(user: User) -> int:
    # Asked for each page.
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM letters_letter WHERE to_id = %s AND read_at IS NULL", [user.pk])
        return int(cursor.fetchone()[0])


def letters_about(about: str) -> QuerySet[Letter]:
    """All letters about one subject ("application:<uuid>"), for the file that an officer sees."""
    return Letter.objects.filter(about=about).select_related("message").order_by("-written_at", "-id")


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


def left_alone(*, now: dt.datetime) -> QuerySet[Letter]:
    """Letters that should have been settled by now: their process died, or their job was lost. Codes come first."""
    found = _left_alone(Letter.objects.all(), job="letters.send_letter", name="letter_id", now=now)
    return found.order_by(F("expires_at").asc(nulls_last=True), "written_at", "id")


def _left_alone[Kind: Letter | Message](
    all_of_it: QuerySet[Kind], *, job: str, name: str, now: dt.datetime
) -> QuerySet[Kind]:
    """Without a job that waits or is done, after some seconds: between a letter and its job there are none when all is
    well. With one, when it has taken far too long."""
    table = all_of_it.model._meta.db_table
    has_job = RawSQL(  # noqa: S611  (names of ours)
        "EXISTS (SELECT FROM procrastinate_jobs j WHERE j.task_name = %s AND j.status IN ('todo', 'doing')"
        f" AND j.args ->> %s = {table}.id::text)",
        [job, name],
        output_field=BooleanField(),
    )
    soon, long_ago = now - WITHOUT_JOB, now - LEFT_ALONE
    since = Q(state=LetterState.SENDING, taken_at__lt=soon) | Q(state=LetterState.QUEUED, next_try_at__lt=soon)
    too_long = Q(state=LetterState.SENDING, taken_at__lt=long_ago) | Q(
        state=LetterState.QUEUED, next_try_at__lt=long_ago
    )
    found: QuerySet[Kind] = all_of_it.annotate(has_job=has_job).filter(since).filter(Q(has_job=False) | too_long)
    return found


def earlier_ones(letter: Letter, *, now: dt.datetime) -> QuerySet[Letter]:
    """What was written to the same person about the same thing before, and is on its way. One that a mail server has
    put off is not waited for."""
    if letter.to_id is None or not letter.about:
        return Letter.objects.none()
    return Letter.objects.filter(
        to=letter.to_id,
        about=letter.about,
        written_at__lt=letter.written_at,
        state__in=[LetterState.QUEUED, LetterState.SENDING],
        next_try_at__lte=now,
    )


def failed_since(*, since: dt.datetime) -> int:
    """How many letters were given up on: `rahdari doctor` and the administrator's page say so."""
    return Letter.objects.filter(state=LetterState.FAILED, written_at__gte=since).count()


# -- short messages --------------------------------------------------------------------------------------------------


def providers(*, told: Told) -> list[Provider]:
    """Who carries our SMS, in the order in which they are asked. Raises ConfigurationError."""
    return configured(path=settings.SMS_PROVIDERS, printed_into=settings.SMS_FOLDER, told=told)


def sms_is_set_up() -> bool:
    """Whether this register sends SMS. A file that cannot be used is none: `rahdari doctor` says what is wrong."""
    try:
        return settings.SMS_FOLDER is not None or bool(read(settings.SMS_PROVIDERS))
    except ConfigurationError:
        return False


def messages_about(about: str) -> QuerySet[Message]:
    """All notes by SMS about one subject, for the file that an officer sees."""
    return Message.objects.filter(about=about).order_by("-written_at", "-id")


def messages_left_alone(*, now: dt.datetime) -> QuerySet[Message]:
    found = _left_alone(Message.objects.all(), job="letters.send_message", name="message_id", now=now)
    return found.order_by("written_at", "id")


def messages_failed_since(*, since: dt.datetime) -> int:
    return Message.objects.filter(state=Message.State.FAILED, written_at__gte=since).count()


def waiting(*, now: dt.datetime) -> dict[str, int]:
    """How many letters and messages are to go out now or are on their way, by channel."""
    due = {"state__in": ["queued", "sending"], "next_try_at__lte": now}
    return {"email": Letter.objects.filter(**due).count(), "sms": Message.objects.filter(**due).count()}


def oldest_waiting(*, now: dt.datetime) -> dict[str, dt.datetime | None]:
    """Since when the oldest of them waits: from when it was to go out, so that quiet hours do not count."""
    due = {"state__in": ["queued", "sending"], "next_try_at__lte": now}
    return {
        channel: model.objects.filter(**due).aggregate(oldest=Min("next_try_at"))["oldest"]
        for channel, model in (("email", Letter), ("sms", Message))
    }


def carriers() -> QuerySet[ProviderHealth]:
    """The mail server and the providers of SMS, as they have done of late."""
    return ProviderHealth.objects.order_by("name")
