"""The provider of the demonstration: nothing leaves this machine."""

import datetime as dt
import sys
from pathlib import Path

from rahdari.sms import segments

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
