"""How a registration stands, in the word that the pages go by. An end that the holder asked for is no blame."""

import datetime as dt

from rahdari.lease import queries as leases
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.register.rules import Standing

# The reason of the policy with the ground "request": the holder asked for the end.
AT_REQUEST = "X1"
ENDED = "ended"


def standing_of(registration: Registration, now: dt.datetime) -> str:
    """`valid`, `expired`, `ended` (at the holder's request) or `struck_out` (for any other reason)."""
    found = register.standing(registration, now)
    if found is Standing.STRUCK_OUT and registration.struck_out_code == AT_REQUEST:
        return ENDED
    return str(found)


def addresses_of(registration: Registration) -> int:
    """How many addresses it is for now. One that its holder left is listed a while longer, and is not one more."""
    standing = list(register.endpoints_among(register.own_entries_of(registration).filter(ended_at__isnull=True)))
    leased = leases.leased_among([entry for entry in standing if entry.kind == "dynamic"])
    return sum(
        entry.pk in leased if entry.kind == "dynamic" else entry.valid_until >= registration.stays_until
        for entry in standing
    )
