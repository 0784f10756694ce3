"""Applications as people and officers make them, step by step, through the acts of the rooms. Samples only.

The pages ask the clock, so the stories happen now.
"""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.address import parse_parts
from rahdari.apply import drafts, parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import queries as checks
from rahdari.confirm import questions
from rahdari.confirm.models import Channel
from rahdari.control import challenges, reproofs
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import assignment, granting, refusals, unreached_addresses
from rahdari.decide import queries as cases
from rahdari.decide import questions as decide_questions
from rahdari.decide.models import Case
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.publish import actions as publish
from rahdari.publish import ceremony, receipts
from rahdari.publish import queries as editions
from rahdari.register.models import Registration
from tests.builders.addresses import an_address
from tests.builders.drafts import cnic_of
from tests.builders.people import a_freelancer
from tests.builders.people import an_officer as an_officer
from tests.publish.receipts import a_receipt, signed

a_person = a_freelancer


def actor_of(user: User) -> str:
    return f"person:{user.pk}"


def fresh(application: Application) -> Application:
    return Application.objects.select_related("applicant", "organisation").get(pk=application.pk)


def a_draft(applicant: User) -> Application:
    return drafts.start_application(
        applicant=applicant,
        service="vpn_freelancer",
        actor=actor_of(applicant),
        now=timezone.now(),
        fixed_address="yes",
    )


def fill(application: Application) -> Application:
    applicant = application.applicant
    facts: dict[str, Any] = {"application": application, "actor": actor_of(applicant), "now": timezone.now()}
    drafts.save_person(name=applicant.name, cnic=cnic_of(applicant), **facts)
    drafts.save_contact(name="Sample Contact", mobile="+923001234567", **facts)
    drafts.save_evidence(kind="client_email", text="From studio@client.example, 2 November: we work with you.", **facts)
    return fresh(application)


def add(application: Application, address: str | None = None, *, port: int = 51820, known: bool = True) -> Endpoint:
    return parts.add_endpoint(
        application=application,
        block=address or an_address(known=known),
        runs="wireguard",
        parts=parse_parts(f"udp {port}"),
        actor=actor_of(application.applicant),
        now=timezone.now(),
    )


def prove(endpoint: Endpoint) -> None:
    challenge = challenges.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=Method.LINK,
        valid_for=dt.timedelta(days=7),
        now=timezone.now(),
    )
    address = endpoint.network.network_address
    challenges.open_link(
        token=proofs.link_token(challenge), address=ipaddress.ip_address(str(address)), now=timezone.now()
    )


# What an applicant gives for a way, as data.
GIVEN: dict[str, dict[str, Any]] = {
    "wireguard": {"peer_key": "h5Pi5VAQ7MUZ8a5ZxoV4pb3ShkB6m3ZDpgkCgmjUEVg=", "port": 51820},
    "openvpn": {"fingerprint": "0" * 64, "port": 1194, "tcp": False},
    "ikev2": {"fingerprint": "0" * 64},
    "sstp": {"fingerprint": "0" * 64, "port": 443},
    "tls": {"fingerprint": "0" * 64, "port": 443, "server_name": "vpn.sample.example"},
    "dns": {"name": "vpn.sample.example"},
    "http": {},
    "tls-alpn": {},
}


def take_a_method(endpoint: Endpoint, method: str, given: dict[str, Any]) -> None:
    challenges.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=method,
        given=given,
        valid_for=dt.timedelta(days=7),
        now=timezone.now(),
    )


def begin_again(registration: Registration) -> None:
    """The proof of its first address is asked for again."""
    entry = registration.entries.get()
    proof = proofs.proof_of(entry.origin, entry.block)
    assert proof is not None
    reproofs.begin_reproof(
        about=f"entry:{entry.pk}",
        occasion="asked",
        proof=proof,
        windows=3,
        between=dt.timedelta(days=2),
        now=timezone.now(),
    )


def a_full_draft(applicant: User, *, known: bool = True) -> Application:
    application = fill(a_draft(applicant))
    prove(add(application, known=known))
    return fresh(application)


def send(application: Application) -> Application:
    return sending.submit_application(
        application=application,
        policy=policy.current(settings.POLICY_FILE),
        actor=actor_of(application.applicant),
        now=timezone.now(),
    )


def advance() -> None:
    workflow.advance(now=timezone.now())


