"""A process that starts agents and kills them: `python -m tests.agent.killing`.

Each line of standard input names a configuration, a part of the state to restore first, and the number of a step. A
child syncs, and ends like a killed process before that step; steps are the lines of the modules that write, counted
when they are first run. Answers, one line each: `killed`, or `done` with the number of steps there were.
"""

import gc
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

from rahdari.agent import (
    applying,
    atomic_files,
    catching_up,
    devices,
    disk,
    entries,
    file_targets,
    files,
    folder,
    loading,
    receipts,
    removal_hold,
    removals,
    state,
    syncing,
    updating,
)
from rahdari.agent.configuration import load
from tests.agent.feeds import sync

TOOL, LINE = sys.monitoring.DEBUGGER_ID, sys.monitoring.events.LINE
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
        removal_hold,
        loading,
        removals,
        atomic_files,
        receipts,
        state,
        syncing,
        updating,
    )
}


def codes(code: CodeType) -> Iterator[CodeType]:
    """It and all that is written within it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from codes(each)


def watch(at: Callable[[CodeType, int], object]) -> None:
    """Call at each line of the modules that write, and of no other."""
    functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
    sys.monitoring.use_tool_id(TOOL, "killing")
    sys.monitoring.register_callback(TOOL, LINE, at)
    for function in functions:
        if function.__code__.co_filename in WRITERS:
            for code in codes(function.__code__):
                sys.monitoring.set_local_events(TOOL, code, LINE)


def run(configuration: Path, step: int) -> None:
    loaded = load(configuration)
    seen: set[tuple[str, int]] = set()
    ours = threading.get_ident()

    def at(code: CodeType, line: int) -> object:
        if threading.get_ident() != ours:
            return None
        seen.add((code.co_filename, line))
        if len(seen) > step:
            os.write(1, b"killed\n")
            os._exit(9)
        # Python need not ask again at this line.
        return sys.monitoring.DISABLE

    sys.monitoring.register_callback(TOOL, LINE, at)
    sync(loaded)
    sys.monitoring.register_callback(TOOL, LINE, None)
    os.write(1, b"done %d\n" % len(seen))
    os._exit(0)


def main() -> None:
    watch(lambda _code, _line: None)
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
