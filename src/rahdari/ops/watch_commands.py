"""`rahdari watch run` (one process of `rahdari up`) and `rahdari watch rescore`."""

import argparse
import datetime as dt
import logging
import threading


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("watch", help="Measure endpoints whose holders agreed to it.")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    run = acts.add_parser("run", help="Look at them until told to stop (one process of `up`).")
    run.set_defaults(run=run_run)
    rescore = acts.add_parser("rescore", help="Judge kept facts again, and print what comes out otherwise.")
    rescore.add_argument("--since", type=_time, help="only facts from then on, like 2026-11-10 or 2026-11-10T16:00")
    rescore.add_argument("--most", type=int, default=100, help="print so many differences at most; default: 100")
    rescore.set_defaults(run=run_rescore)


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

    from .loops import run_loop, stop_on_signals

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
