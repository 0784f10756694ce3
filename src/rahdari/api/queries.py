"""Reads of tokens, kept answers and webhooks. A person reaches their own and nobody else's."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from rahdari.errors import RahdariError
from rahdari.journal.models import JournalEntry as Row
from rahdari.people.models import User
from rahdari.programs import tokens

from .models import AccessToken, RowHeardAhead, Webhook, WebhookDelivery


def token_shown(text: str, *, now: dt.datetime) -> AccessToken | None:
    """The token that a program shows, while it counts and its owner's account is open."""
    return tokens.shown(AccessToken.objects.filter(owner__is_active=True).select_related("owner"), text, now=now)


def tokens_of(owner: User, *, now: dt.datetime) -> QuerySet[AccessToken]:
    """Those that count, the newest first."""
    return tokens.live(AccessToken.objects.filter(owner=owner), now=now)


# -- webhooks ------------------------------------------------------------------------------------------------------


class WebhookNotFound(RahdariError):
    """There is no such webhook, or it is not yours. `.id` is what was asked for."""

    says = "{id}"
    id: uuid.UUID


def webhooks_of(owner: User) -> QuerySet[Webhook]:
    return Webhook.objects.filter(owner=owner, ended_at__isnull=True).order_by("-made_at", "id")


def webhook_of(owner: User, id: uuid.UUID) -> Webhook:
    """Raises WebhookNotFound."""
    found = webhooks_of(owner).filter(pk=id).first()
    if found is None:
        raise WebhookNotFound(id)
    return found


def webhooks_that_listen(owners: Iterable[User], event: str) -> list[Webhook]:
    found = Webhook.objects.filter(owner__in=list(owners), ended_at__isnull=True, stopped_at__isnull=True)
    return [each for each in found.order_by("made_at", "id") if not each.events or event in each.events]


def anybody_listens() -> bool:
    return Webhook.objects.filter(ended_at__isnull=True, stopped_at__isnull=True).exists()


def deliveries_of(webhook: Webhook) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(webhook=webhook).order_by("-made_at", "id")


def delivery_of(webhook: Webhook, id: uuid.UUID) -> WebhookDelivery | None:
    return WebhookDelivery.objects.filter(webhook=webhook, pk=id).first()


def not_heard(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Of these rows of the journal, those that were not heard yet."""
    return rows.filter(~Exists(RowHeardAhead.objects.filter(row=OuterRef("pk"))))
