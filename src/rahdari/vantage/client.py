"""The register's side: ask one vantage, or look from here and from all of them, and put the views together.

    views = ask_all(vantages, claim=claim, address=address, standpoint=standpoint, now=now)
    verdict = judge([asked.view for asked in views], needed)

What a vantage says counts when its key signed it for this very request. A vantage that cannot be reached, is busy or
says something else is `absent`, which says nothing about the endpoint.
"""

import dataclasses
import datetime as dt
import json
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from rahdari import probe
from rahdari.address import Address

from .message import LONGEST_ANSWER, Request, Sighting, Unusable
from .quorum import HERE, View
from .vantage_list import Vantage

PATH, KEY_PATH = "/vantage/1/attempt", "/vantage/1/key"
ANSWERS = "answers"
CONNECT_SECONDS = 5.0
# Beyond the attempt itself: the way there and back, and a place that is short of breath.
BESIDE = 5.0


@dataclass(frozen=True)
class VantageAnswer:
    """One view, and the signed evidence for it where it came from elsewhere."""

    view: View
    sighting: Sighting | None = None

    def as_data(self) -> dict[str, Any]:
        """Plain data for a record."""
        view = self.view
        return {
            "place": view.place,
            "network": view.network,
            "region": view.region,
            "answer": view.answer.as_data() if view.answer is not None else None,
            "absent": view.absent,
            "signed": self.sighting.as_data() if self.sighting is not None else None,
        }


def ask(vantage: Vantage, *, claim: probe.Claim, address: Address, timeout: float, now: dt.datetime) -> VantageAnswer:
    """One request to one vantage. Never raises for what it does; `view.absent` says what was wrong:
    unreachable | refused (our token or certificate) | busy | failed | unusable (no answer of its key to this request).
    """
    request = Request(id=str(uuid.uuid4()), address=address, claim=claim, timeout=timeout, asked_at=now)
    try:
        with _pool(vantage) as pool:
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
    return VantageAnswer(View(vantage.name, vantage.network, vantage.region, sighting.as_answer()), sighting)


def ask_all(
    vantages: Sequence[Vantage],
    *,
    claim: probe.Claim,
    address: Address,
    now: dt.datetime,
    timeout: float = probe.TIMEOUT,
    standpoint: probe.Standpoint | None = None,
    network: str = HERE,
) -> list[VantageAnswer]:
    """The view from here, and from each vantage: at once, or one after another where the claim wants it.

    `network` names the register's own, so that a vantage beside it does not count as another.
    """

    def here(claim: probe.Claim) -> VantageAnswer:
        seen = probe.prove(claim, address=address, timeout=timeout, standpoint=standpoint)
        return VantageAnswer(View(HERE, network, "", seen))

    if claim.AT_ONCE:
        with ThreadPoolExecutor(len(vantages) + 1) as pool:
            own = pool.submit(here, claim)
            others = [
                pool.submit(ask, vantage, claim=claim, address=address, timeout=timeout, now=now)
                for vantage in vantages
            ]
            return [own.result(), *(other.result() for other in others)]
    own_view = here(_with_moment(claim))
    return [
        own_view,
        *(ask(vantage, claim=_with_moment(claim), address=address, timeout=timeout, now=now) for vantage in vantages),
    ]


def _with_moment(claim: probe.Claim) -> probe.Claim:
    """With our time, which grows from one place to the next whatever their clocks say."""
    if isinstance(claim, probe.WireguardClaim):
        return dataclasses.replace(claim, moment=time.time_ns() // 1000)
    return claim


def greet(vantage: Vantage) -> str:
    """How it stands with one vantage, in a few words: `answers`, or what is wrong."""
    try:
        with _pool(vantage) as pool:
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


def _pool(vantage: Vantage) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        retries=False,
        ca_certs=str(vantage.ca_file) if vantage.ca_file else None,
        cert_file=str(vantage.client_certificate) if vantage.client_certificate else None,
        key_file=str(vantage.client_key) if vantage.client_key else None,
    )


def _absent(vantage: Vantage, why: str) -> VantageAnswer:
    return VantageAnswer(View(vantage.name, vantage.network, vantage.region, absent=why))
