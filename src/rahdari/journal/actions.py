"""The one act of the journal."""

import datetime as dt
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .models import LIST, Entry


class NotForTheJournal(ValueError):
    """An address stood in `detail`. `.act` says which act wrote it. The journal is kept for good, so it names none."""

    def __init__(self, act: str) -> None:
        super().__init__(f"{act}: the detail holds an address; write the id of its row instead")
        self.act = act


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
    `reason`, `ground` or `detail`: ids of rows alone. Raises NotForTheJournal for an address, but of an operator's own
    network.
    """
    if not subject.startswith("operator:") and any(map(_is_address, _texts(detail))):
        raise NotForTheJournal(act)
    Entry.objects.create(
        at=now, act=act, actor=actor, subject=subject, reason=reason, ground=ground, detail=dict(detail or {})
    )


def record_list(
    *, room: str, actor: str, where: str, reason: str, shown: Sequence[str], asked: Sequence[str] = (), now: dt.datetime
) -> None:
    """One page of a list was read: which subjects stood on it, and what was asked for, as keyed hashes. A page that
    shows nobody and asked for nothing is no look at anybody."""
    if shown or asked:
        detail = {"shown": list(shown), "asked": list(asked)}
        record(act=f"{room}.{LIST}", actor=actor, subject=where, now=now, reason=reason, detail=detail)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _is_address(text: str) -> bool:
    """Of email, or of the internet."""
    if "@" in text:
        return True
    if "." not in text and ":" not in text:
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
