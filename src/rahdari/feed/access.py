"""Who may fetch the feed: the file that the publisher writes, and the pushing and looking-up processes read.

`feed-access/operators.json`: {"format":"1.0","operators":[{"credentials":[..],"repository":"..","sessions":[..],
"slug":".."}]}.
A credential is {"ends_at":null or a time,"kind":"token" or "certificate","sha256":".."}: of a token its SHA-256 (32
random bytes need no slow hash against guessing), of a client certificate that of its DER. `repository` names the
operator's folder of metadata, `sessions` are those whose files it may fetch.
"""

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .canonical import encode
from .edition import DIGEST, SESSION
from .entry import is_time, time_text
from .faults import Malformed
from .version import FORMAT, check_format

# In a folder of its own: whoever writes it need not be whom the data folder belongs to.
FILE_NAME = "feed-access/operators.json"
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?", re.ASCII)


class CredentialKind(StrEnum):
    TOKEN = "token"  # noqa: S105 - the word, not one
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Credential:
    """What an operator shows. `ends_at` is None for one that lasts until it is taken back."""

    kind: CredentialKind
    sha256: str
    ends_at: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in list(CredentialKind):
            raise Malformed("the `kind` of a credential is not acceptable")
        if not isinstance(self.sha256, str) or not DIGEST.fullmatch(self.sha256):
            raise Malformed("the `sha256` of a credential is not acceptable")
        if self.ends_at is not None and not is_time(self.ends_at):
            raise Malformed("the `ends_at` of a credential is not acceptable")

    def holds(self, now: dt.datetime) -> bool:
        return self.ends_at is None or time_text(now) < self.ends_at


@dataclass(frozen=True, slots=True)
class Access:
    slug: str
    repository: str
    credentials: tuple[Credential, ...]
    sessions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.slug, str) or not _SLUG.fullmatch(self.slug):
            raise Malformed("an operator's `slug` is not acceptable")
        if not isinstance(self.repository, str) or not SESSION.fullmatch(self.repository):
            raise Malformed("an operator's `repository` is not acceptable")
        if not all(isinstance(session, str) and SESSION.fullmatch(session) for session in self.sessions):
            raise Malformed("an operator's `sessions` are not acceptable")


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def certificate_digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def holder_of(
    digest: str, accesses: Iterable[Access], *, now: dt.datetime, kind: CredentialKind = CredentialKind.TOKEN
) -> Access | None:
    """Whose credential has this digest, or None. Compares with every one, each in constant time."""
    found = None
    for access in accesses:
        for credential in access.credentials:
            if hmac.compare_digest(digest, credential.sha256) and credential.kind is kind and credential.holds(now):
                found = access
    return found


def encode_access(accesses: Sequence[Access]) -> bytes:
    rows = [
        {
            "slug": access.slug,
            "repository": access.repository,
            "credentials": [
                {"kind": str(each.kind), "sha256": each.sha256, "ends_at": each.ends_at} for each in access.credentials
            ],
            "sessions": list(access.sessions),
        }
        for access in accesses
    ]
    return encode({"format": FORMAT, "operators": rows}) + b"\n"


def parse_access(text: bytes) -> list[Access]:
    """Raises Malformed, UnsupportedFormat."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the access file is no JSON") from None
    if not isinstance(value, dict):
        raise Malformed("the access file names no operators")
    check_format(value.get("format"))
    return [
        Access(
            slug=row.get("slug", ""),
            repository=row.get("repository", ""),
            credentials=tuple(_credential(each) for each in _objects(row.get("credentials"))),
            sessions=tuple(_list(row.get("sessions"))),
        )
        for row in _objects(value.get("operators"))
    ]


def _credential(value: dict[str, Any]) -> Credential:
    try:
        kind = CredentialKind(value.get("kind", ""))
    except ValueError:
        raise Malformed("the `kind` of a credential is not acceptable") from None
    return Credential(kind, value.get("sha256", ""), value.get("ends_at"))


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("the access file lacks a list")
    return value


def _objects(value: object) -> list[dict[str, Any]]:
    if not all(isinstance(row, dict) for row in _list(value)):
        raise Malformed("the access file holds something that is no object")
    return _list(value)
