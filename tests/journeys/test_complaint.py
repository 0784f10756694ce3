"""A stranger reports misuse and says that an address is theirs: the holder is asked first, an officer decides, and the
stranger reads the same whether something is registered or not."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload

from rahdari.people.demonstration import sample_email
from rahdari.register import reference as references
from tests.builders.drafts import a_pdf

from . import desk
from .desk import OFFICER
from .people import DESK, Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

SAID = "Access to this connection is sold on a web page, by the month."
ANSWER = "The page is not mine, and names another address."
BECAUSE = "The page names another address."
FILE: FilePayload = {"name": "shop.pdf", "mimeType": "application/pdf", "buffer": a_pdf(1)}


def sent(person: Person, number: str, email: str) -> str:
    """A report about this number, with a file by the link of the letter. Gives what the page of the receipt says, but
    for its own number."""
    person.open("/complaints/misuse/", "misuse")
    person.fill({"number": number, "words": SAID, "email": email})
    person.choose("sold_on", "about")
    person.page.locator("main [name=with_files]").check()
    person.go_on("receipt, files to come")
    person.sees("Keep the address of this page: only with it can you see your complaint.")

    def link() -> str | None:
        found = [re.search(r"/complaints/\S+/files/\w+/", body_of(mail)) for mail in person.stack.mails_to(email)]
        return next((each[0] for each in found if each is not None), None)

    person.open(wait_for("the letter with the link", link), "files of a complaint")
    person.go_on("files of a complaint, nothing chosen")
    person.page.locator("input[type=file]").set_input_files(FILE)
    person.go_on("files of a complaint, one kept")
    person.sees("Received, readable")
    person.follow("main button[name=end]", "receipt")
    own = person.page.url.split("/complaints/")[1].split("/")[0]
    return person.text().replace(own, "")


class TestMisuse:
    def test_is_answered_by_the_holder_and_closed_and_tells_nobody_who_is_registered(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        stranger, officer = a_person("reporter"), a_person("officer-of-complaints")
        holder = a_person("holder-complained-of", language="ur")
        # Another than the holder whose registration is revoked in test_appeal: of that case the officer had a part.
        holder.sign_in_ready(sample_email(32))
        # The account reads English; this browser goes on in Urdu.
        holder.speak()
        holder.open("/my/registrations/", "registrations")
        link = holder.page.locator("main a[href*='/my/registrations/RD-']").first
        number = str(link.get_attribute("href")).rstrip("/").rpartition("/")[2]

        # Without an act there is no report.
        stranger.open("/complaints/misuse/", "misuse")
        stranger.go_on("misuse, nothing chosen")
        stranger.sees("Choose what happened. We can only take reports about these.")
        about_one = sent(stranger, number, "first@sender.example")
        receipt = stranger.page.url
        assert sent(stranger, references.make(), "second@sender.example") == about_one

        # The holder is asked before anybody decides.
        def asked() -> bool | None:
            holder.page.goto(f"{stack.url}/my/registrations/{number}/")
            return holder.page.locator("main .alert a[href*='/complaints/']").count() > 0 or None

        wait_for("the complaint at the holder", asked)
        holder.read("registration, complained of")
        holder.follow("main .alert a[href*='/complaints/']", "complaint")
        assert SAID in holder.text()
        file = holder.page.locator("main a[href*='/files/']")
        shown = holder.page.request.get(stack.url + str(file.get_attribute("href")))
        assert shown.status == 200 and shown.headers["content-type"] == "application/pdf"
        reference = holder.page.url.rstrip("/").rpartition("/")[2]
        holder.fill({"answer": ANSWER})
        holder.go_on("complaint, answered")

        desk.sit_down(officer, OFFICER)
        officer.open("/desk/complaints/", "complaints at the desk")
        officer.follow(officer.page.locator("main tbody th a", has_text=reference), "complaint at the desk")
        assert SAID in officer.text() and ANSWER in officer.text()
        officer.follow("main a[href*='paper=']", "complaint at the desk, with a file")
        assert officer.page.locator("main iframe.paper").is_visible()
        officer.choose("not_founded", "outcome")
        officer.fill({"why": BECAUSE})
        officer.page.set_viewport_size(DESK)
        officer.follow("main form[action$='/decide/'] button.danger", "complaint at the desk, decided")

        holder.page.reload()
        holder.read("complaint, decided")
        assert BECAUSE in holder.text()
        holder.open(f"/my/registrations/{number}/", "registration")
        holder.sees("Your registration is valid")
        # The reporter reads what they read before: not what was found, nor that it is decided.
        stranger.page.goto(receipt)
        assert stranger.text().replace(receipt.split("/complaints/")[1].split("/")[0], "") == about_one


class TestMyAddress:
    def test_is_said_from_that_address_and_the_receipt_tells_nothing(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        stranger = a_person("of-the-address", language="ur")
        stranger.page.goto(stack.url)
        stranger.speak()
        stranger.open("/complaints/address/", "correction")
        assert stranger.home.address in stranger.text()
        stranger.go_on("correction, nothing chosen")
        assert stranger.page.locator("main .errors").is_visible()
        stranger.choose("address", "about")
        stranger.fill({"words": "یہ ایڈریس میرے کنکشن کا ہے۔"})
        stranger.go_on("receipt")
        stranger.sees("We have your complaint")
