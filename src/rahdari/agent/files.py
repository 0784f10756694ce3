"""Files for devices and programs to read.

A file is written beside its place, flushed to the disk and moved there: a reader finds the old file or the new one,
whole. It is written as a stream, whatever its size. NAME.meta.json beside it tells which edition it holds, and what of
an entry it cannot say. Above the capacity of its device a list is first merged, exactly, and else refused.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import IO, Any

from rahdari.feed.terms import TERMS

from .configuration import FileTarget
from .faults import AgentFault, Exit
from .renderers import RENDERERS
from .renderers.renderer import ANY_PROTOCOL, PURPOSE, Head, Renderer, Row
from .renderers.shaping import aggregated, aggregated_ends, ends, prefixes, regions

PIECES = 4_096
PIECE_BYTES = 1 << 20

type Rows = Callable[[], Iterator[Row]]


class FileNotWritten(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} could not be written: {error.strerror}. The file that was there is still there.",
            "Make room, or let the agent's user write to this folder.",
        )


class OverCapacity(AgentFault):
    """Nothing was left out and nothing was changed."""

    exit = Exit.NOT_APPLIED

    def __init__(self, name: str, capacity: int, needed: int) -> None:
        super().__init__(
            f"{name} holds {capacity} at most and {needed} are needed, also when all that can be merged is merged. It "
            "was left as it was: what came since is not protected there.",
            "If the device holds more, say so in `capacity`; else divide its networks over several devices.",
        )
        self.capacity, self.needed = capacity, needed


class NotRendered(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} was left as it was: {why}.", "Tell the authority: such an entry should not be in the feed."
        )


@dataclass
class Rendered:
    """`items` are what the device counts, `v6` of them of IPv6."""

    sha256: str = ""
    items: int = 0
    v6: int = 0
    merged: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"sha256": self.sha256, "items": self.items, "v6": self.v6, "merged": self.merged}


def render_to(target: FileTarget, rows: Rows, head: Head) -> Rendered:
    """Raises FileNotWritten, OverCapacity, NotRendered; the file that is there is then as it was."""
    renderer = RENDERERS[target.kind]
    # One name: what a killed agent left there is overwritten. The state's lock keeps a second agent away.
    beside = target.path.with_name(f".{target.path.name}.new")
    try:
        with open_new(beside) as file:
            try:
                rendered = write_rendered(file, target, rows, head)
            except ValueError as error:
                raise NotRendered(target.path, str(error)) from error
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target.path)
        meta = target.path.with_name(f"{target.path.name}.meta.json")
        with open_new(beside) as file:
            file.write((json.dumps(_meta(target, renderer, rendered, head), indent=1) + "\n").encode())
        beside.replace(meta)
        folder = os.open(target.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise FileNotWritten(target.path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()
    return rendered


def write_rendered(file: IO[bytes], target: FileTarget, rows: Rows, head: Head) -> Rendered:
    """Raises OverCapacity."""
    renderer = RENDERERS[target.kind]
    try:
        return _write(file, renderer, _Counting(renderer.takes, rows, target, merge=False), head, target)
    except _TooMany:
        pass
    if renderer.takes not in {"prefixes", "ends"}:
        raise _over_capacity(target, _Counting(renderer.takes, rows, None))
    file.seek(0)
    file.truncate()
    try:
        return _write(file, renderer, _Counting(renderer.takes, rows, target, merge=True), head, target)
    except _TooMany:
        raise _over_capacity(target, _Counting(renderer.takes, rows, None, merge=True)) from None


def _over_capacity(target: FileTarget, items: Iterable[object]) -> OverCapacity:
    return OverCapacity(target.name, target.capacity or 0, sum(1 for _ in items))


class _TooMany(Exception): ...


@dataclass
class _Counting:
    """What the renderer is given, counted while it passes. Raises _TooMany above the target's capacity."""

    takes: str
    rows: Rows
    target: FileTarget | None
    merge: bool = False
    items: int = field(default=0, init=False)
    v6: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Any]:
        most = self.target.capacity if self.target else None
        for item in self._shaped():
            self.items += 1
            if self.takes == "prefixes":
                self.v6 += ":" in item
            if most is not None and self.items > most:
                raise _TooMany
            yield item

    def _shaped(self) -> Iterable[Any]:
        rows = self.rows()
        match self.takes:
            case "prefixes":
                return aggregated(prefixes(rows)) if self.merge else prefixes(rows)
            case "ends":
                return aggregated_ends(ends(rows)) if self.merge else ends(rows)
            case "regions":
                return regions(rows)
        return rows


def _write(file: IO[bytes], renderer: Renderer, items: _Counting, head: Head, target: FileTarget) -> Rendered:
    digest = hashlib.sha256()
    options = {name: option.default for name, option in renderer.options.items()} | dict(target.options)
    for some in batched(renderer.render(items, head, options), PIECES):
        piece = b"".join(one.encode() if isinstance(one, str) else one for one in some)
        digest.update(piece)
        file.write(piece)
    return Rendered(digest.hexdigest(), items.items, items.v6, items.merge)


def _meta(target: FileTarget, renderer: Renderer, rendered: Rendered, head: Head) -> dict[str, Any]:
    return {
        "format": "1.0",
        "purpose": PURPOSE,
        "terms": TERMS,
        "kind": target.kind,
        "streams": head.as_json(),
        "rendered_at": head.rendered_at,
        "sha256": rendered.sha256,
        "items": rendered.items,
        "capacity": target.capacity,
        "merged": rendered.merged,
        "ports": renderer.knows_ports,
        "note": "" if renderer.knows_ports else ANY_PROTOCOL,
    }


def open_new(path: Path) -> IO[bytes]:
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o644), "w+b")


def digest_in_place(target: FileTarget) -> str:
    """The digest of what stands there now, or nothing."""
    digest = hashlib.sha256()
    try:
        with target.path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()
