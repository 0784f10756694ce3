"""What a holder sees: their invoices, one with how to pay it, and the receipt."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people import holders
from rahdari.people import queries as people
from rahdari.people.access import person, person_required
from rahdari.people.rules import Act
from rahdari.web import values

from . import queries, rules, terms, words
from .models import Invoice


@person_required
@never_cache
@require_safe
def invoices(request: HttpRequest) -> HttpResponse:
    found = queries.invoices_of(holders=people.holders_for(person(request), Act.INVOICES), now=timezone.now())
    to_pay = [each for each in found if each.state in words.TO_PAY]
    context = {
        "rows": [words.InvoiceRow(each) for each in found],
        "heading": _heading(to_pay, len(found)),
        "terms": _terms((to_pay or found)[0].invoice) if found else {},
    }
    return render(request, "fees/invoices.html", context)


def _heading(to_pay: list[queries.PaymentStanding], count: int) -> str:
    if len(to_pay) == 1:
        return _("One invoice is to be paid by %(date)s") % {"date": values.day(to_pay[0].invoice.due_at)}
    if to_pay:
        return ngettext("%(count)s invoice is to be paid", "%(count)s invoices are to be paid", len(to_pay)) % {
            "count": values.figure(len(to_pay))
        }
    return _("Nothing is to be paid") if count else _("There are no invoices")


def _terms(invoice: Invoice) -> dict[str, Any]:
    found = terms.terms_of([invoice]).get(invoice.subject)
    if found is None:
        return {}
    return {
        "name": found.account_name,
        "account": found.account,
        "bank": found.bank,
        "text": found.text.in_language(get_language()),
    }


def _own(request: HttpRequest, number: str) -> queries.PaymentStanding:
    try:
        return queries.invoice_for_holder(
            holders=people.holders_for(person(request), Act.INVOICES),
            number=number.replace("\0", ""),
            now=timezone.now(),
        )
    except queries.InvoiceNotFound:
        raise Http404 from None


def _page(request: HttpRequest, number: str, found: queries.PaymentStanding) -> dict[str, Any]:
    policy = terms.policy_in_force()
    service = policy.services.get(found.invoice.service)
    holder = holders.public_holder(found.invoice.holder)
    return {
        "row": words.InvoiceRow(found),
        "invoice": found.invoice,
        "standing": found,
        "service": service.title.in_language(get_language()) if service else found.invoice.service,
        "holder": holder.name if holder else "",
        "payments": [
            (each.booked_on, words.money(each.amount, each.currency)) for each in queries.payments_of(found.invoice)
        ],
        "reference": rules.grouped(found.invoice.reference),
        "authority": policy.authority.in_language(get_language()),
        "terms": _terms(found.invoice),
    }


@person_required
@never_cache
@require_safe
def invoice(request: HttpRequest, number: str) -> HttpResponse:
    found = _own(request, number)
    return render(request, "fees/invoice.html", _page(request, number, found))


@person_required
@never_cache
@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """Once it is paid. Until then the invoice says what is still to be paid."""
    found = _own(request, number)
    if found.invoice.paid_at is None:
        return redirect("fees:invoice", number=found.invoice.number)
    return render(request, "fees/receipt.html", _page(request, number, found))
