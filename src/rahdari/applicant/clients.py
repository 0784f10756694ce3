"""A client or employer who was asked whether the applicant works for them: which question, and another address."""

import contextlib
import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from rahdari.apply import late_evidence as apply_late_evidence
from rahdari.apply import queries as applications
from rahdari.apply.evidence_forms import ClientForm
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.checks.models import Outcome
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.letters import queries as letters
from rahdari.letters import words as letters_words
from rahdari.letters.models import LetterState
from rahdari.vouch import actions as vouch
from rahdari.vouch import queries as questions
from rahdari.vouch.models import ReferenceRequest
from rahdari.vouch.parties import BY_CHECK, PARTIES


def question_about(application: Application) -> ReferenceRequest | None:
    """What a client or employer of this application was asked and has not answered; None where nobody was."""
    if application.status not in {"submitted", "granted"}:
        return None
    open_ones = checks.checks_of(application.subject).filter(kind__in=BY_CHECK, outcome=Outcome.WAITING)
    return questions.latest_waiting(f"check:{check.pk}" for check in open_ones)


def why_not_delivered(question: ReferenceRequest) -> str:
    """Why the last letter did not arrive; empty where it did, and where none went out: nobody is told of that."""
    letter = letters.letters_about(f"vouch:{question.pk}").first()
    return letters_words.why_no_email(letter) if letter is not None and letter.state == LetterState.FAILED else ""


def form_for(application: Application, given: Any) -> ClientForm:
    """The form for a client who can be asked; it refuses the applicant's own address and the policy's free mail
    services.
    """
    policy = applications.frozen_policy(application)
    free = policy.vouching.free_mail if policy.vouching else ()
    return ClientForm(given, own=application.applicant.email, free_mail=free)


def correct(
    application: Application, question: ReferenceRequest, address: str, *, actor: str, now: dt.datetime
) -> None:
    """Another address takes the place of this one: a proof that comes later, and the old question is taken back."""
    service = applications.frozen_policy(application).services[application.service]
    asked = PARTIES[question.party].check
    kind = next(kind.key for kind in service.evidence if kind.sort.asks == asked)
    apply_late_evidence.offer_proof(application=application, kind=kind, text=address, actor=actor, now=now)
    # If it is answered in the same moment, both count.
    with contextlib.suppress(NoLongerOpen):
        questions.REFERENCE.withdraw(question, actor=actor, now=now)


def not_sent_again(why: vouch.TooSoon | NoLongerOpen) -> str:
    if isinstance(why, vouch.TooSoon):
        return _("It was sent a short time ago. Nothing was sent again.")
    return _("It is answered, or its time has ended. Nothing was sent again.")
