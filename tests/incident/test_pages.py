"""The pages of an incident: of its holder, of its operator and of the desk. What each sees, and what none learns."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.incident import actions, answering, clocks, queries
from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Reason, State
from rahdari.journal.models import JournalEntry
from rahdari.people.models import Role
from rahdari.register.models import Registration
from tests.builders import people
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator, entered
from tests.confirm.test_api import System, problem

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


class Place:
    """A holder with two addresses at an operator, somebody there, and an officer."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.holder = people.a_freelancer(now=self.now - DAY)
        self.registration: Registration = entered(
            "203.0.113.40/32", "203.0.113.41/32", now=self.now - DAY, holder=self.holder.holder_ref
        )
        an_operator()
        there = people.a_person("desk")
        people.with_post(there, Role.OPERATOR, operator="sample-fibre")
        self.at_holder, self.there, self.officer = Client(), Client(), Client()
        self.at_holder.force_login(self.holder)
        self.there.force_login(there)
        self.officer.force_login(people.an_officer("Officer A", now=self.now - DAY))

    def of_holder(self, incident: Incident, act: str = "") -> str:
        given = [self.registration.reference, incident.reference, *([act] if act else [])]
        return reverse("portal:incident_act" if act else "portal:incident", args=given)


@pytest.fixture
def place() -> Place:
    return Place()


class TestReport:
    def test_asks_three_questions_and_takes_all_addresses_at_once(self, place: Place) -> None:
        page = reverse("portal:report_cut", args=[place.registration.reference])
        text = place.at_holder.get(page).content.decode()
        assert "203.0.113.40" in text and "Nothing connects" in text
        assert place.at_holder.post(page, {}).status_code == 422
        answer = place.at_holder.post(page, {"connection": "all", "sees": "nothing", "own_side": "unknown"})
        assert answer.status_code == 302 and Report.objects.count() == 2
        shown = place.at_holder.get(answer["Location"]).content.decode()
        assert "We made no measurement, so we cannot say." in shown and "To be answered in" in shown
        assert "You did not agree that it is measured" in shown
        assert re.search(r'aria-current="step">.{1,200}The answer', shown, re.DOTALL), "what is awaited now"
        other = Client()
        other.force_login(people.a_freelancer(now=place.now))
        assert other.get(page).status_code == 404 and other.get(answer["Location"]).status_code == 404

    def test_says_that_the_operator_was_asked_only_when_it_was(self, place: Place) -> None:
        incident = a_report(place.registration, place.now).incident
        assert "<h1>The operator was asked</h1>" in place.at_holder.get(place.of_holder(incident)).text
        Incident.objects.update(work="PW-1", muted_until=place.now + DAY)
        text = place.at_holder.get(place.of_holder(incident)).text
        assert "<h1>The operator has announced work</h1>" in text and "The operator was asked" not in text


class TestOneIncident:
    def test_goes_between_its_holder_and_the_operator_who_learns_no_name(self, place: Place) -> None:
        incident = a_report(place.registration, place.now).incident
        at = reverse("incident:one_of_operator", args=[incident.reference])
        text = place.there.get(reverse("incident:of_operator")).content.decode()
        assert incident.reference in text
        text = place.there.get(at).content.decode()
        assert "203.0.113.40" in text and "udp 51820" in text
        assert place.holder.name not in text and place.registration.reference not in text

        def act(name: str, **given: str) -> int:
            return place.there.post(
                reverse("incident:act_of_operator", args=[incident.reference, name]), given
            ).status_code

        assert act("acknowledge") == 302
        assert act("answer") == 422
        assert act("answer", reason="filter_too_wide", words="We take it out.") == 302
        shown = place.at_holder.get(place.of_holder(incident)).content.decode()
        assert "A filter is too wide" in shown and "We take it out." in shown
        assert act("mended") == 302
        assert place.at_holder.post(place.of_holder(incident, "dispute"), {"words": ""}).status_code == 422
        assert place.at_holder.post(place.of_holder(incident, "dispute"), {"words": "Still."}).status_code == 302
        assert queries.incidents().get(pk=incident.pk).state == State.WITH_OPERATOR
        assert place.at_holder.post(place.of_holder(incident, "works")).status_code == 302
        assert place.at_holder.get(place.of_holder(incident, "nothing")).status_code == 302

    def test_waits_at_the_holders_home_and_in_the_operators_menu_until_it_is_over_and_told(self, place: Place) -> None:
        home, there = reverse("portal:home"), reverse("incident:of_operator")

        def count() -> int:
            found = queries.waiting_for("sample-fibre", timezone.now()).count()
            assert bool(found) == ("waits for you" in place.there.get(there).content.decode())
            return found

        assert "Nothing waits for you" in place.at_holder.get(home).content.decode() and count() == 0
        incident = a_report(place.registration, place.now).incident
        text = place.at_holder.get(home).content.decode()
        assert "A disruption of yours is open" in text and place.of_holder(incident) in text
        assert count() == 1
        answering.answer(incident=incident, reason=Reason.FAULT, actor="operator:sample-fibre", now=place.now)
        assert count() == 1, "it is to be mended"
        answering.say_mended(incident=incident, actor="operator:sample-fibre", now=place.now)
        assert count() == 0, "that is to be seen"
        actions.say_it_works(report=Report.objects.get(), actor="person:holder", now=place.now)
        clocks.follow(now=place.now)
        assert count() == 1, "what happened is to be told"
        assert "Nothing waits for you" in place.at_holder.get(home).content.decode()
        answering.report(incident=incident, words="A cable.", actor="operator:sample-fibre", now=place.now)
        assert count() == 0

    def test_is_read_by_an_officer_on_record(self, place: Place) -> None:
        incident = a_report(place.registration, place.now).incident
        assert place.officer.get(reverse("incident:incidents")).status_code == 200
        text = place.officer.get(reverse("incident:incident", args=[incident.reference])).content.decode()
        assert "Sample Fibre has to mend it" in text.replace("<bdi>", "").replace("</bdi>", "")
        read = JournalEntry.objects.get(act="incident.read")
        assert read.detail["shown"] == [f"registration:{place.registration.pk}"]
        # What an operator has, the desk does not answer for it.
        at = reverse("incident:act", args=[incident.reference, "acknowledge"])
        assert place.officer.post(at).status_code == 404


