"""Reads of questions and answers. An operator reaches its own through `question_for_operator` and nothing else."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.module_loading import import_string

from rahdari.db.asked import Asked
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.rules import WITHDRAWN, Move
from rahdari.people.models import User
from rahdari.programs import cursors, tokens

from . import rules
from .models import AnswerFile, ApiToken, Callback, CallbackDelivery, SubscriberAnswer, SubscriberQuestion
from .rules import OperatorAnswer, QuestionKind

OPERATOR = Kind(
    "confirm",
    SubscriberQuestion,
    answers=frozenset(OperatorAnswer),
    sealed=("subscriber", "name_masked", "reference"),
    with_file={"block": ""},
    # Silence leaves a question open: the operator is late.
    moves=frozenset({Move.ANSWER, Move.CORRECT, Move.WITHDRAW, Move.DROP}),
)
WITHIN_AN_HOUR = dt.timedelta(hours=1)


class QuestionNotFound(RahdariError):
    """There is no such question, or it is another operator's: nobody learns which. `.number` as asked for."""

    says = "{number}"
    number: str


class FileNotFound(RahdariError):
    """There is no such file of answers, or it is another operator's. `.id` as asked for."""

    says = "{id}"
    id: uuid.UUID


# -- for an operator -----------------------------------------------------------------------------------------------


def _of(operator: str) -> QuerySet[SubscriberQuestion]:
    return SubscriberQuestion.objects.filter(operator=operator).exclude(state=WITHDRAWN)


def question_for_operator(*, operator: str, number: str) -> SubscriberQuestion:
    """The gatekeeper. Raises QuestionNotFound, for another operator's as for none."""
    found = _of(operator).filter(number=number.strip().upper()).first()
    if found is None:
        raise QuestionNotFound(number)
    return found


def open_questions(*, operator: str) -> QuerySet[SubscriberQuestion]:
    """What the operator has not answered, least time left first."""
    return OPERATOR.waiting().filter(operator=operator).order_by("due_at", "asked_at", "id")


def open_count(*, operator: str) -> int:
    return open_questions(operator=operator).count()


def due_within(*, operator: str, now: dt.datetime, span: dt.timedelta = WITHIN_AN_HOUR) -> QuerySet[SubscriberQuestion]:
    return open_questions(operator=operator).filter(due_at__lte=now + span)


def answered_since(*, operator: str, since: dt.datetime) -> QuerySet[SubscriberQuestion]:
    """What the operator answered, the last answer first."""
    return _of(operator).filter(ended_at__gte=since).order_by("-ended_at", "id")


def open_after(*, operator: str, cursor: str, at_most: int) -> tuple[list[SubscriberQuestion], str]:
    """A page of open questions, oldest first, and the cursor of the next; an empty cursor when there is none.

    Raises ValueError for a cursor that was not given out.
    """
    found = open_questions(operator=operator).order_by("asked_at", "id")
    if cursor:
        asked_at, id = cursors.read(cursor)
        found = found.filter(Q(asked_at__gt=asked_at) | Q(asked_at=asked_at, id__gt=id))
    page = list(found[: at_most + 1])
    return page[:at_most], cursors.write(page[at_most - 1].asked_at, page[at_most - 1].pk) if len(
        page
    ) > at_most else ""


def is_own(question: SubscriberQuestion, by: str) -> bool:
    """Whether it is asked about an application of whoever answers."""
    return question.subject in import_string(settings.OWN_SUBJECTS)(by)


def asked_of(*, operator: str, numbers: Iterable[str], by: str, now: dt.datetime) -> Mapping[str, rules.Asked]:
    """What the rows of a file that somebody sends (`by`) are held against: the operator's own questions, by number."""
    own = import_string(settings.OWN_SUBJECTS)(by)
    found = _of(operator).filter(number__in={number.strip().upper() for number in numbers})
    return {
        question.number: rules.Asked(
            QuestionKind(question.kind),
            closed=not question.accepts_answers(now),
            number=question.subscriber if question.is_mobile else "",
            own=question.subject in own,
        )
        for question in found
    }


def file_for_operator(*, operator: str, id: uuid.UUID) -> AnswerFile:
    """The gatekeeper of files. Raises FileNotFound."""
    found = AnswerFile.objects.filter(operator=operator, pk=id).first()
    if found is None:
        raise FileNotFound(id)
    return found


# -- for the rooms above -------------------------------------------------------------------------------------------


def question_about(*, target: str, operator: str | None = None) -> SubscriberQuestion | None:
    """The question asked about a target that was not withdrawn: of this operator, or the newest of any."""
    found = SubscriberQuestion.objects.filter(target=target).exclude(state=WITHDRAWN)
    if operator is not None:
        found = found.filter(operator=operator)
    return found.order_by("-asked_at", "id").first()


def questions_of(subject: str) -> QuerySet[SubscriberQuestion]:
    return SubscriberQuestion.objects.filter(subject=subject).order_by("asked_at", "id")


def questions_with_answers(subject: str) -> QuerySet[SubscriberQuestion]:
    """The same; of each, `was_answered` is whether it ever was."""
    answers = SubscriberAnswer.objects.filter(question=OuterRef("pk")).order_by()
    return questions_of(subject).annotate(was_answered=Exists(answers))


_open = Asked(lambda subjects: OPERATOR.waiting().filter(subject__in=subjects).order_by("asked_at", "id"))


def open_by_subject(subjects: Iterable[str]) -> dict[str, dict[str, SubscriberQuestion]]:
    """What operators have not answered of these subjects, by what each question is about, in one query."""
    found: dict[str, dict[str, SubscriberQuestion]] = {}
    for question in _open(list(subjects)):
        found.setdefault(question.subject, {})[question.target] = question
    return found


def late(*, now: dt.datetime) -> QuerySet[SubscriberQuestion]:
    """Open questions about addresses whose time to answer is over, those late longest first."""
    return OPERATOR.past_due(now).filter(kind=QuestionKind.SUBSCRIBER)


def usual_time(*, operator: str, since: dt.datetime) -> dt.timedelta | None:
    """How long half of an operator's answers took at most, of the last hundred; None while it has not answered."""
    return OPERATOR.usual_time(since=since, fewest=1, operator=operator)


# -- tokens and callbacks ------------------------------------------------------------------------------------------


def token_shown(text: str, *, now: dt.datetime) -> ApiToken | None:
    """The token that a program shows, while it counts."""
    return tokens.shown(ApiToken.objects.all(), text, now=now)


def tokens_of(*, operator: str, now: dt.datetime) -> QuerySet[ApiToken]:
    return tokens.live(ApiToken.objects.filter(operator=operator), now=now)


def keys_made_by(*, operator: str, user: User, now: dt.datetime) -> QuerySet[ApiToken]:
    """The operator's keys that this person made and may have a copy of, as far as they work."""
    return tokens_of(operator=operator, now=now).filter(made_by=f"person:{user.pk}")


def callback_of(*, operator: str) -> Callback | None:
    return Callback.objects.filter(operator=operator, ended_at__isnull=True).first()


def deliveries_of(callback: Callback) -> QuerySet[CallbackDelivery]:
    """The newest first."""
    return CallbackDelivery.objects.filter(webhook=callback).order_by("-made_at", "id")
