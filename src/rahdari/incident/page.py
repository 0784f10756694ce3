"""What the pages of an incident show to each of its readers: the same facts, and of others none that is theirs."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.web import values

from . import applied, measured, queries, words
from .applied import Applied
from .measured import NOBODY_LOOKS, Asked
from .models import Happening, Incident, Report
from .rules import ENDED, By, Look, State

_TITLES = {
    "open": lambda: _("Reported"),
    "join": lambda: _("Reported once more, with the same cause"),
    "add": lambda: _("A message of the holder"),
    "say_it_works": lambda: _("It works again, its holder says"),
    "withdraw": lambda: _("The report was withdrawn"),
    "dispute": lambda: _("Its holder disputes that"),
    "open_again": lambda: _("Its holder opened it again"),
    "acknowledge": lambda: _("Read"),
    "answer": lambda: _("Cause found"),
    "tell": lambda: _("A message of the people who mend it"),
    "say_mended": lambda: _("Reported as repaired"),
    "disclaim": lambda: _("Reported: nothing needs repair"),
    "hand_back": lambda: _("Answered: another network has the address"),
    "assign": lambda: _("The operator was found and asked"),
    "merge": lambda: _("It has the cause of another disruption"),
    "report": lambda: _("What happened, and what changes"),
    "overrun": lambda: _("The announced work is not over in its time"),
    "escalate": lambda: _("No answer in time: a supervisor was told"),
    "escalate_mend": lambda: _("Not mended in time: a supervisor was told"),
    "escalate_report": lambda: _("No report in time: a supervisor was told"),
    "find_cut": lambda: _("It was reported as repaired and does not answer: a supervisor was told"),
    "let_stand": lambda: _("Nobody disputed it"),
}


@dataclass(frozen=True)
class Step:
    title: str
    at: dt.datetime
    by: str
    reason: str
    words: str


@dataclass(frozen=True)
class Clock:
    """The next thing that somebody has to do in time; `share` of it is used, 0 to 1."""

    waits_for: str  # answer | mend | report
    due_at: dt.datetime
    left: dt.timedelta
    is_late: bool
    share: float


@dataclass(frozen=True)
class Connection:
    """One connection that is cut, as its reader sees it."""

    report: Report
    address: str
    sees: str
    own_side: str
    channel: str
    measured: str
    state: str
    tone: str
    applied: Applied | None
    looks: tuple[Look, ...] = ()
    asked: Asked = NOBODY_LOOKS


def _title(each: Happening) -> str:
    if each.act == "close":
        return _("It answers again: closed") if each.code == "looks" else _("Everybody says that it works: closed")
    return _TITLES[each.act]()


def _by(each: Happening) -> str:
    if each.by == By.OPERATOR:
        return each.operator.name if each.operator is not None else _("The Authority")
    return {By.HOLDER: "", By.DESK: _("The Authority"), By.CLOCK: ""}[By(each.by)]


def steps_of(happened: QuerySet[Happening]) -> list[Step]:
    return [
        Step(
            _title(each),
            each.at,
            _by(each),
            words.reason(each.code) if each.act in ("answer", "disclaim") else "",
            each.words,
        )
        for each in happened.select_related("operator")
    ]


def clock_of(incident: Incident, now: dt.datetime) -> Clock | None:
    """None where nobody who mends it is waited for: also once it is said to be mended, and while announced work covers
    it."""
    if incident.state in ENDED:
        if incident.report_due_at is None or incident.reported_at is not None or incident.ended_at is None:
            return None
        waits_for, since, due = "report", incident.ended_at, incident.report_due_at
    elif not incident.is_live or incident.is_muted(now):
        return None
    elif incident.state in (State.OPEN, State.ACKNOWLEDGED):
        waits_for, since, due = "answer", incident.answer_due_at - queries.times().first_answer, incident.answer_due_at
    elif incident.state == State.RESOLVED:
        return None
    else:
        waits_for, since, due = "mend", incident.mend_due_at - queries.times().mend, incident.mend_due_at
    used = (now - since) / (due - since)
    return Clock(waits_for, due, abs(due - now), now >= due, min(max(used, 0.0), 1.0))


def tone_of(incident: Incident) -> str:
    if incident.state in ENDED:
        return "ok" if incident.state == State.CLOSED_WITH_PROOF else "off"
    return "wait" if incident.state in (State.WITH_OPERATOR, State.RESOLVED) else "bad"


def lasted_words(incident: Incident, now: dt.datetime) -> str:
    return values.span_words(incident.lasted(now))


def connections_of(
    incident: Incident,
    reports: Iterable[Report],
    now: dt.datetime,
    *,
    may_see: Callable[[Report], bool] = lambda _: True,
) -> list[Connection]:
    """With what each look saw until its end, of those whose series the reader `may_see`. What the network has in force
    is known of now alone: it says nothing of an incident that ended."""
    reports, until = list(reports), incident.ended_at or now
    entries = queries.entries_of(reports)
    last = measured.lasts_of([each.subject for each in reports], now=now)
    seen_by = measured.looks_of([each.subject for each in reports if may_see(each)], incident.began_at, now=until)
    asked, found = measured.asked_of([each.subject for each in reports]), []
    for each in reports:
        seen, looks = last[each.subject], seen_by.get(each.subject, [])
        found.append(
            Connection(
                each,
                format_block(each.block) if each.block is not None else "",
                words.sees(each.sees),
                words.own_side(each.own_side),
                words.channel(each.channel),
                words.measured(seen.state),
                seen.state,
                {"in_order": "ok", "": "off", "not_enough": "off", "impaired": "warn"}.get(seen.state, "bad"),
                applied.applied_by(incident.operator, entries.get(each.pk), now) if incident.ended_at is None else None,
                tuple(looks),
                asked[each.subject],
            )
        )
    return found
