"""Events signed as Standard Webhooks has it (https://www.standardwebhooks.com): sender and receiver share this.

The signature is the HMAC-SHA256 of `id.timestamp.body`. While a secret is changed, an event carries one signature by
each, so that the receiver may take its time.
"""

import base64
import binascii
import datetime as dt
import hmac
import secrets
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
TOLERANCE = dt.timedelta(minutes=5)


class BadSignature(ValueError):
    """The event is not from who holds the secret, or it is too old. The message says which."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(*, secret: str, id: str, at: int, body: bytes) -> str:
    """`v1,` and the signature. Raises ValueError for what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("this is no secret of a webhook") from None
    signed = f"{id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers(*, given: Iterable[str], id: str, at: int, body: bytes) -> dict[str, str]:
    """What goes with an event: its id, the time, and a signature by each secret that is in use."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(secret=each, id=id, at=at, body=body) for each in given),
    }


def verify(
    *, secret: str, headers: Mapping[str, str], body: bytes, now: dt.datetime, tolerance: dt.timedelta = TOLERANCE
) -> None:
    """Hold an event against the secret. Raises BadSignature."""
    found = {name.lower(): value for name, value in headers.items()}
    id, stamp, signatures = (found.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id or not signatures or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("webhook-id, webhook-timestamp and webhook-signature are needed")
    if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
        raise BadSignature("the event is too old, or from the future")
    wanted = signature(secret=secret, id=id, at=int(stamp), body=body).encode()
    if not any(hmac.compare_digest(wanted, each.encode()) for each in signatures.split()):
        raise BadSignature("no signature is by this secret")
