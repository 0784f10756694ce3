"""`rahdari feed keys|status|renew` and `rahdari operator add|list|token|stop`."""

import argparse
import datetime as dt
import getpass
import os
import re
import sys
from pathlib import Path
from typing import Any

MARKS = {"in_step": "in step", "behind": "behind", "drift": "another set", "incomplete": "not loaded everywhere"}


def add_parser(subparsers: Any) -> None:
    """Both words share this module; only the one that was called is looked up."""
    feed = subparsers.add_parser("feed", help="the feed's keys and state")
    acts = feed.add_subparsers(dest="act", required=True)
    make = acts.add_parser(
        "keys",
        help="make the key set of a new feed",
        description="Makes three root and three targets keys for the offline folder (two of three sign), and the "
        "publisher's own keys in the data folder. Nothing is written over. docs/feed-keys.md is the ceremony.",
    )
    make.add_argument("--offline", type=Path, required=True, metavar="DIR", help="where the offline keys go")
    _passphrase(make)
    make.set_defaults(run=run_keys)
    acts.add_parser("status", help="session, edition, age, expiries, receipts").set_defaults(run=run_status)
    renew = acts.add_parser(
        "renew",
        help="sign the root or the targets once more with the offline keys",
        description="Needs two of the three keys of each role in DIR. The publisher takes the result up by itself.",
    )
    renew.add_argument("--offline", type=Path, required=True, metavar="DIR", help="where the offline keys are")
    renew.add_argument("--root", action="store_true", help="renew the root too (it lasts a year)")
    _passphrase(renew)
    renew.set_defaults(run=run_renew)

    operator = subparsers.add_parser("operator", help="operators who follow the feed")
    acts = operator.add_subparsers(dest="act", required=True)
    add = acts.add_parser("add", help="add an operator; prints its token, once")
    add.add_argument("slug", help="a short name: small letters, digits, dashes")
    add.add_argument("--name", required=True, help="the name in English")
    add.add_argument("--name-ur", default="", help="the name in Urdu")
    add.add_argument("--asn", action="append", type=asn, default=[], help="an AS number of its network (repeatable)")
    add.set_defaults(run=run_add)
    acts.add_parser("list", help="all operators and how they stand").set_defaults(run=run_list)
    for word, run, text in (
        ("token", run_token, "give an operator another token; the old one ends at once"),
        ("stop", run_stop, "end an operator's access"),
    ):
        act = acts.add_parser(word, help=text)
        act.add_argument("slug")
        act.set_defaults(run=run)


