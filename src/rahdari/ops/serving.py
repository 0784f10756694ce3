"""`rahdari web`, `push` and `lookup`: granian with the settings that were measured to fit."""

import os
import resource

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from rahdari.ops.thread_pools import WAITING

FEED_CONNECTIONS = 16_384
LOOKUP_CONNECTIONS, LOOKUP_THREADS = 2048, 8


def serve_web(*, host: str, port: int, workers: int = 2, threads: int = 4) -> None:
    """The pages. Django under WSGI costs a tenth of what it costs under ASGI in this server.

    The server's threads only read and wait; `threads` of ours make pages, and a few more the rest (`places`).
    """
    os.environ["RAHDARI_WEB_THREADS"] = str(threads)
    Granian(
        "rahdari.ops.served:web",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=WAITING,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        websockets=False,
        process_name=None,
    ).serve()


def serve_push(*, host: str, port: int) -> None:
    """The feed's files and events: one small process, no Django, no keys."""
    allow_open_files(FEED_CONNECTIONS + 1024)
    Granian(
        "rahdari.ops.served:push",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # The one whose handling of signals `push` was tried with.
        loop=Loops.asyncio,
        workers=1,
        # Each agent holds one connection for its stream, and one for its files.
        backpressure=FEED_CONNECTIONS,
        backlog=4096,
        respawn_failed_workers=True,
        # Streams end at once when we are told to stop; a download that is under way has so long to come to its end.
        workers_kill_timeout=5,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()


def serve_lookup(*, host: str, port: int, workers: int = 1) -> None:
    """Whether an address is registered, from memory: each worker holds all of it."""
    Granian(
        "rahdari.ops.served:lookup",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        # One would do for single addresses. A request in bulk holds one while its body comes: four do so at most.
        blocking_threads=LOOKUP_THREADS,
        backpressure=LOOKUP_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()


def allow_open_files(wanted: int) -> None:
    """As many as that, or as the system lets us: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
