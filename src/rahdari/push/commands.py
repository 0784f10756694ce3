"""`rahdari feed mirror`: the feed's files to an S3-compatible store or another folder. Needs the data folder alone."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from .edition import Watch
from .mirror import WAY_OUT, Carried, Mirror, NoFeed, first_line, follow

if TYPE_CHECKING:
    from .stores import Objects

log = logging.getLogger("rahdari.push")

OK, WRONG, USAGE = 0, 1, 2
AGAIN = "See that the store answers, has room and lets us in; then call this again. It goes on where it stopped."


class NotAPlace(Exception):
    """The text names no place that can be written to."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    acts = subparsers.add_parser("feed").add_subparsers(dest="act", required=True)
    mirror = acts.add_parser(
        "mirror",
        help="write the feed's files to an S3-compatible store",
        description="Write the feed's files to an S3-compatible store or another folder, for a CDN to give out. "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come from the environment.",
    )
    mirror.add_argument("--to", required=True, metavar="PLACE", help="s3://BUCKET/PREFIX, or a folder")
    mirror.add_argument("--endpoint", default="", metavar="URL", help="the store's address (AWS when not given)")
    mirror.add_argument("--region", default="", help="its region, if it has some")
    mirror.add_argument("--ca-file", type=Path, metavar="FILE", help="certificates it is trusted by, besides the usual")
    mirror.add_argument("--follow", action="store_true", help="go on with each edition, until TERM or INT")
    mirror.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    feed = Path(os.environ["RAHDARI_DATA"]) / "feed"
    try:
        store = place(arguments.to, arguments.endpoint, arguments.region, arguments.ca_file)
    except ModuleNotFoundError:
        print("The storage library is not installed. Run: pip install 'rahdari[s3]'", file=sys.stderr)
        return USAGE
    except (NotAPlace, OSError, ValueError) as error:
        print(f"{arguments.to} cannot be written to: {error}", file=sys.stderr)
        return USAGE
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    try:
        leave(asyncio.run(followed(feed, store) if arguments.follow else once(feed, store, arguments.to)))
    except KeyboardInterrupt:
        leave(OK)


def leave(code: int) -> NoReturn:
    """End the process with the interpreter standing. The storage library's threads may be about to call into it, and
    where it is being taken down that ends the process by SIGABRT, though all was written (pyo3-async-runtimes #40)."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def place(to: str, endpoint: str, region: str, ca_file: Path | None) -> "Objects":
    """Raises NotAPlace, OSError, ModuleNotFoundError, and what the library raises for settings that will not do."""
    from . import stores

    parts = urlsplit(to)
    if parts.scheme == "s3" and parts.netloc:
        return stores.s3(parts.netloc, parts.path.strip("/"), endpoint=endpoint, region=region, ca_file=ca_file)
    if parts.scheme or not to or endpoint:
        raise NotAPlace("it is neither s3://BUCKET/PREFIX nor a folder")
    return stores.Folder(Path(to).absolute())


async def once(feed: Path, store: "Objects", to: str) -> int:
    try:
        carried = await Mirror(feed, store).carry()
    except NoFeed as error:
        print(f"There is no feed in {error.feed} yet. Nothing was written.", file=sys.stderr)
        return WRONG
    except Exception as error:  # the library's own kinds, which differ by store
        print(f"{to} cannot be read: {first_line(error)}. {AGAIN}", file=sys.stderr)
        return WRONG
    for repository, fault in carried.faults.items():
        print(f"Repository {repository} was not brought up to date: {first_line(fault)}.", file=sys.stderr)
    if carried.faults:
        print(AGAIN, file=sys.stderr)
    print(f"{result_text(carried)}.")
    return WRONG if carried.faults else OK


async def followed(feed: Path, store: "Objects") -> int:
    """Until TERM or INT. A carry that is under way is broken off: the next start takes it up."""
    mirror, watch, woken = Mirror(feed, store), Watch(feed), asyncio.Event()
    task = asyncio.create_task(follow(mirror, woken, told=lambda carried: log_result(carried)))
    watching = asyncio.create_task(watched(mirror, watch, woken))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    watch.end()
    log.info("stopped; what is in the store stays whole")
    return OK


async def watched(mirror: Mirror, watch: Watch, woken: asyncio.Event) -> None:
    """Set `woken` as soon as any repository has a new timestamp."""
    watch.begin()
    watch.told_of_all.add(woken)
    while True:
        with suppress(NoFeed, OSError):
            watch.follow(mirror.repositories())
        await asyncio.sleep(watch.pause)


def log_result(carried: Carried) -> None:
    for repository, fault in carried.faults.items():
        log.error("repository %s is not in step: %s", repository, first_line(fault))
    if carried.faults:
        log.error("%s", WAY_OUT)
    if carried.written or carried.erased:
        log.info("%s", result_text(carried))


def result_text(carried: Carried) -> str:
    return (
        f"{carried.announced} repositories brought up to date: {carried.written} files written "
        f"({carried.bytes:,} bytes), {carried.erased} erased"
    )
