"""A registration is suspended after notice and a hearing, and restored: its holder in Urdu, the office in English."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.conf import settings

from rahdari import policy
from rahdari.people.demonstration import sample_email
from tests.builders.drafts import a_pdf

from . import desk
from .desk import DIRECTOR, OFFICER, SECOND
from .people import DESK, Person, body_of
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

NUMBER = 61
ADDRESSES = ("203.0.113.61", "2001:db8::61")
FOUND = "The provider writes that the line was given to somebody else."
ANSWER = "یہ لائن اب بھی میری ہے۔ بل ساتھ ہے۔"
PLACE = "Room 4, Sample House"
SAID = "The holder showed a bill of last year."
BECAUSE = "The bill is older than the provider's letter."
MENDED = "The provider has corrected its letter."


def at_the_operator(stack: Stack) -> list[bool]:
    """Of each address, whether the file of its operator has it."""
    said = (stack.data / "agents" / "sample-fibre" / "entries.json").read_text()
    return [f'"{address}/' in said or f'"{address}"' in said for address in ADDRESSES]


def in_one_edition(stack: Stack, *, there: bool) -> None:
    """All of them come or go at once: never one before the other."""
    before = [not there] * len(ADDRESSES)
    assert wait_for("another edition", lambda: found if (found := at_the_operator(stack)) != before else None) == [
        there
    ] * len(ADDRESSES)


def hearing_day() -> dt.date:
    """Late enough to be told a week before, and the office is open."""
    calendar = policy.current(settings.POLICY_FILE).calendar
    first = dt.datetime.now(calendar.zone_info) + dt.timedelta(days=10)
    return next(opens.date() for opens, _closes in calendar.spans_between(first, first + dt.timedelta(days=5)))


class TestSuspended:
    def test_after_a_hearing_and_restored_under_its_number(self, stack: Stack, a_person: Callable[..., Person]) -> None:
        [reference] = stack.acts("office.py", "granted", str(NUMBER), "ur")
        holder, officer = a_person("suspended", language="ur"), a_person("officer-suspending")
        second, director = a_person("second-to-suspend"), a_person("director-restoring")
        holder.sign_in(sample_email(NUMBER))
        holder.open("/my/registrations/", "registrations")
        link = holder.page.locator("main a[href*='/my/registrations/RD-']").first
        own = str(link.get_attribute("href"))
        number = own.rstrip("/").rpartition("/")[2]
        wait_for("both addresses at the operator", lambda: all(at_the_operator(stack)) or None)

        # An officer proposes it on the page of the decided case.
        desk.sit_down(officer, OFFICER)
        desk.open_decided(officer, number, "to be suspended")
        officer.follow("section.panel a[href$='/revoke/']", "revoke")
        proposal = officer.page.url
        officer.page.locator("select[name=take_code]").select_option("S4")
        officer.fill({"take_text": FOUND, "take_evidence": "The provider's letter, file 12."})
        officer.page.locator("input[name=take_paper]").set_input_files(
            {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": a_pdf()}
        )
        officer.follow("main form:has([name=take_code]) button.danger", "revoke, proposed")

        # The holder reads letter and notice, answers, and wants to be heard.
        wait_for("the notice by mail", lambda: FOUND in body_of(stack.mails_to(sample_email(NUMBER))[-1]))
        holder.open("/my/letters/", "letters")
        holder.follow(holder.page.locator("main li.task a", has_text=number).first, "letter, of a notice")
        assert FOUND in holder.text() and "S4" in holder.text()
        holder.open(own, "registration, noticed")
        holder.sees("An officer proposes to revoke this registration")
        holder.follow("main .alert a", "notice, of a revocation")
        notice = holder.page.url
        assert FOUND in holder.text()
        holder.follow("main button[name=hear]", "notice, hearing asked for")
        holder.fill({"answer": ANSWER})
        holder.follow("main button[name=send]", "after the answer, hearing asked for")
        holder.open(notice, "notice, answered, hearing asked for")
        holder.sees("You asked for a hearing. A letter tells you day and place; nothing is decided before it.")

        # Tomorrow is too early: the page says from when on it can be.
        officer.open(proposal, "revoke, hearing asked for")
        assert ANSWER in officer.text()
        day = hearing_day()
        given = {"hearing_time": "10:30", "hearing_place": PLACE}
        officer.fill({"hearing_day": str(day - dt.timedelta(days=9)), **given})
        officer.follow("main form:has([name=hearing_day]) button", "revoke, hearing too early")
        assert officer.page.locator("main .errors").is_visible()
        officer.fill({"hearing_day": str(day), **given})
        officer.follow("main form:has([name=hearing_day]) button", "revoke, hearing set")
        wait_for("the day by mail", lambda: PLACE in body_of(stack.mails_to(sample_email(NUMBER))[-1]))
        holder.open(notice, "notice, hearing set")
        assert PLACE in holder.text()

        # Nobody decides before it.
        desk.sit_down(second, SECOND)
        second.open("/desk/approvals/", "approvals, before a hearing")
        waits = second.page.locator("main li", has_text=reference)
        assert "You may decide" not in waits.inner_text()

        stack.acts("office.py", "later", reference, "16")
        officer.open(proposal, "revoke, hearing over")
        officer.choose("attended", "hearing_outcome")
        officer.fill({"hearing_attended": "The holder and the officer", "hearing_minutes": SAID})
        officer.follow("main form:has([name=hearing_minutes]) button", "revoke, heard")
        wait_for("the minutes by mail", lambda: SAID in body_of(stack.mails_to(sample_email(NUMBER))[-1]))
        holder.open(notice, "notice, heard")
        assert SAID in holder.text()

        second.open("/desk/approvals/", "approvals, after a hearing")
        second.follow(second.page.locator("main li", has_text=reference).locator("a"), "why, to second a suspension")
        second.choose("complaint", "why")
        second.go_on("revoke, to second a suspension")
        assert ANSWER in second.text() and SAID in second.text()
        second.choose("take", "decision")
        second.fill({"because": BECAUSE})
        second.page.set_viewport_size(DESK)
        second.follow("main form:has([name=decision]) button.danger", "revoke, suspended")
        in_one_edition(stack, there=False)

        # What the holder, and anybody who checks the number, reads of it.
        holder.open(own, "registration, suspended")
        holder.sees("Your registration is suspended")
        assert BECAUSE in holder.text() and SAID in holder.text() and number in holder.text()
        holder.open(f"{own}certificate/", "certificate, suspended")
        holder.sees("This registration is not in force for now")
        anybody = a_person("anybody")
        anybody.open(f"/check/?number={number}", "checked, suspended")
        anybody.sees("Suspended")

        # Restored by an officer: the same number, and both addresses at once.
        desk.sit_down(director, DIRECTOR)
        desk.open_decided(director, number, "to be restored")
        director.follow("section.panel a[href$='/revoke/']", "restore")
        director.fill({"why": MENDED})
        director.go_on("restored")
        in_one_edition(stack, there=True)
        holder.waits_for(own, "Your registration is valid")
        holder.read("registration, restored")
        assert number in holder.text()
        anybody.open(f"/check/?number={number}", "checked, valid")
        anybody.sees("Valid")
