"""The part of the doctor that looks at the rules in force."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection

if TYPE_CHECKING:
    from rahdari.policy import Calendar, Policy

# From this month on the next year's holidays are wanted.
NEXT_YEAR_FROM = 11


def check_policy(patient: Inspection) -> Iterator[Finding]:
    from rahdari import policy
    from rahdari.checks import kinds  # noqa: F401 (it says which checks a policy may ask for)
    from rahdari.policy import commands

    path = patient.data / "policy" / "in-force.toml"
    try:
        given = policy.load(path if path.exists() else policy.BUNDLED)
    except policy.PolicyError as error:
        first = error.problems[0]
        yield Finding(
            WRONG,
            "policy",
            f"{path} has {len(error.problems)} problems, the first in line {first.line}: {first.message} "
            f"Run: rahdari policy check {path}",
        )
        return
    if (digest := commands.digest_in_force(path)) not in ("", given.digest):
        yield Finding(
            WRONG,
            "policy",
            f"{path} was changed by hand: it was put in force with the digest {digest[:16]}, and has "
            f"{given.digest[:16]}. Nobody judged that change. Run with a copy of it: rahdari policy use FILE",
        )
    where = path if path.exists() else "the one that came with this release"
    yield Finding(OK, "policy", f"{given.name.en} {given.version} ({where})")
    said = given.unregistered
    if said is not None and not said.signed.is_signed and not patient.is_demo:
        yield Finding(
            NOTE,
            "policy",
            f"the pages say what happens to connections that are not on the register, and nobody has signed it "
            f"({said.signed.key}). Put name, office and day into a copy of the file, and run: rahdari policy use COPY",
        )
    yield from check_disposal(patient, given)
    open_codes = [reason.code for reason in given.reasons.values() if not reason.usable(False)]
    if open_codes and not patient.is_demo:
        codes = ", ".join(open_codes)
        yield Finding(
            NOTE,
            "policy",
            f"no question, refusal or ending can rest on these reasons: {codes}. Officers are not offered them until "
            "their provisions are confirmed in the policy; docs/policy.md.",
        )
    yield from check_calendar(given.calendar, dt.datetime.now(given.calendar.zone_info).date())


def check_disposal(patient: Inspection, given: "Policy") -> Iterator[Finding]:
    """What a clock would erase, and the law of the archives keeps."""
    from rahdari.archive import sealing
    from rahdari.archive.queries import SEALED, Disposal, disposal_with

    place = patient.data / "keys" / "seal.pub"
    try:
        has_key = place.exists() and bool(sealing.read_public(place))
    except sealing.Refused as error:
        yield Finding(WRONG, "disposal", f"{error} Bring it back from your backup, or install one: keys seal use")
        return
    found = [row for row in given.retention.values() if row.erased_by == "clock" and row.keep]
    kept = [row.key for row in found if disposal_with(given, row.key, has_key=has_key) is Disposal.KEEP]
    waits = [key for key in kept if key in SEALED and given.retention[key].without_consent == Disposal.SEAL]
    if kept:
        way = " Make a sealing key: rahdari keys seal (docs/secrets.md)." if waits and not has_key else ""
        yield Finding(
            NOTE,
            "disposal",
            f"no consent of the archives is named for {', '.join(kept)} (`consent_ref`), so they are kept when their "
            f"time is over, and the privacy page says so.{way}",
        )


def check_calendar(calendar: "Calendar", today: dt.date) -> Iterator[Finding]:
    """Clocks of working time run through days off that the calendar does not know."""
    days = [holiday.date for holiday in calendar.holidays if holiday.closes_the_office]
    if not days:
        yield Finding(
            WRONG, "calendar", "the policy has no holidays, so deadlines fall on them. Add calendar.holidays."
        )
    elif max(days) < today:
        yield Finding(
            WRONG,
            "calendar",
            f"the last holiday of the policy was {max(days)}, so deadlines fall on days off. Add this year's, and run: "
            "rahdari policy use FILE",
        )
    elif today.month >= NEXT_YEAR_FROM and not any(day.year > today.year for day in days):
        yield Finding(
            NOTE, "calendar", f"the policy has no holidays of {today.year + 1} yet. Add them before it begins."
        )


def check_rules_of_the_last(patient: Inspection) -> Iterator[Finding]:
    """After a restore without `policy/` the bundled example would be in force, and nobody would know."""
    from rahdari import policy
    from rahdari.apply import queries as applications

    if (patient.data / "policy" / "in-force.toml").exists():
        return
    sent = applications.sent_between(start=dt.datetime.min.replace(tzinfo=dt.UTC), end=dt.datetime.now(dt.UTC))
    last = sent.order_by("-submitted_at").first()
    if last is None:
        return
    before, now = applications.frozen_policy(last), policy.load(policy.BUNDLED)
    if before.authority.en != now.authority.en:
        yield Finding(
            WRONG,
            "policy",
            f"the example that came with this release is in force ({now.authority.en}), and the last application was "
            f"sent under that of {before.authority.en}. Bring policy/in-force.toml back from the backup, or run: "
            "rahdari policy use FILE",
        )
