"""Receipts as an operator's agent sends them."""

import datetime as dt
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rahdari.feed import AppliedTarget, Receipt, SignedReceipt
from rahdari.feed.entry import time_text
from rahdari.publish import receipts
from rahdari.publish.models import Edition, Operator, Stream
from tests.builders.publishing import NOW

SECOND = dt.timedelta(seconds=1)


def a_receipt(
    operator: Operator,
    sequence: int | None = None,
    *,
    role: str = "feed-static",
    after: dt.timedelta = SECOND,
    ok: bool = True,
    digest: str | None = None,
    applied_at: dt.datetime | None = None,
    loaded: int | None = None,
) -> Receipt:
    """Of the stream that the operator follows; of its last edition, unless another is named."""
    stream = Stream.objects.get(followings__operator=operator, followings__left_at=None, role=role)
    editions = Edition.objects.filter(stream=stream)
    edition = editions.get(sequence=sequence) if sequence is not None else editions.latest("sequence")
    return Receipt(
        edition.session_id,
        edition.sequence,
        digest or edition.digest,
        time_text(applied_at or (edition.published_at or NOW) + after),
        (AppliedTarget("North gateway", "nft", edition.entries if loaded is None else loaded, ok),),
    )


def signed(operator: Operator, receipt: Receipt) -> SignedReceipt:
    seed = hashlib.sha256(operator.slug.encode()).digest()
    return SignedReceipt.sign(receipt, Ed25519PrivateKey.from_private_bytes(seed))


def received(
    operator: Operator, receipt: Receipt | None = None, *, after: dt.timedelta = 2 * SECOND
) -> receipts.Recorded:
    receipt = receipt or a_receipt(operator)
    return receipts.record_receipt(operator=operator, receipt=signed(operator, receipt), now=NOW + after)
