"""Whoever has no letter of an employer: a client confirms by one press; a declaration; a university."""

import re
from collections.abc import Callable

import pytest

from tests.apply.sample import a_pdf

from . import desk
from .desk import OFFICER
from .freelancers import Freelancer, fill_in, prove, send
from .people import Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.xdist_group("more journeys")]

CLIENT = "accounts@client-of-81.example"
BY_A_CLIENT = Freelancer("Sample Freelancer 81", "freelancer-81@sample.example", cnic="35202-1234581-1")
DECLARES = Freelancer("نمونہ فری لانسر 82", "freelancer-82@sample.example", cnic="35202-1234582-1")


def name_a_client(who: Freelancer, person: Person) -> None:
    person.choose("client_confirms")
    person.go_on("client")
    person.fill({"text": "someone@gmail.com"})
    person.go_on("client, free mail")
    assert person.page.locator("main .errors").is_visible()
    person.fill({"text": CLIENT})
    person.go_on("tasks, client named")


def declare(who: Freelancer, person: Person) -> None:
    person.choose("self_declaration")
    person.go_on("declaration")
    person.fill({"text": "Web design for shops abroad"})
    person.go_on("declaration, not ticked")
    assert person.page.locator("main .errors").is_visible()
    person.page.locator("main form input[name=declared]").check()
    person.go_on("tasks, declared")


def the_link_in(mail: str) -> str:
    found = re.search(r"https?://\S+/vouch/\w+/", body_of(mail))
    assert found is not None, body_of(mail)
    return found[0]


class TestAClientConfirms:
    def test_by_one_press_on_the_page_of_the_link_in_the_mail(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        person, stranger, client = a_person("freelancer"), a_person("stranger"), a_person("client")
        base = fill_in(BY_A_CLIENT, person, name_a_client)
        prove(person, base, stranger)
        assert stack.mails_to(CLIENT) == [], "nobody is written to before the application is sent"
        send(BY_A_CLIENT, person, base)
        wait_for("the letter to the client", lambda: len(stack.mails_to(CLIENT)) == 1)
        person.open(f"{base}status/", "waiting for the client")

        link = the_link_in(stack.mails_to(CLIENT)[0])
        client.open(link, "question")
        assert BY_A_CLIENT.name in client.text()
        for secret in (BY_A_CLIENT.email, person.home.address, "1234581", BY_A_CLIENT.purpose):
            assert secret not in client.page.content()
        client.open(f"{link}stop/", "stop")
        client.open(link, "question")
        client.follow("main button[value=yes]", "thanks")
        client.sees("You confirmed that they work for you. You need not do anything else.")
        client.open(link, "thanks")
        assert client.page.locator("main button[name=answer]").count() == 0, "a link works once"

        person.waits_for(f"{base}status/", "On the register")
        person.waits_for(f"{base}status/", "By rule: %(count)s of %(total)s checks passed.", count=4, total=4)
        person.follow("main .actions a.btn", "registration")
        person.sees("Your registration is valid")


class TestADeclaration:
    def test_stands_for_now_and_becomes_a_full_one_by_one_more_proof(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        person, stranger = a_person("freelancer", language="ur"), a_person("stranger", language="ur")
        stranger.page.goto(stack.url)
        stranger.speak()
        base = fill_in(DECLARES, person, declare)
        prove(person, base, stranger)
        send(DECLARES, person, base)
        person.waits_for(f"{base}status/", "See the registration")
        person.follow("main .actions a.btn", "registration, provisional")
        person.sees("You are registered provisionally")
        number = person.page.locator(".cert-no").first.inner_text()
        stranger.open(f"/check/?number={number}", "checked, provisional")
        stranger.sees("Valid, provisionally", context="registration")
        person.open(f"/my/registrations/{number}/certificate/", "certificate, provisional")
        person.open(f"/my/registrations/{number}/provisional/", "provisional")
        person.sees("What is still to come")

        person.follow("main a[href$='/proof/']", "one more proof")
        person.follow("main a[href$='/client_email/']", "one more proof, text")
        person.fill({"text": "From studio@client.example, 2 November: we work with you."})
        person.go_on("one more proof, sent")
        person.waits_for(f"/my/registrations/{number}/", "Your registration is valid")
        person.read("registration")
        stranger.open(f"/check/?number={number}", "checked")
        stranger.sees("Valid", context="registration")


class TestAUniversity:
    def test_needs_no_company_number_and_an_officer_reads_its_letter(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        person, officer = a_person("university"), a_person("officer")
        person.open("/apply/", "question 1")
        for number, value in enumerate(("public_body", "staff", "yes"), start=2):
            person.choose(value)
            if number < 4:
                person.go_on(f"question {number}")
            else:
                person.page.locator("main form button.btn").first.click()
                person.page.wait_for_url("**/sign-in/**")
        person.sign_in("registrar@university.example")
        person.page.wait_for_url("**/tasks/")
        base = person.page.url.removeprefix(stack.url).removesuffix("tasks/")
        person.follow("a[aria-describedby=s-company]", "organisation")
        person.fill({"name": "Sample University of the North"})
        person.go_on("tasks, organisation done")
        person.follow("a[aria-describedby=s-contact]", "contact")
        person.fill({"name": "Sample Registrar", "mobile": "0300 1234583"})
        person.go_on("tasks, contact done")
        person.follow("a[aria-describedby=s-purpose]", "purpose")
        person.choose("staff")
        person.fill({"purpose": "Our researchers reach our own library from home."})
        person.go_on("tasks, purpose done")
        for rule in ("body_letter", "founding_paper"):
            person.open(f"{base}documents/{rule}/", f"upload {rule}")
            paper = {"name": f"{rule}.pdf", "mimeType": "application/pdf", "buffer": a_pdf(1)}
            person.page.locator("input[type=file]").set_input_files(paper)
            person.go_on("documents")
        person.open(f"{base}addresses/add/", "address")
        person.fill({"block": person.home.address})
        person.choose("openvpn_udp")
        person.go_on("addresses")
        person.open(f"{base}prove/", "prove")
        person.go_on("link")
        person.open(f"{base}send/", "check answers")
        person.page.locator("main form input[type=checkbox]").check()
        person.go_on("sent")
        person.waits_for(f"{base}status/", "An officer is looking at your application")
        person.sees("The documents are there. An officer reads them.")

        reference = base.rstrip("/").rpartition("/")[2]
        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference)
        desk.take(officer)
        papers = desk.check_titled(officer, "Letter and founding paper")
        papers.locator("input[value=passed]").check()
        papers.locator("input[name=how]").fill("Both read: the charter names the university.")
        officer.follow(papers.locator("button"), "case, check recorded")
        desk.decide(officer, "grant")
        person.waits_for(f"{base}status/", "See the registration")
