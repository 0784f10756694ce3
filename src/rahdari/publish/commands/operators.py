"""`rahdari operator ...`: who may follow the feed."""

import argparse
import re
from typing import Any

from .said import told
from .status import print_operators


def add_words(acts: Any) -> None:
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


def asn(text: str) -> int:
    """`AS64500` or `64500`."""
    form = re.fullmatch(r"(?:AS)?([0-9]{1,10})", text.strip(), re.IGNORECASE)
    if form is None or not 0 < int(form[1]) < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no AS number; write it as AS64500")
    return int(form[1])


def run_add(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions

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

    from rahdari.publish import queries

    now = timezone.now()
    print_operators(queries.operators_with_lag(now=now), now)
    for operator in queries.operators():
        if not operator.active:
            print(f"  {operator.slug:<20} stopped")
    return 0


def run_token(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return told(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    token = actions.replace_token(operator=operator, actor="system:operator-token", now=timezone.now())
    print(f"The new token of {operator.slug}, shown this once (the old one has ended):")
    print(token)
    return 0


def run_stop(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return told(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    actions.stop_operator(operator=operator, actor="system:operator-stop", now=timezone.now())
    print(f"{operator.slug} may not follow the feed any more. What its agent has applied stays applied.")
    return 0
