"""What the holder's own program says: one row a consent, the last word alone.

It says how long ago it looked, and not when: a clock that is off by hours does no harm.
"""

import datetime as dt

from rahdari.errors import RahdariError
from rahdari.probe import Outcome

from .models import Consent, Report

# What is older says nothing of now.
OLDEST = dt.timedelta(minutes=15)


class NotAgreedTo(RahdariError):
    """The holder did not agree that a program of theirs says this."""

    says = "{subject}"
    subject: str


def take(
    *,
    consent: Consent,
    outcome: Outcome,
    control: Outcome,
    latency_ms: int,
    sent: int,
    age: dt.timedelta,
    now: dt.datetime,
) -> bool:
    """Keep it in the place of the last one. False: it is too old to say anything. Raises NotAgreedTo."""
    if not consent.agent or consent.withdrawn_at is not None:
        raise NotAgreedTo(consent.subject)
    if age > OLDEST:
        return False
    seen = {"outcome": outcome.value, "control": control.value, "latency_ms": latency_ms, "sent": sent}
    Report.objects.update_or_create(consent=consent, defaults={"at": now - age, "received_at": now, **seen})
    return True
