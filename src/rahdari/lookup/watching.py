"""Waiting until a file is put in place in one of the folders, by word of the kernel (inotify(7)). Linux.

Elsewhere, and for what the kernel does not tell, the wait ends after a while by itself.
"""

import os
import select
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from inotify_simple import INotify, flags

IN_PLACE = flags.MOVED_TO | flags.CLOSE_WRITE | flags.ONLYDIR
SWEEP_SECONDS = 1.0
QUICK_SWEEP_SECONDS = 0.1


class Wait:
    """What it holds of the system goes back with it: a user may have 128 such instances (inotify(7)), all processes
    together.
    """

    def __init__(self) -> None:
        self._ended, self._end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._watched: dict[Path, int] = {}
        self._sweep_at = 0.0
        self._notices: INotify | None = None
        with suppress(OSError, AttributeError):  # no inotify on this system, or none left
            self._notices = INotify(nonblocking=True)
        self._give_back = weakref.finalize(self, _close, self._ended, self._end, self._notices)
        # The process ends under a thread that waits: it would find them closed, again and again.
        self._give_back.atexit = False

    def watch(self, folders: Iterable[Path]) -> None:
        """These and no others; one that is not there is left to the next sweep."""
        wanted = set(folders)
        if self._notices is None:
            return
        for gone in self._watched.keys() - wanted:
            with suppress(OSError):  # it ended with its folder
                self._notices.rm_watch(self._watched.pop(gone))
        for folder in wanted:
            # Said anew each time: a folder may have been replaced by another of its name.
            self._watched.pop(folder, None)
            with suppress(OSError):
                self._watched[folder] = self._notices.add_watch(folder, IN_PLACE)

    def for_something(self) -> set[Path] | None:
        """The folders in which something was put in place; None when it is time to look at all of them."""
        if self._notices is None:
            select.select([self._ended], [], [], QUICK_SWEEP_SECONDS)
            return None
        left = max(self._sweep_at - time.monotonic(), 0.0)
        ready, _, _ = select.select([self._notices, self._ended], [], [], left)
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            self._read()
            return None
        return self._read() if self._notices in ready else set()

    def _read(self) -> set[Path] | None:
        folders = {watch: folder for folder, watch in self._watched.items()}
        assert self._notices is not None  # noqa: S101
        events = list(self._notices.read(timeout=0))
        if any(event.mask & flags.Q_OVERFLOW for event in events):
            return None
        return {folders[event.wd] for event in events if event.wd in folders}

    def end(self) -> None:
        """Whoever waits, waits no longer. From any thread."""
        with suppress(OSError):
            os.write(self._end, b"\n")

    def close(self) -> None:
        """Now, and never twice: the numbers are soon somebody else's."""
        self._give_back()


def _close(ended: int, end: int, notices: INotify | None) -> None:
    os.close(ended)
    os.close(end)
    if notices is not None:
        notices.close()
