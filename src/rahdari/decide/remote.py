"""People who work from home: what an officer sees of their lines, and which never come back."""

from typing import Any

from rahdari.address import format_block
from rahdari.db import together
from rahdari.register.models import Registration
from rahdari.remote import queries

never_restored = queries.ended_origins


def on_case(registration: Registration) -> together.Part:
    """How many the organisation told of, last; and lines by agreement: number, address, and since when. No name is
    known."""
    gateways, lines = queries.gateways_of(registration), queries.lines_of(registration)

    def shown() -> dict[str, Any]:
        standing = [(line, line.entry) for line in lines if line.stands and line.entry is not None]
        return {
            "remote_workers": gateways[0].workers if gateways else None,
            "home_lines": [(line.number, format_block(entry.block), line.agreed_at) for line, entry in standing],
        }

    return together.Part([gateways, lines], shown)
