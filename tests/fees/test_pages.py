"""Pages of invoices and accounts: what each says, in both languages, and what happens to what is sent."""

import datetime as dt
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.fees import accounting_pages, actions, queries, rules
from rahdari.fees.models import Invoice, Payment, Refund
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from tests import urdu

pytestmark = pytest.mark.django_db


def a_person(local: str) -> User:
    return people.register_person(email=f"{local}@client.example", name=f"Sample {local}", now=timezone.now())


def an_accountant() -> User:
    user = a_person("accountant")
    people.appoint(user=user, role=Role.ACCOUNTS, actor="system:test", now=timezone.now())
    return user


def an_invoice(holder: User) -> Invoice:
    now = timezone.now()
    return actions.issue_invoice(
        subject=f"application:{uuid.uuid4()}",
        about="A-2611-K7M2-94QX",
        holder=holder.holder_ref,
        service="whitelist_call_centre",
        due=rules.Due(12, 3, Decimal("200.00"), once=False),
        currency="PKR",
        due_at=now + dt.timedelta(days=30),
        zone=ZoneInfo("Asia/Karachi"),
        now=now,
    )


def a_browser(user: User, language: str = "en") -> Client:
    browser = Client(headers={"accept-language": language})
    browser.force_login(user)
    return browser


def csv_of(*rows: str) -> SimpleUploadedFile:
    text = "\n".join(["Transaction,Date,Amount,Reference", *rows])
    return SimpleUploadedFile("statement.csv", text.encode(), "text/csv")


def take_in(browser: Client, *rows: str) -> None:
    answer = browser.post(reverse("fees:statements"), {"file": csv_of(*rows)})
    assert answer.status_code == 302


class TestHolder:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_sees_what_to_pay_by_when_and_how(self, language: str) -> None:
        holder = a_person("holder")
        holder.language = language
        holder.save()
        invoice = an_invoice(holder)
        browser = a_browser(holder, language)
        for name in ("fees:invoices", "fees:invoice"):
            args = [invoice.number] if name == "fees:invoice" else []
            page = browser.get(reverse(name, args=args)).content.decode()
            assert invoice.number in page and "2,400.00" in page
            if language == "ur":
                assert urdu.page_problems(page) == []
        assert rules.grouped(invoice.reference) in page
        assert browser.get(reverse("fees:receipt", args=[invoice.number])).status_code == 302

    def test_has_a_receipt_when_it_is_paid(self) -> None:
        holder = a_person("holder")
        invoice = an_invoice(holder)
        take_in(a_browser(an_accountant()), f"T1,2026-11-23,2400,{invoice.reference}")
        page = a_browser(holder).get(reverse("fees:receipt", args=[invoice.number])).content.decode()
        assert invoice.receipt_number in page and "was paid in full" in page


