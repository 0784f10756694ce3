"""The run of `bench/idle`."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from bench import measure, place
from bench.deadline_day_run import used_by

# Of a register. What else the demonstration starts stands for other people's machines.
PARTS = ("worker", "watch", "postgres", "web", "publisher", "push", "lookup")


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--seconds", type=int, help="for so long (300; with --quick 20)")
    parser.add_argument("--settle", type=int, help="so long after the start (180; with --quick 20)")
    given = parser.parse_args()
    seconds, settle = given.seconds or (20 if given.quick else 300), given.settle or (20 if given.quick else 180)
    place.end_cleanly_on_signals()
    from tests.journeys import stack as stacks

    with (
        measure.reporting(given, "idle") as result,
        place.temporary("idle") as folder,
        result.trying("rest"),
        stacks.running(folder / "data") as stack,
    ):
        place.watch(stack.process.pid)
        time.sleep(settle)
        others = _others(stack)
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            result.rows += _rest(stack, seconds)
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)


def _others(stack: Any) -> list[int]:
    kept = {pid for word, pid in stack.children() if word in PARTS}
    tasks = Path(f"/proc/{stack.process.pid}/task").glob("*/children")
    return [pid for task in tasks for pid in map(int, task.read_text().split()) if pid not in kept]


def _rest(stack: Any, seconds: int) -> list[dict[str, Any]]:
    before, began = used_by(stack), time.monotonic()
    time.sleep(seconds)
    after, lasted = used_by(stack), time.monotonic() - began
    spent = {part: (after.get(part, 0.0) - before.get(part, 0.0)) / lasted for part in PARTS}
    rows = [("all together", sum(spent.values())), *sorted(spent.items(), key=lambda item: -item[1])]
    return [{"part": part, "seconds": seconds, "cpu % of a core": round(100 * share, 2)} for part, share in rows]
