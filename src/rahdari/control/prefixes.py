"""What holders of address space have signed in the RPKI, as evidence about a block and the network that announces it.

It shows that the network is entitled to announce the space, and says nothing of who applies: so it adds to a proof that
rests on the registry, and is none by itself (ADR 0013).
"""

import datetime as dt
from pathlib import Path
from typing import Any

from django.conf import settings

from rahdari.address import rpki, rpki_commands
from rahdari.policy import Proof

from .models import Method
from .rules import Block, is_range

MOST_PAYLOADS = 5


def rpki_of(block: Block, asn: int | None, now: dt.datetime) -> dict[str, Any] | None:
    """What the RPKI says of the block: `authority`, `asn`, `built_at` (ISO 8601) and `payloads`.
    None without a network, or without an export that is fresh enough to be evidence.
    """
    payloads = rpki.Payloads(rpki_commands.in_use(Path(settings.DATA)))
    if asn is None or not payloads.is_there or payloads.is_stale(now):
        return None
    covering = payloads.covering(block)
    built_at = payloads.built_at()
    return {
        "authority": str(rpki.authority(block, asn, covering)),
        "asn": asn,
        "built_at": built_at.isoformat() if built_at else "",
        "payloads": [each.as_data() for each in covering[:MOST_PAYLOADS]],
    }


def weight_of(proof: Proof, method: str, block: Block, asn: int | None, now: dt.datetime) -> int:
    """How much a success by this method counts for a block; nothing for a method that is not offered."""
    offered = proof.offered(method)
    if offered is None or (method == Method.DNS and not settings.PROOF_RESOLVERS):
        return 0
    if not is_range(block):
        return offered.weight
    if offered.named_weight is not None and is_named(block, asn, now):
        return offered.named_weight
    return offered.range_weight


def is_named(block: Block, asn: int | None, now: dt.datetime) -> bool:
    """Whether the holder of the space has named the network for it."""
    found = rpki_of(block, asn, now)
    return found is not None and found["authority"] == rpki.Authority.NAMED
