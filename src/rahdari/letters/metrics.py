"""Letters and short messages for a monitoring system, in Prometheus' text format (0.0.4). No person is in it.

`docs/monitoring.md` says what each gauge means.
"""

import datetime as dt
from collections.abc import Mapping

from rahdari.delivery import provider_health
from rahdari.people import queries as people
from rahdari.web.metrics_access import exposition as in_text

from . import queries

RECENT = dt.timedelta(days=1)


def exposition(*, now: dt.datetime) -> str:
    ages = {
        channel: (now - at).total_seconds() if at else 0.0 for channel, at in queries.oldest_waiting(now=now).items()
    }
    failed = queries.given_up(since=now - RECENT)
    carriers = list(provider_health.all_of_them())
    failures = {one.name: one.failures for one in carriers}
    rests = {one.name: int(one.rests_until is not None and one.rests_until > now) for one in carriers}
    waiting = queries.waiting(now=now)
    labelled: list[tuple[str, str, str, Mapping[str, float]]] = [
        ("letters_waiting", "Letters and notes that are to go out now.", "channel", waiting),
        ("letters_oldest_seconds", "For how long the oldest of them has waited.", "channel", ages),
        ("letters_given_up", "Given up in the last 24 hours.", "channel", failed),
        ("carrier_failures", "Failures in a row of who carries them.", "carrier", failures),
        ("carrier_rests", "Whether it is left alone for a while after them.", "carrier", rests),
        (
            "wrong_codes",
            "Wrong codes typed of late; they fade within a day.",
            "code",
            {"sign_in": round(people.wrong_codes_lately())},
        ),
    ]
    return in_text(
        (name, about, [({label: key}, value) for key, value in samples.items()])
        for name, about, label, samples in labelled
    )
