"""How many addresses were listed before their papers came, on the page that says how the service stands.

As of complaints: whole months that are over, nothing where they were few, each rounded, so that one more or less is
not seen.
"""

import datetime as dt

from rahdari.complaint.figures import FEWEST, months
from rahdari.figures.protection import rounded
from rahdari.urgent import queries


def on_status(now: dt.datetime) -> dict[str, object]:
    if queries.terms() is None:
        return {}
    found = queries.counts(*months(now))
    shown = found["given"] >= FEWEST
    return {"urgent": {"is_shown": shown} | ({name: rounded(count) for name, count in found.items()} if shown else {})}
