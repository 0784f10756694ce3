"""Putting what is verified where the network reads it, and saying so.

A target's marker is written after the target has been read back. A target that fails does not hold up the others and
keeps what it had. When a target took something new, or began or ceased to fail, a receipt is kept for the server.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace

from rahdari.proof import AppliedTarget, Receipt
from rahdari.proof.entry import time_text

from .configuration import Configuration, FileTarget, NftTarget
from .faults import AgentFault
from .files import FORMATS, Row, in_order, stands, write
from .nftables import NftSets
from .rules import kept_after
from .sets import sets_of
from .state import Marker, Position, State


@dataclass(frozen=True)
class Applied:
    """`targets` took something new; `loaded` entries count now, of which `kept_stale` have ended."""

    targets: tuple[str, ...]
    loaded: int
    kept_stale: int
    faults: tuple[AgentFault, ...]


class Targets:
    """The places in the configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._places = configuration.targets
        self._grace = dt.timedelta(hours=configuration.grace_hours)
        self._sets = {target.name: NftSets(target) for target in self._places if isinstance(target, NftTarget)}

    def apply(self, *, state: State, now: dt.datetime, look: bool) -> Applied:
        """`look` reads what stands at each target. Before the first edition nothing is done."""
        position = state.position()
        if position is None:
            return Applied((), 0, 0, ())
        rows = in_force(state, position, now=now, grace=self._grace)
        markers = state.markers()
        changed: dict[str, Marker] = {}
        faults: list[AgentFault] = []
        for target in self._places:
            before = markers.get(target.name)
            try:
                content = self._put(target, position, rows, before, look=look)
            except AgentFault as fault:
                faults.append(fault)
                after = _failed(target, before, fault, now)
            else:
                after = Marker(target.name, target.kind, position.session, position.sequence, content, len(rows), now)
                if before is not None and replace(before, applied_at=now) == after:
                    after = before
            if after != before:
                changed[target.name] = after
        gone = markers.keys() - {target.name for target in self._places}
        if changed or gone:
            with state.transaction():
                for marker in changed.values():
                    state.set_marker(marker)
                state.drop_markers({target.name for target in self._places})
                if any(_is_news(markers.get(name), marker) for name, marker in changed.items()):
                    state.keep_receipt(self._receipt(position, state.markers(), now).body, now)
        return Applied(
            targets=tuple(name for name, marker in changed.items() if not marker.fault),
            loaded=len(rows),
            kept_stale=sum(row.kept_stale for row in rows),
            faults=tuple(faults),
        )

    def _put(
        self, target: NftTarget | FileTarget, position: Position, rows: list[Row], before: Marker | None, *, look: bool
    ) -> str:
        """Put it there and read it back; return what tells this content from another. Raises AgentFault."""
        taken = before is not None and not before.fault
        if isinstance(target, NftTarget):
            sets = sets_of(row.entry for row in rows)
            listed = {name: sorted(elements) for name, elements in sets.items()}
            content = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
            if look or not taken or before is None or before.content != content:
                self._sets[target.name].apply(sets, look=look or not taken)
            return content
        body = FORMATS[target.kind](position, in_order(rows))
        content = hashlib.sha256(body).hexdigest()
        if stands(target) != content:
            write(target, body)
        return content

    def _receipt(self, position: Position, markers: dict[str, Marker], now: dt.datetime) -> Receipt:
        here = (position.session, position.sequence)
        return Receipt(
            session=position.session,
            sequence=position.sequence,
            digest=position.digest,
            applied_at=time_text(now),
            targets=tuple(
                AppliedTarget(
                    name=marker.target,
                    kind=marker.kind,
                    loaded=marker.loaded,
                    ok=not marker.fault and (marker.session, marker.sequence) == here,
                )
                for marker in sorted(markers.values(), key=lambda marker: marker.target)
            ),
        )


def in_force(state: State, position: Position, *, now: dt.datetime, grace: dt.timedelta) -> list[Row]:
    """The entries that count now."""
    after = kept_after(now=now, fresh_until=position.fresh_until, grace=grace)
    at = time_text(now)
    return [Row(entry, kept_stale=entry.not_after <= at) for entry in state.in_force(now=now, kept_after=after)]


def _failed(target: NftTarget | FileTarget, before: Marker | None, fault: AgentFault, now: dt.datetime) -> Marker:
    had = before or Marker(target.name, target.kind, "", 0, "", 0, None)
    if had.fault == fault.what:
        return had
    return replace(had, fault=fault.what, failed_at=now)


def _is_news(before: Marker | None, after: Marker) -> bool:
    """For the server: another edition, or another standing. What an entry's end changed is no news, it knows."""

    def said(marker: Marker) -> tuple[str, int, bool]:
        return (marker.session, marker.sequence, not marker.fault)

    return before is None or said(before) != said(after)
