"""Keeps, from test to test, the text of what the workflow asks of all its queues at once (`db.gate`).

A call of `workflow.advance` without `rounds` makes it anew: a third of what the call costs, and thousands of tests call
it. The query of a queue is made of the rules in force and of the time, and of the time it is a parameter in nearly all:
one whose text was the same days apart is taken from then on, under the same rules. One that was made of what a table
said is not kept, and where something is patched the texts are those of that patch. Where everything is asked for all
are made, so that there nothing rests on this.
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

DAYS = dt.timedelta(days=2)
START = "SELECT "
make = gate._text_of


@dataclass
class Question:
    text: str
    made_at: dt.datetime
    # Held, so that no other policy gets its place in memory.
    under: Any
    of_tables: bool
    for_any_time: bool = False


_kept: dict[Any, Question] = {}


def text_of(queues: Iterable[gate.Waits], now: Any) -> str:
    under, patched = applications.policy_in_force(), Kept.patched()
    return START + ", ".join(_part((queue, patched), now, under) for queue in queues)


def _part(which: tuple[gate.Waits, Any], now: Any, under: Any) -> str:
    kept, (queue, _) = _kept.get(which), which
    if kept is None or kept.under is not under:
        _kept[which] = kept = _made(queue, now, under)
    elif kept.of_tables or not (kept.for_any_time or kept.made_at == now):
        made = _made(queue, now, under)
        if kept.of_tables or made.of_tables or made.text != kept.text:
            _kept[which] = kept = made
        kept.for_any_time = abs(kept.made_at - now) >= DAYS
    return kept.text


def _made(queue: gate.Waits, now: Any, under: Any) -> Question:
    reads = 0

    def count(execute: Any, *asked: Any) -> Any:
        nonlocal reads
        reads += 1
        return execute(*asked)

    with connection.execute_wrapper(count):
        text = make([queue], now).removeprefix(START)
    return Question(text, now, under, reads > 0 or not isinstance(queue, Queue | gate.Batch))


class Kept:
    """A plugin of pytest."""

    item: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        Kept.item = item

    @classmethod
    def patched(cls) -> frozenset[tuple[int, str]]:
        """What the test that runs has patched by now."""
        patch = getattr(cls.item, "funcargs", {}).get("monkeypatch")
        return frozenset((id(target), name) for target, name, _ in patch._setattr) if patch else frozenset()


gate._text_of = text_of
