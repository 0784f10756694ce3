"""How a registration stands, in the word that the pages go by. An end that the holder asked for is no blame."""

import datetime as dt

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
