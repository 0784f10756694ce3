"""Fees: the invoice of an application."""

from rahdari.fees import queries

invoice_of = queries.invoice_of
invoices_by_subject = queries.invoices_by_subject
