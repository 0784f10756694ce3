"""Connections and their tokens: made, replaced, paused, tied to a registration."""

import datetime as dt
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from rahdari.address import Part
from rahdari.archive.actions import Box
from rahdari.journal import actions as journal
from rahdari.register.models import Entry, Registration

from . import queries, rules
from .models import AddressClaim, DynamicHost, ReportedAddress, UpdateToken
from .rules import V6As

NAME_LETTERS = rules.LETTERS


@dataclass(frozen=True)
class NewToken:
    """A token as its holder sees it, this once."""

    text: str
    token: UpdateToken


def make_host(
    *,
    subject: str,
    holder: uuid.UUID,
    parts: Sequence[Part],
    actor: str,
    now: dt.datetime,
    v6_as: str = V6As.HOST,
) -> DynamicHost:
    """The connection of an endpoint. The same endpoint twice gives the same one; what is asked for may be new."""
    known = queries.host_by_subject(subject)
    if known is not None:
        if known.parts != tuple(parts) and known.registration_id is None:
            known.parts = tuple(parts)
            known.save(update_fields=["parts"])
        return known
    try:
        with transaction.atomic():
            host = DynamicHost.objects.create(
                name=_free_name(),
                subject=subject,
                holder=holder,
                parts=tuple(parts),
                v6_as=v6_as,
                made_at=now,
            )
            journal.record(act="dyndns.made_host", actor=actor, subject=host_subject(host), now=now)
    except IntegrityError:
        found = queries.host_by_subject(subject)  # two tabs at once: the other one was first
        if found is None:
            raise
        return found
    return host


def host_subject(host: DynamicHost) -> str:
    return f"host:{host.pk}"


def _free_name() -> str:
    while True:
        letters = "".join(secrets.choice(NAME_LETTERS) for _ in range(8))
        name = f"{letters[:4]}-{letters[4:]}"
        if not DynamicHost.objects.filter(name=name).exists():
            return name


@transaction.atomic
def make_token(
    *, host: DynamicHost, actor: str, now: dt.datetime, old_ends_in: dt.timedelta = dt.timedelta(0)
) -> NewToken:
    """A new token; those before it work for so long beside it, so that nothing is cut while a router is changed."""
    host = DynamicHost.objects.select_for_update().get(pk=host.pk)
    for old in queries.tokens_of(host, now=now):
        end = now + old_ends_in
        if old.ends_at is None or old.ends_at > end:
            old.ends_at = end
            old.save(update_fields=["ends_at"])
    plain = "".join(secrets.choice(rules.LETTERS) for _ in range(rules.TOKEN_GROUPS * rules.GROUP))
    token = UpdateToken.objects.create(host=host, index=queries.token_index(plain), tail=plain[-4:], made_at=now)
    journal.record(act="dyndns.made_token", actor=actor, subject=host_subject(host), now=now)
    groups = [plain[at : at + rules.GROUP] for at in range(0, len(plain), rules.GROUP)]
    return NewToken("-".join(groups), token)


@transaction.atomic
def choose_v6(*, host: DynamicHost, v6_as: str, actor: str, now: dt.datetime) -> DynamicHost:
    """What is registered of IPv6 from the next report on: the host, or the /64 of the line."""
    host = DynamicHost.objects.select_for_update().get(pk=host.pk)
    if host.v6_as != v6_as:
        host.v6_as = V6As(v6_as)
        host.save(update_fields=["v6_as"])
        journal.record(act="dyndns.chose_v6", actor=actor, subject=host_subject(host), now=now, detail={"as": v6_as})
    return host


@transaction.atomic
def pause(*, host: DynamicHost, until: dt.datetime | None, actor: str, now: dt.datetime) -> DynamicHost:
    """Write no letters while the holder is away; None ends the pause. The next report ends it too."""
    host = DynamicHost.objects.select_for_update().get(pk=host.pk)
    if host.paused_until != until:
        host.paused_until = until
        host.save(update_fields=["paused_until"])
        act = "dyndns.paused" if until is not None else "dyndns.went_on"
        journal.record(act=act, actor=actor, subject=host_subject(host), now=now)
    return host


@transaction.atomic
def tie(*, host: DynamicHost, registration: Registration, now: dt.datetime) -> DynamicHost:
    """The connection belongs to this registration from now on."""
    host = DynamicHost.objects.select_for_update().get(pk=host.pk)
    if host.registration_id != registration.pk or host.closed_at is not None:
        host.registration, host.closed_at = registration, None
        host.save(update_fields=["registration", "closed_at"])
    return host


def erase(*, hosts: Iterable[DynamicHost], box: Box) -> list[str]:
    """Connections of which nothing is registered any more, with their tokens and all that was reported. Gives the
    subjects of what was claimed, by which other rooms know it."""
    gone = list(hosts)
    box.take(gone)
    claims = [claim.subject for claim in AddressClaim.objects.filter(host__in=gone)]
    DynamicHost.objects.filter(pk__in=[host.pk for host in gone]).delete()
    return claims


@transaction.atomic
def close(*, host: DynamicHost, actor: str, now: dt.datetime) -> DynamicHost:
    """The connection is not registered any more: its reports are answered `nohost`."""
    host = DynamicHost.objects.select_for_update().get(pk=host.pk)
    if host.closed_at is None:
        host.closed_at = now
        host.save(update_fields=["closed_at"])
        journal.record(act="dyndns.closed", actor=actor, subject=host_subject(host), now=now)
    return host


def drop_closed(*, entry: Entry) -> None:
    """The entry of a connection that is closed goes, and what was its address with it."""
    ReportedAddress.objects.filter(entry=entry, host__closed_at__isnull=False).delete()
