"""`rahdari vantage init|run` where it stands, and `rahdari vantage list` at the register."""

import argparse
import importlib.util
import sys
from pathlib import Path

from .configuration import DEFAULT_FOLDER, FILE, ConfigurationError


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("vantage", help="Probe for a register from elsewhere.")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)

    init = acts.add_parser("init", help="Make key, token and settings, and print what the register has to know.")
    init.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help=f"default: {DEFAULT_FOLDER}")
    init.add_argument("--name", required=True, help="small letters, digits and hyphens, like lahore-1")
    init.add_argument("--listen", default="127.0.0.1:8443", metavar="ADDRESS:PORT", help="default: 127.0.0.1:8443")
    init.add_argument("--url", default="https://vantage.example", help="where the register reaches it")
    init.add_argument("--network", default="AS64496", help="the AS number of the network it stands in")
    init.set_defaults(run=run_init)

    run = acts.add_parser("run", help="Answer the register until told to stop.")
    run.add_argument("--config", type=Path, default=DEFAULT_FOLDER / FILE, help=f"default: {DEFAULT_FOLDER / FILE}")
    run.set_defaults(run=run_run)

    known = acts.add_parser("list", help="At the register: each vantage in DIR/vantages.toml, and whether it answers.")
    known.add_argument("--data", type=Path, required=True, metavar="DIR", help="the register's data folder")
    known.set_defaults(run=run_list)


def run_init(arguments: argparse.Namespace) -> int:
    from .running import AlreadyThere, make

    try:
        made = make(arguments.folder, name=arguments.name, listen=arguments.listen)
    except (AlreadyThere, ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Made {made.configuration}. Look it through, then run: rahdari vantage run --config {made.configuration}")
    print()
    print("At the register, in DATA/vantages.toml:")
    print()
    print("[[vantage]]")
    print(f'name = "{arguments.name}"')
    print(f'url = "{arguments.url}"')
    print(f'key = "{made.public_key}"')
    print(f'token_file = "{arguments.name}.token"')
    print(f'network = "{arguments.network}"')
    print()
    print(f"and in DATA/{arguments.name}.token (chmod 600) this token, which is shown once and kept nowhere here:")
    print()
    print(made.token)
    return 0


def run_run(arguments: argparse.Namespace) -> int:
    missing = [name for name in ("granian", "dns") if importlib.util.find_spec(name) is None]
    if missing:
        print("A vantage needs a web server and a DNS library. Run: pip install 'rahdari[vantage]'", file=sys.stderr)
        return 1
    from .running import serve

    try:
        serve(arguments.config)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    from .client import ANSWERS, greet
    from .vantage_list import FILE as KNOWN
    from .vantage_list import VantagesUnusable, load

    try:
        vantages = load(arguments.data)
    except VantagesUnusable as error:
        print(error, file=sys.stderr)
        return 1
    if not vantages:
        print(f"There is no vantage in {arguments.data / KNOWN}: the register looks from its own machine alone.")
        return 0
    well = True
    for vantage in vantages:
        said = greet(vantage)
        well &= said == ANSWERS
        print(f"{vantage.name:<20} {vantage.network:<12} {vantage.region:<8} {vantage.url}  {said}")
    return 0 if well else 1
