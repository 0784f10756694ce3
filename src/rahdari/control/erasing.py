"""Proofs and what was seen, when its time of keeping is over."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from rahdari.archive.actions import Box

from .models import Challenge, ProbeAttempt, Reproof, Status


def erase_evidence(*, before: dt.datetime, at_most: int) -> int:
    """Of attempts made before then the evidence goes, but for its digest; returns of how many. Of a challenge that is
    still open it stays: the parts of a proof come together from it."""
    with transaction.atomic():
        return _digest(evidence_due(before=before).select_for_update(of=("self",))[:at_most])


def evidence_due(*, before: dt.datetime) -> QuerySet[ProbeAttempt]:
    old = ProbeAttempt.objects.filter(at__lt=before).exclude(evidence={}).exclude(evidence__has_key="sha256")
    return old.exclude(challenge__status=Status.PENDING).order_by("at", "id")


def _digest(attempts: Collection[ProbeAttempt]) -> int:
    for attempt in attempts:
        written = json.dumps(attempt.evidence, sort_keys=True, separators=(",", ":")).encode()
        attempt.evidence = {"sha256": hashlib.sha256(written).hexdigest()}
        attempt.save(update_fields=["evidence"])
    return len(attempts)


def erase_proofs(*, subjects: Collection[str], box: Box) -> None:
    """Of these subjects: which address was proved, and what was seen. That there was a proof, when, and with which
    outcome, stays."""
    box.take(Challenge.objects.filter(subject__in=subjects))
    attempts = ProbeAttempt.objects.filter(challenge__subject__in=subjects)
    box.take(attempts)
    for challenge in Challenge.objects.filter(subject__in=subjects):
        challenge.block, challenge.given = "", ""
        challenge.save(update_fields=["block", "given"])
    _digest(list(attempts.exclude(evidence={}).exclude(evidence__has_key="sha256")))


def forget_reproofs(*, abouts: Collection[str]) -> list[str]:
    """Proofs that were shown again of what is forgotten. Gives the subjects of their challenges."""
    found = list(Reproof.objects.filter(about__in=abouts))
    Reproof.objects.filter(pk__in=[each.pk for each in found]).delete()
    return [each.subject for each in found]
