"""Short messages: writing them, handing them to a provider or to the next one, and what became of them.

Invariants: a message that a provider took, or may have taken, is handed to no other and not again; each provider that
was asked stands on the message with its answer; a report moves a message once. A message is written, and its sending
queued, in the caller's transaction; providers are talked to outside any.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app

from rahdari import policy
from rahdari.delivery import provider_health
from rahdari.delivery.rules import CODE_LASTS, CODES_FIRST, NOTE_LASTS, TryAgain, after_failure, goes_out_at

from . import queries
from .models import EarlyDeliveryReport, Message, Person, SmsSegment
from .providers import Accepted, Away, Outcome, Provider, Refused, Report, Text, Unclear, configuration
from .providers.configured import close as close_all
from .writing import CONTACT_CODE, NUMBER_CODE, compose

log = logging.getLogger(__name__)
State = Message.State


def queue(message: Message, *, at: dt.datetime | None = None) -> None:
    priority = CODES_FIRST if message.note == NUMBER_CODE else 0
    app.configure_task("sms.send_message", schedule_at=at, priority=priority).defer(message_id=str(message.pk))


@transaction.atomic
def write_note(
    *, to: Person, note: str, about: str, language: str, context: Mapping[str, Any], urgent: bool, now: dt.datetime
) -> Message | None:
    """That there is something to read, for whoever wants notes by SMS; one that still waits says it too."""
    number = queries.number_for_notes(to)
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
def write_number_code(*, to: Person, number: str, language: str, code: str, now: dt.datetime) -> Message:
    """The code that confirms a number."""
    return _write(
        person=to.pk,
        number=number,
        note=NUMBER_CODE,
        about="",
        text=compose(note=NUMBER_CODE, language=language, context={"code": code}),
        language=language,
        urgent=True,
        at=now,
        expires_at=now + CODE_LASTS,
        now=now,
    )


@transaction.atomic
def write_code_to_number(
    *, asked_by: Person, number: str, language: str, code: str, expires_at: dt.datetime, now: dt.datetime
) -> Message:
    """The code that the contact of a company or member hands over to whoever applies (`asked_by`)."""
    return _write(
        person=asked_by.pk,
        number=number,
        note=CONTACT_CODE,
        about="",
        text=compose(note=CONTACT_CODE, language=language, context={"code": code}),
        language=language,
        urgent=True,
        at=now,
        expires_at=expires_at,
        now=now,
    )


def _write(*, at: dt.datetime, now: dt.datetime, **facts: Any) -> Message:
    message = Message.objects.create(written_at=now, next_try_at=at, **facts)
    queue(message, at=at if at > now else None)
    return message


def send_message(*, message_id: uuid.UUID, now: dt.datetime, providers: Sequence[Provider] | None = None) -> str:
    """Hand the message to the first provider that takes it (of this installation's); return its state afterwards."""
    providers = _providers() if providers is None else providers
    # 1) take it
    message = _take(message_id, now)
    if message is None:
        return str(Message.objects.values_list("state", flat=True).get(pk=message_id))
    # 2) ask one after the other, outside any transaction
    text = Text(id=str(message.pk), to=message.number, body=message.text)
    resting = provider_health.resting(now=now)
    answer: Outcome = Away("no provider is set up")
    for provider in providers:
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
    # 3) settle it
    if isinstance(answer, Accepted):
        provider_health.note_taken(message.attempts[-1]["provider"], now=now)
        return _settle_taken(message, answer.references, answer.parts, now)
    if isinstance(answer, Unclear):
        provider_health.note_failure(message.attempts[-1]["provider"], answer.reason, now=now)
        message.unclear, message.reason = True, answer.reason[:80]
        return _settle_taken(message, (), 0, now)
    return _settle_failure(message, answer, now)


def _note_attempt(message: Message, provider: str, reason: str, now: dt.datetime) -> None:
    message.attempts.append({"at": now.isoformat(), "provider": provider, "reason": reason})


def _remember_whom_we_ask(message: Message, provider: str) -> None:
    """So that a process that dies in the middle leaves a message of which is known that it may be on its way."""
    message.provider = provider
    message.save(update_fields=["provider", "attempts"])


@transaction.atomic
def _take(message_id: uuid.UUID, now: dt.datetime) -> Message | None:
    message = Message.objects.select_for_update(skip_locked=True).filter(pk=message_id, state=State.QUEUED).first()
    if message is None:
        return None
    if message.expires_at <= now:
        _give_up(message, "too late", now)
        return None
    message.state, message.taken_at, message.tries = State.SENDING, now, message.tries + 1
    message.save(update_fields=["state", "taken_at", "tries"])
    return message


@transaction.atomic
def _settle_taken(message: Message, references: Sequence[str], parts: int, now: dt.datetime) -> str:
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
    return str(message.state)


@transaction.atomic
def _settle_failure(message: Message, answer: Away | Refused, now: dt.datetime) -> str:
    final = isinstance(answer, Refused) and answer.final
    decision = after_failure(tries=message.tries, now=now, expires_at=message.expires_at, permanent=final)
    if isinstance(decision, TryAgain):
        quiet = policy.current(settings.POLICY_FILE).quiet_hours
        at = goes_out_at(decision.at, quiet=quiet, channel="sms", urgent=message.urgent)
        message.state, message.next_try_at, message.provider = State.QUEUED, at, ""
        message.save()
        queue(message, at=at)
        log.warning("Message %s was taken by no provider (%s); next try at %s.", message.pk, answer.reason, at)
        return str(message.state)
    _give_up(message, answer.reason, now)
    log.error("Message %s was given up after %s tries (%s).", message.pk, message.tries, answer.reason)
    return str(message.state)


def _give_up(message: Message, reason: str, now: dt.datetime) -> None:
    message.state, message.reason, message.closed_at, message.next_try_at = State.FAILED, reason[:80], now, None
    _forget(message)
    message.save()


def _forget(message: Message) -> None:
    message.number = ""
    if message.note == NUMBER_CODE:
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


def find_left_alone(*, now: dt.datetime) -> int:
    """Queue again what a dead process left before it asked anybody; what it may have handed over is not sent again."""
    found = 0
    for message_id in list(queries.left_alone(now=now).values_list("pk", flat=True)):
        with transaction.atomic():
            alone = queries.left_alone(now=now).select_for_update(skip_locked=True)
            message = alone.filter(pk=message_id).first()
            if message is None:
                continue
            if message.state == State.SENDING and message.provider:
                message.unclear, message.reason = True, "the process ended"
                message.state, message.sent_at, message.next_try_at = State.SENT, now, None
                _forget(message)
                message.save()
            else:
                message.state, message.next_try_at = State.QUEUED, now
                message.save(update_fields=["state", "next_try_at"])
                queue(message)
            found += 1
    return found


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
