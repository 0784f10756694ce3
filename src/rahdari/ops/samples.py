"""Sample applications for the demonstration, one function for each state that an application can stand in.

Each is walked there by the rooms' own acts, as its people would have done it, and by the line. A person who has an
application already is passed over, so the demonstration can be started again at any point. Addresses of
203.0.113.0/24 have a known network, so the rule decides; those of 2001:db8:8000::/33 have none, so an officer does.
"""

import contextlib
import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Callable
from typing import Any

from rahdari import workflow
from rahdari.appeal import actions as appeals
from rahdari.appeal.rules import Ground
from rahdari.apply import access, drafts, parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.apply.rules import StepKey, steps_of
from rahdari.complaint import actions as complaints
from rahdari.complaint import queries as complaint_queries
from rahdari.complaint.models import Complaint
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm.models import Channel
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import (
    assignment,
    case_clock,
    granting,
    hearings,
    operators,
    refusals,
    unreached_addresses,
)
from rahdari.decide import queries as decisions
from rahdari.decide import questions as decide_questions
from rahdari.decide.models import Case, Notice
from rahdari.people import actions as people
from rahdari.people import demonstration
from rahdari.people import queries as persons
from rahdari.people.models import Language, User
from rahdari.policy import Policy, asked_by, freeze, still_right_of, thaw
from rahdari.publish import queries as networks
from rahdari.sampling import drawing

ACTOR = demonstration.ACTOR
SAMPLE_MOBILE = "+9230000000{number:02d}"


def make_applications(now: dt.datetime) -> None:
    """Those that the rules in force know: each with what it needs them to ask (`policy.beyond`)."""
    rules = applications.policy_in_force()
    asked = asked_by(rules) | ({"still_right"} if still_right_of(rules) is not None else set())
    made: tuple[tuple[Callable[[dt.datetime], None], set[str]], ...] = (
        # Before chance has drawn anything: it begins with the month of this one.
        (chosen_for_a_second_look, set()),
        (asked_whether_it_is_right, {"still_right"}),
        (undecided_after_its_time, set()),
        (registered_while_its_operator_is_silent, {"organisation", "operator"}),
        (granted, set()),
        (granted_in_urdu, set()),
        (waiting_for_an_officer, set()),
        (asked_a_question, {"profession"}),
        (noticed_of_a_refusal, {"operator"}),
        (left_as_draft, set()),
        (waiting_for_its_operator, {"operator"}),
        (waiting_for_its_association, {"association"}),
        (company_asked_a_question, {"organisation"}),
        (noticed_of_a_suspension, {"operator"}),
        (refused, {"operator"}),
        (appealed, {"operator"}),
        (complained_of, set()),
        (revocation_answered, set()),
    )
    for make, needs in made:
        if needs <= asked:
            make(now)


def granted(now: dt.datetime) -> None:
    """Proved from the address itself, and granted by rule: published, and in force soon after."""
    unless_there(32, now, lambda user: proved_and_sent(draft(user, "203.0.113.32", 32, now), now))


def granted_in_urdu(now: dt.datetime) -> None:
    unless_there(
        33, now, lambda user: proved_and_sent(draft(user, "2001:db8::33", 33, now), now), language=Language.URDU
    )


def waiting_for_an_officer(now: dt.datetime) -> None:
    """All proved, but the network of the address is not known: on the queue, taken by nobody."""
    unless_there(34, now, lambda user: proved_and_sent(draft(user, "2001:db8:8000::34", 34, now), now))


def asked_a_question(now: dt.datetime) -> None:
    def make(user: User) -> None:
        application = proved_and_sent(draft(user, "2001:db8:8000::35", 35, now), now)
        ask(application, "Which of your clients' servers do you reach over it?", now)

    unless_there(35, now, make)


def noticed_of_a_refusal(now: dt.datetime) -> None:
    """An officer asked the operator, which said no, and means to refuse: the applicant has the word, and then a second
    officer."""

    def make(user: User) -> None:
        case = taken(proved_and_sent(draft(user, "2001:db8:8000::36", 36, now), now), now)
        slug, _name, _asn = networks.operators_of_networks()[0]
        unreached_addresses.name_network(case=case, officer=officer(), operator=slug, now=now)
        operators.ask_operator(case=case, officer=officer(), now=now)
        for question in questions.questions_of(case.application.subject):
            confirm_questions.read_and_answer(
                question=question, word="no", reason="another_subscriber", channel=Channel.PAGE, by=ACTOR, now=now
            )
        text = "Your operator says that another subscriber has the address, and no bill shows that it is yours."
        refusals.propose_refusal(case=case, officer=officer(), codes=["R3"], text=text, now=now)

    unless_there(36, now, make)


