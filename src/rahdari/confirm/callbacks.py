"""Callbacks: an operator's own system is told that there is a new question.

It is told the number and the time, and comes for the rest with its token: an event that goes astray says nothing about
anybody. How it goes out is for `programs.webhooks` to say. Of what does not arrive an operator finds the questions on
the page all the same.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q

from rahdari.feed import webhook
from rahdari.journal import actions as journal
from rahdari.probe import hook
from rahdari.programs.webhooks import Outbox, hold_place

from . import notices, queries
from .models import Callback, CallbackDelivery, SubscriberQuestion

ASKED, TEST = "check.asked", "test"


def _record(act: str, operator: str, now: dt.datetime, *, actor: str = "", **detail: str) -> None:
    who = f"operator:{operator}"
    journal.record(act=f"confirm.{act}", actor=actor or who, subject=who, now=now, detail=detail)


@transaction.atomic
def register_callback(*, operator: str, url: str, by: str, now: dt.datetime) -> tuple[Callback, str]:
    """Where to tell an operator of questions, in place of the address before; and the secret that signs what we send.

    Raises PlaceNotTaken.
    """
    hold_place(url)
    _end(operator, now)
    secret = webhook.new_secret()
    callback = Callback.objects.create(operator=operator, url=url, secret=secret, made_at=now, made_by=by)
    _record("registered_callback", operator, now, callback=str(callback.pk), by=by)
    return callback, secret


@transaction.atomic
def change_callback_secret(*, callback: Callback, by: str, now: dt.datetime) -> str:
    """A new secret; for a day the one before signs too."""
    _record("changed_secret", callback.operator, now, callback=str(callback.pk), by=by)
    return OUTBOX.change_secret(callback, now=now)


@transaction.atomic
def end_callback(*, operator: str, by: str, now: dt.datetime) -> bool:
    """Tell the operator nothing any more. Returns whether it was told before."""
    ended = _end(operator, now)
    if ended:
        _record("ended_callback", operator, now, by=by)
    return ended


def _end(operator: str, now: dt.datetime) -> bool:
    return OUTBOX.end(Callback.objects.filter(operator=operator), now=now)


def note_asked(*, question: SubscriberQuestion, now: dt.datetime) -> None:
    """Put the event of a new question on its way, if the operator wants to hear of it. In the caller's transaction."""
    data = {"check": question.number, "kind": str(question.kind), "answer_until": question.due_at.isoformat()}
    put_event(operator=question.operator, event=ASKED, data=data, now=now)


def put_event(*, operator: str, event: str, data: dict[str, Any], now: dt.datetime) -> CallbackDelivery | None:
    """Put an event on its way, if the operator wants to hear of it. In the caller's transaction."""
    callback = queries.callback_of(operator=operator)
    if callback is None or callback.stopped_at is not None:
        return None
    return OUTBOX.put(callback, event, data, now=now)


def send_test_event(*, operator: str, now: dt.datetime) -> CallbackDelivery | None:
    """An event that is about nothing, to see whether the callback works. None when there is none that works."""
    return put_event(operator=operator, event=TEST, data={}, now=now)


def deliver_due(*, now: dt.datetime, at_most: int = 40, timeout: float = hook.TIMEOUT) -> int:
    """Try the events that are due. Returns how many were tried."""
    return OUTBOX.deliver(now=now, at_most=at_most, timeout=timeout)


def _stopped(callback: Callback, now: dt.datetime) -> None:
    _record("stopped_callback", callback.operator, now, actor="clock", callback=str(callback.pk))
    notices.notify_stopped(callback.operator, place=callback.url, since=callback.failing_since or now, now=now)


OUTBOX = Outbox(
    webhooks=Callback,
    deliveries=CallbackDelivery,
    agent="Rahdari-callback/1",
    kept=dt.timedelta(days=14),
    stopped=_stopped,
    to=Q(),
)
