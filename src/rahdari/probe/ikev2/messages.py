"""IKEv2 on the wire (RFC 7296 section 3): messages and the payloads in them. Reading is bounded and trusts no length.

SPI of the initiator (8)   of the responder (8)   first payload (1)   version (1)   exchange (1)   flags (1)
message id (4)   length (4)
each payload: next payload (1)   critical (1)   length (2)   content
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

HEADER = 28
VERSION = 0x20
SA_INIT, AUTH = 34, 35
FROM_INITIATOR, HIGHER_VERSION, RESPONSE = 0x08, 0x10, 0x20
MOST_PAYLOADS = 64

# Payloads.
SA, KE, ID_I, ID_R, CERT, CERT_REQUEST, AUTH_DATA, NONCE, NOTIFY, DELETE, TS_I, TS_R, SEALED, EAP, SEALED_PART = (
    *range(33, 43),
    44,
    45,
    46,
    48,
    53,
)
# Notifications.
INVALID_KE_PAYLOAD = 17
COOKIE, FRAGMENTATION_SUPPORTED, SIGNATURE_HASHES = 16390, 16430, 16431
FIRST_STATUS = 16384
NAMES = {
    1: "unsupported_critical_payload",
    4: "invalid_ike_spi",
    5: "invalid_major_version",
    7: "invalid_syntax",
    9: "invalid_message_id",
    14: "no_proposal_chosen",
    17: "invalid_ke_payload",
    24: "authentication_failed",
    34: "single_pair_required",
    35: "no_additional_sas",
    36: "internal_address_failure",
    37: "failed_cp_required",
    38: "ts_unacceptable",
    43: "temporary_failure",
}


class NotIke(Exception):
    """These bytes are no message, or no payloads."""


@dataclass(frozen=True)
class Payload:
    kind: int
    content: bytes


@dataclass(frozen=True)
class Message:
    ours: bytes
    theirs: bytes
    exchange: int
    flags: int
    number: int
    first: int
    body: bytes
    raw: bytes

    @classmethod
    def read(cls, data: bytes) -> "Message":
        """Raises NotIke."""
        if len(data) < HEADER:
            raise NotIke
        ours, theirs, first, version, exchange, flags, number, length = struct.unpack(">8s8sBBBBII", data[:HEADER])
        if version >> 4 != 2 or length != len(data):
            raise NotIke
        return cls(ours, theirs, exchange, flags, number, first, data[HEADER:], data)


def header(ours: bytes, theirs: bytes, first: int, exchange: int, number: int, length: int) -> bytes:
    return struct.pack(">8s8sBBBBII", ours, theirs, first, VERSION, exchange, FROM_INITIATOR, number, length)


def chain(payloads: Iterable[Payload]) -> tuple[int, bytes]:
    """The kind of the first, and all of them one after another."""
    given = list(payloads)
    out = b""
    for payload, after in zip(given, [*given[1:], None], strict=True):
        out += struct.pack(">BBH", after.kind if after else 0, 0, len(payload.content) + 4) + payload.content
    return (given[0].kind if given else 0), out


def unchain(first: int, body: bytes) -> list[Payload]:
    """The payloads; of a sealed one the kind of what is inside stands before it (`inside`). Raises NotIke."""
    found: list[Payload] = []
    kind, at = first, 0
    while kind:
        if len(found) >= MOST_PAYLOADS or len(body) < at + 4:
            raise NotIke
        after, _, length = struct.unpack(">BBH", body[at : at + 4])
        if length < 4 or len(body) < at + length:
            raise NotIke
        found.append(Payload(kind, body[at + 4 : at + length]))
        at += length
        # A sealed payload is the last one; the kind in its head is that of the first inside.
        kind = 0 if kind in {SEALED, SEALED_PART} else after
    return found


def inside(first: int, body: bytes) -> int:
    """The kind of the first payload inside the sealed one at the end. Raises NotIke."""
    kind, at = first, 0
    while kind not in {SEALED, SEALED_PART}:
        if len(body) < at + 4:
            raise NotIke
        after, _, length = struct.unpack(">BBH", body[at : at + 4])
        if not kind or length < 4:
            raise NotIke
        kind, at = after, at + length
    if len(body) < at + 4:
        raise NotIke
    return body[at]


def notification(kind: int, data: bytes = b"") -> Payload:
    return Payload(NOTIFY, struct.pack(">BBH", 0, 0, kind) + data)


def notifications(payloads: Iterable[Payload]) -> dict[int, bytes]:
    """What is notified, and the data of each; a short one is left out."""
    found: dict[int, bytes] = {}
    for payload in payloads:
        if payload.kind == NOTIFY and len(payload.content) >= 4:
            _, spi, kind = struct.unpack(">BBH", payload.content[:4])
            found.setdefault(kind, payload.content[4 + spi :])
    return found


def only(payloads: Iterable[Payload], kind: int) -> bytes | None:
    """The content of the first payload of this kind."""
    return next((payload.content for payload in payloads if payload.kind == kind), None)
