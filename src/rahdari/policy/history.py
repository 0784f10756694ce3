"""Which rules were announced, and which came into force, when and by whom. Kept beside the policy in force, for anybody
to read: one line for each event, and the text of each version under its digest.

A line is only added. Whoever has the machine can rewrite the files; what was published before says otherwise.
"""

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .changes import Change, changes

Source = Mapping[str, Any]

ANNOUNCED, WITHDRAWN, IN_FORCE = "announced", "withdrawn", "in_force"
# So long before it comes into force everybody can read what goes against somebody. No policy shortens it.
NOTICE = dt.timedelta(days=30)


@dataclass(frozen=True)
class Event:
    """`names`: who says so, each with their office."""

    act: str
    version: str
    digest: str
    at: dt.datetime
    names: tuple[str, ...] = ()

    @property
    def notice_ends(self) -> dt.datetime:
        return self.at + NOTICE

    def as_data(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat(), "names": list(self.names)}


def events(data: Path) -> list[Event]:
    """The first in front."""
    place = _events(data)
    if not place.exists():
        return []
    found = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
    return [
        Event(**each | {"at": dt.datetime.fromisoformat(each["at"]), "names": tuple(each["names"])}) for each in found
    ]


def add(data: Path, event: Event, text: bytes) -> None:
    place = text_of(data, event.digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        draft = place.with_name(f"{place.name}.{os.getpid()}.new")
        draft.write_bytes(text)
        draft.chmod(0o644)
        draft.replace(place)
    # One write to the end: two that come at once are two lines.
    with open(_events(data), "ab", buffering=0) as file:
        file.write(f"{json.dumps(event.as_data(), ensure_ascii=False)}\n".encode())
        os.fsync(file.fileno())
    _events(data).chmod(0o644)


def text_of(data: Path, digest: str) -> Path:
    return data / "policy" / "versions" / f"{digest}.toml"


def announced(found: Sequence[Event]) -> list[Event]:
    """Those that are announced and neither withdrawn nor in force yet, each as it was announced first."""
    standing: dict[str, Event] = {}
    for event in found:
        if event.act == ANNOUNCED:
            standing.setdefault(event.digest, event)
        else:
            standing.pop(event.digest, None)
    return list(standing.values())


def last_in_force(found: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(found) if event.act == IN_FORCE), None)


def why_not(
    before: Source, after: Source, digest: str, found: Sequence[Event], names: Sequence[str], now: dt.datetime
) -> list[str]:
    """Why these rules may not come into force now, in sentences; empty: they may. `digest` is that of `after`.

    A demonstration binds nobody. The first rules of a register in use have none before them that anybody relied on.
    """
    if is_demonstration(before) and is_demonstration(after):
        return []
    faults = []
    if len({" ".join(name.casefold().split()) for name in names if name.strip()}) < 2:
        faults.append("Two persons bring rules into force. Say who: --name 'NAME, OFFICE' --second 'NAME, OFFICE'.")
    if before != after and before.get("version") == after.get("version"):
        faults.append(f"Other rules are in force as version {after.get('version')}. Give these a version of their own.")
    against = against_somebody(before, after) if takes_notice(before) else []
    known = next((event for event in announced(found) if event.digest == digest), None)
    if against and (known is None or known.notice_ends > now):
        places = ", ".join(each.place for each in against[:5]) + (", ..." if len(against) > 5 else "")
        faults.append(f"{len(against)} of its differences may go against somebody: {places}.")
        if known is None:
            faults.append(f"So it is announced {NOTICE.days} days before: rahdari policy announce FILE")
        else:
            from_then = f"{known.notice_ends:%d %B %Y, %H:%M} UTC"
            faults.append(f"It was announced on {known.at:%d %B %Y}, and may come into force from {from_then}.")
    return faults


def is_demonstration(rules: Source) -> bool:
    return rules.get("demonstration") is True


def takes_notice(before: Source) -> bool:
    """Whether what goes against somebody is told before: not where a demonstration was in force, on which nobody
    relied."""
    return not is_demonstration(before)


def against_somebody(before: Source, after: Source) -> list[Change]:
    return [each for each in changes(before, after) if each.is_against]


def _events(data: Path) -> Path:
    return data / "policy" / "history.jsonl"
