"""The part of the doctor that looks at backups: how old the last verified and the last proved one is, and the
archive."""

import datetime as dt
from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection

ABOUT = "backup"
# One may come late by half of the time between two, and take so long.
TAKES = dt.timedelta(minutes=90)
OLDEST_PROOF = dt.timedelta(days=35)
# Files of 16 MB: what a register writes in a busy hour.
MOST_WAITING = 60
HOW = "docs/restore.md says how."


def check_backup(patient: Inspection) -> Iterator[Finding]:
    from django.conf import settings
    from django.utils import timezone

    from rahdari.ops.backup import state

    now, noted = timezone.now(), state.noted(patient.data)
    last, proved = noted.get("backup"), noted.get("proved")
    if last is None:
        # Nothing in it is worth one.
        if patient.is_demo:
            return
        if place := patient.environment.get("RAHDARI_BACKUP"):
            text = f"none of this register was verified in {place} yet: a lost disk loses every decision. Take one now."
            yield Finding(WRONG, ABOUT, f"{text} {HOW}")
            return
        text = "none was taken with `rahdari backup`: a lost disk loses every decision."
        yield Finding(NOTE, ABOUT, f"{text} {HOW}")
        return
    if last["identifier"] != _identifier():
        text = f"{last['id']} is of another database than the one in use. Take one of this, in a place of its own"
        yield Finding(WRONG, ABOUT, f"{text}; {HOW}")
        return
    age = now - dt.datetime.fromisoformat(last["finished_at"])
    every = dt.timedelta(hours=settings.BACKUP_HOURS)
    if age > every * 1.5 + TAKES:
        due = f"one is due every {settings.BACKUP_HOURS:g} h (RAHDARI_BACKUP_HOURS)"
        yield Finding(
            WRONG, ABOUT, f"the last verified one is {_days(age)} old, and {due}. Look whether its timer runs; {HOW}"
        )
    else:
        yield Finding(OK, ABOUT, f"{last['id']} is verified, {_days(age)} old")
    for key in noted.get("damaged", []):
        yield Finding(WRONG, ABOUT, f"{key} is damaged or gone, and what needs it cannot be restored whole. {HOW}")
    for what in noted.get("fell", []):
        text = f"at the last backup there was less than before, or another, of what only grows: {what}"
        yield Finding(WRONG, ABOUT, f"{text}. The count before is kept; {HOW}")
    proof_age = now - dt.datetime.fromisoformat(proved["at"]) if proved else None
    if proof_age is None or proof_age > OLDEST_PROOF:
        since = f"the last was restored {_days(proof_age)} ago" if proof_age else "none was ever restored"
        how = "Rehearse it: rahdari drill restore --from PLACE --key FILE. The next backup brings word of it."
        yield Finding(WRONG, ABOUT, f"{since}. {how} {HOW}")
    yield from _kept_as_said(patient)
    yield from _archive(now)


def _identifier() -> str:
    """PostgreSQL's own of the cluster that is in use."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        return str(cursor.fetchone()[0])


def _kept_as_said(patient: Inspection) -> Iterator[Finding]:
    """Backups hold what was erased since, so how long they are kept is part of the policy."""
    from django.conf import settings

    from rahdari import policy
    from rahdari.ops.backup import taking

    days = int(patient.environment.get("RAHDARI_BACKUP_DAYS") or taking.KEEP_DAYS)
    said = policy.current(settings.POLICY_FILE).retention.get("backups")
    if said is not None and said.span is not None and said.span.days < days:
        text = f"they are kept for {days} days, and the policy promises {said.span.days} (retention.backups)"
        yield Finding(WRONG, ABOUT, f"{text}. Set RAHDARI_BACKUP_DAYS to that, or change the policy.")


def _archive(now: dt.datetime) -> Iterator[Finding]:
    from rahdari.db.log_archive import log_archive

    log = log_archive()
    if log is None:
        yield Finding(NOTE, ABOUT, f"the log is not archived: what comes after the last backup is lost with it. {HOW}")
    elif log.fails:
        text = f"{log.failed} of the log is not archived since {log.failed_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(WRONG, ABOUT, f"{text}: see PostgreSQL's log, and that the place of the backups can be reached.")
    elif log.waiting > MOST_WAITING:
        text = (
            f"{log.waiting} files of the log wait to be archived: the place of the backups is slower than the register"
        )
        yield Finding(WRONG, ABOUT, f"{text}. Until it has caught up they are in no backup, and fill the disk.")
    else:
        yield Finding(
            OK, ABOUT, f"the log is archived, last {_days(now - log.at)} ago" if log.at else "the log is archived"
        )


def _days(age: dt.timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 1 else f"{hours * 60:.0f} min"
