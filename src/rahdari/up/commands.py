"""`rahdari up`, `demo`, their processes one by one, and `doctor`: the words and options."""

import argparse
from pathlib import Path

HOST, PORT = "127.0.0.1", 8000


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = subparsers.add_parser("up", help="start everything of an installation")
    serving(up)
    up.set_defaults(run=run_up)

    demo = subparsers.add_parser("demo", help="start a demonstration")
    serving(demo)
    demo.add_argument("--reset", action="store_true", help="remove the demonstration's data and begin anew")
    demo.set_defaults(run=run_demo)


def serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data folder (else RAHDARI_DATA, else .data/)")
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="N", help=f"port of the pages ({PORT}); N+1 serves the feed"
    )
    parser.add_argument("--host", default=HOST, metavar="ADDRESS", help=f"address to listen on ({HOST})")


def run_up(arguments: argparse.Namespace) -> int:
    raise NotImplementedError


def run_demo(arguments: argparse.Namespace) -> int:
    raise NotImplementedError
