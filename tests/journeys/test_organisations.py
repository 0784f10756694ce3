"""A bank, a video system, an embassy, a university and a call centre, each from the start page to operators: at 360 px,
in English and in Urdu, on one running stack.
"""

import http.client
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from . import desk
from .beginning import declare_and_send
from .desk import OFFICER
from .edge import Edge
from .organisations import Organisation, apply_as, contact_agrees, fill_in, prove_from_here
from .people import Person, body_of
from .stack import PATIENCE, Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

BANK = Organisation(
    "vpn_bank", "Sample Microfinance Bank Ltd", "network@bank.example", {"banking_licence": ""}, number="0000744"
)
VIDEO = Organisation(
    "whitelist_video",
    "Sample Conference Hall",
    "manager@conference.example",
    {"body_letter": ""},
    number="0000988",
)
EMBASSY = Organisation("vpn_mission", "Sample Embassy", "office@embassy.example", {"mission_letter": ""})
UNIVERSITY = Organisation(
    "vpn_public_body",
    "نمونہ یونیورسٹی",
    "registrar@university.example",
    {"body_letter": "", "founding_paper": ""},
    contact="نمونہ رجسٹرار",
)
CENTRE = Organisation(
    "whitelist_call_centre",
    "Sample Contact Centre (Pvt) Ltd",
    "manager@centre.example",
    {"incorporation": "", "call_centre_certificate": "2027-11-30"},
    number="0000752",
    more=tuple(f"127.0.12.{last}" for last in range(11, 15)),
)
ACCOUNTANT = "accounts@demo.rahdari.example"
READ = {"vpn_mission": "Letter of the mission or organisation", "vpn_public_body": "Letter and founding paper"}
NAME = "Conference hall, second floor"


def registration_of(person: Person, base: str) -> str:
    """Wait until it is registered, and open it. Gives its path."""
    person.waits_for(f"{base}status/", "See the registration")
    person.follow("main .actions a.btn", "registration")
    person.sees("Your registration is valid")
    return person.page.url.removeprefix(person.stack.url)


class TestABank:
    """By rule, with the lines of its staff, and with a neighbour behind its gateway."""

    def test_is_registered_with_its_staff_at_home_and_shares_its_address(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person]
    ) -> None:
        bank = a_person("bank", language="ur")
        base = apply_as(BANK, bank)
        contact_agrees(BANK, a_person("contact-of-the-bank"))
        registration = registration_of(bank, base)
        wait_for("the bank at an operator", lambda: bank.home.address in str(edge.held("host_ports4")))
        self.somebody_works_from_home(bank, registration, edge, a_person("at-home"))
        self.a_neighbour_shares(bank, a_person("video", home=bank.home), a_person("contact-of-the-hall"), edge)

    def somebody_works_from_home(self, bank: Person, registration: str, edge: Edge, worker: Person) -> None:
        bank.follow("main a[href$='/home/']", "staff at home, none")
        bank.fill({"workers": "40"})
        bank.follow("main button[value=workers]", "staff at home, told")
        bank.follow("main button[value=links]", "staff at home, a link")
        link = bank.page.locator("main code.long").inner_text()

        worker.open(link, "line at home, offered")
        assert BANK.name in worker.text() and worker.home.address in worker.text()
        worker.go_on("line at home, registered")
        worker.sees("You are on this line now")
        wait_for("the line at an operator", lambda: worker.home.address in (edge.folder / "entries.json").read_text())
        bank.page.reload()
        bank.read("staff at home, one registered")
        assert worker.home.address not in bank.page.content(), "an employer does not see where its people live"
        worker.follow("main button[value=withdraw]", "line at home, withdrawn")
        wait_for("its end", lambda: worker.home.address not in (edge.folder / "entries.json").read_text())
        bank.open(registration, "registration")

    def a_neighbour_shares(self, bank: Person, video: Person, contact: Person, edge: Edge) -> None:
        base = fill_in(VIDEO, video)
        prove_from_here(video, base)
        video.open(f"{base}prove/", "proved, somebody else has it")
        video.follow("main a[href*='/share/']", "share")
        assert BANK.name not in video.page.content()
        video.fill({"name": NAME})
        video.go_on("share, asked")

        bank.open("/my/", "home, asked to share")
        bank.follow("main a[href*='/sharing/']", "shared addresses, asked")
        bank.follow("main li.task a[href*='/sharing/']", "question about sharing")
        assert NAME in bank.text() and VIDEO.name not in bank.page.content()
        bank.go_on("question about sharing, answered")

        video.waits_for(video.page.url.removeprefix(video.stack.url), "Everybody who has it agreed")
        video.read("share, agreed")
        declare_and_send(video, base)
        contact_agrees(VIDEO, contact)
        registration_of(video, base)
        video.sees("Shared with others")
        held = [each for each in edge.held("host_ports4") if video.home.address in str(each)]
        assert len(held) == 1, "operators have the endpoint once"


