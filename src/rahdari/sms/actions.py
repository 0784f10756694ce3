"""Short messages: writing them, handing them to a provider or to the next one, and what became of them.

Invariants: a message that a provider took, or may have taken, is handed to no other and not again; each provider that
was asked stands on the message with its answer; a report moves a message once. A message is written in the caller's
transaction; providers are talked to outside any.
"""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from rahdari import policy
from rahdari.db.connections import backend_of
from rahdari.db.queues import attempt
from rahdari.db.wake import Channel, wake
from rahdari.delivery import provider_health
from rahdari.delivery.rules import CODE_LASTS, NOTE_LASTS, TryAgain, after_failure, goes_out_at

from . import queries
from .models import EarlyDeliveryReport, Message, Person, SmsSegment
from .providers import Accepted, Away, Outcome, Provider, Refused, Report, Text, Unclear, configuration
from .providers.configured import close as close_all
from .writing import CONTACT_CODE, DISRUPTION, NUMBER_CODE, SHORT_CODES, compose

log = logging.getLogger(__name__)
State = Message.State
AT_ONCE = 20


@transaction.atomic
def write_note(
    *, to: Person, note: str, about: str, language: str, context: Mapping[str, Any], urgent: bool, now: dt.datetime
) -> Message | None:
    """That there is something to read, for whoever wants notes by SMS; one that still waits says it too."""
    number = queries.number_for_notes(to, of_disruptions=note == DISRUPTION)
    if not number:
        return None
    waiting = Message.objects.filter(person=to.pk, about=about, note=note, state=State.QUEUED, tries=0).first()
    if waiting is not None and note == "news":
        return waiting
    quiet = policy.current(settings.POLICY_FILE).quiet_hours
    at = goes_out_at(now, quiet=quiet, channel="sms", urgent=urgent)
    return _write(
        person=to.pk,
        number=number,
        note=note,
        about=about,
        text=compose(note=note, language=language, context=context),
        language=language,
        urgent=urgent,
        at=at,
        expires_at=at + NOTE_LASTS,
        now=now,
    )


@transaction.atomic
def write_number_code(
    *, to: Person, number: str, language: str, code: str, now: dt.datetime, note: str = NUMBER_CODE
) -> Message:
    """The code that confirms a number, or by which whoever has it is known (`note`, one of `SHORT_CODES`)."""
    return _write(
        person=to.pk,
        number=number,
        note=note,
        about="",
        text=compose(note=note, language=language, context={"code": code}),
        language=language,
        urgent=True,
        at=now,
        expires_at=now + CODE_LASTS,
        now=now,
    )


@transaction.atomic
def write_code_to_number(
    *,
    asked_by: Person,
    number: str,
    language: str,
    code: str,
    expires_at: dt.datetime,
    now: dt.datetime,
    note: str = CONTACT_CODE,
    reference: str = "",
) -> Message:
    """The code that the contact of a company or member hands over to whoever applies (`asked_by`); with another `note`
    one that somebody without an account types themselves: then `asked_by` is what it is for."""
    return _write(
        person=asked_by.pk,
        number=number,
        note=note,
        about="",
        text=compose(note=note, language=language, context={"code": code, "reference": reference}),
        language=language,
        urgent=True,
        at=now,
        expires_at=expires_at,
        now=now,
    )


def _write(*, at: dt.datetime, now: dt.datetime, **facts: Any) -> Message:
    message = Message.objects.create(written_at=now, next_try_at=at, **facts)
    if at <= now:
        wake(Channel.SMS)
    return message


def send_due(*, now: dt.datetime, providers: Sequence[Provider] | None = None) -> int:
    """Send what is to go out by now, as letters are sent (`letters.sending`): by the first provider that takes it, of
    this installation's unless some are given. Returns how many were tried."""
    tried = 0
    while tried < AT_ONCE and (message := _take(now)) is not None:
        attempt("sms", str(message.pk), partial(_send, message, providers, now), now)
        tried += 1
    if tried == AT_ONCE:
        wake(Channel.SMS)
    return tried


def _send(message: Message, providers: Sequence[Provider] | None, now: dt.datetime) -> None:
    # 1) ask one after the other, outside any transaction
    text = Text(id=str(message.pk), to=message.number, body=message.text)
    resting = provider_health.resting(now=now)
    answer: Outcome = Away("no provider is set up")
    for provider in _providers() if providers is None else providers:
        if provider.name in resting:
            _note_attempt(message, provider.name, "left alone after failures", now)
            answer = Away("left alone after failures")
            continue
        _remember_whom_we_ask(message, provider.name)
        answer = provider.send(text, now=now)
        _note_attempt(message, provider.name, "" if isinstance(answer, Accepted) else answer.reason, now)
        if isinstance(answer, Accepted | Unclear):
            break
        if isinstance(answer, Refused) and answer.final:
            break
        provider_health.note_failure(provider.name, answer.reason, now=now)
    # 2) settle it
    if isinstance(answer, Accepted):
        provider_health.note_taken(message.attempts[-1]["provider"], now=now)
        _settle_taken(message, answer.references, answer.parts, now)
    elif isinstance(answer, Unclear):
        provider_health.note_failure(message.attempts[-1]["provider"], answer.reason, now=now)
        message.unclear, message.reason = True, answer.reason[:80]
        _settle_taken(message, (), 0, now)
    else:
        _settle_failure(message, answer, now)


