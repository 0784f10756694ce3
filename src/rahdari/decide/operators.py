"""An officer asks operators whether an applicant is their subscriber. What they say decides nothing by itself."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction

from rahdari.address import format_block
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm import words as answers
from rahdari.confirm.models import SubscriberQuestion
from rahdari.errors import RahdariError
from rahdari.inquiry.rules import WITHDRAWN
from rahdari.people.models import User
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator

from . import case_clock
from .models import Case
from .transitions import begin, lock, record


class NoOperatorToAsk(RahdariError):
    """No address of the case has an operator that we know and that was not asked yet. `.case`."""

    says = "{case}: no operator to ask"
    case: Case


def answers_about(
    asked: Iterable[SubscriberQuestion], operators: Iterable[Operator]
) -> list[tuple[SubscriberQuestion, str, str, str]]:
    """Of each question to an operator the operator's name, the address, and what it said."""
    found = [each for each in asked if each.state != WITHDRAWN]
    names = {slug: name for slug, name, _asn in publish.with_networks(operators)}
    return [
        (
            question,
            names.get(question.operator, question.operator),
            format_block(question.network) if question.network else "",
            answers.answer_text(question),
        )
        for question in found
    ]


def to_ask(
    application: Application,
    asked: Iterable[SubscriberQuestion],
    endpoints: Iterable[Endpoint],
    operators: Sequence[Operator],
) -> list[tuple[Endpoint, Operator]]:
    """Of its addresses those whose operator is known and was not asked about them. None where no name was asked for: an
    operator knows its subscribers by that."""
    if not application.holder_name:
        return []
    told = {(question.target, question.operator) for question in asked if question.state != WITHDRAWN}
    known = [(each, publish.of_network(operators, each.asn)) for each in endpoints]
    return [(each, operator) for each, operator in known if operator and (each.subject, operator.slug) not in told]


@transaction.atomic
def ask_operator(*, case: Case, officer: User, now: dt.datetime) -> int:
    """Ask the operator of each address whether the applicant is its subscriber. Returns how many addresses it was asked
    about. Raises NoOperatorToAsk."""
    case = lock(case)
    actor = begin(case, "ask_operator", by=officer, now=now).actor
    application = case.application
    asked, endpoints = questions.questions_of(application.subject), applications.endpoints_of(application)
    found = to_ask(application, asked, endpoints, list(publish.active_operators()))
    if not found:
        raise NoOperatorToAsk(case)
    for endpoint, operator in found:
        confirm_questions.ask(
            operator=operator.slug,
            subject=case.application.subject,
            target=endpoint.subject,
            policy=case_clock.policy_of(case.application),
            block=str(endpoint.block),
            subscriber=endpoint.subscriber,
            name=case.application.holder_name,
            actor=actor,
            now=now,
        )
    record(case, "asked_operator", actor, now, detail={"addresses": len(found)})
    return len(found)