def left_as_draft(now: dt.datetime) -> None:
    unless_there(37, now, lambda user: draft(user, "203.0.113.37", 37, now))


def waiting_for_its_operator(now: dt.datetime) -> None:
    """Nobody can sit at the address: its operator was asked instead, and finds the check on its page."""
    unless_there(38, now, lambda user: operator_asked(draft(user, "203.0.113.38", 38, now), "SN-0100338", now))


# So long ago that a working day has passed, whatever holidays there were.
LONG_AGO = dt.timedelta(days=14)
A_MONTH_AGO = dt.timedelta(days=31)
# Longer than any time to decide.
TWO_MONTHS_AGO = dt.timedelta(days=62)
# More than the year after which a holder is asked whether a registration is still right, and less than two.
A_YEAR_AGO = dt.timedelta(days=370)


def registered_while_its_operator_is_silent(now: dt.datetime) -> None:
    """A company whose provider manages the router: its operator was asked, and its time to answer is over."""

    def make(user: User) -> None:
        then = now - LONG_AGO
        application = a_company(user, "Sample Call Centre (Pvt) Ltd", "0000731", then)
        parts.add_endpoint(application=application, block="203.0.113.40", runs="openvpn_udp", **facts_of(user, then))
        operator_asked(fresh(application), "SN-0100340", then)
        workflow.advance(now=now)

    unless_there(40, now, make)


def waiting_for_its_association(now: dt.datetime) -> None:
    """Named the sample association, which has not attested them: it is asked, and finds them at its desk."""

    def make(user: User) -> None:
        application = draft(user, "203.0.113.39", 39, now)
        drafts.save_evidence(
            application=application,
            kind="association",
            association="sample-software-houses",
            association_number="SAMPLE-0739",
            **facts_of(user, now),
        )
        proved_and_sent(application, now)

    unless_there(39, now, make)


def company_asked_a_question(now: dt.datetime) -> None:
    """The company's ready account finds a question to answer."""
    user = persons.person_by_email(demonstration.email_of("company"))
    if user is None or access.applications_of(user).exists():
        return
    application = a_company(user, "Sample Software House (Pvt) Ltd", "0000482", now)
    parts.add_endpoint(application=application, block="2001:db8:8000::482", runs="openvpn_udp", **facts_of(user, now))
    ask(proved_and_sent(application, now), "Is the address yours, or your provider's?", now)


def chosen_for_a_second_look(now: dt.datetime) -> None:
    """An officer granted it in a month that is over, in which nobody decided anything else: it is drawn for certain."""

    def make(user: User) -> None:
        then = now - A_MONTH_AGO
        case = taken(proved_and_sent(draft(user, "2001:db8:8000::45", 45, then), then), then)
        facts: dict[str, Any] = {"case": case, "officer": officer(), "now": then}
        slug, _name, _asn = networks.operators_of_networks()[0]
        unreached_addresses.name_network(operator=slug, **facts)
        how = "Asked the operator by telephone: the address is in its network."
        assignment.record_checks(kind="origin", outcome="passed", how=how, **facts)
        granting.grant(**facts)
        workflow.advance(now=then)
        drawing.draw(now)

    unless_there(45, now, make)


def undecided_after_its_time(now: dt.datetime) -> None:
    """On the queue, taken by nobody, and late: its applicant may appeal because no decision came."""

    def make(user: User) -> None:
        then = now - TWO_MONTHS_AGO
        proved_and_sent(draft(user, "2001:db8:8000::48", 48, then), then)
        workflow.advance(now=now)

    unless_there(48, now, make)


def asked_whether_it_is_right(now: dt.datetime) -> None:
    """Registered more than a year ago, when a registration was valid for two: none of the bundled terms is longer than
    the time after which a holder is asked."""

    def make(user: User) -> None:
        then = now - A_YEAR_AGO
        asks = json.loads(freeze(applications.policy_in_force()))
        for service in asks["services"].values():
            service["validity_months"] = 24
        proved_and_sent(draft(user, "203.0.113.49", 49, then), then, rules=thaw(json.dumps(asks)))
        workflow.advance(now=now)

    unless_there(49, now, make)


