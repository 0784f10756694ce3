"""The workflow: the only room that knows the order of the rooms.

    apply -> checks -> decide -> register -> publish

Stations never push. Each step is a queue: a query finds what waits, one idempotent act moves one item on, in a
transaction of its own. It can be run again after any crash: what was done is found done, what was not is done now. One
item that fails is put back for a while, counted, and holds nobody else up (`db.queues`). PostgreSQL is the queue;
`db.wake` saves waiting, and `db.gate` the asking: all steps that have nothing to do cost one query.

The publisher's step (`publish`) runs in a process of its own, since it holds keys; operators follow by themselves.
"""

import datetime as dt
from collections.abc import Collection
from functools import partial
from typing import Any

from rahdari import optional
from rahdari.appeal import actions as appeals
from rahdari.apply import queries as applications
from rahdari.calendar.seen import looking_once
from rahdari.complaint import actions as complaints
from rahdari.confirm import callbacks
from rahdari.consult import actions as drafts
from rahdari.consult import answering, claiming, speaking
from rahdari.consult import telling as letters_of_drafts
from rahdari.control import attempts
from rahdari.control import queries as proofs
from rahdari.db import queues
from rahdari.db.gate import NEVER, Batch, Gate
from rahdari.db.queues import Queue, attempt
from rahdari.decide import deadlines, ending
from rahdari.incident import clocks as incidents
from rahdari.incident import packs
from rahdari.incident.queries import packs_to_make
from rahdari.invite import actions as invitations
from rahdari.maintenance import moving, telling
from rahdari.maintenance import queries as planned
from rahdari.publish import actions as publishing
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.watch import erasing as watch

from . import representing
from .checking import answer_checks, decide_what_is_answered, open_checks
from .clocks import (
    delete_idle_drafts,
    draw_second_looks,
    end_proofs_of_removed_addresses,
    erase_desk_entries,
    erase_documents,
    follow_calendar,
    follow_directory,
    notify_of_expiry,
)
from .connections import count_days
from .contact_letters import tell_contacts
from .draft_effects import replay_drafts
from .employment_proofs import CLIENTS, take_in_proofs
from .entering import enter_grants
from .figures import publish_months
from .inquiries import Asked, all_of
from .late_answers import RESTS, follow_news, recheck, take_in_late_proofs
from .operator_checks import OPERATORS, erase_subscribers, mark_silent_provisional
from .overdue import count_overdue
from .provisional import (
    conclude_answered,
    conclude_answered_before,
    conclude_ending,
    prolong_provisional,
    remind_of_provisional,
)
from .reminding import notify_of_grace, remind
from .representing import end_not_shown
from .reproving import LOOKS_AGAIN, follow_reproofs, prove_in_term, prove_rerouted
from .retention import (
    erase_card_numbers,
    erase_complaints,
    erase_evidence,
    erase_files_of_cases,
    erase_files_of_nothing,
    erase_incidents,
    erase_notices,
    forget_allowances,
    forget_deliveries,
    forget_ended_sessions,
    forget_entries,
    forget_holders,
)
from .step import A_DAY, A_MINUTE, AN_HOUR, TEN_MINUTES, Place, Run, Step, together
from .still_right import ask_again, ask_whether_right
from .unsupported import notify_of_terms


class Rounds:
    """What one round leaves to the next: when each step that rests had nothing to do, when a queue was looked through
    in vain, when all were run unasked, and the question whether anything waits. It is not asked of a step that `rests`;
    of all when this is for one round alone."""

    def __init__(self, *, rests: bool = True) -> None:
        self.rests = rests
        self.idle: dict[str, dt.datetime] = {}
        self.in_vain: dict[Run, dt.datetime] = {}
        self.whole_at = NEVER
        self.gate = Gate([part for step in STEPS for part in self.asked(step)], under=applications.policy_in_force)

    def asked(self, step: Step) -> tuple[Queue[Any] | Batch, ...]:
        """Those parts of it that are asked."""
        return () if step.rests and self.rests else step.queues


