"""What operators show at the feed: tokens and client certificates, several at a time, so that none has to end at once.

Invariants: a token is shown once, and only its SHA-256 is kept; what has ended lets nobody in, from that second on, at
the feed, at receipts and at lookups alike; a credential belongs to one operator for ever.
"""

import datetime as dt
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from rahdari.errors import RahdariError
from rahdari.feed import Credential as Listed
from rahdari.feed import CredentialKind, certificate_digest, token_digest
from rahdari.feed.entry import time_text
from rahdari.journal import actions as journal

from .models import Credential, Operator

LONGEST_NAME = 80
LONGEST_CERTIFICATE = 64 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class CertificateUnusable(RahdariError):
    """No certificate, or not one that can let anybody in. `.why`"""

    says = "{why}"
    why: str


class CredentialTaken(RahdariError):
    """It is there already, of this operator or another. `.slug`"""

    says = "{slug}"
    slug: str


class NoSuchCredential(RahdariError):
    """The operator has no such credential that still holds. `.number`"""

    says = "{number}"
    number: int


@dataclass(frozen=True)
class NewCredential:
    """What a caller showed, as it is kept here."""

    kind: CredentialKind
    digest: str

    @classmethod
    def token(cls, token: str) -> "NewCredential":
        return cls(CredentialKind.TOKEN, token_digest(token))

    @classmethod
    def certificate(cls, der: bytes) -> "NewCredential":
        return cls(CredentialKind.CERTIFICATE, certificate_digest(der))


def holding(now: dt.datetime) -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=now)


def credentials_of(operator: Operator, *, now: dt.datetime) -> QuerySet[Credential]:
    """Those that let the operator in, oldest first."""
    return operator.credentials.filter(holding(now)).order_by("id")


def holder(shown: Sequence[NewCredential], *, now: dt.datetime) -> Operator | None:
    """The active operator who holds one of these. One read, by an index of digests: nothing secret is compared."""
    wanted = Q()
    for each in shown:
        wanted |= Q(kind=each.kind, digest=each.digest)
    if not shown:
        return None
    found = Credential.objects.filter(wanted, holding(now), operator__active=True).select_related("operator").first()
    return found.operator if found is not None else None


def still_holding(now: dt.datetime) -> "Prefetch[str]":
    """The credentials that let each operator in, to be read with the operators."""
    return Prefetch("credentials", Credential.objects.filter(holding(now)).order_by("id"), to_attr="holding_now")


def for_access_file(operator: Operator) -> tuple[Listed, ...]:
    """Of an operator that was read with `still_holding`. Ends are in it, and need no writing then."""
    found: Sequence[Credential] = getattr(operator, "holding_now", ())
    return tuple(
        Listed(CredentialKind(each.kind), each.digest, time_text(each.ends_at) if each.ends_at else None)
        for each in found
    )


# -- acts: the caller writes the access file once the transaction is committed ---------------------------------------


def add_token(*, operator: Operator, name: str = "", ends_at: dt.datetime | None = None, now: dt.datetime) -> str:
    """Another token; it is shown this once."""
    token = secrets.token_urlsafe(32)
    Credential.objects.create(
        operator=operator,
        kind=CredentialKind.TOKEN,
        digest=token_digest(token),
        name=name[:LONGEST_NAME],
        created_at=now,
        ends_at=ends_at,
    )
    return token


def give_token(
    *, operator: Operator, old_ends_at: dt.datetime | None = None, name: str = "", actor: str, now: dt.datetime
) -> str:
    """Give an operator another token. The others end now, or at `old_ends_at`."""
    with transaction.atomic():
        end = max(old_ends_at or now, now)
        tokens = credentials_of(operator, now=now).filter(kind=CredentialKind.TOKEN)
        ended = tokens.filter(Q(ends_at=None) | Q(ends_at__gt=end)).update(ends_at=end)
        token = add_token(operator=operator, name=name, now=now)
        journal.record(
            act="publish.token_given",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"token": token_digest(token)[:16], "others": ended, "others_end": end.isoformat()},
        )
    return token


def give_certificate(*, operator: Operator, data: bytes, name: str = "", actor: str, now: dt.datetime) -> Credential:
    """Let an operator in by a client certificate (PEM or DER), until it ends by itself.

    Raises CertificateUnusable, CredentialTaken.
    """
    certificate = read_certificate(data, now=now)
    der = certificate.public_bytes(Encoding.DER)
    digest = certificate_digest(der)
    with transaction.atomic():
        row, new = Credential.objects.get_or_create(
            kind=CredentialKind.CERTIFICATE,
            digest=digest,
            defaults={
                "operator": operator,
                "name": (name or certificate.subject.rfc4514_string())[:LONGEST_NAME],
                "created_at": now,
                "ends_at": certificate.not_valid_after_utc,
            },
        )
        if not new:
            raise CredentialTaken(row.operator.slug)
        journal.record(
            act="publish.certificate_given",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"certificate": digest[:16], "ends": certificate.not_valid_after_utc.isoformat()},
        )
    return row


def read_certificate(data: bytes, *, now: dt.datetime) -> x509.Certificate:
    """Raises CertificateUnusable."""
    if len(data) > LONGEST_CERTIFICATE:
        raise CertificateUnusable("it is too large")
    if b"PRIVATE KEY" in data:
        # A habit to break at once: whoever sees the key can speak for the operator.
        raise CertificateUnusable("it holds a private key, which must never leave the operator; make another pair")
    found = _PEM.findall(data)
    if len(found) > 1:
        raise CertificateUnusable("it holds several certificates; give the client's alone")
    try:
        read = x509.load_pem_x509_certificate(found[0]) if found else x509.load_der_x509_certificate(data)
        ended = read.not_valid_after_utc <= now
    except ValueError:
        raise CertificateUnusable("it is no certificate") from None
    if ended:
        raise CertificateUnusable(f"it ended on {read.not_valid_after_utc:%Y-%m-%d}")
    return read


def end_credential(
    *, operator: Operator, number: int, ends_at: dt.datetime | None = None, actor: str, now: dt.datetime
) -> Credential:
    """End one credential, now or at a time to come. Raises NoSuchCredential."""
    with transaction.atomic():
        row = credentials_of(operator, now=now).select_for_update().filter(pk=number).first()
        if row is None:
            raise NoSuchCredential(number)
        end = max(ends_at or now, now)
        row.ends_at = min(end, row.ends_at) if row.ends_at else end
        row.save(update_fields=["ends_at"])
        journal.record(
            act="publish.credential_ended",
            actor=actor,
            subject=f"operator:{operator.slug}",
            now=now,
            detail={"kind": row.kind, "credential": row.digest[:16], "ends": row.ends_at.isoformat()},
        )
    return row
