"""Putting what is verified where the network reads it, and saying so.

A target's marker is written after the target has been read back. A target that fails does not hold up the others and
keeps what it had. When a target took something new, began or ceased to fail, or was taken out of the configuration, a
receipt is kept for the server.

Devices come before files: a change of one entry costs them what it changes, whatever the size of the register. A file
is written whole; one that takes long is written less often, and its marker says until when it waits.
"""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rahdari.feed.entry import parse_time, time_text

from . import receipts
from .configuration import Configuration, FileTarget, Target
from .devices import RemovedLocally, apply_to_device, device_of
from .faults import AgentFault
from .file_targets import FilePlace, read_content
from .nftables import NftSets
from .pending_changes import Moment
from .rules import kept_after
from .state import AgentState, Marker, Position

# Seconds: what slewing and rounding may move the moment of the boot; nobody boots twice within that.
BOOT_SLACK = 60


@dataclass(frozen=True)
class Applied:
    """`targets` took something new; `loaded` entries count now, of which `kept_stale` have ended. `faults` are of
    targets that failed, and of what was found missing somewhere and put back."""

    targets: tuple[str, ...]
    loaded: int
    kept_stale: int
    faults: tuple[AgentFault, ...]

    @property
    def removed(self) -> list[RemovedLocally]:
        return [fault for fault in self.faults if isinstance(fault, RemovedLocally)]


class Targets:
    """The places in the configuration."""

    def __init__(self, configuration: Configuration) -> None:
        # Files last: none of them holds up a device.
        self._places = sorted(configuration.targets, key=lambda target: isinstance(target, FileTarget))
        self._grace = dt.timedelta(hours=configuration.grace_hours)
        self._devices = {target.name: device for target in self._places if (device := device_of(target)) is not None}
        # What the targets have, as far as the state could not take it.
        self._unkept: dict[str, Marker] = {}
        self._files = {target.name: FilePlace(target) for target in self._places if isinstance(target, FileTarget)}

    @property
    def tables(self) -> tuple[NftSets, ...]:
        return tuple(device for device in self._devices.values() if isinstance(device, NftSets))

    @property
    def wait(self) -> float | None:
        """Seconds until a file that is behind may be written again; None when none is."""
        return min((place.wait for place in self._files.values() if place.is_behind), default=None)

    def apply(self, *, state: AgentState, now: dt.datetime, look: bool, lead: dt.timedelta = dt.timedelta()) -> Applied:
        """`look` reads what stands at each target; `lead` is how far the clock is known to be ahead. Before the first
        edition nothing is done."""
        positions = state.positions()
        if not positions:
            return Applied((), 0, 0, ())
        moment, stale = moment_of(state, positions, now=now, grace=self._grace + lead, look=look)
        mark = moment.mark
        kept = state.markers()
        markers = kept | self._unkept
        changed: dict[str, Marker] = {}
        faults: list[AgentFault] = []
        for target in self._places:
            before = markers.get(target.name)
            try:
                content, found, wrote = self._put(target, moment, before)
            except AgentFault as fault:
                faults.append(fault)
                after = _failed(target, before, fault, now)
            else:
                faults += [found] if found is not None else []
                if before is not None and "due_at" in read_content(content):
                    after = replace(before, content=content)
                else:
                    after = Marker(target.name, target.kind, moment.stands, mark, content, moment.loaded, now)
                    if before is not None and not wrote and replace(before, applied_at=now, mark=mark) == after:
                        # Nothing new was put there: only the place in the log of changes moves on.
                        after = replace(before, mark=mark)
            if after != kept.get(target.name):
                changed[target.name] = after
        try:
            self._keep(state, moment, kept, changed)
            self._unkept = {}
        except AgentFault as fault:
            # What stands at the targets stands there, though there is no room to write that down.
            faults, self._unkept = [*faults, fault], changed
        return Applied(
            targets=tuple(name for name, marker in changed.items() if _took(markers.get(name), marker)),
            loaded=moment.loaded,
            kept_stale=stale,
            faults=tuple(faults),
        )

    def _keep(
        self, state: AgentState, moment: Moment, markers: Mapping[str, Marker], changed: Mapping[str, Marker]
    ) -> None:
        names = {target.name for target in self._places}
        gone = markers.keys() - names
        if not changed and not gone:
            return
        with state.transaction():
            for marker in changed.values():
                state.set_marker(marker)
            state.drop_markers(names)
            kept = state.markers()
            for role, position in moment.positions.items():
                if gone or any(_is_news(role, markers.get(name), marker) for name, marker in changed.items()):
                    receipts.keep(state=state, position=position, markers=kept.values(), now=moment.now)

    def _put(self, target: Target, moment: Moment, before: Marker | None) -> tuple[str, AgentFault | None, bool]:
        """Put it there and read it back; return what stands there, what was missing before, and whether a device was
        changed. Raises AgentFault."""
        had = read_content(before.content) if before is not None else {}
        settings = hashlib.sha256(repr(target).encode()).hexdigest()[:16]
        # A target that was set otherwise is another place: nothing is known of what stands there. Neither is it of a
        # device after a boot: what is gone then, nobody took out.
        booted = booted_at()
        same_boot = target.name not in self._devices or abs(had.get("booted", booted) - booted) <= BOOT_SLACK
        known = before is not None and had.get("settings") == settings and same_boot
        changed = moment.changes(before.mark) if known and before is not None else None
        taken = known and before is not None and not before.fault
        if target.name in self._devices:
            wrote, found = apply_to_device(self._devices[target.name], moment, changed, taken=taken)
            content = {"settings": settings, "booted": had.get("booted", booted) if known else booted}
            return json.dumps(content), found, wrote
        place = self._files[target.name]
        same = taken and changed == set() and before is not None and dict(before.positions) == moment.stands
        same = same and not place.is_due(had, moment.now)
        found = None
        if taken and (same or place.wait) and changed is not None:
            whole = not moment.look or place.is_whole(had)
            if whole and same:
                return json.dumps({name: value for name, value in had.items() if name != "due_at"}), None, False
            if whole:
                place.is_behind = True
                due_at = time_text(moment.now + dt.timedelta(seconds=place.wait + 1))
                return json.dumps({**had, "due_at": had.get("due_at", due_at)}), None, False
            found = RemovedLocally.file(place.target.path)
        rendered = place.put(moment, changed)
        said = {"settings": settings, "rendered_at": time_text(moment.now), **rendered.as_json()}
        return json.dumps(said), found, False


