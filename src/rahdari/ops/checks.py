"""What `rahdari doctor` looks at, and what it says of one thing that it looked at."""

from dataclasses import dataclass
from pathlib import Path

from rahdari.ops import datafolder

OK, NOTE, WRONG = "ok", "note", "WRONG"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    state: str
    about: str
    text: str


@dataclass(frozen=True)
class Inspection:
    """What is looked at: a data folder, the environment of its processes, and where they listen."""

    data: Path
    environment: dict[str, str]
    host: str
    port: int
    settings_folder: Path = Path("/etc/rahdari")

    @property
    def is_demo(self) -> bool:
        return self.environment.get("DJANGO_SETTINGS_MODULE") == datafolder.SETTINGS[datafolder.DEMO]

    @property
    def is_running(self) -> bool:
        return datafolder.is_locked(self.data)
