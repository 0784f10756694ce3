"""`GET /nic/update` and `GET /v3/update`: dyndns2, as the clients of routers speak it.

It stands before Django's pages, in the same process: no session, no language, no form, two or three queries.
What is answered is 200, 401 or 503 and a word for each host, and no other word: inadyn looks for `good`, `nochg` and
`OK` anywhere in a body, takes 401 for a wrong password, tries again after a 5xx, and gives up for good at any other
status. Nothing is written to the log: the line of a request holds an address.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, reset_queries
from django.utils import timezone

from rahdari.db import connections
from rahdari.web import limits, visitor

from . import queries, reporting, rules
from .models import DynamicHost, UpdateToken
from .rules import By, ReportOutcome

type Environ = dict[str, Any]
type Start = Callable[..., Any]
type Application = Callable[[Environ, Start], Iterable[bytes]]

log = logging.getLogger(__name__)

UPDATE = frozenset({"/nic/update", "/v3/update"})
# Where a client asks for its own address: it then reports what we would see.
ADDRESS = "/nic/address"
PROGRAMS = ("ddclient", "inadyn", "rahdari", "curl", "wget", "python")
# Wrong passwords from one household, in so many seconds.
UNKNOWN_RATE, UNKNOWN_PER = 60, 60
USED_EVERY = dt.timedelta(minutes=1)
OK, UNAUTHORIZED, UNAVAILABLE = "200 OK", "401 Unauthorized", "503 Service Unavailable"


class Updates:
    """Answers the two paths itself and leaves every other to the application behind it."""

    def __init__(self, behind: Application) -> None:
        self.behind = behind

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == ADDRESS:
            return _say(start, OK, str(_source(environ)))
        if path not in UPDATE:
            return self.behind(environ, start)
        connections.begin()
        try:
            status, text = answer(environ, timezone.now())
        except (OperationalError, InterfaceError):
            status, text = UNAVAILABLE, rules.AWAY
        except Exception:
            log.exception("A report of an address could not be taken")
            status, text = UNAVAILABLE, rules.AWAY
        finally:
            close_old_connections()
            reset_queries()
        return _say(start, status, text)


def _say(start: Start, status: str, text: str) -> list[bytes]:
    body = text.encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if status == UNAUTHORIZED:
        headers.append(("WWW-Authenticate", 'Basic realm="dyndns", charset="UTF-8"'))
    start(status, headers)
    return [body]


def _source(environ: Environ) -> rules.Address:
    return visitor.from_chain(
        environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES
    )


def answer(environ: Environ, now: dt.datetime) -> tuple[str, str]:
    """Status and body of one request. Of a browser none is taken: name and password can stand in a link, and whoever
    opens a stranger's link would report their own line as the stranger's."""
    if any(name.startswith("HTTP_SEC_FETCH_") for name in environ):
        return UNAVAILABLE, rules.AWAY
    by = _by(environ.get("HTTP_USER_AGENT", ""))
    shown = rules.read_authorization(environ.get("HTTP_AUTHORIZATION", ""))
    token = queries.token_shown(shown[1]) if shown is not None else None
    if shown is None or token is None or rules.label(shown[0]) != token.host.name:
        # Many of one household are asked to come later: a word that no client gives up at.
        who = f"dyndns.unknown:{visitor.household_of(_source(environ))}"
        if not limits.allow(who, rate=UNKNOWN_RATE, per=UNKNOWN_PER):
            return UNAVAILABLE, rules.AWAY
        return UNAUTHORIZED, rules.BADAUTH
    if token.ends_at is not None and token.ends_at <= now:
        reporting.note_old_token(host=token.host, by=by, now=now)
        return UNAUTHORIZED, rules.BADAUTH
    _mark_used(token, now)
    asked = rules.read_query(environ.get("QUERY_STRING", ""))
    source = _source(environ)
    texts = asked.addresses or (str(source),)
    lines = [_line(_meant(name, token.host), texts, source, by, now) for name in asked.hosts or (token.host.name,)]
    return OK, rules.body(lines)


def _meant(name: str, own: DynamicHost) -> DynamicHost | None:
    """The connection of this name: the token's own, or another of the same registration. One router reports for all."""
    label = rules.label(name)
    host: DynamicHost | None = own
    if label != own.name:
        host = (
            DynamicHost.objects.select_related("registration")
            .filter(name=label, registration=own.registration_id)
            .first()
            if own.registration_id is not None
            else None
        )
    if host is None or host.closed_at is not None:
        return None
    registration = host.registration
    if registration is not None and (registration.struck_out_at or registration.expired_at):
        return None
    return host


def _line(
    host: DynamicHost | None, texts: tuple[str, ...], source: rules.Address, by: By, now: dt.datetime
) -> tuple[str, str]:
    """The word for one host. One family that is not taken makes it the word for all, so that the client tries again;
    not so a prefix that cannot be used, which would come again as it is: it is noted, and spoils nothing."""
    if host is None:
        return rules.NOHOST, ""
    chosen = rules.choose(texts, host.v6_as)
    every = {
        family: reporting.report(host=host, block=block, source=source, by=by, now=now)
        for family, block in sorted(chosen.items())
    }
    heard = [each for family, each in every.items() if not rules.is_useless_prefix(chosen[family])]
    heard = heard or list(every.values())
    refused = next((each for each in heard if not each.is_taken), None)
    if refused is not None:
        return rules.WORDS[refused.outcome], ""
    changed = any(each.outcome is ReportOutcome.CHANGED for each in heard)
    return rules.WORDS[ReportOutcome.CHANGED if changed else ReportOutcome.SAME], ",".join(
        each.address for each in heard
    )


def _mark_used(token: UpdateToken, now: dt.datetime) -> None:
    if token.used_at is None or token.used_at + USED_EVERY <= now:
        UpdateToken.objects.filter(pk=token.pk).update(used_at=now)


def _by(agent: str) -> By:
    return By.PROGRAM if agent.lower().startswith(PROGRAMS) else By.ROUTER
