"""Announced work to test with, made by its own acts."""

import datetime as dt
import ipaddress
from typing import Any

from rahdari.maintenance import actions, telling
from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import Component, Impact, Plan, Reason
from rahdari.publish import actions as publishing
from rahdari.publish.models import Operator

NOW = dt.datetime(2026, 11, 10, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def a_network(slug: str = "sample-fibre", *, asns: tuple[int, ...] = (64500,), now: dt.datetime = NOW) -> Operator:
    publishing.create_operator(slug=slug, name=slug.replace("-", " ").title(), asns=asns, now=now)
    return Operator.objects.get(slug=slug)


def a_plan(*lines: str, impact: Impact = Impact.OUTAGE, now: dt.datetime = NOW, **more: Any) -> Plan:
    """One hour at night in 14 days."""
    starts_at = now + 14 * DAY
    facts: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + HOUR, "text_en": "We move lines."}
    found = [Component(ipaddress.ip_network(line), impact) for line in lines or ("203.0.113.0/24",)]
    return Plan(components=found, reason=Reason.MOVE, **facts | more)


def a_work(operator: Operator | None, *lines: str, now: dt.datetime = NOW, **more: Any) -> Work:
    """A draft."""
    return actions.draft(operator=operator, plan=a_plan(*lines, now=now, **more), by="person:1", now=now)


def announced(operator: Operator | None, *lines: str, now: dt.datetime = NOW, **more: Any) -> Work:
    """It is announced, an officer has read its words, and everybody has heard."""
    work = actions.announce(work=a_work(operator, *lines, now=now, **more), by="person:1", now=now)
    if work.wording_id is not None:
        actions.read_wording(id=work.wording_id, is_shown=True, by="officer:1", now=now)
    tell(now)
    return work


def tell(now: dt.datetime = NOW) -> None:
    """Work out who hears what, and tell them."""
    telling.spread(now=now)
    telling.tell(now=now)
