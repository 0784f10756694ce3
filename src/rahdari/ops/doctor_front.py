"""The part of the doctor that looks whether what stands in front of the pages reads a request whole first.

It is tried: more is announced than the pages take (`LARGEST_REQUEST`), and one byte sent. We answer that unread, so an
answer of ours means that the request reached us before its body. What reads it whole waits for the rest, or refuses.
"""

import http.client
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from rahdari.ops.checks import NOTE, OK, Finding, Inspection

PATIENCE = 3.0


def check_front(patient: Inspection, *, patience: float = PATIENCE) -> Iterator[Finding]:
    url = patient.environment.get("RAHDARI_URL", "")
    if patient.is_demo or not url:
        return
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
