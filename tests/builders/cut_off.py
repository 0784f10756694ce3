"""Holders who are cut off, and officers who hear them, through the acts. Samples only."""

import datetime as dt
import ipaddress
import itertools
import re
import uuid
from typing import Any

from django.db import connection
from django.utils import timezone

from rahdari.people.acting import Acting
from rahdari.people.models import User
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from rahdari.sms import numbers
from rahdari.sms.models import Message
from rahdari.urgent import actions, queries
from rahdari.urgent.models import UrgentEntry

from . import story
from .addresses import an_address

NUMBER, OTHER_NUMBER = "+923001112233", "+923331112244"
NEW, ELSEWHERE = "203.0.113.251", "198.51.100.251"
LONG_AGO = dt.timedelta(days=40)
_numbers = itertools.count(4_440_001)


def with_number(user: User, number: str = NUMBER, *, since: dt.datetime | None = None) -> User:
    """A number that was confirmed long ago; `since` when it was not."""
    at = since or timezone.now() - LONG_AGO
    numbers.ask_for_number(user=user, number=number, network="192.0.2.9", language="en", now=at)
    numbers.confirm_number(user=user, code=code_to(user, number=number), now=at)
    return user


def with_one_number(*users: User) -> None:
    """Accounts of one person: each confirms the same number, which nobody else has."""
    number = f"+92300{next(_numbers)}"
    for each in users:
        with_number(each, number)


def code_to(user: User, **which: str) -> str:
    """What it is stands in the SMS alone."""
    sent = Message.objects.filter(person=user.pk).order_by("-written_at")
    text = next(each.text for each in sent if all(getattr(each, name) == value for name, value in which.items()))
    return next(line for line in text.split("\n") if re.fullmatch(r"\d{6}", line))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def a_holder(language: str = "en", number: str = NUMBER) -> tuple[User, Registration]:
    """Of a registration alone: what it was applied with is in nobody's way."""
    user, now = with_number(story.a_person(language), number), timezone.now()
    address = ipaddress.ip_network(an_address())
    found = register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=user.holder_ref,
        category="vpn_freelancer",
        endpoints=[NewEntry(f"endpoint:{uuid.uuid4()}", address, "udp", 51820, 64500)],
        valid_from=now - LONG_AGO,
        valid_until=now + dt.timedelta(days=300),
        actor="system:test",
        now=now - LONG_AGO,
    )
    return user, found


def a_granted_holder(language: str = "en", number: str = NUMBER) -> tuple[User, Registration]:
    user = with_number(story.a_person(language), number)
    return user, story.registration_of(story.a_granted_application(user))


def ask(user: User, found: Registration, address: str = NEW, *, now: dt.datetime | None = None) -> UrgentEntry:
    return actions.ask(
        registration=found,
        by=Acting(user),
        cut_off=queries.endpoints_of(found)[0],
        block=ipaddress.ip_network(address),
        network="192.0.2.1",
        language="en",
        now=now or timezone.now(),
    )


def given(user: User, found: Registration, address: str = NEW, *, now: dt.datetime | None = None) -> UrgentEntry:
    at = now or timezone.now()
    row = ask(user, found, address, now=at)
    return actions.enter_code(row=row, code=code_to(user), now=at)


def an_officer(**more: Any) -> User:
    """In office long enough to agree to what another one began."""
    return story.an_officer("Sample Officer", now=timezone.now() - LONG_AGO, **more)


def a_call(user: User, found: Registration, officer: User, address: str = NEW) -> UrgentEntry:
    return actions.open_call(
        registration=found,
        officer=officer,
        person=user,
        cut_off=queries.endpoints_of(found)[0],
        block=ipaddress.ip_network(address),
        now=timezone.now(),
    )


def heard(user: User, found: Registration, officer: User, address: str = NEW) -> UrgentEntry:
    row = a_call(user, found, officer, address)
    return actions.hear_code(row=row, officer=officer, code=code_to(user), now=timezone.now())


def another_hour() -> None:
    """Codes may go out again."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_allowance")
