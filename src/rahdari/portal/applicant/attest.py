"""Associations: what they have said of a person, and the desk of whoever attests."""

import datetime as dt

from rahdari.attest import queries as attestations
from rahdari.db import together
from rahdari.people import queries as people
from rahdari.people.models import User


def desk_of(user: User) -> str:
    return "attest:members" if people.association_of(user) is not None else ""


def on_home(user: User, _now: dt.datetime) -> together.Part:
    revoked, theirs = attestations.may_be_objected_to(user), attestations.theirs(user)[:1]

    def shown() -> dict[str, object]:
        until = [(each, attestations.object_until(each.attestation)) for each in revoked]
        return {"revoked": until, "is_attested": bool(theirs)}

    return together.Part([revoked, theirs], shown)
