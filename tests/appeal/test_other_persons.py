"""Every act that needs another person, tried by all pairs of persons and posts: nobody is let through who had a part,
or holds no post for it, neither by the acts nor by the database. One table: a row is an act, with the posts that are
let through where the person had no part."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rahdari.appeal import actions as appeals
from rahdari.appeal import queries
from rahdari.appeal.models import Appeal
from rahdari.apply import drafts
from rahdari.complaint import actions as complaints
from rahdari.complaint.models import Complaint
from rahdari.decide import assignment, questions, recusing, refusals, reviewing, revocation
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Decision, Notice, Revocation
from rahdari.demand import actions as demands
from rahdari.demand.models import Demand
from rahdari.errors import RahdariError
from rahdari.people import actions as people
from rahdari.people.models import DIRECTOR, Role, User
from rahdari.sampling import looking
from rahdari.sampling import queries as looks
from tests.builders.cases import DAY, HOUR, NOW, PAPER, a_case, a_person, an_officer
from tests.builders.rules import suspending_first
from tests.complaint.test_complaints import answered as complaint_answered
from tests.complaint.test_complaints import sent as complained
from tests.decide.test_revocation import answered, granted
from tests.decide.test_revocation import proposed as revocation_proposed
from tests.demand.test_demands import found as demand_found
from tests.demand.test_demands import recorded
from tests.sampling import looks as drawing

from .test_appeals import LATER, SHOWN, actor_of, fresh, sent

pytestmark = pytest.mark.django_db
POSTS: dict[str, dict[str, str]] = {
    "officer": {"role": Role.OFFICER},
    "director": {"role": Role.OFFICER, "rank": DIRECTOR},
    "supervisor": {"role": Role.SUPERVISOR},
    "supervising director": {"role": Role.SUPERVISOR, "rank": DIRECTOR},
    "accounts": {"role": Role.ACCOUNTS},
    "administrator": {"role": Role.ADMINISTRATOR},
    "nobody": {},
}
DESK = frozenset({"officer", "director", "supervisor", "supervising director"})
DIRECTORS = frozenset({"director", "supervising director"})
OF_RANK = DESK - {"officer"}
WORDS = "So it is in the file."


def proposed(officer: User) -> Case:
    case = assignment.take_case(case=a_case(), officer=officer, now=LATER)
    notice = refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text="It is another's.", named=SHOWN, now=LATER
    )
    refusals.answer_notice(notice=notice, answer="It is mine.", actor=actor_of(case), now=LATER + HOUR)
    return fresh(case)


@dataclass
class Matter:
    """What another person decides: the act by which they try, the row that a program would write instead, and the
    file. Where there is no such row, the database has nothing of its own to say."""

    case: Case
    act: Callable[[User], object]
    row: Callable[[User], object] | None = None
    # Those who had a part besides the ones that every file has.
    parts: tuple[User, ...] = ()


def order(notice: Notice, second: User, **more: Any) -> dict[str, Any]:
    facts = {"case": notice.case, "notice": notice, "codes": notice.codes, "proposed_by": notice.proposed_by}
    facts |= {"seconded_by": second, "decided_by": f"officer:{second.pk}", "rule_version": "1", "at": LATER + DAY}
    return facts | {"appeal_until": LATER + 31 * DAY} | more


def notice_of(case: Case) -> Notice:
    notice = cases.open_notice(fresh(case))
    assert notice is not None
    notice.case = fresh(case)
    return notice


def a_refusal(proposer: User) -> Matter:
    case = proposed(proposer)
    return Matter(
        case,
        lambda user: refusals.second_refusal(case=case, officer=user, because=WORDS, now=LATER + DAY),
        lambda user: Decision.objects.create(outcome="refused", **order(notice_of(case), user)),
    )


def a_revocation(proposer: User) -> Matter:
    case, found = granted()
    revocation_proposed(case, proposer)
    answered(case)
    return Matter(
        case,
        lambda user: revocation.second_revocation(case=case, officer=user, because=WORDS, now=LATER + DAY),
        lambda user: Revocation.objects.create(registration=found, kind="striking_out", **order(notice_of(case), user)),
    )


def a_suspension_first(proposer: User) -> Matter:
    case, found = granted()
    facts: dict[str, Any] = {"code": "S4", "text": WORDS, "evidence": WORDS, "paper": PAPER, "now": LATER}
    revocation.propose_revocation(case=case, officer=proposer, before_hearing=True, **facts)
    more = {"registration": found, "kind": "suspension", "before_hearing": True, "ends_at": LATER + 2 * DAY}
    return Matter(
        case,
        lambda user: revocation.suspend_before_hearing(case=case, officer=user, because=WORDS, now=LATER + HOUR),
        lambda user: Revocation.objects.create(**order(notice_of(case), user, **more)),
    )


def an_appeal(proposer: User) -> Matter:
    case = proposed(proposer)
    second = an_officer("Officer S")
    refusals.second_refusal(case=case, officer=second, because=WORDS, now=LATER + DAY)
    appeal = sent(case)
    return Matter(
        case,
        lambda user: appeals.take(appeal=appeal, user=user, now=LATER + 3 * DAY),
        lambda user: Appeal.objects.filter(pk=appeal.pk).update(assigned_to=user),
        (second,),
    )


def a_complaint(proposer: User) -> Matter:
    case, found = granted()
    revocation_proposed(case, proposer)
    sender, joined = a_person(), a_person()
    complaint = complained(found.reference, email=sender.email)
    assert complained(found.reference, email=joined.email).part_of == complaint
    complaint = complaint_answered(complaint)
    facts: dict[str, Any] = {"outcome": "not_founded", "why": WORDS, "now": LATER + DAY}
    return Matter(
        case,
        lambda user: complaints.decide(complaint=complaint, officer=user, **facts),
        lambda user: Complaint.objects.filter(pk=complaint.pk).update(
            decided_by=user, decided_at=LATER + DAY, outcome="not_founded"
        ),
        (sender, joined),
    )


def a_second_look(proposer: User) -> Matter:
    drawing.begin()
    decision = drawing.by_officer(proposer)
    drawing.drawn(decision)

    def looked(user: User) -> None:
        if looking.take_next(officer=user, now=drawing.DRAWN) is None:
            raise looks.LookNotFound("none for them")

    return Matter(fresh(decision.case), looked)


def a_demand(proposer: User) -> Matter:
    case, _found = granted()
    demand = demand_found(recorded(proposer), proposer, case.application)
    demands.answer_demand(demand=demand, officer=proposer, outcome="given", answer=WORDS, now=timezone.now())
    return Matter(
        case,
        lambda user: demands.agree(demand=demand, officer=user, now=timezone.now()),
        lambda user: (
            Demand.objects.filter(pk=demand.pk).update(agreed_by=user, agreed_at=timezone.now())
            if user == proposer
            else demands.agree(demand=demand, officer=user, now=timezone.now())
        ),
    )


ACTS: dict[str, tuple[Callable[[User], Matter], frozenset[str]]] = {
    "second a refusal": (a_refusal, DESK),
    "second a revocation by a code of Director rank": (a_revocation, DIRECTORS),
    "suspend before a hearing": (a_suspension_first, DIRECTORS),
    "decide an appeal": (an_appeal, OF_RANK),
    "decide a complaint": (a_complaint, DESK),
    "look again": (a_second_look, DESK),
    "agree to what is given for a demand": (a_demand, DESK),
}


def in_post(user: User, post: str) -> User:
    """They hold this post and no other."""
    user.posts.filter(ended_at__isnull=True).update(ended_at=NOW)
    if POSTS[post]:
        people.appoint(user=user, actor="system:test", now=NOW, **POSTS[post])  # type: ignore[arg-type]
    return User.objects.get(pk=user.pk)


class _Undone(Exception):
    """Whatever came of it is taken back, and the next one tries."""


def is_let_through(tried: Callable[[User], object], user: User) -> bool:
    through = False
    try:
        with transaction.atomic():
            tried(user)
            through = True
            raise _Undone
    except (_Undone, RahdariError, DatabaseError):
        return through


@pytest.mark.parametrize("name", ACTS)
def test_all_pairs_of_persons_and_posts(
    name: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspending_first(settings, tmp_path)
    enterer = an_officer("Officer E", role=Role.SUPERVISOR)
    monkeypatch.setattr(drafts, "start_application", partial(drafts.start_application, entered_by=enterer))
    make, allowed = ACTS[name]
    proposer = an_officer("Officer A", role=Role.SUPERVISOR)
    matter = make(proposer)
    recused, uninvolved = an_officer("Officer R", role=Role.SUPERVISOR), a_person()
    recusing.recuse(case=fresh(matter.case), officer=recused, why="I know them.", now=LATER + HOUR)
    persons = {"who began it": proposer, "the applicant": matter.case.application.applicant, "recused": recused}
    persons["entered it at the desk"] = enterer
    persons |= {f"with a part, {at}": each for at, each in enumerate(matter.parts)}
    through = set()
    for (who, person), post in itertools.product([*persons.items(), ("uninvolved", uninvolved)], POSTS):
        user = in_post(person, post)
        for way in (matter.act, matter.row):
            if way is not None and is_let_through(way, user):
                through.add((who, post))
    assert through == {("uninvolved", post) for post in allowed}


@pytest.mark.parametrize("name", ["decide an appeal", "decide a complaint"])
def test_another_account_of_who_had_a_part_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch, one_person: Callable[..., None]
) -> None:
    enterer = an_officer("Officer E")
    monkeypatch.setattr(drafts, "start_application", partial(drafts.start_application, entered_by=enterer))
    proposer, recused = an_officer("Officer A"), an_officer("Officer R")
    matter = ACTS[name][0](proposer)
    assert matter.row is not None
    recusing.recuse(case=fresh(matter.case), officer=recused, why="I know them.", now=LATER + HOUR)
    for person in (proposer, matter.case.application.applicant, recused, enterer, *matter.parts):
        other = an_officer("Officer O", role=Role.SUPERVISOR, rank=DIRECTOR)
        assert is_let_through(matter.act, other) and is_let_through(matter.row, other)
        one_person(person, other)
        with pytest.raises((appeals.MayNotDecide, complaints.MayNotDecide)), transaction.atomic():
            matter.act(other)
        with pytest.raises(DatabaseError, match=r"had a part|two accounts|who sent"), transaction.atomic():
            matter.row(other)


def test_who_took_an_appeal_does_not_decide_it_as_another_account_of_a_person_with_a_part(
    one_person: Callable[..., None],
) -> None:
    proposer, other = an_officer("Officer A"), an_officer("Officer O", role=Role.SUPERVISOR)
    matter = an_appeal(proposer)
    appeal = queries.appeals().get(case=matter.case)
    facts: dict[str, Any] = {"points": {"fact": ("dismissed", WORDS)}, "text": "", "now": LATER + 4 * DAY}

    def decide(user: User) -> None:
        appeals.decide(appeal=appeal, user=user, **facts)

    def row(user: User) -> None:
        appeal.points.update(outcome="dismissed")
        Appeal.objects.filter(pk=appeal.pk).update(decided_at=LATER + 4 * DAY, decided_by=user)

    matter.act(other)
    assert is_let_through(decide, other) and is_let_through(row, other)
    one_person(proposer, other)
    with pytest.raises(appeals.MayNotDecide), transaction.atomic():
        decide(other)
    with pytest.raises(DatabaseError, match="had a part"), transaction.atomic():
        row(other)


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


@pytest.mark.parametrize("part", PARTS)
def test_nobody_decides_an_appeal_who_had_any_part(part: str, one_person: Callable[..., None]) -> None:
    user = an_officer("Officer A", role=Role.SUPERVISOR)
    case = a_case()
    PARTS[part](case, user)
    assert user.pk in reviewing.with_part_in(fresh(case), [user])
    appeal = Appeal.objects.create(case=case, number=1, against="silence", begun_at=LATER)
    Appeal.objects.filter(pk=appeal.pk).update(
        sent_at=LATER, sent_by="person:x", grounds=["silence"], due_at=LATER + 30 * DAY
    )
    appeal = queries.appeals().get(pk=appeal.pk)
    other = an_officer("Officer O", role=Role.SUPERVISOR)
    assert queries.why_not(appeal, other) is None
    one_person(user, other)
    for account in (user, other):
        with pytest.raises(appeals.MayNotDecide):
            appeals.take(appeal=appeal, user=account, now=LATER + DAY)
        with pytest.raises(DatabaseError, match="had a part"), transaction.atomic():
            Appeal.objects.filter(pk=appeal.pk).update(assigned_to=account)
