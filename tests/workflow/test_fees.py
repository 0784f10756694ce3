"""What an application costs, from sent to paid: what is new and nothing else, and what is missing is told."""

import datetime as dt
import re
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import policy, workflow
from rahdari.apply import drafts, form_errors, parts, renewal, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.fees import actions as fees
from rahdari.fees import queries as invoices
from rahdari.fees.models import Invoice, Payment
from rahdari.fees.rules import Money
from rahdari.fees.statements import Read
from rahdari.letters.models import Letter
from rahdari.register import queries as register
from rahdari.register.models import Registration
from tests.builders.cases import DAY, HOUR, NOW

from .test_services import LAST_DAY, companies, prove, sent

__all__ = ["companies"]
pytestmark = pytest.mark.django_db
PAPERS = {"incorporation": None, "call_centre_certificate": LAST_DAY}
LATER = NOW + DAY


def paid(invoice: Invoice, amount: str, *, now: dt.datetime) -> None:
    money = Money(1, uuid.uuid4().hex[:12], now.date(), Decimal(amount), "PKR", invoice.reference, "Sample Payer")
    read = Read("csv", "PK00SAMP4711", [money], 0, uuid.uuid4().hex * 2)
    fees.import_statement(found=read, actor="accounts:sample", now=now)
    workflow.advance(now=now)


def addresses(count: int) -> tuple[str, ...]:
    return tuple(f"203.0.113.{10 + at}" for at in range(count))


def registered(count: int) -> Registration:
    """A call centre with so many addresses, whose first invoice, if there was one, is paid."""
    application = sent("whitelist_call_centre", PAPERS, addresses=addresses(count))
    invoice = invoices.invoice_of(application.subject)
    assert (invoice.amount if invoice else 0) == (200 * count if count >= 5 else 0)
    if invoice is not None:
        paid(invoice, str(invoice.amount), now=NOW + HOUR)
    found = register.registration_from(application.subject)
    assert found is not None
    return found


def draft_of(registration: Registration, about: str, now: dt.datetime = LATER) -> Application:
    person = Application.objects.get(pk=registration.origin.removeprefix("application:")).applicant
    return renewal.apply_again(
        registration=registration, applicant=person, about=about, actor=f"person:{person.pk}", now=now
    )


def send(draft: Application, now: dt.datetime = LATER) -> Application:
    drafts.take_known_proofs(Application.objects.get(pk=draft.pk), actor="person:x", now=now)
    application = sending.submit_application(
        application=Application.objects.get(pk=draft.pk), policy=policy.current(None), actor="person:x", now=now
    )
    workflow.advance(now=now)
    return Application.objects.get(pk=application.pk)


def add(draft: Application, address: str) -> None:
    facts = {"actor": "person:x", "now": LATER}
    draft = Application.objects.get(pk=draft.pk)
    prove(parts.add_endpoint(application=draft, block=address, runs="wireguard", **facts), address, now=LATER)


def remove(draft: Application, address: str) -> None:
    draft = Application.objects.get(pk=draft.pk)
    [row] = [each for each in applications.endpoints_of(draft) if each.address_text == address]
    parts.remove_endpoint(endpoint=row, actor="person:x", now=LATER)


def told(draft: Application) -> str:
    """What the pages say of its fee, as it stands."""
    draft, rules = Application.objects.get(pk=draft.pk), policy.current(None)
    due = applications.what_is_due(draft, rules, applications.endpoints_of(draft))
    return form_errors.fee(due, rules.services[draft.service], "en")[0].replace("\u2066", "").replace("\u2069", "")


