"""Fees: asked for when all else has passed, answered when they are paid or too late.

A fee is asked for last, so that nobody pays for an application that is refused for another reason. While something
else stands in the way the check is answered as "not asked yet", which blames nobody: an officer looks at the rest
first, and the invoice goes out as soon as the rest has passed.
"""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from rahdari import policy as policies
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.db.batches import in_turn
from rahdari.decide import queries as decisions
from rahdari.fees import actions as fees
from rahdari.fees import queries as invoices
from rahdari.fees import rules
from rahdari.fees.models import Invoice
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.policy import due_at
from rahdari.verify import actions as verify
from rahdari.verify import queries as checks
from rahdari.verify.models import Check, Outcome
from rahdari.verify.rules import Answer

from .step import AT_ONCE, one_item

KIND = "fee"
ACTOR = "system:fees"


def ask_for_fees(now: dt.datetime) -> int:
    """Applications of which all else has passed: send the invoice, or say that nothing is due."""
    moved = 0
    for application, found in _with_an_open_fee():
        with one_item(application.subject):
            moved += _ask(application, found, now)
    return moved


def _with_an_open_fee() -> list[tuple[Application, list[Check]]]:
    """Sent applications whose fee is not settled, with their checks."""
    charged = _charged()
    waiting = {each.subject: each for each in applications.submitted_undecided().filter(service__in=charged)}
    return [
        (waiting[subject], found)
        for subject, found in checks.checks_of_subjects(waiting).items()
        if any(check.kind == KIND and check.outcome != Outcome.PASSED for check in found)
    ]


def _ask(application: Application, found: list[Check], now: dt.datetime) -> bool:
    """Whether anything was asked for or answered."""
    others = [check for check in found if check.kind != KIND and check.required]
    # What a registration may stand without for now holds the fee up no more than the decision.
    awaited = {(fact.kind, fact.target) for fact in decisions.facts_of(application, others, now) if fact.is_awaited}
    waits = any(check.outcome == Outcome.WAITING and (check.kind, check.target) not in awaited for check in others)
    if waits or invoices.invoice_of(application.subject):
        return False
    policy = applications.frozen_policy(application)
    fee = policy.services[application.service].fee
    endpoints = list(applications.endpoints_of(application))
    due = applications.what_is_due(application, policy, endpoints)
    if isinstance(due, rules.Nothing):
        addresses = len({endpoint.block for endpoint in endpoints})
        return _answer(application.subject, Answer("passed", f"fee_{due.value}", {"addresses": addresses}), now)
    if any(check.outcome == Outcome.FAILED for check in others):
        return _answer(application.subject, Answer("failed", "fee_not_asked_yet", blames=False), now)
    terms = policy.fee_terms
    assert terms is not None  # noqa: S101 - the loader sees to it
    invoice = fees.issue_invoice(
        subject=application.subject,
        about=application.reference,
        holder=application.holder_ref,
        service=application.service,
        due=due,
        currency=fee.currency,
        due_at=due_at(started_at=now, allowance=terms.pay_within, calendar=policy.calendar),
        zone=ZoneInfo(policy.calendar.zone),
        now=now,
    )
    _tell(invoice, "invoice", "issued", now)
    return True


def _charged() -> set[str]:
    """Services that may cost something, by the policy in force."""
    return {key for key, service in applications.policy_in_force().services.items() if service.fee.rule != "free"}


def answer_fees(now: dt.datetime) -> int:
    """Carry over what became of invoices: paid, or too late. What is paid late still counts."""
    answered = 0
    for application, found in _with_an_open_fee():
        invoice = invoices.invoice_of(application.subject)
        [check] = [each for each in found if each.kind == KIND]
        if invoice is None:
            continue
        with one_item(application.subject):
            answered += _tell_what_is_missing(invoice, now)
            about = {"invoice": invoice.number, "amount": str(invoice.amount), "currency": invoice.currency}
            if invoice.paid_at is not None:
                paid = Answer(
                    "passed", "fee_paid", about | {"paid_at": invoice.paid_at.isoformat(), **_came_at(invoice)}
                )
                answered += _answer(application.subject, paid, now)
                over = invoices.standing_of(invoice, now=now).over
                _tell(invoice, "invoice_paid", "paid", now, **({"over": over} if over else {}))
            elif invoice.due_at < now:
                answered += _answer(application.subject, Answer("failed", "fee_not_paid", about), now)
            elif check.outcome == Outcome.FAILED:
                # It was answered "not asked yet"; the rest has passed since.
                answered += _answer(application.subject, Answer("failed", "fee_asked", about, blames=False), now)
    return answered


def _came_at(invoice: Invoice) -> dict[str, str]:
    """The end of the day on which the bank booked the money: how long the statement lay here is our own delay."""
    days = [payment.booked_on for payment in invoices.payments_of(invoice)]
    if not days or invoice.paid_at is None:
        return {}
    zone = ZoneInfo(applications.policy_in_force().calendar.zone)
    booked = dt.datetime.combine(max(days), dt.time.max, zone)
    return {"came_at": min(booked, invoice.paid_at).isoformat()}


def _tell_what_is_missing(invoice: Invoice, now: dt.datetime) -> int:
    """Less came in than was asked for: a letter says how much, once for each sum."""
    standing = invoices.standing_of(invoice, now=now)
    if invoice.paid_at is not None or invoice.voided_at is not None or not standing.paid:
        return 0
    return _tell(invoice, "invoice_short", f"short:{standing.paid}", now, paid=standing.paid, missing=standing.open)


def void_invoices_of_ended_applications(now: dt.datetime) -> int:
    """Nobody pays for an application that was withdrawn, refused or closed."""
    ended = 0
    open_ones = {invoice.subject: invoice for invoice in invoices.open_invoices()}
    for application in applications.closed_among(open_ones):
        with one_item(application.subject):
            fees.void_invoice(invoice=open_ones[application.subject], why=application.status, actor=ACTOR, now=now)
            ended += 1
    return ended


def _answer(subject: str, found: Answer, now: dt.datetime) -> bool:
    return verify.answer_check(subject=subject, kind=KIND, target="", found=found, actor=ACTOR, now=now, anew=True)


def remind_of_fees(now: dt.datetime) -> int:
    """Tell holders some days before the last day to pay, once each; the policy in force says which days."""
    sent = 0
    terms = policies.current(settings.POLICY_FILE).fee_terms
    for days in terms.remind_days_before if terms else ():
        start = now + dt.timedelta(days=days - 1)
        due = invoices.due_between(start=start, end=start + dt.timedelta(days=1))
        for invoice in in_turn(f"remind of fees: {days}", due, at_most=AT_ONCE):
            with one_item(invoice.number):
                sent += _tell(invoice, "invoice_due_soon", f"due:{days}", now)
    return sent


def _tell(invoice: Invoice, template: str, once: str, now: dt.datetime, **more: Any) -> int:
    application = applications.application_by_subject(invoice.subject)
    on_behalf = applications.on_behalf(application) if application is not None else {}
    return sum(
        letters.write_once(
            to=person,
            template=template,
            about=f"invoice:{invoice.pk}",
            once=once,
            context={
                "reference": invoice.about,
                "invoice": invoice.number,
                "receipt": invoice.receipt_number,
                "amount": invoice.amount,
                "currency": invoice.currency,
                "pay_reference": rules.grouped(invoice.reference),
                "due_at": invoice.due_at,
                "url": reverse("fees:invoice", args=[invoice.number]),
                **on_behalf,
                **more,
            },
            now=now,
        )
        for person in people.people_to_tell(invoice.holder, Act.INVOICES)
    )