class TestLettersThatAnOfficerReads:
    def test_of_an_embassy_and_of_a_university(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        embassy, university = a_person("embassy"), a_person("university", language="ur")
        sent = [
            (EMBASSY, embassy, apply_as(EMBASSY, embassy)),
            (UNIVERSITY, university, apply_as(UNIVERSITY, university)),
        ]
        officer = a_person("officer")
        desk.sit_down(officer, OFFICER)
        for who, person, base in sent:
            person.waits_for(f"{base}status/", "An officer is looking at your application")
            person.sees("The documents are there. An officer reads them.")
            person.read(f"with an officer, {who.who}")
            desk.open_from_the_queue(officer, base.rstrip("/").rpartition("/")[2], f"case, {who.who}")
            desk.take(officer)
            papers = desk.check_titled(officer, READ[who.who])
            papers.locator("input[value=passed]").check()
            papers.locator("input[name=how]").fill("It names who may act.")
            officer.follow(papers.locator("button"), "case, check recorded")
            desk.decide(officer, "grant")
        for who, person, base in sent:
            registration_of(person, base)
            assert who.name in person.text()


class TestACallCentre:
    """Whitelisting of five addresses, for which a fee is due."""

    def test_pays_an_invoice_by_bank_and_is_registered(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        centre = a_person("call-centre", language="ur")
        base = fill_in(CENTRE, centre)
        self.prove_all(centre, base)
        declare_and_send(centre, base)
        contact_agrees(CENTRE, a_person("contact-of-the-centre", language="ur"))

        # Everything has passed but the fee: whoever comes back finds the way to the invoice.
        centre.waits_for("/my/", "%(count)s invoice is to be paid", count=1)
        centre.read("home, an invoice")
        centre.follow("main li.task a", "waits for the fee")
        centre.sees("One thing is missing: the fee")
        centre.go_on("invoice")
        reference = centre.page.locator("#reference").inner_text()
        wait_for("the mail", lambda: reference in body_of(stack.mails_to(CENTRE.email)[-1]))
        assert "1,000" in centre.text() or "1000" in centre.text()

        accountant = a_person("accountant")
        accountant.sign_in_ready(ACCOUNTANT)
        accountant.open("/accounts/statements/", "bank statements")
        rows = f"Transaction,Date,Amount,Reference\nT-100,2026-11-23,1000,Fee {reference}\n"
        statement = {"name": "statement.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        accountant.page.locator("input[type=file]").set_input_files(statement)
        accountant.go_on("bank statements, taken in")

        centre.page.reload()
        centre.read("invoice, paid")
        centre.follow("main a[href$='/receipt/']", "receipt")
        assert re.search(r"\d", centre.page.locator("h1").inner_text())
        registration_of(centre, base)
        assert all(address in centre.text() for address in (centre.home.address, *CENTRE.more))

    def prove_all(self, centre: Person, base: str) -> None:
        """One link for all: opened here, and by a program at each of the other addresses."""
        centre.open(f"{base}prove/", "prove many")
        link = (centre.page.locator("#link").text_content() or "").strip()
        for address in CENTRE.more:
            assert visit(link, address).status == 200
        centre.go_on("link for all, here")
        centre.sees("This address is proved")
        centre.open(f"{base}prove/", "prove many, all proved")


def visit(link: str, address: str) -> http.client.HTTPResponse:
    """As `curl LINK` on a machine with this address."""
    where = urlsplit(link)
    assert where.hostname is not None
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE, source_address=(address, 0))
    try:
        connection.request("GET", where.path, headers={"Accept": "text/plain", "User-Agent": "curl/8.14.1"})
        return connection.getresponse()
    finally:
        connection.close()
