"""Writing letters and sending them.

Invariants: a letter is written, and its sending is queued, in the caller's transaction: an act that is rolled back
writes to nobody. Sending takes the letter, talks to the mail server outside any transaction, then settles it; what
was settled as sent is never taken again. A process that dies between the server's answer and our row leaves the
letter to be sent once more, under the same Message-ID, so that many mail programs show it once. Mail servers repeat
addresses in their errors, so errors are kept as class and code only and their words go nowhere.
"""

import datetime as dt
import logging
import smtplib
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.urls import reverse
from procrastinate.contrib.django import app

from rahdari import optional, policy
from rahdari.delivery import provider_health
from rahdari.delivery.rules import (
    CODE_LASTS,
    CODES_FIRST,
    IN_ITS_TURN,
    TryAgain,
    after_failure,
    goes_out_at,
    is_permanent,
)
from rahdari.people import queries as people
from rahdari.people.models import User

from . import queries
from .bounces import NotAReturn, record_return
from .catalogue import LETTERS, SIGN_IN_CODE
from .models import Letter, LetterState, ReminderOptOut
from .retention import erase_letters, forget_deliveries
from .writing import LetterIncomplete, UnknownLetter, compose

__all__ = [
    "LetterIncomplete",
    "NotAReturn",
    "UnknownLetter",
    "compose",
    "erase_letters",
    "find_left_alone",
    "forget_deliveries",
    "mark_all_read",
    "mark_read",
    "record_return",
    "send",
    "want_reminders",
    "write_invitation",
    "write_letter",
    "write_mandate",
    "write_once",
    "write_post_changed",
    "write_sign_in_code",
    "write_to_outsider",
]

log = logging.getLogger(__name__)
# Seconds between tries to say that a letter is sent, when the database is away just then.
PAUSES = (1, 2, 4, 8)


def _queue(letter: Letter, *, at: dt.datetime | None = None) -> None:
    # Who waits for a code waits in front of the screen.
    priority = CODES_FIRST if letter.template == SIGN_IN_CODE else 0
    app.configure_task("letters.send_letter", schedule_at=at, priority=priority).defer(letter_id=str(letter.pk))


@transaction.atomic
def write_letter(*, to: User, template: str, about: str, context: Mapping[str, Any], now: dt.datetime) -> Letter:
    """Write to a person, in their language, and queue the sending. No journal row: the act that writes has its own."""
    return _write(to=to, template=template, about=about, once="", context=context, now=now)


def write_once(*, to: User, template: str, about: str, once: str, context: Mapping[str, Any], now: dt.datetime) -> bool:
    """Write the letter unless the one of this kind (`once`) about this subject was written already. True if it is new.

    Safe against two processes that do it at the same moment: the database lets one of them through.
    """
    if Letter.objects.filter(to=to, about=about, once=once).exists():
        return False
    try:
        with transaction.atomic():
            _write(to=to, template=template, about=about, once=once, context=context, now=now)
    except IntegrityError:
        if not Letter.objects.filter(to=to, about=about, once=once).exists():
            raise
        return False
    return True


def _write(*, to: User, template: str, about: str, once: str, context: Mapping[str, Any], now: dt.datetime) -> Letter:
    written = compose(template=template, language=to.language, context=context)
    kept = LETTERS[template].reminder and queries.wants_no_reminders(to)
    quiet = policy.current(settings.POLICY_FILE).quiet_hours
    at = goes_out_at(now, quiet=quiet, channel="email", urgent=LETTERS[template].urgent)
    letter = Letter.objects.create(
        to=to,
        language=to.language,
        template=template,
        about=about,
        once=once,
        subject=written.subject,
        text=written.text,
        html=written.html,
        written_at=now,
        state=LetterState.KEPT if kept else LetterState.QUEUED,
        next_try_at=None if kept else at,
    )
    optional.ask(__package__, "write_note", letter, context, now=now)
    if not kept:
        _queue(letter, at=at if at > now else None)
    return letter


@transaction.atomic
def write_sign_in_code(*, email: str, language: str, code: str, confirms: bool = False, now: dt.datetime) -> Letter:
    """Write the code to an address, whether it has an account or not: both look the same from outside. `confirms`: it
    is for somebody who is signed in, before an act that needs a fresh proof.

    Named in `settings.SIGN_IN_LETTER`: the sign-in pages stand on a floor below and call it through that.
    """
    context = {"code": code, "confirms": confirms, "url": f"{reverse('people:account')}#sessions"}
    written = compose(template=SIGN_IN_CODE, language=language, context=context)
    letter = Letter.objects.create(
        address=email,
        language=language,
        template=SIGN_IN_CODE,
        subject=written.subject,
        text=written.text,
        html=written.html,
        written_at=now,
        next_try_at=now,
        expires_at=now + CODE_LASTS,
    )
    _queue(letter)
    return letter


