"""Callbacks: an operator's own system is told that there is a new question. Reached through `actions`.

It is told the number and the time, and comes for the rest with its token: an event that goes astray says nothing about
anybody. Signed as Standard Webhooks has it (https://www.standardwebhooks.com). Tried until taken, ever more rarely.
"""

import datetime as dt
import json
from typing import Any

from django.db import transaction

from rahdari.feed import webhook
from rahdari.journal import actions as journal
from rahdari.probe import hook
from rahdari.programs import webhook_calls as hooks

from . import queries
from .models import Callback, CallbackDelivery, SubscriberQuestion

# Then an operator finds its questions on the page all the same.
PAUSES = hooks.PAUSES
KEPT = dt.timedelta(days=14)
ASKED, TEST = "check.asked", "test"


class CallbackNotTaken(Exception):
    """The address is none that we would call. `.outcome` says why."""

    def __init__(self, outcome: hook.HookOutcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


@transaction.atomic
def register_callback(*, operator: str, url: str, by: str, now: dt.datetime) -> tuple[Callback, str]:
    """Where to tell an operator of questions, in place of the address before; and the secret that signs what we send.

    Raises CallbackNotTaken.
    """
    place = hooks.place_of(url)
    if isinstance(place, hook.HookOutcome):
        raise CallbackNotTaken(place)
    _end(operator, now)
    secret = webhook.new_secret()
    callback = Callback.objects.create(operator=operator, url=url, secret=secret, made_at=now, made_by=by)
    journal.record(
        act="confirm.registered_callback",
        actor=f"operator:{operator}",
        subject=f"operator:{operator}",
        now=now,
        detail={"callback": str(callback.pk), "by": by},
    )
    return callback, secret


@transaction.atomic
def end_callback(*, operator: str, by: str, now: dt.datetime) -> bool:
    """Tell the operator nothing any more. Returns whether it was told before."""
    ended = _end(operator, now)
    if ended:
        journal.record(
            act="confirm.ended_callback",
            actor=f"operator:{operator}",
            subject=f"operator:{operator}",
            now=now,
            detail={"by": by},
        )
    return ended


def _end(operator: str, now: dt.datetime) -> bool:
    CallbackDelivery.objects.filter(callback__operator=operator, next_at__isnull=False).update(
        next_at=None, finding="ended"
    )
    return bool(Callback.objects.filter(operator=operator, ended_at__isnull=True).update(ended_at=now))


def note_asked(*, question: SubscriberQuestion, now: dt.datetime) -> None:
    """Put the event of a new question on its way, if the operator wants to hear of it. In the caller's transaction."""
    callback = queries.callback_of(operator=question.operator)
    if callback is not None:
        data = {"check": question.number, "kind": str(question.kind), "answer_until": question.due_at.isoformat()}
        CallbackDelivery.objects.create(callback=callback, event=ASKED, data=data, made_at=now, next_at=now)


def tell(*, operator: str, event: str, data: dict[str, Any], now: dt.datetime) -> None:
    """Put an event of another room on its way, if the operator wants to hear of it. In the caller's transaction."""
    callback = queries.callback_of(operator=operator)
    if callback is not None:
        CallbackDelivery.objects.create(callback=callback, event=event, data=data, made_at=now, next_at=now)


def send_test_event(*, operator: str, now: dt.datetime) -> CallbackDelivery | None:
    """An event that is about nothing, to see whether the callback works. None when there is no callback."""
    callback = queries.callback_of(operator=operator)
    if callback is None:
        return None
    return CallbackDelivery.objects.create(callback=callback, event=TEST, data={}, made_at=now, next_at=now)


def body_of(delivery: CallbackDelivery) -> bytes:
    content = {"type": delivery.event, "timestamp": delivery.made_at.isoformat(), "data": delivery.data}
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def deliver_due(*, now: dt.datetime, at_most: int = 40, timeout: float = hook.TIMEOUT) -> int:
    """Try the events that are due, many at once: a slow server holds no other up. Returns how many were tried."""
    with transaction.atomic():
        due = list(queries.deliveries_due(now=now).select_for_update(skip_locked=True, of=("self",))[:at_most])
        for delivery in due:
            # Taken, so that no other process sends it too; if this one dies, it is due again a little later.
            delivery.tries += 1
            delivery.next_at = now + _pause(delivery.tries) if delivery.tries <= len(PAUSES) else None
            delivery.save(update_fields=["tries", "next_at"])
    answers = hooks.post_all([_event(each, now) for each in due], agent="Rahdari-callback/1", timeout=timeout)
    for delivery, found in zip(due, answers, strict=True):
        _record(delivery, found, now)
    CallbackDelivery.objects.filter(made_at__lt=now - KEPT).delete()
    return len(due)


def _pause(tries: int) -> dt.timedelta:
    return PAUSES[tries - 1]


def _event(delivery: CallbackDelivery, now: dt.datetime) -> hooks.Event:
    callback = delivery.callback
    return hooks.Event(callback.url, (callback.secret,), str(delivery.pk), int(now.timestamp()), body_of(delivery))


def _record(delivery: CallbackDelivery, found: hook.HookAnswer, now: dt.datetime) -> None:
    delivery.finding, delivery.status = str(found.outcome), found.status
    fields = ["finding", "status"]
    if found.outcome == hook.HookOutcome.TAKEN:
        delivery.delivered_at, delivery.next_at = now, None
        fields += ["delivered_at", "next_at"]
    delivery.save(update_fields=fields)
