"""From apply to checks and on to decide: which checks an application's own policy asks for, and what answers them.

`checks` answers most kinds of checks itself. Others wait there until a room beside it, which does not know `checks`,
has an answer; a step of the line carries it over with `checks.checking.answer_check`.
"""

import datetime as dt
from collections.abc import Callable, Iterable

from rahdari import optional
from rahdari.applicant import known_proofs
from rahdari.apply import pending, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.checks.answers import CheckRequest
from rahdari.checks.kinds import KINDS
from rahdari.checks.models import Outcome
from rahdari.control import challenges
from rahdari.db.queues import each_of
from rahdari.decide import granting
from rahdari.decide import queries as decisions
from rahdari.policy import CheckRule, Policy
from rahdari.policy.checks import About
from rahdari.vouch.parties import BY_CHECK

from . import representing
from .operator_checks import ask_operators
from .step import together


@each_of(pending.submitted_without_checks)
def open_checks(application: Application, now: dt.datetime) -> None:
    """Submitted applications: ask for the checks that the policy frozen onto each of them wants."""
    policy = applications.frozen_policy(application)
    checks_checking.open_checks(subject=application.subject, requests=requests_for(application, policy), now=now)
    ask_operators(application, policy, now)
    for look_up in optional.given(__package__, "look_up"):
        look_up(application, policy, now)
    representing.look(application, policy, now)
    known_proofs.tell_holders(application, now)
    sending.mark_checks_opened(application=application, now=now)


def requests_for(application: Application, policy: Policy) -> list[CheckRequest]:
    """The checks that the policy asks for, as requests, in its order."""
    endpoints = list(applications.endpoints_of(application))
    rules = application.checks_in(policy.services[application.service])
    return [request for rule in rules for request in _asked_by(rule.kind)(rule, application, endpoints, policy)]


type Requests = Callable[[CheckRule, Application, list[Endpoint], Policy], Iterable[CheckRequest]]


def _asked_by(kind: str) -> Requests:
    of_all = _of_each_endpoint if KINDS[kind].about is About.ADDRESS else _of_the_application
    asked: Requests = (_REQUESTS | optional.joined_tables(__package__, "REQUESTS")).get(kind, of_all)
    return asked


def title_of(rule: CheckRule) -> dict[str, str]:
    return {"en": rule.title.en, "ur": rule.title.ur}


def _of_each_endpoint(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    for endpoint in endpoints:
        yield CheckRequest(
            kind=rule.kind,
            target=endpoint.subject,
            block=endpoint.block,
            holder=str(application.holder_ref),
            title=title_of(rule),
            reason=rule.reason,
            required=rule.required,
            asked_to_share=rule.kind == "not_registered" and _is_asked(application, endpoint),
        )


def _is_asked(application: Application, endpoint: Endpoint) -> bool:
    return bool(optional.ask(__package__, "is_waiting", holder=application.holder_ref, block=endpoint.network))


def _of_a_roster(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    roster = rule.roster or ""
    yield CheckRequest(
        kind="roster",
        target=roster,
        roster=roster,
        key=application.number_for(roster),
        name=application.holder_name,
        **representing.mail_of(application, policy),
        by_contact=rule.by_contact,
        title=title_of(rule),
        reason=rule.reason,
        required=rule.required,
    )


def _of_the_application(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    yield CheckRequest(kind=rule.kind, target="", title=title_of(rule), reason=rule.reason, required=rule.required)


def _of_the_documents(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    kind = policy.services[application.service].evidence_kind(application.evidence_kind)
    if kind is not None and kind.sort.asks:
        return  # the client's answer takes their place
    if application.association and policy.attesting is not None:
        return  # the association's does
    papers = list(applications.documents_of(application))
    facts = applications.facts_of(application, endpoints=endpoints, documents=papers)
    before = applications.seen_with(application, papers)
    passed_before = bool(before) and all(_papers_passed(each) for each in before)
    yield documents_request(
        rule,
        given=0 if applications.missing_evidence(application, policy, facts) else 1,
        awaits_stronger=(kind is not None and kind.weight == "provisional")
        or bool(applications.documents_to_follow(application, policy, facts)),
        # Whoever read them then has said what was in them: that counts again, and there is nothing else to read.
        to_be_read=not passed_before
        and (bool(before) or rule.read_by_officer or (kind is not None and kind.weight == "supporting")),
        seen_with=", ".join(each.reference for each in before),
    )


def _papers_passed(application: Application) -> bool:
    found = checks.checks_of(application.subject).filter(kind="documents")
    return any(check.outcome == Outcome.PASSED for check in found)


def documents_request(
    rule: CheckRule, *, given: int, awaits_stronger: bool, to_be_read: bool, seen_with: str = ""
) -> CheckRequest:
    return CheckRequest(
        kind=rule.kind,
        target="",
        given=given,
        needed=1,
        awaits_stronger=awaits_stronger,
        to_be_read=to_be_read,
        seen_with=seen_with or None,
        title=title_of(rule),
        reason=rule.reason,
        required=rule.required,
    )


def _of_whoever_is_written_to(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    kind = policy.services[application.service].evidence_kind(application.evidence_kind)
    if kind is not None and kind.sort.asks == rule.kind and application.evidence_text:
        yield letter_request(rule, "")


def letter_request(rule: CheckRule, target: str) -> CheckRequest:
    return CheckRequest(kind=rule.kind, target=target, title=title_of(rule), reason=rule.reason, required=rule.required)


def _of_whoever_applies(
    rule: CheckRule, application: Application, endpoints: list[Endpoint], policy: Policy
) -> Iterable[CheckRequest]:
    yield representing.request_for(rule, application, policy)


# What is asked of an applicant is asked once, and what is asked of addresses of each of them. These ask otherwise.
_REQUESTS: dict[str, Requests] = {
    "roster": _of_a_roster,
    "documents": _of_the_documents,
    **dict.fromkeys(BY_CHECK, _of_whoever_is_written_to),
    "represents": _of_whoever_applies,
}


# End the challenges that ran out, answer the checks that waited for them.
answer_checks = together(challenges.expire_challenges, checks_checking.answer_waiting)


def _decide(application: Application, now: dt.datetime) -> bool:
    # As they are at this moment: another one's answer may have come while those before were decided.
    found = list(checks.checks_of(application.subject))
    if not decisions.is_settled(application, found, now):
        return False
    granting.decide_by_rule(application=application, checks=found, now=now)
    return True


@each_of(decisions.answered_applications)
def decide_answered(application: Application, now: dt.datetime) -> bool:
    return _decide(application, now)


def _settled_among(batch: list[Application], now: dt.datetime) -> Callable[[Application], bool]:
    known = checks.checks_of_subjects(each.subject for each in batch)
    return lambda application: decisions.is_settled(application, known.get(application.subject, []), now)


@each_of(decisions.undecided_applications, ready=_settled_among)
def decide_settled(application: Application, now: dt.datetime) -> bool:
    return _decide(application, now)


# Applications for which there is nothing to wait for any more: a grant by rule, full or provisional, or a case for an
# officer. Never a refusal. First those of which no check waits. Of the others, who may be very many just before a
# deadline, a part at a time: what they wait for may make no difference any more.
decide_what_is_answered = together(decide_answered, decide_settled)
