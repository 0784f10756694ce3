"""Receipts: what operators' agents say they hold, each signed by the agent's own key, and our answer.

Invariants: a receipt is kept once, and never changed; it speaks of the one stream whose session it names; a key that
was shown first under an operator's credential is that operator's, and nobody else's, for ever; nothing that is signed
by a key that was revoked is kept.

It is fast, because all agents speak in the second after an edition: a receipt costs four reads by index and one row.
One more row is written when an agent says for the first time that the terms of the feed, or others, were accepted. A
receipt without them is kept like any other; `lags` tells who stands without support for it.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Subquery

from rahdari.errors import RahdariError
from rahdari.feed import FORMAT, InvalidReceipt, SignedReceipt
from rahdari.feed.entry import time_text
from rahdari.journal import actions as journal

from . import rules
from .models import AgentKey, Delegation, Edition, Operator, Receipt
from .rules import ReceiptStanding

log = logging.getLogger("rahdari.publish")

# An agent has one key, an operator a few agents: more than this is somebody who plays with a credential.
MOST_KEYS = 200


class KeyRefused(InvalidReceipt):
    """The key that signed is not, or no longer, one of this operator's. `.why`: revoked, of another, too many."""

    def __init__(self, why: str) -> None:
        super().__init__("key")
        self.why = why


class NoSuchKey(RahdariError):
    """The operator has no agent key that begins so, or several. `.key`"""

    says = "{key}"
    key: str


@dataclass(frozen=True)
class Recorded:
    """`new` is False when the same receipt was there already. `head` is the last edition of the stream it speaks of."""

    standing: ReceiptStanding
    new: bool
    head: int | None


def record_receipt(*, operator: Operator, receipt: SignedReceipt, now: dt.datetime) -> Recorded:
    """Keep an operator's receipt, with our answer to it. The same one twice is one.

    Raises InvalidReceipt (the signature does not hold), KeyRefused.
    """
    receipt.verify()
    key = AgentKey.objects.filter(key=receipt.key).first()
    if key is None:
        key = enrol_key(operator=operator, key=receipt.key, now=now)
    if key.operator_id != operator.pk:
        raise KeyRefused("it is another operator's")
    if key.revoked_at is not None:
        raise KeyRefused("it was revoked")
    said = receipt.receipt
    # An edition that is signed and not yet marked may already be in force, so `published_at` is not asked for. One of a
    # stream that this operator never followed is none of its own.
    edition = (
        Edition.objects.filter(session=said.session, sequence=said.sequence)
        .filter(Exists(Delegation.objects.filter(operator=operator, stream=OuterRef("stream"))))
        .annotate(head=Subquery(_HEADS))
        .values_list("stream", "digest", "head")
        .first()
    )
    stream, digest, head = edition or (None, None, None)
    standing = rules.receipt_standing(
        digest=said.digest,
        published_digest=digest,
        all_targets_ok=all(target.ok for target in said.targets),
    )
    row = Receipt(
        operator=operator,
        key=key,
        stream_id=stream,
        session=said.session,
        sequence=said.sequence,
        digest=said.digest,
        applied_at=said.applied,
        received_at=now,
        targets=said.as_json()["targets"],
        standing=standing,
        body_sha256=said.sha256,
        signature=receipt.signature,
        terms=said.terms,
        complement=said.complement,
    )
    new = _insert(row)
    if said.terms and said.terms != key.terms:
        note_terms(operator=operator, key=key, terms=said.terms, now=now)
    if new and standing is ReceiptStanding.DRIFT:
        log.warning("operator %s holds another set than edition %s", operator.slug, said.sequence)
    return Recorded(standing, new, head)


_HEADS = (
    Edition.objects.filter(stream=OuterRef("stream"), published_at__isnull=False)
    .order_by("-sequence")
    .values("sequence")[:1]
)
_COLUMNS = [field for field in Receipt._meta.concrete_fields if not field.primary_key]
_INSERT = (
    f"INSERT INTO {Receipt._meta.db_table} ({', '.join(str(field.column) for field in _COLUMNS)}) "  # noqa: S608 - our names
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT (operator_id, body_sha256) DO NOTHING"
)


def _insert(row: Receipt) -> bool:
    """One statement, whether or not it is there: no reading before, and no savepoint."""
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return bool(cursor.rowcount)


def signed_again(row: Receipt) -> SignedReceipt | None:
    """What the agent signed, put together from what was kept of it; None where that is not all of it, or where it was
    not signed."""
    if row.key is None or not row.signature:
        return None
    said = {
        "format": FORMAT,
        "session": row.session,
        "sequence": row.sequence,
        "digest": row.digest,
        "applied_at": time_text(row.applied_at),
        "targets": row.targets,
        "terms": row.terms,
        "complement": row.complement,
    }
    found = SignedReceipt.from_json({"receipt": said, "key": row.key.key, "signature": row.signature})
    return found if found.receipt.sha256 == row.body_sha256 else None


# -- agents' keys --------------------------------------------------------------------------------------------------


def enrol_key(*, operator: Operator, key: str, now: dt.datetime) -> AgentKey:
    """Take up a key that was shown first under this operator's credential. Raises KeyRefused."""
    if operator.agent_keys.filter(revoked_at=None).count() >= MOST_KEYS:
        raise KeyRefused("too many keys are enrolled; revoke old ones")
    try:
        with transaction.atomic():
            row = AgentKey.objects.create(operator=operator, key=key, enrolled_at=now)
            journal.record(
                act="publish.agent_key_enrolled",
                actor=f"operator:{operator.slug}",
                subject=f"operator:{operator.slug}",
                now=now,
                detail={"key": key[:16]},
            )
    except IntegrityError:
        # Two receipts of one agent came at the same moment.
        return AgentKey.objects.get(key=key)
    return row


def note_terms(*, operator: Operator, key: AgentKey, terms: str, now: dt.datetime) -> None:
    """Keep since when an agent says that these terms were accepted."""
    with transaction.atomic():
        if AgentKey.objects.filter(pk=key.pk).exclude(terms=terms).update(terms=terms, terms_at=now):
            journal.record(
                act="publish.terms_accepted",
                actor=f"operator:{operator.slug}",
                subject=f"operator:{operator.slug}",
                now=now,
                detail={"key": key.key[:16], "terms": terms[:16]},
            )


def revoke_key(*, operator: Operator, key: str, actor: str, now: dt.datetime) -> AgentKey:
    """Take nothing more that this key signs. `key` may be shortened, while it is one. Raises NoSuchKey."""
    with transaction.atomic():
        found = list(operator.agent_keys.select_for_update().filter(key__startswith=key, revoked_at=None)[:2])
        if len(found) != 1 or len(key) < 8:
            raise NoSuchKey(key)
        (row,) = found
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        journal.record(
            act="publish.agent_key_revoked",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"key": row.key[:16]},
        )
    return row
