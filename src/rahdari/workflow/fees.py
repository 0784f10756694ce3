"""Fees: asked for when all else has passed, answered when they are paid or too late.

A fee is asked for last, so that nobody pays for an application that is refused for another reason. While something
else stands in the way the check is answered as "not asked yet", which blames nobody: an officer looks at the rest
first, and the invoice goes out as soon as the rest has passed.
"""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from rahdari.apply import access, pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.calendar import queries as calendars
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.checks.evidence import Evidence
from rahdari.checks.models import Check, Outcome
from rahdari.checks.rules import Answer
from rahdari.db.queues import Queue, each_of
from rahdari.decide import queries as decisions
from rahdari.fees import actions as fees
from rahdari.fees import queries as invoices
from rahdari.fees import rules, terms
from rahdari.fees.models import Invoice, Payment
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.policy import due_at

from .retention import over
from .step import A_MINUTE, AN_HOUR, Place, Step, together

KIND = "fee"
ACTOR = "system:fees"
# Findings of a check that failed: there is no invoice yet, it is to be paid, its time is over.
NOT_YET, ASKED, LATE = "fee_not_asked_yet", "fee_asked", "fee_not_paid"
# A look costs some reads, and other steps wait meanwhile.
LOOKED_AT_ONCE = 50


def _with_an_open_fee() -> QuerySet[Application]:
    """Sent applications whose fee is not settled. The rules under which one was sent have asked for the check: those in
    force may charge for it no more."""
    return (
        pending.submitted_undecided()
        .alias(known_as=subjects.SUBJECT)
        .filter(Exists(_of_each(kind=KIND).exclude(outcome="passed")))
    )


def _of_each(**which: Any) -> QuerySet[Check]:
    return checks.checks_where(subject=OuterRef("known_as"), **which)


def _unasked() -> QuerySet[Application]:
    """Without an invoice, but for those that were told so already: something else stands in their way."""
    in_the_way = checks.failed_checks().exclude(kind=KIND).filter(subject=OuterRef("subject"))
    told = _of_each(kind=KIND, finding=NOT_YET).filter(Exists(in_the_way))
    asked = invoices.standing_invoices().filter(subject=OuterRef("known_as"))
    return _with_an_open_fee().filter(~Exists(asked), ~Exists(told))


def _waiting() -> Exists:
    return Exists(_of_each(outcome=Outcome.WAITING, required=True).exclude(kind=KIND))


@each_of(lambda: _unasked().filter(~_waiting()))
def ask_when_all_is_answered(application: Application, now: dt.datetime) -> bool:
    """Applications of which all else has passed: send the invoice, or say that nothing is due."""
    return _ask(application, now)


@each_of(lambda: _unasked().filter(_waiting()), at_most=LOOKED_AT_ONCE)
def ask_when_the_rest_may_follow(application: Application, now: dt.datetime) -> bool:
    """What a registration may stand without for now holds the fee up no more than the decision."""
    return _ask(application, now)


ask_for_fees = together(ask_when_all_is_answered, ask_when_the_rest_may_follow)


def _ask(application: Application, now: dt.datetime) -> bool:
    """Whether anything was asked for or answered."""
    others = [check for check in checks.checks_of(application.subject) if check.kind != KIND and check.required]
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
        return _answer(application.subject, Answer("failed", NOT_YET, blames=False), now)
    asked = policy.fee_terms
    assert asked is not None  # noqa: S101 - the loader sees to it
    invoice = fees.issue_invoice(
        subject=application.subject,
        about=application.reference,
        holder=application.holder_ref,
        service=application.service,
        due=due,
        currency=fee.currency,
        due_at=due_at(started_at=now, allowance=asked.pay_within, calendar=calendars.in_force()),
        zone=ZoneInfo(policy.calendar.zone),
        now=now,
    )
    _tell(invoice, "invoice", "issued", now)
    return True


def _to_answer(now: dt.datetime) -> QuerySet[Invoice]:
    """Invoices of applications with an open fee of which the check does not say yet what became of them."""
    paid, late = Q(paid_at__isnull=False), Q(paid_at__isnull=True, due_at__lt=now)
    failed = checks.checks_where(kind=KIND, outcome=Outcome.FAILED, subject=OuterRef("subject"))
    news = paid | late & ~Exists(failed.filter(finding=LATE)) | ~late & Exists(failed.exclude(finding=ASKED))
    found = invoices.standing_invoices().filter(news | Exists(invoices.payments_for(OuterRef("pk"))))
    undecided = subjects.named_in("subject").filter(status="submitted")
    open_fee = checks.checks_where(kind=KIND, subject=OuterRef("subject")).exclude(outcome=Outcome.PASSED)
    return found.filter(Exists(undecided), Exists(open_fee)).order_by("issued_at", "number")


