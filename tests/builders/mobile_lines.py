"""Mobile numbers as people and operators take them through the acts of the rooms. Samples only."""

import datetime as dt
import re
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import policy
from rahdari import workflow as house
from rahdari.apply import drafts
from rahdari.apply.models import Application
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm.models import Channel, SubscriberQuestion
from rahdari.mobile import actions, queries
from rahdari.mobile.models import MobileNumber
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish import queries as networks
from rahdari.register.models import Registration
from rahdari.sms.models import Message
from tests.builders import story

NUMBER, OTHER_NUMBER = "+923007654321", "+923331234568"
FIRST, SECOND = "sample-mobile", "specimen-cell"


def mobile_operators() -> None:
    for slug, name, prefix in ((FIRST, "Sample Mobile", "30"), (SECOND, "Specimen Cell", "33")):
        story.an_operator(slug, name)
        operator = networks.operator_by_slug(slug)
        assert operator is not None
        publish.set_number_prefixes(operator=operator, prefixes=[prefix], actor="system:test", now=timezone.now())


def a_draft(applicant: User | None = None) -> Application:
    user = applicant or story.a_person()
    application = drafts.start_application(
        applicant=user,
        service="vpn_freelancer",
        actor=story.actor_of(user),
        now=timezone.now(),
        fixed_address="mobile",
    )
    return story.fill(application)


def facts(application: Application) -> dict[str, Any]:
    return {"user": application.applicant, "actor": story.actor_of(application.applicant), "now": timezone.now()}


def typed(application: Application, number: str = NUMBER) -> MobileNumber:
    return actions.type_number(
        subject=application.subject,
        holder=application.holder_ref,
        number=number,
        network="192.0.2.1",
        language="en",
        **facts(application),
    )


def code_to(user: User) -> str:
    """What it is stands in the SMS alone."""
    text = Message.objects.filter(person=user.pk).latest("written_at").text
    return next(line for line in text.split("\n") if re.fullmatch(r"\d{6}", line))


def confirmed(application: Application, number: str = NUMBER) -> MobileNumber:
    line = typed(application, number)
    return actions.confirm_number(line=line, code=code_to(application.applicant), **facts(application))


def asked(application: Application, operator: str = FIRST, number: str = NUMBER) -> MobileNumber:
    given = facts(application)
    return actions.ask_operator(
        line=confirmed(application, number),
        operator=operator,
        name=application.holder_name,
        policy=policy.current(settings.POLICY_FILE),
        actor=given["actor"],
        now=given["now"],
    )


def question_of(line: MobileNumber) -> SubscriberQuestion:
    found = questions.question_about(target=line.target)
    assert found is not None
    return found


def says(
    line: MobileNumber, said: str, *, reason: str = "", reference: str = "", now: dt.datetime | None = None
) -> MobileNumber:
    """The operator answers, and the line of the house carries it on."""
    at = now or timezone.now()
    confirm_questions.read_and_answer(
        question=question_of(line),
        word=said,
        reason=reason,
        reference=reference,
        channel=Channel.API,
        by="token:x",
        now=at,
    )
    house.advance(now=at)
    line.refresh_from_db()
    return line


def granted(
    applicant: User | None = None, reference: str = "smp-0a1b2c3d"
) -> tuple[Application, Registration, MobileNumber]:
    application = a_draft(applicant)
    line = asked(application)
    story.send(application)
    story.advance()
    line = says(line, "yes", reference=reference)
    application = story.fresh(application)
    assert application.status == "granted"
    story.advance()
    line.refresh_from_db()
    return application, story.registration_of(application), line


def list_of(operator: str) -> list[str]:
    """What an operator is told now: its words, or the numbers of checks."""
    page, _next = queries.list_after(operator=operator, after=None, at_most=100)
    return [line.reference or line.check_number for line in page]
