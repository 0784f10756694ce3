"""Nothing is granted that would be listed nowhere, and an officer can say to which operator an address belongs."""

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.checks import queries as checks
from rahdari.decide import assignment, granting, queries, transitions, unreached_addresses
from rahdari.decide.models import Case
from rahdari.journal.models import JournalEntry as JournalEntry
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish.models import Operator
from rahdari.register.models import Entry
from tests.builders.cases import MINUTE, NOW, a_case, an_officer

pytestmark = pytest.mark.django_db
LATER = NOW + MINUTE


def an_operator(slug: str = "sample-fibre", *, gateway: bool = False) -> None:
    publish.create_operator(slug=slug, name="Sample Fibre", asns=[] if gateway else [64500], gateway=gateway, now=NOW)


def all_found(case: Case, officer: User) -> None:
    for check in checks.checks_of(case.application.subject):
        if check.outcome != "passed":
            assignment.record_check(
                case=case, officer=officer, check=check.pk, outcome="passed", how="Asked", now=LATER
            )


def taken(officer: User) -> Case:
    case = a_case()
    assignment.take_case(case=case, officer=officer, now=LATER)
    all_found(case, officer)
    return case


class TestGrant:
    def test_is_refused_where_it_would_be_listed_nowhere(self, officer: User) -> None:
        an_operator()
        case = taken(officer)
        with pytest.raises(granting.ChecksMissing) as error:
            granting.grant(case=case, officer=officer, now=LATER)
        assert [fact.kind for fact in error.value.missing] == ["reach"]
        assert queries.decision_of(case) is None

    def test_passes_once_an_operator_is_named_and_that_operator_gets_it(self, officer: User) -> None:
        an_operator()
        case = taken(officer)
        assert unreached_addresses.name_network(case=case, officer=officer, operator="sample-fibre", now=LATER) == 1
        decision = granting.grant(case=case, officer=officer, now=LATER)
        workflow.enter_grants(LATER)
        decision.refresh_from_db()
        assert decision.registration is not None
        assert [entry.asns for entry in decision.registration.entries.all()] == [[64500]]
        assert unreached_addresses.unreached_of(decision.registration) == []

    def test_passes_where_a_gateway_takes_everything(self, officer: User) -> None:
        an_operator("edge", gateway=True)
        assert granting.grant(case=taken(officer), officer=officer, now=LATER)

    def test_by_rule_is_refused_as_well(self, officer: User) -> None:
        an_operator()
        case = taken(officer)
        assignment.hand_over(case=case, officer=officer, to=None, now=LATER)
        found = granting.decide_by_rule(application=a_case().application, checks=[], now=LATER)
        assert found.status == "open"
        assert isinstance(
            unreached_addresses.held_against(queries.assessment_of(case.application, LATER), case.application),
            unreached_addresses.NotYet,
        )


class TestName:
    def test_needs_an_operator_that_takes_the_feed(self, officer: User) -> None:
        case = taken(officer)
        with pytest.raises(unreached_addresses.NobodyToName):
            unreached_addresses.name_network(case=case, officer=officer, operator="nobody", now=LATER)

    def test_needs_the_case_in_hand(self, officer: User, second: User) -> None:
        an_operator()
        with pytest.raises(transitions.NotYourCase):
            unreached_addresses.name_network(case=taken(officer), officer=second, operator="sample-fibre", now=LATER)

    def test_mends_an_entry_that_reaches_nobody(self, officer: User, client: Client) -> None:
        an_operator("edge", gateway=True)
        case = taken(officer)
        decision = granting.grant(case=case, officer=officer, now=LATER)
        workflow.enter_grants(LATER)
        decision.refresh_from_db()
        assert decision.registration is not None
        publish.stop_operator(operator=Operator.objects.get(slug="edge"), actor="system:test", now=LATER)
        an_operator()
        client.force_login(an_officer("Officer D"))
        listed = client.get(reverse("decide:unreached")).text
        place = reverse("decide:case", args=[case.application.reference])
        assert place in listed and decision.registration.reference in listed
        (look,) = JournalEntry.objects.filter(act="decide.read_list")
        assert (look.subject, look.detail["shown"]) == ("desk:unreached", [case.application.subject])
        client.post(reverse("decide:why", args=[case.application.reference]), {"why": "mistake"})
        page = client.get(place).text
        assert "1 address reaches no operator" in page
        named = client.post(
            reverse("decide:name_network", args=[case.application.reference]), {"operator": "sample-fibre"}
        )
        assert named["Location"] == place
        assert [entry.asns for entry in Entry.objects.filter(registration=decision.registration)] == [[64500]]
        listed = client.get(reverse("decide:unreached")).text
        assert place not in listed and "no operator gets them" not in listed


class TestCasePage:
    def test_warns_before_the_grant_and_offers_the_operators(self, officer: User, client: Client) -> None:
        an_operator()
        case = taken(officer)
        client.force_login(officer)
        place = reverse("decide:case", args=[case.application.reference])
        page = client.get(place).text
        assert "1 address would reach no operator" in page and "does not know its network" in page
        # A letter that is typed finds a name: nothing that is not seen stands before it.
        assert '<option value="sample-fibre" dir="auto">Sample' in page
        refused = client.post(
            reverse("decide:decide", args=[case.application.reference]), {"decision": "grant", "text": ""}
        )
        assert refused.status_code == 422
        assert "Name its operator first." in refused.text
        for nobody in ("", "nobody"):
            wrong = client.post(reverse("decide:name_network", args=[case.application.reference]), {"operator": nobody})
            assert wrong.status_code == 422 and "<title>Error: " in wrong.text
            assert '<a href="#id_operator"><span>Choose an operator from the list.' in wrong.text
        client.post(reverse("decide:name_network", args=[case.application.reference]), {"operator": "sample-fibre"})
        assert "would reach no operator" not in client.get(place).text
