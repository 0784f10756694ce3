"""A process that starts agents and kills them: `python -m tests.agent.killing`.

Each line of standard input names a configuration, a part of the state to restore first, and the number of a step. A
child syncs, and ends like a killed process before that step; steps are the lines of the modules that write, counted
when they are first run. Answers, one line each: `killed`, or `done` with the number of steps there were.
"""

import os
import shutil
import sys
import threading
from pathlib import Path
from types import CodeType

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
    loaded = load(configuration)
    seen: set[tuple[str, int]] = set()
    watching, ours = sys.monitoring, threading.get_ident()

    def at(code: CodeType, line: int) -> object:
        if code.co_filename in WRITERS:
            if threading.get_ident() != ours:
                return None
            seen.add((code.co_filename, line))
            if len(seen) > step:
                os.write(1, b"killed\n")
                os._exit(9)
        # Python need not ask again at this line.
        return watching.DISABLE

    watching.use_tool_id(watching.DEBUGGER_ID, "killing")
    watching.register_callback(watching.DEBUGGER_ID, watching.events.LINE, at)
    watching.set_events(watching.DEBUGGER_ID, watching.events.LINE)
    sync(loaded)
    watching.set_events(watching.DEBUGGER_ID, watching.events.NO_EVENTS)
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
