"""A letter that came back: the mail servers' own notice (RFC 3464) to the address that we send from.

Invariant: a notice names our letter by its Message-ID, which nobody but its reader has seen; from anything else in it
only the status code is kept. A notice of a delay changes nothing.
"""

import datetime as dt
import email
import email.policy
import re
import uuid
from email.message import EmailMessage, Message

from django.db import transaction

from rahdari.errors import RahdariError

from .models import Letter, LetterState

LARGEST = 1024 * 1024
STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
OUR_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


class NotAReturn(RahdariError):
    """This is no notice about a letter of ours. `.why`"""

    says = "{why}"
    why: str


def _inside(part: Message) -> list[Message]:
    """The messages that a part holds: blocks of a status, or a letter that is enclosed."""
    held = part.get_payload()
    return [one for one in held if isinstance(one, Message)] if isinstance(held, list) else []


def read(content: bytes) -> tuple[uuid.UUID, str]:
    """Which letter came back, and the status (RFC 3463). Raises NotAReturn."""
    try:
        return _read(content)
    except RecursionError:
        raise NotAReturn("it is nested too deep") from None


def _read(content: bytes) -> tuple[uuid.UUID, str]:
    message = email.message_from_bytes(content[:LARGEST], policy=email.policy.default)
    if message.get_content_type() != "multipart/report":
        raise NotAReturn("it is no report of delivery")
    status, identity = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _inside(part):
                if str(block.get("Action", "")).strip().lower() == "failed":
                    found = STATUS.search(str(block.get("Status", "")))
                    status = found[0] if found else "5.0.0"
        elif kind == "text/rfc822-headers" and isinstance(part, EmailMessage):
            headers = email.message_from_string(part.get_content(), policy=email.policy.default)
            identity = identity or str(headers.get("Message-ID", ""))
        elif kind == "message/rfc822":
            for first in _inside(part)[:1]:
                identity = identity or str(first.get("Message-ID", ""))
    if not status:
        raise NotAReturn("it tells of no failure")
    ours = OUR_ID.search(identity.lower())
    if ours is None:
        raise NotAReturn("it names no letter of ours")
    return uuid.UUID(ours[1]), status


@transaction.atomic
def record_return(*, content: bytes, now: dt.datetime) -> Letter:
    """Note on the letter that it came back, and why. Raises NotAReturn."""
    identity, status = read(content)
    letter = Letter.objects.select_for_update().filter(pk=identity).first()
    if letter is None:
        raise NotAReturn("it names no letter of ours")
    if letter.state == LetterState.SENT:
        letter.state, letter.last_error = LetterState.FAILED, f"Returned {status}"
        letter.save(update_fields=["state", "last_error"])
    return letter
