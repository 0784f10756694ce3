"""Bringing a device that holds sets into line: by single changes where what stands there is known, else by a look."""

import logging
from collections.abc import Set
from pathlib import Path

from .configuration import FrrTarget, IpsetTarget, NftTarget, Target
from .faults import AgentFault, Exit
from .frr_lists import FrrLists
from .ipset import IpsetSets
from .nftables import NftSets
from .pending_changes import Moment
from .programs import DeviceRefused, NotReadBack
from .set_device import Looked, SetDevice
from .sets import Element
from .state import ChangedPoint

log = logging.getLogger("rahdari.agent")

NAMED = 3


class RemovedLocally(AgentFault):
    """What it was is put back by the time that this is told; `run` goes on telling it for some minutes."""

    exit = Exit.ALARM

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            "Find who takes it out: these addresses must not be disrupted. Let the agent alone write there.",
        )

    @classmethod
    def elements(cls, name: str, number: int, examples: list[str]) -> "RemovedLocally":
        some = f" ({', '.join(examples[:NAMED])}{' and others' if number > NAMED else ''})" if examples else ""
        were = "1 registered element was" if number == 1 else f"{number} registered elements were"
        return cls(f"{were} missing at {name}{some}, though nobody took anything out of the feed. All was put back.")

    @classmethod
    def ruleset(cls, what: str, number: int) -> "RemovedLocally":
        filled = "1 registered element was" if number == 1 else f"{number} registered elements were"
        fault = cls(f"{what} Then {filled} put back." if number else what)
        fault.mend = (
            "Find what takes it out: a ruleset of yours that begins with `flush ruleset` takes all tables along, and "
            "until the agent has loaded its own again nothing is marked. To end the protection on purpose, stop the "
            "agent first."
        )
        return fault

    @classmethod
    def file(cls, path: Path) -> "RemovedLocally":
        return cls(f"{path} was not as it had been written. It was written anew.")


def device_of(target: Target) -> SetDevice | None:
    match target:
        case NftTarget():
            return NftSets(target)
        case IpsetTarget():
            return IpsetSets(target)
        case FrrTarget():
            return FrrLists(target)
    return None


def apply_to_device(
    device: SetDevice, moment: Moment, changed: "set[ChangedPoint] | None", *, taken: bool
) -> tuple[bool, RemovedLocally | None]:
    """`changed` since the device took all there was, if that is known; `taken`: the last change succeeded there.

    Returns whether anything was changed there, and what a look found missing that nobody had taken out. Raises
    AgentFault.
    """
    if changed is None:
        return _note(device.look(moment.rows, whole=True)), None
    added, removed = changed_elements(device, moment, changed)
    if taken and not moment.look and device.takes(added=len(added), removed=len(removed)):
        try:
            device.change(added=added, removed=removed)
        except (DeviceRefused, NotReadBack):
            # Not what we thought: somebody reloaded the ruleset. Look, and begin from what is there.
            pass
        else:
            return bool(added or removed), None
    looked = device.look(moment.rows, whole=False, gone=removed)
    wrote = _wrote(looked)
    if not taken:
        return _note(looked), None
    if looked.made_again:
        return wrote, RemovedLocally.ruleset(looked.made_again, sum(looked.missing.values()))
    return wrote, _missed(device, looked, added | removed)


def _note(looked: Looked) -> bool:
    """The first time, and after a reboot or a failure, it is no alarm. Returns whether anything was changed."""
    if looked.made_again:
        log.info("%s", looked.made_again)
    return _wrote(looked)


def _wrote(looked: Looked) -> bool:
    return bool(looked.made_again or looked.excess or any(looked.missing.values()))


def changed_elements(
    device: SetDevice, moment: Moment, changed: "set[ChangedPoint]"
) -> tuple[set[Element], set[Element]]:
    """Those that count now, and those that no longer do: several endpoints may be one element to a device."""
    touched = {device.element(point) for point in changed}
    standing = {device.element(row) for row in moment.standing(point.prefix for point in changed)}
    return touched & standing, touched - standing


def _missed(device: SetDevice, looked: Looked, changed: Set[Element]) -> RemovedLocally | None:
    sets_changed = {element.set_name for element in changed}
    number = 0
    for name, missing in looked.missing.items():
        if name in device.interval_sets or device.is_merged:
            # Merged with its neighbours an element has another form: what changed there cannot be told apart.
            number += 0 if name in sets_changed else missing
        else:
            number += max(missing - sum(element.set_name == name for element in changed), 0)
    if not number:
        return None
    examples = [element.name for element in looked.examples if element not in changed]
    return RemovedLocally.elements(device.name, number, examples)
