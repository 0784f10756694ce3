"""`rahdari up`, `demo`, their processes one by one, `prepare` and `doctor`: the words and options."""

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

HOST, PORT = "127.0.0.1", 8000


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = subparsers.add_parser("up", help="start everything of an installation")
    listening(up, PORT, f"port of the pages ({PORT}); the feed and the lookups are served on the two after it")
    up.add_argument("--data", type=Path, metavar="DIR", help="the data folder (else RAHDARI_DATA, else .data/register)")
    up.set_defaults(run=run_up)

    demo = subparsers.add_parser("demo", help="start a demonstration")
    listening(demo, PORT, f"port of the pages ({PORT}); the feed and the lookups are served on the two after it")
    demo.add_argument("--data", type=Path, metavar="DIR", help="the data folder (else RAHDARI_DATA, else .data/demo)")
    demo.add_argument("--reset", action="store_true", help="remove the demonstration's data first")
    demo.add_argument("--policy", metavar="RULES", help="a policy file, or the name of one that ships (declaration)")
    demo.set_defaults(run=run_demo)

    web = subparsers.add_parser("web", help="serve the pages")
    listening(web, PORT, f"port of the pages ({PORT})")
    web.add_argument("--workers", type=int, default=2, help="processes (2)")
    web.add_argument("--threads", type=int, default=4, help="threads of each (4)")
    web.set_defaults(run=run_web)

    push = subparsers.add_parser("push", help="serve the feed")
    listening(push, PORT + 1, f"port of the feed ({PORT + 1})")
    push.set_defaults(run=run_push)

    lookup = subparsers.add_parser("lookup", help="tell operators whether an address is registered")
    listening(lookup, PORT + 2, f"port of the lookups ({PORT + 2})")
    lookup.add_argument("--workers", type=int, default=1, help="processes, each of which holds all entries (1)")
    lookup.set_defaults(run=run_lookup)

    subparsers.add_parser("worker", help="move the line and send letters").set_defaults(run=run_worker)
    subparsers.add_parser("publisher", help="cut and sign editions").set_defaults(run=run_publisher)

    prepare = subparsers.add_parser("prepare", help="make keys, tables and the files of the pages ready")
    prepare.add_argument(
        "--new-keys", action="store_true", help="make new keys for lost ones; what they protected is lost"
    )
    prepare.add_argument("--sample-data", action="store_true", help=argparse.SUPPRESS)
    prepare.add_argument("--policy", help=argparse.SUPPRESS)
    prepare.set_defaults(run=run_prepare)

    doctor = subparsers.add_parser("doctor", help="check an installation")
    doctor.add_argument("--port", type=int, help=f"port of the pages (that of the running `rahdari up`, else {PORT})")
    doctor.add_argument("--host", default=HOST, help=f"address to listen on ({HOST})")
    doctor.set_defaults(run=run_doctor)


def listening(parser: argparse.ArgumentParser, port: int, text: str) -> None:
    parser.add_argument("--port", type=int, default=port, metavar="N", help=text)
    parser.add_argument("--host", default=HOST, metavar="ADDRESS", help=f"address to listen on ({HOST})")


def run_up(arguments: argparse.Namespace) -> int:
    from rahdari.ops import datafolder
    from rahdari.ops.start import Start, start

    data = arguments.data or datafolder.default(datafolder.REGISTER)
    return start(Start(datafolder.REGISTER, data, arguments.host, arguments.port))


def run_demo(arguments: argparse.Namespace) -> int:
    from rahdari.ops import datafolder, demo

    return demo.run(
        data=arguments.data or datafolder.default(datafolder.DEMO),
        host=arguments.host,
        port=arguments.port,
        reset=arguments.reset,
        policy=arguments.policy,
    )


def run_web(arguments: argparse.Namespace) -> int:
    from rahdari.ops import held_keys, tables
    from rahdari.ops.serving import serve_web
    from rahdari.settings import engine

    tables.check()
    held_keys.check()
    if fault := engine.fault():
        print(fault, file=sys.stderr)
    serve_web(host=arguments.host, port=arguments.port, workers=arguments.workers, threads=arguments.threads)
    return 0


def run_push(arguments: argparse.Namespace) -> int:
    from rahdari.ops.serving import serve_push

    serve_push(host=arguments.host, port=arguments.port)
    return 0


def run_lookup(arguments: argparse.Namespace) -> int:
    import os

    from rahdari import policy
    from rahdari.ops.serving import serve_lookup

    in_force = Path(os.environ["RAHDARI_DATA"]) / "policy" / "in-force.toml"
    # What serves knows no policy: it is told whose register this is.
    os.environ.setdefault("RAHDARI_LOOKUP_AUTHORITY", policy.current(in_force).authority.en)
    serve_lookup(host=arguments.host, port=arguments.port, workers=arguments.workers)
    return 0


def run_worker(arguments: argparse.Namespace) -> int:
    from rahdari.ops import held_keys, loops, tables

    tables.check()
    held_keys.check()
    loops.run_worker()
    return 0


def run_publisher(arguments: argparse.Namespace) -> int:
    from rahdari.ops import loops, tables

    tables.check()
    loops.run_publisher()
    return 0


def run_prepare(arguments: argparse.Namespace) -> int:
    from rahdari.ops.prepare import prepare
    from rahdari.policy import commands as policies

    if arguments.policy:
        given = argparse.Namespace(file=policies.file_or_shipped(arguments.policy), name="", second="")
        if code := policies.use_policy(given):
            return code
    prepare(new_keys=arguments.new_keys)
    if arguments.sample_data:
        from rahdari.ops import seed

        seed.sow()
    return 0


def run_doctor(arguments: argparse.Namespace) -> int:
    from rahdari.ops import doctor

    port = arguments.port or local_port(os.environ.get("RAHDARI_URL", "")) or PORT
    return doctor.run(host=arguments.host, port=port)


def local_port(url: str) -> int | None:
    """The port of an address of this machine; of another one it is a proxy's, and says nothing of ours."""
    parts = urlsplit(url)
    return parts.port if parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"} else None
