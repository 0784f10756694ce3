"""Waiting for a condition: the one place where tests look again after a moment. Nothing waits for a length of time."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE = 60.0
BETWEEN_LOOKS = 0.02


def until(condition: Callable[[], object], log: Path | None = None, *, patience: float = PATIENCE) -> None:
    """Return once the condition holds; fail after so many seconds, with what the process wrote into its log."""
    ends = time.monotonic() + patience
    while not condition():
        if time.monotonic() > ends:
            said = f"; the process said:\n{log.read_text()}" if log is not None else ""
            pytest.fail(f"waited in vain{said}")
        threading.Event().wait(BETWEEN_LOOKS)
