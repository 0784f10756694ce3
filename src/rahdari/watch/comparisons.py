"""What bodies outside published with the kit that compares (docs/difference.md), for our own page.

Kept as it was published, byte for byte, and never changed: a correction is a file of its own, and stands beside the one
that it corrects. A file has passed the reader of the kit before it comes here; it names no operator and no address.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from .models import Comparison


class AlreadyTaken(RahdariError):
    """This very file is here. `.sha256`"""

    says = "{sha256}"
    sha256: str


class SaysAgain(RahdariError):
    """The body has said something of this protocol and week, and this is not said to correct it."""

    says = "{protocol} {week}"
    protocol: str
    week: str


class NothingToCorrect(RahdariError):
    """No file of this body begins like this, or it is corrected already. `.sha256`"""

    says = "{sha256}"
    sha256: str


def published() -> QuerySet[Comparison]:
    """All of them, the newest first."""
    return Comparison.objects.select_related("corrects", "correction").order_by("-taken_at", "-id")


@transaction.atomic
def take_in(
    *,
    body: str,
    url: str,
    content: bytes,
    rules_version: int,
    findings: Sequence[Mapping[str, Any]],
    corrects: str,
    by: str,
    now: dt.datetime,
) -> Comparison:
    """`findings` are the rows of `content`; `corrects` is how the SHA-256 of an earlier file of this body begins.

    Raises AlreadyTaken, SaysAgain, NothingToCorrect.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if Comparison.objects.filter(sha256=sha256).exists():
        raise AlreadyTaken(sha256)
    of_body = published().filter(body=body)
    before = None
    if corrects:
        before = of_body.filter(sha256__startswith=corrects.lower(), correction__isnull=True).first()
        if before is None:
            raise NothingToCorrect(corrects)
    corrected, each = set[Comparison](), before
    while each is not None:
        corrected.add(each)
        each = each.corrects
    said = {(row["protocol"], row["week"]) for file in of_body if file not in corrected for row in file.findings}
    for row in findings:
        if (row["protocol"], row["week"]) in said:
            raise SaysAgain(row["protocol"], row["week"])
    made = Comparison.objects.create(
        body=body,
        url=url,
        content=content.decode(),
        sha256=sha256,
        rules_version=rules_version,
        findings=[dict(row) for row in findings],
        corrects=before,
        taken_at=now,
    )
    detail = {"body": body, "sha256": sha256}
    journal.record(act="watch.took_in", actor=by, subject=f"comparison:{made.pk}", now=now, detail=detail)
    return made
