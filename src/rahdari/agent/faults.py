"""What can go wrong, for a person at a terminal and for a program that reads the exit code.

Each fault is a class beside the code that finds it. It says what happened and how to mend it.
"""

import datetime as dt
from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    OK = 0
    ALARM = 1
    USAGE = 2
    UNTRUSTED = 3
    NOT_APPLIED = 4
    NO_NETWORK = 5
    STATE = 6
    NOT_REGISTERED = 7
    CUTS = 8


# Of several faults at once, the one that a person must look at first gives the exit code.
GRAVEST_FIRST = (Exit.UNTRUSTED, Exit.STATE, Exit.USAGE, Exit.NOT_APPLIED, Exit.ALARM, Exit.NO_NETWORK)


class AgentFault(Exception):
    """`.what` happened, `.mend` says what to do about it, `.exit` is the exit code."""

    exit: ClassVar[Exit]

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what, self.mend = what, mend

    @property
    def name(self) -> str:
        return type(self).__name__

    def __str__(self) -> str:
        return f"{self.what} {self.mend}"


def gravest(exits: "list[Exit]") -> Exit:
    return next((code for code in GRAVEST_FIRST if code in exits), Exit.OK)


def in_words(span: dt.timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"