def advance(*, now: dt.datetime, rounds: Rounds | None = None, woken: bool = True) -> dict[str, int]:
    """Run every step in which something waits once, in order; return how many items each moved. A step that fails is
    said in the log, and holds the others up no more than an item that fails. Raises only when the database is away.

    What waits is asked of all steps at once, and again after an act of one: it may have brought something to another.
    `rounds` is the caller's, given again each time. Without it none rests. With it all run every ten minutes unasked.
    When nobody has woken us, queues that were looked through in vain rest: what they hold waits for somebody.
    """
    unasked = rounds is not None and abs(now - rounds.whole_at) >= TEN_MINUTES
    rounds = Rounds(rests=False) if rounds is None else rounds
    rounds.whole_at = now if unasked else rounds.whole_at
    moved: dict[str, int] = {}
    waiting: Collection[Run] | None = None
    for step in STEPS:
        if step.pause and abs(now - rounds.idle.get(step.name, NEVER)) < step.pause:
            continue
        run, parts = step.run, list[Run]()
        if (asked := rounds.asked(step)) and not unasked:
            waiting = rounds.gate.ask_or_all("workflow", now) if waiting is None else waiting
            parts = [part for part in step.parts if part in waiting or part not in asked]
            if not woken:
                parts = [part for part in parts if abs(now - rounds.in_vain.get(part, NEVER)) >= IN_VAIN]
            if not parts:
                moved[step.name] = 0
                continue
            run = together(*parts)
        before = queues.acts
        with looking_once():
            moved[step.name] = attempt("workflow", step.name, partial(run, now=now), now)
        if moved[step.name] or queues.acts != before:
            waiting = None
            rounds.in_vain.clear()
        else:
            rounds.in_vain |= dict.fromkeys(parts, now)
        if step.pause and not moved[step.name]:
            rounds.idle[step.name] = now
    return moved


def look(*, now: dt.datetime) -> int:
    """Look for the tokens that are due, and tell operators' systems of questions. Returns how many of these there were.

    No step of `advance`: it waits for servers of strangers, and a slow one of them must not hold the line up.
    """
    return sum(each(now) for each in LOOKS)


def publish(*, now: dt.datetime) -> int:
    """The publisher's step: every committed change into an edition, once and in order. Returns the editions made."""
    return publishing.publish_editions(now=now)


# So long after it was looked through in vain, what waits for somebody is looked through unwoken: a wake-up may be lost.
IN_VAIN = dt.timedelta(seconds=10)


def _of_optional_rooms(place: Place) -> tuple[Step, ...]:
    return tuple(step for steps in optional.given(__package__, "STEPS") for step in steps.get(place, ()))


