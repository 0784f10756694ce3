"""Many attempts in one request, for whoever looks at many endpoints again and again.

    {"asked_at":"..","attempts":[{"address":"203.0.113.7","claim":{"method":"tls",..}},..],"format":"1.0","id":"<uuid>",
     "timeout_ms":5000}

    {"key":"<hex>","signature":"<hex>","sightings":{"answers":[{..} or {"absent":"busy"},..],"format":"1.0",
     "id":"<uuid>","request":"<sha256>","seen_at":"..","vantage":"sample-1"}}

One signature for all, over the answers in the order of the attempts and the SHA-256 of the request: taken apart they
are nobody's word.
"""

import datetime as dt
import hashlib
import ipaddress
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rahdari.feed.canonical import encode, parse
from rahdari.feed.entry import is_time, parse_time, time_text
from rahdari.feed.faults import FeedFault
from rahdari.probe import Answered, Attempt, ProbeAnswer, claim_from

from .message import FORMAT, LONGEST_TIMEOUT, Unusable

SIGNED_PREFIX = b"rahdari sightings 1\n"
MOST = 256
LONGEST_REQUEST = 512 * 1024
LONGEST_ANSWER = 512 * 1024
# What was not begun so long after the request came is not begun any more.
LONGEST_SECONDS = 45.0
BUSY = "busy"


@dataclass(frozen=True)
class BatchRequest:
    id: str
    attempts: tuple[Attempt, ...]
    timeout: float
    asked_at: dt.datetime

    def body(self) -> bytes:
        return encode(
            {
                "format": FORMAT,
                "id": self.id,
                "attempts": [{"address": str(each.address), "claim": each.claim.as_data()} for each in self.attempts],
                "timeout_ms": round(self.timeout * 1000),
                "asked_at": time_text(self.asked_at),
            }
        )

    @classmethod
    def read(cls, body: bytes) -> "BatchRequest":
        """Raises Unusable."""
        data = _object(body)
        attempts, timeout = data.get("attempts"), data.get("timeout_ms")
        if data.get("format") != FORMAT:
            raise Unusable("format", f"this version speaks {FORMAT}")
        try:
            id = str(uuid.UUID(data.get("id")))
        except (ValueError, AttributeError, TypeError):
            raise Unusable("id") from None
        if not isinstance(attempts, list) or not 1 <= len(attempts) <= MOST:
            raise Unusable("attempts", f"1 to {MOST}")
        if type(timeout) is not int or not 0 < timeout <= LONGEST_TIMEOUT * 1000:
            raise Unusable("timeout_ms", f"at most {LONGEST_TIMEOUT:.0f} seconds")
        if not is_time(data.get("asked_at")):
            raise Unusable("asked_at")
        made = tuple(map(_attempt, attempts))
        return cls(id, made, timeout / 1000, parse_time(str(data["asked_at"])))


def answer(
    request: bytes, id: str, answered: Sequence[Answered], *, vantage: str, now: dt.datetime, key: Ed25519PrivateKey
) -> bytes:
    """The whole answer to a request, of which these are the bytes."""
    plain = {
        "format": FORMAT,
        "vantage": vantage,
        "request": hashlib.sha256(request).hexdigest(),
        "id": id,
        "seen_at": time_text(now),
        "answers": [_plain(each) for each in answered],
    }
    signature = key.sign(SIGNED_PREFIX + encode(plain)).hex()
    public = key.public_key().public_bytes_raw().hex()
    return encode({"key": public, "signature": signature, "sightings": plain})


def read_answer(
    body: bytes, *, request: bytes, count: int, vantage: str, key: str
) -> tuple[dt.datetime, list[Answered]]:
    """When it was answered by the vantage's clock, and what each attempt came to. Raises Unusable unless that vantage
    signed it with that key, for this very request."""
    data = _object(body)
    plain, signature = data.get("sightings"), data.get("signature")
    if not isinstance(plain, dict) or data.get("key") != key:
        raise Unusable("key")
    try:
        signed = SIGNED_PREFIX + encode(plain)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(str(signature)), signed)
    except (InvalidSignature, ValueError, FeedFault):
        raise Unusable("signature") from None
    said = (plain.get("format"), plain.get("vantage"), plain.get("request"))
    if said != (FORMAT, vantage, hashlib.sha256(request).hexdigest()):
        raise Unusable("request", "it speaks of another")
    answers = plain.get("answers")
    if not is_time(plain.get("seen_at")) or not isinstance(answers, list) or len(answers) != count:
        raise Unusable("answers")
    return parse_time(str(plain["seen_at"])), [_read(each) for each in answers]


def _plain(answered: Answered) -> dict[str, Any]:
    if isinstance(answered, str):
        return {"absent": answered}
    data = dict(answered.as_data())
    # No fractions in the canonical form.
    data["elapsed_ms"] = round(answered.elapsed * 1000)
    del data["elapsed"]
    return data


def _read(data: Any) -> Answered:
    if not isinstance(data, dict):
        raise Unusable("answers")
    if "absent" in data:
        return str(data["absent"])[:20]
    elapsed = data.pop("elapsed_ms", None)
    if type(elapsed) is not int:
        raise Unusable("answers")
    try:
        return ProbeAnswer.from_data({**data, "elapsed": elapsed / 1000})
    except ValueError:
        raise Unusable("answers") from None


def _attempt(data: Any) -> Attempt:
    if not isinstance(data, Mapping) or not isinstance(data.get("claim"), Mapping):
        raise Unusable("attempts")
    try:
        return Attempt(ipaddress.ip_address(str(data.get("address"))), claim_from(data["claim"]))
    except ValueError as error:
        raise Unusable("attempts", str(error)) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = parse(body)
    except FeedFault:
        raise Unusable("body", "not JSON") from None
    if not isinstance(data, dict):
        raise Unusable("body", "not an object")
    return data
