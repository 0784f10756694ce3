"""What the agent says when asked: its status, and whether an address is registered. Reads the state, nothing else."""

import datetime as dt
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rahdari.address import Block, Endpoint, Part, Protocol, format_block
from rahdari.feed import ROLES, kind_of
from rahdari.feed.entry import time_text
from rahdari.feed.terms import SHORT

from .applying import is_waiting, kept_since
from .configuration import Configuration
from .faults import Exit, in_words
from .removal_hold import held_faults
from .rules import is_stale
from .state import AgentState, EntryRow, Marker, Position
from .status_file import KeptFault, remembered, remembered_lead, remembered_terms
from .syncing import time_faults
from .terms import terms_note

NOT_APPLIED = "A running agent does it within a minute or two; otherwise run: rahdari agent sync"
# What the clock alone says anew at each look.
TIMELY = {"Stale", "SignatureOld", "RemovalsHeld"}


@dataclass(frozen=True)
class Status:
    positions: Mapping[str, Position]
    now: dt.datetime
    # All that counts, with what is held back and what is the operator's own; of these, what has ended and is kept.
    in_force: int
    kept_stale: int
    # Entries of the editions that do not count now.
    not_begun: int
    ended: int
    local: int
    held: Mapping[str, int]
    markers: tuple[Marker, ...]
    unapplied: tuple[str, ...]
    unreported: int
    faults: tuple[KeptFault, ...]
    stale: bool
    # The digests of the terms that were accepted, and of those that the feed names; or empty.
    terms: str = ""
    terms_named: str = ""

    @property
    def position(self) -> Position | None:
        """With static entries, whose edition is the one that people speak of."""
        return self.positions.get(ROLES[0])

    @property
    def fresh_until(self) -> dt.datetime | None:
        return min((position.fresh_until for position in self.positions.values()), default=None)

    @property
    def signed_at(self) -> dt.datetime | None:
        return min((position.signed_at for position in self.positions.values()), default=None)

    @property
    def exit(self) -> Exit:
        # A note that has no exit code of its own, such as a receipt that waits, is no alarm.
        alarms = any(fault.exit is not Exit.OK for fault in self.faults)
        return Exit.ALARM if not self.positions or self.stale or alarms or self.unapplied else Exit.OK


def status(*, configuration: Configuration, state: AgentState, now: dt.datetime) -> Status:
    positions = state.positions()
    counted, stale, not_begun, ended = 0, 0, 0, 0
    if positions:
        after = kept_since(positions, now=now, grace=grace_of(configuration, state))
        counted, stale = state.count_in_force(now=now, kept_after=after)
        not_begun, ended = state.count_not_counting(now=now, kept_after=after)
    markers = state.markers()
    here = {role: (position.session, position.sequence) for role, position in positions.items()}
    kept = [fault for fault in remembered(state.folder) if fault.name not in TIMELY]
    said = {fault.name for fault in kept}
    timely = [*time_faults(positions, now=now, clock_hint="", known=said), *held_faults(state, now)]
    timely = [fault for fault in timely if fault.name not in said]
    terms_named = remembered_terms(state.folder)
    timely += [note] if (note := terms_note(configuration, terms_named)) is not None else []
    return Status(
        positions=positions,
        now=now,
        in_force=counted,
        kept_stale=stale,
        not_begun=not_begun,
        ended=ended,
        local=state.count_local(),
        held=state.held_counts(now=now),
        markers=tuple(sorted(markers.values(), key=lambda marker: marker.target)),
        unapplied=tuple(
            target.name
            for target in configuration.targets
            if (marker := markers.get(target.name)) is None
            or marker.fault
            or (_is_behind(marker, here, state) and not is_waiting(marker, now=now))
        ),
        unreported=len(state.receipts()),
        faults=(*kept, *(KeptFault(fault.name, fault.what, fault.mend, now, fault.exit) for fault in timely)),
        stale=bool(positions) and any(is_stale(now=now, fresh_until=held.fresh_until) for held in positions.values()),
        terms=configuration.terms,
        terms_named=terms_named,
    )


def _is_behind(marker: Marker, here: Mapping[str, tuple[str, int]], state: AgentState) -> bool:
    """Whether the target has not yet taken what is held here: another edition, or what the operator released."""
    return dict(marker.positions) != here or state.has_changed_since(marker.mark)


