"""The pages of those who keep accounts: statements, payments that wait, open invoices, money to pay back.

They see references, amounts and what payers wrote; no application and no document.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people.access import accounts_required, actor_of, person
from rahdari.people.models import Role
from rahdari.web import values

from . import actions, queries, words
from . import statements as fees_statements
from .forms import PaymentForm, RefundForm, StatementForm
from .models import Payment

# Of the payments that were set aside, so many are listed.
LISTED = 100


def _actor(request: HttpRequest) -> str:
    return actor_of(person(request), Role.ACCOUNTS)


@never_cache
@require_safe
@accounts_required
def payments(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    waiting = [
        (each, words.money(each.amount, each.currency), words.why_not_matched(each.why_not))
        for each in queries.payments_that_wait()[:500]
    ]
    back = [words.InvoiceRow(standing) for standing in queries.to_pay_back(now=now)]
    kept = queries.payments_set_aside()
    aside = [(each, words.money(queries.not_paid_back(each), each.currency)) for each in kept[:LISTED]]
    context = {"wide": True, "waiting": waiting, "back": back, "aside": aside}
    if len(aside) == LISTED and (count := kept.count()) > LISTED:
        context["aside_in_all"] = count
    return render(request, "fees/payments.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@accounts_required
def payment(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One payment: say what it is while it waits, or put on record that it was paid back."""
    found = queries.payment_by_id(id)
    if found is None:
        raise Http404
    waits = found.invoice is None and found.set_aside_at is None
    given = request.POST if request.method == "POST" else None
    form: PaymentForm | RefundForm
    if waits:
        form = PaymentForm(given)
        done = request.method == "POST" and form.is_valid() and _decide(request, found, form)
    else:
        form = RefundForm(given)
        done = request.method == "POST" and form.is_valid() and _pay_back(request, found, form)
    if done:
        return redirect("fees:payments")
    context: dict[str, Any] = {
        "payment": found,
        "amount": words.money(found.amount, found.currency),
        "why_not": words.why_not_matched(found.why_not),
        "waits": waits,
        "form": form,
        "refunds": [(each, words.money(each.amount, found.currency)) for each in found.refunds.order_by("recorded_at")],
        "row": words.InvoiceRow(queries.standing_of(found.invoice, now=timezone.now())) if found.invoice else None,
    }
    return render(request, "fees/payment.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, found: Payment, form: PaymentForm) -> bool:
    given = form.cleaned_data
    now = timezone.now()
    try:
        if given["decision"] == "aside":
            actions.set_payment_aside(payment=found, why=given["why"], actor=_actor(request), now=now)
            messages.success(request, _("Set aside. It pays no invoice, and is listed until all of it is paid back."))
            return True
        invoice = queries.invoice_by_number(given["invoice"])
        if invoice is None:
            form.add_error("invoice", _("There is no such invoice. Check its number or payment reference."))
            return False
        actions.match_payment(payment=found, invoice=invoice, actor=_actor(request), now=now)
    except actions.OtherCurrency as error:
        words_ = _("This invoice is in %(currency)s. Choose one in the currency of the payment.")
        form.add_error("invoice", words_ % {"currency": error.invoice.currency})
        return False
    except actions.PaymentSettled:
        messages.info(request, _("Somebody else has settled this payment a moment ago. Nothing was changed."))
        return True
    if invoice.voided_at is not None:
        messages.success(request, _("Matched. The invoice is cancelled, so all of this payment is to be paid back."))
    else:
        messages.success(request, _("Matched. The holder is told."))
    return True


def _pay_back(request: HttpRequest, found: Payment, form: RefundForm) -> bool:
    given = form.cleaned_data
    try:
        actions.record_refund(
            payment=found,
            amount=given["amount"],
            why=given["why"],
            bank_id=given["bank_id"],
            actor=_actor(request),
            now=timezone.now(),
        )
    except actions.TooMuchBack as error:
        if error.most > 0:
            most = _("You can pay back at most %(amount)s of it.")
            form.add_error("amount", most % {"amount": f"{error.most:,.2f}"})
        else:
            form.add_error("amount", _("Nothing of this payment is to be paid back."))
        return False
    messages.success(request, _("Recorded. This page pays nothing: the bank does that."))
    return True


@never_cache
@require_safe
@accounts_required
def open_invoices(request: HttpRequest) -> HttpResponse:
    rows = [words.InvoiceRow(standing) for standing in queries.open_standings(now=timezone.now())]
    return render(request, "fees/open.html", {"wide": True, "rows": rows})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@accounts_required
def statements(request: HttpRequest) -> HttpResponse:
    form = StatementForm(request.POST, request.FILES) if request.method == "POST" else StatementForm()
    faults: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            read = fees_statements.read(form.cleaned_data["file"].read())
        except fees_statements.Unreadable as error:
            faults = [words.fault(each) for each in error.faults[:50]]
        else:
            now = timezone.now()
            statement = actions.import_statement(found=read, actor=_actor(request), now=now)
            if statement.imported_at != now:
                said = _("This file was already added on %(day)s. Nothing in it is new.")
                messages.info(request, said % {"day": values.day(statement.imported_at)})
                return redirect("fees:statements")
            said = _("Added. New payments: %(new)s, of which matched to an invoice: %(matched)s.")
            messages.success(request, said % {"new": statement.new, "matched": statement.matched})
            return redirect("fees:payments" if statement.new > statement.matched else "fees:statements")
    context = {"form": form, "faults": faults, "statements": queries.statements()[:50]}
    return render(request, "fees/statements.html", context, status=422 if faults or form.errors else 200)
