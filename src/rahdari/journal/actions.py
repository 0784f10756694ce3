"""The one act of the journal."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from .models import Entry


def record(
    *,
    act: str,
    actor: str,
    subject: str,
    now: dt.datetime,
    reason: str = "",
    ground: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one row, in the caller's transaction: an act that is rolled back leaves no record, and the other way round.

    `act` is "<room>.<verb>", `actor` and `subject` are "<kind>:<id>" ("clock" stands alone). No personal data in
    `reason`, `ground` or `detail`.
    """
    Entry.objects.create(
        at=now, act=act, actor=actor, subject=subject, reason=reason, ground=ground, detail=dict(detail or {})
    )
