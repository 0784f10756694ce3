"""An appeal is sent, decided point by point by somebody without a part in the case, and carried out."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from rahdari.appeal import actions, queries
from rahdari.appeal.models import Appeal, Point
from rahdari.appeal.rules import Against, CannotDecide, Outcome, State
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.decide import assignment, deadlines, granting, hearings, refusals, reviewing, revocation, transitions
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Decision, Hearing, Revocation
from rahdari.decide.rules import Status
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.register import queries as entries
from rahdari.register.rules import Standing
from rahdari.workflow import entering
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_decided_application, a_gateway, a_person, an_officer

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR
SHOWN = "The bill, page 2, names another subscriber."


def refused(officer: User, second: User) -> Case:
    """By R3, after an answer."""
    case = assignment.take_case(case=a_case(), officer=officer, now=LATER)
    notice = refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text="It is another's line.", named=SHOWN, now=LATER
    )
    refusals.answer_notice(notice=notice, answer="It is mine.", actor=actor_of(case), now=LATER + HOUR)
    refusals.second_refusal(case=case, officer=second, because="The operator says so.", now=LATER + DAY)
    return fresh(case)


def struck_out(officer: User, director: User) -> tuple[Case, Revocation]:
    a_gateway()
    application = a_decided_application()
    entering.enter_grants(NOW)
    case = cases.case_of(application)
    assert case is not None
    revocation.propose_revocation(
        case=case, officer=officer, code="X5", text="Forged.", evidence="The register's answer.", now=LATER
    )
    notice = cases.open_notice(fresh(case))
    assert notice is not None
    refusals.answer_notice(notice=notice, answer="It is genuine.", actor=actor_of(case), now=LATER + HOUR)
    taken = revocation.second_revocation(case=fresh(case), officer=director, because="So it is.", now=LATER + DAY)
    return fresh(case), taken


def fresh(case: Case) -> Case:
    return cases.cases().get(pk=case.pk)


def actor_of(case: Case) -> str:
    return f"person:{case.application.applicant_id}"


def sent(case: Case, *grounds: str, now: dt.datetime = LATER + 2 * DAY, heard: bool = False) -> Appeal:
    application = Application.objects.get(pk=case.application_id)
    return actions.send(
        application=application,
        grounds=grounds or ("fact",),
        words="The bill is in my name.",
        to_be_heard=heard,
        actor=actor_of(case),
        now=now,
    )


def decided(appeal: Appeal, user: User, outcome: str = "allowed", now: dt.datetime = LATER + 3 * DAY) -> Appeal:
    actions.take(appeal=appeal, user=user, now=now)
    points = dict.fromkeys(appeal.grounds, (outcome, "Because the bill says so."))
    return actions.decide(appeal=appeal, user=user, points=points, text="", now=now)


def letters_to(case: Case) -> list[str]:
    return [each.template for each in letters.letters_of(case.application.applicant).order_by("written_at", "id")]


def acts_of(case: Case) -> list[str]:
    return [row.act for row in journal.about(case.application.subject)]


class TestAgainstARefusal:
    def test_is_sent_with_a_receipt_and_stands_on_record(self, officer: User, second: User) -> None:
        case = refused(officer, second)
        appeal = sent(case, "fact", "heard")
        assert appeal.state == State.OPEN and not appeal.late
        assert appeal.reference == f"{case.application.reference}-P1"
        assert [point.ground for point in appeal.points.all()] == ["fact", "heard"]
        assert appeal.due_at is not None and appeal.due_at > LATER + 30 * DAY
        assert letters_to(case)[-1] == "appeal_received"
        assert "appeal.sent" in acts_of(case)

    def test_is_decided_by_nobody_who_had_a_part(
        self, officer: User, second: User, director: User, uninvolved: User
    ) -> None:
        case = refused(officer, second)
        appeal = sent(case)
        for user, why in ((officer, CannotDecide.PART), (second, CannotDecide.PART)):
            with pytest.raises(actions.MayNotDecide) as error:
                actions.take(appeal=appeal, user=user, now=LATER + 2 * DAY)
            assert error.value.why == why
        with pytest.raises(actions.MayNotDecide) as error:
            actions.take(appeal=appeal, user=an_officer("Officer E"), now=LATER + 2 * DAY)
        assert error.value.why == CannotDecide.RANK
        assert {each.pk for each in queries.deciders(appeal)} == {director.pk, uninvolved.pk}
        assert actions.take(appeal=appeal, user=director, now=LATER + 2 * DAY).assigned_to == director

    def test_that_is_allowed_opens_the_case_for_others_and_bars_the_code(
        self, officer: User, second: User, uninvolved: User
    ) -> None:
        case = refused(officer, second)
        third, fourth = an_officer("Officer E"), an_officer("Officer F")
        appeal = decided(sent(case), uninvolved)
        assert (appeal.outcome, appeal.state) == (Outcome.ALLOWED, State.DECIDED)
        case = fresh(case)
        assert case.status == Status.OPEN and case.application.status == "submitted"
        assert letters_to(case)[-1] == "appeal_decided"
        for left in (officer, second):
            with pytest.raises(transitions.Recused):
                assignment.take_case(case=case, officer=left, now=LATER + 3 * DAY)
        assignment.take_case(case=case, officer=third, now=LATER + 3 * DAY)
        with pytest.raises(transitions.CodeNotUsable):
            refusals.propose_refusal(
                case=fresh(case), officer=third, codes=["R3"], text="Again.", named=SHOWN, now=LATER + 3 * DAY
            )
        # What was allowed is not carried out before the case is decided.
        assert actions.close_carried_out(now=LATER + 4 * DAY) == 0
        for check in cases.assessment_of(fresh(case).application, LATER).missing:  # type: ignore[union-attr]
            for row in _checks(case, check.kind):
                assignment.record_check(
                    case=fresh(case),
                    officer=third,
                    check=row,
                    outcome="passed",
                    how="As the appeal found.",
                    now=LATER + 4 * DAY,
                )
        a_gateway()
        granting.grant(case=fresh(case), officer=third, now=LATER + 4 * DAY)
        assert actions.close_carried_out(now=LATER + 4 * DAY) == 1
        appeal.refresh_from_db()
        assert appeal.state == State.CLOSED
        assert fourth.pk

    def test_that_is_sent_back_leaves_the_code(self, officer: User, second: User, uninvolved: User) -> None:
        case = refused(officer, second)
        third = an_officer("Officer E")
        decided(sent(case), uninvolved, "sent_back")
        assignment.take_case(case=fresh(case), officer=third, now=LATER + 3 * DAY)
        refusals.propose_refusal(
            case=fresh(case), officer=third, codes=["R3"], text="Again.", named=SHOWN, now=LATER + 3 * DAY
        )

    def test_that_is_dismissed_changes_nothing_and_names_the_next_forum(
        self, officer: User, second: User, uninvolved: User
    ) -> None:
        case = refused(officer, second)
        appeal = decided(sent(case), uninvolved, "dismissed")
        assert appeal.state == State.CLOSED and fresh(case).status == Status.DECIDED
        said = " ".join(Letter.objects.get(template="appeal_decided").text.split())
        assert "Telecommunication Appellate Tribunal" in said and "Your appeal: Dismissed" in said
        with pytest.raises(actions.NothingToAppeal):
            sent(case)

    def test_goes_point_by_point(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second), "fact", "rule")
        actions.take(appeal=appeal, user=uninvolved, now=LATER + 3 * DAY)
        facts = {"appeal": appeal, "user": uninvolved, "text": "", "now": LATER + 3 * DAY}
        with pytest.raises(transitions.ReasonNeeded):
            actions.decide(points={"fact": ("dismissed", "It is another's.")}, **facts)  # type: ignore[arg-type]
        with pytest.raises(transitions.ReasonNeeded):
            points = {"fact": ("dismissed", "It is another's."), "rule": ("allowed", " ")}
            actions.decide(points=points, **facts)  # type: ignore[arg-type]
        points = {"fact": ("dismissed", "It is another's."), "rule": ("sent_back", "The rule is for companies.")}
        found = actions.decide(points=points, **facts)  # type: ignore[arg-type]
        assert found.outcome == Outcome.SENT_BACK
        outcomes = {point.ground: point.outcome for point in Point.objects.filter(appeal=found)}
        assert outcomes == {"fact": "dismissed", "rule": "sent_back"}

    def test_keeps_a_draft_and_sends_it_once(self, officer: User, second: User) -> None:
        case = refused(officer, second)
        facts = {"application": case.application, "actor": actor_of(case), "now": LATER + 2 * DAY}
        draft = actions.save_draft(grounds=["rule"], words="Because", to_be_heard=False, **facts)  # type: ignore[arg-type]
        assert draft.state == State.DRAFT and queries.appeals_of(case.application) == []
        appeal = sent(case)
        assert appeal.pk == draft.pk
        with pytest.raises(actions.NothingToAppeal):
            sent(case)

    def test_is_withdrawn_and_can_be_sent_again(self, officer: User, second: User) -> None:
        case = refused(officer, second)
        appeal = actions.withdraw(appeal=sent(case), actor=actor_of(case), now=LATER + 3 * DAY)
        assert appeal.state == State.WITHDRAWN
        assert sent(case, now=LATER + 4 * DAY).reference.endswith("-P2")


def _checks(case: Case, kind: str) -> list[uuid.UUID]:
    return [each.pk for each in checks.checks_of(case.application.subject) if each.kind == kind]


class TestAfterItsTime:
    def test_is_taken_said_and_excused_by_being_decided(self, officer: User, second: User, uninvolved: User) -> None:
        case = refused(officer, second)
        appeal = sent(case, now=LATER + 60 * DAY)
        assert appeal.late
        assert "after its time" in Letter.objects.get(template="appeal_received").text
        assert decided(appeal, uninvolved, now=LATER + 61 * DAY).excused is True

    def test_is_not_heard_where_it_is_not_excused(self, officer: User, second: User, uninvolved: User) -> None:
        case = refused(officer, second)
        appeal = sent(case, now=LATER + 60 * DAY, heard=True)
        actions.take(appeal=appeal, user=uninvolved, now=LATER + 61 * DAY)
        appeal = actions.refuse_late(appeal=appeal, user=uninvolved, why="No reason was given.", now=LATER + 61 * DAY)
        assert (appeal.state, appeal.outcome, appeal.excused) == (State.CLOSED, None, False)
        assert "it came too late" in Letter.objects.get(template="appeal_decided").text

    def test_in_time_is_not_refused_as_late(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second))
        actions.take(appeal=appeal, user=uninvolved, now=LATER + 3 * DAY)
        with pytest.raises(actions.NotPossibleNow):
            actions.refuse_late(appeal=appeal, user=uninvolved, why="Late.", now=LATER + 3 * DAY)

    def test_the_time_does_not_run_while_the_letter_has_come_back(self, officer: User, second: User) -> None:
        case = refused(officer, second)
        Letter.objects.filter(template="application_refused").update(state="failed", sent_at=None)
        thing = queries.appealable(case.application, LATER + 60 * DAY)
        assert thing is not None and thing.until is None
        actions.record_service(
            case=case, officer=officer, on=(LATER + 50 * DAY).date(), how="By courier.", now=LATER + 51 * DAY
        )
        thing = queries.appealable(case.application, LATER + 60 * DAY)
        assert thing is not None and thing.until is not None and thing.until > LATER + 79 * DAY
        assert not sent(case, now=LATER + 60 * DAY).late


class TestAgainstARevocation:
    def test_that_is_allowed_stands_again_under_its_number(
        self, officer: User, director: User, uninvolved: User
    ) -> None:
        case, taken = struck_out(officer, director)
        appeal = decided(sent(case), uninvolved)
        assert appeal.state == State.CLOSED and appeal.lost == 0
        found = entries.fresh(taken.registration)
        assert entries.standing(found, LATER + 4 * DAY) is Standing.VALID
        assert found.reference == taken.registration.reference
        taken.refresh_from_db()
        assert taken.restored_at is not None
        assert set(letters_to(case)[-2:]) == {"registration_goes_on", "appeal_decided"}

    def test_that_is_not_decided_in_time_stands_until_it_is(
        self, officer: User, director: User, uninvolved: User
    ) -> None:
        case, taken = struck_out(officer, director)
        appeal = sent(case)
        assert actions.run_out(now=LATER + 5 * DAY) == 0
        # The worker was dead for days: it is done late, and once.
        assert actions.run_out(now=LATER + 50 * DAY) == 1
        assert actions.run_out(now=LATER + 51 * DAY) == 0
        appeal.refresh_from_db()
        assert appeal.stands_meanwhile
        assert entries.standing(entries.fresh(taken.registration), LATER + 51 * DAY) is Standing.VALID
        assert set(letters_to(case)[-2:]) == {"appeal_late", "registration_goes_on"}
        decided(appeal, uninvolved, "dismissed", now=LATER + 52 * DAY)
        assert entries.standing(entries.fresh(taken.registration), LATER + 53 * DAY) is Standing.STRUCK_OUT

    def test_of_what_has_ended_meanwhile_is_decided_and_restores_nothing(
        self, officer: User, director: User, uninvolved: User
    ) -> None:
        case, taken = struck_out(officer, director)
        appeal = sent(case)
        long_after = taken.registration.stays_until + DAY
        appeal = decided(appeal, uninvolved, now=long_after)
        assert appeal.outcome == Outcome.ALLOWED and appeal.state == State.CLOSED
        assert entries.standing(entries.fresh(taken.registration), long_after) is not Standing.VALID


class TestAgainstSilence:
    def test_opens_once_the_time_to_decide_is_over(self, officer: User, uninvolved: User) -> None:
        case = a_case()
        assert queries.appealable(case.application, LATER) is None
        late = NOW + 20 * DAY
        deadlines.close_unanswered(now=late)
        appeal = actions.send(application=case.application, grounds=[], words="", actor=actor_of(case), now=late)
        assert (appeal.against, appeal.grounds) == (Against.SILENCE, ["silence"])
        appeal = decided(appeal, uninvolved, now=late + DAY)
        assert appeal.state == State.DECIDED and appeal.carry_out_by is not None
        assert fresh(case).status == Status.OPEN

    def test_is_closed_when_the_decision_comes(self, officer: User, second: User) -> None:
        case = a_case()
        late = NOW + 20 * DAY
        deadlines.close_unanswered(now=late)
        appeal = actions.send(application=case.application, grounds=[], words="", actor=actor_of(case), now=late)
        assert actions.overtake(now=late) == 0
        assignment.take_case(case=case, officer=officer, now=late)
        notice = refusals.propose_refusal(
            case=fresh(case), officer=officer, codes=["R3"], text="It is another's.", named=SHOWN, now=late
        )
        refusals.answer_notice(notice=notice, answer="No.", actor=actor_of(case), now=late)
        refusals.second_refusal(case=fresh(case), officer=second, because="So it is.", now=late + HOUR)
        assert actions.overtake(now=late + DAY) == 1
        appeal.refresh_from_db()
        assert appeal.was_overtaken
        # And against the refusal another appeal is open.
        assert sent(case, now=late + DAY).reference.endswith("-P2")


class TestHearing:
    def test_is_over_before_the_appeal_is_decided(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second), heard=True)
        now = LATER + 3 * DAY
        actions.take(appeal=appeal, user=uninvolved, now=now)
        with pytest.raises(actions.NotPossibleNow):
            decided(appeal, uninvolved, now=now)
        facts = {"appeal": appeal, "user": uninvolved}
        day, _last = queries.heard_between(appeal, now)
        actions.set_hearing(starts_at=day, place="We call +92 300 1234567.", now=now, **facts)  # type: ignore[arg-type]
        said: dict[str, Any] = {**facts, "attended": "The appellant", "minutes": "Called three times."}
        with pytest.raises(hearings.NotSet):
            actions.record_hearing(now=now + DAY, **said)
        actions.record_hearing(nobody_came=True, now=day, **said)
        assert decided(appeal, uninvolved, now=day + DAY).outcome == Outcome.ALLOWED
        assert [each.template for each in Letter.objects.order_by("written_at")][-3:] == [
            "hearing_set",
            "hearing_held",
            "appeal_decided",
        ]

    def test_is_that_of_any_matter(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second), heard=True)
        now = LATER + 3 * DAY
        actions.take(appeal=appeal, user=uninvolved, now=now)
        facts: dict[str, Any] = {"appeal": appeal, "user": uninvolved, "place": "By telephone"}
        day, _last = queries.heard_between(appeal, now)
        with pytest.raises(hearings.NotThen):
            actions.set_hearing(starts_at=day - DAY, now=now, **facts)
        actions.set_hearing(starts_at=day, now=now, **facts)
        with pytest.raises(transitions.ReasonNeeded):
            actions.set_hearing(starts_at=day + HOUR, now=now, **facts)
        for number in (1, 2):
            actions.set_hearing(starts_at=day + HOUR, why="It does not suit.", now=now + number * HOUR, **facts)
        with pytest.raises(hearings.MovedTooOften):
            actions.set_hearing(starts_at=day, why="Again.", now=now + 3 * HOUR, **facts)
        assert [each.outcome for each in hearings.hearings_of(appeal)] == ["moved", "moved", ""]

    def test_is_over_only_when_it_was_held_or_nobody_came(self, officer: User, second: User) -> None:
        appeal = sent(refused(officer, second), heard=True)
        with pytest.raises(DatabaseError, match="held or nobody came"), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(hearing_over_at=LATER + 3 * DAY)
        row = {"case": appeal.case, "starts_at": LATER + 12 * DAY, "set_at": LATER + 3 * DAY, "set_by": second}
        with pytest.raises(DatabaseError, match="while one is asked for"), transaction.atomic():
            Hearing.objects.create(matter=appeal.subject, place="A", **row)


class TestWithoutASecondPerson:
    def test_a_reviewer_from_outside_decides_that_one_appeal(self, officer: User, director: User) -> None:
        case, _taken = struck_out(officer, director)
        appeal = sent(case)
        reviewer = a_person()
        assert queries.deciders(appeal) == []
        with pytest.raises(actions.MayNotDecide):
            actions.take(appeal=appeal, user=reviewer, now=LATER + 3 * DAY)
        actions.name_reviewer(
            appeal=appeal, supervisor=director, reviewer=reviewer, who="A retired judge.", now=LATER + 3 * DAY
        )
        appeal = decided(queries.appeals().get(pk=appeal.pk), reviewer)
        assert appeal.by_the_only_one
        assert [each.template for each in letters.letters_of(reviewer)] == ["asked_to_review"]

    def test_nobody_from_outside_where_somebody_could(self, officer: User, director: User, uninvolved: User) -> None:
        case, _taken = struck_out(officer, director)
        with pytest.raises(reviewing.SomebodyCould):
            actions.name_reviewer(
                appeal=sent(case), supervisor=director, reviewer=a_person(), who="A judge.", now=LATER + 3 * DAY
            )

    def test_whoever_lost_their_post_gives_the_appeal_up(
        self, officer: User, second: User, director: User, uninvolved: User
    ) -> None:
        appeal = sent(refused(officer, second))
        actions.take(appeal=appeal, user=uninvolved, now=LATER + 3 * DAY)
        with pytest.raises(actions.NotYours):
            actions.take(appeal=appeal, user=director, now=LATER + 3 * DAY)
        uninvolved.posts.update(ended_at=LATER + 3 * DAY)
        with pytest.raises(actions.MayNotDecide):
            actions.decide(appeal=appeal, user=uninvolved, points={}, text="", now=LATER + 4 * DAY)
        assert actions.take(appeal=appeal, user=director, now=LATER + 4 * DAY).assigned_to == director


class TestTheDatabase:
    def test_lets_nobody_with_a_part_take_or_decide(self, officer: User, second: User, uninvolved: User) -> None:
        case = refused(officer, second)
        looked = an_officer("Supervisor G", role=Role.SUPERVISOR)
        cases.case_for_officer(officer=looked, reference=case.application.reference, now=LATER, why="supervision")
        appeal = sent(case)
        for user in (officer, second, case.application.applicant):
            for fields in ({"assigned_to": user}, {"decided_at": LATER + 3 * DAY, "decided_by": user}):
                with pytest.raises(DatabaseError), transaction.atomic():
                    Appeal.objects.filter(pk=appeal.pk).update(**fields)
        # Whoever only read it had no part.
        assert Appeal.objects.filter(pk=appeal.pk).update(assigned_to=looked) == 1

    def test_lets_nobody_decide_before_every_point_is(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second))
        with pytest.raises(DatabaseError), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(decided_at=LATER + 3 * DAY, decided_by=uninvolved)

    def test_rewrites_nothing(self, officer: User, second: User, uninvolved: User) -> None:
        appeal = sent(refused(officer, second))
        for fields in ({"grounds": ["rule"]}, {"sent_at": NOW}, {"number": 7}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Appeal.objects.filter(pk=appeal.pk).update(**fields)
        appeal.words = "Other words."
        with pytest.raises(DatabaseError), transaction.atomic():
            appeal.save(update_fields=["words"])
        appeal = decided(queries.appeals().get(pk=appeal.pk), uninvolved, "dismissed")
        after: list[dict[str, object]] = [{"late": True}, {"decided_by": officer}, {"decided_at": None}]
        for each in after:
            with pytest.raises(DatabaseError), transaction.atomic():
                Appeal.objects.filter(pk=appeal.pk).update(**each)
        with pytest.raises(DatabaseError), transaction.atomic():
            Point.objects.filter(appeal=appeal).update(outcome="allowed")
        for rows in (Appeal.objects.all(), Point.objects.all()):
            with pytest.raises(DatabaseError), transaction.atomic():
                rows._raw_delete("default")

    def test_lets_a_decision_be_appealed_against_once(self, officer: User, second: User) -> None:
        appeal = sent(refused(officer, second))
        decision = Decision.objects.get()
        with pytest.raises(DatabaseError), transaction.atomic():
            Appeal.objects.create(case=appeal.case, number=2, against="refusal", decision=decision, begun_at=LATER)