@transaction.atomic
def write_to_outsider(
    *,
    address: str,
    language: str,
    template: str,
    context: Mapping[str, Any],
    expires_at: dt.datetime,
    now: dt.datetime,
    about: str = "",
) -> Letter:
    """Write to somebody who has no account. It belongs to no person's file; words and address are forgotten once it is
    settled, as with a code to sign in. What it is `about` stays, so that it can be said whether it arrived."""
    written = compose(template=template, language=language, context=context)
    letter = Letter.objects.create(
        address=address,
        language=language,
        template=template,
        about=about,
        subject=written.subject,
        text=written.text,
        html=written.html,
        written_at=now,
        next_try_at=now,
        expires_at=expires_at,
        stop_url=urljoin(f"{settings.SITE_URL}/", str(context.get("stop_url", ""))) if "stop_url" in context else "",
    )
    _queue(letter)
    return letter


def write_invitation(
    *,
    email: str,
    language: str,
    organisation: str,
    by: str,
    is_registered: bool,
    until: dt.datetime,
    url: str,
    now: dt.datetime,
) -> Letter:
    """Tell an address of an invitation. Named in `settings.INVITATION_LETTER`, as the sign-in code's act is."""
    context = {"organisation": organisation, "by": by, "is_registered": is_registered, "until": until, "url": url}
    return write_to_outsider(
        address=email,
        language=language,
        template="organisation_invitation",
        context=context,
        expires_at=until,
        now=now,
    )


def write_mandate(*, email: str, language: str, organisation: str, until: dt.datetime, now: dt.datetime) -> Letter:
    """Tell an address of a mandate that is offered. Named in `settings.MANDATE_LETTER`."""
    context = {"organisation": organisation, "until": until, "url": reverse("portal:mandates_held")}
    return write_to_outsider(
        address=email, language=language, template="mandate_offered", context=context, expires_at=until, now=now
    )


def write_member_removed(*, user: User, organisation: str, by: str, now: dt.datetime) -> Letter | None:
    """Tell somebody that they were removed from an organisation. Named in `settings.REMOVED_LETTER`."""
    context = {"organisation": organisation, "by": by, "url": reverse("people:organisations")}
    return write_letter(to=user, template="member_removed", about=f"person:{user.pk}", context=context, now=now)


def write_post_changed(*, user: User, title: str, change: str, actor: str, now: dt.datetime) -> int:
    """Tell all who watch over posts, and the person. Named in `settings.POST_LETTER`. Gives how many letters."""
    by, watchers = people.person_by_actor(actor), people.who_watches_posts()
    for reader in {each.pk: each for each in (*watchers, user)}.values():
        agrees = change == "proposed" and reader in watchers and reader not in (by, user)
        context = {
            "email": user.email,
            "post": title,
            "change": change,
            "by": by.email if by is not None else "command line",
            "agrees": agrees,
            "url": reverse("people:posts" if agrees else "people:account"),
        }
        write_letter(to=reader, template="post_changed", about=f"person:{user.pk}", context=context, now=now)
    return len({user, *watchers})


def mark_read(*, letter: Letter, now: dt.datetime) -> Letter:
    if letter.read_at is None:
        letter.read_at = now
        letter.save(update_fields=["read_at"])
    return letter


def mark_all_read(*, reader: User, now: dt.datetime) -> int:
    """Every letter of a person; returns how many were unread."""
    return queries.letters_of(reader).filter(read_at__isnull=True).order_by().update(read_at=now)


def send(*, letter_id: uuid.UUID, now: dt.datetime) -> LetterState:
    """Try to send one letter; return its state afterwards. A letter that another process has is left to it.

    One that was written to the same person about the same thing before goes out first.
    """
    # 1) take it
    letter = _take(letter_id, now)
    if letter is None:
        return LetterState(Letter.objects.values_list("state", flat=True).get(pk=letter_id))
    # 2) hand it to the mail server, outside any transaction
    error: Exception | None = None
    try:
        _message(letter).send()
    except (OSError, smtplib.SMTPException) as caught:
        error = caught
    # 3) settle it
    if error is None:
        return _whatever_the_database_does(_sent, letter, now)
    if not is_permanent(_answer_of(error)):
        provider_health.note_failure(provider_health.MAIL, _named(error), now=now)
    return _settle_failure(letter, error, now)


def _sent(letter: Letter, now: dt.datetime) -> LetterState:
    provider_health.note_taken(provider_health.MAIL, now=now)
    return _settle_sent(letter, now)


def _whatever_the_database_does(
    settle: Callable[[Letter, dt.datetime], LetterState], letter: Letter, now: dt.datetime
) -> LetterState:
    """What the mail server has taken is not sent again because the database was away for a moment."""
    for pause in PAUSES:
        try:
            return settle(letter, now)
        except (OperationalError, InterfaceError):
            log.warning("Letter %s was sent, and the database is away; it is told so in %s s.", letter.pk, pause)
            connection.close()
            time.sleep(pause)
    return settle(letter, now)