def booted_at() -> int:
    """When this machine began to run, as a POSIX time: a moment that a step of the clock moves, and nothing else. The
    kernel's own name for a boot lies in a part of /proc that the unit hides."""
    return round(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))


def moment_of(
    state: AgentState, positions: Mapping[str, Position], *, now: dt.datetime, grace: dt.timedelta, look: bool
) -> tuple[Moment, int]:
    """And how many of the entries that count have ended."""
    after = kept_since(positions, now=now, grace=grace)
    loaded, stale = state.count_in_force(now=now, kept_after=after)
    return Moment(state, now, after, positions, loaded, look), stale


def kept_since(positions: Mapping[str, Position], *, now: dt.datetime, grace: dt.timedelta) -> dt.datetime:
    """Entries that end after this moment count: as long as one role is stale, ends are not honoured at once."""
    return kept_after(now=now, fresh_until=min(held.fresh_until for held in positions.values()), grace=grace)


def is_waiting(marker: Marker, *, now: dt.datetime) -> bool:
    """Whether it is behind on purpose: a file that takes long to write is written at its time."""
    due_at = read_content(marker.content).get("due_at")
    return isinstance(due_at, str) and now <= parse_time(due_at)


def _failed(target: Target, before: Marker | None, fault: AgentFault, now: dt.datetime) -> Marker:
    had = before or Marker(target.name, target.kind)
    if had.fault == fault.what:
        return had
    return replace(had, fault=fault.what, failed_at=now)


def _took(before: Marker | None, after: Marker) -> bool:
    """Whether something new was put there."""
    return not after.fault and (before is None or bool(before.fault) or before.applied_at != after.applied_at)


def _is_news(role: str, before: Marker | None, after: Marker) -> bool:
    """For the server: another edition, or another standing. What an entry's end changed is no news, it knows."""

    def said(marker: Marker) -> tuple[object, bool]:
        return (marker.positions.get(role), not marker.fault)

    return before is None or said(before) != said(after)
