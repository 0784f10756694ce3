"""Associations, their people and their members. Samples only."""

import datetime as dt
import itertools
from typing import Any

from django.utils import timezone

from rahdari.attest import attestations, rules
from rahdari.attest.models import Attestation
from rahdari.people import actions as people
from rahdari.people.models import Role, User

ASSOCIATION, OTHER = "sample-software-houses", "specimen-freelancers"
_numbers = itertools.count(1)
YEAR = dt.timedelta(days=365)


def a_secretary(association: str = ASSOCIATION, *, language: str = "en") -> User:
    """A person who attests for an association."""
    user = people.register_person(
        email=f"secretary-{next(_numbers)}@{association}.example", language=language, now=timezone.now()
    )
    facts = {"role": Role.ASSOCIATION, "association": association, "actor": "system:test", "now": timezone.now()}
    people.appoint(user=user, **facts)
    return user


def a_member(*, now: dt.datetime | None = None, **more: Any) -> rules.Member:
    number = next(_numbers)
    today = (now or timezone.now()).date()
    facts: dict[str, Any] = {
        "number": f"M-{number:05}",
        "name": f"Sample Freelancer {number}",
        "identifier": rules.Identifier("email", f"member-{number}@client.example"),
        "valid_from": today,
        "valid_until": today + YEAR,
    }
    return rules.Member(**facts | more)


def an_attestation(
    association: str = ASSOCIATION,
    *,
    claim: str = "freelancer",
    now: dt.datetime | None = None,
    **more: Any,
) -> Attestation:
    now = now or timezone.now()
    member = a_member(now=now, **more)
    found, _effect = attestations.attest(
        association=association, claim=claim, method="register", member=member, by="person:test", now=now
    )
    return found
