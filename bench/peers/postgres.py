"""Debian's PostgreSQL 17 as peers use it: its own cluster, every commit durable, a socket and no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from urllib.parse import quote

from bench import place

BINARIES = Path("/usr/lib/postgresql/17/bin")
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "work_mem": "50MB",
    "random_page_cost": "1.0",
    "max_connections": "100",
    "max_wal_size": "8GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}


@contextmanager
def serving(folder: Path, *, quick: bool) -> Iterator[str]:
    """A cluster in a folder; gives the start of its addresses (add a database's name). Raises place.NotHere."""
    if not (BINARIES / "postgres").exists():
        place.need_programs({"no postgresql 17 here": "postgresql-17"}, quick=quick)
    folder.mkdir(parents=True, exist_ok=True)
    user = place.ordinary_user()
    place.give(folder, user)
    log, cluster = folder.parent / f"{folder.name}.log", folder / "cluster"
    made = run(
        [BINARIES / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"],
        user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    if made.returncode:
        raise place.NotHere(f"initdb: {made.stderr[-300:]}")
    command: list[str | Path] = [BINARIES / "postgres", "-D", cluster, "-c", f"unix_socket_directories={folder}"]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    process = place.start(command, log=log, user=user, folder=Path("/"))
    try:
        socket = folder / ".s.PGSQL.5432"
        ready: list[str | Path] = [BINARIES / "pg_isready", "-q", "-h", folder]
        place.wait_for(
            "PostgreSQL", lambda: socket.exists() and run(ready, check=False).returncode == 0, lives=process, log=log
        )
        yield f"postgresql://postgres@/{{name}}?host={quote(str(folder), safe='')}"
    finally:
        place.stop(process, number=2, patience=60)