class TestAccounts:
    def test_takes_in_a_statement_and_says_what_of_it_waits(self) -> None:
        browser = a_browser(an_accountant())
        take_in(browser, "T1,2026-11-23,5,thanks")
        page = browser.get(reverse("fees:payments")).content.decode()
        assert "1 payment waits for you" in page and "Its text names no invoice." in page

    def test_sends_the_same_file_again_and_is_told_that_nothing_is_new(self) -> None:
        browser = a_browser(an_accountant())
        assert "Transaction, Date, Amount, Reference" in browser.get(reverse("fees:statements")).content.decode()
        take_in(browser, "T1,2026-11-23,5,thanks")
        assert "New payments: 1, of which" in browser.get(reverse("fees:payments")).content.decode()
        answer = browser.post(
            reverse("fees:statements"), {"file": csv_of("T1,2026-11-23,5,thanks")}, follow=True
        ).content.decode()
        assert "This file was already added on" in answer and "New payments" not in answer

    def test_is_told_each_fault_of_a_file_by_its_line_and_nothing_is_taken_in(self) -> None:
        browser = a_browser(an_accountant())
        sent = {"file": csv_of("T1,soon,5,x", "T2,2026-11-23,5,x")}
        answer = browser.post(reverse("fees:statements"), sent)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Nothing from this file was added" in page and "Line or entry 2" in page and "2026-11-30" in page
        assert not Payment.objects.exists()

    def test_says_by_hand_what_a_payment_is_for(self) -> None:
        invoice = an_invoice(a_person("holder"))
        browser = a_browser(an_accountant())
        take_in(browser, "T1,2026-11-23,2400,from my sister")
        [payment] = queries.payments_that_wait()
        place = reverse("fees:payment", args=[payment.pk])
        for sent, told in (
            ({}, "Choose what this payment is"),
            ({"decision": "match"}, "Enter the number of the invoice"),
            ({"decision": "match", "invoice": "I-2611-9999"}, "There is no such invoice"),
            ({"decision": "aside"}, "Enter in one sentence why it is set aside"),
        ):
            answer = browser.post(place, sent)
            assert answer.status_code == 422 and told in answer.content.decode()
        assert browser.post(place, {"decision": "match", "invoice": invoice.number.lower()}).status_code == 302
        assert queries.standing_of(invoice, now=timezone.now()).state is rules.InvoiceState.PAID

    def test_puts_on_record_what_went_back_and_no_more_than_came(self) -> None:
        invoice = an_invoice(a_person("holder"))
        browser = a_browser(an_accountant())
        take_in(browser, f"T1,2026-11-23,2500,{invoice.reference}")
        assert "To be paid back" in browser.get(reverse("fees:payments")).content.decode()
        place = reverse("fees:payment", args=[queries.payments_of(invoice).get().pk])
        sent = {"amount": "100.01", "bank_id": "B1", "why": "Paid too much"}
        assert "You can pay back at most 100.00 of it." in browser.post(place, sent).content.decode()
        assert browser.post(place, sent | {"amount": "100"}).status_code == 302
        assert Refund.objects.get().amount == Decimal("100.00")

    def test_finds_what_was_set_aside_until_it_is_paid_back(self) -> None:
        invoice, browser = an_invoice(a_person("holder")), a_browser(an_accountant())
        text = f"Transaction,Date,Amount,Reference,Currency\nT1,2026-11-23,40,{invoice.reference},USD"
        browser.post(reverse("fees:statements"), {"file": SimpleUploadedFile("s.csv", text.encode(), "text/csv")})
        place = reverse("fees:payment", args=[queries.payments_that_wait().get().pk])
        asked = browser.get(place).text
        assert "The invoice that it names is in another currency." in asked
        assert "It is not for an invoice of ours, or it is in another currency" in asked
        sent = {"decision": "aside", "why": "In dollars, to be sent back"}
        page = browser.post(place, sent, follow=True).text
        assert "Set aside. It pays no invoice" in page
        assert "They are not for an invoice of ours, or are in another currency." in page
        assert place in page and "In dollars, to be sent back" in page and "or is set aside" in page
        for amount, left in (("15", "USD 25.00"), ("25", "")):
            browser.post(place, {"amount": amount, "bank_id": "B1", "why": "Another currency"})
            page = browser.get(reverse("fees:payments")).text
            assert (place in page) is bool(left) and left in page and "USD 40.00" not in page

    @pytest.mark.parametrize(("payments", "is_told"), [(2, False), (3, True)])
    def test_is_told_when_the_list_of_what_was_set_aside_is_not_whole(
        self, monkeypatch: pytest.MonkeyPatch, payments: int, *, is_told: bool
    ) -> None:
        monkeypatch.setattr(accounting_pages, "LISTED", 2)
        browser = a_browser(an_accountant())
        take_in(browser, *(f"T{at},2026-11-23,5,thanks" for at in range(payments)))
        for payment in queries.payments_that_wait():
            place = reverse("fees:payment", args=[payment.pk])
            browser.post(place, {"decision": "aside", "why": "A gift"})
        page = browser.get(reverse("fees:payments")).text
        assert page.count("A gift") == 2
        assert ("The 2 set aside last are shown, of 3." in page) is is_told

    @pytest.mark.parametrize("name", ["fees:payments", "fees:open", "fees:statements"])
    def test_has_every_page_in_urdu(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setattr(accounting_pages, "LISTED", 1)
        user = an_accountant()
        user.language = "ur"
        user.save()
        an_invoice(a_person("holder"))
        browser = a_browser(user, "ur")
        take_in(browser, *(f"T{at},2026-11-23,5,thanks" for at in range(3)))
        for payment in queries.payments_that_wait()[:2]:
            actions.set_payment_aside(payment=payment, why="", actor="accounts:sample", now=timezone.now())
        assert urdu.page_problems(browser.get(reverse(name)).content.decode()) == []


class TestHome:
    def test_of_a_holder_says_that_something_is_to_be_paid(self) -> None:
        holder = a_person("holder")
        assert "invoice" not in a_browser(holder).get(reverse("portal:home")).content.decode()
        invoice = an_invoice(holder)
        assert "1 invoice is to be paid" in a_browser(holder).get(reverse("portal:home")).content.decode()
        take_in(a_browser(an_accountant()), f"T1,2026-11-23,2400,{invoice.reference}")
        page = a_browser(holder).get(reverse("portal:home")).content.decode()
        assert "to be paid" not in page and reverse("fees:invoices") in page

    def test_of_who_keeps_accounts_is_the_list_of_payments(self) -> None:
        answer = a_browser(an_accountant()).get(reverse("portal:home"))
        assert answer.status_code == 302 and answer.headers["Location"] == reverse("fees:payments")
