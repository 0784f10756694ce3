"""Who may fetch the feed: the file that the publisher writes and the pushing process reads.

`feed-access.json`: {"format":"1.0","operators":[{"slug":"..","token_sha256":".."}]}. Tokens are 32 random bytes, so
a plain SHA-256 of one can be kept and gives nothing away; no slow hash is needed against guessing.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .canonical import encode
from .edition import DIGEST
from .faults import Malformed
from .version import FORMAT, check_format

FILE_NAME = "feed-access.json"
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Access:
    slug: str
    token_sha256: str

    def __post_init__(self) -> None:
        if not isinstance(self.slug, str) or not _SLUG.fullmatch(self.slug):
            raise Malformed("an operator's `slug` is not acceptable")
        if not isinstance(self.token_sha256, str) or not DIGEST.fullmatch(self.token_sha256):
            raise Malformed("an operator's `token_sha256` is not acceptable")


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def holder_of(token: str, accesses: Iterable[Access]) -> str | None:
    """The slug whose token this is, or None. Compares with every one, each in constant time."""
    digest, found = token_digest(token), None
    for access in accesses:
        if hmac.compare_digest(digest, access.token_sha256):
            found = access.slug
    return found


def encode_access(accesses: Sequence[Access]) -> bytes:
    rows = [{"slug": access.slug, "token_sha256": access.token_sha256} for access in accesses]
    return encode({"format": FORMAT, "operators": rows}) + b"\n"


def parse_access(text: bytes) -> list[Access]:
    """Raises Malformed, UnsupportedFormat."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the access file is no JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("operators"), list):
        raise Malformed("the access file names no operators")
    check_format(value.get("format"))
    rows = value["operators"]
    if not all(isinstance(row, dict) for row in rows):
        raise Malformed("the access file names no operators")
    return [Access(row.get("slug", ""), row.get("token_sha256", "")) for row in rows]
