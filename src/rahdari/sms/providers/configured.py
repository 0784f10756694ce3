"""The providers of this installation, made once for each process, and anew when their file is another."""

import threading
from pathlib import Path

from . import Provider, Told
from .configuration import make, printed, read

_lock = threading.Lock()
_made: tuple[object, list[Provider]] | None = None


def providers(*, path: Path, printed_into: Path | None, told: Told) -> list[Provider]:
    """In the order in which they are asked. Raises ConfigurationError."""
    global _made
    with _lock:
        version = (str(path), path.stat().st_mtime_ns if path.exists() else None, str(printed_into))
        if _made is not None and _made[0] == version:
            return _made[1]
        found = [make(one, told=told) for one in read(path)]
        if not found and printed_into is not None:
            found = [printed(printed_into, told=told)]
        if _made is not None:
            for old in _made[1]:
                old.close()
        _made = (version, found)
        return found


def close() -> None:
    """End every session: at the end of the process."""
    global _made
    with _lock:
        for one in _made[1] if _made is not None else []:
            one.close()
        _made = None