@transaction.atomic
def _take(letter_id: uuid.UUID, now: dt.datetime) -> Letter | None:
    letter = Letter.objects.select_for_update(skip_locked=True).filter(pk=letter_id, state=LetterState.QUEUED).first()
    if letter is None:
        return None
    if queries.earlier_ones(letter, now=now).exists():
        _queue(letter, at=now + IN_ITS_TURN)
        return None
    if letter.expires_at is not None and letter.expires_at <= now:
        letter.state, letter.last_error = LetterState.FAILED, "TooLate"
        _forget_code(letter)
        letter.save()
        return None
    letter.state, letter.taken_at, letter.tries = LetterState.SENDING, now, letter.tries + 1
    letter.save(update_fields=["state", "taken_at", "tries"])
    return letter


def _message(letter: Letter) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[letter.to.email if letter.to is not None else letter.address],
        headers={
            "Message-ID": f"<{letter.pk}@{urlsplit(settings.SITE_URL).hostname or 'rahdari.example'}>",
            "Content-Language": letter.language,
            # RFC 3834: holiday notices are not wanted.
            "Auto-Submitted": "auto-generated",
            **_ways_to_stop(letter),
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def _ways_to_stop(letter: Letter) -> dict[str, str]:
    """RFC 2369 and 8058, where mail can be stopped: reminders, and questions to strangers. Notices cannot."""
    if letter.stop_url:
        return {"List-Unsubscribe": f"<{letter.stop_url}>"}
    if letter.to_id is None or not LETTERS[letter.template].reminder:
        return {}
    return {
        "List-Unsubscribe": f"<{queries.stop_url(letter)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@transaction.atomic
def want_reminders(*, person: User, wanted: bool, now: dt.datetime) -> bool:
    """Whether reminders go out by mail to this person, from now on. Done twice it is done once."""
    known = ReminderOptOut.objects.filter(person=person)
    if wanted:
        known.delete()
    else:
        ReminderOptOut.objects.get_or_create(person=person, defaults={"since": now})
    return wanted


@transaction.atomic
def _settle_sent(letter: Letter, now: dt.datetime) -> LetterState:
    letter.state, letter.sent_at, letter.last_error, letter.next_try_at = LetterState.SENT, now, "", None
    if letter.to_id is None:
        _forget_code(letter)
        letter.save()
    else:
        # The words stay as they are: they are long.
        letter.save(update_fields=["state", "sent_at", "last_error", "next_try_at"])
    return LetterState.SENT


@transaction.atomic
def _settle_failure(letter: Letter, error: Exception, now: dt.datetime) -> LetterState:
    answer = _answer_of(error)
    letter.last_error = _named(error)
    decision = after_failure(tries=letter.tries, now=now, expires_at=letter.expires_at, permanent=is_permanent(answer))
    if isinstance(decision, TryAgain):
        letter.state, letter.next_try_at = LetterState.QUEUED, decision.at
        letter.save(update_fields=["state", "next_try_at", "last_error"])
        _queue(letter, at=decision.at)
        log.warning("Letter %s was not sent (%s); next try at %s.", letter.pk, letter.last_error, decision.at)
    else:
        letter.state, letter.next_try_at = LetterState.FAILED, None
        _forget_code(letter)
        letter.save()
        log.error("Letter %s was given up after %s tries (%s).", letter.pk, letter.tries, letter.last_error)
    return LetterState(letter.state)


def _named(error: Exception) -> str:
    return f"{type(error).__name__} {_answer_of(error) or ''}".strip()


def _answer_of(error: Exception) -> int | None:
    """The answer code of the mail server, if the error is an answer."""
    if isinstance(error, smtplib.SMTPResponseException):
        return int(error.smtp_code)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((int(code) for code, _ in error.recipients.values()), None)
    return None


def _forget_code(letter: Letter) -> None:
    if letter.to_id is None:
        letter.address = letter.subject = letter.text = letter.html = letter.stop_url = ""


def find_left_alone(*, now: dt.datetime) -> int:
    """Queue again what a dead process or a failed job left, codes first; return how many. Runs every ten seconds."""
    found: int = optional.ask(__package__, "find_left_alone", now=now) or 0
    for letter_id in list(queries.left_alone(now=now).values_list("pk", flat=True)):
        with transaction.atomic():
            letter = queries.left_alone(now=now).select_for_update(skip_locked=True).filter(pk=letter_id).first()
            if letter is None:
                continue
            letter.state, letter.next_try_at = LetterState.QUEUED, now
            letter.save(update_fields=["state", "next_try_at"])
            _queue(letter)
            found += 1
    return found