def decide() -> None:
    """The steps from what was sent to the register. `advance` runs all steps, which costs three times as much."""
    now = timezone.now()
    for step in (workflow.open_checks, workflow.answer_checks, workflow.decide_what_is_answered, workflow.enter_grants):
        step(now=now)


def a_granted_application(applicant: User) -> Application:
    application = send(a_full_draft(applicant))
    decide()
    return fresh(application)


def a_case(applicant: User) -> Case:
    """The network of the address is not known, so an officer looks at it."""
    application = send(a_full_draft(applicant, known=False))
    decide()
    return case_of(application)


def case_of(application: Application) -> Case:
    case = cases.case_of(application)
    assert case is not None
    return case


def a_question(applicant: User) -> Case:
    case, officer = a_case(applicant), an_officer()
    assignment.take_case(case=case, officer=officer, now=timezone.now())
    decide_questions.ask_question(
        case=case, officer=officer, code="Q4", text="Which clients do you reach from there?", now=timezone.now()
    )
    return case_of(case.application)


def denied(application: Application, *, operator: str = "sample-fibre") -> None:
    """The operator was asked about each address, and says that another subscriber has it."""
    for endpoint in applications.endpoints_of(application):
        question = questions.ask(
            operator=operator,
            subject=application.subject,
            target=endpoint.subject,
            policy=policy.current(settings.POLICY_FILE),
            block=str(endpoint.block),
            name=application.holder_name,
            now=timezone.now(),
        )
        questions.read_and_answer(
            question=question,
            word="no",
            reason="another_subscriber",
            channel=Channel.PAGE,
            by="person:x",
            now=timezone.now(),
        )


def a_notice(applicant: User) -> Case:
    case, officer = a_case(applicant), an_officer()
    denied(case.application)
    assignment.take_case(case=case, officer=officer, now=timezone.now())
    refusals.propose_refusal(
        case=case, officer=officer, codes=["R3"], text="The operator has no contract with you.", now=timezone.now()
    )
    return case_of(case.application)


def a_refusal(applicant: User) -> Case:
    case = a_notice(applicant)
    notice = cases.open_notice(case)
    assert notice is not None
    refusals.answer_notice(
        notice=notice, answer="The line is my landlord's.", actor=actor_of(applicant), now=timezone.now()
    )
    second = an_officer(rank="director", role=Role.SUPERVISOR)
    refusals.second_refusal(
        case=case_of(case.application),
        officer=second,
        because="The line belongs to somebody else, as you say yourself.",
        now=timezone.now(),
    )
    return case_of(case.application)


def granted_by_hand(case: Case, officer: User) -> None:
    """The officer finds out what failed, and names the operator of the address."""
    assignment.take_case(case=case, officer=officer, now=timezone.now())
    for check in checks.checks_of(case.application.subject):
        if check.outcome == "failed":
            assignment.record_check(
                case=case, officer=officer, check=check.pk, outcome="passed", how="Asked", now=timezone.now()
            )
    an_operator("sample-fibre", "Sample Fibre")
    unreached_addresses.name_network(case=case, officer=officer, operator="sample-fibre", now=timezone.now())
    granting.grant(case=case, officer=officer, now=timezone.now())


def registration_of(application: Application) -> Registration:
    decision = cases.decision_of(case_of(application))
    assert decision is not None
    assert decision.registration is not None
    return decision.registration


# -- operators ---------------------------------------------------------------------------------------------------


def an_operator(slug: str, name: str) -> User:
    """An operator that follows the feed, and a person who acts for it."""
    publish.create_operator(slug=slug, name=name, name_ur=name, asns=[64500], now=timezone.now())
    user = people.register_person(email=f"desk@{slug}.example", now=timezone.now())
    people.appoint(user=user, role=Role.OPERATOR, operator=slug, actor="system:test", now=timezone.now())
    return user


def published(offline: Path) -> None:
    if not editions.feed_keys_exist():
        ceremony.make_feed_keys(offline=offline, now=timezone.now())
    publish.publish_editions(now=timezone.now())


def in_force_at(
    slug: str, *, ok: bool = True, digest: str | None = None, role: str = "feed-static", loaded: int | None = None
) -> None:
    """The operator's agent reports the last edition, with a digest of its own if one is given."""
    operator = editions.operator_by_slug(slug)
    assert operator is not None
    now = timezone.now()
    body = a_receipt(operator, ok=ok, digest=digest, applied_at=now, role=role, loaded=loaded)
    receipts.record_receipt(operator=operator, receipt=signed(operator, body), now=now)
