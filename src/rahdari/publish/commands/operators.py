"""`rahdari operator ...`: who may follow the feed."""

import argparse
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from .console import fail, length_of_time
from .status import print_operators

# Without either an operator would be told of nothing, and would not know why.
WHICH = "Say of which networks (--asn AS64500, repeatable), or --gateway for every entry."


def add_words(acts: Any) -> None:
    add = acts.add_parser("add", help="add an operator; prints its token, once")
    add.add_argument("slug", help="a short name: small letters, digits, dashes")
    add.add_argument("--name", required=True, help="the name in English")
    add.add_argument("--name-ur", default="", help="the name in Urdu")
    add.add_argument("--asn", action="append", type=asn, default=[], help="an AS number of its network (repeatable)")
    add.add_argument("--gateway", action="store_true", help="it gets every entry, whatever the network")
    add.set_defaults(run=run_add)
    rights = acts.add_parser("rights", help="give an operator the entries of other networks, or of all")
    rights.add_argument("slug")
    rights.add_argument("--asn", action="append", type=asn, default=[], help="an AS number (repeatable)")
    rights.add_argument("--gateway", action="store_true", help="every entry, whatever the network")
    rights.set_defaults(run=run_rights)
    mobile = acts.add_parser("mobile", help="say that an operator has mobile numbers, and how they begin")
    mobile.add_argument("slug")
    mobile.add_argument(
        "--prefix", action="append", type=prefix, default=[], help="how its numbers begin after +92 (repeatable)"
    )
    mobile.set_defaults(run=run_mobile)
    acts.add_parser("list", help="all operators and how they stand").set_defaults(run=run_list)
    token = acts.add_parser("token", help="give an operator another token; prints it, once")
    token.add_argument("slug")
    token.add_argument(
        "--old-ends", type=length_of_time, metavar="7d", help="the tokens it has hold for so long still (now)"
    )
    token.add_argument("--name", default="", help="what it is for")
    token.set_defaults(run=run_token)
    certificate = acts.add_parser("certificate", help="let an operator in by a client certificate")
    certificate.add_argument("slug")
    certificate.add_argument("file", type=Path, metavar="FILE", help="the certificate alone, PEM or DER")
    certificate.add_argument("--name", default="", help="what it is for (its subject)")
    certificate.set_defaults(run=run_certificate)
    shown = acts.add_parser("credentials", help="the tokens and certificates of an operator")
    shown.add_argument("slug")
    shown.set_defaults(run=run_credentials)
    end = acts.add_parser("end", help="end one credential of an operator")
    end.add_argument("slug")
    end.add_argument("number", type=int, metavar="NUMBER", help="as `rahdari operator credentials` shows it")
    end.add_argument("--in", dest="ends_in", type=length_of_time, metavar="7d", help="in so long (now)")
    end.set_defaults(run=run_end)
    agents = acts.add_parser("keys", help="the keys that an operator's agents sign their receipts with")
    agents.add_argument("slug")
    agents.add_argument("--revoke", metavar="KEY", help="take no more receipts that this key signs")
    agents.set_defaults(run=run_agent_keys)
    stop = acts.add_parser("stop", help="end an operator's access")
    stop.add_argument("slug")
    stop.set_defaults(run=run_stop)


def asn(text: str) -> int:
    """`AS64500` or `64500`."""
    form = re.fullmatch(r"(?:AS)?([0-9]{1,10})", text.strip(), re.IGNORECASE)
    if form is None or not 0 < int(form[1]) < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no AS number; write it as AS64500")
    return int(form[1])


