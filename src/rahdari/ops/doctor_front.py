"""The part of the doctor that looks at what stands in front: whether each address of the register answers by its name,
how long its certificate lasts, and whether a request is read whole before it is passed on.

The last is tried: more is announced than the pages take (`LARGEST_REQUEST`), and one byte sent. We answer that unread,
so an answer of ours means that the request reached us before its body. What reads it whole waits for the rest, or
refuses.
"""

import datetime as dt
import http.client
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rahdari.ops.checks import NOTE, OK, WRONG, Finding, Inspection

if TYPE_CHECKING:
    from rahdari.web.front import Looked

PATIENCE = 3.0


def check_front(patient: Inspection, *, patience: float = PATIENCE) -> Iterator[Finding]:
    from django.utils import timezone

    from rahdari.web import front

    if patient.is_demo:
        return
    urls = front.addresses(patient.environment)
    found = front.look_at_all(urls)
    for looked in found:
        yield finding_of(looked, timezone.now())
    if any(each.fault is None for each in found if each.of == "pages"):
        yield from check_buffering(urls["pages"], patience=patience)


def finding_of(looked: "Looked", now: dt.datetime) -> Finding:
    from rahdari.web.front import DAYS_LEFT, Fault

    host, said = urlsplit(looked.url).hostname, f"{looked.url} ({looked.of})"
    mends = {
        Fault.NAME: f"{said}: the name is not known here ({looked.why}). Look at the zone of {host}, and at this "
        "machine's resolvers; where the name is for others alone, put it into /etc/hosts.",
        Fault.CONNECTION: f"{said} does not answer ({looked.why}). Start the web server in front, and look at its log.",
        Fault.CERTIFICATE: f"{said}: nobody takes the certificate ({looked.why}). Renew it, and reload the web server.",
        Fault.ANSWER: f"{said}: another than ours answers ({looked.why}). Look at what the web server in front passes "
        "where: deploy/nginx/rahdari.conf.",
    }
    if looked.fault is not None:
        return Finding(WRONG, "front", mends[looked.fault])
    if looked.ends is None:
        return Finding(OK, "front", f"{said} answers")
    days = (looked.ends - now).days
    if looked.ends - now < DAYS_LEFT:
        text = f"{said}: the certificate ends in {days} days. Renew it, and reload the web server; see why nothing did."
        return Finding(WRONG, "front", text)
    return Finding(OK, "front", f"{said} answers, with a certificate for {days} more days")


def check_buffering(url: str, *, patience: float = PATIENCE) -> Iterator[Finding]:
    try:
        passed_on = answers_before_the_body(url, patience=patience)
    except (OSError, http.client.HTTPException):
        return  # Nobody answers there, or not to us: other lines say so.
    if passed_on:
        yield Finding(
            NOTE,
            "front",
            f"what answers at {url} passes a request on before it is there whole: whoever sends slowly holds threads "
            'that wait, up to an eighth of them. Let the web server in front read it first; docs/install.md, "The web '
            'server".',
        )
    else:
        yield Finding(OK, "front", f"a request to {url} is read whole before it reaches the pages")


def answers_before_the_body(url: str, *, patience: float = PATIENCE) -> bool:
    """Whether the pages themselves answer at this address to a body that has not come. Raises OSError."""
    from django.conf import settings

    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=patience, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=patience)
    try:
        connection.connect()
        connection.putrequest("POST", "/")
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.putheader("Content-Length", str(settings.LARGEST_REQUEST + 1))
        connection.endheaders(b"x")
        try:
            answer = connection.getresponse()
        except TimeoutError:
            return False
        # A server in front that takes less refuses by itself, in words of its own.
        ours = answer.headers.get("Content-Security-Policy") is not None
        return answer.status == http.client.REQUEST_ENTITY_TOO_LARGE and ours
    finally:
        connection.close()