def noticed_of_a_suspension(now: dt.datetime) -> None:
    """The holder asked to be heard, and an officer set the first day on which that is possible."""

    def make(user: User) -> None:
        notice = hearings.ask_for_hearing(notice=proposed(user, 41, now), actor=f"person:{user.pk}", now=now)
        starts_at, _latest = case_clock.notice_heard_between(notice, now)
        place = "By telephone: we call the number in your application."
        hearings.set_hearing(case=notice.case, officer=officer(), starts_at=starts_at, place=place, now=now)

    unless_there(41, now, make)


def refused(now: dt.datetime) -> None:
    unless_there(42, now, lambda user: refused_by_two(user, 42, now))


def appealed(now: dt.datetime) -> None:
    """Neither the officer nor the Director may decide it: the supervisor does."""

    def make(user: User) -> None:
        appeals.send(
            application=refused_by_two(user, 43, now),
            grounds=[Ground.FACT],
            words="The letter is genuine: my client confirms it by telephone.",
            actor=f"person:{user.pk}",
            now=now,
        )

    unless_there(43, now, make)


def complained_of(now: dt.datetime) -> None:
    """Somebody without an account reported it; nothing follows before the holder has answered."""

    def make(user: User) -> None:
        application = proved_and_sent(draft(user, "203.0.113.44", 44, now), now)
        words = "Somebody offers this connection to others at a market, as an advertisement shows."
        reported(application, "sold_on", words, now)

    unless_there(44, now, make)


def revocation_answered(now: dt.datetime) -> None:
    def make(user: User) -> None:
        notice = proposed(user, 46, now)
        answer = "The server is still mine. It was out of service for a day."
        refusals.answer_notice(notice=notice, answer=answer, actor=f"person:{user.pk}", now=now)

    unless_there(46, now, make)


# -- steps of a walk -----------------------------------------------------------------------------------------------


def unless_there(
    number: int, now: dt.datetime, make: Callable[[User], object], *, language: str = Language.ENGLISH
) -> None:
    """The sample freelancer of this number, and what `make` makes for them, unless they have an application."""
    user = people.register_person(
        email=demonstration.sample_email(number),
        name=demonstration.name_of(f"Sample Freelancer {number}"),
        language=language,
        actor=ACTOR,
        now=now,
    )
    if not access.applications_of(user).exists():
        make(user)


def facts_of(user: User, now: dt.datetime) -> dict[str, Any]:
    return {"actor": f"person:{user.pk}", "now": now}


def draft(user: User, address: str, number: int, now: dt.datetime) -> Application:
    """A person's application with everything that their service asks, but for the proof and the sending."""
    facts = facts_of(user, now)
    services = applications.policy_in_force().services.values()
    service = next(each for each in services if each.holder == "person" and each.open)
    application = drafts.start_application(applicant=user, service=service.key, fixed_address="yes", **facts)
    facts["application"] = application
    steps = steps_of(service)
    if StepKey.PERSON in steps:
        drafts.save_person(name=user.name, **facts)
    if StepKey.CONTACT in steps:
        drafts.save_contact(name=user.name, mobile=SAMPLE_MOBILE.format(number=number), **facts)
    if StepKey.EVIDENCE in steps:
        drafts.save_evidence(kind="client_email", text="From studio@client.example: we work with you.", **facts)
    parts.add_endpoint(block=address, runs="wireguard", **facts)
    return application


def a_company(user: User, name: str, number: str, now: dt.datetime) -> Application:
    """A company's application without an address."""
    facts = facts_of(user, now)
    application = drafts.start_application(applicant=user, service="vpn_company", fixed_address="yes", **facts)
    facts["application"] = application
    drafts.save_company(name=name, company_number=number, ntn=f"{number}-1", **facts)
    drafts.save_contact(name="Sample Manager 4", mobile=SAMPLE_MOBILE.format(number=4), **facts)
    return application


def operator_asked(application: Application, subscriber: str, now: dt.datetime) -> None:
    """Have the operator of each address asked for it, and send the application."""
    policy, actor = applications.policy_in_force(), f"person:{application.applicant_id}"
    for endpoint in applications.endpoints_of(application):
        operator = networks.operator_of_network(endpoint.asn)
        if operator is None:
            return
        endpoint = parts.note_subscriber(endpoint=endpoint, number=subscriber, actor=actor, now=now)
        confirm_questions.ask(
            operator=operator.slug,
            subject=application.subject,
            target=endpoint.subject,
            policy=policy,
            block=str(endpoint.block),
            subscriber=endpoint.subscriber,
            name=application.holder_name,
            now=now,
        )
        challenges.open_challenge(
            subject=endpoint.subject,
            block=endpoint.network,
            method=Method.OPERATOR,
            valid_for=policy.limits.challenge_valid,
            now=now,
        )
    sending.submit_application(application=fresh(application), policy=policy, actor=actor, now=now)
    workflow.advance(now=now)


