"""Word from the kernel that a file was put in place (inotify(7)), through the C library. Linux only."""

import ctypes
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOVED_TO, _CLOSE_WRITE, _ONLYDIR, _OVERFLOW, _IGNORED = 0x80, 0x8, 0x01000000, 0x4000, 0x8000
_HEAD = struct.Struct("iIII")
_READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Notice:
    """A file of this name is in place in that folder; `lost` when notices were dropped, `ended` with the folder."""

    watch: int
    name: str
    lost: bool = False
    ended: bool = False


class Notices:
    """Watches on folders. Raises OSError where there is no inotify."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError("this system has no inotify")
        self.descriptor = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def watch(self, folder: Path) -> int:
        """The number of the watch, the same when there is one already. Raises OSError."""
        mask = _MOVED_TO | _CLOSE_WRITE | _ONLYDIR
        return self._checked(self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), mask))

    def forget(self, watch: int) -> None:
        self._libc.inotify_rm_watch(self.descriptor, watch)

    def read(self) -> Iterator[Notice]:
        """What has come, without waiting."""
        try:
            content = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        at = 0
        while at + _HEAD.size <= len(content):
            watch, mask, _, length = _HEAD.unpack_from(content, at)
            name = content[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
            at += _HEAD.size + length
            yield Notice(watch, os.fsdecode(name), bool(mask & _OVERFLOW), bool(mask & _IGNORED))

    def close(self) -> None:
        os.close(self.descriptor)

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
