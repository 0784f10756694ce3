"""Cases as the house makes them: through the acts of the rooms, never by writing rows. Only sample names and ranges."""

import datetime as dt
from typing import Any

from django.conf import settings

from rahdari import policy, workflow
from rahdari.apply import drafts, parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.late_evidence import File
from rahdari.apply.models import Application, Endpoint
from rahdari.confirm import questions
from rahdari.confirm.models import Channel, SubscriberQuestion
from rahdari.control import challenges, reproofs
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import queries
from rahdari.decide.models import Case, Decision, Notice
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from tests.builders import people
from tests.builders.addresses import an_address
from tests.builders.drafts import a_pdf, cnic_of

# A Monday, 10:00 in the office.
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)

# What an officer adds to a proposal.
PAPER = File("report.pdf", a_pdf())


def a_person(language: str = "en") -> User:
    return people.a_freelancer(language, now=NOW)


def an_officer(name: str = "Officer A", **more: Any) -> User:
    return people.an_officer(name, now=NOW, **more)


def an_application(
    *,
    address: str | None = None,
    applicant: User | None = None,
    now: dt.datetime = NOW,
    evidence: str = "client_email",
    text: str = "From studio@client.example, 2 November: we work with you.",
    also: str = "",
    runs: str = "wireguard",
) -> Application:
    """A freelancer's application that was sent and whose address is proved."""
    applicant = applicant or a_person()
    actor = f"person:{applicant.pk}"
    address = address or an_address()
    application = drafts.start_application(
        applicant=applicant, service="vpn_freelancer", actor=actor, now=now, fixed_address="yes"
    )
    facts = {"application": application, "actor": actor, "now": now}
    drafts.save_person(name=applicant.name, cnic=cnic_of(applicant), **facts)
    drafts.save_contact(name="Sample Contact", mobile="+923001234567", **facts)
    drafts.save_evidence(kind=evidence, text=text, **facts)
    endpoint = parts.add_endpoint(application=application, block=address, runs=runs, actor=actor, now=now)
    prove(endpoint, now)
    if also:
        parts.add_endpoint(application=application, block=also, runs="wireguard", actor=actor, now=now)
    return sending.submit_application(
        application=Application.objects.get(pk=application.pk),
        policy=policy.current(settings.POLICY_FILE),
        actor=actor,
        now=now,
    )


def prove(endpoint: Endpoint, now: dt.datetime = NOW) -> None:
    """By the link, opened at the address itself."""
    challenge = challenges.open_challenge(
        subject=endpoint.subject,
        block=endpoint.network,
        method=Method.LINK,
        valid_for=dt.timedelta(days=7),
        now=now,
    )
    token = proofs.link_token(challenge)
    challenges.open_link(token=token, address=endpoint.network.network_address, now=now)


def a_decided_application(*, now: dt.datetime = NOW, **facts: object) -> Application:
    """Every check passes, so the rule grants."""
    application = an_application(now=now, **facts)  # type: ignore[arg-type]
    workflow.open_checks(now)
    workflow.decide_what_is_answered(now)
    return Application.objects.get(pk=application.pk)


def denied(
    application: Application, *, now: dt.datetime = NOW, reason: str = "another_subscriber"
) -> SubscriberQuestion:
    """The operator of the first address was asked, and says that it is another subscriber's."""
    endpoint = applications.endpoints_of(application)[0]
    question = questions.ask(
        operator="sample-fibre",
        subject=application.subject,
        target=endpoint.subject,
        policy=policy.current(None),
        block=str(endpoint.block),
        name=application.holder_name,
        now=now,
    )
    questions.read_and_answer(question=question, word="no", reason=reason, channel=Channel.PAGE, by="person:x", now=now)
    return question


def a_case(*, applicant: User | None = None, now: dt.datetime = NOW, is_denied: bool = True, **facts: str) -> Case:
    """The network of the address is not known, so an officer looks at it; an operator was asked, and it said no."""
    application = an_application(address=an_address(known=False), applicant=applicant, now=now, **facts)
    if "also" in facts:
        prove(application.endpoints.get(block=facts["also"]), now)
    workflow.open_checks(now)
    workflow.decide_what_is_answered(now)
    if is_denied:
        denied(application, now=now)
    case = queries.case_of(application)
    assert case is not None
    return case


def a_gateway() -> None:
    """It takes every entry, whatever its network."""
    if not Operator.objects.filter(slug="sample-edge").exists():
        publish.create_operator(slug="sample-edge", name="Sample Edge", asns=[], gateway=True, now=NOW)


def a_refusal(notice: Notice, **facts: object) -> Decision:
    """A row that no act would write, for what the database makes of it."""
    return Decision.objects.create(
        case=notice.case,
        outcome="refused",
        codes=notice.codes,
        notice=notice,
        rule_version="1",
        at=NOW + 3 * HOUR,
        appeal_until=NOW + HOUR + 30 * DAY,
        **facts,
    )


def shown_in_vain(registration: Registration, *, now: dt.datetime, times: int = 2) -> None:
    """The proof of its address was asked for again, and did not come in so many hours."""
    entry = registration.entries.get()
    proof = proofs.proof_of(entry.subject, entry.block)
    assert proof is not None
    about, began = f"entry:{entry.pk}", now - times * HOUR
    reproof = reproofs.begin_reproof(
        about=about, occasion=str(began), proof=proof, windows=times, between=HOUR, now=began
    )
    for hours in range(1, times + 1):
        reproofs.follow_reproof(reproof=reproof, now=began + hours * HOUR)
