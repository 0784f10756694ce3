"""Somebody calls: an officer enters the application, its holder reads it with the code and takes it over. By email in
English, by SMS in Urdu; and somebody who never called says so."""

import re
from collections.abc import Callable

import pytest

from . import desk
from .desk import OFFICER
from .freelancers import Freelancer, by_a_letter, prove
from .mobile_numbers import messages
from .people import Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

CALLERS = {
    "en": (Freelancer("Sample Caller One", "caller-one@client.example", "6110198765431"), "caller-one@client.example"),
    "ur": (Freelancer("Sample Caller Two", "caller-two@client.example", "6110198765432"), "+923009990077"),
}


def code_sent(stack: Stack, contact: str) -> tuple[str, str]:
    """The number of the entry, and its code."""

    def look() -> tuple[str, str] | None:
        texts = [body_of(mail) for mail in stack.mails_to(contact)] if "@" in contact else []
        texts += [text for text in messages(stack) if contact in text]
        for text in texts:
            number, code = re.search(r"E-\w{4}-\w{4}", text), re.search(r"(?m)^\s*(\d{8})\s*$", text)
            if number and code:
                return number[0], code[1]
        return None

    return wait_for(f"the code to {contact}", look)


def enter(officer: Person, who: Freelancer, contact: str, language: str, address: str) -> None:
    officer.open("/desk/entered/", "entries at the desk")
    officer.go_on("entries at the desk, nothing entered")
    officer.choose("telephone", "way")
    officer.choose(language, "language")
    officer.choose("vpn_freelancer", "service")
    officer.choose("server", "which")
    officer.choose("wireguard", "kind")
    officer.fill({"contact": contact, "name": who.name, "mobile": who.mobile, "block": address})
    officer.go_on("entries at the desk, entered")


def read(person: Person, number: str, code: str) -> None:
    person.open(f"/entered/?number={number}", "code of an entry")
    person.fill({"code": "1"})
    person.go_on("code of an entry, wrong")
    person.fill({"code": code})
    person.go_on("what was entered")


@pytest.mark.parametrize("language", ["en", "ur"])
def test_is_taken_over_and_sent_by_its_holder(language: str, stack: Stack, a_person: Callable[..., Person]) -> None:
    who, contact = CALLERS[language]
    officer, holder = a_person("officer-at-the-telephone"), a_person(f"caller-{language}", language=language)
    desk.sit_down(officer, OFFICER)
    enter(officer, who, contact, language, holder.home.address)
    assert contact not in officer.text() and who.name not in officer.text()

    holder.page.goto(stack.url)
    holder.speak()
    read(holder, *code_sent(stack, contact))
    for said in (who.name, holder.home.address, contact):
        assert said in holder.text()
    holder.follow("main form[action$='/take/'] button", "sign in, to take it over")
    holder.type_the_mailed_code(who.email)
    holder.read("what was entered, signed in")
    holder.go_on("tasks, taken over")
    base = holder.page.url.split(stack.url)[1].partition("tasks/")[0]
    # From here on it is an application like others: the same steps, proof and sending.
    holder.follow("a[aria-describedby=s-evidence]", "evidence")
    by_a_letter(who, holder)
    prove(holder, base, a_person("somebody-elsewhere", language=language))
    holder.open(f"{base}send/", "check answers, of an entry")
    assert who.name in holder.text()


def test_was_not_them(stack: Stack, a_person: Callable[..., Person]) -> None:
    officer, stranger = a_person("officer-who-was-lied-to"), a_person("never-called")
    desk.sit_down(officer, OFFICER)
    enter(
        officer, Freelancer("Sample Nobody", "never-called@client.example", ""), "never-called@client.example", "en", ""
    )
    read(stranger, *code_sent(stack, "never-called@client.example"))
    stranger.follow("main form[action$='/not-me/'] button", "entry, not theirs")
    stranger.sees("All of it is erased")
    officer.open("/desk/entered/", "entries at the desk, after")
    officer.sees("“This was not me”")