def status_as_json(said: Status) -> dict[str, Any]:
    position = said.position
    return {
        "ok": said.exit is Exit.OK,
        "session": position.session if position else None,
        "sequence": position.sequence if position else None,
        "digest": position.digest if position else None,
        "published_at": _iso(position.published_at) if position else None,
        "verified_at": _iso(position.verified_at) if position else None,
        "signed_at": _iso(said.signed_at),
        "fresh_until": _iso(said.fresh_until),
        "age_seconds": int((said.now - said.signed_at).total_seconds()) if said.signed_at else None,
        "stale": said.stale,
        "streams": streams_as_json(said.positions, said.held),
        "entries": sum(held.entries for held in said.positions.values()),
        "held": sum(said.held.values()),
        "in_force": said.in_force,
        "kept_stale": said.kept_stale,
        "not_begun": said.not_begun,
        "ended": said.ended,
        "local": said.local,
        "targets": [
            {
                "name": marker.target,
                "kind": marker.kind,
                "sequence": _sequence(marker),
                "sequences": {role: sequence for role, (_, sequence) in marker.positions.items()},
                "loaded": marker.loaded,
                "applied_at": _iso(marker.applied_at),
                "fault": marker.fault or None,
                "failed_at": _iso(marker.failed_at),
            }
            for marker in said.markers
        ],
        "unapplied": list(said.unapplied),
        "receipts_waiting": said.unreported,
        "terms": {"accepted": said.terms or None, "feed": said.terms_named or None},
        "faults": [
            {"name": fault.name, "what": fault.what, "mend": fault.mend, "since": _iso(fault.at)}
            for fault in said.faults
        ],
    }


def status_in_words(said: Status) -> str:
    position, fresh_until, signed_at = said.position, said.fresh_until, said.signed_at
    if position is None or fresh_until is None or signed_at is None:
        lines = ["Nothing has been verified yet. Run: rahdari agent sync"]
    else:
        lines = [
            f"{edition_in_words(said.positions).capitalize()} of session {position.session[:8]}, "
            f"published {_plain(position.published_at)}.",
            *digests_in_words(said.positions),
            f"Last signed {in_words(said.now - signed_at)} ago; vouched for until {_plain(fresh_until)}"
            f"{' (STALE)' if said.stale else ''}.",
            _counting(said),
        ]
    for marker in said.markers:
        had = f"edition {_sequence(marker)}, {marker.loaded} entries, applied {_plain(marker.applied_at)}"
        lines.append(f"  {marker.target} ({marker.kind}): {had if marker.applied_at else 'nothing applied yet'}")
        if marker.fault:
            lines.append(f"    fails since {_plain(marker.failed_at)}: {marker.fault}")
        elif marker.target in said.unapplied:
            lines.append("    What changed since is not applied there. " + NOT_APPLIED)
        elif is_waiting(marker, now=said.now):
            lines.append("    What changed since is written there later: this file takes long to write.")
    never = set(said.unapplied) - {marker.target for marker in said.markers}
    lines += [f"  {name}: nothing applied yet" for name in sorted(never)]
    if said.unreported:
        lines.append(f"{said.unreported} receipts wait for the server.")
    if said.terms:
        lines.append(f"Accepted: the terms of the feed, {said.terms[:SHORT]}.")
    for fault in said.faults:
        lines.append(f"{fault.what}\n  {fault.mend}")
    if said.exit is Exit.OK and not said.faults:
        lines.append("All is well.")
    return "\n".join(lines)


def _counting(said: Status) -> str:
    """What of the editions counts now and why the rest does not; then what counts beside them."""
    entries, held = sum(position.entries for position in said.positions.values()), sum(said.held.values())
    words = f"{entries - said.not_begun - said.ended} of {entries} entries count now"
    rest = ((said.not_begun, "not begun"), (said.ended, "ended"))
    if why := " and ".join(f"{count} {'has' if count == 1 else 'have'} {what}" for count, what in rest if count):
        words += f": {why}"
    if said.kept_stale:
        words += f"; among them {said.kept_stale} that ended and are kept while the feed is stale"
    if held:
        words += f"; {held} more, taken out of the editions, are held back"
    if said.local:
        words += f"; {said.local} more are your own"
    return f"{words}."


def edition_in_words(positions: Mapping[str, Position]) -> str:
    """`edition 7 (dynamic 3, canary 0)`: of static entries, whose edition people speak of, and the others'."""
    shown = positions.get(ROLES[0])
    others = ", ".join(f"{kind_of(role)} {held.sequence}" for role, held in positions.items() if held is not shown)
    return f"edition {shown.sequence if shown else '-'}{f' ({others})' if others else ''}"


def digests_in_words(positions: Mapping[str, Position]) -> list[str]:
    """A line each, to hold against what others count."""
    return [f"  {kind_of(role)}: {held.entries} entries, digest {held.digest}" for role, held in positions.items()]


def streams_as_json(positions: Mapping[str, Position], held: Mapping[str, int]) -> dict[str, Any]:
    return {
        role: {
            "session": at.session,
            "sequence": at.sequence,
            "digest": at.digest,
            "entries": at.entries,
            "published_at": _iso(at.published_at),
            "verified_at": _iso(at.verified_at),
            "held": held.get(role, 0),
        }
        for role, at in positions.items()
    }


