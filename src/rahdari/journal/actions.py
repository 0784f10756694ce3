"""The one act of the journal. Which acts there are says `registry`."""

import datetime as dt
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection

from rahdari.db import replicas
from rahdari.errors import RahdariError

from . import registry
from .models import SHOWN
from .registry import UndeclaredAct as UndeclaredAct

# Subjects in one row of a list: more of them are more rows.
AT_ONCE = 1_000


ADD = """INSERT INTO journal_journalentry (at, act, actor, subject, reason, ground, detail)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)"""


class NotForTheJournal(RahdariError, ValueError):
    """An address stood in `detail`. `.act` says which act wrote it. The journal is kept for good, so it names none."""

    says = "{act}: the detail holds an address; write the id of its row instead"
    act: str


class ReadOfNobody(ValueError):
    """A read was recorded of what no page "who looked at my data" asks for. `.act`, `.subjects`"""

    def __init__(self, act: str, subjects: Sequence[str]) -> None:
        super().__init__(f"{act} of {', '.join(subjects)}: a read is recorded of {', '.join(sorted(registry.READ_OF))}")
        self.act, self.subjects = act, subjects


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
    `reason`, `ground` or `detail`: ids of rows alone. Raises UndeclaredAct, and NotForTheJournal for an address, but of
    an operator's own network. A read of nobody's data, such as a search that found nothing, has the reader's place
    ("desk:search") as its subject; raises ReadOfNobody for any other.
    """
    declared = registry.act_named(act)
    if declared.is_read and (wrong := [each for each in _looked_at(subject, detail) if not _is_shown(each)]):
        raise ReadOfNobody(act, wrong)
    if not subject.startswith("operator:") and any(map(_is_address, _texts(detail))):
        raise NotForTheJournal(act)
    # Nearly each act adds one, so it is added in the shortest way.
    with replicas.at_primary(), connection.cursor() as cursor:
        cursor.execute(ADD, [now, act, actor, subject, reason, ground, json.dumps(dict(detail or {}))])


def record_list(
    *,
    act: str,
    actor: str,
    where: str,
    reason: str = "",
    shown: Iterable[str],
    asked: Sequence[str] = (),
    detail: Mapping[str, Any] | None = None,
    now: dt.datetime,
) -> None:
    """A page of a list, or a file, was read: which subjects stood on it, and what was asked for, as keyed hashes. One
    that shows nobody and asked for nothing is no look at anybody."""
    subjects = list(dict.fromkeys(shown))
    for start in range(0, len(subjects) or bool(asked), AT_ONCE):
        more = {SHOWN: subjects[start : start + AT_ONCE], "asked": list(asked), **(detail or {})}
        record(act=act, actor=actor, subject=where, now=now, reason=reason, detail=more)


def _looked_at(subject: str, detail: Mapping[str, Any] | None) -> Sequence[str]:
    """Whose data was read; nobody's where the subject is a place of the reader's."""
    if detail is not None and SHOWN in detail:
        shown: list[str] = detail[SHOWN]
        return shown
    return () if subject.startswith("desk:") else (subject,)


def _is_shown(subject: str) -> bool:
    return subject.partition(":")[0] in registry.READ_OF


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
