"""A card number proves nothing and withholds nothing; whose card an officer saw hears that somebody gave it too."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from rahdari import workflow
from rahdari.apply.models import Application
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.complaint import actions as complaints
from rahdari.decide import assignment, ending, granting
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from tests.builders.cases import DAY, HOUR, NOW, an_officer, prove
from tests.builders.drafts import asking

from .test_representing import a_freelancer, letters_to, whose
from .test_representing import rosters as rosters

pytestmark = pytest.mark.django_db


def seen_by_an_officer(application: Application) -> Application:
    given: dict[str, Any] = {"outcome": "passed", "how": "The card was seen.", "actor": f"officer:{an_officer().pk}"}
    checks_checking.record_by_hand(check=whose(application), now=NOW, **given)
    return application


class TestACardNumber:
    @pytest.fixture(autouse=True)
    def asked_of_everybody(self, settings: Any, tmp_path: Path) -> None:
        asking(settings, tmp_path, card_number="required", contact_number="optional")

    def test_that_nobody_else_gave_is_no_obstacle(self) -> None:
        application = a_freelancer("one@mail.example", "203.0.113.80", number="")
        assert (whose(application).finding, application.status) == ("number_used_once", "granted")

    def test_that_another_account_holds_a_registration_with_is_no_obstacle_and_the_holder_hears(self) -> None:
        first = seen_by_an_officer(a_freelancer("one@mail.example", "203.0.113.80", number=""))
        second = a_freelancer("two@mail.example", "203.0.113.81", number="", at=NOW + DAY)
        assert (whose(second).finding, second.status) == ("number_used_elsewhere", "granted")
        assert letters_to(first.applicant).count("own_number_used") == 1
        assert "own_number_used" not in letters_to(second.applicant)

    def test_that_nobody_has_seen_tells_its_holder_nothing_when_the_person_applies(self) -> None:
        first = a_freelancer("one@mail.example", "203.0.113.80", number="", kind="self_declaration")
        before = letters_to(first.applicant)
        second = a_freelancer("two@mail.example", "203.0.113.81", number="", at=NOW + DAY)
        assert (first.status, second.status) == ("granted", "granted")
        assert letters_to(first.applicant) == before

    def test_that_many_gave_is_one_letter_a_day_that_names_nobody(self) -> None:
        first = seen_by_an_officer(a_freelancer("one@mail.example", "203.0.113.80", number=""))
        for each in range(3):
            a_freelancer(f"crook-{each}@mail.example", f"203.0.113.9{each}", number="", at=NOW + DAY)
        [letter] = Letter.objects.filter(template="own_number_used", to=first.applicant)
        assert "crook" not in letter.text and reverse("complaint:correction") in letter.html

    def test_is_compared_when_the_address_is_proved_and_not_before(self) -> None:
        first = seen_by_an_officer(a_freelancer("one@mail.example", "203.0.113.80", number=""))
        second = a_freelancer("two@mail.example", "203.0.113.81", number="", proved=False)
        assert (whose(second).outcome, whose(second).facts["card"]) == ("waiting", True)
        assert "own_number_used" not in letters_to(first.applicant)
        prove(second.endpoints.get(), NOW)
        workflow.advance(now=NOW)
        assert whose(second).finding == "number_used_elsewhere"
        assert letters_to(first.applicant).count("own_number_used") == 1

    def test_that_was_used_for_a_declaration_is_seen_by_officers_when_the_first_is_over(self) -> None:
        first = a_freelancer("one@mail.example", "203.0.113.80", number="", kind="self_declaration")
        decision = decisions.decision_of(decisions.case_of(first))  # type: ignore[arg-type]
        assert decision is not None and decision.registration is not None
        ending.end(registration=decision.registration, actor="person:x", now=NOW + HOUR)
        for at, found in ((DAY, "number_used_elsewhere"), (400 * DAY, "number_used_once")):
            email, block = f"then-{at.days}@mail.example", f"203.0.113.{90 + at.days % 7}"
            later = a_freelancer(email, block, number="", kind="self_declaration", at=NOW + at)
            assert (whose(later).finding, later.status) == (found, "granted")
            decision = decisions.decision_of(decisions.case_of(later))  # type: ignore[arg-type]
            assert decision is not None and decision.registration is not None
            ending.end(registration=decision.registration, actor="person:x", now=NOW + at)

    def test_locks_nobody_out_and_who_is_registered_second_can_say_that_the_first_was_not_them(self) -> None:
        crook = a_freelancer("crook@mail.example", "203.0.113.80", number="")
        # The association is silent about its number, so an officer has it.
        owner = a_freelancer("owner@mail.example", "203.0.113.81", at=NOW + DAY)
        officer, case, now = an_officer(), decisions.case_of(owner), NOW + DAY + HOUR
        assert case is not None
        case = assignment.take_case(case=case, officer=officer, now=now)
        for each in checks.checks_of(owner.subject):
            if each.outcome != "passed" or each == whose(owner):
                given: dict[str, Any] = {"check": each.pk, "outcome": "passed", "how": "The card was seen.", "now": now}
                assignment.record_check(case=case, officer=officer, **given)
        assert "own_number_used" not in letters_to(owner.applicant)
        granting.grant(case=case, officer=officer, now=now)
        workflow.advance(now=now)
        assert letters_to(owner.applicant).count("own_number_used") == 1
        number, email = crook.cnic, owner.applicant.email
        sent_by: dict[str, Any] = {"kind": "correction", "about": "card", "words": "I am the one.", "email": email}
        told = complaints.send(id=uuid.uuid4(), target=number, language="en", now=now, **sent_by)
        complaints.confirm(complaint=told, now=now)
        complaints.look_up(now=now)
        told.refresh_from_db()
        assert told.case == decisions.case_of(crook) and not told.copies.exists()
