"""A registration for anybody: an address, its proof and an email address, from the start page to an operator's
firewall; and a refusal with its appeal, when two prove the same address. In a demonstration under that policy."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.needs import needs_chromium, needs_namespaces, needs_program

from . import desk
from . import edge as edges
from .beginning import declare_and_send
from .desk import OFFICER, SECOND
from .edge import Edge
from .people import Person, body_of, plain
from .stack import Stack, running, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

MAIL = {"en": "holder-91@sample.example", "ur": "holder-92@sample.example"}
RIVAL = "holder-93@sample.example"
ASKED = "The address is registered. Since when do you have it?"
BECAUSE = "The holder proved the address again today."
# Words of what does not exist here. No page of the way says any of them.
FOREIGN = re.compile(
    r"\b(card|CNIC|company|freelancer|association|licensed provider|document|evidence of|employer)\b"
    # The privacy page says to whom an address is like a name.
    r"|(?<!like )your name",
    re.IGNORECASE,
)
FOREIGN_UR = re.compile("شناختی کارڈ|کمپنی|فری لانسر|ایسوسی ایشن|دستاویز|آپ کا نام|ملازمت")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    needs_chromium()
    with running(tmp_path_factory.mktemp("declaration") / "data", "--policy", "declaration") as stack:
        yield stack


@pytest.fixture(scope="module")
def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    needs_namespaces()
    nft = needs_program("nft", "apt-get install nftables")
    ip = needs_program("ip", "apt-get install iproute2")
    with edges.at_work(stack, tmp_path_factory.mktemp("edge-of-declarations") / "operator", ip=ip, nft=nft) as edge:
        yield edge


def says_nothing_foreign(person: Person) -> None:
    """Also what is folded: the page speaks of nothing that is not asked here."""
    found = (FOREIGN_UR if person.language == "ur" else FOREIGN).search(plain(person.main.text_content() or ""))
    assert found is None, f"{found[0]!r} on {person.page.url}"


def begin(person: Person, email: str) -> str:
    """One question, then the email address. Gives the application's path."""
    person.page.goto(person.stack.url)
    person.speak()
    person.read("declaration start")
    says_nothing_foreign(person)
    person.follow("main a.btn.start, main a.btn.go", "declaration which")
    says_nothing_foreign(person)
    assert person.page.locator("main button.choice").count() == 2, "a line or a server"
    person.answer("server", "declaration ready")
    says_nothing_foreign(person)
    person.type_the_mailed_code(email)
    found = re.search(r"/my/applications/[^/]+/", person.page.url)
    assert found is not None, person.page.url
    return found[0]


def add_and_prove(person: Person, base: str) -> None:
    """The address is what comes first, and its proof is one press."""
    assert person.page.url.endswith("/addresses/add/"), person.page.url
    person.read("declaration address")
    says_nothing_foreign(person)
    if person.page.locator("main [name=block]").input_value() != person.home.address:
        person.follow("main button[name=take]", "declaration address, taken over")
    person.choose("wireguard")
    person.go_on("declaration address, added")
    person.sees("You are on that network now")
    says_nothing_foreign(person)
    person.open(f"{base}prove/", "declaration prove")
    says_nothing_foreign(person)
    person.go_on("declaration proved")
    person.open(f"{base}tasks/", "declaration tasks")
    says_nothing_foreign(person)
    assert person.page.locator("main li.task").count() == 3, "the address, its proof, and to send it"


def send(person: Person, base: str) -> None:
    person.open(f"{base}send/", "declaration check answers")
    says_nothing_foreign(person)
    declare_and_send(person, base)


