"""Scopes, limits and times of the applicants' API. Pure."""

import datetime as dt
import uuid
from enum import StrEnum

PREFIX = "rahdari_api"


class Scope(StrEnum):
    """What a token may do. Reading and writing are apart; `write` does not contain `read`."""

    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_WRITE = "applications:write"
    ENDPOINTS_PROVE = "endpoints:prove"
    REGISTRATIONS_READ = "registrations:read"
    REGISTRATIONS_WRITE = "registrations:write"
    REGISTRATIONS_END = "registrations:end"
    INVOICES_READ = "invoices:read"
    LETTERS_READ = "letters:read"
    ORGANISATIONS_READ = "organisations:read"
    ORGANISATIONS_WRITE = "organisations:write"
    MANDATES_MANAGE = "mandates:manage"
    SHARING_MANAGE = "sharing:manage"
    REMOTE_MANAGE = "remote:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"


# -- tokens --------------------------------------------------------------------------------------------------------

MOST_TOKENS = 10
DAYS = (30, 90, 365)
# A token may ask so often; what is not used comes back evenly.
RATE, PER = 300, 60
# Whoever shows no token that counts, by address.
UNKNOWN_RATE, UNKNOWN_PER = 60, 60
A_PAGE, LARGEST_PAGE = 20, 100

# -- webhooks ------------------------------------------------------------------------------------------------------

MOST_WEBHOOKS = 5
# Both secrets sign for so long, after a change.
SECRETS_OVERLAP = dt.timedelta(hours=24)
# Nothing arrived for so long: nothing is sent any more, and the person is told.
STOPPED_AFTER = dt.timedelta(days=5)
DELIVERIES_KEPT = dt.timedelta(days=30)
# A row of the journal is visible at the latest so long after its time: no transaction of ours is longer.
COMMITTED_WITHIN = dt.timedelta(hours=1)
MOVED_EVERY = dt.timedelta(minutes=1)
JITTER_PERCENT = 20
# The other side says that it wants nothing any more.
GONE = 410


def pause(pauses: tuple[dt.timedelta, ...], *, tries: int, id: uuid.UUID) -> dt.timedelta | None:
    """How long to wait after so many tries; None: no more. Each event waits a little differently, so that a server that
    comes back is not met by all of them at once.
    """
    if tries > len(pauses):
        return None
    share = (id.int + tries * 7919) % (JITTER_PERCENT * 10 + 1)
    return pauses[tries - 1] * (1 + share / 1000)
