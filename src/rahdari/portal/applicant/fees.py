"""Fees: what is to be paid, for its holder; and the desk of whoever keeps accounts."""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.db import together
from rahdari.fees import queries as fees
from rahdari.people import queries as people
from rahdari.people.models import Organisation, User
from rahdari.people.rules import Act
from rahdari.web import values

from .organisation import ToDo


def desk_of(user: User) -> str:
    return "fees:payments" if people.keeps_accounts(user) else ""


def on_home(user: User, now: dt.datetime) -> together.Part:
    found = fees.invoices(holders=people.holders_for(user, Act.INVOICES))

    def shown() -> dict[str, object]:
        standings = fees.standings(found, now)
        return {"invoices": standings, "invoices_to_pay": len(_due(standings))}

    return together.Part([found], shown)


def to_do(user: User, organisation: Organisation, now: dt.datetime) -> list[ToDo]:
    if not people.may(user, Act.INVOICES, organisation=organisation):
        return []
    due = _due(fees.invoices_of(holders=[organisation.holder_ref], now=now))
    if not due:
        return []
    hint = ", ".join(each.invoice.number for each in due[:3])
    return [ToDo(reverse("fees:invoices"), _("Pay what is due"), hint, "warn", values.figure(len(due)))]


def _due(found: Iterable[fees.PaymentStanding]) -> list[fees.PaymentStanding]:
    return [each for each in found if each.open > 0 and each.invoice.voided_at is None]
