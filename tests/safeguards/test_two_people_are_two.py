"""Where two people are required, two accounts of one person are not two, and nobody seconds anything in the first 24
hours of their post. The pairs are those that constraints of the models name: a new one falls under the tests by itself.
"""

import datetime as dt
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from rahdari.apply import drafts
from rahdari.attest import queries as attestations
from rahdari.calendar import actions as calendar
from rahdari.consult import actions as consult
from rahdari.consult import moderating
from rahdari.consult.rules import Hidden
from rahdari.decide import assignment, conflicts_of_interest, refusals, revocation, transitions
from rahdari.demand import actions as demand
from rahdari.errors import RahdariError
from rahdari.people import actions as people
from rahdari.people import queries
from rahdari.people.models import Role, User
from rahdari.publish import holds
from rahdari.publish.models import RemovalHold, Stream
from rahdari.sampling import looking
from rahdari.urgent import actions as urgent
from tests.attest.test_acts import a_dispute
from tests.builders import cut_off, story
from tests.builders.cases import DAY, NOW, a_case, a_refusal
from tests.builders.consultations import a_comment, a_draft
from tests.builders.cut_off import with_one_number
from tests.builders.people import a_person, an_officer
from tests.builders.shared import known_networks
from tests.calendar.said import entered
from tests.decide.test_actions import LATER, answered
from tests.decide.test_revocation import answered as answered_by_the_holder
from tests.decide.test_revocation import granted, proposed
from tests.demand.test_demands import found as with_file
from tests.demand.test_demands import recorded
from tests.sampling.test_looking import DRAWN, WHY, by_rule, drawn, looked

pytestmark = pytest.mark.django_db
Pair = tuple[str, str, str]
Second = Callable[[User], object]


@pytest.fixture(autouse=True)
def sms(db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    """203.0.113.0/24 has a known network; SMS go into a folder."""
    settings.SMS_FOLDER = tmp_path / "sms"
    with known_networks():
        yield
    cut_off.another_hour()


def actor(user: User) -> str:
    return f"officer:{user.pk}"


# -- the acts: each is begun by the first one, and answers with what the second one does -------------------------------


def a_refusal_proposed(first: User) -> Second:
    case = a_case()
    answered(case, first)
    return lambda second: refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER + DAY)


def a_revocation_proposed(first: User) -> Second:
    case, _found = granted()
    proposed(case, first, "S4")
    answered_by_the_holder(case)
    return lambda second: revocation.second_revocation(case=case, officer=second, because="So it is.", now=LATER + DAY)


def a_correction(first: User) -> Second:
    people.appoint(user=first, role="supervisor", actor="system:test", now=NOW)
    found = entered(first, dt.date(2026, 12, 9), now=NOW)
    return lambda second: calendar.confirm(correction=found, officer=second, now=NOW)


def a_demand(first: User) -> Second:
    found = with_file(recorded(first), first, story.a_refusal(story.a_person()).application)
    found = demand.answer_demand(demand=found, officer=first, outcome="given", answer="The name.", now=timezone.now())
    return lambda second: demand.agree(demand=found, officer=second, now=timezone.now())


def a_draft_proposed(first: User) -> Second:
    version = a_draft(now=NOW)
    later = version.draft.closes_at
    consult.propose(draft=version.draft, actor=actor(first), now=later)
    return lambda second: consult.adopt(draft=version.draft, actor=actor(second), now=later)


def a_comment_hidden(first: User) -> Second:
    comment = a_comment(a_draft(now=NOW).draft, now=NOW)
    moderating.hide(comment=comment, why=Hidden.ABUSE, actor=actor(first), now=NOW)
    moderating.dispute(comment=comment, now=NOW)
    return lambda second: moderating.review(comment=comment, show=True, actor=actor(second), now=NOW)


