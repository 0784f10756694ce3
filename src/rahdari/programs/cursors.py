"""Where a list goes on: the time and the id of the last row that was given out, as one opaque text."""

import base64
import datetime as dt
import uuid


def write(at: dt.datetime, id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {id}".encode()).decode().rstrip("=")


def read(cursor: str) -> tuple[dt.datetime, uuid.UUID]:
    """Raises ValueError for what was not given out by us."""
    text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    moment, _, id = text.partition(" ")
    at = dt.datetime.fromisoformat(moment)
    if at.tzinfo is None:
        raise ValueError(cursor)
    return at, uuid.UUID(id)
