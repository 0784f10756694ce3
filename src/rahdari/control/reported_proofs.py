"""A proof that another room saw: a token of the endpoint was shown from its line."""

import datetime as dt
import ipaddress

from django.db import transaction

from rahdari.db.wake import wake
from rahdari.journal import actions as journal

from . import queries
from .models import Challenge, Method, ProbeAttempt, Status

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@transaction.atomic
def prove_by_report(*, subject: str, block: Block, source: Address | None, now: dt.datetime) -> Challenge:
    """The subject's own token reported this block, from `source`. What was proved before is given back."""
    known = queries.proof_of(subject, block)
    if known is not None:
        return known
    proof = Challenge(
        subject=subject,
        block=str(block),
        method=Method.REPORT,
        status=Status.VALID,
        opened_at=now,
        expires_at=now,
        validated_at=now,
    )
    proof.link_index = queries.link_index(queries.link_token(proof))
    proof.save(force_insert=True)
    others = Challenge.objects.filter(subject=subject, block=str(block), status=Status.PENDING)
    others.update(status=Status.WITHDRAWN, closed_at=now, next_look_at=None)
    evidence = {"seen": str(source)} if source is not None else {}
    ProbeAttempt.objects.create(challenge=proof, at=now, finding="reported", evidence=evidence)
    journal.record(
        act="control.proved",
        actor="system:control",
        subject=subject,
        now=now,
        detail={"method": Method.REPORT, "challenge": str(proof.pk)},
    )
    wake()  # checks waited for this
    return proof
