"""Associations in the line: attested already, asked, silent, revoked before and after the decision, disputed."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.apply import drafts, late_evidence, sending
from rahdari.apply.models import Application
from rahdari.attest import attestations as attestations_of_attest
from rahdari.attest import disputing, requests
from rahdari.attest import queries as attestations
from rahdari.attest.models import Attestation, AttestationReview, AttestationUse, MembershipInquiry
from rahdari.attest.rules import Answer, Identifier, ReviewOutcome
from rahdari.checks import queries as checks
from rahdari.checks import rosters
from rahdari.checks.models import Check
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import queries as register
from rahdari.register.models import Registration
from tests.builders.attestations import ASSOCIATION, a_secretary, an_attestation
from tests.builders.cases import DAY, HOUR, NOW, a_person, an_application
from tests.builders.drafts import cnic_of
from tests.data_steps import migrated_again

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def names_its_association(monkeypatch: pytest.MonkeyPatch) -> None:
    name_its_association(monkeypatch)


def name_its_association(monkeypatch: pytest.MonkeyPatch) -> None:
    """The builder's freelancers who choose the association name the sample one."""
    save = drafts.save_evidence

    def with_association(*, kind: str, **facts: Any) -> Application:
        if kind == "association":
            facts |= {"association": ASSOCIATION, "association_number": "M-00731"}
        return save(kind=kind, **facts)

    monkeypatch.setattr(drafts, "save_evidence", with_association)


def a_member(user: User, *, claim: str = "freelancer", **more: Any) -> Attestation:
    facts: dict[str, Any] = {"identifier": Identifier("email", user.email), "name": user.name, "now": NOW}
    return an_attestation(claim=claim, **facts | more)


def applied(user: User, now: dt.datetime = NOW) -> Application:
    return an_application(applicant=user, evidence="association", text="", now=now)


def check_of(application: Application) -> Check:
    return checks.checks_of(application.subject).get(kind="attestation")


def registration_of(application: Application) -> Registration | None:
    return register.registration_from(application.subject)


def status_of(application: Application) -> str:
    return Application.objects.get(pk=application.pk).status


def is_listed(application: Application) -> bool:
    registration = registration_of(application)
    return registration is not None and registration.entries.get().ended_at is None


