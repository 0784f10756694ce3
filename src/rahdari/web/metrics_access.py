"""Figures for a monitoring system, in Prometheus' text format (0.0.4), and who may read them: this machine, and whoever
has the token of `RAHDARI_METRICS_TOKEN`, if that is one.

A monitoring system on this machine asks for `http://127.0.0.1:PORT/metrics`, and that is no host name of the
installation. So of these pages, and of no other, a request that comes straight from this machine and names it is
answered as if it had named the installation.
"""

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rahdari import optional

from . import visitor

PAGES = "/metrics"
# By each of these a proxy says that it passes a request on; some set one of them alone.
PASSED_ON = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip")
# The loops of the processes that have no port that could be asked. Each keeps a connection to the database under its
# name.
LOOPS = {
    loop: process
    for process, loops in {
        "publisher": ("publisher",),
        "worker": ("workflow", "letters", "looks", "sms", "webhooks"),
        "watch": ("watch",),
    }.items()
    for loop in loops
    if loop not in optional.left_out()
}
# A shorter token is guessed: it opens nothing.
SHORTEST_TOKEN = 16


# A gauge of ours: its name after the prefix, what it says, and its values by labels.
type Family = tuple[str, str, Iterable[tuple[Mapping[str, str], float]]]
PREFIX = "rahdari_"


class _Gauges(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, text, samples in self._families:
            gauge = GaugeMetricFamily(PREFIX + name, text)
            for labels, value in samples:
                gauge.add_sample(PREFIX + name, dict(labels), float(value))
            yield gauge


def exposition(families: Iterable[Family]) -> str:
    """The whole page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(list(families)))
    return generate_latest(registry).decode()


def name_of_loop(loop: str) -> str:
    return f"rahdari {loop}"


def may_watch(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    ours = settings.METRICS_TOKEN
    if len(ours) >= SHORTEST_TOKEN and hmac.compare_digest(token.encode(), ours.encode()):
        return True
    return is_from_here(request)


def is_from_here(request: HttpRequest) -> bool:
    # What a proxy passed on comes from elsewhere, even when nobody told us that there is a proxy.
    return not any(name in request.headers for name in PASSED_ON) and visitor.address(request).is_loopback


class HostOfThisMachineMiddleware:
    """Stands before all that looks at the host. A name that is not this machine's stays what it is, and is refused:
    a browser here that was led to us under the name of a stranger's page reads nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.path_info == PAGES or request.path_info.startswith(PAGES + "/")
        if asked and is_from_here(request) and _names_this_machine(request.META.get("HTTP_HOST", "")):
            request.META["HTTP_HOST"] = urlsplit(settings.SITE_URL).netloc
        return self.get_response(request)


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
