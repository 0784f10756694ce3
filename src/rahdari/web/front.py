"""How the addresses answer that visitors, agents and operators use: by name, over the web server that stands in front.

Asked from this machine, at the settings' own addresses and no others. What a process of ours says of itself at its port
tells nothing of the name, of the certificate, or of that web server; most days without a register begin there.
"""

import datetime as dt
import http.client
import os
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import metrics_access as watching

# Shorter together than Prometheus waits for a page (10 s).
PATIENCE = 4.0
PATIENCE_WITH_ALL = 8.0
# A certificate is renewed a month before its end as a rule: one with fewer days is not renewed.
DAYS_LEFT = dt.timedelta(days=10)
MOST_READ = 1 << 16
# What is open at each of them, and how an answer of ours is known: a web server in front has words of its own.
PATHS = {"pages": "/healthz", "feed": "/healthz", "lookups": "/rdap/help"}
OUR_WORDS = (b"ready", b"the database does not answer", b"no edition yet", b"of the feed cannot be read")


class Fault(StrEnum):
    NAME = "name"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    ANSWER = "answer"


@dataclass(frozen=True)
class Looked:
    """What came of one look. `fault` is the first thing that was in the way, `why` what was said of it; `ends` is when
    the certificate ends, None over http or where it was not taken."""

    of: str
    url: str
    fault: Fault | None = None
    why: str = ""
    ends: dt.datetime | None = None


def look_at_all(urls: Mapping[str, str]) -> list[Looked]:
    """Look at each of these (see PATHS) at the same time. A resolver that says nothing may keep us for minutes: what is
    not there in time is told as that."""
    pool = ThreadPoolExecutor(max_workers=len(urls) or 1)
    asked = {of: pool.submit(look, of, url) for of, url in urls.items()}
    done, _ = wait(asked.values(), timeout=PATIENCE_WITH_ALL)
    pool.shutdown(wait=False)
    late = {of: Looked(of, url, Fault.NAME, "there was no answer in time") for of, url in urls.items()}
    return [future.result() if future in done else late[of] for of, future in asked.items()]


def look(of: str, url: str, *, patience: float = PATIENCE, context: ssl.SSLContext | None = None) -> Looked:
    """`context` says whose certificates are taken; without one, those that the machine takes."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = context or ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=patience, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=patience)
    ends = None
    try:
        connection.connect()
        if isinstance(connection.sock, ssl.SSLSocket):
            ends = end_of(connection.sock)
        connection.request("GET", f"{parts.path.rstrip('/')}{PATHS[of]}")
        answer = connection.getresponse()
        body = answer.read(MOST_READ)
    except socket.gaierror as error:
        return Looked(of, url, Fault.NAME, error.strerror or str(error))
    except ssl.SSLCertVerificationError as error:
        return Looked(of, url, Fault.CERTIFICATE, error.verify_message)
    except (OSError, http.client.HTTPException) as error:
        return Looked(of, url, Fault.CONNECTION, str(error) or type(error).__name__, ends)
    finally:
        connection.close()
    if is_ours(of, answer.status, body):
        return Looked(of, url, ends=ends)
    return Looked(of, url, Fault.ANSWER, f"{answer.status} {answer.reason}".strip(), ends)


def end_of(connection: ssl.SSLSocket) -> dt.datetime | None:
    text = (connection.getpeercert() or {}).get("notAfter")
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(text), dt.UTC) if isinstance(text, str) else None


def is_ours(of: str, status: int, body: bytes) -> bool:
    if of == "lookups":
        return status == http.client.OK and b"rdapConformance" in body
    return body.strip().endswith(OUR_WORDS)


def addresses(given: Mapping[str, str]) -> dict[str, str]:
    """Of an environment: the addresses that are to be looked at."""
    named = {"pages": "RAHDARI_URL", "feed": "RAHDARI_FEED_URL", "lookups": "RAHDARI_LOOKUP_URL"}
    return {of: url for of, name in named.items() if (url := given.get(name, ""))}


def families(looked: Iterable[Looked], now: dt.datetime) -> Iterator[watching.Family]:
    found = list(looked)
    answers = [({"of": each.of}, each.fault is None) for each in found]
    yield "front_answers", "Whether an address of the register answers by its name, with a good certificate.", answers
    ends = [({"of": each.of}, (each.ends - now).total_seconds()) for each in found if each.ends is not None]
    yield "front_certificate_expires_seconds", "In how long the certificate there expires.", ends


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Told to this machine, and to who has the token; to anybody else there is no such page."""
    if not watching.may_watch(request):
        raise Http404
    text = watching.exposition(families(look_at_all(addresses(os.environ)), timezone.now()))
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
