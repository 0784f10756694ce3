"""Webhooks: where news goes, its secret, a test, and what became of each event."""

import uuid

from django.utils.translation import gettext as _

from rahdari.programs import webhooks as programs_webhooks
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, error, impossible, not_found, not_taken
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text, whole

from . import queries, webhook_delivery
from .applications import after_cursor
from .events import EVENTS, TEST
from .interface import API, PAGE, Call
from .models import Webhook, WebhookDelivery
from .rules import Scope
from .serializers import page_of, stamp, stamp_or_none

manage = API.part("webhooks", Scope.WEBHOOKS_MANAGE)
ONE = "/webhooks/{id}"
ASKED = closed({"url": text(500, 1)}, {"events": listed(choice(*EVENTS), len(EVENTS))})
WEBHOOK = named(
    "Webhook",
    closed(
        {
            "id": text(36),
            "url": text(500),
            "events": listed(choice(*EVENTS)),
            "state": choice("working", "failing", "stopped"),
            "made_at": MOMENT,
            "failing_since": or_null(MOMENT),
            "stopped_at": or_null(MOMENT),
        }
    ),
)
WITH_SECRET = named("WebhookWithSecret", closed({"webhook": WEBHOOK, "secret": text(200)}))
DELIVERY = named(
    "WebhookDelivery",
    closed(
        {
            "id": text(36),
            "type": choice(*EVENTS, TEST),
            "data": {"type": "object"},
            "made_at": MOMENT,
            "tries": whole(0, 100),
            "next_at": or_null(MOMENT),
            "delivered_at": or_null(MOMENT),
            "finding": text(30),
            "status": or_null(whole(100, 599)),
        }
    ),
)


def _webhook(row: Webhook) -> Json:
    return {
        "id": str(row.pk),
        "url": row.url,
        "events": row.events,
        "state": row.state,
        "made_at": stamp(row.made_at),
        "failing_since": stamp_or_none(row.failing_since),
        "stopped_at": stamp_or_none(row.stopped_at),
    }


def _delivery(row: WebhookDelivery) -> Json:
    return {
        "id": str(row.pk),
        "type": row.event,
        "data": row.data,
        "made_at": stamp(row.made_at),
        "tries": row.tries,
        "next_at": stamp_or_none(row.next_at),
        "delivered_at": stamp_or_none(row.delivered_at),
        "finding": row.finding,
        "status": row.status,
    }


@manage("GET", "/webhooks", Ok("All of them.", closed({"items": listed(WEBHOOK)})))
def list_webhooks(call: Call) -> Answer:
    """List your webhooks."""
    return Answer({"items": [_webhook(each) for each in queries.webhooks_of(call.person)]})


@manage(
    "POST",
    "/webhooks",
    Ok("The webhook, and the secret that signs what it gets: shown here only.", WITH_SECRET, 201),
    body=ASKED,
    problems=REFUSED,
)
def make_webhook(call: Call) -> Answer:
    """Make a webhook.

    `url` is an https address of a public host. Without `events` it hears of everything.
    """
    try:
        made, secret = webhook_delivery.make_webhook(
            owner=call.person,
            url=call.body["url"],
            events=call.body.get("events", []),
            now=call.now,
            id=call.id,
        )
    except webhook_delivery.TooManyWebhooks:
        raise impossible("too_many_webhooks", _("You have reached the limit. Revoke one first.")) from None
    except programs_webhooks.PlaceNotTaken as found:
        raise _place(found) from None
    return Answer({"webhook": _webhook(made), "secret": secret}, 201)


def _hold_working(row: Webhook) -> None:
    if row.stopped_at is not None:
        raise impossible("stopped", _("This webhook is stopped. Change it first, then it starts again."))


def _place(found: programs_webhooks.PlaceNotTaken) -> Exception:
    words = _("Give an https address of a public host, on port 443 or 8443, without a user name.")
    return not_taken([error("/url", str(found.outcome), words)])


@manage("GET", ONE, Ok("The webhook.", WEBHOOK))
def get_webhook(call: Call, id: uuid.UUID) -> Answer:
    """Read a webhook.

    `failing` when the last events did not arrive; `stopped` after five days of that, or when it answered 410.
    """
    return Answer(_webhook(queries.webhook_of(call.person, id)))


@manage("PUT", ONE, Ok("The webhook.", WEBHOOK), body=ASKED, problems=("not-taken",))
def change_webhook(call: Call, id: uuid.UUID) -> Answer:
    """Change a webhook, or let a stopped one go on."""
    row = queries.webhook_of(call.person, id)
    try:
        changed = webhook_delivery.change_webhook(
            webhook=row, url=call.body["url"], events=call.body.get("events", []), now=call.now
        )
    except programs_webhooks.PlaceNotTaken as found:
        raise _place(found) from None
    return Answer(_webhook(changed))


@manage("DELETE", ONE, Ok("It is ended.", status=204))
def end_webhook(call: Call, id: uuid.UUID) -> Answer:
    """End a webhook."""
    webhook_delivery.end_webhook(webhook=queries.webhook_of(call.person, id), now=call.now)
    return Answer(status=204)


@manage(
    "POST",
    f"{ONE}/secret",
    Ok("The new secret. For 24 hours events carry a signature by the old one too.", WITH_SECRET, 201),
)
def change_webhook_secret(call: Call, id: uuid.UUID) -> Answer:
    """Change its secret."""
    row = queries.webhook_of(call.person, id)
    secret = webhook_delivery.change_secret(webhook=row, now=call.now)
    return Answer({"webhook": _webhook(row), "secret": secret}, 201)


@manage("POST", f"{ONE}/test", Ok("The event is on its way.", DELIVERY, 202), problems=IMPOSSIBLE)
def test_webhook(call: Call, id: uuid.UUID) -> Answer:
    """Send it a test event."""
    row = queries.webhook_of(call.person, id)
    _hold_working(row)
    return Answer(_delivery(webhook_delivery.send_test(webhook=row, now=call.now, id=call.id)), 202)


@manage(
    "GET",
    f"{ONE}/deliveries",
    Ok("A page, the newest first. They are kept for 30 days.", page_of(DELIVERY)),
    query=PAGE,
)
def list_deliveries(call: Call, id: uuid.UUID) -> Answer:
    """What became of its events."""
    found = queries.deliveries_of(queries.webhook_of(call.person, id))
    rows, following = after_cursor(found, call, "made_at")
    return Answer({"items": [_delivery(each) for each in rows], "next": following})


@manage(
    "POST",
    f"{ONE}/deliveries/{{delivery}}/redeliver",
    Ok("It is on its way again, under its own id.", DELIVERY, 202),
    problems=IMPOSSIBLE,
)
def redeliver(call: Call, id: uuid.UUID, delivery: uuid.UUID) -> Answer:
    """Send an event again."""
    row = queries.webhook_of(call.person, id)
    found = queries.delivery_of(row, delivery)
    if found is None:
        raise not_found()
    _hold_working(row)
    return Answer(_delivery(webhook_delivery.resend(delivery=found, now=call.now)), 202)
