"""Webhooks: where events go, signed as Standard Webhooks has it (https://www.standardwebhooks.com), until taken.

A room has tables of its own, and says whose a webhook is and who is told when it is stopped. How a secret is changed,
how an event goes out and what becomes of a server that is gone is the same for all. No server is asked inside a
transaction.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import QuerySet

from rahdari.errors import RahdariError
from rahdari.feed import webhook as signing
from rahdari.probe import hook
from rahdari.vault.fields import EncryptedTextField

from . import webhook_calls as calls

# Both secrets sign for so long, after a change.
SECRETS_OVERLAP = dt.timedelta(hours=24)
# Nothing arrived for so long: nothing is sent any more, and whoever it is for is told.
STOPPED_AFTER = dt.timedelta(days=5)
JITTER_PERCENT = 20
# The other side says that it wants nothing any more.
GONE = 410


class PlaceNotTaken(RahdariError):
    """The address is none that we would call. `.outcome` says why."""

    says = "{outcome}"
    outcome: hook.HookOutcome


class Hook(models.Model):
    """Where somebody's program wants to hear of news. While a secret is changed, events are signed by both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500)
    secret = EncryptedTextField()
    old_secret = EncryptedTextField()
    old_secret_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # Since when nothing arrives; and when it was stopped because nothing did for long.
    failing_since = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"webhook:{self.pk}"

    @property
    def state(self) -> str:
        return "stopped" if self.stopped_at is not None else "failing" if self.failing_since is not None else "working"


class Delivery(models.Model):
    """One event on its way to a webhook, tried until it is taken or given up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook: Any
    event = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    made_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=30, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.event} {self.finding}"


def hold_place(url: str) -> None:
    """Raises PlaceNotTaken."""
    place = calls.place_of(url)
    if isinstance(place, hook.HookOutcome):
        raise PlaceNotTaken(place)


def pause(pauses: tuple[dt.timedelta, ...], *, tries: int, id: uuid.UUID) -> dt.timedelta | None:
    """How long to wait after so many tries; None: no more. Each event waits a little differently, so that a server that
    comes back is not met by all of them at once.
    """
    if tries > len(pauses):
        return None
    share = (id.int + tries * 7919) % (JITTER_PERCENT * 10 + 1)
    return pauses[tries - 1] * (1 + share / 1000)


def body_of(delivery: Delivery) -> bytes:
    content = {"type": delivery.event, "timestamp": delivery.happened_at.isoformat(), "data": delivery.data}
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True)
class Outbox[H: Hook, D: Delivery]:
    """The webhooks of one room. `stopped` records that one was stopped, in the same transaction; `to` narrows down the
    deliveries that go out.
    """

    webhooks: type[H]
    deliveries: type[D]
    agent: str
    kept: dt.timedelta
    stopped: Callable[[H, dt.datetime], None]
    to: models.Q

    def _locked(self, id: uuid.UUID) -> H:
        return self.webhooks._default_manager.select_for_update(of=("self",)).get(pk=id)

    def change_secret(self, webhook: H, *, now: dt.datetime) -> str:
        """A new secret; for a day the one before signs too. In the caller's transaction."""
        row = self._locked(webhook.pk)
        row.old_secret, row.old_secret_until = row.secret, now + SECRETS_OVERLAP
        row.secret = signing.new_secret()
        row.save(update_fields=["secret", "old_secret", "old_secret_until"])
        return row.secret

    def end(self, webhooks: QuerySet[H], *, now: dt.datetime) -> bool:
        """Tell them nothing any more, also of what waits; their secrets are of no use any more. In the caller's
        transaction. Returns whether there was one to end.
        """
        ids = list(webhooks.filter(ended_at__isnull=True).values_list("pk", flat=True))
        self._drop(ids, "ended")
        return bool(webhooks.filter(pk__in=ids).update(ended_at=now, secret="", old_secret=""))

    def _drop(self, ids: list[Any], finding: str) -> None:
        waiting = self.deliveries._default_manager.filter(webhook__in=ids, next_at__isnull=False)
        waiting.update(next_at=None, finding=finding)

    def put(self, webhook: H, event: str, data: dict[str, Any], *, now: dt.datetime, id: uuid.UUID | None = None) -> D:
        """Put an event on its way, in the caller's transaction. The same `id` twice is one event."""
        facts = {"webhook": webhook, "event": event, "data": data, "happened_at": now, "made_at": now, "next_at": now}
        rows = self.deliveries._default_manager
        return rows.get_or_create(pk=id, defaults=facts)[0] if id is not None else rows.create(**facts)

    def put_again(self, delivery: D, *, now: dt.datetime) -> D:
        """Try an event anew, whatever became of it: under its own id, so that a receiver knows it again."""
        delivery.tries, delivery.next_at, delivery.delivered_at, delivery.finding = 0, now, None, ""
        delivery.save(update_fields=["tries", "next_at", "delivered_at", "finding"])
        return delivery

    def due(self, now: dt.datetime) -> QuerySet[D]:
        """The events to be tried now, those due longest in front."""
        wanted = models.Q(next_at__lte=now, webhook__ended_at__isnull=True, webhook__stopped_at__isnull=True)
        return self.deliveries._default_manager.filter(wanted & self.to).order_by("next_at", "id")

    def deliver(self, *, now: dt.datetime, at_most: int, timeout: float) -> int:
        """Try the events that are due, many at once: a slow server holds no other up. Returns how many were tried."""
        with transaction.atomic():
            due = list(
                self.due(now).select_related("webhook").select_for_update(skip_locked=True, of=("self",))[:at_most]
            )
            for delivery in due:
                # Taken, so that no other process sends it too; if this one dies, it is due again a little later.
                delivery.tries += 1
                wait = pause(calls.PAUSES, tries=delivery.tries, id=delivery.pk)
                delivery.next_at = now + wait if wait is not None else None
                delivery.save(update_fields=["tries", "next_at"])
        answers = calls.post_all([_signed(each, now) for each in due], agent=self.agent, timeout=timeout)
        for delivery, answer in zip(due, answers, strict=True):
            self._record(delivery, answer, now)
        self.deliveries._default_manager.filter(made_at__lt=now - self.kept).delete()
        return len(due)

    @transaction.atomic
    def _record(self, delivery: D, found: hook.HookAnswer, now: dt.datetime) -> None:
        row = self._locked(delivery.webhook.pk)
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
        failing = row.failing_since is not None and now - row.failing_since >= STOPPED_AFTER
        if (failing or found.status == GONE) and row.stopped_at is None and row.ended_at is None:
            row.stopped_at = now
            row.save(update_fields=["stopped_at"])
            self._drop([row.pk], "stopped")
            self.stopped(row, now)


def _signed(delivery: Delivery, now: dt.datetime) -> calls.Event:
    webhook = delivery.webhook
    given = [webhook.secret]
    if webhook.old_secret_until is not None and webhook.old_secret_until > now:
        given.append(webhook.old_secret)
    return calls.Event(webhook.url, tuple(given), str(delivery.pk), int(now.timestamp()), body_of(delivery))
