"""`rahdari watch run` (one process of `rahdari up`) and `rahdari watch rescore`."""

import argparse
import datetime as dt
import logging
import threading
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from .errors import Told


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("watch", help="Measure endpoints whose holders agreed to it.")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    run = acts.add_parser("run", help="Look at them until told to stop (one process of `up`).")
    run.set_defaults(run=run_run)
    rescore = acts.add_parser("rescore", help="Judge kept facts again, and print what comes out otherwise.")
    rescore.add_argument("--since", type=_time, help="only facts from then on, like 2026-11-10 or 2026-11-10T16:00")
    rescore.add_argument("--most", type=int, default=100, help="print so many differences at most; default: 100")
    rescore.set_defaults(run=run_rescore)
    words = "Show on our page what a university or a measurement body published with `rahdari difference`."
    take_in = acts.add_parser("take-in", help=words)
    take_in.add_argument("file", type=Path, help="what `rahdari difference judge --format json` printed")
    take_in.add_argument("--body", required=True, help="who measured and published it")
    take_in.add_argument("--url", required=True, help="where the body published it, with https")
    take_in.add_argument("--corrects", default="", metavar="SHA256", help="the file of this body that it corrects")
    take_in.set_defaults(run=run_take_in)


def _time(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a time like 2026-11-10 or 2026-11-10T16:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def run_run(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari import optional
    from rahdari.db.wake import Channel
    from rahdari.publish import queries as publish
    from rahdari.watch import control
    from rahdari.watch.rounds import Rounds

    from . import held_keys, tables
    from .loops import run_loop, stop_on_signals

    tables.check()
    held_keys.check()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    stop = threading.Event()
    stop_on_signals(stop)
    places = optional.ask("rahdari.watch", "places") or []
    applied = publish.AppliedByNetwork(timezone.now)
    rounds = Rounds(places, control.endpoint(), clock=timezone.now, applied=applied)
    try:
        run_loop(name="watch", channel=Channel.WATCH, step=rounds.woken, unasked=rounds, stop=stop)
    finally:
        rounds.close()
    return 0


def run_rescore(arguments: argparse.Namespace) -> int:
    from rahdari.watch import rescoring

    for line in rescoring.lines(arguments.since, differences=arguments.most):
        print(line)
    return 0


def run_take_in(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.difference import result
    from rahdari.watch import comparisons

    now = timezone.now()
    try:
        with arguments.file.open("rb") as opened:
            content = opened.read(result.MOST_BYTES + 1)
        read = result.read(content, today=timezone.localdate(now))
        made = comparisons.take_in(
            body=_body(arguments.body),
            url=_address(arguments.url),
            content=content,
            rules_version=read.rules_version,
            findings=[asdict(row) for row in read.rows],
            corrects=arguments.corrects,
            by="command:watch",
            now=now,
        )
    except OSError as error:
        raise Told(f"{arguments.file} cannot be read ({error.strerror}).") from None
    except result.ResultRefused as error:
        raise Told(f"{error} Nothing was taken in.") from None
    except comparisons.AlreadyTaken:
        raise Told("This file is on our page already.") from None
    except comparisons.SaysAgain as error:
        told = f"{arguments.body} has said something of {error.protocol} in {error.week}."
        raise Told(f"{told} If this corrects it, give the SHA-256 of that file with --corrects.") from None
    except comparisons.NothingToCorrect as error:
        raise Told(f"No file of {arguments.body} that is not corrected yet begins with {error.sha256}.") from None
    print(f"Taken in: {len(made.findings)} findings of {made.body}, SHA-256 {made.sha256}.")
    return 0


def _body(name: str) -> str:
    """Who measured is no operator, and is named by a name."""
    from rahdari.publish import queries as publish

    name = " ".join(name.split())
    said = name.casefold()
    for operator in publish.active_operators():
        if {said} & {each.casefold() for each in (operator.slug, operator.name_en, operator.name_ur) if each}:
            raise Told(f"{name} is an operator on our list. This is for bodies that are neither operator nor register.")
    if not 0 < len(name) <= 120 or not any(sign.isalpha() for sign in name):
        raise Told("Name the body, in 120 characters at most.")
    return name


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or len(url) > 500 or not url.isascii():
        raise Told(
            "Give the address at which the body published it, with https, such as https://institute.example/2026."
        )
    return url
