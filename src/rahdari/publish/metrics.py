"""What a monitoring system asks of the register: gauges in Prometheus' text format (0.0.4).

Whether the machine has what it needs is told too, also when the database is away: then nothing else is.

Names of operators are in it; no address, person or application ever is.

`deploy/alerts-register.yml` has the rules that go with it, `docs/monitoring.md` says what each of them means.
"""

import datetime as dt
import json
import shutil

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from rahdari import __version__
from rahdari.db import queues, replicas
from rahdari.db.log_archive import log_archive
from rahdari.web.metrics_access import LOOPS, Family, name_of_loop
from rahdari.web.metrics_access import exposition as in_text

from . import holds, operator_lag, queries
from .rules import LagState


def exposition(*, now: dt.datetime) -> str:
    """The whole page."""
    try:
        families = [("database_up", "Whether the database answers.", [({}, 1)]), *_of_the_database(now)]
    except (OperationalError, InterfaceError):
        connection.close()
        families = [("database_up", "Whether the database answers.", [({}, 0)])]
    return in_text([*_of_the_machine(), *families])


def _of_the_machine() -> list[Family]:
    usage = shutil.disk_usage(settings.DATA)
    return [
        ("info", "The version at work.", [({"version": __version__}, 1)]),
        ("disk_free_bytes", "Bytes that are free where the data folder lies.", [({}, usage.free)]),
        *_of_the_backups(),
    ]


def _of_the_backups() -> list[Family]:
    """As `rahdari backup` noted it. Where it has a place and none was verified yet, as after a restore, that is as old
    as can be; without a place there is nothing."""
    try:
        noted = json.loads((settings.DATA / "backup" / "state.json").read_text())
    except (OSError, ValueError):
        if not settings.BACKUP_PLACE:
            return []
        noted = {"backup": None, "proved": None}
    faults = len(noted.get("damaged", [])) + len(noted.get("fell", []))
    verified = _seconds(noted["backup"]["finished_at"]) if noted["backup"] else 0
    families: list[Family] = [
        ("backup_verified_timestamp_seconds", "When the last verified backup was taken.", [({}, verified)])
    ]
    # Never restored: as old as can be.
    proved = _seconds(noted["proved"]["at"]) if noted["proved"] else 0
    return [
        *families,
        ("backup_every_seconds", "How often one is to be taken.", [({}, settings.BACKUP_HOURS * 3600)]),
        ("backup_faults", "Files of backups that are damaged, and counts that fell where none may.", [({}, faults)]),
        ("backup_proved_timestamp_seconds", "When a backup was last restored in a rehearsal.", [({}, proved)]),
    ]


def _of_the_log() -> list[Family]:
    """Without a value where it is not archived."""
    log = log_archive()
    fails: list[tuple[dict[str, str], float]] = [({}, log.fails)] if log else []
    waiting: list[tuple[dict[str, str], float]] = [({}, log.waiting)] if log else []
    return [
        ("log_archive_fails", "Whether a file of the database's log cannot be archived.", fails),
        ("log_files_waiting", "Files of the database's log that are not archived yet.", waiting),
    ]


def _of_the_replicas() -> list[Family]:
    """Of those that pages are read from, by host and port."""
    written, found = replicas.written(), {each.name: each.replayed() for each in replicas.replicas()}
    follows = [({"replica": name}, replayed is not None) for name, replayed in found.items()]
    behind = [({"replica": name}, max(0, written - at)) for name, at in found.items() if at is not None]
    return [
        ("replica_follows", "Whether a replica answers and follows the primary.", follows),
        ("replica_behind_bytes", "Bytes of the primary's log that a replica has not replayed.", behind),
    ]


def _seconds(at: str) -> float:
    return dt.datetime.fromisoformat(at).timestamp()


def loops_at_work() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()")
        names = {name for (name,) in cursor.fetchall()}
    return {loop for loop in LOOPS if name_of_loop(loop) in names}


def _of_the_database(now: dt.datetime) -> list[Family]:
    at_work = loops_at_work()
    status = queries.feed_status()
    lags = operator_lag.operators_with_lag(now)
    waiting = list(holds.open_holds())
    oldest = queries.oldest_waiting_change()

    def seconds(at: dt.datetime | None) -> list[tuple[dict[str, str], float]]:
        return [({}, (now - at).total_seconds())] if at is not None else []

    return [
        *_of_the_log(),
        *_of_the_replicas(),
        ("loop_at_work", "Whether a loop is at work.", [({"loop": loop}, loop in at_work) for loop in LOOPS]),
        (
            "feed_edition",
            "The last edition of everything, by role.",
            [({"role": each.stream.role}, each.sequence) for each in status.streams if each.stream.everything],
        ),
        (
            "feed_entries",
            "Entries in it.",
            [({"role": each.stream.role}, each.entries) for each in status.streams if each.stream.everything],
        ),
        (
            "items_failing",
            "Items of a queue that failed and are tried again later.",
            [({"queue": queue}, count) for queue, count in queues.failing_by_queue().items()],
        ),
        ("feed_streams", "Streams of the feed that somebody follows.", [({}, len(status.streams))]),
        ("feed_signature_age_seconds", "How long ago the oldest timestamp was signed.", seconds(status.signed_at)),
        (
            "feed_expires_seconds",
            "In how long a role of the feed expires.",
            [({"role": role}, (at - now).total_seconds()) for role, at in status.expires.items()],
        ),
        ("feed_unreadable", "Whether the feed's folder cannot be read.", [({}, bool(status.unreadable))]),
        ("database_behind_feed", "Whether more was published than the database knows.", [({}, bool(status.behind))]),
        ("changes_waiting", "Changes of the register that no edition has yet.", [({}, status.waiting)]),
        ("oldest_change_seconds", "How long the oldest of them has waited.", seconds(oldest) or [({}, 0)]),
        ("editions_to_publish", "Editions that are cut and not published.", [({}, status.to_publish)]),
        (
            "holds_waiting",
            "Mass removals that wait for a second person.",
            [({}, sum(hold.state == hold.State.WAITING for hold in waiting))],
        ),
        ("removals_held", "Entries that are held in the feed.", [({}, sum(hold.removals for hold in waiting))]),
        (
            "operator_lag_seconds",
            "How late the operator is, or was with the last edition.",
            [({"operator": each.operator.slug}, each.lag.total_seconds()) for each in lags if each.lag is not None],
        ),
        (
            "operator_behind_editions",
            "How many editions the operator lacks.",
            [({"operator": each.operator.slug}, each.behind) for each in lags if each.behind is not None],
        ),
        (
            "operator_receipt_age_seconds",
            "How long ago the operator's agent last spoke.",
            [
                ({"operator": each.operator.slug}, (now - each.received_at).total_seconds())
                for each in lags
                if each.received_at is not None
            ],
        ),
        (
            "operator_terms_accepted",
            "Whether the operator's last receipt names the terms of the feed.",
            [({"operator": each.operator.slug}, not each.unsupported) for each in lags if each.received_at is not None],
        ),
        (
            "operator_complement",
            "Whether its agent tells that what is not listed is dropped there.",
            [({"operator": each.operator.slug}, each.complement) for each in lags if each.received_at is not None],
        ),
        (
            "operator_standing",
            "How the operator stands: 1 for the one that is true.",
            [
                ({"operator": each.operator.slug, "standing": str(state)}, each.state is state)
                for each in lags
                for state in LagState
            ],
        ),
    ]
