"""What the rehearsals of a bad day have in common: each step said with its seconds, and the figures kept."""

import datetime as dt
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rahdari import __version__
from rahdari.ops.errors import Told


class Differs(Told):
    """What came back is not what was. `.differences` are lines."""

    def __init__(self, about: str, differences: list[str]) -> None:
        super().__init__(f"{about}: what came back is not what was.\n" + "\n".join(f"  {line}" for line in differences))
        self.differences = differences


class Report:
    """Lines of (what, what came of it), and the seconds that each took. `versions` are of the programs used."""

    def __init__(self, say: Callable[[str], None], **versions: str) -> None:
        self.say = say
        self.lines: list[tuple[str, str, float]] = []
        self._began = time.monotonic()
        self._conditions: dict[str, Any] = {
            "rahdari": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 2),
            "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        } | versions

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        told: list[str] = []
        began = time.monotonic()
        yield told
        took = time.monotonic() - began
        self.lines.append((what, " ".join(told), took))
        self.say(f"{took:6.1f} s  {what}{': ' if told else ''}{' '.join(told)}")

    def end(self, words: str, json_file: Path | None, **figures: Any) -> None:
        took = time.monotonic() - self._began
        self.say(f"{took:6.1f} s  in all. {words}")
        if json_file:
            rows = [{"what": what, "result": told, "seconds": round(seconds, 1)} for what, told, seconds in self.lines]
            conditions = self._conditions | {"load_after": round(os.getloadavg()[0], 2)}
            found = {"conditions": conditions, "rows": rows, **figures, "seconds": round(took, 1)}
            json_file.write_text(json.dumps(found, indent=1) + "\n")
