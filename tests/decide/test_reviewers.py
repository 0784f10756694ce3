"""An office in which nobody else may decide: it is said, and somebody from outside decides that one file."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date

from rahdari.complaint import actions as complaints
from rahdari.complaint import queries as complaint_queries
from rahdari.decide import assignment, case_clock, queries, refusals, reviewing, revocation, transitions
from rahdari.decide.models import Case, Decision, Revocation
from rahdari.decide.reviewer_models import Reviewer
from rahdari.letters import queries as letters
from rahdari.people.models import Role, User
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, a_case, a_person, an_officer
from tests.complaint.test_complaints import answered as complaint_answered
from tests.complaint.test_complaints import registered, sent

from .test_fair_revocation import acts_of, open_notice, text_of_last_letter
from .test_revocation import LATER, answered, granted, letters_to, proposed

pytestmark = pytest.mark.django_db
SHOWN = "The bill, page 2, names another subscriber."
WHO = "A retired judge."
PAKISTAN = ZoneInfo("Asia/Karachi")


@pytest.fixture
def alone() -> User:
    """The one officer of the office."""
    return an_officer("Supervisor S", role=Role.SUPERVISOR)


def refusal_proposed(officer: User, now: Any = LATER) -> Case:
    case = assignment.take_case(case=a_case(now=now - HOUR), officer=officer, now=now)
    notice = refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text="It is another's.", named=SHOWN, now=now
    )
    actor = f"person:{case.application.applicant_id}"
    refusals.answer_notice(notice=notice, answer="It is mine.", actor=actor, now=now + MINUTE)
    return queries.cases().get(pk=case.pk)


def named(case: Case, supervisor: User, reviewer: User, now: Any = LATER + HOUR) -> Reviewer:
    return reviewing.name_for_proposal(case=case, supervisor=supervisor, reviewer=reviewer, who=WHO, now=now)


class TestARefusal:
    def test_that_nobody_else_may_second_says_so_and_is_decided_by_whoever_is_named(self, alone: User) -> None:
        case = refusal_proposed(alone)
        assert "Nobody else in the office may decide this now" in " ".join(text_of_last_letter(case).split())
        found = reviewing.alone_with(open_notice(case))
        assert found is not None and found.reviewer is None and list(found.supervisors) == [alone]
        assert reviewing.waiting_for_nobody() == 1
        reviewer = a_person()
        with pytest.raises(transitions.NotAnOfficer):
            refusals.second_refusal(case=case, officer=reviewer, because="So it is.", now=LATER + HOUR)
        named(case, alone, reviewer)
        assert reviewing.waiting_for_nobody() == 0
        [asked] = letters.letters_of(reviewer)
        day = date(case_clock.clock_of(case, LATER + HOUR).due_at.astimezone(PAKISTAN), "j F Y")
        assert asked.template == "asked_to_review" and day in asked.text
        assert f"To be decided by: {day}" in " ".join(text_of_last_letter(case).split())
        assert letters_to(case)[-1] == "reviewer_named" and WHO in text_of_last_letter(case)
        decision = refusals.second_refusal(case=case, officer=reviewer, because="So it is.", now=LATER + DAY)
        assert decision.decided_by == f"reviewer:{reviewer.pk}"
        assert "somebody from outside the office agreed" in " ".join(text_of_last_letter(case).split())
        assert Reviewer.objects.get().ended_at == LATER + DAY and not reviewing.is_reviewer(reviewer)
        assert acts_of(case)[0] == "decide.refused" and "decide.named_reviewer" in acts_of(case)

    def test_is_dropped_by_whoever_is_named_who_does_nothing_else_in_the_case(self, alone: User) -> None:
        case, reviewer = refusal_proposed(alone), a_person()
        named(case, alone, reviewer)
        with pytest.raises(transitions.NotAnOfficer):
            assignment.take_case(case=case, officer=reviewer, now=LATER + HOUR)
        refusals.drop_refusal(case=case, officer=reviewer, why="The bill is old.", now=LATER + HOUR)
        assert not reviewing.is_reviewer(reviewer)

    def test_whoever_does_not_decide_gives_way_to_another(self, alone: User) -> None:
        case, first, then = refusal_proposed(alone), a_person(), a_person()
        named(case, alone, first)
        named(case, alone, then, LATER + 2 * HOUR)
        with pytest.raises(transitions.NotAnOfficer):
            refusals.second_refusal(case=case, officer=first, because="So it is.", now=LATER + DAY)
        refusals.second_refusal(case=case, officer=then, because="So it is.", now=LATER + DAY)
        assert reviewing.named_lately(LATER + DAY) == 1

    def test_is_for_nobody_from_outside_where_somebody_could(self, alone: User) -> None:
        case = refusal_proposed(alone)
        with pytest.raises(reviewing.HadPart):
            named(case, alone, case.application.applicant)
        an_officer("Officer B")
        with pytest.raises(reviewing.SomebodyCould):
            named(case, alone, a_person())
        assert reviewing.alone_with(open_notice(case)) is None


class TestARevocation:
    def test_by_a_code_of_director_rank_needs_no_rank_of_whoever_is_named(self, alone: User) -> None:
        case, _found = granted()
        proposed(case, alone)
        an_officer("Officer B")  # without the rank
        answered(case)
        reviewer = a_person()
        named(case, alone, reviewer)
        [asked] = letters.letters_of(reviewer)
        assert date(case_clock.decide_by(open_notice(case)).astimezone(PAKISTAN), "j F Y") in asked.text
        taken = revocation.second_revocation(case=case, officer=reviewer, because="So it is.", now=LATER + DAY)
        assert taken.decided_by == f"reviewer:{reviewer.pk}" and not reviewing.is_reviewer(reviewer)


class TestAComplaint:
    def test_is_decided_by_whoever_is_named(self, alone: User) -> None:
        application, registration = registered()
        case = queries.case_of(application)
        assert case is not None
        revocation.propose_revocation(
            case=case, officer=alone, code="X5", text="Forged.", evidence="The answer.", now=LATER
        )
        complaint = complaint_answered(sent(registration.reference))
        assert not reviewing.somebody_could(complaint_queries.matter_of(complaint))
        reviewer = a_person()
        facts: dict[str, Any] = {"complaint": complaint, "supervisor": alone, "who": WHO, "now": LATER + HOUR}
        complaints.name_reviewer(reviewer=reviewer, **facts)
        # No figure tells whoever sent it that something is registered.
        assert reviewing.named_lately(LATER + DAY) == 0
        complaints.decide(
            complaint=complaint, officer=reviewer, outcome="not_founded", why="It is genuine.", now=LATER + DAY
        )
        complaint.refresh_from_db()
        assert complaint.decided_by == reviewer and not reviewing.is_reviewer(reviewer)
        with pytest.raises(complaints.NotPossibleNow):
            complaints.name_reviewer(reviewer=a_person(), **facts)


class TestTheDatabase:
    def row(self, case: Case, named_by: User, user: User, **other: Any) -> dict[str, Any]:
        facts = {"matter": open_notice(case).subject, "case": case, "needs": "second", "at": LATER + HOUR}
        return facts | {"user": user, "named_by": named_by} | other

    def test_takes_no_reviewer_who_had_a_part_or_is_not_needed_or_named_by_no_supervisor(self, alone: User) -> None:
        case, reviewer = refusal_proposed(alone), a_person()
        for wrong in (
            self.row(case, alone, case.application.applicant),
            self.row(case, alone, alone),
            self.row(case, reviewer, a_person()),
            self.row(case, alone, reviewer, needs="director"),
            self.row(case, alone, reviewer, matter="notice:00000000-0000-0000-0000-000000000000"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                Reviewer.objects.create(**wrong)
        other = an_officer("Officer B")
        with pytest.raises(DatabaseError, match="somebody in the office could"), transaction.atomic():
            Reviewer.objects.create(**self.row(case, alone, reviewer))
        other.posts.update(ended_at=NOW)
        Reviewer.objects.create(**self.row(case, alone, reviewer))
        with pytest.raises(DatabaseError, match="matter_has_one_reviewer"), transaction.atomic():
            Reviewer.objects.create(**self.row(case, alone, a_person()))
        for change in ({"user": alone}, {"needs": "director"}, {"at": NOW}):
            with pytest.raises(DatabaseError, match="named as a reviewer stays"), transaction.atomic():
                Reviewer.objects.update(**change)
        with pytest.raises(DatabaseError, match="named as a reviewer stays"), transaction.atomic():
            Reviewer.objects.all()._raw_delete("default")

    def test_lets_nobody_second_who_holds_no_post_and_was_not_named(self, alone: User) -> None:
        case = refusal_proposed(alone)
        notice = open_notice(case)
        facts = {"case": case, "outcome": "refused", "codes": ["R3"], "notice": notice, "proposed_by": alone}
        facts |= {"rule_version": "1", "at": LATER + DAY, "appeal_until": LATER + 31 * DAY}
        for who in (a_person(), case.application.applicant):
            with pytest.raises(DatabaseError, match=r"holds no post|has a part in it"), transaction.atomic():
                Decision.objects.create(seconded_by=who, decided_by=f"officer:{who.pk}", **facts)
        case, found = granted()
        proposed(case, alone)
        answered(case)
        second = an_officer("Officer B")
        with pytest.raises(DatabaseError, match="holds no post"), transaction.atomic():
            Revocation.objects.create(
                case=case,
                registration=found,
                notice=open_notice(case),
                kind="striking_out",
                codes=["X5"],
                proposed_by=alone,
                seconded_by=second,
                decided_by=f"officer:{second.pk}",
                rule_version="1",
                at=LATER + DAY,
                appeal_until=LATER + 31 * DAY,
            )


class TestPages:
    def test_say_who_can_name_somebody_and_let_whoever_is_named_into_that_one_file(self, alone: User) -> None:
        case, reviewer = refusal_proposed(alone, timezone.now() - HOUR), a_person()
        reference = case.application.reference
        place, name = reverse("decide:case", args=[reference]), reverse("decide:name_reviewer", args=[reference])

        def of(user: User) -> Client:
            client = Client()
            client.force_login(user)
            return client

        desk, holder, outside = of(alone), of(case.application.applicant), of(reviewer)
        shown = desk.get(place).text
        assert "Nobody in the office may decide it" in shown and name in shown and "Supervisor S" in shown
        status = reverse("portal:status", args=[reference])
        assert "Somebody from outside is named first" in holder.get(status).text
        waits = "Waiting now, with nobody who may decide and nobody named</dt><dd>{}</dd>"
        assert waits.format(1) in Client().get(reverse("portal:service_status")).text
        review = reverse("decide:review", args=[reference])
        assert outside.get(review).status_code == 403
        assert desk.post(name, {"email": case.application.applicant.email, "who": WHO}).status_code == 422
        # With this one nobody signs in.
        assert desk.post(name, {"email": "judge@office.localhost", "who": WHO}).status_code == 422
        assert desk.post(name, {"email": reviewer.email, "who": WHO}).status_code == 302
        assert WHO in holder.get(status).text and WHO in desk.get(place).text
        assert waits.format(0) in Client().get(reverse("portal:service_status")).text
        page = outside.get(review)
        assert page.status_code == 200 and SHOWN in page.text and "It is mine." in page.text
        day = date(timezone.localtime(case_clock.clock_of(case, timezone.now()).due_at), "j F Y")
        assert f"To be decided by</dt><dd>{day}" in page.text
        for other in (place, reverse("decide:queue"), reverse("decide:approvals"), reverse("complaint:complaints")):
            assert outside.get(other).status_code == 403
        assert outside.post(review, {"decision": "refuse", "because": ""}).status_code == 422
        assert outside.post(review, {"decision": "refuse", "because": "So it is."}).status_code == 302
        assert outside.get(review).status_code == 403
        assert Decision.objects.get(outcome="refused").seconded_by == reviewer
        assert "The whole file of the application" in holder.get(reverse("portal:status", args=[reference])).text

    def test_of_a_complaint_let_whoever_is_named_in(self, alone: User) -> None:
        application, registration = registered()
        case = queries.case_of(application)
        assert case is not None
        revocation.propose_revocation(
            case=case, officer=alone, code="X5", text="Forged.", evidence="The answer.", now=LATER
        )
        complaint = complaint_answered(sent(registration.reference))
        place = reverse("complaint:complaint", args=[complaint.reference])
        desk, outside = Client(), Client()
        desk.force_login(alone)
        reviewer = a_person()
        outside.force_login(reviewer)
        assert "Nobody in the office may decide it" in desk.get(place).text
        assert outside.get(place).status_code == 403
        given = {"email": reviewer.email, "who": WHO}
        assert desk.post(reverse("complaint:name_reviewer", args=[complaint.reference]), given).status_code == 302
        assert WHO in outside.get(place).text
        decide = reverse("complaint:decide", args=[complaint.reference])
        assert outside.post(decide, {"outcome": "not_founded", "why": "It is genuine."}).status_code == 302
        assert outside.get(place).status_code == 403