class TestChange:
    def test_costs_what_is_new_and_the_page_says_so_as_addresses_change(self) -> None:
        draft = draft_of(registered(6), "change")
        assert told(draft) == "No fee: no address is new."
        add(draft, "203.0.113.77")
        assert told(draft) == "PKR 200.00: 1 new address at PKR 200.00."
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(draft.applicant)
        page = browser.get(reverse("portal:check", args=[draft.reference])).text
        assert "PKR 200.00" in page and "1 new address at" in page and "months<br>" in page
        counted = "Addresses that you already have count."
        assert counted in page
        assert counted in browser.get(reverse("apply:addresses", args=[draft.reference])).text
        add(draft, "203.0.113.78")
        assert told(draft) == "PKR 400.00: 2 new addresses at PKR 200.00 each."
        remove(draft, "203.0.113.78")
        application = send(draft)
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        assert (invoice.addresses, invoice.earlier, invoice.amount) == (1, 6, Decimal("200.00"))

    def test_that_only_takes_addresses_out_costs_nothing_and_waits_for_nobody(self) -> None:
        registration = registered(6)
        draft = draft_of(registration, "change")
        remove(draft, "203.0.113.10")
        application = send(draft)
        assert invoices.invoice_of(application.subject) is None
        assert checks.checks_of(application.subject).get(kind="fee").finding == "fee_nothing_new"
        assert application.status == "granted"

    def test_does_not_count_what_it_leaves_out(self) -> None:
        """Four addresses, of which one moves: never five at a time, so nothing is due."""
        draft = draft_of(registered(4), "change")
        add(draft, "203.0.113.77")
        assert told(draft) == "PKR 200.00: 1 new address at PKR 200.00."
        remove(draft, "203.0.113.10")
        assert told(draft) == "No fee for so few addresses."

    def test_counts_what_was_taken_out_of_another_registration_while_it_is_on_the_list(self) -> None:
        draft = draft_of(registered(4), "change")
        remove(draft, "203.0.113.10")
        changed = send(draft)
        facts: dict[str, Any] = {"service": draft.service, "fixed_address": "server", "actor": "person:x", "now": LATER}
        new = drafts.start_application(applicant=changed.applicant, **facts)
        Application.objects.filter(pk=new.pk).update(organisation=changed.organisation)
        add(new, "203.0.113.77")
        assert told(new) == "PKR 200.00: 1 new address at PKR 200.00."

    def test_counts_addresses_and_not_what_runs_at_them(self) -> None:
        draft = draft_of(registered(6), "change")
        row = applications.endpoints_of(Application.objects.get(pk=draft.pk)).first()
        assert row is not None
        parts.add_endpoint(
            application=Application.objects.get(pk=draft.pk),
            block=row.network,
            runs="openvpn_udp",
            actor="person:x",
            now=LATER,
        )
        assert told(draft) == "No fee: no address is new."


class TestPayment:
    def test_that_is_short_is_answered_with_what_is_missing_once(self) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(6))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        paid(invoice, "800", now=NOW + HOUR)
        workflow.advance(now=NOW + 2 * HOUR)
        letter = Letter.objects.get(template="invoice_short")
        assert "PKR 800.00" in letter.text and "PKR 400.00" in letter.text and "PKR 400.00" in letter.subject
        paid(invoice, "100", now=NOW + 3 * HOUR)
        assert "PKR 300.00" in Letter.objects.filter(template="invoice_short").latest("written_at").text
        paid(invoice, "300", now=NOW + 4 * HOUR)
        assert Letter.objects.filter(template="invoice_short").count() == 2
        assert "too much" not in Letter.objects.get(template="invoice_paid").text

    def test_of_too_much_is_told_to_whoever_paid(self) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(6))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        paid(invoice, "1250", now=NOW + HOUR)
        workflow.advance(now=NOW + 2 * HOUR)
        letter = Letter.objects.get(template="invoice_paid")
        assert "PKR 50.00" in letter.text and "We pay back what you paid too much" in letter.text
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(application.applicant)
        page = browser.get(reverse("fees:invoice", args=[invoice.number])).text
        assert "PKR 50.00" in page and "We pay it back to you." in page

    def test_is_nobodys_when_its_time_is_over(self) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(6))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        paid(invoice, "1200", now=NOW + HOUR)
        kept = applications.policy_in_force().retention["payment"].span
        assert kept is not None and Payment.objects.get().payer == "Sample Payer"
        workflow.advance(now=NOW + kept + 2 * DAY)
        payment = Payment.objects.get()
        assert (payment.payer, payment.text, payment.amount) == ("", "", Decimal("1200.00"))

    @pytest.mark.parametrize("by_hand", [False, True])
    def test_that_comes_after_a_withdrawal_is_paid_back_whenever_the_worker_looks(self, *, by_hand: bool) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(5))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        sending.withdraw_application(application=application, actor="person:x", now=NOW + HOUR)
        money = Money(1, "T1", NOW.date(), invoice.amount, "PKR", "" if by_hand else invoice.reference, "Sample Payer")
        read = Read("csv", "PK00SAMP4711", [money], 0, "00" * 32)
        fees.import_statement(found=read, actor="accounts:sample", now=NOW + 2 * HOUR)
        for payment in invoices.payments_that_wait():
            fees.match_payment(payment=payment, invoice=invoice, actor="accounts:sample", now=NOW + 2 * HOUR)
        workflow.advance(now=NOW + 3 * HOUR)
        [back] = invoices.to_pay_back(now=NOW + 3 * HOUR)
        assert (back.invoice.number, back.over) == (invoice.number, invoice.amount)
        assert not Letter.objects.filter(template="invoice_paid").exists()

    def test_that_came_before_a_withdrawal_is_kept(self) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(5))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        money = Money(1, "T1", NOW.date(), invoice.amount, "PKR", invoice.reference, "Sample Payer")
        read = Read("csv", "PK00SAMP4711", [money], 0, "00" * 32)
        fees.import_statement(found=read, actor="accounts:sample", now=NOW + HOUR)
        sending.withdraw_application(application=application, actor="person:x", now=NOW + 2 * HOUR)
        workflow.advance(now=NOW + 3 * HOUR)
        assert invoices.to_pay_back(now=NOW + 3 * HOUR) == []


