"""A process beside a benchmark that outlives it, to end what it started and to remove its folders and namespaces.

It reads lines from the benchmark: `+ PID`, `- PID`, `folder PATH`, `namespace NAME`. The end of that stream is the end
of the benchmark, however it came (also by KILL). A process is named with the time it started, so that a number that was
given to another program meanwhile is left alone.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path


def started_at(pid: int) -> str:
    """In ticks since boot, from /proc (proc_pid_stat(5), field 22); empty when it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def end(groups: dict[int, str], number: int) -> None:
    for group, started in groups.items():
        if started_at(group) in ("", started):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, str] = {}
    folders: list[str] = []
    spaces: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "+":
            groups[int(rest)] = started_at(int(rest))
        elif word == "-":
            groups.pop(int(rest), None)
        elif word == "folder":
            folders.append(rest)
        elif word == "namespace":
            spaces.append(rest)
    if groups:
        # A database is given the time to take its shared memory with it.
        end(groups, signal.SIGTERM)
        time.sleep(2)
        end(groups, signal.SIGKILL)
    for name in spaces:
        if Path(f"/run/netns/{name}").exists():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
    for _ in range(20):
        folders = [folder for folder in folders if Path(folder).exists()]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not folders:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main()
