"""Associations: what they have said of a person, and the desk of whoever attests."""

import datetime as dt

from rahdari.attest import queries as attestations
from rahdari.people import queries as people
from rahdari.people.models import User


def desk_of(user: User) -> str:
    return "attest:members" if people.association_of(user) is not None else ""


def on_home(user: User, now: dt.datetime) -> dict[str, object]:
    return {"revoked": attestations.may_be_objected_to(user), "is_attested": attestations.theirs(user).exists()}
