"""A message centre (SMSC) that speaks SMPP 3.4 on loopback and does as it is told.

It is made from the specification and not from the library that our side uses: two that err alike would agree.
"""

import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SUBMIT, DELIVER, BIND, UNBIND, ENQUIRE = 0x00000004, 0x00000005, 0x00000009, 0x00000006, 0x00000015
ANSWER = 0x80000000


@dataclass
class Submitted:
    """One part as it came over the line."""

    source: str
    destination: str
    esm_class: int
    data_coding: int
    registered: int
    content: bytes
    reference: str

    @property
    def header(self) -> bytes:
        return self.content[: self.content[0] + 1] if self.esm_class & 0x40 else b""

    @property
    def text(self) -> str:
        body = self.content[len(self.header) :]
        return body.decode("utf-16-be") if self.data_coding == 8 else body.decode("ascii")


@dataclass
class MessageCentre:
    port: int
    password: str = "sample-1"
    statuses: deque[int] = field(default_factory=deque)  # answers to submit_sm in turn, then 0
    silent: bool = False  # takes parts and never answers
    hang_up: bool = False  # takes parts and closes the line
    slow_report: bool = False
    taken: list[Submitted] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    binds: int = 0

    def __post_init__(self) -> None:
        self._lines: list[socket.socket] = []
        self._number = 0x1F00
        self._lock = threading.Lock()
        self.heard = threading.Condition()

    # -- what a test does ------------------------------------------------------------------------------------------

    def report(self, reference: str, state: str = "DELIVRD", error: str = "000", *, parameters: bool = False) -> None:
        """A delivery receipt over the newest line: in the text, as most centres do, or in parameters as well."""
        shown = str(int(reference, 16)) if self.slow_report else reference
        text = (
            f"id:{shown} sub:001 dlvrd:001 submit date:2611100932 done date:2611100933 stat:{state} err:{error} text:"
        )
        body = b"\0\1\1" + b"923001234567\0" + b"\5\0Rahdari\0" + b"\4\0\0" + b"\0\0" + b"\0\0\0\0"
        body += bytes((len(text),)) + text.encode()
        if parameters:
            number = {"DELIVRD": 2, "UNDELIV": 5, "ACCEPTD": 6}[state]
            body += struct.pack(">HHB", 0x0427, 1, number)
            body += struct.pack(">HH", 0x001E, len(reference) + 1) + reference.encode() + b"\0"
        with self._lock:
            self._number += 1
            self._send(self._lines[-1], DELIVER, 0, self._number, body)

    def drop_lines(self) -> None:
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def wait_for_confirmations(self, count: int) -> bool:
        with self.heard:
            return self.heard.wait_for(lambda: len(self.confirmed) >= count, timeout=60)

    # -- the protocol ----------------------------------------------------------------------------------------------

    @staticmethod
    def _send(line: socket.socket, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        line.sendall(struct.pack(">LLLL", len(body) + 16, command, status, sequence) + body)

    def serve(self, line: socket.socket) -> None:
        try:
            with line, line.makefile("rb") as incoming:
                while len(head := incoming.read(16)) == 16:
                    length, command, status, sequence = struct.unpack(">LLLL", head)
                    self._answer(line, command, status, sequence, incoming.read(length - 16))
                    if command == UNBIND or (command == SUBMIT and self.hang_up):
                        # The line may be read by the other side's library only until it ends.
                        line.shutdown(socket.SHUT_RDWR)
                        return
        except OSError:
            return

    def _answer(self, line: socket.socket, command: int, status: int, sequence: int, body: bytes) -> None:
        if command == BIND:
            system_id, password = body.split(b"\0")[:2]
            known = password.decode() == self.password and system_id == b"rahdari"
            self.binds += known
            self._send(line, BIND | ANSWER, 0 if known else 0x0E, sequence, b"centre\0" if known else b"")
            if known:
                self._lines.append(line)
        elif command == ENQUIRE:
            self._send(line, ENQUIRE | ANSWER, 0, sequence)
        elif command == SUBMIT:
            answer = self.statuses.popleft() if self.statuses else 0
            with self._lock:
                self._number += 1
                reference = f"{self._number:x}"
            if answer == 0:
                self.taken.append(self._read(body, reference))
            if not self.silent and not self.hang_up:
                self._send(line, SUBMIT | ANSWER, answer, sequence, b"" if answer else reference.encode() + b"\0")
        elif command == UNBIND:
            self._send(line, UNBIND | ANSWER, 0, sequence)
        elif command == DELIVER | ANSWER:
            with self.heard:
                self.confirmed.append(status)
                self.heard.notify_all()

    @staticmethod
    def _read(body: bytes, reference: str) -> Submitted:
        _service, _, rest = body.partition(b"\0")
        source, _, rest = rest[2:].partition(b"\0")
        destination, _, rest = rest[2:].partition(b"\0")
        esm_class = rest[0]
        _schedule, _, rest = rest[3:].partition(b"\0")
        _validity, _, rest = rest.partition(b"\0")
        registered, _replace, data_coding, _default, length = rest[:5]
        return Submitted(
            source.decode(), destination.decode(), esm_class, data_coding, registered, rest[5 : 5 + length], reference
        )


@contextmanager
def at_work(centre: MessageCentre) -> Iterator[MessageCentre]:
    with socket.create_server(("127.0.0.1", centre.port)) as listening:

        def accept() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=centre.serve, args=(line,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield centre
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            centre.drop_lines()
