"""Telling a running BIRD of new routes, and asking it what it holds, through its control socket.

BIRD reads the whole file and changes over in one step; what it cannot read it refuses, and goes on with what it has.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .faults import AgentFault, Exit
from .programs import DeviceRefused, NotReadBack

PATIENCE_SECONDS = 60
# Read back one by one; the number of routes is compared in any case.
ASKED = 20
# Reconfigured; reconfiguration in progress (the routes follow at once).
TAKEN = {"0003", "0004"}
_COUNT = re.compile(r"^(\d+) of \d+ routes for")


class BirdNotThere(AgentFault):
    exit = Exit.NOT_APPLIED

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"BIRD does not answer at {path}: {error.strerror or error}.",
            "Start BIRD, or mend `control` of this target; let the agent's user be in BIRD's group.",
        )


class Bird:
    def __init__(self, control: Path, tables: tuple[str, str]) -> None:
        self.control, self.tables = control, tables

    def reconfigure(self) -> None:
        """Raises BirdNotThere, DeviceRefused."""
        with self._asking() as bird:
            for code, text in bird.ask("configure"):
                if code in TAKEN:
                    return
                if code >= "8000":
                    raise DeviceRefused("bird", text)
        raise DeviceRefused("bird", "it did not say that it took the file")

    def counts(self) -> tuple[int, int]:
        with self._asking() as bird:
            found = []
            for table in self.tables:
                lines = [text for _, text in bird.ask(f"show route count table {table}")]
                numbers = [int(match[1]) for text in lines if (match := _COUNT.match(text))]
                if not numbers:
                    raise DeviceRefused("bird", lines[-1] if lines else f"nothing about the table {table}")
                found.append(numbers[0])
            return found[0], found[1]

    def confirm(self, *, counts: tuple[int, int], prefixes: Mapping[str, bool]) -> None:
        """`prefixes`: whether each of these stands in its table. Raises NotReadBack."""
        if self.counts() != counts:
            raise NotReadBack(f"the tables {' and '.join(self.tables)}")
        with self._asking() as bird:
            for prefix, stands in list(prefixes.items())[:ASKED]:
                table = self.tables[":" in prefix]
                said = [code for code, _ in bird.ask(f"show route {prefix} table {table}")]
                if ("1007" in said) is not stands:
                    raise NotReadBack(f"the table {table} ({prefix})")

    @contextmanager
    def _asking(self) -> Iterator["_Control"]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(PATIENCE_SECONDS)
                connection.connect(str(self.control))
                with connection.makefile("rw", encoding="utf-8", errors="replace", newline="\n") as file:
                    control = _Control(file)
                    control.answer()
                    yield control
        except OSError as error:
            raise BirdNotThere(self.control, error) from None


class _Control:
    """One connection: each line has a code; a blank after it ends the answer, a hyphen says that more comes."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def ask(self, command: str) -> list[tuple[str, str]]:
        self._file.write(f"{command}\n")
        self._file.flush()
        return self.answer()

    def answer(self) -> list[tuple[str, str]]:
        said: list[tuple[str, str]] = []
        code = "0000"
        while line := self._file.readline():
            line = line.rstrip("\n")
            if line[:4].isdigit():
                code, text = line[:4], line[5:]
                said.append((code, text))
                if line[4:5] == " ":
                    return said
            else:
                said.append((code, line[1:]))
        raise OSError(None, "it ended the conversation")
