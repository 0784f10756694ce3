"""How the commands of this room speak: to the error output, in spans of time, and of passphrases."""

import argparse
import datetime as dt
import getpass
import os
import sys
from pathlib import Path


class PassphraseMissing(Exception):
    """No passphrase was given, or two that differ. The text says so."""


def fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def span(length: dt.timedelta) -> str:
    seconds = int(abs(length).total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


def length_of_time(text: str) -> dt.timedelta:
    """`90m`, `24h`, `7d`."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or not number.isascii() or unit not in units or len(number) > 4:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; write it as 90m, 24h or 7d")
    return dt.timedelta(**{units[unit]: int(number)})


def passphrase_options(parser: argparse.ArgumentParser, whose: str = "the offline keys") -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--passphrase", action="store_true", help=f"ask for the passphrase of {whose}")
    choice.add_argument("--passphrase-file", type=Path, metavar="FILE", help="read it from the first line of FILE")


def read_passphrase(options: argparse.Namespace, *, twice: bool, whose: str = "the offline keys") -> bytes | None:
    """Raises PassphraseMissing."""
    if options.passphrase_file:
        return first_line_of(options.passphrase_file)
    if not options.passphrase:
        return None
    if not os.isatty(sys.stdin.fileno()):
        raise PassphraseMissing("A passphrase is asked for in a terminal only. Use --passphrase-file here.")
    given = getpass.getpass(f"Passphrase of {whose}: ")
    if not given:
        raise PassphraseMissing("An empty passphrase protects nothing. Run the command again.")
    if twice and getpass.getpass("Once more: ") != given:
        raise PassphraseMissing("The two differ. Run the command again.")
    return given.encode()


def first_line_of(path: Path) -> bytes:
    """Raises PassphraseMissing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise PassphraseMissing(f"{path} cannot be read.") from None
    if not lines or not lines[0]:
        raise PassphraseMissing(f"The first line of {path} is empty; the passphrase belongs there.")
    return str(lines[0]).encode()
