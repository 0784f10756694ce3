"""What the list of an operator's checks shows, row by row."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.address import format_block

from . import queries, words
from .models import SubscriberQuestion
from .rules import Given, Judged, OperatorAnswer

VIEWS = ("open", "hour", "answered", "changed")
SHOWN = 100
LATELY = dt.timedelta(days=30)
NEAR = 0.8


@dataclass(frozen=True)
class View:
    name: str
    title: str
    count: int


@dataclass(frozen=True)
class Wrong:
    """An answer that was not taken, beside its row."""

    number: str
    text: str


@dataclass(frozen=True)
class CheckRow:
    """One check as a row: what was asked, how long is left, what was said."""

    question: SubscriberQuestion
    left: dt.timedelta
    used_percent: int
    urgency: Literal["", "near", "late"]
    can_change: bool

    @property
    def number(self) -> str:
        return self.question.number

    @property
    def addresses(self) -> int:
        """How many addresses a block has, when it is more than one that a person can count."""
        block = self.question.network
        return block.num_addresses if block and block.version == 4 and block.num_addresses > 1 else 0

    @property
    def address(self) -> str:
        return format_block(self.question.network) if self.question.network else ""

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return words.reasons(self.question.kind)

    @property
    def text(self) -> str:
        return words.answer_text(self.question)

    @property
    def tone(self) -> str:
        return {OperatorAnswer.YES: "ok", OperatorAnswer.NO: "bad", OperatorAnswer.UNKNOWN: "off"}.get(
            OperatorAnswer(self.question.answer), "wait"
        )


@dataclass(frozen=True)
class RowResult:
    """A row of a file with what is said about it."""

    judged: Judged
    text: str

    @property
    def line(self) -> int:
        return self.judged.row.line

    @property
    def number(self) -> str:
        return self.judged.number


@dataclass(frozen=True)
class Desk:
    view: str
    views: tuple[View, ...]
    rows: tuple[CheckRow, ...]
    open: int
    late: int
    within_the_hour: int
    answered_today: int
    usual: dt.timedelta | None
    more: int


def desk(*, operator: str, view: str, now: dt.datetime) -> Desk:
    """The page of an operator's questions; `view` is `open`, `hour`, `answered` or `changed`."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    sources: dict[str, Callable[[], QuerySet[SubscriberQuestion]]] = {
        "open": lambda: queries.open_questions(operator=operator),
        "hour": lambda: queries.due_within(operator=operator, now=now),
        "answered": lambda: queries.answered_since(operator=operator, since=today),
        "changed": lambda: (
            queries.answered_since(operator=operator, since=now - LATELY)
            .annotate(given=Count("answers"))
            .filter(given__gt=1)
        ),
    }
    titles = {
        "open": pgettext("checks", "Open"),
        "hour": _("Due within an hour"),
        "answered": _("Answered today"),
        "changed": _("Answers we changed"),
    }
    view = view if view in VIEWS else "open"
    counts = {name: source().count() for name, source in sources.items()}
    rows = tuple(row(each, now) for each in sources[view]()[:SHOWN])
    return Desk(
        view=view,
        views=tuple(View(name, titles[name], counts[name]) for name in VIEWS),
        rows=rows,
        open=counts["open"],
        late=queries.open_questions(operator=operator).filter(due_at__lte=now).count(),
        within_the_hour=counts["hour"],
        answered_today=counts["answered"],
        usual=queries.usual_time(operator=operator, since=now - LATELY),
        more=max(0, counts[view] - SHOWN),
    )


def row(question: SubscriberQuestion, now: dt.datetime) -> CheckRow:
    """One question as a row of the desk, with the time left and the percentage of its time that has passed."""
    whole, gone = question.due_at - question.asked_at, now - question.asked_at
    share = gone / whole if whole else 1.0
    left = question.due_at - now
    urgency: Literal["", "near", "late"] = "late" if left <= dt.timedelta() else "near" if share >= NEAR else ""
    used = min(100, max(0, round(share * 100)))
    return CheckRow(question, left, used, urgency, question.accepts_answers(now))


def after(question: SubscriberQuestion) -> str:
    """The number of the check that stands under this one in the list of open ones."""
    found = queries.open_questions(operator=question.operator).exclude(pk=question.pk)
    # At night all that is asked is due at the same time.
    later = Q(due_at__gt=question.due_at) | Q(due_at=question.due_at, asked_at__gte=question.asked_at)
    following = found.filter(later).first() or found.first()
    return following.number if following else ""


def cells(question: SubscriberQuestion) -> list[str]:
    """A check as a row of the file to fill in."""
    shown = row(question, question.asked_at)
    due = question.due_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [question.number, due, question.subscriber, shown.address, question.name_masked, "", "", ""]


def given_text(given: Given | None) -> str:
    if given is None:
        return ""
    if given.answer is OperatorAnswer.NO:
        return _("No: %(reason)s") % {"reason": words.reason(given.reason)}
    return _("Yes, our subscriber") if given.answer is OperatorAnswer.YES else _("We cannot tell")
