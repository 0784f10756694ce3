"""Invoices and payments through the database."""

import datetime as dt
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rahdari.fees import actions, queries, rules
from rahdari.fees.models import Invoice, Payment, Statement
from rahdari.fees.rules import Due, InvoiceState, Money
from rahdari.fees.statements import Read
from rahdari.journal import queries as journal

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
DUE = NOW + dt.timedelta(days=30)
ZONE = ZoneInfo("Asia/Karachi")


def an_invoice(*, addresses: int = 12, holder: uuid.UUID | None = None, now: dt.datetime = NOW) -> Invoice:
    return actions.issue_invoice(
        subject=f"application:{uuid.uuid4()}",
        about="A-2611-SAMP-0001",
        holder=holder or uuid.uuid4(),
        service="whitelist_call_centre",
        due=Due(addresses, 0, Decimal("200.00"), once=False),
        currency="PKR",
        due_at=DUE,
        zone=ZONE,
        now=now,
    )


def credits(*entries: tuple[str, str, str]) -> Statement:
    """A statement with entries of (bank's number, amount, text)."""
    found = [
        Money(line, bank_id, dt.date(2026, 11, 23), Decimal(amount), "PKR", text, "Sample Payer")
        for line, (bank_id, amount, text) in enumerate(entries)
    ]
    read = Read("csv", "PK00SAMP4711", found, 0, uuid.uuid4().hex * 2)
    return actions.import_statement(found=read, actor="accounts:sample", now=NOW)


def state(invoice: Invoice) -> InvoiceState:
    return queries.standing_of(invoice, now=NOW).state


class TestIssueInvoice:
    def test_numbers_them_by_month_without_a_gap_and_once_for_an_application(self) -> None:
        first = an_invoice()
        again = actions.issue_invoice(
            subject=first.subject,
            about="",
            holder=first.holder,
            service="",
            currency="PKR",
            due=Due(1, 0, Decimal(1), once=True),
            due_at=DUE,
            zone=ZONE,
            now=NOW,
        )
        assert again == first
        # 19:30 UTC on the last day is December in Karachi.
        december = an_invoice(now=dt.datetime(2026, 11, 30, 19, 30, tzinfo=dt.UTC))
        assert [first.number, an_invoice().number, december.number] == ["I-2611-0001", "I-2611-0002", "I-2612-0001"]
        assert [row.act for row in journal.about(first.subject)] == ["fees.issued_invoice"]

    def test_what_it_asks_for_is_never_changed(self) -> None:
        invoice = an_invoice()
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(amount=1)


class TestImportStatement:
    def test_matches_by_reference_and_leaves_the_rest_to_a_person(self) -> None:
        invoice = an_invoice()
        statement = credits(("T1", "2400.00", f"fee {rules.grouped(invoice.reference)}"), ("T2", "5.00", "thanks"))
        assert (statement.credits, statement.new, statement.matched) == (2, 2, 1)
        assert state(invoice) is InvoiceState.PAID
        [waiting] = queries.payments_that_wait()
        assert (waiting.bank_id, waiting.why_not) == ("T2", "no_reference")

    def test_counts_a_payment_once_whatever_statements_name_it(self) -> None:
        invoice = an_invoice()
        credits(("T1", "1000.00", invoice.reference))
        again = credits(("T1", "1000.00", invoice.reference), ("T3", "400.00", invoice.reference))
        assert (again.credits, again.new) == (2, 1)
        standing = queries.standing_of(invoice, now=NOW)
        assert (standing.paid, standing.open, standing.state) == (
            Decimal("1400.00"),
            Decimal("1000.00"),
            InvoiceState.PART_PAID,
        )

    def test_of_the_same_file_changes_nothing(self) -> None:
        found = Read("csv", "", [], 0, "0" * 64)
        first = actions.import_statement(found=found, actor="accounts:sample", now=NOW)
        assert actions.import_statement(found=found, actor="accounts:other", now=NOW) == first
        assert Statement.objects.count() == 1

    def test_keeps_no_readable_words_of_a_payer(self) -> None:
        credits(("T1", "5.00", "for my sister"))
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT text || payer FROM fees_payment")
            [[stored]] = cursor.fetchall()
        assert b"sister" not in bytes(stored) and b"Sample" not in bytes(stored)


class TestMatchPayment:
    def test_by_hand_settles_it_once(self) -> None:
        invoice = an_invoice()
        credits(("T1", "2400.00", "no reference"))
        [payment] = queries.payments_that_wait()
        actions.match_payment(payment=payment, invoice=invoice, actor="accounts:sample", now=NOW)
        assert state(invoice) is InvoiceState.PAID
        with pytest.raises(actions.PaymentSettled):
            actions.set_payment_aside(payment=payment, why="x", actor="accounts:other", now=NOW)

    @pytest.mark.parametrize("by_hand", [False, True])
    def test_of_a_void_invoice_lists_all_of_it_as_to_be_paid_back(self, *, by_hand: bool) -> None:
        void = actions.void_invoice(invoice=an_invoice(), why="withdrawn", actor="system:workflow", now=NOW)
        credits(("T1", "2400.00", "no reference" if by_hand else void.reference))
        for payment in queries.payments_that_wait():
            actions.match_payment(payment=payment, invoice=void, actor="accounts:sample", now=NOW)
        [standing] = queries.to_pay_back(now=NOW)
        assert (standing.state, standing.over) == (InvoiceState.VOID, Decimal("2400.00"))
        assert not queries.payments_that_wait()


class TestRecordRefund:
    def test_of_a_paid_invoice_gives_back_only_what_is_beyond_it(self) -> None:
        invoice = an_invoice()
        credits(("T1", "2500.00", invoice.reference))
        [payment] = queries.payments_of(invoice)
        [standing] = queries.to_pay_back(now=NOW)
        assert standing.over == Decimal("100.00")
        with pytest.raises(actions.TooMuchBack) as caught:
            back(payment, "100.01")
        assert caught.value.most == Decimal("100.00")
        back(payment, "100.00")
        assert queries.to_pay_back(now=NOW) == []
        assert state(invoice) is InvoiceState.PAID

    def test_of_one_that_was_set_aside_gives_back_all_of_it(self) -> None:
        credits(("T1", "5.00", ""))
        [payment] = queries.payments_that_wait()
        actions.set_payment_aside(payment=payment, why="none of ours", actor="accounts:sample", now=NOW)
        back(payment, "5.00")
        with pytest.raises(actions.TooMuchBack):
            back(payment, "0.01")


def back(payment: Payment, amount: str) -> None:
    actions.record_refund(
        payment=payment, amount=Decimal(amount), why="too much", bank_id="B1", actor="accounts:sample", now=NOW
    )


class TestSums(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(1, 300_000), min_size=1, max_size=6))
    def test_are_never_lost_whatever_comes_in_in_which_parts(self, cents: list[int]) -> None:
        invoice = an_invoice(addresses=5)
        for number, part in enumerate(cents):
            credits((f"{invoice.pk}-{number}", f"{Decimal(part) / 100:.2f}", invoice.reference))
        standing = queries.standing_of(invoice, now=NOW)
        total = Decimal(sum(cents)) / 100
        assert standing.paid == total
        assert standing.open - standing.over == invoice.amount - total
        assert (standing.state is InvoiceState.PAID) == (total >= invoice.amount)