@pytest.mark.parametrize("language", ["en", "ur"])
class TestAnybody:
    def test_goes_from_a_phone_to_a_set_in_an_operators_firewall(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person], language: str
    ) -> None:
        person, stranger = a_person("anybody", language=language), a_person("stranger", language=language)
        stranger.page.goto(stack.url)
        stranger.speak()
        base = begin(person, MAIL[language])
        add_and_prove(person, base)
        send(person, base)
        person.waits_for(f"{base}status/", "Your registration is in force")
        person.read("declaration in force")
        person.unfold()
        person.sees("By rule: %(count)s of %(total)s checks passed.", count=2, total=2)
        says_nothing_foreign(person)
        assert {"concat": [person.home.address, 17, 51820]} in edge.held("host_ports4")

        person.follow("main .actions a.btn", "declaration registration")
        says_nothing_foreign(person)
        number = person.page.locator(".cert-no").first.inner_text()
        path = person.page.url.removeprefix(stack.url)
        person.follow("main .actions a.btn[href*=certificate]", "declaration certificate")
        assert "Holder" not in person.text() and "Category" not in person.text()
        stranger.open(f"/check/?number={number}", "declaration checked")
        stranger.sees("Valid", context="registration")
        says_nothing_foreign(stranger)
        for page in ("/privacy/", "/help/", "/terms/", "/check/", "/apply/ready/"):
            stranger.open(page, f"declaration {page.strip('/')}")
            says_nothing_foreign(stranger)
        person.open("/account/", "declaration account")
        assert person.page.locator("main [name=name]").count() == 0
        letters = wait_for("two letters", lambda: stack.mails_to(MAIL[language])[2:] or None)
        assert number in body_of(letters[-1])

        # Left, and taken back: the same number, and no new proof.
        person.open(f"{path}end/", "declaration end")
        person.fill({"number": number})
        person.follow("main button.danger", "declaration ended")
        wait_for("the address to leave the set", lambda: person.home.address not in str(edge.held("host_ports4")))
        person.open(path, "declaration ended, registration")
        person.follow("main form[action*=go-on] button, main form[action*=go_on] button", "declaration taken back")
        wait_for("the address to come back", lambda: person.home.address in str(edge.held("host_ports4")))


class TestTwoAtOneAddress:
    def test_the_second_is_heard_refused_by_two_and_told_of_the_appeal(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person]
    ) -> None:
        first = a_person("first at the address")
        first.hurried = True
        base = begin(first, "holder-94@sample.example")
        add_and_prove(first, base)
        send(first, base)
        first.waits_for(f"{base}status/", "Your registration is in force")
        rival = a_person("second at the address", home=first.home)
        rival.hurried = True
        base = begin(rival, RIVAL)
        add_and_prove(rival, base)
        send(rival, base)
        rival.hurried = False
        reference = base.rstrip("/").rpartition("/")[2]
        rival.waits_for(f"{base}status/", "An officer is looking at your application")
        says_nothing_foreign(rival)
        told = wait_for("the word to the holder", lambda: stack.mails_to("holder-94@sample.example")[3:] or None)
        assert "Somebody else showed control of your address" in body_of(told[-1])
        assert RIVAL not in "".join(told), "the holder does not learn who"

        officer, second = a_person("officer of declarations"), a_person("second officer of declarations")
        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference, "declaration case")
        assert officer.page.locator("h1").first.inner_text().strip() == reference, "there is no name to call it by"
        assert RIVAL not in officer.page.content(), "the officer does not see the contact"
        desk.take(officer)
        desk.decide(officer, "refuse", codes=("R2",), text=ASKED)
        wait_for("the notice", lambda: ASKED in body_of(stack.mails_to(RIVAL)[-1]))
        rival.open(f"{base}status/", "declaration noticed")
        rival.follow("main .actions a.btn", "declaration notice")
        rival.fill({"answer": "Since Monday. My operator gave it to me."})
        rival.go_on("declaration notice, answered")

        desk.sit_down(second, SECOND)
        second.open("/desk/approvals/", "declaration approvals")
        second.follow(second.page.locator("main tbody th a", has_text=reference), "declaration case, to second")
        panel = second.page.locator("section.panel")
        panel.locator("input[name=decision][value=refuse]").check()
        panel.locator("textarea[name=because]").fill(BECAUSE)
        second.follow(panel.locator("button.btn.danger"), "declaration approvals, seconded")

        rival.waits_for(f"{base}status/", "We could not register this")
        rival.follow("main .actions a.btn", "declaration refusal")
        assert "R2" in rival.text() and "Rules of the register" in rival.text()
        assert "You may appeal until" in rival.text() and "Nobody from the first decision takes part." in rival.text()
        assert first.home.address in str(edge.held("host_ports4")), "the first one keeps it"
