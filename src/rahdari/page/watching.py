"""Who may read figures for a monitoring system: this machine, and whoever has the token of `RAHDARI_METRICS_TOKEN`."""

import hmac

from django.conf import settings
from django.http import HttpRequest

from . import visitor


def may_watch(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    if settings.METRICS_TOKEN and token and hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
        return True
    # What a proxy passed on comes from elsewhere, even when nobody told us that there is a proxy.
    passed_on = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not passed_on and visitor.address(request).is_loopback
