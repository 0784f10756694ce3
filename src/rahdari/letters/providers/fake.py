"""Providers of the demonstration and of tests: nothing leaves this machine."""

import datetime as dt
import sys
import threading
from collections import deque
from pathlib import Path

from rahdari.letters import segments

from . import Accepted, Outcome, Report, Text, Told


class PrintedProvider:
    """Shows each message in the terminal and keeps it in a folder, as the demonstration's mail is."""

    def __init__(self, *, name: str, folder: Path, told: Told) -> None:
        self.name, self.folder, self.told = name, folder, told

    def send(self, text: Text, *, now: dt.datetime) -> Outcome:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        parts = segments.count(text.body)
        (self.folder / f"{text.id}.txt").write_text(f"{text.to}\n\n{text.body}\n")
        lines = [f"SMS to   {text.to}", "", *text.body.split("\n")]
        sys.stdout.write("\n".join(f"│ {line}" for line in lines) + "\n")
        sys.stdout.flush()
        references = tuple(f"{text.id}-{number}" for number in range(1, parts + 1))
        return Accepted(references, parts)

    def listen(self, *, now: dt.datetime) -> None:
        """A telephone in a folder is always switched on: what was kept is delivered."""
        for path in sorted(self.folder.glob("*.txt")) if self.folder.is_dir() else []:
            for number in range(1, segments.count(path.read_text().partition("\n\n")[2].removesuffix("\n")) + 1):
                self.told(self.name, Report(f"{path.stem}-{number}", "delivered"), now)
            path.rename(path.with_suffix(".delivered"))

    def close(self) -> None:
        """Nothing is open."""


class ObedientProvider:
    """Answers as it was told to, in turn, then takes everything. `sent` is what it took."""

    def __init__(self, *, name: str, told: Told) -> None:
        self.name, self.told = name, told
        self.answers: deque[Outcome] = deque()
        self.sent: list[Text] = []
        self.asked = 0
        self._one = threading.Lock()

    def send(self, text: Text, *, now: dt.datetime) -> Outcome:
        with self._one:
            self.asked += 1
            answer = self.answers.popleft() if self.answers else None
            if answer is not None and not isinstance(answer, Accepted):
                return answer
            self.sent.append(text)
            parts = segments.count(text.body)
            return Accepted(tuple(f"{text.id}-{number}" for number in range(1, parts + 1)), parts)

    def listen(self, *, now: dt.datetime) -> None:
        """It reports when a test says so."""

    def report(self, text: Text, outcome: str, reason: str = "", *, now: dt.datetime) -> None:
        for number in range(1, segments.count(text.body) + 1):
            self.told(self.name, Report(f"{text.id}-{number}", outcome, reason), now)

    def close(self) -> None:
        """Nothing is open."""
