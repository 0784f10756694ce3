"""A real installation. Refuses to start without what it needs; `rahdari doctor` says the same in plain words."""

import ipaddress
import os
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from .base import *
from .base import SECRET_KEY, SITE_URL

SHORTEST_KEY = 32


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if len(SECRET_KEY) < SHORTEST_KEY:
    raise ImproperlyConfigured(
        f"RAHDARI_SECRET_KEY is not set, or has fewer than {SHORTEST_KEY} characters. "
        "`rahdari up` makes one in the data folder."
    )

HTTPS = SITE_URL.startswith("https://")
if not HTTPS and not is_this_machine(urlsplit(SITE_URL).hostname or ""):
    # Whoever listens in between would be signed in as whoever signs in.
    raise ImproperlyConfigured(
        f"RAHDARI_URL is {SITE_URL}, and a register is served over https. Put a web server with a certificate in "
        "front, and set RAHDARI_URL to the https address that visitors write."
    )

if HTTPS:
    # The connection to us comes from that web server and is plain: it says what the visitor's was. Whoever reaches us
    # without it and says the same gains nothing: the only thing that follows is stricter checks.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    # Only where every name below the register's is served over https: the deployer knows, we do not.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = os.environ.get("RAHDARI_HSTS_SUBDOMAINS", "") == "1"
    CSRF_TRUSTED_ORIGINS = [SITE_URL.rstrip("/")]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # With this prefix a browser takes the cookie from this very host alone, never from one beside or below it.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