def proved_and_sent(application: Application, now: dt.datetime, rules: Policy | None = None) -> Application:
    """Open the one-time link from each address, send the application, and let the line move it. `rules`: others than
    those in force."""
    policy = rules or applications.policy_in_force()
    for endpoint in applications.endpoints_of(application):
        challenge = challenges.open_challenge(
            subject=endpoint.subject,
            block=endpoint.network,
            method=Method.LINK,
            valid_for=policy.limits.challenge_valid,
            now=now,
        )
        address = ipaddress.ip_address(str(endpoint.network.network_address))
        challenges.open_link(token=proofs.link_token(challenge), address=address, now=now)
    facts: dict[str, Any] = {"policy": policy, "actor": f"person:{application.applicant_id}", "now": now}
    # Whoever began under other rules is told first, and then sends it.
    with contextlib.suppress(sending.TermsChanged):
        sending.submit_application(application=fresh(application), **facts)
    sent = sending.submit_application(application=fresh(application), **facts)
    workflow.advance(now=now)
    return fresh(sent)


def fresh(application: Application) -> Application:
    return access.application_for_applicant(applicant=application.applicant, reference=application.reference).row


def proposed(user: User, number: int, now: dt.datetime) -> Notice:
    """A registration that an officer proposes to revoke, since a report that its address is in other hands was
    founded."""
    application = proved_and_sent(draft(user, f"203.0.113.{number}", number, now), now)
    complaint = reported(
        application,
        "not_the_holder",
        "The server at this address was given to us in October, and we do not know this holder.",
        now,
    )
    complaints.answer(complaint=complaint, words="It is still mine.", actor=f"person:{user.pk}", now=now)
    complaints.decide(
        complaint=complaint_queries.complaints().get(pk=complaint.pk),
        officer=officer(),
        outcome="founded",
        why="The report names a day and a bill, and the holder shows nothing against it.",
        # Of those that a report alone may show.
        code=next(each.code for each in complaint_queries.codes_for(complaint) if each.code in {"S4", "X2"}),
        evidence="The report, and the holder’s answer to it.",
        now=now,
    )
    notice = decisions.open_notice(case_of(application))
    assert notice is not None  # noqa: S101
    return notice


def reported(application: Application, about: str, words: str, now: dt.datetime) -> Complaint:
    """What somebody without an account reports of its registration; its holder is asked."""
    decision = decisions.decision_of(case_of(application))
    assert decision is not None and decision.registration is not None  # noqa: S101
    facts: dict[str, Any] = {"kind": "misuse", "target": decision.registration.reference, "language": "en", "now": now}
    sent = complaints.send(id=uuid.uuid4(), about=about, words=words, **facts)
    complaints.look_up(now=now)
    return complaint_queries.complaints().get(pk=sent.pk)


def refused_by_two(user: User, number: int, now: dt.datetime) -> Application:
    """Refused after notice and answer, by a code for which the second officer is a Director."""
    application = proved_and_sent(draft(user, f"2001:db8:8000::{number}", number, now), now)
    case = taken(application, now)
    notice = refusals.propose_refusal(
        case=case,
        officer=officer(),
        codes=["R4"],
        text="The letter says that it comes from a client who does not know of it.",
        named="What the client said on the telephone on the day of the application.",
        now=now,
    )
    refusals.answer_notice(notice=notice, answer="I do work for them.", actor=f"person:{user.pk}", now=now)
    because = "The client denies the letter, and nothing else shows the work."
    refusals.second_refusal(case=case, officer=officer("director"), because=because, now=now)
    return fresh(application)


def officer(local: str = "officer") -> User:
    found = persons.person_by_email(demonstration.email_of(local))
    assert found is not None  # noqa: S101
    return found


def case_of(application: Application) -> Case:
    case = decisions.case_of(application)
    assert case is not None  # noqa: S101
    return case


def taken(application: Application, now: dt.datetime) -> Case:
    return assignment.take_case(case=case_of(application), officer=officer(), now=now)


def ask(application: Application, text: str, now: dt.datetime) -> None:
    decide_questions.ask_question(case=taken(application, now), officer=officer(), code="Q4", text=text, now=now)
