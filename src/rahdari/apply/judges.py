"""Processes that judge files, one for each file, forked from one that stands ready.

To start Python and to import and try what reads pictures takes three quarters of the processor time of judging a photo.
The one that stands ready has done so before; it is started with the first file. It takes no file itself, but the end of
a socket, with which it forks the judge: that one reads the file from it and answers through it.

Invariants: whoever forks has seen no file, so a judge has seen its own and no other; a judge holds that socket and
nothing else; its time is limited from its first moment. The one that stands ready ends with whoever started it, when
nothing came for a while, and after so many files: all judges that it forks have the same layout of memory, which
somebody who tries out a fault of a decoder shall not have time to learn. No Django here.
"""

import os
import signal
import socket
import subprocess  # our own interpreter and module, no shell
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

FILES, IDLE = 50, 300.0
_BEGAN = b"\x01"


class Judges:
    """The side of whoever has files. `command` starts the one that stands ready, which has its end of the line as its
    standard input."""

    def __init__(
        self, command: Sequence[str], environment: Callable[[], Mapping[str, str]], files: int = FILES
    ) -> None:
        self._command, self._environment, self._files = command, environment, files
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._left = self._owner = 0
        self._started: list[subprocess.Popen[bytes]] = []

    def judge(self, kind: bytes, given: bytes, *, patience: float) -> bytes:
        """What the judge answers to what is given; less of it, or nothing, where it died of that. `kind`, one byte, is
        what the ready one prepares for. Raises TimeoutError; OSError where none can be started."""
        until = time.monotonic() + patience
        for _ in range(2):
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    self._hand_over(kind, theirs)
                ours.settimeout(patience)
                # One that ended before it forked, as the idle one does, is not the fault of the file.
                if ours.recv(1) == _BEGAN:
                    return _answer(ours, given, until)
        raise OSError("no process that judges files could be started")

    def close(self) -> None:
        """Whoever stands ready ends, when those under way are done."""
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None
            for each in self._started:
                each.wait()

    def _hand_over(self, kind: bytes, theirs: socket.socket) -> None:
        with self._lock:
            if self._line is not None and self._left and self._owner == os.getpid():
                self._left -= 1
                with suppress(BrokenPipeError, ConnectionResetError):
                    socket.send_fds(self._line, [kind], [theirs.fileno()])
                    return
            self._line = self._start()
            self._left, self._owner = self._files - 1, os.getpid()
            socket.send_fds(self._line, [kind], [theirs.fileno()])

    def _start(self) -> socket.socket:
        if self._line is not None:
            self._line.close()
        # Those of before end by themselves; asked for their end they leave no row in the system's table.
        self._started = [each for each in self._started if each.poll() is None]
        ours, theirs = socket.socketpair()
        with theirs:
            self._started.append(
                subprocess.Popen(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=self._environment(),
                )
            )
        return ours


def _answer(ours: socket.socket, given: bytes, until: float) -> bytes:
    pieces = []
    with suppress(BrokenPipeError, ConnectionResetError):
        ours.settimeout(max(until - time.monotonic(), 0.001))
        ours.sendall(given)
        ours.shutdown(socket.SHUT_WR)
        while True:
            ours.settimeout(max(until - time.monotonic(), 0.001))
            piece = ours.recv(1 << 20)
            if not piece:
                break
            pieces.append(piece)
    return b"".join(pieces)


def stand_ready(
    prepare: Callable[[bytes], object], judge: Callable[[int], object], *, patience: int, idle: float = IDLE
) -> None:
    """Fork a judge for each end of a socket that comes by standard input, until none comes any more."""
    signal.signal(signal.SIGCHLD, _forget_who_ended)
    ready: set[bytes] = set()
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as line, suppress(TimeoutError):
        os.close(sys.stdin.fileno())
        while True:
            line.settimeout(idle)
            kind, files, _, _ = socket.recv_fds(line, 1, 1)
            if not files:
                break
            if kind not in ready:
                prepare(kind)
                ready.add(kind)
            if os.fork() == 0:
                line.close()
                _judge(files[0], judge, patience)
            os.close(files[0])
    # Those under way come to their end.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _forget_who_ended(*_: object) -> None:
    """Not by the kernel alone, which would count the time that they took for nobody."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _judge(file: int, judge: Callable[[int], object], patience: int) -> NoReturn:
    """Whatever happens, this process does not go on as the one that it was forked from."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.alarm(patience)
        os.write(file, _BEGAN)
        judge(file)
        os._exit(0)
    finally:
        os._exit(1)
