"""Fees: whether an invoice is on the file that a decision may rest on."""

from rahdari.apply.models import Application
from rahdari.fees import queries


def is_invoiced(application: Application) -> bool:
    return queries.invoice_of(application.subject) is not None