class TestTheOperatorsSystem:
    def test_reads_and_answers_what_is_its_own(self, place: Place) -> None:
        incident = a_report(place.registration, place.now).incident
        system, at = System("sample-fibre"), f"/incidents/{incident.reference}"
        (one,) = system.ask("get", "/incidents").said["incidents"]
        assert one == system.ask("get", at).said and one["connections"][0]["address"] == "203.0.113.40"
        assert place.registration.reference not in str(one) and place.holder.name not in str(one)
        assert system.ask("post", f"{at}/acknowledgement").said["state"] == "acknowledged"
        problem(system.ask("post", f"{at}/acknowledgement"), 409, "incident-changed")
        body, key = {"reason": "fault", "words": "One of three."}, {"HTTP_IDEMPOTENCY_KEY": "7"}
        first, again = (system.ask("post", f"{at}/answer", body, **key) for _twice in range(2))
        assert first.said == again.said and again.headers["Idempotent-Replayed"] == "true"
        assert system.ask("post", f"{at}/answer", body).said["happened"] == first.said["happened"]
        problem(system.ask("post", f"{at}/words", {"words": " "}), 422, "invalid-body")
        assert system.ask("post", f"{at}/words", {"words": "We look."}).status_code == 200
        assert system.ask("post", f"{at}/mended").said["state"] == "resolved"

    def test_is_told_that_there_is_none(self, place: Place) -> None:
        an_operator("sample-net", asns=[64501])
        reference = a_report(place.registration, place.now).incident.reference
        for system, number in ((System("sample-fibre"), "D-2222-2222"), (System("sample-net"), reference)):
            for method, act, body in (
                ("get", "", None),
                ("post", "/acknowledgement", None),
                ("post", "/answer", {"reason": "fault"}),
                ("post", "/words", {"words": "We look."}),
                ("post", "/mended", None),
                ("post", "/report", {"words": "A fuse."}),
            ):
                problem(system.ask(method, f"/incidents/{number}{act}", body), 404, "no-such-incident")


class TestTheDesk:
    def test_records_who_calls_and_says_neither_number_nor_address(self, place: Place) -> None:
        page = reverse("incident:report")
        given = {"number": place.registration.reference, "sees": "slow", "own_side": "on"}
        wrong = place.officer.post(page, given | {"address": "198.51.100.1"})
        assert wrong.status_code == 422 and Report.objects.count() == 0
        answer = place.officer.post(page, given | {"address": "203.0.113.41"})
        assert answer.status_code == 302 and Report.objects.get().channel == "desk"

    def test_answers_for_what_no_operator_has_and_finds_whose_it_is(self, place: Place) -> None:
        own = entered("198.51.100.9/32", now=place.now - DAY, holder=place.holder.holder_ref, asn=None)
        incident = a_report(own, place.now).incident

        def act(name: str, **given: str) -> int:
            return place.officer.post(reverse("incident:act", args=[incident.reference, name]), given).status_code

        assert act("answer", reason="fault") == 302
        assert act("assign", operator="nobody") == 422
        assert act("assign", operator="sample-fibre") == 302
        found = queries.incidents().get(pk=incident.pk)
        assert found.operator is not None and found.state == State.OPEN
        other = a_report(place.registration, place.now).incident
        assert act("merge", **{"merge-into": other.reference}) == 302
        assert queries.incidents().get(pk=incident.pk).state == State.MERGED
