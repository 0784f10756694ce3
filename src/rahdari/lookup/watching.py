"""Waiting until a file is put in place in one of the folders, by word of the kernel (inotify(7)). Linux.

Elsewhere, and for what the kernel does not tell, the wait ends after a while by itself.
"""

import ctypes
import os
import select
import struct
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_MOVED_TO, _CLOSE_WRITE, _ONLYDIR, _OVERFLOW = 0x80, 0x8, 0x01000000, 0x4000
_HEAD = struct.Struct("iIII")
_LIBC = ctypes.CDLL(None, use_errno=True)

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
        self._notices = -1
        if hasattr(_LIBC, "inotify_init1"):
            self._notices = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._give_back = weakref.finalize(self, _close, self._ended, self._end, self._notices)

    def watch(self, folders: Iterable[Path]) -> None:
        """These and no others; one that is not there is left to the next sweep."""
        wanted = set(folders)
        if self._notices < 0:
            return
        for gone in self._watched.keys() - wanted:
            _LIBC.inotify_rm_watch(self._notices, self._watched.pop(gone))
        for folder in wanted:
            # Said anew each time: a folder may have been replaced by another of its name.
            watch = _LIBC.inotify_add_watch(self._notices, os.fsencode(folder), _MOVED_TO | _CLOSE_WRITE | _ONLYDIR)
            if watch >= 0:
                self._watched[folder] = watch
            else:
                self._watched.pop(folder, None)

    def for_something(self) -> set[Path] | None:
        """The folders in which something was put in place; None when it is time to look at all of them."""
        if self._notices < 0:
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
        try:
            content = os.read(self._notices, 64 * 1024)
        except BlockingIOError:
            return set()
        folders = {watch: folder for folder, watch in self._watched.items()}
        found, at = set(), 0
        while at < len(content):
            watch, mask, _, length = _HEAD.unpack_from(content, at)
            at += _HEAD.size + length
            if mask & _OVERFLOW:
                return None
            if watch in folders:
                found.add(folders[watch])
        return found

    def end(self) -> None:
        """Whoever waits, waits no longer. From any thread."""
        with suppress(OSError):
            os.write(self._end, b"\n")

    def close(self) -> None:
        """Now, and never twice: the numbers are soon somebody else's."""
        self._give_back()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)
