"""Registrations of whoever asks: which they reach and as whom, and something else that runs at an address of one."""

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rahdari.address import Endpoint
from rahdari.apply import form_errors
from rahdari.people import queries as people
from rahdari.people.acting import Acting, Reached
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.register import actions, changes, queries
from rahdari.register.models import Entry, Registration

# Every change is an edition for every operator.
CHANGES, PER_SECONDS = 20, 3600


class RegistrationNotFound(Exception):
    """There is none of this number, or none with which they may do this: the two are told apart by nothing."""


def acting_for(user: User, found: Registration, act: Act = Act.APPLY) -> Acting | None:
    """As whom this person may do this with a registration: the holder, by their role there, or by a mandate."""
    return people.acting_for(user, found.holder, act, service=found.category)


def may_act_for(user: User, found: Registration, act: Act = Act.APPLY) -> bool:
    return acting_for(user, found, act) is not None


def registration_for(user: User, reference: str, act: Act = Act.SEE) -> Reached[Registration]:
    """One that they see and with which they may do this, and as whom. The gatekeeper: raises RegistrationNotFound."""
    found = queries.registration_by_reference(reference)
    by = acting_for(user, found, act) if found is not None and may_act_for(user, found, Act.SEE) else None
    if found is None or by is None:
        raise RegistrationNotFound(reference)
    return Reached(found, by)


def seen_by(user: User) -> QuerySet[Registration]:
    """Theirs, those of organisations that they see by their role, and those that a mandate lets them see."""
    found = queries.registrations_of(holders=people.holders_for(user, Act.SEE))
    for mandate in people.mandates_in_force(user, Act.SEE):
        of_its = queries.registrations_of(holders=[mandate.organisation.holder_ref])
        found |= of_its.filter(category__in=mandate.services.split()) if mandate.services else of_its
    return found


def amend(row: Entry, asked: Endpoint, *, actor: str, now: dt.datetime) -> Endpoint | None:
    """Something else runs at an address. Returns what else of the holder's is in the way. Raises NotValid."""
    others = queries.overlapping_active(block=row.block).filter(holder=row.holder).exclude(pk=row.pk)
    found = (_endpoint(other) for other in others.exclude(part_of=row.pk))
    in_the_way: Endpoint | None = next((other for other in found if other.overlaps(asked)), None)
    if in_the_way is not None:
        return in_the_way
    try:
        actions.amend_entry(entry=row, block=row.block, parts=asked.parts, asn=row.asn, actor=actor, now=now)
    except changes.BlockAlreadyEntered as error:
        return _endpoint(error.entry) if error.entry is not None else asked
    return None


def registered_already(endpoint: Endpoint) -> str:
    words = _("You have registered this already: %(endpoint)s. Choose another protocol or port.")
    return words % {"endpoint": form_errors.isolated(form_errors.endpoint(endpoint))}


def _endpoint(row: Entry) -> Endpoint:
    return Endpoint(row.block, (row.part,))
