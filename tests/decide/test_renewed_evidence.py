"""A suspension because evidence has expired is over by rule when it is there anew, and no other suspension is."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import policy, workflow
from rahdari.apply import drafts, renewal, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.apply.rules import About
from rahdari.attest import attestations
from rahdari.attest.models import Attestation
from rahdari.decide import ending, queries, revocation
from rahdari.decide.models import Case, Revocation
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import Standing
from rahdari.workflow import apply_renewal
from tests.builders.attestations import a_member
from tests.builders.cases import DAY, HOUR, NOW, PAPER, a_gateway, a_person, an_application, prove
from tests.workflow.test_association_checks import a_member as a_member_of
from tests.workflow.test_association_checks import name_its_association

from .test_fair_revocation import acts_of, suspended, text_of_last_letter
from .test_revocation import LATER, answered

pytestmark = pytest.mark.django_db
ENDS = NOW + 100 * DAY


def standing(found: Registration, now: dt.datetime) -> Standing:
    return entries.standing(entries.fresh(found), now)


class TestTheCode:
    def test_is_the_one_of_evidence_that_expired(self) -> None:
        mended = [each.code for each in policy.current(None).reasons.values() if each.ends_with_new_evidence]
        assert mended == ["S1"]


class TestARenewal:
    def renewed(self, case: Case, found: Registration, now: dt.datetime, *, evidence: str) -> Application:
        person = case.application.applicant
        actor = f"person:{person.pk}"
        draft = renewal.apply_again(
            registration=entries.fresh(found), applicant=person, about=About.RENEWAL, actor=actor, now=now
        )
        assert draft.evidence_kind == "" and not applications.documents_of(draft).exists(), "all of it is asked anew"
        facts = {"application": draft, "actor": actor, "now": now}
        drafts.save_evidence(kind=evidence, text="From studio@client.example, today: we work with you.", **facts)
        for endpoint in applications.endpoints_of(draft):
            prove(endpoint, now)
        return sending.submit_application(
            application=Application.objects.get(pk=draft.pk), policy=policy.current(None), actor=actor, now=now
        )

    def test_opens_at_once_and_ends_the_suspension_when_it_is_granted(
        self, officer: User, second: User, time_machine: Any
    ) -> None:
        case, found, taken = suspended(officer, second, "S1")
        now = LATER + 3 * DAY
        time_machine.move_to(now, tick=False)
        assert renewal.renewal_opens_at(found, policy.current(None)) == found.suspended_at
        holder = Client()
        holder.force_login(case.application.applicant)
        place = reverse("portal:renew", args=[found.reference])
        assert place in holder.get(reverse("portal:registration", args=[found.reference])).text
        page = holder.get(place).text
        assert "Renew it with new evidence" in page and "as_it_is" not in page
        self.renewed(case, found, now, evidence="client_email")
        workflow.advance(now=now)
        taken.refresh_from_db()
        assert standing(found, now) is Standing.VALID
        assert (taken.ended_at, taken.ended_by[:5], taken.restored_by) == (now, "rule:", None)
        assert "decide.suspension_ended" in acts_of(case)

    def test_that_is_provisional_leaves_it_until_the_rest_came(self, officer: User, second: User) -> None:
        case, found, taken = suspended(officer, second, "S1")
        now = LATER + 3 * DAY
        draft = self.renewed(case, found, now, evidence="client_email")
        rows = list(applications.endpoints_of(draft))
        facts = {"actor": "rule:1", "now": now}
        rules = policy.current(None)
        apply_renewal.carry_out(draft, rows, rules, provisional_until=now + 30 * DAY, **facts)  # type: ignore[arg-type]
        assert standing(found, now) is Standing.SUSPENDED
        apply_renewal.carry_out(draft, rows, rules, provisional_until=None, **facts)  # type: ignore[arg-type]
        assert standing(found, now) is Standing.VALID
        taken.refresh_from_db()
        assert taken.ended_at == now

    def test_does_not_open_for_a_suspension_for_anything_else(self, officer: User, second: User) -> None:
        case, found, _taken = suspended(officer, second, "S4")
        with pytest.raises(renewal.TooEarlyToRenew):
            self.renewed(case, found, LATER + 3 * DAY, evidence="client_email")
        holder = Client()
        holder.force_login(case.application.applicant)
        place = reverse("portal:renew", args=[found.reference])
        assert place not in holder.get(reverse("portal:registration", args=[found.reference])).text
        assert holder.get(place).status_code == 302
        assert not ending.restore_renewed(registration=found, now=LATER + 3 * DAY)
        assert standing(found, LATER + 3 * DAY) is Standing.SUSPENDED


class TestAnAttestation:
    @pytest.fixture
    def attested(self, monkeypatch: pytest.MonkeyPatch) -> tuple[Case, Registration, Attestation]:
        """A registration that rests on what an association has said until a day."""
        name_its_association(monkeypatch)
        a_gateway()
        user = a_person()
        said = a_member_of(user, valid_until=ENDS.date())
        application = an_application(applicant=user, evidence="association", text="")
        workflow.advance(now=NOW)
        case = queries.case_of(application)
        found = entries.registration_from(application.subject)
        assert case is not None and found is not None
        return case, found, said

    def suspended(self, case: Case, officer: User, second: User, code: str) -> Revocation:
        revocation.propose_revocation(
            case=case,
            officer=officer,
            code=code,
            text="It has expired.",
            evidence="Its last day.",
            paper=PAPER,
            now=LATER,
        )
        answered(case)
        return revocation.second_revocation(case=case, officer=second, because="So it is.", now=LATER + DAY)

    def test_that_is_renewed_ends_the_suspension(
        self, attested: tuple[Case, Registration, Attestation], officer: User, second: User
    ) -> None:
        case, found, said = attested
        taken = self.suspended(case, officer, second, "S1")
        now = LATER + 2 * DAY
        workflow.advance(now=now)
        assert standing(found, now) is Standing.SUSPENDED, "what was there when it was suspended is nothing new"
        attestations.renew(attestation=said, valid_until=(ENDS + 300 * DAY).date(), by="person:x", now=now)
        workflow.advance(now=now + HOUR)
        assert standing(found, now + HOUR) is Standing.VALID
        taken.refresh_from_db()
        assert taken.ended_by == f"rule:{taken.rule_version}"
        assert "is there again" in text_of_last_letter(case)

    def test_of_the_same_member_from_a_list_does_too(
        self, attested: tuple[Case, Registration, Attestation], officer: User, second: User
    ) -> None:
        case, found, said = attested
        self.suspended(case, officer, second, "S1")
        now = LATER + 2 * DAY
        member = a_member(
            number=said.member_number, name=said.name, valid_from=said.valid_from, valid_until=(ENDS + DAY).date()
        )
        row = attestations.put(
            association=said.association,
            claim=said.claim,
            method=said.method,
            member=member,
            held=Attestation.objects.get(pk=said.pk),
            by="person:x",
            now=now,
        )
        row.save()
        workflow.advance(now=now + HOUR)
        assert standing(found, now + HOUR) is Standing.VALID

    def test_that_is_renewed_ends_no_other_suspension(
        self, attested: tuple[Case, Registration, Attestation], officer: User, second: User
    ) -> None:
        case, found, said = attested
        self.suspended(case, officer, second, "S4")
        now = LATER + 2 * DAY
        attestations.renew(attestation=said, valid_until=(ENDS + 300 * DAY).date(), by="person:x", now=now)
        workflow.advance(now=now + HOUR)
        assert standing(found, now + HOUR) is Standing.SUSPENDED

    def test_that_is_over_again_by_then_ends_none(
        self, attested: tuple[Case, Registration, Attestation], officer: User, second: User
    ) -> None:
        case, found, said = attested
        self.suspended(case, officer, second, "S1")
        now = LATER + 2 * DAY
        attestations.renew(attestation=said, valid_until=now.date(), by="person:x", now=now)
        workflow.advance(now=now + 3 * DAY)
        assert standing(found, now + 3 * DAY) is Standing.SUSPENDED
