"""Sending letters. The table of letters is the queue: what waits in it goes out, codes first.

Invariants: sending takes a letter, talks to the mail server outside any transaction, then settles it; what was settled
as sent is never taken again. A process that dies between the server's answer and our row leaves the letter to be sent
once more, under the same Message-ID, so that many mail programs show it once. Mail servers repeat addresses in their
errors, so errors are kept as class and code only and their words go nowhere.
"""

import contextlib
import datetime as dt
import logging
import smtplib
import time
from collections.abc import Callable
from functools import cache, partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import InterfaceError, OperationalError, connection, transaction

from rahdari.db.gate import text_at_any_time
from rahdari.db.queues import attempt
from rahdari.db.wake import Channel, wake
from rahdari.delivery import provider_health
from rahdari.delivery.rules import TryAgain, after_failure, is_permanent

from . import queries
from .catalogue import LETTERS
from .models import Letter, LetterState

log = logging.getLogger(__name__)
# Seconds between tries to say that a letter is sent, when the database is away just then.
PAUSES = (1, 2, 4, 8)
# Of one round. The times that it writes down are those of its beginning.
AT_ONCE = 20


def send_due(*, now: dt.datetime, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is to go out by now, one after the other over one connection; returns how many were tried.

    Several processes may do so at once: each takes what no other has. Where more is left than one round sends, it wakes
    the next. A process that is `stopping` begins no further letter.
    """
    mailer = mailers.default
    tried = 0
    try:
        while tried < AT_ONCE and not stopping() and (letter := _take(now)) is not None:
            attempt("letters", str(letter.pk), partial(_send, letter, mailer, now), now)
            tried += 1
    finally:
        _close(mailer)
    if tried == AT_ONCE:
        wake(Channel.LETTERS)
    return tried


def _take(now: dt.datetime) -> Letter | None:
    """The next one, for this process alone. What is too late for any use is given up on the way."""
    while (letter := next(iter(Letter.objects.raw(_taking(), {"now": now})), None)) is not None:
        if letter.expires_at is None or letter.expires_at > now:
            return letter
        letter.state, letter.last_error, letter.next_try_at = LetterState.FAILED, "TooLate", None
        _forget_code(letter)
        letter.save()
    return None


@cache
def _taking() -> str:
    """One statement finds it, locks it and takes it, and its text is made once: most find nothing."""
    following = text_at_any_time(
        lambda now: queries.to_send(now=now).values("pk")[:1], locking='FOR UPDATE OF "letters_letter" SKIP LOCKED'
    )
    return f"""WITH following (id) AS ({following}) UPDATE letters_letter AS letter
SET state = '{LetterState.SENDING}', taken_at = %(now)s, taken_by = pg_backend_pid(), tries = tries + 1
FROM following WHERE letter.id = following.id RETURNING letter.*"""  # noqa: S608 - of our own texts


def _send(letter: Letter, mailer: BaseEmailBackend, now: dt.datetime) -> None:
    try:
        mailer.open()
        mailer.send_messages([_message(letter)])
    except (OSError, smtplib.SMTPException) as error:
        _close(mailer)
        if not is_permanent(_answer_of(error)):
            provider_health.note_failure(provider_health.MAIL, _named(error), now=now)
        _settle_failure(letter, error, now)
    else:
        _whatever_the_database_does(_settle_sent, letter, now)


def _close(mailer: BaseEmailBackend) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        mailer.close()


def _whatever_the_database_does(
    settle: Callable[[Letter, dt.datetime], None], letter: Letter, now: dt.datetime
) -> None:
    """What the mail server has taken is not sent again because the database was away for a moment."""
    for pause in PAUSES:
        try:
            settle(letter, now)
        except (OperationalError, InterfaceError):
            log.warning("Letter %s was sent, and the database is away; it is told so in %s s.", letter.pk, pause)
            connection.close()
            time.sleep(pause)
        else:
            return
    settle(letter, now)


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
    if letter.calendar:
        message.attach("planned-work.ics", letter.calendar, "text/calendar")
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


def _settle_sent(letter: Letter, now: dt.datetime) -> None:
    letter.state, letter.sent_at, letter.last_error, letter.next_try_at = LetterState.SENT, now, "", None
    if letter.to_id is None:
        _forget_code(letter)
        letter.save()
    else:
        # The words stay as they are: they are long.
        letter.save(update_fields=["state", "sent_at", "last_error", "next_try_at"])
    provider_health.note_taken(provider_health.MAIL, now=now)


@transaction.atomic
def _settle_failure(letter: Letter, error: Exception, now: dt.datetime) -> None:
    answer = _answer_of(error)
    letter.last_error = _named(error)
    decision = after_failure(tries=letter.tries, now=now, expires_at=letter.expires_at, permanent=is_permanent(answer))
    if isinstance(decision, TryAgain):
        letter.state, letter.next_try_at = LetterState.QUEUED, decision.at
        letter.save(update_fields=["state", "next_try_at", "last_error"])
        log.warning("Letter %s was not sent (%s); next try at %s.", letter.pk, letter.last_error, decision.at)
    else:
        letter.state, letter.next_try_at = LetterState.FAILED, None
        _forget_code(letter)
        letter.save()
        log.error("Letter %s was given up after %s tries (%s).", letter.pk, letter.tries, letter.last_error)


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
