"""What the agent says when asked: its status, and whether an address is registered. Reads the state, nothing else."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Any

from rahdari.address import Block, Endpoint, Protocol, format_block

from .applying import in_force
from .configuration import Configuration
from .faults import Exit
from .files import Row
from .rules import is_stale, kept_after
from .state import Held, KeptFault, Marker, Position, State
from .syncing import time_faults


@dataclass(frozen=True)
class Status:
    position: Position | None
    now: dt.datetime
    in_force: int
    kept_stale: int
    markers: tuple[Marker, ...]
    unapplied: tuple[str, ...]
    unreported: int
    faults: tuple[KeptFault, ...]
    stale: bool

    @property
    def exit(self) -> Exit:
        # A note that has no exit code of its own, such as a receipt that waits, is no alarm.
        alarms = any(fault.exit is not Exit.OK for fault in self.faults)
        return Exit.ALARM if self.position is None or self.stale or alarms or self.unapplied else Exit.OK


def status(*, configuration: Configuration, state: State, now: dt.datetime) -> Status:
    position = state.position()
    grace = dt.timedelta(hours=configuration.grace_hours)
    rows = in_force(state, position, now=now, grace=grace) if position else []
    markers = state.markers()
    here = (position.session, position.sequence) if position else None
    kept = [fault for fault in state.faults() if fault.name not in {"Stale", "SignatureOld", "ClockWrong"}]
    timely = time_faults(position, now=now, clock_hint="", known=[])
    return Status(
        position=position,
        now=now,
        in_force=len(rows),
        kept_stale=sum(row.kept_stale for row in rows),
        markers=tuple(sorted(markers.values(), key=lambda marker: marker.target)),
        unapplied=tuple(
            target.name
            for target in configuration.targets
            if (marker := markers.get(target.name)) is None or marker.fault or (marker.session, marker.sequence) != here
        ),
        unreported=len(state.receipts()),
        faults=(*kept, *(KeptFault(fault.name, fault.what, fault.mend, now, fault.exit) for fault in timely)),
        stale=position is not None and is_stale(now=now, fresh_until=position.fresh_until),
    )


def status_as_json(said: Status) -> dict[str, Any]:
    position = said.position
    return {
        "ok": said.exit is Exit.OK,
        "session": position.session if position else None,
        "sequence": position.sequence if position else None,
        "digest": position.digest if position else None,
        "published_at": _iso(position.published_at) if position else None,
        "verified_at": _iso(position.verified_at) if position else None,
        "signed_at": _iso(position.signed_at) if position else None,
        "fresh_until": _iso(position.fresh_until) if position else None,
        "age_seconds": int((said.now - position.signed_at).total_seconds()) if position else None,
        "stale": said.stale,
        "entries": position.entries if position else 0,
        "in_force": said.in_force,
        "kept_stale": said.kept_stale,
        "targets": [
            {
                "name": marker.target,
                "kind": marker.kind,
                "sequence": marker.sequence if marker.applied_at else None,
                "loaded": marker.loaded,
                "applied_at": _iso(marker.applied_at),
                "fault": marker.fault or None,
                "failed_at": _iso(marker.failed_at),
            }
            for marker in said.markers
        ],
        "unapplied": list(said.unapplied),
        "receipts_waiting": said.unreported,
        "faults": [
            {"name": fault.name, "what": fault.what, "mend": fault.mend, "since": _iso(fault.at)}
            for fault in said.faults
        ],
    }


def status_in_words(said: Status) -> str:
    position = said.position
    if position is None:
        lines = ["Nothing has been verified yet. Run: rahdari agent sync"]
    else:
        age = in_words(said.now - position.signed_at)
        lines = [
            f"Edition {position.sequence} of session {position.session[:8]}, "
            f"published {_plain(position.published_at)}.",
            f"Last signed {age} ago; vouched for until {_plain(position.fresh_until)}"
            f"{' (STALE)' if said.stale else ''}.",
            f"{said.in_force} of {position.entries} entries count now"
            + (
                f", of which {said.kept_stale} have ended and are kept while the feed is stale."
                if said.kept_stale
                else "."
            ),
        ]
    for marker in said.markers:
        had = f"edition {marker.sequence}, {marker.loaded} entries, applied {_plain(marker.applied_at)}"
        lines.append(f"  {marker.target} ({marker.kind}): {had if marker.applied_at else 'nothing applied yet'}")
        if marker.fault:
            lines.append(f"    fails since {_plain(marker.failed_at)}: {marker.fault}")
    never = set(said.unapplied) - {marker.target for marker in said.markers}
    lines += [f"  {name}: nothing applied yet" for name in sorted(never)]
    if said.unreported:
        lines.append(f"{said.unreported} receipts wait for the server.")
    for fault in said.faults:
        lines.append(f"{fault.what}\n  {fault.mend}")
    if said.exit is Exit.OK:
        lines.append("All is well.")
    return "\n".join(lines)


@dataclass(frozen=True)
class Found:
    """`rows` are the entries that count now and cover what was asked; `later` and `ended` do not count."""

    position: Position
    rows: tuple[Row, ...]
    other_ports: tuple[Row, ...]
    not_counting: tuple[Held, ...]


def check(
    *,
    configuration: Configuration,
    state: State,
    position: Position,
    block: Block,
    protocol: Protocol | None,
    port: int | None,
    now: dt.datetime,
) -> Found:
    """Whether all of a block is covered by an entry. Without a protocol any entry for the address counts."""
    grace = dt.timedelta(hours=configuration.grace_hours)
    after = kept_after(now=now, fresh_until=position.fresh_until, grace=grace)
    rows, others, not_counting = [], [], []
    for entry in state.with_prefixes([str(wider) for wider in _wider(block)]):
        begins, ends = dt.datetime.fromisoformat(entry.not_before), dt.datetime.fromisoformat(entry.not_after)
        if not (begins <= now and ends > after):
            not_counting.append(entry)
        elif covers(entry, protocol, port):
            rows.append(Row(entry, kept_stale=ends <= now))
        else:
            others.append(Row(entry, kept_stale=ends <= now))
    return Found(position, tuple(rows), tuple(others), tuple(not_counting))


def covers(entry: Held, protocol: Protocol | None, port: int | None) -> bool:
    if protocol is None or entry.protocol == "any":
        return True
    return entry.protocol == protocol and (entry.port is None or entry.port == port)


def _wider(block: Block) -> list[Block]:
    return [block.supernet(new_prefix=length) for length in range(block.prefixlen + 1)]


def found_as_json(found: Found, *, block: Block, now: dt.datetime) -> dict[str, Any]:
    return {
        "address": format_block(block),
        "registered": bool(found.rows),
        "entries": [{**row.entry._asdict(), "kept_stale": row.kept_stale} for row in found.rows],
        "session": found.position.session,
        "sequence": found.position.sequence,
        "stale": is_stale(now=now, fresh_until=found.position.fresh_until),
    }


def found_in_words(found: Found, *, block: Block, now: dt.datetime) -> str:
    name = format_block(block)
    lines = []
    for row in found.rows:
        kept = " (has ended; kept because the feed is stale)" if row.kept_stale else ""
        lines.append(
            f"{name} is registered as {endpoint(row.entry)}, valid until {plain_text(row.entry.not_after)}{kept}."
        )
    if not found.rows:
        lines.append(f"{name} is not registered in edition {found.position.sequence}.")
        lines += [f"  Registered for another protocol or port: {endpoint(row.entry)}." for row in found.other_ports]
        for entry in found.not_counting:
            lines.append(
                f"  {endpoint(entry)} counts only from {plain_text(entry.not_before)} "
                f"until {plain_text(entry.not_after)}."
            )
    if is_stale(now=now, fresh_until=found.position.fresh_until):
        lines.append("The feed is stale: a newer edition may say otherwise.")
    return "\n".join(lines)


def endpoint(entry: Held) -> str:
    return str(Endpoint(ipaddress.ip_network(entry.prefix), Protocol(entry.protocol), entry.port))


def plain_text(time: str) -> str:
    return _plain(dt.datetime.fromisoformat(time))


def counted(number: int) -> str:
    return "1 entry counts" if number == 1 else f"{number} entries count"


def in_words(span: dt.timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"


def _plain(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def _iso(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
