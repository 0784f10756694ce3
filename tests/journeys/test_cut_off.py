"""List first, proof after: in English the proof comes, in Urdu it does not; and on the telephone, with two officers."""

from collections.abc import Callable, Iterator

import pytest

from rahdari.people.demonstration import sample_email
from tests.needs import needs_chromium

from . import desk
from .desk import OFFICER, SECOND
from .mobile_numbers import code_sent
from .people import Person
from .stack import Stack, running, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.whole]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Holders of other journeys have the same numbers."""
    needs_chromium()
    with running(tmp_path_factory.mktemp("cut-off") / "data") as stack:
        yield stack


def a_holder(stack: Stack, freelancer: int, language: str, mobile: str) -> str:
    """Registered, with a number that was confirmed long ago. Gives the number of the registration."""
    stack.acts("office.py", "granted", str(freelancer), language)

    def look() -> list[str] | None:
        return stack.acts("cut_off.py", "number", str(freelancer), f"+92{mobile}") or None

    return wait_for("the registration", look)[0]


def at_the_operator(stack: Stack, address: str) -> bool:
    said = (stack.data / "agents" / "sample-fibre" / "entries.json").read_text()
    return f'"{address}/' in said or f'"{address}"' in said


def list_now(stack: Stack, holder: Person, number: str, mobile: str, address: str) -> str:
    """From the page of the registration to the list. Gives the page of it."""
    holder.open(f"/my/registrations/{number}/", "registration, before it is cut off")
    holder.follow("main a[href$='/urgent/']", "cut off")
    page = f"/my/registrations/{number}/urgent/"
    assert mobile not in holder.page.content()
    holder.go_on("cut off, nothing entered")
    holder.page.locator("main input[name=cut_off]").first.check()
    holder.fill({"block": address})
    holder.go_on("cut off, code")
    holder.fill({"code": "000000"})
    holder.go_on("cut off, wrong code")
    assert not at_the_operator(stack, address)
    holder.fill({"code": code_sent(stack, mobile)})
    holder.go_on("cut off, listed")
    holder.sees("Your new address is listed for now")
    wait_for("the address at the operator", lambda: at_the_operator(stack, address) or None)
    return page


class TestOnThePage:
    def test_and_the_proof_comes(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        number = a_holder(stack, 65, "en", "3009990065")
        holder = a_person("cut-off")
        holder.sign_in(sample_email(65))
        page = list_now(stack, holder, number, "3009990065", "203.0.113.230")
        wait_for("the letter", lambda: any(number in each for each in stack.mails_to(sample_email(65))[-1:]) or None)
        holder.go_on("change, begun by whoever is cut off")
        assert "/my/applications/" in holder.page.url
        stack.acts("cut_off.py", "papers", number)
        holder.waits_for(
            page, "The last address that was listed before its proof is proved now. It is like your others."
        )
        holder.read("cut off, proved")
        assert at_the_operator(stack, "203.0.113.230")

    def test_and_no_proof_comes(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        number = a_holder(stack, 66, "ur", "3009990066")
        holder = a_person("cut-off", language="ur")
        holder.sign_in(sample_email(66))
        page = list_now(stack, holder, number, "3009990066", "203.0.113.231")
        holder.open(f"/my/registrations/{number}/", "registration, cut off")
        stack.acts("cut_off.py", "later", number)
        wait_for("its end at the operator", lambda: not at_the_operator(stack, "203.0.113.231") or None)
        wait_for("its own address there", lambda: at_the_operator(stack, "203.0.113.66") or None)
        holder.waits_for(page, "List a new address now")
        holder.read("cut off, ended")


def test_on_the_telephone_with_two_officers(stack: Stack, a_person: Callable[..., Person]) -> None:
    mobile, address = "3009990067", "203.0.113.232"
    number = a_holder(stack, 67, "en", mobile)
    first, second = a_person("officer-on-the-telephone"), a_person("second-officer", language="ur")
    desk.sit_down(first, OFFICER)
    first.open("/desk/urgent/", "calls")
    first.fill({"number": number})
    first.go_on("call, registration")
    assert mobile not in first.page.content()
    first.page.locator("main input[name=person]").first.check()
    first.page.locator("main input[name=cut_off]").first.check()
    first.fill({"block": address})
    first.go_on("call, code")
    call = first.page.url
    # The holder reads it out.
    first.fill({"code": code_sent(stack, mobile)})
    first.go_on("call, heard")
    assert first.page.locator("form[action$='/second/']").count() == 0 and not at_the_operator(stack, address)

    desk.sit_down(second, SECOND)
    second.open("/desk/urgent/", "calls, one waits")
    second.follow(second.page.locator("table.queue tbody th a", has_text=number), "call, to agree to")
    second.follow("form[action$='/second/'] button", "call, agreed to")
    wait_for("the address at the operator", lambda: at_the_operator(stack, address) or None)
    first.open(call, "call, listed")
    first.sees("The holder must prove control of it in an application to change the addresses.")
