"""A freelancer, from the start page to an operator's firewall, in English and in Urdu, on a phone."""

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.apply.sample import a_photo_with_place
from tests.needs import needs_program

from .edge import NAME, NAME_UR, Edge
from .people import DESK, Person, said
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.xdist_group("journeys")]

OPERATORS = {
    "en": ["Example Broadband", "Placeholder Net", "Sample Fibre", NAME],
    "ur": ["Example Broadband", "Placeholder Net", "Sample Fibre", NAME_UR],
}
NAMES = {"en": "Sample Freelancer 71", "ur": "نمونہ فری لانسر 72"}
FRESH_PROOF = "This address is proved"


def answer_three_questions(person: Person) -> None:
    person.open("/", "start")
    person.speak()
    person.read("start")
    person.follow("main a.btn.start, main a.btn.go", "question 1")
    for number, value in enumerate(("freelancer", "clients", "yes"), start=2):
        person.choose(value)
        if number < 4:
            person.go_on(f"question {number}")
        else:
            person.page.locator("main form button.btn").first.click()
            person.page.wait_for_url("**/sign-in/**")


def apply_as_freelancer(person: Person, email: str) -> str:
    """Everything up to the full task list. Gives the application's path."""
    answer_three_questions(person)
    person.sign_in(email)
    person.page.wait_for_url("**/tasks/")
    person.read("tasks, none done")
    base = person.page.url.removeprefix(person.stack.url).removesuffix("tasks/")

    person.follow("a[aria-describedby=s-person]", "person")
    # First a card number that is too short: told in a sentence, and the name is still there.
    person.fill({"name": NAMES[person.language], "cnic": "35202-123456-1"})
    person.go_on("person, card number too short")
    person.sees("A card number has 13 digits. You entered %(count)s.", count=12)
    assert person.page.locator("main [name=name]").input_value() == NAMES[person.language]
    person.fill({"cnic": "35202-1234567-1"})
    person.go_on("tasks, person done")

    person.follow("a[aria-describedby=s-contact]", "contact")
    person.fill({"name": NAMES[person.language], "mobile": "0300 1234567"})
    person.go_on("tasks, contact done")

    person.follow("a[aria-describedby=s-purpose]", "purpose")
    person.choose("clients")
    person.fill({"purpose": "I reach the servers of two clients abroad."})
    person.go_on("tasks, purpose done")

    person.follow("a[aria-describedby=s-evidence]", "evidence")
    person.choose("client_letter")
    person.go_on("upload")
    send_the_letter(person)

    person.follow("a[aria-describedby=s-addresses]", "addresses, none")
    person.follow("main a.btn.small[href*=address]", "address, taken over")
    assert person.page.locator("main [name=block]").input_value() == person.home.address
    person.choose("wireguard")
    person.go_on("addresses")
    assert person.home.address in person.text()
    return base


