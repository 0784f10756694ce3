"""A company whose number is on no list: an officer asks, the company answers, the officer grants."""

from collections.abc import Callable

import pytest

from . import desk
from .companies import ORCHARD, letter_of, send_as
from .desk import OFFICER
from .edge import Edge
from .people import Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

QUESTION = "Which page of the letter shows the number of the company?"
ANSWER = "The second page, at the top. It was registered in October."


class TestCompany:
    def test_is_asked_answers_and_is_registered(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person]
    ) -> None:
        person, officer = a_person("company"), a_person("officer")
        base = send_as(ORCHARD, person)
        reference = base.rstrip("/").rpartition("/")[2]
        person.waits_for(f"{base}status/", "An officer is looking at your application")
        person.read("with an officer")
        assert "Company number" in person.text(), "the applicant sees which check did not pass"

        # The officer finds it in the queue, sees what was found, takes it and asks.
        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference)
        officer.sees("Nobody has this case")
        failed = desk.check_titled(officer, "Company number")
        assert "Failed" in failed.inner_text() and failed.locator("code.codebox").inner_text()
        assert "127.0." in desk.check_titled(officer, "Control of the address").inner_text()
        assert ORCHARD.email not in officer.page.content() and "1234568" not in officer.page.content()
        desk.take(officer)
        desk.decide(officer, "ask", code="Q2", text=QUESTION)
        officer.open(f"/desk/cases/{reference}/", "case, waiting for the applicant")
        officer.sees("Waiting for the applicant")

        # The letter is in the inbox and in the mail; the answer is given on the page.
        wait_for("the letter with the question", lambda: QUESTION in body_of(stack.mails_to(ORCHARD.email)[-1]))
        letter_of(person, base, reference)
        person.open("/my/", "home, waiting for an answer")
        person.follow("main li.task a >> nth=0", "question or status")
        person.open(f"{base}question/", "question")
        assert QUESTION in person.text()
        person.go_on("question, not answered")
        assert person.page.locator("main .errors").is_visible()
        person.fill({"answer": ANSWER})
        person.go_on("answered")
        person.sees("An officer is looking at your application")

        # The officer reads it, records by hand what the letter shows, and grants.
        desk.open_from_the_queue(officer, reference, "case, answered")
        assert ANSWER in officer.text()
        failed = desk.check_titled(officer, "Company number")
        failed.locator("input[value=passed]").check()
        failed.locator("input[name=how]").fill("Letter of incorporation, second page, seen today.")
        officer.follow(failed.locator("button"), "case, check recorded")
        assert "Passed" in desk.check_titled(officer, "Company number").inner_text()
        failed = desk.check_titled(officer, "That you may apply for the company")
        failed.locator("input[value=passed]").check()
        failed.locator("input[name=how]").fill("The letter names the manager, seen today.")
        officer.follow(failed.locator("button"), "case, second check recorded")
        desk.decide(officer, "grant")
        person.waits_for(f"{base}status/", "Your registration is in force")
        person.read("in force")
        person.unfold()
        person.sees("By an officer.")
        for port in (1194, *ORCHARD.many):
            assert {"concat": [person.home.address, 17, port]} in edge.held("host_ports4")

        # Nobody is told a company's name; whoever types it hears whether it fits. Its history tells who looked.
        person.follow("main .actions a.btn", "registration")
        number = person.page.locator(".cert-no").first.inner_text()
        stranger = a_person("stranger")
        stranger.open(f"/check/?number={number}", "checked")
        assert ORCHARD.name not in stranger.page.content()
        stranger.page.locator("main input[name=name]").fill(ORCHARD.name.lower())
        stranger.follow("main form button", "compared")
        stranger.sees("The name matches")
        assert person.page.locator("#looked ~ .cq tbody tr").count() >= 1
