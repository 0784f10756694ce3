"""The receipt: an agent's word that an edition is in force on its machine.

Sent, signed by the agent's own key, as JSON to `POST /feed/receipt` of the web process. It speaks of one role of the
feed, which its session tells. `digest` is what the agent itself counted over its entries, so that a receipt shows
drift. The same receipt sent again is the same receipt.

`terms` is the digest of the terms of the feed that were accepted there, `complement` that what is not listed was found
to be dropped there. Neither is sent to a publisher whose metadata name no terms: it is of an older release, and holds
the signature against the fields that it knows.

    {"key":"<Ed25519 public key, hex>","receipt":{..},"signature":"<hex, over SIGNED_PREFIX and the receipt's bytes>"}
"""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .canonical import encode
from .edition import DIGEST, SESSION
from .entry import is_time, parse_time
from .faults import FeedFault, NotCanonical, UnsupportedFormat
from .version import FORMAT, check_format

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MOST_TARGETS = 100
LONGEST_BODY = 64 * 1024
# What a signature is made over begins with what it is for: one made for a receipt stands for nothing else.
SIGNED_PREFIX = b"rahdari receipt 1\n"
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


class InvalidReceipt(FeedFault):
    """No receipt. `.field` names what is wrong."""

    def __init__(self, field: str) -> None:
        super().__init__(f"`{field}` of the receipt is missing or not acceptable")
        self.field = field


@dataclass(frozen=True, slots=True)
class AppliedTarget:
    """One place where the entries were put: its name at the operator, its kind (`nft`, `json`, `csv`), how many entries
    are loaded there, and whether it took them all."""

    name: str
    kind: str
    loaded: int
    ok: bool

    def __post_init__(self) -> None:
        for field, longest in (("name", 80), ("kind", 40)):
            text = getattr(self, field)
            if not isinstance(text, str) or not 1 <= len(text) <= longest or not text.isprintable():
                raise InvalidReceipt(f"targets.{field}")
        if type(self.loaded) is not int or not 0 <= self.loaded < 2**31:
            raise InvalidReceipt("targets.loaded")
        if type(self.ok) is not bool:
            raise InvalidReceipt("targets.ok")


@dataclass(frozen=True, slots=True)
class Receipt:
    session: str
    sequence: int
    digest: str
    applied_at: str
    targets: tuple[AppliedTarget, ...]
    format: str = FORMAT
    terms: str = ""
    complement: bool = False

    def __post_init__(self) -> None:
        check_format(self.format)
        if not isinstance(self.session, str) or not SESSION.fullmatch(self.session):
            raise InvalidReceipt("session")
        if type(self.sequence) is not int or not 0 <= self.sequence < 2**53:
            raise InvalidReceipt("sequence")
        if not isinstance(self.digest, str) or not DIGEST.fullmatch(self.digest):
            raise InvalidReceipt("digest")
        if not is_time(self.applied_at):
            raise InvalidReceipt("applied_at")
        if len(self.targets) > MOST_TARGETS or len({target.name for target in self.targets}) < len(self.targets):
            raise InvalidReceipt("targets")
        if not isinstance(self.terms, str) or (self.terms and not DIGEST.fullmatch(self.terms)):
            raise InvalidReceipt("terms")
        if type(self.complement) is not bool:
            raise InvalidReceipt("complement")

    @classmethod
    def from_json(cls, value: object) -> "Receipt":
        """Raises InvalidReceipt, UnsupportedFormat; fields that are not known are ignored."""
        if not isinstance(value, dict):
            raise InvalidReceipt("receipt")
        try:
            check_format(value.get("format"))
        except UnsupportedFormat:
            raise
        except FeedFault:
            raise InvalidReceipt("format") from None
        targets = value.get("targets")
        if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
            raise InvalidReceipt("targets")
        return cls(
            session=value.get("session", ""),
            sequence=value.get("sequence", -1),
            digest=value.get("digest", ""),
            applied_at=value.get("applied_at", ""),
            targets=tuple(
                AppliedTarget(**{name: target.get(name) for name in ("name", "kind", "loaded", "ok")})
                for target in targets
            ),
            format=value["format"],
            terms=value.get("terms", ""),
            complement=value.get("complement", False),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "session": self.session,
            "sequence": self.sequence,
            "digest": self.digest,
            "applied_at": self.applied_at,
            "targets": [
                {"name": target.name, "kind": target.kind, "loaded": target.loaded, "ok": target.ok}
                for target in self.targets
            ],
            **({"terms": self.terms} if self.terms else {}),
            **({"complement": True} if self.complement else {}),
        }

    @property
    def body(self) -> bytes:
        """The bytes to send."""
        return encode(self.as_json())

    @property
    def sha256(self) -> str:
        """What makes two receipts of one operator the same. Raises InvalidReceipt (a name that is no text)."""
        try:
            return hashlib.sha256(self.body).hexdigest()
        except NotCanonical:
            raise InvalidReceipt("targets.name") from None

    @property
    def applied(self) -> dt.datetime:
        return parse_time(self.applied_at)


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt with the agent's signature. Whether that key is this operator's is for the server to say."""

    receipt: Receipt
    key: str
    signature: str

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not _KEY.fullmatch(self.key):
            raise InvalidReceipt("key")
        if not isinstance(self.signature, str) or not _SIGNATURE.fullmatch(self.signature):
            raise InvalidReceipt("signature")

    @classmethod
    def sign(cls, receipt: Receipt, key: "Ed25519PrivateKey") -> "SignedReceipt":
        signature = key.sign(SIGNED_PREFIX + receipt.body)
        return cls(receipt, key.public_key().public_bytes_raw().hex(), signature.hex())

    @classmethod
    def from_json(cls, value: object) -> "SignedReceipt":
        """Raises InvalidReceipt, UnsupportedFormat; the signature is not held against it yet (see `verify`)."""
        if not isinstance(value, dict) or "receipt" not in value:
            raise InvalidReceipt("receipt")
        return cls(Receipt.from_json(value["receipt"]), value.get("key", ""), value.get("signature", ""))

    def verify(self) -> None:
        """Raises InvalidReceipt.

        Held against the receipt as it is read here: what it said beyond that, as a later minor version may, is not
        signed for. Such a version would sign twice.
        """
        # Here, so that the pushing process, which reads this room and signs nothing, holds no such library.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            public.verify(bytes.fromhex(self.signature), self.signed)
        except (InvalidSignature, ValueError, NotCanonical):
            raise InvalidReceipt("signature") from None

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is made over."""
        return SIGNED_PREFIX + self.receipt.body

    def as_json(self) -> dict[str, Any]:
        return {"key": self.key, "receipt": self.receipt.as_json(), "signature": self.signature}

    @property
    def body(self) -> bytes:
        """The bytes to send."""
        return encode(self.as_json())
