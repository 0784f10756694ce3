"""A refusal: proposed with its reason, answered, seconded by another officer, and told with what to do next."""

import gzip
from collections.abc import Callable

import pytest

from . import desk
from .companies import NEVER, letter_of, send_as
from .desk import OFFICER, SECOND, SUPERVISOR
from .edge import Edge
from .people import DESK, Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

WORDS = "The list of companies has no company under this number."
ANSWER = "The company is new. The list may not have it yet."
APPEAL = "کمپنی نئی ہے، اور تازہ فہرست نہیں دیکھی گئی۔"
BECAUSE = "The list was asked again today, and there is no such company."


class TestRefusal:
    def test_is_noticed_answered_seconded_and_told(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person]
    ) -> None:
        person, officer, second = a_person("refused"), a_person("officer-proposing"), a_person("second-officer")
        # The company of the other journey has read the pages up to here.
        person.hurried = True
        base = send_as(NEVER, person)
        person.hurried = False
        reference = base.rstrip("/").rpartition("/")[2]
        person.waits_for(f"{base}status/", "An officer is looking at your application")

        desk.sit_down(officer, OFFICER)
        desk.open_from_the_queue(officer, reference)
        desk.take(officer)
        # Without a reason there is no refusal.
        panel = officer.page.locator("section.panel")
        panel.locator("input[name=decision][value=refuse]").check()
        officer.follow(panel.locator("button.btn:not(.second)"), "case, refused without a reason")
        assert officer.page.locator("main .errors").first.is_visible()
        desk.decide(officer, "refuse", codes=("R2",), text=WORDS)

        # The applicant is told first, and answers.
        wait_for("the notice", lambda: WORDS in body_of(stack.mails_to(NEVER.email)[-1]))
        letter_of(person, base, reference)
        person.open(f"{base}status/", "noticed")
        person.follow("main .actions a.btn", "notice")
        assert WORDS in person.text()
        person.sees("An officer thinks that this cannot be registered as it is. Nothing is decided yet.")
        person.fill({"answer": ANSWER})
        person.go_on("notice, answered")
        person.sees("A second officer is looking at your application")

        # Whoever proposed it finds no second button; there is one to take it back.
        officer.open(f"/desk/cases/{reference}/", "case, proposed")
        officer.sees("You proposed a refusal")
        assert ANSWER in officer.text()
        assert officer.page.locator("form[action$='/second/']").count() == 0
        assert officer.page.locator("form[action$='/drop/']").count() == 1
        officer.open("/desk/approvals/", "approvals of the proposer")
        mine = officer.page.locator("main tbody tr", has_text=reference)
        assert "You may decide" not in mine.inner_text() and "You" in mine.inner_text()

        desk.sit_down(second, SECOND)
        second.open("/desk/approvals/", "approvals")
        second.follow(second.page.locator("main tbody th a", has_text=reference), "case, to second")
        panel = second.page.locator("section.panel")
        assert ANSWER in panel.inner_text()
        panel.locator("input[name=decision][value=refuse]").check()
        panel.locator("textarea[name=because]").fill(BECAUSE)
        second.page.set_viewport_size(DESK)
        second.follow(panel.locator("button.btn.danger"), "approvals, seconded")

        # What the applicant reads: reason, provision, what to do next, until when an appeal is possible.
        person.waits_for(f"{base}status/", "We could not register this")
        person.read("refused, status")
        person.follow("main .actions a.btn", "refusal")
        for words in ("R2", "This organisation was not found in the company or tax register.", BECAUSE):
            assert words in person.text(), words
        assert "Telecom Act 1996" in person.text() and "General Clauses Act 1897" in person.text()
        person.sees("What to do next")
        assert person.page.locator("main ol.steps li").count() >= 3
        assert "You may appeal until" in person.text() and "Nobody from the first decision takes part." in person.text()
        letter_of(person, base, reference)
        wait_for("the letter", lambda: any(BECAUSE in body_of(mail) for mail in stack.mails_to(NEVER.email)))

        # An appeal, in the other language, that is sent back: the case is open again.
        person.language = "ur"
        person.speak()
        person.open(f"{base}refusal/", "refusal")
        person.follow("main a[href$='/appeal/']", "appeal")
        person.go_on("appeal, nothing chosen")
        assert person.page.locator("main .errors").is_visible()
        person.choose("heard", "grounds")
        person.fill({"words": APPEAL})
        person.choose("writing", "hearing")
        person.follow("main button[name=send]", "appeal, sent")
        person.sees("Your appeal is being decided")
        supervisor = a_person("supervisor-of-the-refusal")
        desk.sit_down(supervisor, SUPERVISOR)
        supervisor.open("/desk/appeals/", "appeals at the desk")
        supervisor.follow(supervisor.page.locator("main tbody th a", has_text=reference), "appeal at the desk")
        supervisor.follow("main form[action$='/take/'] button", "appeal at the desk, taken")
        supervisor.choose("sent_back", "outcome_heard")
        supervisor.fill({"why_heard": "The newest list was not asked."})
        supervisor.page.set_viewport_size(DESK)
        supervisor.follow("main form[action$='/decide/'] button.danger", "appeal at the desk, decided")
        person.open(f"{base}appeal/", "appeal, sent back")
        person.sees("Your case is decided again")
        person.waits_for(f"{base}status/", "An officer is looking at your application")

        # Nothing of it went out: not in a file of the feed, not in the operator's sets.
        targets = list((stack.data / "feed" / "targets").rglob("*.gz"))
        assert targets
        assert not any(person.home.address in gzip.decompress(path.read_bytes()).decode() for path in targets)
        assert person.home.address not in str(edge.held("host_ports4"))
        assert person.home.address not in (edge.folder / "entries.json").read_text()
