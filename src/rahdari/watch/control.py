"""Our own control endpoint: what every place looks at beside the endpoints of others, in the same minute.

A text at a known path of the register's own server. Whoever cannot fetch it is cut off from us, and says nothing of
anybody.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings

from rahdari.probe import Attempt, HttpClaim

PATH = "/.well-known/rahdari-control.txt"
LINE = "rahdari-control"


def endpoint() -> Attempt | None:
    """Where it is looked for; None while its host has no address."""
    given = settings.WATCH_CONTROL
    parts = urlsplit(f"//{given}" if given else settings.SITE_URL)
    port = parts.port or 80
    if not given and parts.scheme == "https":
        # There it is led on to https: an answer, too.
        port = 80
    try:
        address = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        try:
            found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        except OSError:
            return None
        # IPv4 where there is one: a place without IPv6 would not reach us, and say nothing of anybody.
        known = [ipaddress.ip_address(each[4][0]) for each in found]
        address = min(known, key=lambda each: each.version)
    return Attempt(address, HttpClaim(line=LINE, path=PATH, port=port))
