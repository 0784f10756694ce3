"""A process that starts agents and kills them: `python -m tests.agent.killing`.

Each line of standard input names a configuration, a part of the state to restore first, and the number of a step. A
child syncs, and ends like a killed process before that step; steps are the lines of the modules that write, counted
when they are first run. Answers, one line each: `killed`, or `done` with the number of steps there were.
"""

import os
import shutil
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from rahdari.agent import (
    applying,
    catching_up,
    devices,
    disk,
    entries,
    file_targets,
    files,
    folder,
    holding,
    loading,
    lost,
    placing,
    receipts,
    state,
    syncing,
    updating,
)
from rahdari.agent.configuration import load
from tests.agent.feeds import sync

WRITERS = {
    str(module.__file__)
    for module in (
        applying,
        catching_up,
        devices,
        disk,
        entries,
        file_targets,
        files,
        folder,
        holding,
        loading,
        lost,
        placing,
        receipts,
        state,
        syncing,
        updating,
    )
}


def run(configuration: Path, step: int) -> None:
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in WRITERS:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            if len(seen) > step:
                os.write(1, b"killed\n")
                os._exit(9)
        return trace

    loaded = load(configuration)
    sys.settrace(trace)
    sync(loaded)
    sys.settrace(None)
    os.write(1, b"done %d\n" % len(seen))
    os._exit(0)


def main() -> None:
    for line in sys.stdin:
        configuration, before, step = line.rstrip("\n").split("\t")
        held = load(Path(configuration)).state
        shutil.rmtree(held)
        shutil.copytree(before, held)
        child = os.fork()
        if child == 0:
            run(Path(configuration), int(step))
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
