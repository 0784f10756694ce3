"""Another way to prove an address: its operator is asked whether the address is the applicant's."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import subscriber_number
from rahdari.confirm import actions as confirm
from rahdari.confirm import queries as questions
from rahdari.confirm import words
from rahdari.confirm.models import SubscriberQuestion
from rahdari.confirm.rules import Said
from rahdari.control import actions as control
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.control.rules import is_range
from rahdari.control.sentences import fill
from rahdari.people.rules import Act
from rahdari.policy import Policy
from rahdari.publish import queries as networks
from rahdari.publish.models import Operator
from rahdari.web.values import name

from . import shared

LATELY = dt.timedelta(days=30)


@dataclass(frozen=True)
class OperatorWay:
    """How far asking the operator has come. `trouble` says what is wrong with what was just typed."""

    operator: Operator
    question: SubscriberQuestion | None
    subscriber: str
    needs_name: bool
    usual: dt.timedelta | None
    trouble: str = ""
    # Whether the address is registered for now when the operator is late.
    stands: bool = False

    @property
    def name(self) -> str:
        return (self.operator.name_ur if get_language() == "ur" else "") or self.operator.name_en

    @property
    def is_open(self) -> bool:
        return self.question is not None and self.question.is_open

    @property
    def is_late(self) -> bool:
        return self.question is not None and self.question.is_open and self.question.due_at <= timezone.now()

    @property
    def said_no(self) -> bool:
        return self.question is not None and self.question.said in {Said.NO, Said.UNKNOWN}

    @property
    def answer(self) -> str:
        return words.said(self.question) if self.question is not None else ""

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
        return ("bad", self.answer) if self.said_no else ("", "")

    @property
    def state(self) -> str:
        return f"{self.question.said}.{self.question.number}" if self.question is not None else ""


def way_of(
    application: Application, endpoint: Endpoint, policy: Policy, *, trouble: str = "", typed: str = ""
) -> OperatorWay | None:
    """None where the policy has no such proof, or where we know no operator to ask."""
    operator = _operator(application, endpoint, policy)
    if operator is None:
        return None
    return OperatorWay(
        operator=operator,
        question=questions.question_about(target=endpoint.subject, operator=operator.slug),
        subscriber=typed[:60] if trouble else endpoint.subscriber,
        needs_name=not application.holder_name,
        usual=questions.usual_time(operator=operator.slug, since=timezone.now() - LATELY),
        trouble=trouble,
        stands=stands_meanwhile(application, endpoint, policy),
    )


def stands_meanwhile(application: Application, endpoint: Endpoint, policy: Policy) -> bool:
    """Whether the address is registered for now when its operator is late."""
    return policy.services[application.service].stands_on_silence and not is_range(endpoint.network)


def _operator(application: Application, endpoint: Endpoint, policy: Policy) -> Operator | None:
    service = policy.services.get(application.service)
    if service is None or not service.operator_may_prove:
        return None
    return networks.operator_of_network(endpoint.asn)


def ask(
    application: Application, endpoint: Endpoint, policy: Policy, typed: str, *, actor: str, now: dt.datetime
) -> str:
    """Ask, once. Returns what is wrong with what was typed; nothing when the question stands."""
    operator = _operator(application, endpoint, policy)
    if operator is None or not application.holder_name:
        return ""
    number = subscriber_number(typed) if typed.strip() else ""
    if number is None:
        return _("A subscriber number has letters and digits, 40 at most. Check the bill.")
    endpoint = apply.note_subscriber(endpoint=endpoint, number=number, actor=actor, now=now)
    confirm.ask(
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
    control.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=Method.OPERATOR,
        valid_for=policy.limits.challenge_valid,
        now=now,
        actor=actor,
    )
    return ""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    """Asking, and how far it has come. A form in error is shown again with what was typed."""
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    row = next((each for each in applications.endpoints_of(application) if each.pk == endpoint), None)
    policy = applications.frozen_policy(application)
    if row is None or _operator(application, row, policy) is None:
        raise Http404
    if proofs.proof_of(row.subject, row.network) is not None:
        return redirect("portal:prove", reference=reference, endpoint=endpoint)
    trouble = ""
    if request.method == "POST":
        typed = request.POST.get("subscriber", "")[:200]
        trouble = ask(application, row, policy, typed, actor=by.actor, now=timezone.now())
        if not trouble:
            return redirect(request.path)
    context = {
        "application": application,
        "endpoint": row,
        "addr": format_block(row.network),
        "way": way_of(application, row, policy, trouble=trouble, typed=request.POST.get("subscriber", "")),
    }
    return render(request, "portal/applicant/operator_way.html", context, status=422 if trouble else 200)
