"""Whoever has no letter of an employer: a client confirms by one press; or a declaration."""

import re
from collections.abc import Callable

import pytest

from .freelancers import Freelancer, choose_evidence, fill_in, prove, send
from .people import Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

CLIENT = "accounts@client-of-81.example"
BY_A_CLIENT = Freelancer("Sample Freelancer 81", "freelancer-81@sample.example", cnic="35202-1234581-1")
DECLARES = Freelancer("نمونہ فری لانسر 82", "freelancer-82@sample.example", cnic="35202-1234582-1")


def name_a_client(who: Freelancer, person: Person) -> None:
    choose_evidence(person, "client_confirms", "client")
    person.fill({"text": "someone@gmail.com"})
    person.go_on("client, free mail")
    assert person.page.locator("main .errors").is_visible()
    person.fill({"text": CLIENT})
    person.go_on("tasks, client named")


def declare(who: Freelancer, person: Person) -> None:
    choose_evidence(person, "self_declaration", "declaration")
    person.fill({"text": "Web design for shops abroad", "cnic": who.cnic})
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
        for secret in (BY_A_CLIENT.email, person.home.address, "1234581"):
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
        person.sees("What is still missing")

        person.follow("main a[href$='/client_email/']", "one more proof, text")
        person.fill({"text": "From studio@client.example, 2 November: we work with you."})
        person.go_on("one more proof, sent")
        person.waits_for(f"/my/registrations/{number}/", "Your registration is valid")
        person.read("registration")
        stranger.open(f"/check/?number={number}", "checked")
        stranger.sees("Valid", context="registration")