class TestAttestedAlready:
    def test_is_registered_at_once_and_nobody_is_asked(self) -> None:
        user = a_person()
        found = a_member(user)
        application = applied(user)
        workflow.advance(now=NOW)
        assert not registration_of(application).is_provisional  # type: ignore[union-attr]
        check = check_of(application)
        assert (check.outcome, check.finding) == ("passed", "attested")
        assert check.evidence["weight"] == "alone" and check.evidence["attestation"] == found.number
        assert user.name not in str(check.evidence) and "M-00731" not in str(check.evidence)
        assert not MembershipInquiry.objects.exists()
        assert AttestationUse.objects.get().weight == "alone"
        assert not any(workflow.advance(now=NOW).values())

    def test_hears_thirty_days_before_that_the_word_ends_and_nothing_else_happens(self) -> None:
        user = a_person()
        ends = (NOW + 100 * DAY).date()
        a_member(user, valid_until=ends)
        application = applied(user)
        workflow.advance(now=NOW)
        for days in (69, 70, 71):
            workflow.advance(now=NOW + days * DAY)
        letter = Letter.objects.get(template="attestation_ends_soon", to=user)
        assert f"{ends.day} {ends:%B} {ends.year}" in letter.text
        workflow.advance(now=NOW + 101 * DAY)
        assert is_listed(application) and status_of(application) == "granted"
        assert not AttestationReview.objects.exists()

    def test_hears_nothing_of_one_that_was_renewed_or_revoked(self) -> None:
        for what in ("renewed", "revoked"):
            user = a_person()
            found = a_member(user, valid_until=(NOW + 100 * DAY).date())
            applied(user)
            workflow.advance(now=NOW)
            if what == "renewed":
                attestations_of_attest.renew(
                    attestation=found, valid_until=(NOW + 300 * DAY).date(), by="person:x", now=NOW
                )
            else:
                attestations_of_attest.revoke(
                    attestation=found, revocation="left", explanation="You left.", by="person:x", now=NOW
                )
        workflow.advance(now=NOW + 70 * DAY)
        assert not Letter.objects.filter(template="attestation_ends_soon").exists()

    def test_by_address_and_in_another_spelling_counts(self) -> None:
        user = a_person()
        a_member(user, name=user.name.replace("Sample", "SAMPLE"))
        application = applied(user)
        workflow.advance(now=NOW)
        assert check_of(application).finding == "attested" and is_listed(application)

    def test_by_card_number_counts_when_the_association_says_of_this_application_that_it_is_the_members(self) -> None:
        user = a_person()
        found = a_member(user, identifier=Identifier("card", cnic_of(user)), number="M-00731")
        application = applied(user)
        workflow.advance(now=NOW)
        assert check_of(application).outcome == "waiting" and not attestations.theirs(user).exists()
        assert AttestationUse.objects.get().tie == ""
        requests.attest_applicant(
            request=MembershipInquiry.objects.get(),
            claim="freelancer",
            method="register",
            valid_until=found.valid_until,
            by="person:test",
            now=NOW + HOUR,
        )
        workflow.advance(now=NOW + HOUR)
        assert check_of(application).evidence["shown_by"] == "association" and is_listed(application)
        assert list(attestations.theirs(user)) == [found]
        assert not any(workflow.advance(now=NOW + HOUR).values())

    def test_under_the_release_before_is_told_to_whom_it_was_shown_of(self) -> None:
        """By the address, and by what the association answered; a number that was only typed shows nothing."""
        by_address, asked, typed = a_person(), a_person(), a_person()
        a_member(by_address)
        for each in (asked, typed):
            a_member(each, identifier=Identifier("card", cnic_of(each)))
        of_address, of_asked, of_typed = map(applied, (by_address, asked, typed))
        workflow.advance(now=NOW)
        requests.attest_applicant(
            request=MembershipInquiry.objects.get(subject=f"check:{check_of(of_asked).pk}"),
            claim="freelancer",
            method="register",
            valid_until=(NOW + 300 * DAY).date(),
            by="person:test",
            now=NOW + HOUR,
        )
        workflow.advance(now=NOW + HOUR)

        def as_before(apps: Any) -> None:
            for check in apps.get_model("checks", "Check").objects.filter(kind="attestation"):
                check.evidence.pop("shown_by", None)
                check.save()

        migrated_again("attest", "0003_told_when_shown", as_before)
        ties = dict(AttestationUse.objects.values_list("subject", "tie"))
        subjects = [each.subject for each in (of_address, of_asked, of_typed)]
        assert [ties[subject] for subject in subjects] == ["address", "association", ""]
        shown = [check_of(each).evidence.get("shown_by") for each in (of_address, of_asked, of_typed)]
        assert shown == ["address", "association", None]

    @pytest.mark.parametrize("how", ["revoked", "ends"])
    def test_by_card_number_of_somebody_else_brings_no_letter_about_it(self, how: str) -> None:
        stranger, ends = a_person(), (NOW + 100 * DAY).date()
        found = a_member(stranger, identifier=Identifier("card", cnic_of(stranger)), valid_until=ends)
        application = applied(stranger)
        workflow.advance(now=NOW)
        workflow.advance(now=NOW + 4 * DAY)
        assert status_of(application) == "granted", "provisionally, as whoever's association is silent"
        if how == "revoked":
            facts = {"revocation": "left", "explanation": "", "by": "person:test"}
            attestations_of_attest.revoke(attestation=found, now=NOW + 5 * DAY, **facts)
        workflow.advance(now=NOW + (5 if how == "revoked" else 70) * DAY)
        assert not Letter.objects.filter(to=stranger, template__startswith="attestation").exists()
        assert not AttestationReview.objects.exists() and not attestations.may_be_objected_to(stranger).exists()

    def test_by_card_number_counts_when_the_member_number_is_shown(self, tmp_path: Path) -> None:
        user = a_person()
        path = tmp_path / "members.csv"
        path.write_text(f"number,name,email\nM-00731,{user.name},{user.email}\n", encoding="utf-8")
        rosters.import_roster(name="association_members", path=path, now=NOW, actor="system:test", processes=1)
        a_member(user, identifier=Identifier("card", cnic_of(user)), number="M-00731")
        application = applied(user)
        workflow.advance(now=NOW)
        assert check_of(application).evidence["shown_by"] == "number" and is_listed(application)

    def test_as_a_new_member_is_registered_for_now_and_fully_with_one_more_proof(self) -> None:
        user = a_person()
        a_member(user, claim="new_member")
        application = applied(user)
        workflow.advance(now=NOW)
        registration = registration_of(application)
        assert registration is not None and registration.provisional_code == "P2"
        assert check_of(application).finding == "attested_for_now"
        assert not MembershipInquiry.objects.exists()
        late_evidence.offer_proof(
            application=Application.objects.get(pk=application.pk),
            kind="client_email",
            text="From studio@client.example: we work with you.",
            actor=f"person:{user.pk}",
            now=NOW + DAY,
        )
        workflow.advance(now=NOW + DAY)
        assert not registration_of(application).is_provisional  # type: ignore[union-attr]

    def test_as_a_mere_member_goes_to_an_officer(self) -> None:
        user = a_person()
        a_member(user, claim="member")
        application = applied(user)
        workflow.advance(now=NOW)
        assert check_of(application).finding == "attested_supporting"
        case = decisions.case_of(application)
        assert case is not None and case.status == "open" and registration_of(application) is None

    @pytest.mark.parametrize("why", ["another_name", "over", "revoked", "another_person", "not_yet"])
    def test_that_does_not_fit_counts_for_nothing_and_the_association_is_asked(self, why: str) -> None:
        user = a_person()
        today = NOW.date()
        facts: dict[str, Any] = {
            "another_name": {"name": "Placeholder Studio"},
            "over": {"valid_from": today - 9 * DAY, "valid_until": today - DAY},
            "revoked": {},
            "another_person": {"identifier": Identifier("email", "somebody@client.example"), "number": "M-00731"},
            "not_yet": {"valid_from": today + DAY},
        }[why]
        found = a_member(user, **facts)
        if why == "revoked":
            attestations_of_attest.revoke(
                attestation=found, revocation="left", explanation="", by="person:test", now=NOW
            )
        application = applied(user)
        workflow.advance(now=NOW)
        assert check_of(application).outcome == "waiting"
        assert registration_of(application) is None and not AttestationUse.objects.exists()
        assert MembershipInquiry.objects.get().state == "waiting"


