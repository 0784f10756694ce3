"""Webhooks: what happened becomes events, and events go out until they are taken.

The journal is the outbox: an act and its row are one transaction, so that no act is without its event and none is told
that was rolled back. A row that was heard is remembered with what was made of it, in one transaction; whatever is
killed when, each event is made once for each webhook. No server of anybody is asked inside a transaction.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Subquery
from django.urls import reverse

from rahdari.db.gate import Batch
from rahdari.db.locks import Lock, hold
from rahdari.feed import webhook as format_of_events
from rahdari.journal import actions as journal
from rahdari.journal import queries as record
from rahdari.journal.models import JournalEntry
from rahdari.letters import actions as letters
from rahdari.people.access import actor_of
from rahdari.people.models import User
from rahdari.probe import hook
from rahdari.programs.webhooks import Outbox, hold_place

from . import events, queries, rules
from .models import JournalPosition, RowHeardAhead, Webhook, WebhookDelivery


class TooManyWebhooks(Exception):
    """The person has as many as anybody may have."""


# -- webhooks ------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_webhook(
    *, owner: User, url: str, events: Iterable[str], now: dt.datetime, id: uuid.UUID | None = None
) -> tuple[Webhook, str]:
    """A webhook, and the secret that signs what it gets. The same `id` twice gives the same one, with a new secret.

    Raises TooManyWebhooks, PlaceNotTaken.
    """
    hold_place(url)
    hold(Lock.PERSONS_TOKENS, str(owner.pk))  # what is counted stays so
    known = Webhook.objects.filter(owner=owner, pk=id, ended_at__isnull=True).first() if id is not None else None
    if known is not None:
        return known, change_secret(webhook=known, now=now)
    if queries.webhooks_of(owner).count() >= rules.MOST_WEBHOOKS:
        raise TooManyWebhooks
    secret = format_of_events.new_secret()
    chosen = sorted(set(events))
    made = Webhook.objects.create(
        id=id if id is not None and not Webhook.objects.filter(pk=id).exists() else uuid.uuid4(),
        owner=owner,
        url=url,
        events=chosen,
        secret=secret,
        made_at=now,
    )
    _record("made_webhook", made, now)
    return made, secret


def _record(act: str, webhook: Webhook, now: dt.datetime) -> None:
    who = actor_of(webhook.owner)
    journal.record(act=f"api.{act}", actor=who, subject=who, now=now, detail={"webhook": str(webhook.pk)})


@transaction.atomic
def change_webhook(*, webhook: Webhook, url: str, events: Iterable[str], now: dt.datetime) -> Webhook:
    """Another address, or other events. One that was stopped goes on. Raises PlaceNotTaken."""
    hold_place(url)
    row = Webhook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=webhook.pk)
    row.url, row.events, row.failing_since, row.stopped_at = url, sorted(set(events)), None, None
    row.save(update_fields=["url", "events", "failing_since", "stopped_at"])
    _record("changed_webhook", row, now)
    return row


@transaction.atomic
def change_secret(*, webhook: Webhook, now: dt.datetime) -> str:
    """A new secret; for a day the one before signs too."""
    _record("changed_secret", webhook, now)
    return OUTBOX.change_secret(webhook, now=now)


@transaction.atomic
def end_webhook(*, webhook: Webhook, now: dt.datetime) -> None:
    """Tell it nothing any more, also of what waits."""
    if OUTBOX.end(Webhook.objects.filter(pk=webhook.pk), now=now):
        _record("ended_webhook", webhook, now)


def send_test(*, webhook: Webhook, now: dt.datetime, id: uuid.UUID) -> WebhookDelivery:
    """An event about nothing, to see whether it arrives. The same `id` twice is one event."""
    return OUTBOX.put(webhook, events.TEST, {}, now=now, id=id)


def resend(*, delivery: WebhookDelivery, now: dt.datetime) -> WebhookDelivery:
    return OUTBOX.put_again(delivery, now=now)


# -- from the journal to events ------------------------------------------------------------------------------------


def note_events(*, now: dt.datetime, at_most: int = 500) -> int:
    """Make events of what was done since. Returns how many rows were heard."""
    with transaction.atomic():
        place = JournalPosition.objects.select_for_update().filter(pk=1).first()
        if place is None:
            # From the beginning of webhooks on: what was before is no news.
            JournalPosition.objects.get_or_create(pk=1, defaults={"row": record.last_row()})
            return 0
        complete = _complete(place)
        fresh = list(_not_heard(place.row)[:at_most])
        if fresh and queries.anybody_listens():
            for row in fresh:
                _make_deliveries(row.pk, events.news_of(row), row.at, now)
        heard = min(complete, fresh[-1].pk) if len(fresh) == at_most else complete
        RowHeardAhead.objects.bulk_create([RowHeardAhead(row=row.pk) for row in fresh if row.pk > heard])
        if heard > place.row:
            place.row = heard
            RowHeardAhead.objects.filter(row__lte=heard).delete()
        place.save()
    return len(fresh)


def _complete(place: JournalPosition) -> int:
    """Up to which row all that will ever be there can be seen by whoever reads now.

    A row is numbered before it is seen. Whoever was writing when a row was the last one may have numbered one before
    it, and nobody else has: once these have ended, committed or not, nothing comes before it any more.
    """
    last, writing = record.last_row(), record.writers()  # in this order
    complete = place.row
    if place.next_row is not None and writing.isdisjoint(place.writers):
        complete, place.next_row = place.next_row, None
    if not writing:
        complete, place.next_row = last, None
    elif place.next_row is None and last > complete:
        place.next_row, place.writers = last, sorted(writing)
    return complete


def _not_heard(after: Any) -> QuerySet[JournalEntry]:
    return queries.not_heard(record.acts_after(after, events.ACTS))


def _make_deliveries(row: int, news: events.News | None, at: dt.datetime, now: dt.datetime) -> None:
    if news is None:
        return
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                webhook=webhook, event=news.event, data=news.data, row=row, happened_at=at, made_at=now, next_at=now
            )
            for webhook in queries.webhooks_that_listen(news.to, news.event)
        ],
        ignore_conflicts=True,
    )


# -- from events to servers ----------------------------------------------------------------------------------------


def deliver_events(*, now: dt.datetime, at_most: int = 40, timeout: float = hook.TIMEOUT) -> int:
    """Try the events that are due. Returns how many were tried."""
    return OUTBOX.deliver(now=now, at_most=at_most, timeout=timeout)


def _stopped(webhook: Webhook, now: dt.datetime) -> None:
    who, detail = actor_of(webhook.owner), {"webhook": str(webhook.pk)}
    journal.record(act="api.stopped_webhook", actor="clock", subject=who, now=now, detail=detail)
    letters.write_letter(
        to=webhook.owner,
        template="webhook_stopped",
        about=who,
        context={"place": webhook.url, "since": webhook.failing_since or now, "url": reverse("api:programs")},
        now=now,
    )


# To people whose account is open.
OUTBOX = Outbox(
    webhooks=Webhook,
    deliveries=WebhookDelivery,
    agent="Rahdari-webhook/1",
    kept=rules.DELIVERIES_KEPT,
    stopped=_stopped,
    to=Q(webhook__owner__is_active=True),
)

JOBS = (
    Batch(lambda _now: _not_heard(Subquery(JournalPosition.objects.values("row"))), note_events),
    Batch(OUTBOX.due, deliver_events),
)
