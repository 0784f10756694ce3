"""A program for tests: the supervisor over tiny children named on the command line.

python driver.py NAME=COMMAND ...      (a command is run by sh)
"""

import os
import sys

from rahdari.ops.processes import Child, Printer, StopAsked, Supervisor, stop_by_signal


def main() -> None:
    children = []
    for given in sys.argv[1:]:
        name, _, command = given.partition("=")
        children.append(Child(name, ("/bin/sh", "-c", command), dict(os.environ), patience=1.0))
    with stop_by_signal():
        try:
            Supervisor(
                children,
                Printer(sys.stdout, ["rahdari", *(child.name for child in children)]),
                when_ready=lambda: print("READY", flush=True),
            ).run()
        except StopAsked:
            print("asked before it ran", flush=True)


main()
