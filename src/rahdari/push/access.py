"""Who may read the feed, as the access file has it (see `proof.access`).

Nobody may, unless that file names the digest of the token that was shown. The file is written by `publish` in one step
and read again here when it changes; a broken one leaves the last good one in force, a missing one lets nobody in.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from rahdari.proof import Access as Holding
from rahdari.proof import FeedFault, holder_of
from rahdari.proof.access import FILE_NAME, parse_access

log = logging.getLogger("rahdari.push")

# 350 operators need 60 KB; a file past this is not ours.
FILE_BYTES = 8 * 1024 * 1024
TOKEN_BYTES = 512


# Inode, size, and both times: a file that becomes readable by a change of owner is read then.
Stamp = tuple[int, int, int, int]


class NoToken(Exception):
    """No bearer token was shown, or one that nobody holds."""


@dataclass(frozen=True)
class Reader:
    """`list_seen` tells the access file that let the reader in: while it is the same, nothing needs comparing."""

    operator: str
    token: str
    list_seen: Stamp | None


class Access:
    """The access file, read again when it changes."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE_NAME
        self._seen: Stamp | None = None
        self._holdings: list[Holding] = []

    def reader(self, authorization: bytes | None) -> Reader:
        """The reader who shows this `Authorization` header. Raises NoToken."""
        scheme, _, shown = (authorization or b"").partition(b" ")
        token = shown.strip().decode("latin-1")
        if scheme.lower() != b"bearer" or not 1 <= len(token) <= TOKEN_BYTES:
            raise NoToken
        self._renew()
        operator = holder_of(token, self._holdings)
        if operator is None:
            raise NoToken
        return Reader(operator, token, self._seen)

    def still(self, reader: Reader) -> bool:
        """Whether someone let in earlier may stay."""
        self._renew()
        return self._seen == reader.list_seen or holder_of(reader.token, self._holdings) == reader.operator

    def _renew(self) -> None:
        try:
            stat = self._path.stat()
        except OSError:
            self._seen, self._holdings = None, []
            return
        seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._holdings = parse_access(self._path.read_bytes() if stat.st_size <= FILE_BYTES else b"")
        except (OSError, FeedFault) as error:
            log.error("%s cannot be read (%s); the last good one stays in force", self._path, error)
