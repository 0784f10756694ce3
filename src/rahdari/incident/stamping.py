"""Foreign time: an authority of the installation's choice (RFC 3161) says that it has seen a hash, and when.

It is told a SHA-256 and nothing else. It is asked as every server of somebody else is (`probe.hook`: public addresses
alone, no redirect, bounded), never inside a transaction; and what it answers is held against its root before it is
kept.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from django.conf import settings
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response

from rahdari.probe import hook

log = logging.getLogger(__name__)
# A token with its certificates takes some six thousand bytes.
LARGEST = 100_000
HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


@dataclass(frozen=True)
class Stamp:
    """The answer as it came (`openssl ts -verify -in`), when the authority says that it was, and its root as PEM."""

    answer: bytes
    at: dt.datetime
    root: bytes


def root() -> bytes | None:
    """The root of the authority as PEM; None where the installation names no authority."""
    if not settings.TIME_AUTHORITY or not settings.TIME_AUTHORITY_CA:
        return None
    try:
        return Path(settings.TIME_AUTHORITY_CA).read_bytes()
    except OSError as error:
        log.error("The root of the authority for time cannot be read: %s", error.strerror)
        return None


def stamp(data: bytes, *, timeout: float = hook.TIMEOUT) -> Stamp | None:
    """None where no authority is named, or none answers that can be believed."""
    known = root()
    if known is None:
        return None
    request = TimestampRequestBuilder().data(data).build()
    page = hook.post_for(
        settings.TIME_AUTHORITY,
        body=request.as_bytes(),
        most=LARGEST,
        headers=HEADERS,
        timeout=timeout,
        allowed_ranges=settings.CALLBACK_RANGES,
        ca_file=settings.CALLBACK_CA_FILE or None,
    )
    if page.outcome is not hook.HookOutcome.TAKEN:
        log.warning("The authority for time did not answer: %s", page.outcome)
        return None
    try:
        answer = decode_timestamp_response(page.body)
        builder = VerifierBuilder.from_request(request)
        for certificate in x509.load_pem_x509_certificates(known):
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(answer, data)
    except (VerificationError, ValueError) as error:
        log.warning("What the authority for time answered does not hold: %s", type(error).__name__)
        return None
    return Stamp(page.body, answer.tst_info.gen_time, known)
