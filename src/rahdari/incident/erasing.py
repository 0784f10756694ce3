"""What of an incident goes when its time of keeping is over: what was said, which connection it was, and whose; with
the evidence packs. What it was, how long, at which operator and how it ended stays, and names nobody."""

import datetime as dt

from rahdari.archive.actions import Box
from rahdari.journal import actions as journal
from rahdari.vault import files

from .models import Incident, Pack, Report


def erase(incident: Incident, box: Box, now: dt.datetime) -> None:
    """In the caller's transaction."""
    reports = list(incident.reports.all())
    said = [each for each in incident.happenings.all() if each.words]
    box.take([incident, *reports, *said])
    for happening in said:
        happening.words = ""
        happening.save(update_fields=["words"])
    Report.objects.filter(incident=incident).update(registration=None, holder=None, subject="", block=None, runs="")
    for pack in incident.packs.filter(erased_at__isnull=True):
        forget_pack(pack, now)
    incident.erased_at = now
    incident.save(update_fields=["erased_at"])
    journal.record(act="incident.erased", actor="clock", subject=incident.subject, now=now)


def forget_pack(pack: Pack, now: dt.datetime) -> None:
    for name in filter(None, (pack.evidence, pack.address)):
        files.erase(name)
    pack.evidence = pack.address = ""
    pack.registration, pack.erased_at = None, now
    pack.save(update_fields=["evidence", "address", "registration", "erased_at"])
