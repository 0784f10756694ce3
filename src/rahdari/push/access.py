"""Who may read the feed, as the access file has it (see `proof.access`).

Nobody may, unless that file names the digest of the token or of the certificate that was shown, and the credential has
not ended. The file is written by `publish` in one step and read again here when it changes; a broken one leaves the
last good one in force, a missing one lets nobody in.

A credential is looked up under a keyed hash of its digest, with a key that nobody outside this process knows: how long
a look takes says nothing about what stands in the file, and costs the same for one operator and for thousands.
"""

import datetime as dt
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rahdari.feed import ROLES, Credential, CredentialKind, FeedFault, certificate_digest, token_digest
from rahdari.feed import Access as Holding
from rahdari.feed.access import FILE_NAME, parse_access

log = logging.getLogger("rahdari.push")

# 350 operators need 300 KB; a file past this is not ours.
FILE_BYTES = 32 * 1024 * 1024
TOKEN_BYTES = 512

# Inode, size, and both times: a file that becomes readable by a change of owner is read then.
Stamp = tuple[int, int, int, int]
Clock = Callable[[], dt.datetime]


class NotKnown(Exception):
    """Nothing was shown, or nothing that lets anybody in."""


@dataclass(frozen=True)
class Reader:
    """Someone who was let in, and by which credential."""

    operator: str
    repository: str
    sessions: tuple[str, ...]
    credential: bytes


class Access:
    """The access file, read again when it changes."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._path = data / FILE_NAME
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._seen: Stamp | None = None
        self._holders: dict[bytes, tuple[Credential, Holding]] = {}
        self._sessions: dict[str, tuple[str, ...]] = {}

    @property
    def repositories(self) -> frozenset[str]:
        return frozenset(self._sessions)

    @property
    def places(self) -> Iterator[str]:
        """The folders that snapshots and deltas lie in which somebody may have; some need not be there."""
        for session in {session for sessions in self._sessions.values() for session in sessions}:
            for role in ROLES:
                yield f"targets/{role}/{session}"

    def any_reader(self, repository: str) -> Reader:
        """Whoever reads this repository: with its rights, and no credential."""
        return Reader("", repository, self._sessions.get(repository, ()), b"")

    def reader(self, *, authorization: bytes | None, certificate: bytes | None) -> Reader:
        """Whoever shows this `Authorization` header, or this certificate (DER). Raises NotKnown."""
        self.renew()
        for kind, digest in credentials_in(authorization, certificate):
            reader = self._reader(self._hidden(kind, digest))
            if reader is not None:
                return reader
        raise NotKnown

    def still(self, reader: Reader) -> bool:
        """Whether someone let in earlier may stay."""
        self.renew()
        now = self._reader(reader.credential)
        return now is not None and (now.operator, now.repository) == (reader.operator, reader.repository)

    def renew(self) -> None:
        try:
            stat = self._path.stat()
        except OSError:
            self._seen, self._holders, self._sessions = None, {}, {}
            return
        seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._take(parse_access(self._path.read_bytes() if stat.st_size <= FILE_BYTES else b""))
        except (OSError, FeedFault) as error:
            log.error("%s cannot be read (%s); the last good one stays in force", self._path, error)

    def _take(self, holdings: Iterable[Holding]) -> None:
        holders: dict[bytes, tuple[Credential, Holding]] = {}
        sessions = {}
        for holding in holdings:
            sessions[holding.repository] = holding.sessions
            for credential in holding.credentials:
                holders[self._hidden(credential.kind, credential.sha256)] = (credential, holding)
        self._holders, self._sessions = holders, sessions

    def _reader(self, hidden: bytes) -> Reader | None:
        credential, holding = self._holders.get(hidden, (None, None))
        if credential is None or holding is None or not credential.holds(self._clock()):
            return None
        return Reader(holding.slug, holding.repository, holding.sessions, hidden)

    def _hidden(self, kind: CredentialKind, digest: str) -> bytes:
        return hmac.digest(self._key, f"{kind}:{digest}".encode(), hashlib.sha256)


def credentials_in(authorization: bytes | None, certificate: bytes | None) -> Iterable[tuple[CredentialKind, str]]:
    """The digests of what a request shows: the bearer token, and the client certificate (DER)."""
    scheme, _, rest = (authorization or b"").partition(b" ")
    token = rest.strip().decode("latin-1")
    if scheme.lower() == b"bearer" and 1 <= len(token) <= TOKEN_BYTES:
        yield CredentialKind.TOKEN, token_digest(token)
    if certificate:
        yield CredentialKind.CERTIFICATE, certificate_digest(certificate)
