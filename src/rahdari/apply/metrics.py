"""Who is here without a registration, for a monitoring system, in Prometheus' text format (0.0.4): a number, nobody.

`docs/monitoring.md` says what each gauge means.
"""

import datetime as dt

from rahdari.web.metrics_access import exposition as in_text

from . import file_hold, pending


def exposition(*, now: dt.datetime) -> str:
    found = pending.held_without_a_registration(now)
    age = (now - found.oldest).total_seconds() if found.oldest is not None else 0.0
    return in_text(
        [
            (
                "held_without_registration",
                "Persons with an address here and nothing registered or applied for.",
                [({}, found.persons)],
            ),
            (
                "held_without_registration_seconds",
                "How long ago the first of these applications was closed.",
                [({}, age)],
            ),
            (
                "files_on_hold",
                "Closed files that an officer keeps though their time may be over.",
                [({}, file_hold.files_on_hold(now).count())],
            ),
        ]
    )
