"""The data of the demonstration, made by the rooms' own acts. Made once; a second time finds everything there.

Each function looks for what it makes before it makes it, so a demonstration that was stopped half-way is completed.
"""

import contextlib
import datetime as dt
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone, translation

from rahdari import optional, policy
from rahdari.checks import queries as checks
from rahdari.checks import rosters
from rahdari.confirm import queries as confirmed
from rahdari.confirm import tokens
from rahdari.letters import sending
from rahdari.ops import demo, figure_samples, sample_drafts, sample_measured, sample_registry, samples
from rahdari.people import demonstration
from rahdari.publish import actions as publishing
from rahdari.publish import ceremony, editions
from rahdari.publish import queries as published

log = logging.getLogger("rahdari.prepare")
ACTOR = demonstration.ACTOR
SAMPLE = Path(__file__).parent / "sample"


@dataclass(frozen=True)
class SampleOperator:
    """A network of the demonstration; its addresses stand in `settings.DIRECTORY_EXTRA`."""

    slug: str
    name: str
    asns: tuple[int, ...]
    # How its mobile numbers begin, if it has any.
    numbers: tuple[str, ...] = ()


OPERATORS = (
    SampleOperator("sample-fibre", "Sample Fibre", (64500,)),
    SampleOperator("example-broadband", "Example Broadband", (64501,), ("33", "34")),
    SampleOperator("placeholder-net", "Placeholder Net", (64502,), ("30", "31", "32")),
)


def sow() -> None:
    now = timezone.now()
    make_feed_keys(now)
    make_operators(now)
    demonstration.make_ready_accounts(operators=[(each.slug, each.name) for each in OPERATORS], now=now)
    asked = policy.asked_by(policy.current(settings.POLICY_FILE))
    if "rosters" in asked:
        import_rosters(now)
    sample_registry.make(now)
    if "association" in asked:
        optional.ask(__package__, "sow_members", now)
    samples.make_applications(now)
    sample_drafts.publish(now)
    sample_measured.measured(now)
    figure_samples.make(now)
    deliver()
    # The first edition, an empty one, is there before anybody asks for it. Later the keys may be the publisher's alone.
    try:
        if os.access(Path(settings.DATA) / "keys" / "feed", os.R_OK | os.X_OK):
            publishing.publish_editions(now=now)
    except editions.DatabaseBehindFeed as error:
        log.warning("Nothing new is signed: %s. docs/restore.md says how to go on.", error)
    write_accounts()


def make_feed_keys(now: dt.datetime) -> None:
    """The demonstration's feed is signed with keys made here; a register's are made in a ceremony (docs/feed.md)."""
    if published.feed_keys_exist():
        return
    ceremony.make_feed_keys(offline=Path(settings.DATA) / "keys" / "feed-offline", now=now)
    log.info("Made the feed's keys.")


def make_operators(now: dt.datetime) -> None:
    for each in OPERATORS:
        if published.operator_by_slug(each.slug) is None:
            token = publishing.create_operator(slug=each.slug, name=each.name, asns=list(each.asns), now=now)
            write_token(each.slug, token)
        operator = published.operator_by_slug(each.slug)
        if operator is not None and each.numbers:
            publishing.set_number_prefixes(operator=operator, prefixes=each.numbers, actor=ACTOR, now=now)
    make_answering_key(now)


def make_answering_key(now: dt.datetime) -> None:
    """The key with which one sample operator's system answers checks, where that system finds it."""
    path = Path(settings.DATA) / "agents" / demo.ANSWERS_BY_ITSELF / "answers.key"
    if path.exists() and confirmed.token_shown(path.read_text().strip(), now=now) is not None:
        return
    _token, text = tokens.make_token(
        operator=demo.ANSWERS_BY_ITSELF, name="Made-up system that answers by itself", sandbox=False, by=ACTOR, now=now
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def write_token(slug: str, token: str) -> None:
    """Hand the operator's token to its agent, as an administrator would by another way."""
    folder = Path(settings.DATA) / "agents" / slug
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "token", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")


def import_rosters(now: dt.datetime) -> None:
    for path in sorted(SAMPLE.glob("*.csv")):
        if checks.roster_in_use(path.stem) is None:
            report = rosters.import_roster(name=path.stem, path=path, now=now, actor=ACTOR)
            log.info("Imported the sample roster %s: %s rows.", path.stem, report.accepted)


def deliver() -> None:
    """Send the letters of the sample applications into their folder, so that they do not fill the terminal later."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        while sending.send_due(now=timezone.now()):
            pass


def write_accounts() -> None:
    """Leave the list of accounts for `rahdari demo`, which prints it and does not know Django."""
    with translation.override("en"):
        listed = [{"email": account.user.email, "says": account.says} for account in demonstration.ready_accounts()]
    path = Path(settings.DATA) / "accounts.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)