LOOKS = (
    Batch(lambda now: callbacks.OUTBOX.due(now), callbacks.deliver_due),
    Batch(lambda now: proofs.looks_due(now=now), attempts.look_at_due),
    Batch(lambda now: packs_to_make(now), packs.make_due),
)
# Who outside is asked, each once about one thing (`inquiry`).
ANNOUNCERS = Asked(planned.ANOTHER_NIGHT, deliver=moving.deliver, erase=moving.erase)
PARTIES: tuple[Asked, ...] = (CLIENTS, *optional.given(__package__, "PARTY"), OPERATORS, ANNOUNCERS)
STEPS: tuple[Step, ...] = (
    Step("apply -> checks", open_checks),
    Step("apply: addresses removed", end_proofs_of_removed_addresses),
    Step("apply -> checks: later proofs", take_in_proofs),
    Step("inquiries: ask", all_of(PARTIES, lambda party: (party.ask,))),
    Step("inquiries: end", all_of(PARTIES, lambda party: (party.withdraw, party.kind.expire))),
    *_of_optional_rooms(Place.DELIVERY),
    Step("inquiries: deliver", all_of(PARTIES, lambda party: (party.deliver,))),
    Step("inquiries: remind", all_of(PARTIES, lambda party: (party.remind,)), clock=True),
    Step("inquiries: erase", all_of(PARTIES, lambda party: (party.erase,)), clock=True),
    *_of_optional_rooms(Place.CHECKS),
    Step("confirm -> checks: operators that are late", mark_silent_provisional, clock=True),
    Step("checks: not shown in time", end_not_shown, clock=True),
    Step("checks", answer_checks),
    Step("checks: numbers of proved addresses", representing.compare_numbers),
    Step("checks: proofs that came late", take_in_late_proofs, rests=RESTS),
    *_of_optional_rooms(Place.BEFORE_DECISIONS),
    Step("checks -> decide", decide_what_is_answered),
    Step("decide: look again", recheck, rests=RESTS),
    Step("decide: what came late", follow_news),
    Step("decide -> register", enter_grants),
    Step("people: tell the contacts of numbers", tell_contacts, clock=True),
    *_of_optional_rooms(Place.REGISTERED),
    Step("register: settle provisional ones", conclude_answered),
    Step("register: settle those that were answered before", conclude_answered_before, rests=A_MINUTE),
    Step("register: settle those that end soon", conclude_ending, clock=True),
    Step("decide: follow the calendar", follow_calendar),
    Step("decide: warn before a case is late", deadlines.warn_before_late, rests=A_MINUTE),
    Step("clocks", together(deadlines.end_unanswered, deadlines.escalate_late)),
    Step("appeals", together(appeals.run_out, appeals.overtake, appeals.close_carried_out), clock=True),
    Step(
        "complaints",
        together(
            *(complaints.look_up, complaints.let_answer_lapse, complaints.run_out, complaints.tell, complaints.forget)
        ),
        clock=True,
    ),
    Step("complaints: erase", erase_complaints, rests=AN_HOUR),
    Step("consult: tell", together(drafts.tell_of_words, answering.tell, letters_of_drafts.tell_signers)),
    Step("consult -> decide: try drafts on past cases", replay_drafts),
    Step("invite: end", invitations.end, clock=True),
    Step("consult: take names off", claiming.take_off, clock=True),
    Step("consult: forget", together(drafts.let_go, speaking.forget), clock=True),
    Step("maintenance -> incidents", incidents.report_overruns, rests=A_MINUTE),
    Step("watch -> incidents", incidents.report_measured, rests=A_MINUTE / 4),
    Step("incidents: follow what is cut", incidents.follow, rests=A_MINUTE / 4),
    Step("incidents: ask for reports", incidents.chase_report, clock=True),
    Step("incidents: erase", erase_incidents, rests=AN_HOUR),
    Step("maintenance: work out who hears", telling.spread, clock=True),
    Step("maintenance: tell", telling.tell),
    Step("maintenance: tell the rest of a day", telling.gather, clock=True),
    Step("maintenance: erase notices", erase_notices, rests=AN_HOUR),
    Step("apply: erase desk entries", erase_desk_entries, clock=True),
    Step("apply: delete idle drafts", delete_idle_drafts, clock=True),
    Step("apply: erase documents", erase_documents, clock=True),
    Step("apply: erase card numbers", erase_card_numbers, rests=AN_HOUR),
    Step("control: erase evidence", erase_evidence, rests=AN_HOUR),
    Step("watch: end with the entry", watch.end_with_the_entry, rests=TEN_MINUTES),
    Step("publish -> watch: count days that are over", count_days, rests=AN_HOUR),
    Step("watch: erase what is old", watch.erase_old, rests=AN_HOUR),
    Step("erase files", together(erase_files_of_nothing, erase_files_of_cases), rests=AN_HOUR),
    Step("register: forget holders", forget_holders, rests=AN_HOUR),
    Step("register: forget addresses", forget_entries, rests=AN_HOUR),
    Step("register: prolong provisional ones", prolong_provisional),
    Step("erase subscribers", erase_subscribers, rests=AN_HOUR),
    Step("register: go on after a pause", ending.resume_due, clock=True),
    Step("register: expire", register.expire_due, clock=True),
    *_of_optional_rooms(Place.ENTRIES),
    Step("register: end what is due", address_changes.end_entries_due),
    Step("register: follow the directory", follow_directory, rests=A_MINUTE),
    Step("register -> control: prove again in the term", prove_in_term, rests=LOOKS_AGAIN),
    Step("register -> control: prove again when rerouted", prove_rerouted, rests=A_MINUTE),
    Step("control: proved again, or in vain", follow_reproofs),
    Step("remind", remind, rests=A_MINUTE),
    Step("register: tell of the grace", notify_of_grace, rests=A_MINUTE),
    Step("register: ask whether it is still right", together(ask_again, ask_whether_right), rests=AN_HOUR),
    Step("register: remind of provisional terms", remind_of_provisional, rests=A_MINUTE),
    Step("register: tell of expiry", notify_of_expiry, rests=A_MINUTE),
    Step("sampling: draw decisions to look at again", draw_second_looks, rests=TEN_MINUTES),
    Step("figures: count what was due and is not erased", count_overdue, rests=AN_HOUR),
    Step("figures: publish months", publish_months, rests=AN_HOUR),
    Step("publish: tell of the terms", notify_of_terms, rests=AN_HOUR),
    Step("letters: forget deliveries", forget_deliveries, rests=A_DAY),
    Step("people: forget ended sessions", forget_ended_sessions, rests=A_DAY),
    Step("web: forget allowances", forget_allowances, rests=A_DAY),
    *_of_optional_rooms(Place.LAST),
)
