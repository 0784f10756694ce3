"""Every act is tried in every state that the acts themselves reach, through PostgreSQL: what happens is what the table
of moves says. The walk begins at an application before an officer, at a grant that stands, and at one that stands
provisionally, and goes on from each new state. `-s` prints how many states and moves it has covered.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from rahdari import workflow
from rahdari.apply import queries as applications
from rahdari.apply import sending
from rahdari.apply.late_evidence import File
from rahdari.checks import checking
from rahdari.checks import queries as checks
from rahdari.checks.rules import Answer
from rahdari.decide import (
    assignment,
    case_clock,
    deadlines,
    ending,
    evidence,
    granting,
    hearings,
    operators,
    queries,
    questions,
    recusing,
    refusals,
    reviewing,
    revocation,
    rules,
    set_aside,
    unreached_addresses,
)
from rahdari.decide.models import Case, Decision, Notice
from rahdari.decide.rules import CaseStanding, HearingState, Status
from rahdari.errors import RahdariError
from rahdari.journal.models import JournalEntry
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.publish import actions as publish
from rahdari.register import actions as registering
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from tests.builders.cases import (
    HOUR,
    NOW,
    PAPER,
    a_case,
    a_decided_application,
    a_gateway,
    a_person,
    an_application,
    an_officer,
)
from tests.builders.drafts import a_pdf
from tests.builders.rules import suspending_first
from tests.decide.test_rules import after
from tests.walk_of_acts import NothingThere, Walk

pytestmark = [pytest.mark.django_db, pytest.mark.whole]
WORDS = "So it is in the file."
COPY = File("order.pdf", a_pdf())


@dataclass
class World:
    """One case, and everybody who acts in it. Each act happens some hours after the one before."""

    case: Case
    officer: User
    second: User
    supervisor: User
    now: dt.datetime

    def step(self) -> None:
        self.now += HOUR

    @property
    def standing(self) -> tuple[CaseStanding, bool]:
        case = self.fresh()
        return case.standing, case.application.status == "withdrawn"

    @property
    def state(self) -> object:
        decision = queries.decision_of(self.case)
        found = decision.registration if decision is not None else None
        return (
            self.standing,
            decision is not None and (decision.outcome, decision.is_provisional),
            found is not None and entries.standing(entries.fresh(found), self.now),
            revocation.taken_back(self.case).exists(),
            case_clock.policy_of(self.case.application).before_hearing is not None,
        )

    @property
    def actor(self) -> str:
        return f"person:{self.case.application.applicant_id}"

    def fresh(self) -> Case:
        self.case = queries.cases().get(pk=self.case.pk)
        return self.case

    def in_hands(self) -> Case:
        """The case, which the officer takes where nobody has it."""
        with suppress(RahdariError), transaction.atomic():
            assignment.take_case(case=self.case, officer=self.officer, now=self.now)
        return self.fresh()

    def notice(self) -> Notice:
        found = queries.open_notice(self.fresh()) or Notice.objects.filter(case=self.case).order_by("sent_at").last()
        return _some(found)

    def decision(self) -> Decision:
        return _some(Decision.objects.filter(case=self.case).order_by("at").last())

    def registration(self) -> Registration:
        return _some(self.decision().registration)


def _some[T](found: T | None) -> T:
    if found is None:
        raise NothingThere
    return found


def until_over(world: World, due: dt.datetime, said: str) -> None:
    """The clock comes by when a time is over, and does what is due then: `said` is how the journal names it."""
    world.now = max(world.now, due) + HOUR
    deadlines.close_unanswered(now=world.now)
    found = JournalEntry.objects.filter(subject=world.case.application.subject, at=world.now, act__startswith="decide.")
    if [row.act for row in found] != [f"decide.{said}"]:
        raise NothingThere


def grant(world: World) -> object:
    case = world.in_hands()
    for check in checks.checks_of(case.application.subject):
        if check.outcome != "passed":
            assignment.record_check(
                case=case, officer=world.officer, check=check.pk, outcome="passed", how=WORDS, now=world.now
            )
    decision = granting.grant(case=case, officer=world.officer, now=world.now)
    workflow.enter_grants(world.now)
    return decision


def failed(world: World) -> None:
    """What the provisional grant waited for did not come."""
    given = {"subject": world.case.application.subject, "kind": "documents", "target": "", "actor": "system:workflow"}
    checking.answer_check(found=Answer("passed", "all_there"), now=world.now, **given)


def question(world: World) -> Any:
    return _some(world.case.questions.order_by("asked_at").last())


def run_out(world: World) -> None:
    until_over(world, case_clock.notice_due_at(world.notice()), "notice_ran_out")


def lapse(world: World) -> None:
    until_over(world, _some(world.notice().decide_by), "proposal_lapsed")


def end_suspension(world: World) -> None:
    found = entries.fresh(world.registration())
    world.now = max(world.now, _some(found.suspended_until)) + HOUR
    if not ending.resume_due(now=world.now):
        raise NothingThere


def confirm(world: World) -> None:
    failed(world)
    if not world.decision().is_provisional:
        raise NothingThere
    granting.confirm_grant(decision=world.decision(), now=world.now)


def set_hearing(world: World) -> None:
    notice, at = world.notice(), world.now
    if notice.hearing == HearingState.ASKED:
        at, _last = case_clock.notice_heard_between(notice, world.now)
    hearings.set_hearing(case=world.case, officer=world.officer, starts_at=at, place="Room 1", why=WORDS, now=world.now)


def record_hearing(world: World) -> None:
    to_come = hearings.to_come(world.notice())
    if to_come is None:
        set_hearing(world)
        to_come = _some(hearings.to_come(world.notice()))
    world.now = to_come.starts_at + HOUR
    hearings.record_hearing(case=world.case, officer=world.officer, attended="Both", minutes=WORDS, now=world.now)


def set_aside_revocation(world: World) -> None:
    taken = _some(revocation.taken_back(world.case).first())
    if set_aside.set_aside_revocation(taken=taken, actor="appeal:x", now=world.now) is None:
        raise NothingThere


def propose_revocation(world: World) -> None:
    """For evidence that expired, which a rule may find renewed; or at once, where the rules in force allow that."""
    code = "S4" if case_clock.policy_of(world.case.application).before_hearing else "S1"
    facts = {"text": WORDS, "evidence": WORDS, "paper": PAPER, "now": world.now, "before_hearing": code == "S4"}
    revocation.propose_revocation(case=world.case, officer=world.officer, code=code, **facts)  # type: ignore[arg-type]


def return_provisional(world: World) -> None:
    if not world.decision().is_provisional or world.decision().voided_at is not None:
        raise NothingThere
    granting.return_provisional(decision=world.decision(), why="ending", now=world.now)


def return_grant(world: World) -> None:
    """Another holder was quicker: the grant cannot be entered."""
    if world.decision().entered_at is not None or world.decision().voided_at is not None:
        raise NothingThere
    granting.return_grant(decision=world.decision(), why="overlap", now=world.now)


def name_network(world: World) -> None:
    facts = {"officer": world.officer, "operator": "sample-fibre", "now": world.now}
    unreached_addresses.name_network(case=world.in_hands(), **facts)  # type: ignore[arg-type]


def ask_operator(world: World) -> None:
    """Of a network that is named first where the directory does not know it."""
    with suppress(RahdariError), transaction.atomic():
        name_network(world)
    operators.ask_operator(case=world.in_hands(), officer=world.officer, now=world.now)


def by_rule(world: World) -> None:
    """The other holder of the address gives it up before an officer has done anything."""
    [endpoint] = applications.endpoints_of(world.case.application)
    for entry in entries.overlapping_active(block=endpoint.network):
        registering.strike_out(registration=entry.registration, code="X1", actor="person:1", now=world.now)
    checking.recheck(subject=world.case.application.subject, kind="not_registered", now=world.now)
    if not granting.decide_late(case=world.case, now=world.now):
        raise NothingThere


def release(world: World) -> None:
    """Whoever has the case loses their post."""
    if world.in_hands().assigned_to is None:
        raise NothingThere
    _some(world.case.assigned_to).posts.update(ended_at=world.now)
    if not deadlines.release_left(now=world.now):
        raise NothingThere


def name_reviewer(world: World) -> None:
    """Nobody is in the office but who proposed it."""
    proposer = world.notice().proposed_by
    for user in (world.officer, world.second, world.supervisor):
        user.posts.update(ended_at=world.now)
    people.appoint(user=proposer, role=Role.SUPERVISOR, actor="system:test", now=world.now)
    facts = {"reviewer": a_person(), "who": WORDS, "now": world.now}
    reviewing.name_for_proposal(case=world.case, supervisor=proposer, **facts)  # type: ignore[arg-type]


ACTS: dict[str, Callable[[World], object]] = {
    "grant_by_rule": by_rule,
    "take_case": lambda w: assignment.take_case(case=w.case, officer=w.officer, now=w.now),
    "hand_over": lambda w: assignment.hand_over(case=w.in_hands(), officer=w.officer, to=w.second, now=w.now),
    "reassign": lambda w: assignment.hand_over(case=w.case, officer=w.supervisor, to=w.officer, now=w.now),
    "release_case": release,
    "recuse": lambda w: recusing.recuse(case=w.case, officer=w.supervisor, why=WORDS, now=w.now),
    "ask_for_another_officer": lambda w: recusing.ask_for_another(
        case=w.in_hands(), actor=w.actor, why=WORDS, now=w.now
    ),
    "record_check": lambda w: assignment.record_check(
        case=w.in_hands(),
        officer=w.officer,
        check=checks.checks_of(w.case.application.subject)[0].pk,
        outcome="passed",
        how=WORDS,
        now=w.now,
    ),
    "name_network": name_network,
    "ask_operator": ask_operator,
    "grant": grant,
    "ask_question": lambda w: questions.ask_question(case=w.in_hands(), officer=w.officer, code="Q4", now=w.now),
    "extend_question": lambda w: questions.extend_question(question=question(w), actor=w.actor, now=w.now),
    "answer_question": lambda w: questions.answer_question(
        question=question(w), answer=WORDS, actor=w.actor, now=w.now
    ),
    "close_unanswered": lambda w: until_over(w, case_clock.question_due_at(question(w)), "closed_unanswered"),
    "propose_refusal": lambda w: refusals.propose_refusal(
        case=w.in_hands(), officer=w.officer, codes=["R4"], text=WORDS, named=WORDS, now=w.now
    ),
    "answer_notice": lambda w: refusals.answer_notice(notice=w.notice(), answer=WORDS, actor=w.actor, now=w.now),
    "let_notice_run_out": run_out,
    "drop_refusal": lambda w: refusals.drop_refusal(case=w.case, officer=w.officer, why=WORDS, now=w.now),
    "second_refusal": lambda w: refusals.second_refusal(case=w.case, officer=w.second, because=WORDS, now=w.now),
    "escalate": lambda w: until_over(w, case_clock.clock_of(w.case, w.now).due_at, "escalated"),
    "close_withdrawn": lambda w: until_over(w, w.now, "closed_withdrawn"),
    "return_grant": return_grant,
    "confirm_grant": confirm,
    "return_provisional": return_provisional,
    "propose_revocation": propose_revocation,
    "propose_by_order": lambda w: revocation.propose_by_order(
        case=w.case,
        officer=w.officer,
        code="X6",
        order="W.P. 1 of 2026",
        text=WORDS,
        evidence=WORDS,
        copy=COPY,
        now=w.now,
    ),
    "suspend_before_hearing": lambda w: revocation.suspend_before_hearing(
        case=w.case, officer=w.second, because=WORDS, now=w.now
    ),
    "ask_for_hearing": lambda w: hearings.ask_for_hearing(notice=w.notice(), actor=w.actor, now=w.now),
    "set_hearing": set_hearing,
    "record_hearing": record_hearing,
    "let_proposal_lapse": lapse,
    "keep_registration": lambda w: revocation.keep_registration(case=w.case, officer=w.officer, why=WORDS, now=w.now),
    "second_revocation": lambda w: revocation.second_revocation(
        case=w.case, officer=w.second, because=WORDS, now=w.now
    ),
    "restore_registration": lambda w: revocation.restore_registration(
        case=w.case, officer=w.officer, why=WORDS, now=w.now
    ),
    "name_reviewer": name_reviewer,
    "end_suspension": end_suspension,
    "restore_by_rule": lambda w: ending.restore_renewed(registration=entries.fresh(w.registration()), now=w.now),
    "set_aside_refusal": lambda w: set_aside.set_aside_refusal(case=w.case, actor="appeal:x", allowed=True, now=w.now),
    "set_aside_revocation": set_aside_revocation,
}

# What of the table happens before the walk begins.
BEGUN = {"granted": "decide.granted_by_rule", "provisional": "decide.granted_provisionally"}


def begin(name: str) -> World:
    a_gateway()
    publish.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], gateway=False, now=NOW)
    match name:
        case "granted":
            application = a_decided_application()
            workflow.enter_grants(NOW)
        case "overtaken":
            application = a_decided_application()
        case "untouched":
            address = a_decided_application().endpoints.get().block
            workflow.enter_grants(NOW)
            application = an_application(address=str(address))
            workflow.advance(now=NOW)
        case "provisional":
            application = an_application(evidence="work_profile")
            workflow.advance(now=NOW)
        case _:
            application = a_case().application
    if name == "withdrawn":
        sending.withdraw_application(application=application, actor="person:x", now=NOW)
    acts = JournalEntry.objects.filter(subject=application.subject).values_list("act", flat=True)
    assert BEGUN.get(name, "decide.opened_case" if name != "overtaken" else "decide.granted_by_rule") in acts
    return World(
        _some(queries.case_of(application)),
        officer=an_officer("Officer A"),
        second=an_officer("Director B", role=Role.OFFICER, rank="director"),
        supervisor=an_officer("Supervisor C", role=Role.SUPERVISOR),
        now=NOW,
    )


def after_it(act: str, before: tuple[CaseStanding, bool]) -> list[tuple[CaseStanding, bool]] | None:
    """One that its applicant withdrew allows nothing but that it is closed."""
    standing, is_withdrawn = before
    move = rules.move_from(standing.status, act)
    if move is None or not move.fits(standing) or (is_withdrawn and act != "close_withdrawn"):
        return None
    return [(after(move, standing), is_withdrawn)]


def test_every_act_in_every_state_does_what_the_table_says(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, settings: Any, tmp_path: Path
) -> None:
    walk = Walk(ACTS, after_it, (RahdariError, granting.ChecksMissing, evidence.EvidenceMissing))
    for name in ("denied", "withdrawn", "granted", "overtaken", "provisional"):
        walk.begin(partial(begin, name))
    # Nobody was asked about it, and no officer has touched it.
    untouched = Walk({act: ACTS[act] for act in ("ask_operator", "grant_by_rule")}, after_it, walk.refusals)
    untouched.begin(partial(begin, "untouched"))
    walk.made |= untouched.made
    suspending_first(settings, tmp_path)
    walk.begin(partial(begin, "granted"))
    made = {(standing.status, act) for (standing, _withdrawn), act in walk.made}
    # The last one is made before there is anything to try: `begin` looks whether it was.
    missing = {(move.source, move.act) for move in rules.MOVES} - made - {(Status.OPEN, "grant_provisionally")}
    assert not missing
    assert not caplog.records, "the clock came by and could not act"
    with capsys.disabled():
        print("\n" + walk.report("cases", len(rules.MOVES)))
