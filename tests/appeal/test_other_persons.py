"""Every act that needs another person, tried by all pairs of persons and posts: nobody is let through who had a part,
neither by the acts nor by the database."""

import itertools
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from rahdari.appeal import actions, queries
from rahdari.appeal.models import Appeal
from rahdari.decide import assignment, questions, recusing, refusals, reviewing, revocation, transitions
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Decision, Revocation
from rahdari.errors import RahdariError
from rahdari.people import actions as people
from rahdari.people.models import DIRECTOR, Role, User
from tests.builders.cases import DAY, HOUR, NOW, a_case, an_officer

from .test_appeals import LATER, SHOWN, actor_of, fresh, sent, struck_out

pytestmark = pytest.mark.django_db
POSTS = {
    "officer": {"role": Role.OFFICER},
    "director": {"role": Role.OFFICER, "rank": DIRECTOR},
    "supervisor": {"role": Role.SUPERVISOR},
    "supervising director": {"role": Role.SUPERVISOR, "rank": DIRECTOR},
}


def proposed(officer: User) -> Case:
    case = assignment.take_case(case=a_case(), officer=officer, now=LATER)
    notice = refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text="It is another's.", named=SHOWN, now=LATER
    )
    refusals.answer_notice(notice=notice, answer="It is mine.", actor=actor_of(case), now=LATER + HOUR)
    return fresh(case)


def with_post(post: str, name: str) -> User:
    return an_officer(name, **POSTS[post])


@pytest.mark.parametrize(("first", "then"), list(itertools.product(POSTS, POSTS)))
def test_nobody_seconds_what_they_proposed_in_whatever_post(first: str, then: str) -> None:
    """The proposer is appointed to another post, and tries in that."""
    officer = with_post(first, "Officer A")
    case = proposed(officer)
    officer.posts.update(ended_at=NOW)
    people.appoint(user=officer, actor="system:test", now=NOW, **POSTS[then])  # type: ignore[arg-type]
    with pytest.raises(transitions.MayNotSecond):
        refusals.second_refusal(case=case, officer=officer, because="So it is.", now=LATER + DAY)
    # And one who is recused is no second either.
    other = with_post(then, "Officer B")
    recusing.recuse(case=case, officer=other, why="I know them.", now=LATER + DAY)
    with pytest.raises(transitions.Recused):
        refusals.second_refusal(case=case, officer=other, because="So it is.", now=LATER + DAY)
    assert not Decision.objects.filter(outcome="refused").exists()


PARTS: dict[str, Callable[[Case, User], object]] = {
    "took the case": lambda case, user: assignment.take_case(case=case, officer=user, now=LATER),
    "asked": lambda case, user: questions.ask_question(
        case=assignment.take_case(case=case, officer=user, now=LATER), officer=user, code="Q4", now=LATER
    ),
    "left it to others": lambda case, user: recusing.recuse(case=case, officer=user, why="I know them.", now=LATER),
    "passed it on": lambda case, user: assignment.hand_over(
        case=assignment.take_case(case=case, officer=user, now=LATER), officer=user, to=None, now=LATER
    ),
}


@pytest.mark.parametrize(("part", "post"), list(itertools.product(PARTS, ("director", "supervisor"))))
def test_nobody_decides_an_appeal_who_had_any_part(part: str, post: str) -> None:
    user = with_post(post, "Officer A")
    case = a_case()
    PARTS[part](case, user)
    appeal = Appeal.objects.create(case=case, number=1, against="silence", begun_at=LATER)
    assert user.pk in reviewing.with_part_in(fresh(case), [user])
    appeal = queries.appeals().get(pk=appeal.pk)
    Appeal.objects.filter(pk=appeal.pk).update(
        sent_at=LATER, sent_by="person:x", grounds=["silence"], due_at=LATER + 30 * DAY
    )
    appeal = queries.appeals().get(pk=appeal.pk)
    with pytest.raises(actions.MayNotDecide):
        actions.take(appeal=appeal, user=user, now=LATER + DAY)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appeal.objects.filter(pk=appeal.pk).update(assigned_to=user)


def test_of_all_who_are_in_office_only_those_without_a_part_are_let_through() -> None:
    everybody = {post: with_post(post, f"Person {at}") for at, post in enumerate(POSTS)}
    case, taken = struck_out(everybody["officer"], everybody["supervising director"])
    appeal = sent(case)
    through = []
    for post, user in everybody.items():
        try:
            with transaction.atomic():
                actions.take(appeal=queries.appeals().get(pk=appeal.pk), user=user, now=LATER + 3 * DAY)
        except RahdariError:
            continue
        through.append(post)
        Appeal.objects.filter(pk=appeal.pk).update(assigned_to=None)
    assert through == ["director", "supervisor"]
    # The database, without any act: the pair of a revocation is never one person.
    for user in everybody.values():
        with pytest.raises(DatabaseError), transaction.atomic():
            Revocation.objects.filter(pk=taken.pk).update(proposed_by=user, seconded_by=user)
    assert revocation.to_restore(fresh(case), LATER + 3 * DAY) is not None
    assert cases.decision_of(fresh(case)) is not None
