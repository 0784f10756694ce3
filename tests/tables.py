"""The cluster of a run of tests, with its tables made: kept from run to run, for Django draws all models anew for each
of some hundred and forty migrations, which is most of what a small run costs.

Invariants: what is kept was made by these very migrations, settings and releases, or it is made anew; a cluster is kept
whole or not at all; a run changes its own copy alone.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rahdari.ops.postgres import Server

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".data" / "tests"
# Of each kind: of other branches and of yesterday.
AT_MOST = 3
# What the tables, and the rows that come with them, are made from.
MADE_FROM = (
    "requirements/dev.txt",
    "tests/tables.py",
    "src/rahdari/ops/postgres.py",
    "src/rahdari/**/migrations/**/*.py",
    "src/rahdari/**/models*.py",
    "src/rahdari/db/**/*.py",
    "src/rahdari/settings/*.py",
)


def digest() -> str:
    paths = sorted({path for pattern in MADE_FROM for path in ROOT.glob(pattern)})
    told = hashlib.sha256()
    for path in paths:
        told.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()[:16]


def copy(source: Path, target: Path) -> None:
    """With its owners, which `shutil.copytree` forgets. Raises CalledProcessError, and leaves nothing then."""
    try:
        subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(target, ignore_errors=True)
        raise


def keep(data: Path, place: Path) -> None:
    """What stands is left; where there is no room, nothing is kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="new-", dir=KEPT))
    try:
        copy(data, draft / "data")
        (draft / "data").rename(place)
    except (OSError, subprocess.CalledProcessError):
        return
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    older = sorted(
        (each for each in KEPT.iterdir() if each.is_dir() and each != place), key=lambda each: each.stat().st_mtime
    )
    for each in older[: -AT_MOST + 1]:
        shutil.rmtree(each, ignore_errors=True)


def place_of(kind: str) -> Path:
    """Where something is kept that is made from the tables."""
    return KEPT / f"{kind}-{digest()}"


@contextmanager
def server_with_tables(make: Callable[[str], None]) -> Iterator[str]:
    """A server that forgoes durability, for as long as the block runs; gives its owner's address.

    `make` is given that address and makes the tables, where none are kept.
    """
    place = place_of("tables")
    with tempfile.TemporaryDirectory(prefix="rahdari-pg-") as folder:
        data = Path(folder) / "data"
        with suppress(subprocess.CalledProcessError):
            copy(place, data)
        server = Server(data, throwaway=True)
        server.start()
        try:
            if not place.exists():
                make(server.url)
                server.stop()
                keep(data, place)
                server.start()
            yield server.url
        finally:
            server.stop()