def _note_attempt(message: Message, provider: str, reason: str, now: dt.datetime) -> None:
    message.attempts.append({"at": now.isoformat(), "provider": provider, "reason": reason})


def _remember_whom_we_ask(message: Message, provider: str) -> None:
    """So that a process that dies in the middle leaves a message of which is known that it may be on its way."""
    message.provider = provider
    message.save(update_fields=["provider", "attempts"])


@transaction.atomic
def _take(now: dt.datetime) -> Message | None:
    """The next one, for this process alone. On the way, what is too late for any use is given up, and what a dead
    process may have handed over counts as sent."""
    due = queries.to_send(now=now).select_for_update(skip_locked=True)
    while (message := due.first()) is not None:
        if message.state == State.SENDING and message.provider:
            message.unclear, message.reason = True, "the process ended"
            message.state, message.sent_at, message.next_try_at = State.SENT, now, None
            _forget(message)
            message.save()
        elif message.expires_at <= now:
            _give_up(message, "too late", now)
        else:
            message.state, message.taken_at, message.tries = State.SENDING, now, message.tries + 1
            message.taken_by = backend_of(connection)
            message.save(update_fields=["state", "taken_at", "taken_by", "tries"])
            return message
    return None


@transaction.atomic
def _settle_taken(message: Message, references: Sequence[str], parts: int, now: dt.datetime) -> None:
    message.state, message.sent_at, message.next_try_at = State.SENT, now, None
    message.provider, message.parts = message.attempts[-1]["provider"], parts
    _forget(message)
    message.save()
    for reference in references:
        SmsSegment.objects.create(message=message, provider=message.provider, reference=reference[:80])
    for reference in references:
        early = EarlyDeliveryReport.objects.filter(provider=message.provider, reference=reference[:80]).order_by("id")
        for one in early:
            _apply(message, Report(one.reference, one.outcome, one.reason), now)
        early.delete()


@transaction.atomic
def _settle_failure(message: Message, answer: Away | Refused, now: dt.datetime) -> None:
    final = isinstance(answer, Refused) and answer.final
    decision = after_failure(tries=message.tries, now=now, expires_at=message.expires_at, permanent=final)
    if isinstance(decision, TryAgain):
        quiet = policy.current(settings.POLICY_FILE).quiet_hours
        at = goes_out_at(decision.at, quiet=quiet, channel="sms", urgent=message.urgent)
        message.state, message.next_try_at, message.provider = State.QUEUED, at, ""
        message.save()
        log.warning("Message %s was taken by no provider (%s); next try at %s.", message.pk, answer.reason, at)
    else:
        _give_up(message, answer.reason, now)
        log.error("Message %s was given up after %s tries (%s).", message.pk, message.tries, answer.reason)


def _give_up(message: Message, reason: str, now: dt.datetime) -> None:
    message.state, message.reason, message.closed_at, message.next_try_at = State.FAILED, reason[:80], now, None
    _forget(message)
    message.save()


def _forget(message: Message) -> None:
    message.number = ""
    if message.note in SHORT_CODES:
        message.text = ""


@transaction.atomic
def record_report(*, provider: str, report: Report, now: dt.datetime) -> None:
    """What a provider says became of a part. One that we do not know yet is kept for the message that follows."""
    part = (
        SmsSegment.objects.filter(provider=provider, reference=report.reference[:80])
        .order_by("-id")
        .values_list("message_id", flat=True)
        .first()
    )
    if part is None:
        EarlyDeliveryReport.objects.create(
            provider=provider,
            reference=report.reference[:80],
            outcome=report.outcome,
            reason=report.reason[:40],
            received_at=now,
        )
        return
    _apply(Message.objects.select_for_update().get(pk=part), report, now)


def _apply(message: Message, report: Report, now: dt.datetime) -> None:
    if report.outcome == "waiting":
        return
    message.pieces.filter(reference=report.reference[:80]).update(outcome=report.outcome)
    if message.state != State.SENT:
        return  # settled: the first word that is final counts
    if report.outcome == "failed":
        message.state, message.reason, message.closed_at = State.FAILED, report.reason[:80], now
        message.save(update_fields=["state", "reason", "closed_at"])
    elif not message.pieces.exclude(outcome="delivered").exists():
        message.state, message.closed_at = State.DELIVERED, now
        message.save(update_fields=["state", "closed_at"])


def on_report(provider: str, report: Report, now: dt.datetime) -> None:
    record_report(provider=provider, report=report, now=now)


def _providers() -> list[Provider]:
    """Those that are set up. With a file that cannot be used messages wait, and the log says so once for each fault."""
    global _told_problem
    try:
        found = queries.providers(told=on_report)
    except configuration.ConfigurationError as error:
        if error.problem != _told_problem:
            log.error("No SMS goes out: %s", error.problem)
        _told_problem = error.problem
        return []
    _told_problem = ""
    return found


_told_problem = ""


def listen(*, now: dt.datetime) -> None:
    """Take the reports that wait at providers which keep a line open to us."""
    for provider in _providers():
        provider.listen(now=now)


def stop_listening() -> None:
    """End every session with a provider: at the end of the process."""
    close_all()


EARLY_KEPT = dt.timedelta(days=1)


def forget_early_reports(*, now: dt.datetime) -> int:
    """Reports on what we never sent, or sent under another reference."""
    return EarlyDeliveryReport.objects.filter(received_at__lt=now - EARLY_KEPT).delete()[0]
