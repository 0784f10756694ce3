"""Reads of what was listed before its papers. `call_for_officer` and `registration_for_officer` are the gatekeepers of
the desk: each puts the read on record.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet

from rahdari import policy
from rahdari.apply import subjects
from rahdari.decide import remedies
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.access import actor_of
from rahdari.people.models import Role, User
from rahdari.people.rules import Act
from rahdari.policy import Urgent
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.sms import queries as sms

from . import rules
from .models import UrgentEntry
from .rules import State, Way, Why

# Who of an organisation may do it: whoever may say which addresses it has.
MAY = Act.ADDRESSES


class NotFound(RahdariError):
    """There is no such call or registration for this officer: nobody learns why. `.id` as asked for."""

    says = "{id}"
    id: str


def terms() -> Urgent | None:
    """None under rules that offer none, and in production while their code is not confirmed by the law officer."""
    rules_in_force = policy.current(settings.POLICY_FILE)
    found = rules_in_force.urgent
    if found is None or not rules_in_force.reasons[found.reason].usable(settings.REASONS_TO_CONFIRM_ALLOWED):
        return None
    return found


# -- who may ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnFile:
    """A mobile number by which a holder is known, and since when."""

    person: User
    number: str
    since: dt.datetime

    @property
    def masked(self) -> str:
        """Its end, by which its owner knows it."""
        return f"…{self.number[-3:]}"


def number_of(person: User, registration: Registration) -> OnFile | None:
    """The number that this person confirmed. Where no SMS goes out and none was, the one of the application that led to
    the registration, if they sent it: an officer calls it."""
    kept = sms.contact_number(person)
    if kept is not None and kept.confirmed_at is not None:
        return OnFile(person, kept.number, kept.confirmed_at)
    if sms.is_set_up():
        return None
    granted = subjects.last_granted_for(registration)
    if granted is None or granted.applicant_id != person.pk or not granted.contact_mobile or granted.closed_at is None:
        return None
    return OnFile(person, granted.contact_mobile, granted.closed_at)


def numbers_on_file(registration: Registration) -> list[OnFile]:
    """Those of everybody who may ask for this holder."""
    found = (number_of(each, registration) for each in people.people_to_notify(registration.holder, MAY))
    return [each for each in found if each is not None]


def endpoints_of(registration: Registration) -> list[Entry]:
    """The addresses in the place of which another may be listed; none is of somebody at home."""
    own = register.own_entries_of(registration).filter(ended_at__isnull=True, part_of__isnull=True)
    return list(own.exclude(origin__startswith="urgent:").order_by("valid_from", "id"))


def cannot(
    registration: Registration, person: User | None, now: dt.datetime, *, besides: UrgentEntry | None = None
) -> rules.Cannot | None:
    """Why this person cannot ask for it now; None: they can. Without a person: why nobody can. `besides`: the one that
    is about to be listed."""
    on_file = number_of(person, registration) if person is not None else None
    since = on_file.since if on_file is not None else None
    if person is None:
        since = min((each.since for each in numbers_on_file(registration)), default=None)
    members = people.memberships_of(person) if person is not None else None
    member = members.filter(organisation__holder_ref=registration.holder).first() if members is not None else None
    lately = _others(registration, besides).filter(known_at__gt=now - rules.A_YEAR)
    facts = rules.Facts(
        standing=register.standing(registration, now),
        is_provisional=registration.is_provisional,
        is_proposed=remedies.notice_about(registration) is not None,
        has_address=bool(endpoints_of(registration)),
        number_since=since,
        member_since=member.joined_at if member is not None else None,
        has_open=_others(registration, besides).filter(state__in=[State.SPOKEN, State.GIVEN]).exists(),
        in_year=lately.filter(given_at__isnull=False).count(),
        refused_in_year=lately.filter(why=Why.NOT_THIS_WAY).count(),
    )
    return rules.cannot(facts, terms(), now)


def counts_from(registration: Registration, person: User | None, now: dt.datetime) -> dt.datetime | None:
    """From when on the number on file, or one that is confirmed now, is old enough, and the membership too; None where
    these rules list nothing. Without a person: the first number of anybody who may ask for this holder."""
    if (in_force := terms()) is None:
        return None
    found = [number_of(person, registration)] if person is not None else numbers_on_file(registration)
    since = min((each.since for each in found if each is not None), default=now)
    members = people.memberships_of(person) if person is not None else None
    member = members.filter(organisation__holder_ref=registration.holder).first() if members is not None else None
    return max(since, member.joined_at if member is not None else since) + in_force.known_for


def _others(registration: Registration, besides: UrgentEntry | None) -> QuerySet[UrgentEntry]:
    """Of the same holder."""
    found = UrgentEntry.objects.filter(holder=registration.holder)
    return found if besides is None else found.exclude(pk=besides.pk)


# -- of a holder ------------------------------------------------------------------------------------------------------


def open_of(holder: uuid.UUID) -> UrgentEntry | None:
    return UrgentEntry.objects.filter(holder=holder, closed_at__isnull=True).select_related("entry", "person").first()


def last_of(registration: Registration) -> UrgentEntry | None:
    return UrgentEntry.objects.filter(registration=registration).select_related("entry").order_by("-asked_at").first()


def is_running(found: UrgentEntry, now: dt.datetime) -> bool:
    """Whether its minutes are not over: of the code, of the call, of the second officer."""
    ends = found.second_by if found.state == State.SPOKEN else found.code_until
    return found.state == State.GIVEN or (found.closed_at is None and ends is not None and now < ends)


# -- for the desk -----------------------------------------------------------------------------------------------------


def waiting(now: dt.datetime) -> QuerySet[UrgentEntry]:
    """What a second officer is to agree to, those that run out first in front."""
    found = UrgentEntry.objects.filter(state=State.SPOKEN, second_by__gt=now)
    return found.select_related("registration", "opened_by").order_by("second_by", "id")


def is_theirs(officer: User, *, holder: uuid.UUID, person: User | None = None) -> bool:
    """Whether the officer is, or acts for, the holder, or has the number."""
    return _asked("SELECT urgent_is_theirs(%s, %s, %s)", officer.pk, holder, person.pk if person is not None else None)


def _asked(statement: str, *values: uuid.UUID | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return bool(cursor.fetchone()[0])


def registration_for_officer(*, officer: User, reference: str, now: dt.datetime) -> Registration:
    """A registration whose holder is on the telephone, with the read on record. Raises NotFound."""
    found = register.registration_by_reference(reference)
    if found is None or not people.is_officer(officer) or is_theirs(officer, holder=found.holder):
        raise NotFound(reference)
    _record_read("urgent.read_registration", found.pk, officer, now)
    return found


def call_for_officer(*, officer: User, id: uuid.UUID, now: dt.datetime) -> UrgentEntry:
    """A call, with the read on record. Raises NotFound."""
    calls = UrgentEntry.objects.exclude(way=Way.PAGE)
    found = calls.filter(pk=id).select_related("registration", "opened_by", "person", "cut_off", "entry").first()
    if found is None or not people.is_officer(officer) or is_theirs(officer, holder=found.holder, person=found.person):
        raise NotFound(str(id))
    is_number = found.way == Way.CALL and found.state == State.ASKED and found.opened_by_id == officer.pk
    _record_read("urgent.read_number" if is_number else "urgent.read_call", found.registration_id, officer, now)
    return found


def _record_read(act: str, registration: uuid.UUID, officer: User, now: dt.datetime) -> None:
    journal.record(
        act=act, actor=actor_of(officer, Role.OFFICER), subject=f"registration:{registration}", now=now, reason="urgent"
    )


# -- for the workflow -------------------------------------------------------------------------------------------------


def ran_out(now: dt.datetime) -> QuerySet[UrgentEntry]:
    """Begun and not finished in their minutes."""
    asked = Q(state=State.ASKED, code_until__lte=now)
    found = UrgentEntry.objects.filter(asked | Q(state=State.SPOKEN, second_by__lte=now), closed_at=None)
    return found.order_by("asked_at", "id")


def to_settle() -> QuerySet[UrgentEntry]:
    """Given ones whose papers came, or that ended."""
    given = UrgentEntry.objects.filter(state=State.GIVEN)
    found = given.filter(Q(entry__ended_at__isnull=False) | Q(entry__valid_until__gt=F("until")))
    return found.select_related("entry", "registration").order_by("given_at", "id")


def ending_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[UrgentEntry]:
    """Given ones that end in [start, end), still without papers."""
    found = UrgentEntry.objects.filter(state=State.GIVEN, until__gte=start, until__lt=end, entry__ended_at__isnull=True)
    return found.filter(entry__valid_until=F("until")).select_related("entry", "registration").order_by("until", "id")