def _passphrase(parser: argparse.ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--passphrase", action="store_true", help="ask for the passphrase of the offline keys")
    choice.add_argument("--passphrase-file", type=Path, metavar="FILE", help="read it from the first line of FILE")


def asn(text: str) -> int:
    """`AS64500` or `64500`."""
    form = re.fullmatch(r"(?:AS)?([0-9]{1,10})", text.strip(), re.IGNORECASE)
    if form is None or not 0 < int(form[1]) < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no AS number; write it as AS64500")
    return int(form[1])


def told(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


# -- rahdari feed ------------------------------------------------------------------------------------------------


def run_keys(options: argparse.Namespace) -> int:
    from django.conf import settings
    from django.utils import timezone

    from . import actions

    try:
        passphrase = read_passphrase(options, twice=True)
        made = actions.make_feed_keys(offline=options.offline.absolute(), passphrase=passphrase, now=timezone.now())
    except PassphraseMissing as error:
        return told(str(error))
    except actions.KeysExist as error:
        return told(
            f"There are keys already in {error.path}, and none is written over. A feed has one key set: operators pin "
            "its root. To renew what expires, run `rahdari feed renew`. To begin a new feed, move that folder away."
        )
    except OSError as error:
        return told(f"The keys cannot be written: {error.strerror} ({error.filename}). Nothing was put in force.")
    print(f"Offline keys:  {made.offline}  (root-1..3.pem and targets-1..3.pem, two of each three sign)")
    print(f"Online keys:   {made.online}  (the publisher's; they stay)")
    print(f"Root to pin:   {made.root}")
    print(f"  SHA-256      {made.root_sha256}")
    print("Give operators this root file, and tell them its SHA-256 by another way.")
    if made.offline.is_relative_to(Path(settings.DATA)):
        print(
            "\n*** The offline keys lie in the data folder. That is for demonstrations only: who takes this machine "
            "takes the feed. Carry them away (docs/feed-keys.md). ***",
            file=sys.stderr,
        )
    if passphrase is None:
        print("\n*** The offline keys have no passphrase. Use --passphrase for a real feed. ***", file=sys.stderr)
    return 0


def run_status(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import queries

    now = timezone.now()
    status = queries.feed_status()
    if not status.keys_exist:
        return told(
            f"This feed has no keys, so nothing is published; {status.waiting} changes wait. "
            "Run: rahdari feed keys --offline DIR"
        )
    if status.unreadable:
        return told(f"The feed's folder cannot be read: {status.unreadable}")
    code = 0
    if status.published is None:
        print("Nothing is published yet. The publisher does it once it runs (`rahdari publisher`).")
    else:
        head = status.published.head
        print(f"Session        {head.session}")
        print(f"Edition        {head.sequence}, published {head.published_at}")
        print(f"Entries        {head.entries}")
        print(f"Signed         {span(now - status.published.signed_at)} ago")
        if status.session is None or status.last_cut is None or status.last_cut < head.sequence:
            known = "no edition" if status.last_cut is None else f"edition {status.last_cut}"
            code = told(
                f"The database knows {known}, but {head.sequence} was published: it was restored from an older day, or "
                "it is another one. The publisher signs nothing new from it. Restore the newer database."
            )
    print(f"Waiting        {status.waiting} changes, {status.to_publish} editions cut and not published")
    print("Expires")
    for role, at in status.expires.items():
        left = at - now
        warning = ""
        if left < dt.timedelta(0):
            warning, code = "  EXPIRED: agents accept nothing new", 1
        elif role in {"root", "targets"} and left < dt.timedelta(days=30):
            warning = "  renew it: rahdari feed renew --offline DIR" + (" --root" if role == "root" else "")
        print(f"  {role:<12} {at:%Y-%m-%d %H:%M} UTC, in {span(left)}{warning}")
    print("Operators")
    _print_operators(queries.operators_with_lag(now=now), now)
    return code


def run_renew(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions

    try:
        made = actions.renew_offline(
            offline=options.offline.absolute(),
            passphrase=read_passphrase(options, twice=False),
            roles=["root", "targets"] if options.root else ["targets"],
            now=timezone.now(),
        )
    except PassphraseMissing as error:
        return told(str(error))
    except (actions.KeyUnusable, actions.FeedUnusable) as error:
        return told(f"{error.path} cannot be used: {error.why}. Nothing was changed.")
    except actions.NoKeys as error:
        return told(f"This feed has no keys in {error.path}. Run: rahdari feed keys --offline DIR")
    for role, version in made.items():
        print(f"Version {version} of {role} is signed. The publisher takes it up within five minutes.")
    return 0


class PassphraseMissing(Exception):
    """No passphrase was given, or two that differ. The text says so."""


def read_passphrase(options: argparse.Namespace, *, twice: bool) -> bytes | None:
    if options.passphrase_file:
        try:
            lines = options.passphrase_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise PassphraseMissing(f"{options.passphrase_file} cannot be read.") from None
        if not lines or not lines[0]:
            raise PassphraseMissing(
                f"The first line of {options.passphrase_file} is empty; the passphrase belongs there."
            )
        return str(lines[0]).encode()
    if not options.passphrase:
        return None
    if not os.isatty(sys.stdin.fileno()):
        raise PassphraseMissing("A passphrase is asked for in a terminal only. Use --passphrase-file here.")
    given = getpass.getpass("Passphrase of the offline keys: ")
    if not given:
        raise PassphraseMissing("An empty passphrase protects nothing. Run the command again.")
    if twice and getpass.getpass("Once more: ") != given:
        raise PassphraseMissing("The two differ. Run the command again.")
    return given.encode()


def span(length: dt.timedelta) -> str:
    seconds = int(abs(length).total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"


# -- rahdari operator --------------------------------------------------------------------------------------------


def run_add(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions

    try:
        token = actions.create_operator(
            slug=options.slug, name=options.name, name_ur=options.name_ur, asns=options.asn, now=timezone.now()
        )
    except actions.OperatorExists as error:
        return told(
            f"There is an operator {error.slug} already. For another token run: rahdari operator token {error.slug}"
        )
    except actions.SlugUnusable as error:
        return told(f"{error.slug!r} cannot be a short name. Use small letters, digits and dashes, at most 50.")
    print(f"Operator {options.slug} may follow the feed. Its token, shown this once:")
    print(token)
    return 0


def run_list(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import queries

    now = timezone.now()
    _print_operators(queries.operators_with_lag(now=now), now)
    for operator in queries.operators():
        if not operator.active:
            print(f"  {operator.slug:<20} stopped")
    return 0


def run_token(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return told(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    token = actions.replace_token(operator=operator, actor="system:operator-token", now=timezone.now())
    print(f"The new token of {operator.slug}, shown this once (the old one has ended):")
    print(token)
    return 0


def run_stop(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return told(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    actions.stop_operator(operator=operator, actor="system:operator-stop", now=timezone.now())
    print(f"{operator.slug} may not follow the feed any more. What its agent has applied stays applied.")
    return 0


def _print_operators(lags: list[Any], now: dt.datetime) -> None:
    if not lags:
        print("  none; add one: rahdari operator add SLUG --name NAME")
    for each in lags:
        if each.received_at is None:
            print(f"  {each.operator.slug:<20} no receipt yet")
            continue
        edition = f"edition {each.sequence}" if each.sequence is not None else "no edition of ours"
        late = f", {span(each.lag)} late" if each.lag is not None else ""
        print(
            f"  {each.operator.slug:<20} {MARKS.get(each.state, each.state)}: {edition}{late}, "
            f"last receipt {span(now - each.received_at)} ago"
        )