def run_add(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions

    if not options.asn and not options.gateway:
        return fail(WHICH)
    try:
        token = actions.create_operator(
            slug=options.slug,
            name=options.name,
            name_ur=options.name_ur,
            asns=options.asn,
            gateway=options.gateway,
            now=timezone.now(),
        )
    except actions.OperatorExists as error:
        return fail(
            f"There is an operator {error.slug} already. For another token run: rahdari operator token {error.slug}"
        )
    except actions.SlugUnusable as error:
        return fail(f"{error.slug!r} cannot be a short name. Use small letters, digits and dashes, at most 50.")
    print(f"Operator {options.slug} may follow the feed. Its token is shown this once.")
    print_welcome(options.slug, token)
    return 0


def run_rights(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return fail(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    if not options.asn and not options.gateway:
        return fail(WHICH)
    actions.change_rights(
        operator=operator,
        asns=options.asn,
        gateway=options.gateway,
        actor="system:operator-rights",
        now=timezone.now(),
    )
    print(f"{operator.slug} gets the entries of its new rights once the publisher has them ready. Until then it keeps")
    print("those it has. Its agents follow by themselves.")
    return 0


def prefix(text: str) -> str:
    """`30` or `0370`: how a mobile number begins within the country."""
    bare = text.strip().removeprefix("+92").removeprefix("0")
    if not re.fullmatch(r"3[0-9]{0,5}", bare):
        raise argparse.ArgumentTypeError(f"{text!r} begins no mobile number; write it as 30 or 0370")
    return bare


def run_mobile(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None or not operator.active:
        return fail(f"There is no active operator {options.slug}. `rahdari operator list` names them.")
    actions.set_number_prefixes(
        operator=operator, prefixes=options.prefix, actor="system:operator-mobile", now=timezone.now()
    )
    if options.prefix:
        print(f"{operator.slug} is proposed for numbers that begin with {', '.join(options.prefix)}.")
        print("Applicants can choose it for any other mobile number.")
    else:
        print(f"{operator.slug} is asked about no mobile number any more.")
    return 0


def run_list(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import operator_lag, queries

    now = timezone.now()
    print_operators(operator_lag.operators_with_lag(now=now), now)
    for operator in queries.operators():
        if not operator.active:
            print(f"  {operator.slug:<20} stopped")
    return 0


def run_token(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions

    operator = active(options.slug)
    if operator is None:
        return unknown(options.slug)
    now = timezone.now()
    token = actions.replace_token(
        operator=operator,
        old_ends_at=now + options.old_ends if options.old_ends else None,
        name=options.name,
        actor="system:operator-token",
        now=now,
    )
    others = (
        f"the others end at {now + options.old_ends:%Y-%m-%d %H:%M} UTC" if options.old_ends else "the others ended"
    )
    print(f"The new token of {operator.slug}, shown this once ({others}).")
    print_welcome(operator.slug, token, LATER)
    return 0


def run_certificate(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, credentials

    operator = active(options.slug)
    if operator is None:
        return unknown(options.slug)
    try:
        given = actions.give_certificate(
            operator=operator,
            data=options.file.read_bytes(),
            name=options.name,
            actor="system:operator-certificate",
            now=timezone.now(),
        )
    except OSError as error:
        return fail(f"{options.file} cannot be read: {error.strerror}.")
    except credentials.CertificateUnusable as error:
        return fail(f"{options.file} cannot be used: {error.why}.")
    except credentials.CredentialTaken as error:
        return fail(f"This certificate was given already; it lets {error.slug} in.")
    print(f"{given.name} lets {operator.slug} in until {given.ends_at:%Y-%m-%d}. Its SHA-256:")
    print(given.digest)
    print_welcome(operator.slug, None)
    return 0


def run_credentials(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import credentials

    operator = active(options.slug)
    if operator is None:
        return unknown(options.slug)
    for each in credentials.credentials_of(operator, now=timezone.now()):
        until = f"until {each.ends_at:%Y-%m-%d %H:%M} UTC" if each.ends_at else "until it is ended"
        name = f" ({each.name})" if each.name else ""
        print(f"  {each.pk:<6} {each.kind:<12} {each.digest[:16]}  since {each.created_at:%Y-%m-%d}, {until}{name}")
    print(f"At a mirror its feed is in repositories/{operator.repository}; who knows that name can read it.")
    return 0


def run_end(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, credentials

    operator = active(options.slug)
    if operator is None:
        return unknown(options.slug)
    now = timezone.now()
    try:
        ended = actions.end_credential(
            operator=operator,
            number=options.number,
            ends_at=now + options.ends_in if options.ends_in else None,
            actor="system:operator-end",
            now=now,
        )
    except credentials.NoSuchCredential as error:
        return fail(
            f"{operator.slug} has no credential {error.number}. `rahdari operator credentials {operator.slug}` "
            "shows those that hold."
        )
    print(f"The {ended.kind} {ended.digest[:16]} lets {operator.slug} in until {ended.ends_at:%Y-%m-%d %H:%M} UTC.")
    return 0


def run_agent_keys(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import queries, receipts

    operator = active(options.slug)
    if operator is None:
        return unknown(options.slug)
    if options.revoke:
        try:
            revoked = receipts.revoke_key(
                operator=operator, key=options.revoke, actor="system:operator-keys", now=timezone.now()
            )
        except receipts.NoSuchKey:
            return fail(
                f"{operator.slug} has not one key that begins with {options.revoke}. Give eight letters of it at least."
            )
        print(f"Receipts that {revoked.key[:16]} signs are refused from now on. What it said before is kept.")
        return 0
    for key in queries.agent_keys_of(operator):
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC" if key.revoked_at else "signs"
        print(f"  {key.key}  since {key.enrolled_at:%Y-%m-%d %H:%M} UTC, {state}")
    return 0


def run_stop(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import actions, queries

    operator = queries.operator_by_slug(options.slug)
    if operator is None:
        return unknown(options.slug)
    actions.stop_operator(operator=operator, actor="system:operator-stop", now=timezone.now())
    print(f"{operator.slug} may not follow the feed any more. What its agent has applied stays applied.")
    print("Its keys to the API of checks, its callback and the posts of its people are ended.")
    return 0


def active(slug: str) -> Any:
    from rahdari.publish import queries

    operator = queries.operator_by_slug(slug)
    return operator if operator is not None and operator.active else None


def unknown(slug: str) -> int:
    return fail(f"There is no active operator {slug}. `rahdari operator list` names them.")


FIRST = "On the operator's machine: rahdari agent init --welcome FILE"
LATER = (
    "On the operator's machine: write the token into /etc/rahdari/token. It is read at the next request; nothing is "
    "started again."
)


def print_welcome(slug: str, token: str | None, then: str = FIRST) -> None:
    """What `rahdari agent init --welcome` reads: hand it over whole, by a way that others cannot read."""
    from django.conf import settings

    from rahdari.feed import TERMS
    from rahdari.publish import queries

    root = queries.root_file()
    lines = {
        "operator": slug,
        "server": settings.FEED_URL,
        "receipt_url": f"{settings.SITE_URL.rstrip('/')}/feed/receipt",
        "token": token,
        "root_sha256": hashlib.sha256(root.read_bytes()).hexdigest() if root.exists() else "",
        "terms_sha256": TERMS,
    }
    print()
    for name, value in lines.items():
        if value:
            print(f"{name} = {json.dumps(value)}")
    if not settings.FEED_URL:
        print("(RAHDARI_FEED_URL is not set: tell the operator the address of the feed as well.)")
    print(f"The terms of the feed: {settings.SITE_URL.rstrip('/')}/terms/feed/")
    print()
    print(then)
