"""Each service of the policy from sent to registered, as far as a rule or an officer takes it."""

import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.apply import drafts, late_evidence, parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.attest.models import MembershipInquiry
from rahdari.attest.rules import Identifier
from rahdari.checks import queries as check_queries
from rahdari.checks import queries as checks
from rahdari.checks import rosters
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import assignment, granting
from rahdari.decide import queries as decisions
from rahdari.register import queries as register
from rahdari.workflow.terms import months_later
from tests.builders.attestations import an_attestation
from tests.builders.cases import DAY, HOUR, NOW, a_person, an_officer
from tests.builders.drafts import a_pdf

pytestmark = pytest.mark.django_db
CENTRE, NUMBER = "Sample Call Centre (Pvt) Ltd", "0000731"
LAST_DAY = dt.date(2027, 6, 30)


@pytest.fixture(autouse=True)
def companies(tmp_path: Path) -> None:
    import_companies(tmp_path)


def import_companies(tmp_path: Path) -> None:
    path = tmp_path / "companies.csv"
    path.write_text(f"number,name,status,domain\n{NUMBER},{CENTRE},active,client.example\n", encoding="utf-8")
    rosters.import_roster(name="companies", path=path, now=NOW, actor="system:test", processes=1)


def prove(endpoint: Endpoint, address: str, *, now: dt.datetime = NOW) -> None:
    challenge = challenges.open_challenge(
        subject=endpoint.subject,
        block=ipaddress.ip_network(address),
        method=Method.LINK,
        valid_for=dt.timedelta(days=7),
        now=now,
    )
    challenges.open_link(token=proofs.link_token(challenge), address=ipaddress.ip_address(address), now=now)


def sent(
    service: str,
    papers: dict[str, dt.date | None],
    *,
    name: str = CENTRE,
    number: str = NUMBER,
    ntn: str = "",
    addresses: tuple[str, ...] = ("203.0.113.77",),
    now: dt.datetime = NOW,
    move_on: bool = True,
) -> Application:
    user = a_person()
    actor = f"person:{user.pk}"
    draft = drafts.start_application(applicant=user, service=service, actor=actor, now=now, fixed_address="yes")
    common = {"application": draft, "actor": actor, "now": now}
    drafts.save_company(name=name, company_number=number, ntn=ntn, **common)
    drafts.save_contact(name="Sample Manager", mobile="+923001234567", **common)
    for rule, last_day in papers.items():
        parts.attach_document(rule=rule, name=f"{rule}.pdf", content=a_pdf(1), valid_until=last_day, **common)
    for address in addresses:
        prove(parts.add_endpoint(block=address, runs="wireguard", **common), address, now=now)
    application = sending.submit_application(
        application=Application.objects.get(pk=draft.pk), policy=policy.current(None), actor=actor, now=now
    )
    if move_on:
        workflow.advance(now=now)
    return Application.objects.get(pk=application.pk)


