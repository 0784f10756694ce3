"""The part of the doctor that looks at the measuring of endpoints: whether it runs, and whether it says anything."""

import datetime as dt
from collections.abc import Iterator

from rahdari.ops.checks import OK, WRONG, Finding

LATE = dt.timedelta(hours=2)


def check_watch() -> Iterator[Finding]:
    from django.utils import timezone

    from rahdari.watch import queries

    found = queries.figures(timezone.now())
    if not found["consents"]:
        return
    agreed = f"{found['consents']} endpoints may be measured"
    if found["last_at"] is None or timezone.now() - found["last_at"] > LATE:
        yield Finding(WRONG, "measuring", f"{agreed}, and none is. Start `rahdari watch run`; docs/continuity.md.")
    elif found["failed"]:
        text = f"{agreed}, and no place reaches our own control endpoint: nothing is said of anybody."
        yield Finding(WRONG, "measuring", f"{text} Look at RAHDARI_WATCH_CONTROL and `rahdari vantage list`.")
    else:
        yield Finding(OK, "measuring", f"{agreed}, the last at {found['last_at']:%Y-%m-%d %H:%M} UTC")
