"""Changing addresses for a monitoring system, in Prometheus' text format (0.0.4). No address and no person is in it.

`docs/monitoring.md` says what each gauge means.
"""

import datetime as dt

from rahdari.web.metrics_access import exposition as in_text

from . import queries


def exposition(*, now: dt.datetime) -> str:
    found = queries.counts(now=now)
    age = (now - found.last_report).total_seconds() if found.last_report is not None else 0.0
    states = {"reporting": found.reporting, "silent": found.silent, "off": found.off, "paused": found.paused}
    return in_text(
        [
            (
                "dyndns_connections",
                "Registered connections whose address changes, by how they stand.",
                [({"state": state}, count) for state, count in states.items()],
            ),
            ("dyndns_last_report_seconds", "How long ago the last report of any of them came.", [({}, age)]),
        ]
    )
