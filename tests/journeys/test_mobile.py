"""Work over mobile data, on a phone: the number, its code, the operator, in force. In English the operator answers by
itself; in Urdu it is silent past its time, and then sits down at its page.
"""

import re
from collections.abc import Callable

import pytest

from .freelancers import Freelancer, send
from .mobile_numbers import days_pass, fill_in
from .people import Person
from .stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.whole]

ANSWERED = Freelancer("Sample Freelancer 75", "freelancer-75@sample.example", cnic="35202-1234575-1")
SILENCE = Freelancer("نمونہ فری لانسر 76", "freelancer-76@sample.example", cnic="35202-1234576-1")
# The made-up operator never answers about a number that ends with 9.
ANSWERED_NUMBER, SILENT_NUMBER = "3007000010", "3007000029"
OPERATOR, WORD = "operator-placeholder-net@demo.rahdari.example", "line-of-76"


def registered(person: Person, number: str, word: str) -> None:
    """On the page of the registration of this line, whose operator has this word for it."""
    assert word in person.text() and number not in person.page.content()
    # Nothing of it is anywhere in the feed, nor at any operator's agent.
    files = [path for path in (person.stack.data / "feed").rglob("*") if path.is_file()]
    files += list((person.stack.data / "agents").rglob("entries.*"))
    assert files
    for path in files:
        content = path.read_bytes()
        assert word.encode() not in content and number.encode() not in content, path
    reference = person.page.locator(".cert-no").first.inner_text()
    person.follow("main .actions a.btn[href*=certificate]", "certificate of a mobile line")
    assert reference in person.text() and word not in person.text()
    person.open(f"/my/registrations/{reference}/mobile/", "mobile, another operator")


def test_from_a_phone_to_the_operators_own_list(stack: Stack, a_person: Callable[..., Person]) -> None:
    person = a_person("mobile")
    base = fill_in(ANSWERED, person, typed="0300 7000010", number=ANSWERED_NUMBER)
    # Its made-up system answers by itself, over its own API.
    person.waits_for(f"{base}mobile/operator/", "Your operator confirmed the SIM")
    person.read("mobile, confirmed")
    assert ANSWERED_NUMBER not in person.page.content()

    send(ANSWERED, person, base)
    person.waits_for(f"{base}status/", "Your registration is in force")
    person.read("mobile, in force")
    person.unfold()
    assert re.findall(r"\d+", person.page.locator("main .timeline > li h3").last.inner_text()) == ["1", "1"]
    person.follow("main .actions a.btn", "registration of a mobile line")
    assert "sample-" in person.text()
    word = person.page.locator("main .mono").first.inner_text().strip("\u2066\u2069")
    registered(person, ANSWERED_NUMBER, word)


def test_a_silent_operator_keeps_nobody_waiting_longer_than_its_time(
    stack: Stack, a_person: Callable[..., Person]
) -> None:
    person = a_person("silence", language="ur")
    base = fill_in(SILENCE, person, typed="۰۳۰۰۷۰۰۰۰۲۹", number=SILENT_NUMBER)
    send(SILENCE, person, base)
    person.open(f"{base}status/", "mobile, waits for the operator")
    days_pass(stack, base.rstrip("/").rpartition("/")[2])
    person.waits_for(f"{base}status/", "See the registration")
    person.read("mobile, provisional")
    person.follow("main .actions a.btn", "registration, provisional, of a mobile line")
    person.sees("You are registered provisionally")
    registration = person.page.url.removeprefix(stack.url)
    person.follow("main a[href$='/provisional/']", "provisional, operator silent")
    person.sees("What is still missing")

    # It finds the check on its page, late, and answers.
    operator = a_person("silent-operator")
    operator.sign_in_ready(OPERATOR)
    operator.open("/operator/checks/", "checks of an operator")
    row = operator.page.locator("main tbody tr", has_text=SILENT_NUMBER)
    row.locator("details.pick summary").first.click()
    row.locator("input[name=reference]").fill(WORD)
    operator.follow(row.locator("button[value=yes]"), "checks of an operator, answered")
    person.waits_for(registration, "Your registration is valid")
    person.read("registration of a mobile line")
    registered(person, SILENT_NUMBER, WORD)
