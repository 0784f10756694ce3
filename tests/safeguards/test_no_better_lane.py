"""No profession, sector or association has a better lane: the same facts give the same decision, by any route."""

from collections.abc import Iterator
from dataclasses import fields

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.apply import entered
from rahdari.apply import queries as applications
from rahdari.checks.queries import checks_of
from rahdari.decide import rules
from rahdari.decide.models import Decision
from rahdari.decide.rules import CheckFact, assess
from rahdari.policy import CheckRule
from tests.builders import story
from tests.builders.entered import an_entry

SHIPPED = [policy.load(path) for path in policy.SHIPPED.values()]


def asked() -> Iterator[tuple[str, tuple[CheckRule, ...]]]:
    """What is checked of an application, for each service of the policies that ship."""
    for each in SHIPPED:
        for key, service in each.services.items():
            for mobile in (False, True):
                yield f"{each.version} {key}", service.checks_for(mobile=mobile)


ASKED = list(asked())
NAMES = [name for name, _ in ASKED]


def fact(rule: CheckRule, outcome: str = "passed") -> CheckFact:
    return CheckFact(rule.kind, rule.roster or "", outcome)


@pytest.mark.parametrize("checks", [checks for _, checks in ASKED], ids=NAMES)
def test_another_proof_in_the_place_of_one_decides_the_same(checks: tuple[CheckRule, ...]) -> None:
    required = [rule for rule in checks if rule.required]
    usual = assess(rules=checks, facts=[fact(rule) for rule in required])
    assert isinstance(usual, rules.Grantable)
    for other in (rule for rule in checks if rule.instead_of):
        facts = [fact(rule) for rule in required if rule.kind != other.instead_of] + [fact(other)]
        assert isinstance(assess(rules=checks, facts=facts), rules.Grantable), other.kind


@given(data=st.data())
def test_a_decision_sees_neither_the_order_of_facts_nor_more_of_what_it_does_not_ask(data: st.DataObject) -> None:
    _, checks = data.draw(st.sampled_from(ASKED))
    outcomes = st.sampled_from(["passed", "failed", "waiting"])
    facts = [fact(rule, data.draw(outcomes)) for rule in checks if rule.required]
    found = assess(rules=checks, facts=facts)
    assert type(assess(rules=checks, facts=data.draw(st.permutations(facts)))) is type(found)
    # An association that says more of its member than is asked opens nothing.
    more = [fact(rule) for rule in checks if not rule.required and not rule.instead_of]
    assert type(assess(rules=checks, facts=[*facts, *more])) is type(found)


STATEMENT = policy.BUNDLED.read_text()
QUEUE, SERVICE, CLAIM = 'key = "answered"\n', "[services.vpn_freelancer]\n", 'key = "sample-software-houses"\n'


class TestAPolicy:
    def test_says_so_in_both_languages_and_the_rules_show_it(self, client: Client, db: None) -> None:
        for found in SHIPPED:
            assert found.no_better_lane is not None and "association" in found.no_better_lane.en
        page = client.get("/rules/").text
        assert "No profession, sector or association has a better lane" in page

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("[no_better_lane]", "[other]", "Say that no profession"),
            (QUEUE, QUEUE + "priority = 1\n", "none of them goes first"),
            (SERVICE, SERVICE + 'only_for = ["software houses"]\n', "reserved for a profession"),
            (CLAIM, CLAIM + 'weights = { member = "alone" }\n', "worth no more"),
            (
                'required = false\ninstead_of = "documents"\nreason = "R2"\nprovisional',
                'required = true\nreason = "R2"\nprovisional',
                "is never asked of all",
            ),
        ],
    )
    def test_without_it_or_with_a_lane_for_some_does_not_load(self, old: str, new: str, said: str) -> None:
        assert old in STATEMENT
        with pytest.raises(policy.PolicyError, match=said):
            policy.read(STATEMENT.replace(old, new, 1))

    def test_may_trust_one_association_less(self) -> None:
        less = policy.read(STATEMENT.replace(CLAIM, CLAIM + 'weights = { freelancer = "supporting" }\n', 1))
        assert less.attesting is not None
        assert less.attesting.weight("sample-software-houses", "freelancer", "vpn_freelancer") == "supporting"


@pytest.mark.django_db
def test_what_an_officer_entered_is_decided_as_what_its_holder_typed() -> None:
    """By telephone, and once more by its own steps: the same draft, the same that is still asked, the same decision."""
    ended = []
    for by_telephone in (False, True):
        holder = story.a_person()
        if by_telephone:
            entry = an_entry(story.an_officer(), name=holder.name, which="yes", block="", kind="", mobile="")
            application = entered.take_over(entry=entry, holder=holder, now=timezone.now())
        else:
            application = story.a_draft(holder)
        rules_now = applications.policy_in_force()
        asked_of_it = applications.missing_steps(application, rules_now)
        story.prove(story.add(story.fill(application)))
        story.send(story.fresh(application))
        story.decide()
        sent = story.fresh(application)
        decision = Decision.objects.get(case__application=sent)
        facts = (sent.status, decision.outcome, decision.codes, decision.decided_by, decision.provisional_codes)
        ended.append((asked_of_it, [(check.kind, check.outcome) for check in checks_of(sent.subject)], facts))
    assert ended[0] == ended[1]


def test_a_decision_is_not_told_who_somebody_is_or_who_says_it() -> None:
    """A fact is a kind of check, the list it was looked up in, and what came of it."""
    assert {each.name for each in fields(CheckFact)} == {"kind", "target", "outcome", "title", "past_clock"}
    targets = {rule.roster for _, checks in ASKED for rule in checks if rule.roster}
    assert targets <= {"companies", "active_taxpayers", "association_members"}
