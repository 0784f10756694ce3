"""Who asks: an operator, by its token or by its client certificate; and what it may use.

A credential is found by its SHA-256, so that how long that takes says nothing of the tokens that there are. Who has
been let in is remembered for a second: then credentials that ended, and allowances, are looked at again.
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rahdari.feed import CredentialKind, certificate_digest, holder_of, token_digest
from rahdari.feed.certificate import Network, der_of, is_from, networks
from rahdari.feed.entry import time_text

from .following import FollowerStanding
from .limits import REQUESTS_PER_SECOND, Allowance
from .views import Moment, moment

TOKEN_BYTES = 512

type Headers = list[tuple[str, str]]


class NotKnown(Exception):
    """Nothing was shown, or nothing that lets anybody in."""


@dataclass(frozen=True)
class Proxies:
    """Those that are trusted, and the header in which they pass on a certificate; without it, none is known."""

    networks: tuple[Network, ...] = ()
    header: str = ""

    @classmethod
    def read(cls, trusted: str, header: str) -> "Proxies":
        """From settings. Raises ValueError."""
        return cls(networks(trusted), header.strip())

    def certificate(self, environ: Mapping[str, Any]) -> bytes | None:
        """The DER of the caller's certificate."""
        if not self.header:
            return None
        value = str(environ.get("HTTP_" + self.header.upper().replace("-", "_"), ""))
        trusted = is_from(str(environ.get("REMOTE_ADDR", "")), self.networks)
        return der_of(value.encode("latin-1", "replace")) if value and trusted else None


class Caller:
    """An operator that was let in. `headers` say what its answers are taken from, and how old that is."""

    __slots__ = (
        "allowance",
        "at",
        "editions",
        "headers",
        "is_ready",
        "now",
        "problem_headers",
        "sight",
        "slug",
        "standing",
        "updated_at",
    )

    def __init__(self, standing: FollowerStanding, allowance: Allowance) -> None:
        self.slug = standing.access.slug
        self.standing, self.sight, self.allowance = standing, standing.sight, allowance
        self.now = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.at = Moment(b"", b"")
        self.is_ready = False
        self.editions: Mapping[str, int] | None = None
        self.headers: Headers = []
        self.problem_headers: Headers = []
        self.updated_at = time_text(standing.signed_at) if standing.signed_at else None

    def renew(self, now: dt.datetime) -> None:
        """What changes with the time, once a second."""
        self.now = now
        self.at = moment(now=now, fresh_until=self.standing.fresh_until or now)
        self.tell()

    def tell(self) -> None:
        """What changes with the editions; call it while these cannot."""
        self.editions = self.sight.editions
        self.is_ready = self.sight.is_whole
        said = " ".join(f"{role.removeprefix('feed-')}={sequence}" for role, sequence in self.editions.items())
        signed_at = self.standing.signed_at
        age = max(int((self.now - signed_at).total_seconds()), 0) if signed_at else 0
        self.headers = [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("rahdari-edition", said),
            ("rahdari-age", str(age)),
        ]
        if self.at.stale:
            self.headers.append(("rahdari-stale", "1"))
        self.problem_headers = [("content-type", "application/problem+json"), *self.headers[1:]]


class Callers:
    def __init__(self, proxies: Proxies, per_second: float = REQUESTS_PER_SECOND) -> None:
        self._proxies, self._per_second = proxies, per_second
        self._callers: dict[str, Caller] = {}
        self._by_digest: dict[str, Caller] = {}
        self.known: dict[str, Caller] = {}

    def take(self, standings: Mapping[str, FollowerStanding]) -> None:
        """Whom the access file lets in now. Allowances go on."""
        callers, by_digest = {}, {}
        for slug, standing in standings.items():
            before = self._callers.get(slug)
            callers[slug] = Caller(standing, before.allowance if before else Allowance(self._per_second))
            for credential in standing.access.credentials:
                by_digest[credential.sha256] = callers[slug]
        self._callers, self._by_digest, self.known = callers, by_digest, {}

    def caller(self, environ: Mapping[str, Any], now: dt.datetime) -> Caller:
        """Whoever shows this. Raises NotKnown."""
        header = environ.get("HTTP_AUTHORIZATION", "")
        scheme, _, rest = header.partition(" ")
        token = rest.strip()
        if scheme.lower() == "bearer" and 1 <= len(token) <= TOKEN_BYTES:
            caller = self._holder(CredentialKind.TOKEN, token_digest(token), now)
            if caller is not None:
                self.known[header] = caller
                return caller
        der = self._proxies.certificate(environ)
        if der is not None:
            caller = self._holder(CredentialKind.CERTIFICATE, certificate_digest(der), now)
            if caller is not None:
                return caller
        raise NotKnown

    def next_second(self) -> None:
        self.known = {}

    def _holder(self, kind: CredentialKind, digest: str, now: dt.datetime) -> Caller | None:
        caller = self._by_digest.get(digest)
        if caller is None or holder_of(digest, [caller.standing.access], now=now, kind=kind) is None:
            return None
        if (now - caller.now).total_seconds() >= 1:
            caller.allowance.fill(math.floor(now.timestamp()))
            caller.renew(now)
        return caller
