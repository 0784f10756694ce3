"""Another way to prove an address: its operator is asked whether the address is the applicant's."""

import datetime as dt
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from rahdari.apply import parts
from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import subscriber_number
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm import words
from rahdari.confirm.models import SubscriberQuestion
from rahdari.confirm.rules import OperatorAnswer
from rahdari.control import challenges
from rahdari.control.models import Method
from rahdari.control.rules import is_range
from rahdari.control.sentences import fill
from rahdari.policy import Policy
from rahdari.publish import queries as networks
from rahdari.publish.models import Operator
from rahdari.web.values import name

LATELY = dt.timedelta(days=30)


@dataclass(frozen=True)
class OperatorMethod:
    """How far asking the operator has come. `trouble` says what is wrong with what was just typed."""

    operator: Operator
    question: SubscriberQuestion | None
    subscriber: str
    needs_name: bool
    usual: dt.timedelta | None
    now: dt.datetime
    trouble: str = ""
    # Whether the address is registered for now when the operator is late.
    stands: bool = False

    @property
    def name(self) -> str:
        return (self.operator.name_ur if get_language() == "ur" else "") or self.operator.name_en

    @property
    def is_open(self) -> bool:
        return self.question is not None and self.question.is_waiting

    @property
    def is_late(self) -> bool:
        return self.question is not None and self.question.is_waiting and self.question.due_at <= self.now

    @property
    def is_denied(self) -> bool:
        return self.question is not None and self.question.answer in {OperatorAnswer.NO, OperatorAnswer.UNKNOWN}

    @property
    def answer(self) -> str:
        return words.answer_text(self.question) if self.question is not None else ""

    @property
    def gist(self) -> SafeString:
        told = _("%(operator)s confirms that this address is yours. For those who cannot use another method.")
        return fill(told, operator=name(self.name))

    @property
    def standing(self) -> tuple[str, str]:
        """Tone and words of how far it has come; empty when nobody asked."""
        if self.is_late:
            return "warn", pgettext("operator", "No answer in time")
        if self.is_open:
            return "wait", _("Asked, no answer yet")
        return ("bad", self.answer) if self.is_denied else ("", "")

    @property
    def state(self) -> str:
        return f"{self.question.answer}.{self.question.number}" if self.question is not None else ""


def operator_method_of(
    application: Application,
    endpoint: Endpoint,
    policy: Policy,
    now: dt.datetime,
    *,
    trouble: str = "",
    typed: str = "",
) -> OperatorMethod | None:
    """None where the policy has no such proof, or where we know no operator to ask."""
    operator = operator_for(application, endpoint, policy)
    if operator is None:
        return None
    return OperatorMethod(
        operator=operator,
        question=questions.question_about(target=endpoint.subject, operator=operator.slug),
        subscriber=typed[:60] if trouble else endpoint.subscriber,
        needs_name=not application.holder_name,
        usual=questions.usual_time(operator=operator.slug, since=now - LATELY),
        now=now,
        trouble=trouble,
        stands=stands_meanwhile(application, endpoint, policy),
    )


def stands_meanwhile(application: Application, endpoint: Endpoint, policy: Policy) -> bool:
    """Whether the address is registered for now when its operator is late."""
    return policy.services[application.service].stands_on_silence and not is_range(endpoint.network)


def operator_for(application: Application, endpoint: Endpoint, policy: Policy) -> Operator | None:
    """Whom to ask; None where the policy has no such proof, or where we know no operator."""
    service = policy.services.get(application.service)
    if service is None or not service.operator_may_prove:
        return None
    return networks.operator_of_network(endpoint.asn)


def ask(
    application: Application, endpoint: Endpoint, policy: Policy, typed: str, *, actor: str, now: dt.datetime
) -> str:
    """Ask, once. Returns what is wrong with what was typed; nothing when the question stands."""
    operator = operator_for(application, endpoint, policy)
    if operator is None or not application.holder_name:
        return ""
    number = subscriber_number(typed) if typed.strip() else ""
    if number is None:
        return _("A subscriber number has letters and digits, 40 at most. Check the bill.")
    endpoint = parts.note_subscriber(endpoint=endpoint, number=number, actor=actor, now=now)
    confirm_questions.ask(
        operator=operator.slug,
        subject=application.subject,
        target=endpoint.subject,
        policy=policy,
        block=str(endpoint.block),
        subscriber=number,
        name=application.holder_name,
        actor=actor,
        now=now,
    )
    challenges.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=Method.OPERATOR,
        valid_for=policy.limits.challenge_valid,
        now=now,
        actor=actor,
    )
    return ""
