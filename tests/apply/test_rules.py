"""The rules of an application, without a database."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy as policies
from rahdari.address import Endpoint, Part, Protocol, parse_block, parse_parts
from rahdari.apply import eligible, rules
from rahdari.apply.eligible import LICENSED, NONE, Outcome, Use, eligibility
from rahdari.apply.questions import QuestionsForm
from rahdari.apply.rules import (
    AddressTrouble,
    Facts,
    Held,
    Status,
    StepKey,
    StepState,
    Which,
    assess_endpoint,
)
from rahdari.policy import SHIPPED, load
from tests.address.test_block import blocks

POLICY = policies.current(None)
LIMITS = POLICY.limits
DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]

endpoints = st.builds(
    Endpoint,
    blocks(),
    st.sampled_from(["any", "udp 51820", "udp", "tcp 443", "udp 500, udp 4500, esp", "udp 443, tcp 443"]).map(
        parse_parts
    ),
)


def an_endpoint(block: str, protocol: Protocol = Protocol.UDP, port: int | None = 51820) -> Endpoint:
    return Endpoint(parse_block(block), (Part(protocol, port),))


class TestMoves:
    def test_lead_from_a_draft_to_every_end_and_never_back_to_a_draft(self) -> None:
        reached = {Status.DRAFT}
        for _ in Status:
            reached |= {move.target for move in rules.MOVES if move.source in reached}
        assert reached == set(Status)
        assert not any(move.target is Status.DRAFT for move in rules.MOVES)

    def test_are_none_out_of_a_withdrawal_and_one_out_of_a_refusal(self) -> None:
        assert not any(move.source == Status.WITHDRAWN for move in rules.MOVES)
        # An appeal sets it aside.
        assert [(move.act, move.target) for move in rules.MOVES if move.source == Status.REFUSED] == [
            ("reopen", Status.SUBMITTED)
        ]

    def test_of_another_act_are_none(self) -> None:
        for move, act in itertools.product(rules.MOVES, ("submit", "withdraw", "close", "reopen")):
            assert rules.may_move(move.source, act, move.target) is (act == move.act)


class TestEligibility:
    @given(
        st.sampled_from([*POLICY.services, LICENSED, NONE]),
        st.none() | st.sampled_from(Use),
        st.none() | st.sampled_from(Which),
    )
    def test_leads_to_an_application_only_for_an_open_service(
        self, who: str, use: Use | None, which: Which | None
    ) -> None:
        found = eligibility(who=who, use=use, which=which, policy=POLICY)
        if found is not None and found.outcome is Outcome.APPLY:
            assert found.service is not None
            assert POLICY.services[found.service].open
            assert use in {Use.CLIENTS, Use.STAFF}
            assert which is not Which.MOBILE

    @pytest.mark.parametrize(
        ("who", "use", "which", "outcome"),
        [
            (LICENSED, None, None, Outcome.PROVIDER),
            ("whitelist_call_centre", Use.CLIENTS, Which.SERVER, Outcome.APPLY),
            ("whitelist_video", Use.STAFF, Which.SERVER, Outcome.APPLY),
            ("vpn_mission", Use.STAFF, Which.SERVER, Outcome.APPLY),
            ("vpn_public_body", Use.STAFF, Which.LINE, Outcome.APPLY),
            (NONE, None, None, Outcome.NOT_COVERED),
            ("vpn_freelancer", Use.PRIVATE, None, Outcome.PRIVATE),
            ("vpn_company", Use.SERVICE, None, Outcome.LICENCE),
            ("vpn_freelancer", Use.CLIENTS, Which.MOBILE, Outcome.NO_MOBILE),
            ("vpn_company", Use.CLIENTS, Which.MOBILE, Outcome.NO_MOBILE),
            ("vpn_freelancer", Use.CLIENTS, Which.LINE, Outcome.APPLY),
            ("vpn_bank", Use.STAFF, Which.SERVER, Outcome.APPLY),
        ],
    )
    def test_says_where_else_to_go(self, who: str, use: Use | None, which: Which | None, outcome: Outcome) -> None:
        found = eligibility(who=who, use=use, which=which, policy=POLICY)
        assert found is not None
        assert found.outcome is outcome

    def test_takes_a_mobile_number_where_the_policy_does_and_a_code_can_be_sent(self) -> None:
        facts: dict[str, Any] = {"use": Use.CLIENTS, "which": Which.MOBILE, "policy": POLICY}
        for who, sms, outcome in (
            ("vpn_freelancer", True, Outcome.APPLY),
            ("vpn_freelancer", False, Outcome.NO_MOBILE),
            ("vpn_company", True, Outcome.NO_MOBILE),
        ):
            found = eligibility(who=who, sms=sms, **facts)
            assert found is not None and found.outcome is outcome

    def test_tells_of_a_service_that_is_closed(self) -> None:
        company = replace(POLICY.services["vpn_company"], open=False)
        policy = replace(POLICY, services={**POLICY.services, "vpn_company": company})
        found = eligibility(who="vpn_company", use=Use.STAFF, which=Which.SERVER, policy=policy)
        assert found is not None and found.outcome is Outcome.NOT_YET_OPEN

    def test_offers_every_service_in_the_words_of_the_policy(self) -> None:
        offered = QuestionsForm(policy=POLICY, language="en").fields["who"].choices
        assert [key for key, _ in offered] == [*POLICY.services, LICENSED, NONE]
        assert offered[1][1] == "A freelancer or sole trader"

    def test_waits_for_the_next_answer(self) -> None:
        assert eligibility(who="vpn_company", use=None, which=None, policy=POLICY) is None
        assert eligibility(who="vpn_company", use=Use.STAFF, which=None, policy=POLICY) is None

    def test_asks_under_a_declaration_only_which_address(self) -> None:
        declared = load(SHIPPED["declaration"])
        assert eligible.questions_of(declared) == ("which",) and eligible.open_questions(declared, {}) == ("which",)
        assert eligible.which_are_offered(declared) == (Which.LINE, Which.SERVER)
        assert eligibility(who=None, use=None, which=None, policy=declared) is None
        found = eligibility(who=None, use=None, which=Which.LINE, policy=declared)
        assert found == eligible.Eligibility(Outcome.APPLY, "vpn")

    def test_begins_anew_when_the_rules_no_longer_know_the_service(self) -> None:
        assert eligibility(who="gone", use=Use.STAFF, which=Which.LINE, policy=POLICY) is None
        assert eligible.open_questions(POLICY, {"who": "gone", "use": "staff", "which": "line"}) == ("who",)

    def test_asks_what_it_needs_to_know_and_no_more(self) -> None:
        assert eligible.open_questions(POLICY, {}) == ("who", "use", "which")
        assert eligible.open_questions(POLICY, {"who": "vpn_company"}) == ("use", "which")
        assert eligible.open_questions(POLICY, {"who": "vpn_company", "which": "line"}) == ("use",)
        for answers in ({"who": "none"}, {"who": "licensed"}, {"who": "vpn_company", "use": "private"}):
            assert eligible.open_questions(POLICY, answers) == ()

    def test_asks_for_no_use_where_any_will_do(self) -> None:
        free = replace(POLICY.services["vpn_freelancer"], uses=())
        policy = replace(POLICY, services={**POLICY.services, "vpn_freelancer": free})
        assert eligible.questions_of(policy, "vpn_freelancer") == ("who", "which")
        assert eligible.questions_of(policy, "vpn_company") == ("who", "use", "which")
        found = eligibility(who="vpn_freelancer", use=None, which=Which.LINE, policy=policy)
        assert found == eligible.Eligibility(Outcome.APPLY, "vpn_freelancer")


class TestSteps:
    def test_of_a_mobile_number_ask_for_no_address(self) -> None:
        freelancer = POLICY.services["vpn_freelancer"]
        assert set(rules.steps_of(freelancer)) - set(rules.steps_of(freelancer, mobile=True)) == {StepKey.ADDRESSES}

    def test_are_those_of_the_service(self) -> None:
        company, freelancer = POLICY.services["vpn_company"], POLICY.services["vpn_freelancer"]
        assert StepKey.COMPANY in rules.steps_of(company) and StepKey.DOCUMENTS in rules.steps_of(company)
        assert StepKey.PERSON in rules.steps_of(freelancer) and StepKey.EVIDENCE in rules.steps_of(freelancer)
        assert StepKey.EVIDENCE not in rules.steps_of(company)

    def test_are_all_missing_at_first_and_none_when_all_is_given(self) -> None:
        for service in (POLICY.services["vpn_company"], POLICY.services["vpn_freelancer"]):
            # Whom to call may be left out.
            assert {*rules.missing(Facts(), service), StepKey.CONTACT} == set(rules.steps_of(service))
            full = Facts(
                company_name="x", company_number="x", name="x", cnic="x", contact_name="x", contact_mobile="x",
                purpose="x", evidence_kind="client_letter", endpoints=1,
                document_rules=frozenset({"evidence", "incorporation"}),
            )  # fmt: skip
            assert rules.missing(full, service) == ()

    def test_are_started_when_a_part_is_given(self) -> None:
        service = POLICY.services["vpn_freelancer"]
        assert rules.state_of(StepKey.CONTACT, Facts(contact_name="x"), service) is StepState.STARTED
        assert rules.state_of(StepKey.EVIDENCE, Facts(evidence_kind="client_letter"), service) is StepState.STARTED
        assert rules.state_of(StepKey.PERSON, Facts(), service) is StepState.NOT_STARTED
        assert rules.state_of(StepKey.CONTACT, Facts(), service) is StepState.OPTIONAL

    def test_take_one_document_of_a_group_or_a_tax_number_instead(self) -> None:
        service = POLICY.services["vpn_company"]
        assert len(rules.missing_documents(Facts(), service)) == 2
        assert rules.missing_documents(Facts(document_rules=frozenset({"taxpayer_proof"})), service) == ()
        assert rules.missing_documents(Facts(ntn="1234567"), service) == ()


class TestAssessEndpoint:
    @given(endpoints, st.lists(endpoints, max_size=5), st.lists(st.tuples(endpoints, st.booleans()), max_size=5))
    def test_takes_an_endpoint_only_where_the_register_could(
        self, wanted: Endpoint, beside: list[Endpoint], held: list[tuple[Endpoint, bool]]
    ) -> None:
        entries = [Held(endpoint, own) for endpoint, own in held]
        trouble = assess_endpoint(wanted, beside=beside, held=entries, limits=LIMITS)
        if trouble is None:
            assert not any(other.overlaps(wanted) for other in beside)
            assert not any(own and other.overlaps(wanted) for other, own in held)

    @given(endpoints, st.lists(st.tuples(endpoints, st.booleans()), max_size=5))
    def test_says_nothing_of_what_another_holds(self, wanted: Endpoint, held: list[tuple[Endpoint, bool]]) -> None:
        entries = [Held(endpoint, own) for endpoint, own in held]
        own = [entry for entry in entries if entry.own]
        with_others, without = (assess_endpoint(wanted, beside=[], held=each, limits=LIMITS) for each in (entries, own))
        assert with_others == without

    def test_says_each_trouble(self) -> None:
        wanted = an_endpoint("203.0.113.24")
        allowed = DOCUMENTATION

        def kind(**given: object) -> AddressTrouble | None:
            values: dict[str, object] = {"beside": [], "held": [], "limits": LIMITS, "allowed": allowed} | given
            trouble = assess_endpoint(wanted, **values)  # type: ignore[arg-type]
            return trouble.kind if trouble else None

        assert kind() is None
        assert kind(allowed=[]) is AddressTrouble.SPECIAL_USE
        assert kind(beside=[an_endpoint("203.0.113.0/28")]) is None
        assert kind(beside=[an_endpoint("203.0.113.16/28")]) is AddressTrouble.DUPLICATE
        assert kind(beside=[an_endpoint("203.0.113.24", Protocol.UDP, 1194)]) is None
        assert kind(held=[Held(an_endpoint("203.0.113.16/28", Protocol.TCP, 443), own=False)]) is None
        assert kind(held=[Held(an_endpoint("203.0.113.24"), own=True)]) is AddressTrouble.HELD_BY_YOU
        assert kind(held=[Held(an_endpoint("203.0.113.24", Protocol.TCP, 443), own=True)]) is None
        many = [an_endpoint(f"198.51.100.{host}") for host in range(LIMITS.endpoints_per_application)]
        assert kind(beside=many) is AddressTrouble.TOO_MANY
        assert kind(beside=many[1:]) is None
        wide = assess_endpoint(an_endpoint("203.0.113.0/27"), beside=[], held=[], limits=LIMITS, allowed=allowed)
        assert wide is not None
        assert (wide.kind, wide.limit) == (AddressTrouble.TOO_WIDE, LIMITS.shortest_prefix_v4)