class TestAServiceThatBecomesFree:
    @pytest.mark.parametrize("terms", [True, False], ids=["with [fees]", "without [fees]"])
    @pytest.mark.parametrize("asked", [False, True])
    def test_leaves_the_fee_of_what_was_sent_before_to_the_rules_of_then(
        self, settings: Any, tmp_path: Path, *, asked: bool, terms: bool
    ) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(5), move_on=asked)
        settings.POLICY_FILE = without_fees(tmp_path / "policy.toml", terms=terms)
        workflow.advance(now=NOW + HOUR)
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        paid(invoice, str(invoice.amount), now=NOW + DAY)
        assert Application.objects.get(pk=application.pk).status == "granted"

    @pytest.mark.parametrize("terms", [True, False], ids=["with [fees]", "without [fees]"])
    def test_leaves_the_account_and_the_reminders_as_they_were(
        self, settings: Any, tmp_path: Path, *, terms: bool
    ) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(5))
        settings.POLICY_FILE = without_fees(tmp_path / "policy.toml", terms=terms)
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        workflow.advance(now=invoice.due_at - 7 * DAY)
        workflow.advance(now=invoice.due_at - 7 * DAY + HOUR)
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(application.applicant)
        place = reverse("fees:invoice", args=[invoice.number])
        # A letter names no account: it leads to the page, which does.
        for template in ("invoice", "invoice_due_soon"):
            letter = Letter.objects.get(template=template)
            assert place in letter.text and "PK00 SAMP" not in letter.text
        page = browser.get(place).text
        for told in ("PK00 SAMP 0000 0000 0000 0000", "Demonstration Authority", "Sample Bank"):
            assert told in page
        lead = "A late payment takes nothing off the register"
        assert lead in page and lead in browser.get(reverse("fees:invoices")).text

    def test_names_the_account_of_the_policy_in_force_where_it_has_one(self, settings: Any, tmp_path: Path) -> None:
        application = sent("whitelist_call_centre", PAPERS, addresses=addresses(5))
        invoice = invoices.invoice_of(application.subject)
        assert invoice is not None
        place = tmp_path / "policy.toml"
        place.write_text(policy.BUNDLED.read_text("utf-8").replace("PK00 SAMP 0000", "PK00 NEXT 0000"), "utf-8")
        settings.POLICY_FILE = place
        browser = Client(headers={"accept-language": "en"})
        browser.force_login(application.applicant)
        page = browser.get(reverse("fees:invoice", args=[invoice.number])).text
        assert "PK00 NEXT 0000" in page and "PK00 SAMP" not in page


def without_fees(place: Path, *, terms: bool) -> Path:
    text = policy.BUNDLED.read_text("utf-8")
    free = 'fee = { rule = "free", text = { en = "No fee", ur = "کوئی فیس نہیں" } }'
    text = re.sub(r'^fee = \{ rule = "from_count".*$', free, text, flags=re.MULTILINE)
    check = r'^\[\[[^\n]*checks\]\]\nkind = "fee"\n(?:[^\[\n][^\n]*\n)*'
    text = re.sub(check, "", text, flags=re.MULTILINE)
    if not terms:
        text = re.sub(r"^\[fees\]\n(?:[^\[\n][^\n]*\n)*", "", text, flags=re.MULTILINE)
    place.write_text(text, "utf-8")
    return place
