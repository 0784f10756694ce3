"""Ports of the loopback for servers that a test starts."""

import os
import secrets
import socket
from contextlib import ExitStack

# Below those that the kernel gives to connections: one of them may be somebody's connection before the server has it.
FIRST, END = 15_000, 32_768
_given: set[int] = set()


def ours() -> range:
    """Each worker of `pytest -n` has a share of its own: nobody sees that another worker was given a port until the
    server, which that one is just starting, listens there."""
    worker, workers = (os.environ.get(f"PYTEST_XDIST_WORKER{end}", "") for end in ("", "_COUNT"))
    share = (END - FIRST) // int(workers or 1)
    first = FIRST + int(worker.removeprefix("gw") or 0) * share
    return range(first, first + share)


def free_port(*, beside: int = 0) -> int:
    """One that nobody has, and so many after it; never one again in a process."""
    among = ours()
    while True:
        # Not by `random`, which hypothesis sets to the same in every process.
        port = among[secrets.randbelow(len(among) - beside)]
        wanted = set(range(port, port + beside + 1))
        if wanted & _given:
            continue
        with ExitStack() as held:
            try:
                for each in wanted:
                    held.enter_context(socket.create_server(("127.0.0.1", each)))
            except OSError:
                continue
        _given.update(wanted)
        return port