def a_hold(first: User) -> Second:
    stream = Stream.objects.first() or Stream.objects.create(role="gateway", everything=True, created_at=NOW)
    hold = RemovalHold.objects.create(stream=stream, opened_at=NOW, due_at=NOW + DAY, removals=30, entries=40)
    holds.cancel_hold(hold=hold, actor="officer:x", reason="No.", now=NOW)
    holds.reopen_hold(hold=hold, actor=actor(first), reason="Yes.", now=NOW)
    return lambda second: holds.approve_hold(hold=hold, actor=actor(second), reason="It is right.", now=NOW)


def a_second_look(first: User) -> Second:
    drawn(by_rule())
    look = looked(first, "ask", "Q4")

    def close(second: User) -> object:
        people.appoint(user=second, role="supervisor", actor="system:test", now=second.created_at)
        return looking.close(look=look, officer=second, done="stays", text=WHY, now=DRAWN)

    return close


def a_call(first: User) -> Second:
    row = cut_off.heard(*cut_off.a_holder(number="+923009998877"), first)
    return lambda second: urgent.second(row=row, officer=second, now=timezone.now())


def a_post(first: User) -> Second:
    people.appoint(user=first, role="administrator", actor="system:test", now=NOW)
    posted = people.propose_post(user=a_person(), role="officer", by=first, actor=f"administrator:{first.pk}", now=NOW)

    def agree(second: User) -> object:
        people.appoint(user=second, role="supervisor", actor="system:test", now=second.created_at)
        return people.agree_to_post(id=posted.pk, by=second, actor=f"supervisor:{second.pk}", now=NOW)

    return agree


ACTS: dict[Pair, Callable[[User], Second]] = {
    ("decide_decision", "proposed_by", "seconded_by"): a_refusal_proposed,
    ("decide_revocation", "proposed_by", "seconded_by"): a_revocation_proposed,
    ("calendar_calendarcorrection", "confirmed_by", "proposed_by"): a_correction,
    ("demand_demand", "agreed_by", "answered_by"): a_demand,
    ("consult_draft", "ended_by", "proposed_by"): a_draft_proposed,
    ("consult_comment", "hidden_by", "reviewed_by"): a_comment_hidden,
    ("publish_removalhold", "approved_by", "asked_by"): a_hold,
    ("sampling_secondlook", "closed_by", "taken_by"): a_second_look,
    ("urgent_urgententry", "opened_by", "seconded_by"): a_call,
    # Agreeing leaves no row of its own: the proposal goes, and the post begins.
    ("people_proposedrole", "proposed_by", "user"): a_post,
}
# Two people, and yet none of them agrees to what the other one began.
APART: set[Pair] = {
    ("apply_application", "applicant", "entered_by"),
    ("complaint_complaint", "decided_by", "sender"),
    ("decide_reviewer", "named_by", "user"),
}


def said_by_constraints() -> set[Pair]:
    """Pairs of people, or of actors, of which a constraint of a model says that they differ."""

    def unequal(node: Q, negated: bool = False) -> Iterator[tuple[str, str]]:
        negated ^= node.negated
        for child in node.children:
            if isinstance(child, Q):
                yield from unequal(child, negated)
            elif negated and isinstance(child, tuple) and isinstance(child[1], F) and "__" not in child[0]:
                yield child[0], child[1].name

    found = set()
    for model in apps.get_models():
        for each in model._meta.constraints:
            if isinstance(each, models.CheckConstraint) and isinstance(each.condition, Q):
                for one, other in unequal(each.condition):
                    field: Any = model._meta.get_field(one)
                    if field.related_model is User or isinstance(field, models.CharField):
                        found.add((model._meta.db_table, *sorted((one, other))))
    return found