@each_of(_to_answer)
def answer_fees(invoice: Invoice, now: dt.datetime) -> int:
    """Carry over what became of invoices: paid, or too late. What is paid late still counts."""
    about: Evidence = {"invoice": invoice.number, "amount": str(invoice.amount), "currency": invoice.currency}
    if invoice.paid_at is not None:
        about |= {"paid_at": invoice.paid_at.isoformat(), **_came_at(invoice)}
        paid = Answer("passed", "fee_paid", about)
        answered = _answer(invoice.subject, paid, now)
        over = invoices.standing_of(invoice, now=now).over
        _tell(invoice, "invoice_paid", "paid", now, **({"over": over} if over else {}))
        return answered
    told = _tell_what_is_missing(invoice, now)
    if invoice.due_at < now:
        return told + _answer(invoice.subject, Answer("failed", LATE, about), now)
    check = checks.check_about(subject=invoice.subject, kind=KIND, target="")
    if check is not None and check.outcome == Outcome.FAILED:
        # It was answered "not asked yet"; the rest has passed since.
        return told + _answer(invoice.subject, Answer("failed", ASKED, about, blames=False), now)
    return told


def _came_at(invoice: Invoice) -> Evidence:
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


def _of_ended_applications() -> QuerySet[Invoice]:
    """Not void, and not paid before the application ended without a grant."""
    ended = subjects.named_in("subject").filter(status__in=pending.CLOSED_WITHOUT_GRANT)
    paid_in_time = Q(paid_at__isnull=False) & ~Exists(ended.filter(closed_at__lte=OuterRef("paid_at")))
    return invoices.standing_invoices().exclude(paid_in_time).filter(Exists(ended)).order_by("due_at", "number")


@each_of(_of_ended_applications)
def void_invoices_of_ended_applications(invoice: Invoice, now: dt.datetime) -> None:
    """Nobody pays for an application that was withdrawn, refused or closed: what came in since is paid back."""
    application = subjects.application_by_subject(invoice.subject)
    assert application is not None  # noqa: S101 - as the query says
    fees.void_invoice(invoice=invoice, why=application.status, actor=ACTOR, now=now)


def _answer(subject: str, found: Answer, now: dt.datetime) -> bool:
    return checks_checking.answer_check(
        subject=subject, kind=KIND, target="", found=found, actor=ACTOR, now=now, anew=True
    )


def remind_of_fees(now: dt.datetime) -> int:
    """Tell holders some days before the last day to pay, once each; the terms of the invoice say which days."""
    return sum(_remind(days, now) for days in sorted(terms.days_of_reminders(), reverse=True))


def _remind(days: int, now: dt.datetime) -> int:
    start = now + dt.timedelta(days=days - 1)
    queue = Queue(
        f"workflow.fees.remind_of_fees {days}",
        lambda _now: invoices.due_between(start=start, end=start + dt.timedelta(days=1)),
        lambda invoice, now: _remind_of(invoice, days, now),
    )
    return queue(now)


def _remind_of(invoice: Invoice, days: int, now: dt.datetime) -> int:
    found = terms.terms_of([invoice]).get(invoice.subject)
    if found is None or days not in found.remind_days_before:
        return 0
    return _tell(invoice, "invoice_due_soon", f"due:{days}", now)


def _tell(invoice: Invoice, template: str, once: str, now: dt.datetime, **more: Any) -> int:
    application = subjects.application_by_subject(invoice.subject)
    on_behalf = access.on_behalf(application) if application is not None else {}
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
        for person in people.people_to_notify(invoice.holder, Act.INVOICES)
    )


@each_of(lambda now: invoices.payers_known(booked_before=over("payment", now)), lock=True)
def erase_payers(payment: Payment, now: dt.datetime) -> int:
    return fees.erase_payer(payment=payment, now=now)


COUNTED = {"payment": (erase_payers.count,)}
erase_about = fees.erase_payers_of
STEPS = {
    Place.BEFORE_DECISIONS: (
        Step("fees", ask_for_fees),
        Step("fees -> checks", answer_fees),
    ),
    Place.LAST: (
        Step("fees: erase payers", erase_payers, rests=AN_HOUR),
        Step("fees: remind", remind_of_fees, rests=A_MINUTE),
        Step("fees: void", void_invoices_of_ended_applications),
    ),
}
