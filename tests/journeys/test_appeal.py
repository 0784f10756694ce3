"""A registration is struck out by two officers, its holder appeals, somebody without a part allows it, and it is back
in the feed under its old number. A refusal, too, is appealed against: `test_refusal.py`."""

from collections.abc import Callable

import pytest

from rahdari.people.demonstration import sample_email

from . import desk
from .desk import DIRECTOR, OFFICER, SUPERVISOR
from .edge import Edge
from .people import DESK, Person
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

ANSWER = "یہ دستاویز اصلی ہے۔"
WHY = "دستاویز اصلی ہے، اصل کاپی ساتھ ہے۔"
BECAUSE = "The register of companies has the letter."


def at_an_operator(stack: Stack, address: str) -> bool:
    """Whether an operator's own file has the address."""
    return any(address in path.read_text() for path in (stack.data / "agents").glob("*/entries.json"))


class TestStruckOut:
    def test_is_appealed_against_set_aside_and_back_under_its_number(
        self, stack: Stack, edge: Edge, a_person: Callable[..., Person]
    ) -> None:
        holder, officer = a_person("appellant", language="ur"), a_person("officer-revoking")
        director, supervisor = a_person("director"), a_person("supervisor")
        holder.sign_in_ready(sample_email(33))
        holder.open("/my/registrations/", "registrations")
        registration = holder.page.locator("main a[href*='/my/registrations/RD-']").first
        number = str(registration.get_attribute("href")).rstrip("/").rpartition("/")[2]

        holder.open(f"/my/registrations/{number}/", "registration")
        address = holder.page.locator("#endpoints ~ .cq code").first.inner_text()
        assert at_an_operator(stack, address)

        desk.sit_down(officer, OFFICER)
        desk.open_decided(officer, number, "to be revoked")
        officer.follow("section.panel a[href$='/revoke/']", "revoke")
        officer.page.locator("select[name=take_code]").select_option("X5")
        officer.fill({"take_text": "The letter is not genuine.", "take_evidence": "The letter, page 1."})
        officer.follow("main form:has([name=take_code]) button.danger", "revoke, proposed")

        # The holder is told first, and answers.
        holder.open(f"/my/registrations/{number}/", "registration, noticed")
        holder.follow("main .alert a", "notice, of a revocation")
        reference = holder.page.url.split("/applications/")[1].split("/")[0]
        holder.fill({"answer": ANSWER})
        holder.follow("main button[name=send]", "status, notice answered")

        desk.sit_down(director, DIRECTOR)
        director.open("/desk/approvals/", "approvals, a revocation")
        director.page.locator("main li", has_text=reference).locator("a[href$='/revoke/']").first.click()
        director.page.wait_for_load_state()
        if "/why/" in director.page.url:
            director.choose("complaint", "why")
            director.go_on("revoke, to second")
        assert ANSWER in director.text()
        director.page.locator("input[name=decision][value=take]").check()
        director.fill({"because": "So it is."})
        director.page.set_viewport_size(DESK)
        director.follow("main form:has([name=decision]) button.danger", "revoke, decided")

        wait_for("the address gone", lambda: not at_an_operator(stack, address) or None)

        # From the page of the registration to the appeal.
        holder.open(f"/my/registrations/{number}/", "registration, struck out")
        holder.follow("main a[href$='/appeal/']", "appeal")
        holder.sees("Appeal against the revocation")
        holder.choose("fact", "grounds")
        holder.fill({"words": WHY})
        holder.choose("writing", "hearing")
        holder.follow("main button[name=send]", "appeal, sent")
        holder.sees("Your appeal is being decided")

        # Whoever proposed or seconded finds no way to decide it.
        director.open(f"/desk/appeals/{reference}-P1/", "appeal at the desk, with a part")
        director.sees("You had a part in this case: somebody else decides")
        desk.sit_down(supervisor, SUPERVISOR)
        supervisor.open("/desk/appeals/", "appeals at the desk")
        supervisor.follow(supervisor.page.locator("main tbody th a", has_text=reference), "appeal at the desk")
        assert WHY in supervisor.text() and ANSWER in supervisor.text()
        supervisor.follow("main form[action$='/take/'] button", "appeal at the desk, taken")
        supervisor.choose("allowed", "outcome_fact")
        supervisor.fill({"why_fact": BECAUSE})
        supervisor.page.set_viewport_size(DESK)
        supervisor.follow("main form[action$='/decide/'] button.danger", "appeal at the desk, decided")

        holder.open(f"/my/applications/{reference}/appeal/", "appeal, allowed")
        holder.sees("Your appeal was allowed")
        assert BECAUSE in holder.text()
        holder.waits_for(f"/my/registrations/{number}/", "Your registration is valid")
        assert number in holder.text()
        wait_for("the address at the operator again", lambda: at_an_operator(stack, address) or None)
