"""The holder's side of a measured endpoint: look whether the own server answers and whether there is a way out to the
register's control endpoint, and say both.

What to look at comes from the register, to which the holder agreed; where the server is on this network may be said in
the settings, since behind a router its public address may lead nowhere from inside. A report says how long ago it
looked: this machine's clock may be wrong. One that could not be sent is sent with the next, while it says something.
"""

import ipaddress
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError

from rahdari import __version__, probe
from rahdari.address import Address

from .dyndns_update import Refused, RegisterNotReached, SettingsUnusable, read_values
from .faults import AgentFault

DEFAULT_FILE = Path("/etc/rahdari/measure.conf")
KEYS = ("server", "registration", "entry", "token", "at", "insecure_http")
TIMEOUT = urllib3.Timeout(connect=10, read=30)
LONGEST = 20_000
LOOK_SECONDS = 5.0
LEAST_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    server: str
    registration: str
    entry: str
    token: str
    at: Address | None = None

    @property
    def place(self) -> str:
        return f"{self.server}/api/v1/registrations/{self.registration}/entries/{self.entry}/measurement"


@dataclass(frozen=True)
class Said:
    """What was seen, and whether the register heard it."""

    outcome: probe.Outcome
    control: probe.Outcome
    heard: bool


def read_settings(path: Path) -> Settings:
    """Raises SettingsUnusable."""
    where = "Copy it from the page of your address."
    values = read_values(path, KEYS, needed=("server", "registration", "entry", "token"), where=where)
    try:
        at = ipaddress.ip_address(values["at"]) if values.get("at") else None
    except ValueError:
        raise SettingsUnusable(f"{path}: `at` is not an address.", "Leave it out where you are not sure.") from None
    return Settings(values["server"], values["registration"], values["entry"], values["token"], at)


class Looker:
    """Looks and reports. `every` is how often, in seconds, as the register said last."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.every = settings, LEAST_SECONDS
        self._unsent: tuple[float, dict[str, Any]] | None = None

    def look(self) -> Said:
        """Once. Raises RegisterNotReached and Refused; what was seen meanwhile is kept for the next time."""
        task = self._ask("GET", "/task")
        try:
            claim, address = probe.claim_from(task["claim"]), ipaddress.ip_address(task["address"])
            self.every = max(LEAST_SECONDS, int(task["every_seconds"]))
            ours = task["control"]
            control = (ipaddress.ip_address(ours["address"]), probe.claim_from(ours["claim"])) if ours else None
        except (KeyError, TypeError, ValueError):
            raise self._strange() from None
        seen = _look(claim, self._settings.at or address)
        way_out = _look(control[1], control[0]) if control else None
        reached = way_out.outcome if way_out is not None else probe.Outcome.UNREACHABLE
        report = {
            "outcome": seen.outcome.value,
            "control": reached.value,
            "latency_ms": round(seen.elapsed * 1000),
            "sent": seen.sent,
        }
        self._unsent = (time.monotonic(), report)
        return Said(seen.outcome, reached, self.send())

    def send(self) -> bool:
        """What was seen last and not said yet. False: the register heard it, and it was too old."""
        if self._unsent is None:
            return False
        at, report = self._unsent
        heard = self._ask("POST", "/reports", {**report, "age_ms": round((time.monotonic() - at) * 1000)})
        self._unsent = None
        return heard.get("heard") is True

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"User-Agent": f"rahdari-measure/{__version__}", "Authorization": f"Bearer {self._settings.token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with urllib3.PoolManager(num_pools=1) as pool:
                answer = pool.request(
                    method,
                    self._settings.place + path,
                    body=json.dumps(body).encode() if body is not None else None,
                    headers=headers,
                    timeout=TIMEOUT,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                status, said = answer.status, answer.read(LONGEST)
        except (HTTPError, LocationParseError, OSError) as error:
            raise RegisterNotReached(
                f"{self._settings.server} was not reached: {type(error).__name__}.",
                "Check the network and `server` in the settings.",
            ) from None
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise Refused(
                f"The register answers {status}.",
                "Compare the settings with the page of your address, and agree there that your program looks at it.",
            )
        if status != HTTPStatus.OK:
            raise RegisterNotReached(f"{self._settings.server} answers {status}.", "It is tried again.")
        try:
            found = json.loads(said)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._strange()
        return found

    def _strange(self) -> AgentFault:
        server = self._settings.server
        return RegisterNotReached(f"{server} does not answer as a register does.", "Check `server` in the settings.")


def _look(claim: probe.Claim, address: Address) -> probe.ProbeAnswer:
    """On the holder's own network, so that any address of theirs will do."""
    everywhere = probe.Standpoint(allowed_ranges=("0.0.0.0/0", "::/0"))
    return probe.prove(claim, address=address, timeout=LOOK_SECONDS, standpoint=everywhere)
