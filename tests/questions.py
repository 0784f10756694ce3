"""Keeps, from test to test, the text of what the workflow asks of all its queues at once (`db.gate`).

A call of `workflow.advance` without `rounds` makes it anew: a third of what the call costs, and thousands of tests call
it. The query of a queue is made of the rules in force and of the time, which is a parameter in nearly all: one whose
text is the same days and weeks later is kept, for these rules. One that was made of what a table said is not kept, and
what is made while a test has something patched is kept for that test. Where everything is asked for, what was kept is
made anew its first times in each process, and compared.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from rahdari.apply import queries as applications
from rahdari.db import gate
from rahdari.db.queues import Queue

LATER = (dt.timedelta(days=2), dt.timedelta(days=40, hours=7))
START = "SELECT "
make = gate._text_of


@dataclass
class Question:
    text: str
    # Held, so that no other policy gets its place in memory.
    under: Any
    compared: int = 0


# By queue, what is patched, rules, and time; None where it is the same at any time.
_kept: dict[Any, Question] = {}


def text_of(queues: Iterable[gate.Waits], now: Any) -> str:
    under, around = applications.policy_in_force(), Kept.patched()
    return START + ", ".join(_part(queue, around, now, under) for queue in queues)


def _part(queue: gate.Waits, around: Any, now: Any, under: Any) -> str:
    for which in ((queue, around, id(under), None), (queue, around, id(under), now)):
        if (kept := _kept.get(which)) is not None:
            if kept.compared < Kept.compared and not around:
                kept.compared += 1
                if (made := _made(queue, now)[0]) != kept.text:
                    # No error that the workflow would count and leave behind.
                    pytest.fail(f"It is made of something else than rules and time:\n{made}\n{kept.text}")
            return kept.text
    text, of_tables = _made(queue, now)
    if not of_tables:
        always = not around and all(_made(queue, gate._Moment.of(now + later)) == (text, False) for later in LATER)
        _kept[queue, around, id(under), None if always else now] = Question(text, under)
    return text


def _made(queue: gate.Waits, now: Any) -> tuple[str, bool]:
    """Its text, and whether a table was read for it."""
    reads = 0

    def count(execute: Any, *asked: Any) -> Any:
        nonlocal reads
        reads += 1
        return execute(*asked)

    with connection.execute_wrapper(count):
        text = make([queue], now).removeprefix(START)
    return text, reads > 0 or not isinstance(queue, Queue | gate.Batch)


class Kept:
    """A plugin of pytest. So many times what was kept is made anew, and compared."""

    item: Any = None
    compared = 0

    def __init__(self, *, compared: int) -> None:
        Kept.compared = compared

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        Kept.item = item

    @classmethod
    def patched(cls) -> str:
        """What the test that runs has patched by now; nothing if it has patched nothing."""
        given = getattr(cls.item, "funcargs", {})
        patches = [patch for patch in given.values() if isinstance(patch, pytest.MonkeyPatch) and patch._setattr]
        settings = getattr(given.get("settings"), "_to_restore", ())
        made = sum(len(patch._setattr) for patch in patches) + len(settings)
        return f"{made} in {cls.item.nodeid}" if made else ""


gate._text_of = text_of
