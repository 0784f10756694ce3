"""Work over mobile data, on a phone: the number, its code, an operator that answers by itself, in force."""

import re
from collections.abc import Callable

import pytest

from .freelancers import Freelancer, by_a_letter, send
from .people import Person
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

WHO = {
    "en": Freelancer("Sample Freelancer 73", "freelancer-73@sample.example"),
    "ur": Freelancer("نمونہ فری لانسر 74", "freelancer-74@sample.example"),
}
TYPED = {"en": "0300 7000010", "ur": "۰۳۰۰۷۰۰۰۰۲۰"}
NUMBER = {"en": "3007000010", "ur": "3007000020"}


def code_sent(stack: Stack, number: str) -> str:
    """From the SMS, which the demonstration keeps in a folder."""

    def look() -> str | None:
        for path in (stack.data / "sms").glob("*"):
            text = path.read_text()
            if number in text.splitlines()[0] and (found := re.search(r"(?m)^(\d{6})$", text)):
                return found.group(1)
        return None

    return wait_for(f"the code sent to {number}", look)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_a_mobile_number_from_a_phone_to_the_operators_own_list(
    stack: Stack, a_person: Callable[..., Person], language: str
) -> None:
    person, who = a_person("mobile", language=language), WHO[language]
    person.open("/", "start")
    person.speak()
    person.follow("main a.btn.start, main a.btn.go", "question 1")
    for number, value in enumerate(("freelancer", "clients", "mobile"), start=2):
        person.choose(value)
        if number < 4:
            person.go_on(f"question {number}")
        else:
            person.page.locator("main form button.btn").first.click()
            person.page.wait_for_url("**/sign-in/**")
    person.sign_in(who.email)
    person.page.wait_for_url("**/tasks/")
    person.read("tasks of a mobile number")
    base = person.page.url.removeprefix(stack.url).removesuffix("tasks/")
    assert person.page.locator("a[aria-describedby=s-addresses]").count() == 0

    person.follow("a[aria-describedby=s-person]", "person")
    person.fill({"name": who.name, "cnic": who.cnic})
    person.go_on("tasks, person done")
    person.follow("a[aria-describedby=s-contact]", "contact")
    person.fill({"name": who.name, "mobile": who.mobile})
    person.go_on("tasks, contact done")
    person.follow("a[aria-describedby=s-purpose]", "purpose")
    person.choose("clients")
    person.fill({"purpose": who.purpose})
    person.go_on("tasks, purpose done")
    person.follow("a[aria-describedby=s-evidence]", "evidence")
    by_a_letter(who, person)

    person.follow("a[aria-describedby=s-proof]", "mobile number")
    person.fill({"number": TYPED[language]})
    person.choose("other", "sim")
    person.go_on("mobile number, not theirs")
    person.sees("A SIM in another name cannot be registered. Move it to your name, or use another number.")
    assert person.page.locator("main [name=number]").input_value() == TYPED[language]
    person.choose("me", "sim")
    person.go_on("mobile code")
    assert NUMBER[language] not in person.page.content()
    person.fill({"code": code_sent(stack, NUMBER[language])})
    person.go_on("mobile operator")
    # The operator of the prefix is proposed; nothing has to be chosen.
    assert person.page.locator("main input[name=operator]:checked").get_attribute("value") == "placeholder-net"
    person.go_on("mobile, asked")
    # Its made-up system answers by itself, over its own API.
    person.waits_for(f"{base}mobile/operator/", "Your operator confirmed the SIM")
    person.read("mobile, confirmed")
    assert NUMBER[language] not in person.page.content()

    send(who, person, base)
    person.waits_for(f"{base}status/", "Your registration is in force")
    person.read("mobile, in force")
    person.sees("In force at %(count)s of %(total)s operators", count=1, total=1)
    person.follow("main .actions a.btn", "registration of a mobile line")
    assert "sample-" in person.text() and NUMBER[language] not in person.page.content()
    word = person.page.locator("main .mono").first.inner_text().strip("\u2066\u2069")
    # Nothing of it is anywhere in the feed, nor at any operator's agent.
    files = [path for path in (stack.data / "feed").rglob("*") if path.is_file()]
    files += list((stack.data / "agents").rglob("entries.*"))
    assert files
    for path in files:
        content = path.read_bytes()
        assert word.encode() not in content and NUMBER[language].encode() not in content, path
    number = person.page.locator(".cert-no").first.inner_text()
    person.follow("main .actions a.btn[href*=certificate]", "certificate of a mobile line")
    assert number in person.text() and word not in person.text()
    person.open(f"/my/registrations/{number}/mobile/", "mobile, another operator")
