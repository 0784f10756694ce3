"""An officer asks operators whether an applicant is their subscriber. What they say decides nothing by itself."""

import datetime as dt

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


def asked_about(application: Application) -> list[SubscriberQuestion]:
    return list(questions.questions_of(application.subject).exclude(state=WITHDRAWN))


def answers_about(application: Application) -> list[tuple[SubscriberQuestion, str, str, str]]:
    """Each question to an operator about this application: the operator's name, the address, and what it said."""
    found = asked_about(application)
    names = {slug: name for slug, name, _asn in publish.operators_of_networks()} if found else {}
    return [
        (
            question,
            names.get(question.operator, question.operator),
            format_block(question.network) if question.network else "",
            answers.answer_text(question),
        )
        for question in found
    ]


def to_ask(application: Application) -> list[tuple[Endpoint, Operator]]:
    """The addresses whose operator is known and was not asked about them. None where no name was asked for: an operator
    knows its subscribers by that."""
    if not application.holder_name:
        return []
    asked = {(question.target, question.operator) for question in asked_about(application)}
    endpoints = applications.endpoints_of(application)
    by_network = {asn: publish.operator_of_network(asn) for asn in {each.asn for each in endpoints}}
    known = [(each, operator) for each in endpoints if (operator := by_network[each.asn]) is not None]
    return [(each, operator) for each, operator in known if (each.subject, operator.slug) not in asked]


@transaction.atomic
def ask_operator(*, case: Case, officer: User, now: dt.datetime) -> int:
    """Ask the operator of each address whether the applicant is its subscriber. Returns how many addresses it was asked
    about. Raises NoOperatorToAsk."""
    case = lock(case)
    actor = begin(case, "ask_operator", by=officer, now=now).actor
    found = to_ask(case.application)
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
