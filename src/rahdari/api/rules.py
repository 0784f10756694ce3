"""Scopes, limits and times of the applicants' API. Pure."""

import datetime as dt
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
    MEASUREMENTS_MANAGE = "measurements:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"


# -- tokens --------------------------------------------------------------------------------------------------------

DAYS = (30, 90, 365)
# A token may ask so often; what is not used comes back evenly.
RATE, PER = 300, 60
# Whoever shows no token that counts, by address.
UNKNOWN_RATE = 60
A_PAGE, LARGEST_PAGE = 20, 100

# -- webhooks ------------------------------------------------------------------------------------------------------

MOST_WEBHOOKS = 5
DELIVERIES_KEPT = dt.timedelta(days=30)