class TestAsked:
    def asked(self) -> tuple[Application, MembershipInquiry]:
        a_secretary()
        application = applied(a_person())
        workflow.advance(now=NOW)
        return application, MembershipInquiry.objects.get()

    def test_sees_the_name_and_number_and_its_yes_registers(self) -> None:
        application, request = self.asked()
        assert (request.name, request.member_number) == (application.holder_name, "M-00731")
        assert Letter.objects.filter(template="association_asked").count() == 1
        requests.attest_applicant(
            request=request,
            claim="freelancer",
            method="register",
            valid_until=NOW.date() + 365 * DAY,
            by="person:test",
            now=NOW + DAY,
        )
        workflow.advance(now=NOW + DAY)
        assert check_of(application).finding == "attested" and is_listed(application)
        assert not any(workflow.advance(now=NOW + DAY).values())

    def test_is_answered_by_a_list_that_names_the_member(self) -> None:
        application, request = self.asked()
        user = application.applicant
        a_member(user, now=NOW + DAY, number="M-00731")
        workflow.advance(now=NOW + DAY)
        request.refresh_from_db()
        assert request.state == Answer.ATTESTED and is_listed(application)

    def test_saying_not_a_member_brings_an_officer_and_never_a_refusal(self) -> None:
        application, request = self.asked()
        requests.answer_request(request=request, answer=Answer.NOT_MEMBER, by="person:test", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        check = check_of(application)
        assert (check.finding, check.reason_code) == ("association_denied", "R7")
        case = decisions.case_of(application)
        assert case is not None and case.status == "open" and status_of(application) == "submitted"

    def test_taking_a_no_back_opens_the_question_again(self) -> None:
        application, request = self.asked()
        requests.answer_request(request=request, answer=Answer.NOT_MEMBER, why="No.", by="person:test", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert check_of(application).evidence["why"] == "No."
        requests.take_answer_back(request=request, by="person:test", now=NOW + DAY + HOUR)
        workflow.advance(now=NOW + DAY + HOUR)
        check = check_of(application)
        assert (check.finding, check.reason_code) == ("association_withdrew", "")
        request.refresh_from_db()
        requests.answer_request(request=request, answer=Answer.NOT_MEMBER, by="person:test", now=NOW + DAY + 2 * HOUR)
        workflow.advance(now=NOW + DAY + 2 * HOUR)
        assert check_of(application).finding == "association_denied"
        request.refresh_from_db()
        requests.take_answer_back(request=request, by="person:test", now=NOW + DAY + 3 * HOUR)
        workflow.advance(now=NOW + DAY + 3 * HOUR)
        a_member(application.applicant, now=NOW + DAY + 4 * HOUR, number="M-00731")
        workflow.advance(now=NOW + DAY + 4 * HOUR)
        assert check_of(application).finding == "attested" and is_listed(application)

    def test_silent_for_three_working_days_holds_nobody_up_and_later_waits_for_another_proof(self) -> None:
        application, request = self.asked()
        workflow.advance(now=NOW + DAY)
        assert registration_of(application) is None
        workflow.advance(now=NOW + 4 * DAY)
        registration = registration_of(application)
        assert registration is not None and registration.provisional_code == "P2"
        workflow.advance(now=request.due_at)
        assert check_of(application).finding == "association_silent"
        assert status_of(application) == "granted", "no officer has to look because an association is silent"

    def test_about_somebody_who_withdrew_is_asked_no_more(self) -> None:
        application, request = self.asked()
        sending.withdraw_application(
            application=Application.objects.get(pk=application.pk), actor="person:x", now=NOW + DAY
        )
        workflow.advance(now=NOW + DAY)
        request.refresh_from_db()
        assert request.state == "withdrawn"
        assert not attestations.requests_waiting(ASSOCIATION).exists()


class TestBeforeTheDecision:
    @pytest.mark.parametrize("how", ["revoked", "over"])
    def test_what_is_taken_back_or_over_counts_no_more(self, how: str) -> None:
        user = a_person()
        found = a_member(user, valid_until=NOW.date() + 2 * DAY)
        application = applied(user)
        workflow.open_checks(NOW)
        assert check_of(application).finding == "attested" and decisions.case_of(application) is None
        then = NOW + DAY
        if how == "revoked":
            attestations_of_attest.revoke(
                attestation=found, revocation="left", explanation="", by="person:test", now=then
            )
        else:
            then = NOW + 4 * DAY
        workflow.advance(now=then)
        check = check_of(application)
        assert check.outcome == "failed" and check.reason_code == ""
        assert check.finding == ("attestation_revoked" if how == "revoked" else "attestation_over")
        assert check.evidence["before"]["finding"] == "attested", "what was known before stays on the file"
        assert not AttestationReview.objects.exists() and registration_of(application) is None


class TestAfterTheDecision:
    def revoked(self) -> tuple[Application, AttestationReview]:
        user = a_person()
        found = a_member(user)
        application = applied(user)
        workflow.advance(now=NOW)
        assert is_listed(application)
        facts = {"revocation": "left", "explanation": "Your membership ended.", "by": "person:test"}
        attestations_of_attest.revoke(attestation=found, now=NOW + DAY, **facts)
        workflow.advance(now=NOW + DAY)
        return application, AttestationReview.objects.get()

    def test_gives_time_to_object_and_says_until_when(self) -> None:
        application, matter = self.revoked()
        until = attestations.object_until(matter.attestation)
        assert until is not None and until > NOW + 6 * DAY, "five working days"
        letter = Letter.objects.get(template="attestation_revoked")
        shown = until.astimezone(attestations.in_force().calendar.zone_info)
        assert f"{shown.day} {shown:%B} {shown.year}" in letter.text
        client = Client()
        client.force_login(application.applicant)
        page = client.get(reverse("portal:home")).text
        assert (
            "Nothing waits for you" not in page and reverse("attest:theirs", args=[matter.attestation.number]) in page
        )
        with pytest.raises(disputing.NotPossibleNow):
            self.decide(matter, ReviewOutcome.ANOTHER_PROOF, until - HOUR)
        self.decide(matter, ReviewOutcome.ANOTHER_PROOF, until)

    def decide(self, matter: AttestationReview, outcome: ReviewOutcome, now: dt.datetime) -> None:
        due = now + 30 * DAY
        facts = {"text": "Seen.", "officer": "officer:x", "proof_due_at": due, "now": now}
        disputing.decide(matter=matter, outcome=outcome, **facts)
        workflow.advance(now=now)

    def test_a_revocation_takes_nothing_away_and_an_officer_has_it(self) -> None:
        application, matter = self.revoked()
        assert is_listed(application) and status_of(application) == "granted"
        assert check_of(application).finding == "attested"
        letter = Letter.objects.get(template="attestation_revoked")
        assert letter.to == application.applicant and "Your membership ended." in letter.text
        assert matter.subject == application.subject and matter.awaits_officer(NOW + DAY)
        workflow.advance(now=NOW + 400 * DAY - DAY)
        assert (
            AttestationReview.objects.count() == 1
            and Letter.objects.filter(template="attestation_revoked").count() == 1
        )

    def test_undone_within_a_day_closes_nothing_by_force_but_counts_again(self) -> None:
        application, matter = self.revoked()
        attestations_of_attest.give_back(attestation=matter.attestation, by="person:test", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert is_listed(application) and check_of(application).outcome == "passed"

    def test_the_officer_may_let_it_stand(self) -> None:
        application, matter = self.revoked()
        self.decide(matter, ReviewOutcome.STANDS, NOW + 2 * DAY)
        assert is_listed(application) and AttestationReview.objects.get().closed_at is not None
        assert Letter.objects.filter(template="attestation_decided").count() == 1

    def test_the_officer_may_ask_for_another_proof_which_ends_the_matter(self) -> None:
        application, matter = self.revoked()
        self.decide(matter, ReviewOutcome.ANOTHER_PROOF, NOW + 9 * DAY)
        assert is_listed(application) and AttestationReview.objects.get().closed_at is None
        assert check_of(application).finding == "attestation_revoked"
        assert Letter.objects.filter(template="attestation_another_proof").count() == 1
        late_evidence.offer_proof(
            application=Application.objects.get(pk=application.pk),
            kind="client_email",
            text="From studio@client.example: we work with you.",
            actor=f"person:{application.applicant_id}",
            now=NOW + 10 * DAY,
        )
        workflow.advance(now=NOW + 10 * DAY)
        assert AttestationReview.objects.get().closed_at is not None and is_listed(application)

    def test_another_proof_that_does_not_come_ends_nothing(self) -> None:
        application, matter = self.revoked()
        self.decide(matter, ReviewOutcome.ANOTHER_PROOF, NOW + 9 * DAY)
        workflow.advance(now=NOW + 60 * DAY)
        assert is_listed(application) and AttestationReview.objects.get().closed_at is None

    def test_a_member_who_was_right_is_attested_again(self) -> None:
        application, matter = self.revoked()
        disputing.dispute(
            attestation=matter.attestation,
            subject=application.subject,
            holder=matter.holder,
            person=matter.person,
            objection="I paid for this year.",
            reply_due_at=NOW + 6 * DAY,
            now=NOW + 2 * DAY,
        )
        assert AttestationReview.objects.count() == 1, "the dispute joins the matter that is open"
        self.decide(AttestationReview.objects.get(), ReviewOutcome.MEMBER_RIGHT, NOW + 7 * DAY)
        workflow.advance(now=NOW + 7 * DAY)
        assert Attestation.objects.get().is_live((NOW + 7 * DAY).date())
        assert is_listed(application) and check_of(application).outcome == "passed"
        assert AttestationReview.objects.get().closed_at is not None
