"""The pages of second looks, through the test client, in both languages."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import policy
from rahdari.checks.models import Check
from rahdari.figures import actions as figures
from rahdari.journal import queries as journal
from rahdari.people.models import User
from rahdari.sampling.models import SecondLook
from tests import urdu
from tests.builders.cases import HOUR, a_person
from tests.decide.test_views import signed_in

from .looks import DRAWN, WHY, by_officer, by_rule, drawn, looked, refused, taken

pytestmark = pytest.mark.django_db
LIST = "/desk/second-looks/"


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(DRAWN, tick=False)  # type: ignore[attr-defined]


def page_of(look: SecondLook, name: str = "look") -> str:
    return reverse(f"sampling:{name}", kwargs={"id": look.pk})


def text_of(answer: object) -> str:
    shown = re.sub(r"<(script|style|nav|header|footer)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)  # type: ignore[attr-defined]
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


class TestTheList:
    def test_offers_the_next_one(self, officer: User) -> None:
        look = drawn(by_rule())
        browser = signed_in(officer)
        assert "1 decision waits to be looked at again." in text_of(browser.get(LIST))
        answer = browser.post(reverse("sampling:take"))
        assert answer.headers["Location"] == page_of(look)
        assert "Continue with the one that you began" in text_of(browser.get(LIST))

    def test_says_that_none_is_for_whoever_had_a_part(self, officer: User) -> None:
        drawn(by_officer(officer))
        browser = signed_in(officer)
        assert "None of them is for you" in text_of(browser.get(LIST))
        answer = browser.post(reverse("sampling:take"), follow=True)
        assert "No decision waits for you to look at it again." in text_of(answer)

    def test_shows_figures_by_officer_to_supervisors_alone(self, officer: User, second: User, supervisor: User) -> None:
        drawn(by_officer(officer))
        looked(second, "ask", "Q4")
        assert "Officer A" not in text_of(signed_in(second).get(LIST))
        shown = text_of(signed_in(supervisor).get(LIST))
        assert "Officer A" in shown and "100.0 percent, between 20.7 and 100.0" in shown

    def test_records_whose_decisions_it_lists(self, officer: User, second: User, supervisor: User) -> None:
        decision = by_officer(officer)
        drawn(decision)
        looked(second, "ask", "Q4")
        signed_in(supervisor).get(LIST)
        assert journal.reads_of([decision.case.application.subject])[0].act == "sampling.read_list"

    def test_asks_no_more_for_more(self, officer: User, django_assert_max_num_queries: object) -> None:
        for _ in range(6):
            drawn(by_rule())
        browser = signed_in(officer)
        browser.get(LIST)
        with django_assert_max_num_queries(13):  # type: ignore[operator]
            browser.get(LIST)

    def test_is_offered_while_the_queue_is_empty(self, officer: User) -> None:
        assert "If you have time" not in text_of(signed_in(officer).get("/desk/"))
        drawn(by_rule())
        shown = text_of(signed_in(officer).get("/desk/"))
        assert "If you have time Look again at decisions 1 waits" in shown


class TestTheFile:
    def test_tells_neither_the_outcome_nor_who_decided(self, officer: User, second: User, third: User) -> None:
        shown = []
        for decision in (by_rule(), by_officer(officer), refused(officer, second)):
            drawn(decision)
            look = taken(third)
            answer = signed_in(third).get(page_of(look))
            assert answer.status_code == 200
            shown.append(text_of(answer))
            looked(third, "grant")
        for text in shown:
            assert "Officer A" not in text and "Officer B" not in text
            for word in (WHY, "By rule", "Automatic", "Full review", "Revoke", "Decided ", "R-26"):
                assert word not in text, word
            assert "What would you have done?" in text

    def test_shows_the_checks_as_they_were(self, officer: User, second: User) -> None:
        decision = by_officer(officer)
        drawn(decision)
        look = taken(second)
        shown = text_of(signed_in(second).get(page_of(look)))
        assert "Also in the file: Bill seen" in shown
        # What the officer concluded from it, and that it was an officer, is not there.
        assert "An officer checked this" not in shown
        by_hand = Check.objects.get(subject=decision.case.application.subject, finding="by_hand")
        Check.objects.filter(pk=by_hand.pk).update(answered_at=decision.at + HOUR)
        shown = text_of(signed_in(second).get(page_of(look)))
        assert "Bill seen" not in shown and "Also in the file" not in shown

    def test_is_read_on_record_and_the_holder_sees_it(self, officer: User) -> None:
        decision = by_rule()
        drawn(decision)
        application = decision.case.application
        holder = signed_in(application.applicant)
        status = reverse("portal:status", args=[application.reference])
        before = text_of(holder.get(status))
        assert "Automatic Every check passed" in before and "Has an officer opened" not in before
        version = policy.load(policy.BUNDLED).version
        assert f"Rules, in the version {version} What the rule looked at Control of the address: passed" in before
        assert "Officers look again at one of 50 such grants, chosen by chance" in before
        signed_in(officer).get(page_of(taken(officer)))
        after = text_of(holder.get(status))
        assert "Has an officer opened the file? Yes" in after
        assert "To look again at a decision chosen by chance" in after

    def test_is_closed_to_others(self, officer: User, second: User) -> None:
        drawn(by_rule())
        address = page_of(taken(officer))
        assert signed_in(second).get(address).status_code == 404
        assert signed_in(a_person()).get(address).status_code == 403
        assert Client().get(address).status_code == 302


class TestTheVerdict:
    def test_is_recorded_and_then_the_decision_is_shown(self, officer: User) -> None:
        drawn(by_rule())
        look, browser = taken(officer), signed_in(officer)
        answer = browser.post(page_of(look), {"verdict": "ask", "code": "Q4", "because": WHY}, follow=True)
        shown = text_of(answer)
        assert "Another outcome You would have decided otherwise." in shown and "A rule" in shown
        look.refresh_from_db()
        assert (look.verdict, look.codes, look.text, look.agrees) == ("ask", ["Q4"], WHY, False)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "Choose one of the three."),
            ({"verdict": "ask", "because": WHY}, "Choose what you would have asked for."),
            ({"verdict": "refuse", "because": WHY}, "Choose at least one reason."),
            ({"verdict": "refuse", "codes": ["Z9"], "because": WHY}, "Choose from the list."),
            ({"verdict": "grant"}, "Enter why, in one sentence."),
        ],
    )
    def test_says_what_is_missing(self, officer: User, given: dict[str, object], said: str) -> None:
        drawn(by_rule())
        look = taken(officer)
        answer = signed_in(officer).post(page_of(look), given)
        assert answer.status_code == 422 and said in text_of(answer)
        look.refresh_from_db()
        assert look.looked_at is None


class TestAConflictOfInterest:
    def test_leaves_the_file_to_somebody_else(self, officer: User, second: User) -> None:
        drawn(by_rule())
        look, browser = taken(officer), signed_in(officer)
        address = page_of(look, "leave")
        assert browser.get(address).headers["Location"] == page_of(look)
        answer = browser.post(address, {"conflict": ""})
        assert answer.status_code == 422 and "Enter why, in one sentence." in text_of(answer)
        assert signed_in(second).post(address, {"conflict": "My cousin."}).status_code == 404
        answer = browser.post(address, {"conflict": "My cousin."}, follow=True)
        assert "It is on record that you do not decide" in text_of(answer)
        assert browser.get(page_of(look)).status_code == 404
        assert taken(second) == look

    def test_is_none_after_the_outcome(self, officer: User) -> None:
        drawn(by_rule())
        look = looked(officer)
        for said in ("My cousin.", ""):
            assert signed_in(officer).post(page_of(look, "leave"), {"conflict": said}).status_code == 404


class TestADisagreement:
    def test_is_followed_up_by_a_supervisor(self, officer: User, second: User, supervisor: User) -> None:
        drawn(by_officer(officer))
        look = looked(second, "refuse", "R3")
        browser = signed_in(supervisor)
        shown = text_of(browser.get(page_of(look, "disagreement")))
        assert "Look whether the registration should be revoked." in shown and WHY in shown
        assert browser.post(page_of(look, "disagreement"), {}).status_code == 422
        answer = browser.post(
            page_of(look, "disagreement"), {"done": "stays", "because": "The bill is newer."}, follow=True
        )
        assert "It is on record what was done." in text_of(answer)
        assert browser.get(page_of(look, "disagreement")).status_code == 404

    def test_is_closed_to_officers(self, officer: User, second: User) -> None:
        drawn(by_officer(officer))
        look = looked(second, "refuse", "R3")
        for person in (officer, second):
            assert signed_in(person).get(page_of(look, "disagreement")).status_code == 404


class TestTheFigures:
    def test_are_published_by_month_and_a_few_that_differed_are_not_told(self, officer: User) -> None:
        drawn(by_rule())
        looked(officer, "ask", "Q4")
        for _ in range(19):
            drawn(by_rule())
            looked(officer)
        figures.publish(month=DRAWN.date().replace(day=1), now=DRAWN + dt.timedelta(days=40))
        assert "/figures/#second_looks_at_rules" in Client().get("/status/").text
        shown = text_of(Client().get("/figures/"))
        assert "Came to the same 20 Came to something else Fewer than 8 All Not shown" in shown
        assert "Officer A" not in shown


class TestInUrdu:
    def test_every_page_keeps_the_rules(self, officer: User, second: User, supervisor: User) -> None:
        drawn(by_officer(officer))
        browser = signed_in(second, "ur")
        look = taken(second)
        pages = [browser.get(LIST), browser.get(page_of(look)), browser.post(page_of(look), {})]
        looked(second, "refuse", "R3", now=DRAWN)
        pages += [browser.get(page_of(look)), signed_in(supervisor, "ur").get(LIST)]
        pages += [signed_in(supervisor, "ur").get(page_of(look, "disagreement"))]
        for answer in pages:
            problems = urdu.page_problems(answer.content.decode())
            assert problems == [], "\n".join(f"{one.rule}: {one.words} ({one.where})" for one in problems)
