"""Evidence of employment on their way: what comes after sending, and what clients and employers answer.

`apply` holds what was given, `vouch` asks and is answered, `checks` keeps the checks: only the line knows all three.
"""

import datetime as dt

from rahdari.apply import late_evidence, pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, LateEvidence
from rahdari.archive import queries as archive
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.evidence import Evidence
from rahdari.checks.models import Check
from rahdari.checks.rules import Answer, Result
from rahdari.db.queues import each_of
from rahdari.inquiry.rules import SILENT
from rahdari.policy import CheckRule
from rahdari.vouch import actions as vouch
from rahdari.vouch.models import ReferenceRequest
from rahdari.vouch.parties import BY_CHECK
from rahdari.vouch.queries import REFERENCE

from .checking import documents_request, letter_request
from .inquiries import Asked, came_at

ACTOR = "system:workflow"


@each_of(pending.proofs_to_take_in)
def take_in_proofs(proof: LateEvidence, now: dt.datetime) -> None:
    """Proofs that came after the application was sent: they answer the check that waits for them."""
    _take_in(proof, now)
    late_evidence.mark_taken_in(proof=proof, now=now)


def _take_in(proof: LateEvidence, now: dt.datetime) -> None:
    application = proof.application
    policy = applications.frozen_policy(application)
    service = policy.services[application.service]
    kind = service.evidence_kind(proof.kind)
    if kind is not None and kind.sort.asks:
        rule = _rule(application, kind.sort.asks)
        if rule is not None:
            checks_checking.open_checks(
                subject=application.subject, requests=[letter_request(rule, str(proof.pk))], now=now
            )
        return
    if applications.documents_to_follow(application, policy):
        return
    evidence: Evidence = {"given": 1, "needed": 1, "kind": proof.kind}
    found = Answer("passed", "all_there", evidence)
    if kind is not None and kind.weight == "supporting":
        found = Answer("failed", "to_be_read", evidence, blames=False)
    rule = _rule(application, "documents")
    if rule is not None:
        # Where a client was asked instead of papers, the check of papers begins now.
        request = documents_request(rule, given=1, awaits_stronger=True, to_be_read=False)
        checks_checking.open_checks(subject=application.subject, requests=[request], now=now)
    checks_checking.answer_check(
        subject=application.subject, kind="documents", target="", found=found, actor=ACTOR, now=now, anew=True
    )


def _rule(application: Application, kind: str) -> CheckRule | None:
    service = applications.frozen_policy(application).services[application.service]
    return next((rule for rule in service.checks if rule.kind == kind), None)


@each_of(lambda: checks.waiting_of_kind(*BY_CHECK, other_than=REFERENCE.asked()))
def ask_clients(check: Check, now: dt.datetime) -> bool:
    """Checks that wait for a client or employer who was not asked yet."""
    application = subjects.application_by_subject(check.subject)
    rules = applications.frozen_policy(application).vouching if application else None
    if application is None or rules is None:
        return False
    party = BY_CHECK[check.kind]
    try:
        vouch.ask(
            subject=f"check:{check.pk}",
            name=application.holder_name,
            address=_address(application, check.target),
            asked_by=f"person:{application.applicant_id}",
            language=application.language,
            rules=rules,
            now=now,
            party=party,
        )
    except vouch.MayNotAsk as refused:
        found = Answer("failed", f"{party.key}_{refused.why}", {"domain": refused.domain}, blames=False)
        _answer(check, found, now)
    return True


def _address(application: Application, target: str) -> str:
    if not target:
        return application.evidence_text
    return _proof(application, target).text


def _proof(application: Application, id: str) -> LateEvidence:
    return next(proof for proof in applications.proofs_of(application) if str(proof.pk) == id)


def _answer(check: Check, found: Answer, now: dt.datetime) -> None:
    checks_checking.answer_check(
        subject=check.subject, kind=check.kind, target=check.target, found=found, actor=ACTOR, now=now
    )


# What an answer is to the check: outcome, finding behind the key of the party, and whether it speaks against the
# applicant.
_FOUND: dict[str, tuple[Result, str, bool]] = {
    "yes": ("passed", "confirmed", True),
    "no": ("failed", "denied", True),
    "not_me": ("failed", "not_known", False),
    "silent": ("failed", "silent", False),
    "stopped": ("failed", "stopped", False),
    "withdrawn": ("failed", "recalled", False),
}


@REFERENCE.delivering
def deliver_answers_of_clients(question: ReferenceRequest, now: dt.datetime) -> None:
    """Answers of clients and employers, and their silence when the link has ended."""
    check = checks.check_with_id(question.subject.removeprefix("check:"))
    if check is None:
        return
    if question.state == SILENT:
        let_another_proof_follow(check.subject, now)
    outcome, finding, blames = _FOUND[question.state]
    # The domain stays as evidence; the address does not.
    at = question.ended_at.isoformat() if question.ended_at else ""
    evidence: Evidence = {"domain": question.domain, "answered_at": at, "came_at": came_at(question)}
    _answer(check, Answer(outcome, f"{question.party}_{finding}", evidence, blames), now)


def let_another_proof_follow(subject: str, now: dt.datetime) -> None:
    """Silence of a client or an association ends no registration: another proof is awaited while it stands."""
    application = subjects.application_by_subject(subject)
    rule = _rule(application, "documents") if application else None
    if application is not None and application.status == "granted" and rule is not None:
        request: CheckRequest = documents_request(rule, given=1, awaits_stronger=True, to_be_read=False)
        checks_checking.open_checks(subject=subject, requests=[request], now=now)


@REFERENCE.erasing
def erase_clients(question: ReferenceRequest, now: dt.datetime) -> None:
    """Addresses of clients whose question is over: only the domain is kept, with the application too."""
    check = checks.check_with_id(question.subject.removeprefix("check:"))
    application = subjects.application_by_subject(check.subject) if check else None
    if check is not None and application is not None and not archive.is_kept("client_address"):
        proof = _proof(application, check.target) if check.target else None
        late_evidence.forget_client(application=application, proof=proof, now=now)


CLIENTS = Asked(
    REFERENCE,
    ask=ask_clients,
    deliver=deliver_answers_of_clients,
    remind=vouch.remind,
    erase=erase_clients,
)
