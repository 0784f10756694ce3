"""The register's side: ask one vantage (`probe.quorum` puts the views together).

What a vantage says counts when its key signed it for this very request. A vantage that cannot be reached, is busy or
says something else is `absent`, which says nothing about the endpoint.
"""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from http import HTTPStatus

import urllib3
from urllib3.exceptions import HTTPError

from rahdari import probe
from rahdari.address import Address
from rahdari.probe import Answered, Attempt
from rahdari.probe.quorum import VantageAnswer, View

from .batch import LONGEST_ANSWER as LONGEST_BATCH
from .batch import LONGEST_SECONDS, BatchRequest, read_answer
from .message import LONGEST_ANSWER, Request, Sighting, Unusable
from .vantage_list import Vantage

PATH, BATCH_PATH, KEY_PATH = "/vantage/1/attempt", "/vantage/1/attempts", "/vantage/1/key"
ANSWERS = "answers"
CONNECT_SECONDS = 5.0
# Beyond the attempt itself: the way there and back, and a place that is short of breath.
BESIDE = 5.0


def ask(vantage: Vantage, *, claim: probe.Claim, address: Address, timeout: float, now: dt.datetime) -> VantageAnswer:
    """One request to one vantage. Never raises for what it does; `view.absent` says what was wrong:
    unreachable | refused (our token or certificate) | busy | failed | unusable (no answer of its key to this request).
    """
    request = Request(id=str(uuid.uuid4()), address=address, claim=claim, timeout=timeout, asked_at=now)
    try:
        with connections(vantage) as pool:
            answer = pool.request(
                "POST",
                vantage.url + PATH,
                body=request.body,
                headers={"Authorization": f"Bearer {vantage.token}", "Content-Type": "application/json"},
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=timeout + BESIDE),
                preload_content=False,
            )
            body = answer.read(LONGEST_ANSWER + 1, decode_content=False)
    except (HTTPError, OSError):
        return _absent(vantage, "unreachable")
    if answer.status != HTTPStatus.OK:
        return _absent(vantage, _WHY.get(answer.status, "failed"))
    try:
        sighting = Sighting.read(body, request=request, vantage=vantage.name, key=vantage.key)
    except Unusable:
        return _absent(vantage, "unusable")
    return VantageAnswer(View(vantage.name, vantage.network, vantage.region, sighting.as_answer()), sighting.as_data())


def ask_many(
    vantage: Vantage,
    attempts: Sequence[Attempt],
    *,
    timeout: float,
    now: dt.datetime,
    pool: urllib3.PoolManager | None = None,
) -> tuple[dt.datetime | None, list[Answered]]:
    """Many attempts at one vantage in one request: its clock, and what each came to, or why it is absent.

    Never raises for what it does. `pool` (`connections`) is kept by whoever asks again and again.
    """
    id = str(uuid.uuid4())
    body = BatchRequest(id, tuple(attempts), timeout, now).body()
    try:
        answer = (pool or connections(vantage)).request(
            "POST",
            vantage.url + BATCH_PATH,
            body=body,
            headers={"Authorization": f"Bearer {vantage.token}", "Content-Type": "application/json"},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=LONGEST_SECONDS + timeout + BESIDE),
            preload_content=False,
        )
        said = answer.read(LONGEST_BATCH + 1, decode_content=False)
        answer.release_conn()
    except (HTTPError, OSError):
        return None, ["unreachable"] * len(attempts)
    if answer.status != HTTPStatus.OK:
        return None, [_WHY.get(answer.status, "failed")] * len(attempts)
    try:
        return read_answer(said, request=body, count=len(attempts), vantage=vantage.name, key=vantage.key)
    except Unusable:
        return None, ["unusable"] * len(attempts)


def greet(vantage: Vantage) -> str:
    """How it stands with one vantage, in a few words: `answers`, or what is wrong."""
    try:
        with connections(vantage) as pool:
            answer = pool.request(
                "GET",
                vantage.url + KEY_PATH,
                headers={"Authorization": f"Bearer {vantage.token}"},
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=2 * CONNECT_SECONDS),
                preload_content=False,
            )
            body = answer.read(LONGEST_ANSWER, decode_content=False)
    except (HTTPError, OSError) as error:
        return f"cannot be reached ({type(error).__name__})"
    if answer.status != HTTPStatus.OK:
        return f"does not take our token ({answer.status})"
    try:
        said = json.loads(body)
        name, key = said["name"], said["key"]
    except (ValueError, KeyError, TypeError):
        return "something else answers there"
    if (name, key) != (vantage.name, vantage.key):
        return "another name or key answers there"
    return ANSWERS


_WHY: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "refused",
    HTTPStatus.FORBIDDEN: "refused",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
    HTTPStatus.TOO_MANY_REQUESTS: "busy",
}


def connections(vantage: Vantage, *, at_once: int = 1) -> urllib3.PoolManager:
    """As it wants to be spoken to."""
    return urllib3.PoolManager(
        retries=False,
        maxsize=at_once,
        ca_certs=str(vantage.ca_file) if vantage.ca_file else None,
        cert_file=str(vantage.client_certificate) if vantage.client_certificate else None,
        key_file=str(vantage.client_key) if vantage.client_key else None,
    )


def _absent(vantage: Vantage, why: str) -> VantageAnswer:
    return VantageAnswer(View(vantage.name, vantage.network, vantage.region, absent=why))
