"""`rahdari web` and `rahdari push`: granian with the settings that were measured to fit."""

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


def serve_web(*, host: str, port: int, workers: int = 2, threads: int = 4) -> None:
    """The pages. Django under WSGI costs a tenth of what it costs under ASGI in this server."""
    Granian(
        "rahdari.up.served:web",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        websockets=False,
        process_name=None,
    ).serve()


def serve_push(*, host: str, port: int) -> None:
    """The feed's files and events: one small process, no Django, no keys."""
    Granian(
        "rahdari.up.served:push",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=1,
        # Each operator who follows holds one request open.
        backpressure=4096,
        respawn_failed_workers=True,
        # A stream never ends by itself, and nothing is lost with it: agents come back and ask.
        workers_kill_timeout=1,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()
