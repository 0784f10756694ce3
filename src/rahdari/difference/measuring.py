"""One round: both addresses of each pair are asked within the same minute, in an order that a coin says."""

import datetime as dt
import json
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rahdari import probe

from .plan import SIDES, Pair, Plan

# Attempts at the same time, and the seconds of one. With `plan.MOST` a round is over in its minute whatever is silent,
# and each address gets one attempt a minute for each protocol.
AT_ONCE, TIMEOUT = 64, 5.0
# They speak: whether it is the right key is not the question here.
ANSWERED = frozenset({probe.Outcome.PROVED, probe.Outcome.ANSWERED})

type Ask = Callable[[Pair, str, str], bool]


def asking(key: str, standpoint: probe.Standpoint | None = None) -> Ask:
    """Asks one side of a pair by the native probe of a protocol."""

    def ask(pair: Pair, method: str, side: str) -> bool:
        address = pair.a if side == "a" else pair.b
        answer = probe.prove(pair.claim(method, key), address=address, timeout=TIMEOUT, standpoint=standpoint)
        return answer.outcome in ANSWERED

    return ask


def one_round(plan: Plan, *, place: str, minute: dt.datetime, ask: Ask) -> list[dict[str, Any]]:
    """What this place saw in this minute: a row for each pair and protocol, with `a` and `b` true or false."""

    def both(work: tuple[Pair, str]) -> dict[str, Any]:
        pair, method = work
        seen = {side: ask(pair, method, side) for side in random.SystemRandom().sample(SIDES, 2)}
        at = minute.strftime("%Y-%m-%dT%H:%MZ")
        return {"minute": at, "place": place, "pair": pair.name, "protocol": method, "a": seen["a"], "b": seen["b"]}

    works = [(pair, method) for pair in plan.pairs.values() for method in pair.claims]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(both, works))


def append(path: Path, rows: list[dict[str, Any]]) -> None:
    """All of a round, or after a kill a part of it; a line that was torn is ended first, and `read` leaves it out."""
    with path.open("a+b") as out:
        if out.tell():
            out.seek(-1, os.SEEK_END)
            if out.read(1) != b"\n":
                out.write(b"\n")
        out.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        out.flush()
        os.fsync(out.fileno())


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, without lines that were torn. Raises OSError, UnicodeDecodeError."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                row = json.loads(line)
                dt.datetime.fromisoformat(row["minute"])
                texts = all(isinstance(row[name], str) for name in ("place", "pair", "protocol"))
                seen = all(isinstance(row[side], bool) for side in SIDES)
            except (ValueError, KeyError, TypeError):
                continue
            if texts and seen:
                yield row
