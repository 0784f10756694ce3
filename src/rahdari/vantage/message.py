"""What is asked of a vantage and what it answers, as bytes.

A request is canonical JSON (`proof.canonical`); an answer is canonical JSON too, signed by the vantage's key over what
it is for and the answer's bytes, and names the request by its SHA-256: an answer to one cannot stand for another.

    {"address":"203.0.113.7","asked_at":"2026-11-25T12:00:00Z","claim":{"method":"tls",..},"format":"1.0",
     "id":"<uuid>","timeout_ms":10000}

    {"key":"<Ed25519 public key, hex>","signature":"<hex>","sighting":{"address":..,"answer":{..},"format":"1.0",
     "id":"<uuid>","method":"tls","request":"<sha256>","seen_at":"..","vantage":"sample-1"}}
"""

import datetime as dt
import hashlib
import ipaddress
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rahdari.address import Address
from rahdari.feed.canonical import encode, parse
from rahdari.feed.entry import is_time, parse_time, time_text
from rahdari.feed.faults import FeedFault
from rahdari.probe import Claim, ProbeAnswer, claim_from

FORMAT = "1.0"
SIGNED_PREFIX = b"rahdari sighting 1\n"
LONGEST_REQUEST = 32 * 1024
LONGEST_ANSWER = 32 * 1024
LONGEST_TIMEOUT = 30.0
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)
_WORDS = ("vantage", "request", "id", "address", "method", "seen_at")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)


class Unusable(Exception):
    """A request or an answer that is none. `.field` names what is wrong."""

    def __init__(self, field: str, why: str = "") -> None:
        super().__init__(f"`{field}` is missing or not acceptable" + (f": {why}" if why else ""))
        self.field = field


@dataclass(frozen=True)
class Request:
    id: str
    address: Address
    claim: Claim
    timeout: float
    asked_at: dt.datetime

    @property
    def body(self) -> bytes:
        return encode(
            {
                "format": FORMAT,
                "id": self.id,
                "address": str(self.address),
                "claim": self.claim.as_data(),
                "timeout_ms": round(self.timeout * 1000),
                "asked_at": time_text(self.asked_at),
            }
        )

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @classmethod
    def read(cls, body: bytes) -> "Request":
        """Raises Unusable."""
        data = _object(body)
        _check_format(data)
        try:
            id = str(uuid.UUID(data.get("id")))
        except (ValueError, AttributeError, TypeError):
            raise Unusable("id") from None
        try:
            address = ipaddress.ip_address(data["address"] if isinstance(data.get("address"), str) else "")
        except ValueError:
            raise Unusable("address") from None
        timeout = data.get("timeout_ms")
        if type(timeout) is not int or not 0 < timeout <= LONGEST_TIMEOUT * 1000:
            raise Unusable("timeout_ms", f"at most {LONGEST_TIMEOUT:.0f} seconds")
        if not is_time(data.get("asked_at")):
            raise Unusable("asked_at")
        claim = data.get("claim")
        try:
            made = claim_from(claim if isinstance(claim, Mapping) else {})
        except ValueError as error:
            raise Unusable("claim", str(error)) from None
        request = cls(id, address, made, timeout / 1000, parse_time(str(data["asked_at"])))
        if request.body != body:
            raise Unusable("request", "not in the canonical form")
        return request


@dataclass(frozen=True)
class Sighting:
    """What one vantage saw of one request, with its signature."""

    vantage: str
    request: str
    id: str
    address: str
    method: str
    seen_at: str
    answer: dict[str, Any]
    key: str = ""
    signature: str = ""

    @classmethod
    def of(cls, request: Request, answer: ProbeAnswer, *, vantage: str, now: dt.datetime) -> "Sighting":
        data = dict(answer.as_data())
        # No fractions in the canonical form.
        data["elapsed_ms"] = round(answer.elapsed * 1000)
        del data["elapsed"]
        return cls(
            vantage=vantage,
            request=request.sha256,
            id=request.id,
            address=str(request.address),
            method=request.claim.METHOD.value,
            seen_at=time_text(now),
            answer=data,
        )

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """The whole answer."""
        public = key.public_key().public_bytes_raw().hex()
        return encode({"key": public, "signature": key.sign(self._signed).hex(), "sighting": self._plain})

    @classmethod
    def read(cls, body: bytes, *, request: Request, vantage: str, key: str) -> "Sighting":
        """Raises Unusable unless that vantage signed it with that key, for this very request."""
        if len(body) > LONGEST_ANSWER:
            raise Unusable("sighting", "too long")
        data = _object(body)
        plain, signature = data.get("sighting"), data.get("signature")
        if not isinstance(plain, dict):
            raise Unusable("sighting")
        _check_format(plain)
        if data.get("key") != key or not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
            raise Unusable("key" if data.get("key") != key else "signature")
        words = {name: plain.get(name) for name in _WORDS}
        answer = plain.get("answer")
        if not all(isinstance(word, str) for word in words.values()) or not isinstance(answer, dict):
            raise Unusable("sighting")
        told = {name: str(word) for name, word in words.items()}
        sighting = cls(
            told["vantage"],
            told["request"],
            told["id"],
            told["address"],
            told["method"],
            told["seen_at"],
            answer,
            key,
            signature,
        )
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), sighting._signed)
        except (InvalidSignature, ValueError, FeedFault):
            raise Unusable("signature") from None
        expected = (vantage, request.sha256, request.id, str(request.address), request.claim.METHOD.value)
        if (sighting.vantage, sighting.request, sighting.id, sighting.address, sighting.method) != expected:
            raise Unusable("request", "it speaks of another")
        if not is_time(sighting.seen_at):
            raise Unusable("seen_at")
        sighting.as_answer()
        return sighting

    def as_answer(self) -> ProbeAnswer:
        """Raises Unusable."""
        data = dict(self.answer)
        elapsed = data.pop("elapsed_ms", None)
        if type(elapsed) is not int or not all(
            value is None or isinstance(value, str | int) for value in data.values()
        ):
            raise Unusable("answer")
        try:
            return ProbeAnswer.from_data({**data, "elapsed": elapsed / 1000})
        except ValueError:
            raise Unusable("answer") from None

    def as_data(self) -> dict[str, Any]:
        """For a record: whoever holds it can check the signature again, long after."""
        return {"key": self.key, "signature": self.signature, "sighting": self._plain}

    @property
    def _plain(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "vantage": self.vantage,
            "request": self.request,
            "id": self.id,
            "address": self.address,
            "method": self.method,
            "seen_at": self.seen_at,
            "answer": self.answer,
        }

    @property
    def _signed(self) -> bytes:
        return SIGNED_PREFIX + encode(self._plain)


def check_name(name: str) -> None:
    """Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("a vantage's name has small letters, digits and hyphens, at most 40, like lahore-1")


def check_key(key: str) -> None:
    """Raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError("a vantage's public key has 64 hex digits")


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = parse(body)
    except FeedFault:
        raise Unusable("body", "not JSON") from None
    if not isinstance(data, dict):
        raise Unusable("body", "not an object")
    return data


def _check_format(data: Mapping[str, Any]) -> None:
    if data.get("format") != FORMAT:
        raise Unusable("format", f"this version speaks {FORMAT}")
