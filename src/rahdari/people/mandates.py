"""Mandates of agents. Reached through `actions`.

A mandate is an organisation's word: only somebody who may say who belongs to it gives one, and takes it back at any
moment. The agent accepts it with the address that it was offered to. No name and no address goes into the journal.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from rahdari.journal import actions as journal
from rahdari.vault import index
from rahdari.web import limits

from . import queries
from .models import Language, Mandate, Organisation, User, normalise_email
from .rules import Scope
from .told_contacts import tell_contact_later

OFFERED_FOR = dt.timedelta(days=14)
# Letters that one mailbox gets in a day in the name of organisations that were never registered, whoever sends them.
MOST_TO_ONE, A_DAY = 3, 24 * 3600


class MandateNotOffered(Exception):
    """There is no such offer for this person, or it is over: nobody learns which."""


def _record(act: str, mandate: Mandate, *, actor: str, now: dt.datetime) -> None:
    subject, detail = f"organisation:{mandate.organisation_id}", {"mandate": str(mandate), "scope": mandate.scope}
    journal.record(act=act, actor=actor, subject=subject, now=now, detail=detail)


def allow_letter(organisation: Organisation, email: str) -> bool:
    """Count an invitation or offer to this mailbox. False: it had its letters of today from organisations that anybody
    may have made, and what is asked stands in its account alone. Whoever asks is not told, and has other limits."""
    if queries.was_registered(organisation):
        return True
    return limits.allow(f"people.letters_to:{index.blind('people.letters_to', email)}", rate=MOST_TO_ONE, per=A_DAY)


@transaction.atomic
def give_mandate(
    *,
    organisation: Organisation,
    email: str,
    agent_name: str,
    scope: str,
    services: Iterable[str] = (),
    valid_until: dt.datetime,
    actor: str,
    now: dt.datetime,
    language: str = Language.ENGLISH,
) -> Mandate:
    """Offer an address to act for the organisation until that time, and write to it, with who offers. `services` are
    keys; none: all."""
    mandate = Mandate.objects.create(
        organisation=organisation,
        email=normalise_email(email),
        agent_name=agent_name,
        scope=Scope(scope).value,
        services=" ".join(services),
        given_at=now,
        valid_until=valid_until,
    )
    _record("people.gave_mandate", mandate, actor=actor, now=now)
    if allow_letter(organisation, mandate.email):
        import_string(settings.MANDATE_LETTER)(
            email=mandate.email,
            language=language,
            organisation=organisation.name,
            by=giver.email if (giver := queries.person_by_actor(actor)) is not None else "",
            is_registered=queries.was_registered(organisation),
            until=min(now + OFFERED_FOR, valid_until),
            now=now,
        )
    return mandate


@transaction.atomic
def accept_mandate(*, user: User, mandate: Mandate, actor: str, now: dt.datetime) -> Mandate:
    """Raises MandateNotOffered. Accepting twice changes nothing."""
    row = Mandate.objects.select_for_update().get(pk=mandate.pk)
    if row.agent_id == user.pk and row.ended_at is None:
        return row
    if not queries.mandates_offered_to(user, now).filter(pk=row.pk).exists():
        raise MandateNotOffered
    row.agent, row.accepted_at = user, now
    row.save(update_fields=["agent", "accepted_at"])
    _record("people.accepted_mandate", row, actor=actor, now=now)
    tell_contact_later(organisation=row.organisation, now=now)
    return row


@transaction.atomic
def end_mandate(*, mandate: Mandate, actor: str, now: dt.datetime) -> Mandate:
    """Take it back, decline it or give it up: from now on nothing is done by it. Doing it twice changes nothing.

    Of an offer that nobody accepted the address is not kept.
    """
    row = Mandate.objects.select_for_update().get(pk=mandate.pk)
    if row.ended_at is None:
        row.ended_at = now
        row.email = row.email if row.accepted_at is not None else ""
        row.save(update_fields=["ended_at", "email", "email_index"])
        _record("people.ended_mandate", row, actor=actor, now=now)
    return row


@transaction.atomic
def note_former_agent(*, user: User, holder: uuid.UUID, subject: str, now: dt.datetime) -> bool:
    """Somebody tried something with what is the organisation's (`subject`) after their mandate had ended: nothing of it
    was done, and its owners hear of it, once for a mandate. Returns whether that is new."""
    mandate = queries.ended_mandate(user, holder)
    if mandate is None:
        return False
    if not import_string(settings.FORMER_AGENT_LETTER)(mandate=mandate, now=now):
        return False
    detail = {"mandate": str(mandate)}
    journal.record(
        act="people.tried_without_mandate", actor=f"person:{user.pk}", subject=subject, now=now, detail=detail
    )
    return True


def forget_offers(*, now: dt.datetime) -> int:
    """Delete the addresses of offers that nobody accepted in their time. Returns how many."""
    return queries.mandates_that_lapsed(now).update(email="", email_index="")
