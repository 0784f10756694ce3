"""Webhooks: what happened becomes events, and events go out until they are taken. Reached through `actions`.

The journal is the outbox: an act and its row are one transaction, so that no act is without its event and none is told
that was rolled back. A row that was heard is remembered with what was made of it, in one transaction; whatever is
killed when, each event is made once for each webhook. No server of anybody is asked inside a transaction.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse

from rahdari.db.locks import Lock, hold
from rahdari.feed import webhook as format_of_events
from rahdari.journal import actions as journal
from rahdari.journal import queries as record
from rahdari.letters import actions as letters
from rahdari.people.access import actor_of
from rahdari.people.models import User
from rahdari.probe import hook
from rahdari.programs import webhook_calls as hooks

from . import events, queries, rules
from .models import JournalPosition, RowHeardAhead, Webhook, WebhookDelivery

AGENT = "Rahdari-webhook/1"


class TooManyWebhooks(Exception):
    """The person has as many as anybody may have."""


class PlaceNotTaken(Exception):
    """The address is none that we would call. `.outcome` says why."""

    def __init__(self, outcome: hook.HookOutcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


# -- webhooks ------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_webhook(
    *, owner: User, url: str, events: Iterable[str], now: dt.datetime, id: uuid.UUID | None = None
) -> tuple[Webhook, str]:
    """A webhook, and the secret that signs what it gets. The same `id` twice gives the same one, with a new secret.

    Raises TooManyWebhooks, PlaceNotTaken.
    """
    _hold_place(url)
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


def _hold_place(url: str) -> None:
    place = hooks.place_of(url)
    if isinstance(place, hook.HookOutcome):
        raise PlaceNotTaken(place)


def _record(act: str, webhook: Webhook, now: dt.datetime) -> None:
    who = actor_of(webhook.owner)
    journal.record(act=f"api.{act}", actor=who, subject=who, now=now, detail={"webhook": str(webhook.pk)})


@transaction.atomic
def change_webhook(*, webhook: Webhook, url: str, events: Iterable[str], now: dt.datetime) -> Webhook:
    """Another address, or other events. One that was stopped goes on. Raises PlaceNotTaken."""
    _hold_place(url)
    row = Webhook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=webhook.pk)
    row.url, row.events, row.failing_since, row.stopped_at = url, sorted(set(events)), None, None
    row.save(update_fields=["url", "events", "failing_since", "stopped_at"])
    _record("changed_webhook", row, now)
    return row


@transaction.atomic
def change_secret(*, webhook: Webhook, now: dt.datetime) -> str:
    """A new secret; for a day the one before signs too."""
    row = Webhook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=webhook.pk)
    row.old_secret, row.old_secret_until = row.secret, now + rules.SECRETS_OVERLAP
    row.secret = format_of_events.new_secret()
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    _record("changed_secret", row, now)
    return row.secret


@transaction.atomic
def end_webhook(*, webhook: Webhook, now: dt.datetime) -> None:
    """Tell it nothing any more, also of what waits; its secrets are of no use any more."""
    WebhookDelivery.objects.filter(webhook=webhook, next_at__isnull=False).update(next_at=None, finding="ended")
    if Webhook.objects.filter(pk=webhook.pk, ended_at__isnull=True).update(ended_at=now, secret="", old_secret=""):
        _record("ended_webhook", webhook, now)


def send_test(*, webhook: Webhook, now: dt.datetime, id: uuid.UUID) -> WebhookDelivery:
    """An event about nothing, to see whether it arrives. The same `id` twice is one event."""
    facts = {"webhook": webhook, "event": events.TEST, "happened_at": now, "made_at": now, "next_at": now}
    return WebhookDelivery.objects.get_or_create(pk=id, defaults=facts)[0]


def send_again(*, delivery: WebhookDelivery, now: dt.datetime) -> WebhookDelivery:
    """Try an event anew, whatever became of it: under its own id, so that a receiver knows it again."""
    delivery.tries, delivery.next_at, delivery.delivered_at, delivery.finding = 0, now, None, ""
    delivery.save(update_fields=["tries", "next_at", "delivered_at", "finding"])
    return delivery


# -- from the journal to events ------------------------------------------------------------------------------------


def note_events(*, now: dt.datetime, at_most: int = 500) -> int:
    """Make events of what was done since. Returns how many rows were heard."""
    with transaction.atomic():
        place = JournalPosition.objects.select_for_update().filter(pk=1).first()
        if place is None:
            # From the beginning of webhooks on: what was before is no news.
            JournalPosition.objects.get_or_create(pk=1, defaults={"row": record.last_before(now), "moved_at": now})
            return 0
        fresh = list(queries.not_heard(record.acts_after(place.row, events.ACTS))[:at_most])
        if fresh and queries.anybody_listens():
            for row in fresh:
                _make_deliveries(row.pk, events.news_of(row), row.at, now)
        RowHeardAhead.objects.bulk_create([RowHeardAhead(row=row.pk) for row in fresh])
        if len(fresh) < at_most and now - place.moved_at >= rules.MOVED_EVERY:
            _move(place, now)
    return len(fresh)


def _move(place: JournalPosition, now: dt.datetime) -> None:
    """All that is old enough to be visible is heard: from there on it goes on."""
    place.row, place.moved_at = max(place.row, record.last_before(now - rules.COMMITTED_WITHIN)), now
    place.save(update_fields=["row", "moved_at"])
    RowHeardAhead.objects.filter(row__lte=place.row).delete()


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


def body_of(delivery: WebhookDelivery) -> bytes:
    content = {"type": delivery.event, "timestamp": delivery.happened_at.isoformat(), "data": delivery.data}
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def deliver_events(*, now: dt.datetime, at_most: int = 40, timeout: float = hook.TIMEOUT) -> int:
    """Try the events that are due, many at once. Returns how many were tried."""
    with transaction.atomic():
        due = list(queries.deliveries_due(now=now).select_for_update(skip_locked=True, of=("self",))[:at_most])
        for delivery in due:
            # Taken, so that no other process sends it too; if this one dies, it is due again a little later.
            delivery.tries += 1
            wait = rules.pause(hooks.PAUSES, tries=delivery.tries, id=delivery.pk)
            delivery.next_at = now + wait if wait is not None else None
            delivery.save(update_fields=["tries", "next_at"])
    answers = hooks.post_all([_event(each, now) for each in due], agent=AGENT, timeout=timeout)
    for delivery, found in zip(due, answers, strict=True):
        _record_answer(delivery, found, now)
    WebhookDelivery.objects.filter(made_at__lt=now - rules.DELIVERIES_KEPT).delete()
    return len(due)


def _event(delivery: WebhookDelivery, now: dt.datetime) -> hooks.Event:
    webhook = delivery.webhook
    given = [webhook.secret]
    if webhook.old_secret_until is not None and webhook.old_secret_until > now:
        given.append(webhook.old_secret)
    return hooks.Event(webhook.url, tuple(given), str(delivery.pk), int(now.timestamp()), body_of(delivery))


@transaction.atomic
def _record_answer(delivery: WebhookDelivery, found: hook.HookAnswer, now: dt.datetime) -> None:
    row = Webhook.objects.select_for_update(of=("self",)).select_related("owner").get(pk=delivery.webhook_id)
    delivery.finding, delivery.status = str(found.outcome), found.status
    if found.outcome == hook.HookOutcome.TAKEN:
        delivery.delivered_at, delivery.next_at, row.failing_since = now, None, None
    else:
        row.failing_since = row.failing_since or now
        if row.ended_at is not None or row.stopped_at is not None:
            # It was ended, or stopped by another event, while this one was on its way.
            delivery.next_at = None
    delivery.save(update_fields=["finding", "status", "delivered_at", "next_at"])
    row.save(update_fields=["failing_since"])
    failing = row.failing_since is not None and now - row.failing_since >= rules.STOPPED_AFTER
    if (failing or found.status == rules.GONE) and row.stopped_at is None and row.ended_at is None:
        _stop(row, now)


def _stop(webhook: Webhook, now: dt.datetime) -> None:
    webhook.stopped_at = now
    webhook.save(update_fields=["stopped_at"])
    WebhookDelivery.objects.filter(webhook=webhook, next_at__isnull=False).update(next_at=None, finding="stopped")
    journal.record(
        act="api.stopped_webhook",
        actor="clock",
        subject=actor_of(webhook.owner),
        now=now,
        detail={"webhook": str(webhook.pk)},
    )
    letters.write_letter(
        to=webhook.owner,
        template="webhook_stopped",
        about=actor_of(webhook.owner),
        context={"place": webhook.url, "since": webhook.failing_since or now, "url": reverse("api:programs")},
        now=now,
    )