def held_by_the_database() -> set[Pair]:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger
            WHERE tgfoid = 'people_are_two'::regproc AND tgenabled = 'O'
        """)
        rows = cursor.fetchall()
    return {
        (table, *sorted(each.removesuffix("_id") for each in given.split("\\000") if each))  # type: ignore[misc]
        for table, given in rows
    }


@functools.cache
def long_ago() -> dt.datetime:
    return NOW - 400 * DAY


def test_the_database_holds_each_pair_and_each_is_tried() -> None:
    held = held_by_the_database()
    assert said_by_constraints() <= held
    assert held == set(ACTS) | APART


@pytest.mark.parametrize("begun", ACTS.values(), ids=lambda each: each.__name__)
def test_a_second_person_is_another_one_and_not_new(begun: Callable[[User], Second], settings: Any) -> None:
    first, same, new, other = (
        an_officer(name, now=at) for name, at in zip("FSNO", (long_ago(),) * 2 + (NOW,) + (long_ago(),), strict=True)
    )
    with_one_number(first, same)
    agrees = begun(first)
    settings.SECONDS_AFTER = 300 * DAY
    for refused in (same, new, first):
        with pytest.raises((RahdariError, urgent.NotYou)), transaction.atomic():
            agrees(refused)
    assert agrees(other) is not None


class TestOnePerson:
    def test_is_known_by_number_or_card_and_in_both_directions(self) -> None:
        first, second, third = (an_officer(name) for name in "ABC")
        assert queries.accounts_of(first) == {first.pk}
        with_one_number(first, second)
        assert queries.accounts_of(first) == queries.accounts_of(second) == {first.pk, second.pk}
        assert queries.accounts_of(third) == {third.pk}

    def test_is_not_followed_over_a_third_account(self) -> None:
        """Whoever wrote the cards of two officers into their own applications would make these one."""
        one, other = a_case().application, a_case().application
        stranger = a_case(applicant=an_officer("S")).application
        for application, card in ((one, "a" * 64), (other, "b" * 64), (stranger, "a" * 64)):
            application.cnic_index = card
            application.save(update_fields=["cnic_index"])
        again = a_case(applicant=stranger.applicant).application
        again.cnic_index = "b" * 64
        again.save(update_fields=["cnic_index"])
        assert len(queries.accounts_of(stranger.applicant)) == 3
        assert queries.accounts_of(one.applicant) == {one.applicant_id, stranger.applicant_id}

    def test_is_known_by_no_card_in_a_draft(self) -> None:
        """An officer who typed somebody's card number would see which case leaves their queue."""
        application, officer = a_case().application, an_officer("A")
        application.cnic_index = "a" * 64
        application.save(update_fields=["cnic_index"])
        draft = drafts.start_application(applicant=officer, service="vpn_freelancer", actor="person:x", now=NOW)
        draft.cnic_index = "a" * 64
        draft.save(update_fields=["cnic_index"])
        assert queries.accounts_of(officer) == {officer.pk}
        assert not conflicts_of_interest.is_own(application, officer)

    def test_has_a_part_in_the_application_of_any_account_of_theirs(self) -> None:
        case, officer = a_case(), an_officer("A")
        assert not conflicts_of_interest.is_own(case.application, officer)
        with_one_number(officer, case.application.applicant)
        assert conflicts_of_interest.is_own(case.application, officer)
        assert conflicts_of_interest.with_part_in(case.application, [officer]) >= {officer.pk}
        with pytest.raises(transitions.OwnApplication):
            assignment.take_case(case=case, officer=officer, now=LATER)
        with pytest.raises(IntegrityError), transaction.atomic():
            type(case).objects.filter(pk=case.pk).update(assigned_to=officer)

    def test_reads_no_matter_of_any_account_of_theirs(self) -> None:
        officer, member = an_officer("A"), a_person()
        matter = a_dispute(person=f"person:{member.pk}")
        assert attestations.matter_for_officer(officer, matter.number) == matter
        with_one_number(officer, member)
        with pytest.raises(attestations.NotFound):
            attestations.matter_for_officer(officer, matter.number)

    def test_proposes_and_seconds_nothing_by_writing_rows(self) -> None:
        first, second = an_officer("A"), an_officer("B", role=Role.SUPERVISOR, rank="director")
        notice = answered(a_case(), first)
        with_one_number(first, second)
        with pytest.raises(IntegrityError, match="two accounts"), transaction.atomic():
            a_refusal(notice, decided_by=actor(second), proposed_by=first, seconded_by=second)