class TestCompany:
    """A tax number that is on no list, and no paper: an association may have attested the company."""

    def test_that_an_association_attested_is_registered_without_naming_it(self) -> None:
        found = an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=CENTRE, now=NOW)
        application = sent("vpn_company", {}, ntn="0000999")
        check = checks.checks_of(application.subject).get(kind="attestation")
        assert (check.finding, check.evidence["attestation"]) == ("attested", found.number)
        registration = register.registration_from(application.subject)
        assert registration is not None and not registration.is_provisional

    @pytest.mark.parametrize("claim", ["", "freelancer"])
    def test_that_nobody_attested_for_this_goes_to_an_officer_and_nobody_is_asked(self, claim: str) -> None:
        if claim:
            an_attestation(claim=claim, identifier=Identifier("company", NUMBER), name=CENTRE, now=NOW)
        application = sent("vpn_company", {}, ntn="0000999")
        assert not checks.checks_of(application.subject).filter(kind="attestation").exists()
        assert decisions.case_of(application) is not None and not MembershipInquiry.objects.exists()

    def test_that_was_attested_under_another_name_goes_to_an_officer_who_reads_of_it(self) -> None:
        # Nothing shows that the applicant is that member: it counts for nothing, under whatever name.
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name="Specimen Exports", now=NOW)
        application = sent("vpn_company", {}, ntn="0000999")
        check = checks.checks_of(application.subject).get(kind="attestation")
        assert (check.outcome, check.finding, check.reason_code) == ("failed", "attested_not_shown", "")
        assert decisions.case_of(application) is not None

    def test_that_an_association_attests_only_then_is_registered_while_no_officer_has_touched_it(self) -> None:
        application = sent("vpn_company", {}, ntn="0000999")
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=CENTRE, now=NOW)
        workflow.advance(now=NOW + HOUR)
        registration = register.registration_from(application.subject)
        assert registration is not None and not registration.is_provisional

    def test_whose_tax_number_is_in_the_next_roster_only_is_registered_by_rule(self, tmp_path: Path) -> None:
        application = sent("vpn_company", {}, ntn="0000999")
        path = tmp_path / "taxpayers.csv"
        path.write_text(f"number,name,status,valid_until\n0000999,{CENTRE},active,\n", encoding="utf-8")
        rosters.import_roster(name="active_taxpayers", path=path, now=NOW + DAY, actor="system:test", processes=1)
        workflow.advance(now=NOW + DAY)
        registration = register.registration_from(application.subject)
        assert registration is not None and not registration.is_provisional
        check = checks.checks_of(application.subject).get(kind="roster", target="active_taxpayers")
        assert check.finding == "listed" and check.evidence["before"]["finding"] in {"no_roster", "not_listed"}
        decision = decisions.decision_of(decisions.case_of(application))  # type: ignore[arg-type]
        assert decision is not None and decision.decided_by.startswith("rule:")


class TestCallCentre:
    def test_is_registered_by_rule_until_its_certificate_ends_at_the_latest(self) -> None:
        application = sent("whitelist_call_centre", {"incorporation": None, "call_centre_certificate": LAST_DAY})
        registration = register.registration_from(application.subject)
        assert registration is not None and not registration.is_provisional
        ends = applications.certified_until(application)
        assert ends is not None and registration.valid_until == ends < months_later(registration.valid_from, 12)
        assert timezone.localdate(registration.valid_until) == LAST_DAY

    def test_stands_provisionally_until_the_certificate_follows(self) -> None:
        application = sent("whitelist_call_centre", {"incorporation": None})
        before = register.registration_from(application.subject)
        assert before is not None and before.provisional_code == "P2"
        late_evidence.offer_proof(
            application=application,
            kind="call_centre_certificate",
            sent=[late_evidence.File("certificate.pdf", a_pdf(1))],
            valid_until=LAST_DAY,
            actor="person:x",
            now=NOW + DAY,
        )
        workflow.advance(now=NOW + DAY)
        after = register.registration_from(application.subject)
        assert after is not None and after.reference == before.reference and not after.is_provisional
        assert after.valid_until == applications.certified_until(application)


class TestByRule:
    @pytest.mark.parametrize(
        ("service", "paper"), [("whitelist_video", "body_letter"), ("vpn_bank", "banking_licence")]
    )
    def test_registers_who_is_on_the_roster_or_gave_the_letter(self, service: str, paper: str) -> None:
        application = sent(service, {paper: None})
        registration = register.registration_from(application.subject)
        assert registration is not None and registration.category == service and not registration.is_provisional


class TestRead:
    @pytest.mark.parametrize(
        ("service", "papers"),
        [("vpn_mission", ("mission_letter",)), ("vpn_public_body", ("body_letter", "founding_paper"))],
    )
    def test_an_officer_reads_the_papers_of_who_stands_in_no_register(
        self, service: str, papers: tuple[str, ...]
    ) -> None:
        application = sent(service, dict.fromkeys(papers), name="Sample University", number="")
        case = decisions.case_of(application)
        assert case is not None and case.status == "open"
        check = check_queries.checks_of(application.subject).get(kind="documents")
        assert (check.finding, check.reason_code) == ("to_be_read", ""), "it speaks against nobody"
        officer = an_officer()
        assignment.take_case(case=case, officer=officer, now=NOW)
        seen = {"outcome": "passed", "how": "Both read."}
        assignment.record_check(case=case, officer=officer, check=check.pk, now=NOW, **seen)
        granting.grant(case=case, officer=officer, now=NOW)
        workflow.advance(now=NOW)
        assert register.registration_from(application.subject) is not None