def send_the_letter(person: Person) -> None:
    """A photo that says where it was taken. A text with the ending of a photo is refused, and says why."""
    chooser = person.page.locator("input[type=file]")
    chooser.set_input_files({"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"These are notes, no picture."})
    person.go_on("upload, refused")
    assert person.page.locator("main .errors").is_visible()
    photo = a_photo_with_place()
    assert b"SampleCamera" in photo
    chooser.set_input_files({"name": "letter.jpg", "mimeType": "image/jpeg", "buffer": photo})
    person.page.locator("main button[name=act][value=send]").click()
    person.page.wait_for_load_state()
    person.read("upload, received")
    with person.page.expect_download() as waiting:
        person.page.locator("main li.file.ok a").first.click()
    kept = Path(waiting.value.path()).read_bytes()
    picture = Image.open(io.BytesIO(kept))
    assert not picture.getexif(), "the kept photo still says where it was taken"
    assert b"SampleCamera" not in kept and b"taken by" not in kept
    assert picture.size == (800, 1000), "the photo was turned upright before the note that says so was dropped"
    person.page.go_back()
    person.follow("main .btn:not(.second):not(.small)", "tasks, letter done")


def prove(person: Person, base: str, someone_else: Person) -> None:
    """By opening the link: from another network it proves nothing, from the person's own one it does."""
    person.open(f"{base}tasks/", "tasks, to prove")
    person.follow("a[aria-describedby=s-proof]", "prove")
    person.sees("You are on that network now")
    link = person.page.locator("main .actions a.btn").first.get_attribute("href")
    assert link is not None
    someone_else.open(link, "link from elsewhere")
    someone_else.sees("The link works, but not from this network")
    assert someone_else.home.address in someone_else.text()
    person.page.reload()
    person.read("prove, after a try from elsewhere")
    person.go_on("link")
    person.sees(FRESH_PROOF)
    person.open(f"{base}prove/", "proved")
    person.sees(FRESH_PROOF)


def send(person: Person, base: str) -> None:
    person.open(f"{base}tasks/", "tasks, all done")
    person.follow("a[aria-describedby=s-send]", "check answers")
    assert "35202" not in person.text(), "the card number is shown whole"
    # Without the declaration it is not sent, and the page says so.
    person.go_on("check answers, not declared")
    assert person.page.locator("main .errors").is_visible()
    person.page.locator("main form input[type=checkbox]").check()
    person.go_on("sent")


def in_force_everywhere(person: Person, base: str) -> None:
    person.waits_for(f"{base}status/", "Your registration is in force")
    person.read("in force")
    total = len(OPERATORS[person.language])
    person.sees("In force at %(count)s of %(total)s operators", count=total, total=total)
    steps = person.page.locator("main .timeline > li")
    assert steps.count() == person.page.locator("main .timeline > li.done").count() >= 5
    named = steps.last.locator("li").all_inner_texts()
    for operator in OPERATORS[person.language]:
        assert any(operator in line and re.search(r"\d\d?:\d\d:\d\d", line) for line in named), (operator, named)


def scanned(picture: bytes) -> str:
    zbarimg = needs_program("zbarimg", "apt-get install zbar-tools")
    read = subprocess.run([zbarimg, "--quiet", "--raw", "-"], input=picture, capture_output=True, check=False)
    assert read.returncode == 0, "no code could be read"
    return read.stdout.decode().strip()


@pytest.mark.parametrize("language", ["en", "ur"])
class TestFreelancer:
    def test_goes_from_a_phone_to_a_set_in_an_operators_firewall(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person], language: str
    ) -> None:
        person = a_person("freelancer", language=language)
        stranger = a_person("stranger", language=language)
        stranger.page.goto(stack.url)
        stranger.speak()
        email = f"freelancer-{language}@sample.example"
        base = apply_as_freelancer(person, email)
        prove(person, base, stranger)
        assert edge.held("host_ports4") == [] or person.home.address not in str(edge.held("host_ports4"))
        send(person, base)
        # Nobody does anything more: the rule grants, the register changes, an edition goes out, four agents apply it.
        in_force_everywhere(person, base)
        person.sees("By rule: %(count)s of %(total)s checks passed.", count=4, total=4)
        # The kernel of the operator's router holds it.
        assert {"concat": [person.home.address, 17, 51820]} in edge.held("host_ports4")

        person.follow("main .actions a.btn", "registration")
        number = person.page.locator(".cert-no").first.inner_text()
        assert re.fullmatch(r"RD-\d[A-Z]\d[A-Z]-\d\d[A-Z]{2}", number)
        assert NAMES[language] in person.text() and person.home.address in person.text()
        self.certificate(person, stranger, number)
        person.open("/my/", "home")
        person.open("/my/letters/", "letters")
        assert person.page.locator("main li.task").count() == 2, "received, and granted"
        person.follow("main li.task a >> nth=0", "letter")
        assert number in person.text()

    def certificate(self, person: Person, stranger: Person, number: str) -> None:
        person.follow("main .actions a.btn[href*=certificate]", "certificate")
        person.page.set_viewport_size(DESK)
        from_page = scanned(person.page.locator("svg.qr").screenshot())
        with person.page.expect_download() as waiting:
            person.page.locator("main a[href$='certificate.pdf']").click()
        sheet = Path(waiting.value.path())
        pdftotext = needs_program("pdftotext", "apt-get install poppler-utils")
        words = subprocess.run([pdftotext, sheet, "-"], capture_output=True, text=True, check=True).stdout
        assert number in words and "Valid until" in words
        assert NAMES["en"] in words or person.language == "ur"
        assert person.home.address not in words, "the certificate shows an address"
        pdftoppm = needs_program("pdftoppm", "apt-get install poppler-utils")
        drawn = subprocess.run([pdftoppm, "-r", "150", "-png", "-singlefile", sheet], capture_output=True, check=True)
        assert scanned(drawn.stdout) == from_page

        # Who scans the code sees the name; who only has the number does not.
        assert from_page.startswith(f"{person.stack.url}/c/{number}/")
        stranger.open(from_page, "scanned")
        stranger.sees("Valid")
        assert NAMES[person.language] in stranger.text() and person.home.address not in stranger.page.content()
        stranger.open(f"{from_page[:-4]}222/", "scanned, forged")
        assert NAMES[person.language] not in stranger.page.content()
        stranger.open("/check/", "check")
        stranger.page.locator("main input[name=number]").fill(number.lower().replace("-", " "))
        stranger.go_on("checked")
        assert number in stranger.text()
        stranger.sees("Valid")
        stranger.sees("A person’s name is shown only to whoever scans the code on the certificate.")
        assert NAMES[person.language] not in stranger.page.content()
        assert person.home.address not in stranger.page.content()


def test_the_operators_own_page_says_that_it_is_in_step(
    stack: Stack, edge: Edge, a_person: Callable[..., Person]
) -> None:
    person = a_person("operator")
    person.sign_in_ready("operator-sample-fibre@demo.rahdari.example")
    person.open("/operator/", "operator")
    wait_for("the agent's receipt", lambda: (person.page.reload(), said("en", "In step") in person.text())[1])
    expect(person.page.locator("html")).to_have_attribute("lang", "en")
