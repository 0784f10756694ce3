"""Connections whose address changes: what a router needs to report it, its password, and what was reported."""

import datetime as dt
import uuid

from django.conf import settings
from django.utils.translation import gettext as _

from rahdari.applicant import dyndns as connections
from rahdari.apply import queries as apply
from rahdari.dyndns import hosts, queries, rules
from rahdari.dyndns.models import DynamicHost
from rahdari.dyndns.rules import V6As
from rahdari.journal.models import JournalEntry as Row
from rahdari.people.acting import Reached
from rahdari.people.rules import Act
from rahdari.programs import answers as programs
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, impossible, not_found, not_taken, plain, too_many
from rahdari.programs.problems import error as fault
from rahdari.programs.schema import DAY, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole

from .applications import ONE as APPLICATION
from .applications import own
from .events import About, about_registration
from .interface import API, Call
from .registrations import ONE as REGISTRATION
from .registrations import valid
from .rules import Scope
from .serializers import stamp, stamp_or_none

prove = API.part("connections", Scope.ENDPOINTS_PROVE)
OF_APPLICATION = f"{APPLICATION}/endpoints/{{endpoint}}/connection"
OF_REGISTRATION = f"{REGISTRATION}/connections/{{connection}}"
CONNECTION = named(
    "Connection",
    closed(
        {
            "id": text(36),
            "state": choice("current", "silent", "off", "paused", "unheard"),
            "addresses": listed(text(49)),
            "server": text(300),
            "host_name": text(300),
            "user_name": text(20),
            "update_path": text(60),
            "v6_as": choice(*(str(each) for each in V6As)),
            "paused_until": or_null(MOMENT),
            "passwords": listed(closed({"ends_with": text(4), "made_at": MOMENT, "ends_at": or_null(MOMENT)})),
            "reports": listed(
                closed(
                    {
                        "address": text(49),
                        "outcome": choice(*(str(each) for each in rules.ReportOutcome)),
                        "text": text(500),
                        "at": MOMENT,
                        "last_at": MOMENT,
                        "count": whole(1, 2**31),
                    }
                )
            ),
        }
    ),
)
PASSWORD = named("Password", closed({"password": text(100), "connection": CONNECTION}))


def _said(host: DynamicHost, call: Call) -> Json:
    now_is = connections.status_of(host, call.now)
    reports = [connections.row_of(each) for each in queries.reports_of(host)[: connections.REPORTS_SHOWN]]
    return {
        "id": str(host.pk),
        "state": now_is.state,
        "addresses": now_is.addresses,
        "server": settings.SITE_URL.rstrip("/"),
        "host_name": connections.host_name(host),
        "user_name": host.name,
        "update_path": "/nic/update",
        "v6_as": str(host.v6_as),
        "paused_until": stamp_or_none(host.paused_until),
        "passwords": [
            {"ends_with": each.tail, "made_at": stamp(each.made_at), "ends_at": stamp_or_none(each.ends_at)}
            for each in queries.tokens_of(host, now=call.now)
        ],
        "reports": [
            {
                "address": each.report.address,
                "outcome": str(each.report.outcome),
                "text": plain(each.what),
                "at": stamp(each.report.at),
                "last_at": stamp(each.report.last_at),
                "count": each.report.count,
            }
            for each in reports
        ],
    }


def _of_application(call: Call, reference: str, endpoint: uuid.UUID) -> Reached[DynamicHost]:
    row, by = own(call, reference, Act.PROVE)
    found = apply.endpoint_of(application=row, id=endpoint)
    if not found.is_dynamic:
        raise not_found()
    if row.status not in {"draft", "submitted"}:
        raise impossible("decided", _("It is decided already: see the connection of the registration."))
    host = queries.host_by_subject(found.connection)
    if host is None:
        raise not_found()
    return Reached(host, by)


def _of_registration(call: Call, reference: str, connection: uuid.UUID) -> Reached[DynamicHost]:
    found, by = valid(call, reference, Act.ADDRESSES)
    host = queries.host_of(found, connection)
    if host is None:
        raise not_found()
    return Reached(host, by)


