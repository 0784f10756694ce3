"""Bringing a file into line, and whatever reads it: BIRD through its socket, others by a command of the operator's."""

import datetime as dt
import json
import time
from collections.abc import Set
from pathlib import Path
from typing import Any

from rahdari.feed.entry import parse_time

from .bird_table import Bird
from .configuration import FileTarget
from .faults import AgentFault, Exit
from .files import Rendered, digest_in_place, render_to
from .pending_changes import Moment
from .programs import DeviceRefused, Program
from .renderers import RENDERERS
from .renderers.bird import tables
from .state import ChangedPoint

# A file takes a fifth of the time at most: after it took one second to write, four pass before the next.
PAUSES = 4
QUICK_SECONDS = 0.25


class CommandFailed(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, name: str, said: str) -> None:
        super().__init__(
            f"The file of {name} was written, and the command in `then` failed: {said}.",
            "Run it by hand as the agent's user; it is tried again.",
        )


class FilePlace:
    """One file, while the process lives."""

    def __init__(self, target: FileTarget) -> None:
        self.target = target
        self._not_before = 0.0
        self.is_behind = False
        options = {name: option.default for name, option in RENDERERS[target.kind].options.items()}
        options |= dict(target.options)
        self._bird = Bird(Path(options["control"]), tables(options)) if target.kind == "bird" else None
        self._then = Program(target.then, install="") if target.then else None

    @property
    def wait(self) -> float:
        """Seconds until it may be written again."""
        return max(self._not_before - time.monotonic(), 0.0)

    def is_due(self, content: dict[str, Any], now: dt.datetime) -> bool:
        """Whether it is to be written anew though nothing changed."""
        after = RENDERERS[self.target.kind].renew_seconds
        at = content.get("rendered_at")
        return after is not None and (at is None or now - parse_time(at) >= dt.timedelta(seconds=after))

    def is_whole(self, content: dict[str, Any]) -> bool:
        """Whether what stands there is what was written last. Raises AgentFault."""
        if digest_in_place(self.target) != content.get("sha256"):
            return False
        return self._bird is None or self._bird.counts() == _counts(content)

    def put(self, moment: Moment, changed: Set[ChangedPoint] | None) -> Rendered:
        """Raises AgentFault."""
        started = time.monotonic()
        rendered = render_to(self.target, moment.rows, moment.head)
        if self._bird is not None:
            self._bird.reconfigure()
            # Merged routes have other prefixes than the entries: then only their number is compared.
            points = set() if changed is None or rendered.merged else {point.prefix for point in changed}
            standing = {row.prefix for row in moment.standing(points)}
            self._bird.confirm(
                counts=_counts(rendered.as_json()), prefixes={prefix: prefix in standing for prefix in sorted(points)}
            )
        if self._then is not None:
            try:
                self._then.run()
            except DeviceRefused as fault:
                raise CommandFailed(self.target.name, fault.output.strip().partition("\n")[0].rstrip(".")) from None
        ended = time.monotonic()
        took = ended - started
        pause = max(float(self.target.every_seconds), took * PAUSES if took > QUICK_SECONDS else 0.0)
        self._not_before = ended + pause
        self.is_behind = False
        return rendered


def _counts(content: dict[str, Any]) -> tuple[int, int]:
    v6 = int(content.get("v6", 0))
    return int(content.get("items", 0)) - v6, v6


def read_content(text: str) -> dict[str, Any]:
    """What a marker says of a file; nothing when it is of an earlier form."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
