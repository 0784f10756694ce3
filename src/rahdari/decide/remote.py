"""People who work from home: what an officer sees of their lines, and which never come back."""

from typing import Any

from rahdari.address import format_block
from rahdari.register.models import Registration
from rahdari.remote import queries

never_restored = queries.ended_origins


def on_case(registration: Registration) -> dict[str, Any]:
    """How many the organisation told of, last; and lines by agreement: number, address, and since when. No name is
    known."""
    gateway = queries.gateway_of(registration)
    return {
        "remote_workers": gateway.workers if gateway is not None else None,
        "home_lines": [
            (line.number, format_block(line.entry.block), line.agreed_at)
            for line in queries.lines_of(registration)
            if line.stands and line.entry is not None
        ],
    }
