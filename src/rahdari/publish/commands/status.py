"""`rahdari feed status`."""

import argparse
import datetime as dt
import os
from typing import Any

from .console import fail, span

MARKS = {"in_sync": "in sync", "behind": "behind", "drift": "another set", "incomplete": "not loaded everywhere"}


def add_words(acts: Any) -> None:
    acts.add_parser("status", help="session, edition, age, keys, expiries, receipts").set_defaults(run=run_status)


def run_status(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari.publish import operator_lag, queries

    now, code = timezone.now(), 0
    status = queries.feed_status()
    if not status.keys_exist:
        return fail(
            f"This feed has no keys, so nothing is published; {status.waiting} changes wait. "
            "Run: rahdari feed keys --offline DIR"
        )
    if not queries.root_file().exists():
        code = fail(
            "The feed's folder is not there: the publisher writes it anew from the database once it runs. After a "
            "restore agents may hold more than the database knows; docs/restore.md says what to do first."
        )
    if status.unreadable:
        return fail(f"The feed's folder cannot be read: {status.unreadable}")
    if status.shown is None:
        print("Nothing is published yet. The publisher does it once it runs (`rahdari publisher`).")
    else:
        print(f"Session        {status.shown.session_id}")
        print(f"Edition        {status.shown.sequence}, published {status.shown.published_at:%Y-%m-%dT%H:%M:%SZ}")
        print(f"Entries        {status.shown.entries}")
    if status.signed_at is not None:
        print(f"Signed         {span(now - status.signed_at)} ago, for {status.repositories} operators")
    for slug, (on_disk, known) in status.behind.items():
        has = "no edition" if known is None else f"edition {known[1]}"
        code = fail(
            f"To {slug} edition {on_disk[1]} was published, and the database knows {has} of it: it was restored from "
            "an older day, or it is another one. The publisher signs nothing new from it. Restore the newer database; "
            "if there is none: docs/restore.md."
        )
    print("Streams")
    for each in status.streams:
        of = "everything" if each.stream.everything else ", ".join(f"AS{asn}" for asn in each.stream.asns) or "nothing"
        state = "" if each.stream.is_open else ", being filled"
        print(
            f"  {each.stream.kind:<8} of {of}: edition {each.sequence}, {each.entries} entries, "
            f"{each.followers} operator{'' if each.followers == 1 else 's'}{state}"
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
    code = max(code, _print_keys())
    waiting = queries.holds_waiting()
    if waiting:
        print(f"Held           {waiting} mass removals wait for a second person: rahdari feed holds")
    print("Operators")
    print_operators(operator_lag.operators_with_lag(now=now), now)
    return code


def _print_keys() -> int:
    """Which key signs for each online role, and which others are trusted: a standby, or one that was replaced."""
    from django.conf import settings

    from rahdari.publish import ceremony, envelope, keys

    folder, code = keys.online_folder(settings.DATA), 0
    if not os.access(folder, os.R_OK | os.X_OK):
        # As it should be with a user for each process.
        print(f"Keys           {folder} is the publisher's alone: run this as root to see which key signs")
        return code
    print("Keys")
    for role in keys.ONLINE:
        try:
            trusted = ceremony.trusted_keys(role)
        except (keys.KeyUnusable, envelope.FeedUnusable) as error:
            code = fail(f"{error.path} cannot be used: {error.why}. Nothing is signed until another can.")
            continue
        others = ", ".join(keyid[:16] for keyid in trusted.others)
        beside = f"trusted beside it: {others}" if others else "NO STANDBY: rahdari feed rotate " + role
        print(f"  {role:<12} {trusted.signing[:16]} signs; {beside}")
    return code


def print_operators(lags: list[Any], now: dt.datetime) -> None:
    if not lags:
        print("  none; add one: rahdari operator add SLUG --name NAME --asn AS64500")
    for each in lags:
        if each.received_at is None:
            print(f"  {each.operator.slug:<20} no receipt yet")
            continue
        edition = f"edition {each.sequence}" if each.sequence is not None else "no edition of ours"
        late = ""
        if each.in_sync and each.shown_lag is not None:
            # Of the edition that is named, not of another stream's. One that lacks nothing is in sync, however long
            # after its publication it came to the newest.
            late = f", in force {span(each.shown_lag)} after it came"
            if each.behind:
                late = f", and edition {each.register_sequence} has been out for {span(each.shown_lag)}"
        elif each.lag is not None:
            late = f", {span(each.lag)} late"
        print(
            f"  {each.operator.slug:<20} {MARKS.get(each.state, each.state)}: {edition}{late}, "
            f"last receipt {span(now - each.received_at)} ago"
        )
        if each.unsupported:
            print(f"  {'':<20} UNSUPPORTED: the terms of the feed are not accepted there (docs/feed-operators.md)")
        if each.complement:
            print(f"  {'':<20} its agent says: what is not listed is dropped there")