def _hold_rate(host: DynamicHost) -> None:
    key = f"portal.changing:{host.pk}"
    if seconds := programs.wait_for(key, rate=connections.PRESSES, per=connections.PER_SECONDS):
        raise too_many(seconds)


def _password(reached: Reached[DynamicHost], call: Call, lasts: dt.timedelta) -> Answer:
    host, by = reached
    _hold_rate(host)
    made = hosts.make_token(host=host, actor=by.actor, now=call.now, old_ends_in=lasts)
    return Answer({"password": made.text, "connection": _said(host, call)}, 201)


@prove("GET", OF_APPLICATION, Ok("The connection. A report from its line proves it.", CONNECTION), problems=IMPOSSIBLE)
def get_connection_of_application(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """What the router of an applied-for address needs."""
    return Answer(_said(_of_application(call, reference, endpoint).row, call))


@prove(
    "POST",
    f"{OF_APPLICATION}/passwords",
    Ok("The password, this once. The one before it ends at once.", PASSWORD, 201),
    problems=IMPOSSIBLE,
)
def make_password_of_application(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Make a password for that router."""
    return _password(_of_application(call, reference, endpoint), call, dt.timedelta(0))


@prove(
    "PUT",
    OF_APPLICATION,
    Ok("The connection.", CONNECTION),
    body=closed({"v6_as": choice(*(str(each) for each in V6As))}),
    problems=IMPOSSIBLE,
)
def change_connection_of_application(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Choose what of IPv6 is applied for.

    The `host` alone, or the whole `network` that the line has.
    """
    host, by = _of_application(call, reference, endpoint)
    _hold_rate(host)
    return Answer(_said(hosts.choose_v6(host=host, v6_as=call.body["v6_as"], actor=by.actor, now=call.now), call))


@prove("GET", OF_REGISTRATION, Ok("Its addresses now, and what was reported last.", CONNECTION), problems=IMPOSSIBLE)
def get_connection(call: Call, reference: str, connection: uuid.UUID) -> Answer:
    """How a registered connection stands."""
    return Answer(_said(_of_registration(call, reference, connection).row, call))


@prove(
    "POST",
    f"{OF_REGISTRATION}/passwords",
    Ok("The password, this once. The one before it works a day longer, unless it is stopped.", PASSWORD, 201),
    body=closed({}, {"stop_old": TRUTH}),
    problems=IMPOSSIBLE,
)
def make_password(call: Call, reference: str, connection: uuid.UUID) -> Answer:
    """Make a new password for a registered connection."""
    lasts = dt.timedelta(0) if call.body.get("stop_old") else connections.OLD_TOKEN_LASTS
    return _password(_of_registration(call, reference, connection), call, lasts)


@prove(
    "PUT",
    OF_REGISTRATION,
    Ok("The connection.", CONNECTION),
    body=closed({}, {"v6_as": choice(*(str(each) for each in V6As)), "paused_until": or_null(DAY)}),
    problems=REFUSED,
)
def change_connection(call: Call, reference: str, connection: uuid.UUID) -> Answer:
    """Choose what of IPv6 is registered, or pause the letters.

    What is left out stays. A pause ends with the next report, or by `null`; it lasts 90 days at most.
    """
    host, by = _of_registration(call, reference, connection)
    _hold_rate(host)
    if "paused_until" in call.body:
        day = call.body["paused_until"]
        host = hosts.pause(host=host, until=_end_of(day, call.now) if day else None, actor=by.actor, now=call.now)
    if "v6_as" in call.body:
        host = hosts.choose_v6(host=host, v6_as=call.body["v6_as"], actor=by.actor, now=call.now)
    return Answer(_said(host, call))


def _end_of(text: str, now: dt.datetime) -> dt.datetime:
    try:
        return connections.end_of_pause(dt.date.fromisoformat(text), now)
    except connections.WrongDay as wrong:
        raise not_taken([fault("/paused_until", "wrong_day", str(wrong))]) from None


# -- events ----------------------------------------------------------------------------------------------------------


def _of_host(row: Row) -> About:
    found = queries.host_by_id(row.subject.partition(":")[2])
    if found is None or found.registration is None:
        return None
    to, data = about_registration(found.registration)
    return to, data | {"connection": str(found.pk)}


ABOUT = {"host": _of_host}