@dataclass(frozen=True)
class Found:
    """`rows` count now and cover what was asked, the longest prefix first; `not_counting` have ended or not begun."""

    positions: Mapping[str, Position]
    rows: tuple[EntryRow, ...]
    other_ports: tuple[EntryRow, ...]
    not_counting: tuple[EntryRow, ...]


def check(
    *,
    configuration: Configuration,
    state: AgentState,
    block: Block,
    protocol: Protocol | None,
    port: int | None,
    now: dt.datetime,
) -> Found:
    """Whether all of a block is covered by an entry. Without a protocol any entry for the address counts."""
    positions = state.positions()
    after = kept_since(positions, now=now, grace=grace_of(configuration, state))
    at, ended_by = time_text(now), time_text(after)
    rows, others, not_counting = list[EntryRow](), list[EntryRow](), list[EntryRow]()
    for row in state.covering([str(wider) for wider in _wider(block)]):
        if not row.local and not (row.later <= at and row.not_after > ended_by):
            not_counting.append(row)
            continue
        row = row._replace(kept_stale=not row.local and row.not_after <= at)
        (rows if covers(row, protocol, port) else others).append(row)
    return Found(positions, tuple(rows), tuple(others), tuple(not_counting))


def covers(entry: EntryRow, protocol: Protocol | None, port: int | None) -> bool:
    """Whether an entry is asked for. Without a protocol, or without a port, every one is: of IPsec there are three."""
    if entry.protocol == "any":
        return True
    if protocol is not None and entry.protocol != protocol:
        return False
    if port is None:
        return True
    return entry.port == port if entry.port is not None else Protocol(entry.protocol).has_ports


def grace_of(configuration: Configuration, state: AgentState) -> dt.timedelta:
    """As the last sync had it."""
    return dt.timedelta(hours=configuration.grace_hours) + remembered_lead(state.folder)


def _wider(block: Block) -> list[Block]:
    return [block.supernet(new_prefix=length) for length in range(block.prefixlen + 1)]


# As the lookup service names them.
SHOWN = ("id", "prefix", "protocol", "port", "not_before", "not_after", "role", "held", "kept_stale", "local")


def found_as_json(found: Found, *, block: Block, now: dt.datetime) -> dict[str, Any]:
    position = found.positions.get(ROLES[0])
    return {
        "address": format_block(block),
        "registered": bool(found.rows),
        "entries": [{name: getattr(row, name) for name in SHOWN} for row in found.rows],
        "session": position.session if position else None,
        "sequence": position.sequence if position else None,
        "sequences": {role: held.sequence for role, held in found.positions.items()},
        "stale": _is_stale(found, now),
    }


def found_in_words(found: Found, *, block: Block, now: dt.datetime) -> str:
    name = format_block(block)
    lines = []
    for row in found.rows:
        if row.local:
            lines.append(f"{name} is added here as {endpoint(row)} ({row.local}).")
            continue
        notes = " (has ended; kept because the feed is stale)" if row.kept_stale else ""
        notes += " (the feed took it out; the removal is held back)" if row.held else ""
        lines.append(f"{name} is registered as {endpoint(row)}, valid until {plain_text(row.not_after)}{notes}.")
    if not found.rows:
        sequence = max(held.sequence for held in found.positions.values())
        lines.append(f"{name} is not registered in edition {sequence}. That means nothing about the address.")
        lines += [f"  Registered for another protocol or port: {endpoint(row)}." for row in found.other_ports]
        for row in found.not_counting:
            lines.append(
                f"  {endpoint(row)} counts only from {plain_text(row.not_before)} until {plain_text(row.not_after)}."
            )
    if _is_stale(found, now):
        lines.append("The feed is stale: a newer edition may say otherwise.")
    return "\n".join(lines)


def _is_stale(found: Found, now: dt.datetime) -> bool:
    return any(is_stale(now=now, fresh_until=held.fresh_until) for held in found.positions.values())


def _sequence(marker: Marker) -> int | None:
    """Of static entries, as the target took them."""
    return marker.positions[ROLES[0]][1] if ROLES[0] in marker.positions else None


def endpoint(entry: EntryRow) -> str:
    return str(Endpoint(ipaddress.ip_network(entry.prefix), (Part(Protocol(entry.protocol), entry.port),)))


def plain_text(time: str) -> str:
    return _plain(dt.datetime.fromisoformat(time))


def counted(number: int) -> str:
    return "1 entry counts" if number == 1 else f"{number} entries count"


def _plain(at: dt.datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def _iso(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
