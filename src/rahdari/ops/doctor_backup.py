"""The part of the doctor that looks at backups: how old the last verified and the last proved one is, and the
archive."""

import datetime as dt
from collections.abc import Iterator

from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection

ABOUT = "backup"
OLDEST = dt.timedelta(hours=36)
OLDEST_PROOF = dt.timedelta(days=35)
HOW = "docs/restore.md says how."


def check_backup(patient: Inspection) -> Iterator[Finding]:
    from django.utils import timezone

    from rahdari.ops.backup import state

    if patient.is_demo:
        return
    now, noted = timezone.now(), state.noted(patient.data)
    last, proved = noted.get("backup"), noted.get("proved")
    if last is None:
        text = "none was taken with `rahdari backup`: a lost disk loses every decision."
        yield Finding(NOTE, ABOUT, f"{text} {HOW}")
        return
    age = now - dt.datetime.fromisoformat(last["finished_at"])
    if age > OLDEST:
        yield Finding(WRONG, ABOUT, f"the last verified one is {_days(age)} old. Look at its timer; {HOW}")
    else:
        yield Finding(OK, ABOUT, f"{last['id']} is verified, {_days(age)} old")
    proof_age = now - dt.datetime.fromisoformat(proved["at"]) if proved else None
    if proof_age is None or proof_age > OLDEST_PROOF:
        since = f"the last was restored {_days(proof_age)} ago" if proof_age else "none was ever restored"
        yield Finding(WRONG, ABOUT, f"{since}. Rehearse it: rahdari drill restore --from PLACE --key FILE. {HOW}")
    yield from _archive(now)


def _archive(now: dt.datetime) -> Iterator[Finding]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('archive_mode') <> 'off', last_archived_time, last_failed_time, last_failed_wal"
            " FROM pg_stat_archiver"
        )
        archives, at, failed_at, failed = cursor.fetchone()
    if not archives:
        yield Finding(NOTE, ABOUT, f"the log is not archived: what comes after the last backup is lost with it. {HOW}")
    elif failed_at is not None and (at is None or failed_at > at):
        text = f"{failed} of the log is not archived since {failed_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(WRONG, ABOUT, f"{text}: see postgres.log, and that the place of the backups can be reached.")
    else:
        yield Finding(OK, ABOUT, f"the log is archived, last {_days(now - at)} ago" if at else "the log is archived")


def _days(age: dt.timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 1 else f"{hours * 60:.0f} min"
