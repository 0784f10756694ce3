"""What applying would change at a target: held against what stands there now, and nothing is written.

A device is looked at as it always is, with its hands tied: what it would write is noted instead. A file is written
aside and compared line by line.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .configuration import FileTarget, Target
from .devices import device_of
from .faults import AgentFault
from .files import write_rendered
from .ipset import IpsetSets
from .nftables import NftSets
from .pending_changes import Moment
from .programs import DeviceRefused
from .set_device import SetDevice, Texts
from .sets import PROTOCOL_NUMBERS

# Enough for a person to see whether it is what was meant.
SHOWN = 5
# As nftables lists them, and as people call them.
PROTOCOLS = {str(number): name for name, number in PROTOCOL_NUMBERS.items()}
# Formats whose lines mean nothing by themselves.
BINARY = frozenset({"mmdb"})


@dataclass
class Planned:
    """`added` and `removed` count what `unit` says: elements of a device, lines of a file, or a file as a whole."""

    target: str
    kind: str
    unit: str = "elements"
    added: int = 0
    removed: int = 0
    first_added: list[str] = field(default_factory=list)
    first_removed: list[str] = field(default_factory=list)
    made_again: str = ""
    fault: AgentFault | None = None

    def note(self, *, added: Iterable[str] = (), removed: Iterable[str] = ()) -> None:
        for text in added:
            self.added += 1
            if len(self.first_added) < SHOWN:
                self.first_added.append(text)
        for text in removed:
            self.removed += 1
            if len(self.first_removed) < SHOWN:
                self.first_removed.append(text)


def plan(target: Target, moment: Moment) -> Planned:
    """Never raises AgentFault: what stands in the way stands in the plan."""
    planned = Planned(target.name, target.kind)
    try:
        device = device_of(target)
        if device is not None:
            _plan_device(device, moment, planned)
        elif isinstance(target, FileTarget):
            _plan_file(target, moment, planned)
    except AgentFault as fault:
        planned.fault = fault
    return planned


def _plan_device(device: SetDevice, moment: Moment, planned: Planned) -> None:
    def write(added: Texts, removed: Texts, *, emptied: Iterable[str] = ()) -> None:
        planned.note(added=_in_order(added), removed=_in_order(removed))

    def confirm(added: Texts, removed: Texts) -> None:
        """Nothing was written, so there is nothing to read back."""

    device.write = write  # type: ignore[method-assign]
    device.confirm = confirm  # type: ignore[method-assign]
    if isinstance(device, NftSets):
        device.is_tied = True
    if isinstance(device, IpsetSets):
        _leave_sets_alone(device)
    looked = device.look(moment.rows, whole=True)
    planned.made_again = looked.made_again


def _leave_sets_alone(device: IpsetSets) -> None:
    """ipset's are made when they are missing: here they count as empty."""
    listed = device.listed

    def listed_if_there(name: str) -> Iterator[str]:
        try:
            yield from listed(name)
        except DeviceRefused:
            return

    def prepare(needed: Mapping[str, int]) -> str:
        """None is made, and none is made larger."""
        return ""

    device.listed = listed_if_there  # type: ignore[method-assign]
    device.prepare = prepare  # type: ignore[method-assign]


def _in_order(texts: Texts) -> Iterator[str]:
    for name in sorted(texts):
        for text in sorted(texts[name]):
            address, dot, rest = text.partition(" . ")
            number, more, port = rest.partition(" . ")
            yield f"{name} {address}{dot}{PROTOCOLS.get(number, number)}{more}{port}"


def _plan_file(target: FileTarget, moment: Moment, planned: Planned) -> None:
    with tempfile.TemporaryFile(dir=scratch()) as new:
        write_rendered(new, target, moment.rows, moment.head)
        new.seek(0)
        if target.kind in BINARY:
            planned.unit = "files"
            same = _digest(new) == _digest_of(target.path)
            planned.note(added=() if same else [str(target.path)])
            return
        planned.unit = "lines"
        try:
            with target.path.open("rb") as old:
                _compare(old, new, planned)
        except OSError:
            planned.note(added=map(_shown, new))


def _compare(old: IO[bytes], new: IO[bytes], planned: Planned) -> None:
    """By the digest of each line, 8 bytes of it: two million lines take about a hundred megabytes."""
    stands: dict[bytes, int] = {}
    for line in old:
        key = _key(line)
        stands[key] = stands.get(key, 0) + 1
    for line in new:
        key = _key(line)
        left = stands.get(key, 0)
        if not left:
            planned.note(added=[_shown(line)])
        elif left == 1:
            del stands[key]
        else:
            stands[key] = left - 1
    old.seek(0)
    for line in old:
        key = _key(line)
        if stands.get(key, 0):
            stands[key] -= 1
            planned.note(removed=[_shown(line)])


def _key(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=8).digest()


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()[:200]


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _digest_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _digest(file)
    except OSError:
        return ""


def scratch() -> str | None:
    """Where large files may lie for a while: often /tmp is in memory."""
    large = Path("/var/tmp")  # noqa: S108 - only files without a name, and folders that tempfile makes
    return str(large) if large.is_dir() else None


def plan_as_json(one: Planned) -> dict[str, Any]:
    return {
        "name": one.target,
        "kind": one.kind,
        "unit": one.unit,
        "added": one.added,
        "removed": one.removed,
        "first_added": one.first_added,
        "first_removed": one.first_removed,
        "made_again": one.made_again,
        "fault": one.fault.what if one.fault else None,
    }


def plan_in_words(planned: Sequence[Planned]) -> str:
    lines: list[str] = []
    for one in planned:
        if one.fault is not None:
            lines.append(f"  {one.target} ({one.kind}): {one.fault.what}\n    {one.fault.mend}")
            continue
        if one.made_again:
            lines.append(f"  {one.target} ({one.kind}): {one.made_again}")
        elif not one.added and not one.removed:
            lines.append(f"  {one.target} ({one.kind}): nothing would change")
        if not one.added and not one.removed:
            continue
        lines.append(f"  {one.target} ({one.kind}): {one.added} {one.unit} would come, {one.removed} would go")
        for sign, shown, of in (("+", one.first_added, one.added), ("-", one.first_removed, one.removed)):
            lines += [f"    {sign} {text}" for text in shown]
            lines += [f"    {sign} and {of - len(shown)} more"] if of > len(shown) else []
    return "\n".join(lines)
