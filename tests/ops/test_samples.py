"""The demonstration's sample applications stand in the states that they are samples of."""

import datetime as dt
import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from rahdari.address import directory, parse_block
from rahdari.appeal import queries as appeals
from rahdari.appeal.rules import CannotDecide
from rahdari.apply import access
from rahdari.attest import queries as attestations
from rahdari.complaint import queries as complaints
from rahdari.complaint.rules import Answer
from rahdari.confirm import queries as questions
from rahdari.decide import case_clock, hearings
from rahdari.decide import queries as decisions
from rahdari.incident import queries as incidents
from rahdari.letters import queries as letters
from rahdari.ops import sample_measured, sample_server, samples, seed
from rahdari.people import actions as people
from rahdari.people import demonstration
from rahdari.people import queries as persons
from rahdari.policy import SHIPPED
from rahdari.publish import actions as publishing
from rahdari.register import queries as register
from rahdari.sampling import queries as looks
from rahdari.settings import demo
from rahdari.watch import queries as watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Iterator[dt.datetime]:
    now = timezone.now()
    extra = [directory.Origin(asn, name, parse_block(prefix)) for asn, name, prefix in demo.DIRECTORY_EXTRA]
    directory.configure(None, extra)
    demonstration.make_ready_accounts(operators=[], now=now)
    publishing.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=now)
    seed.import_rosters(now)
    yield now
    directory.configure(None)


def application_of(email: str) -> object:
    user = persons.person_by_email(email)
    assert user is not None
    return access.applications_of(user).get()


class TestApplications:
    def test_stand_in_each_state_and_are_made_once(self, now: dt.datetime) -> None:
        for _ in range(2):
            samples.make_applications(now)
            sample_measured.measured(now)
            emails = {number: demonstration.sample_email(number) for number in demonstration.SAMPLES}
            statuses = {number: application_of(email).status for number, email in emails.items()}
            assert statuses == {
                32: "granted", 33: "granted", 34: "submitted", 35: "submitted", 36: "submitted", 37: "draft",
                38: "submitted", 39: "submitted", 40: "granted", 41: "granted", 42: "refused", 43: "refused",
                44: "granted", 45: "granted", 46: "granted", 47: "granted", 48: "submitted", 49: "granted",
            }  # fmt: skip
        for number in (32, 33):
            user = persons.person_by_email(demonstration.sample_email(number))
            assert user is not None
            (registration,) = register.registrations_of(holders=persons.holders_of(user))
            assert register.standing(registration, now) == "valid"
        (silent,) = register.registrations_of(holders=[application_of(demonstration.sample_email(40)).holder_ref])
        assert (silent.provisional_code, register.standing(silent, now)) == ("P1", "valid")
        waits = application_of(demonstration.sample_email(38))
        assert [each.operator for each in questions.questions_of(waits.subject)] == ["sample-fibre"]
        asked = application_of(demonstration.sample_email(39))
        assert [each.name for each in attestations.requests_waiting("sample-software-houses")] == [asked.name]
        cases = {
            number: decisions.case_of(application_of(demonstration.sample_email(number))) for number in (34, 35, 36)
        }
        assert cases[34].assigned_to is None
        assert decisions.open_question(cases[35]) is not None
        assert decisions.open_notice(cases[36]) is not None
        company = decisions.case_of(application_of(demonstration.email_of("company")))
        assert decisions.open_question(company) is not None
        draft = application_of(demonstration.sample_email(37))
        client = Client()
        client.force_login(draft.applicant)
        for page in ("person", "contact", "evidence", "addresses", "tasks", "send"):
            assert client.get(f"/my/applications/{draft.reference}/{page}/").status_code == 200, page
        for number, page, said in (
            (38, "status", "Waiting for your operator to confirm the address"),
            (39, "status", "There is time for it until"),
            (40, "provisional", "From your operator"),
        ):
            application = application_of(demonstration.sample_email(number))
            client.force_login(application.applicant)
            place = f"/my/applications/{application.reference}/{page}/"
            if number == 40:
                place = f"/my/registrations/{silent.reference}/{page}/"
            assert said in client.get(place).text

    def test_have_one_whose_endpoint_is_measured(self, now: dt.datetime) -> None:
        """Everybody sees on their pages what docs/demo.md says."""
        for _ in range(2):
            sample_measured.measured(now)
        application = application_of(demonstration.sample_email(47))
        (registration,) = register.registrations_of(holders=[application.holder_ref])
        open_now, over = incidents.incidents_of(registration)
        assert (over.state, over.proof, over.reason) == ("closed_with_proof", "looks", "filter_too_wide")
        assert (open_now.state, open_now.measured) == ("open", "path_blocked")
        (entry,) = register.entries_of(registration)
        consent = watch.consent_of(entry.feed_id)
        assert consent is not None and ipaddress.ip_address(json.loads(consent.asks)["address"]).is_loopback
        holder, officer, there, anybody = Client(), Client(), Client(), Client()
        holder.force_login(application.applicant)
        officer.force_login(persons.person_by_email(demonstration.email_of("officer")))
        mender = people.register_person(email="mender@sample.example", name="Sample", now=now)
        people.appoint(user=mender, role="operator", operator="sample-fibre", actor="system:test", now=now)
        there.force_login(mender)
        base = f"/my/registrations/{registration.reference}/"
        for client, path, said in (
            (holder, f"{base}addresses/{entry.pk}/measurement/", "Something blocks the way to your server"),
            (holder, f"{base}incidents/{open_now.reference}/", "The operator was asked"),
            (holder, f"{base}incidents/{over.reference}/", "Your connection is back"),
            (holder, f"{base}incidents/{over.reference}/", "Download the evidence"),
            (holder, "/my/planned-work/", "Sample Fibre"),
            # Their number is old enough; the code itself needs SMS.
            (holder, f"{base}urgent/", "An officer calls you back at the number on file"),
            (there, "/operator/incidents/", open_now.reference),
            (there, f"/operator/incidents/{open_now.reference}/", sample_server.ADDRESS),
            (there, "/operator/planned-work/", "Announced"),
            (officer, f"/desk/incidents/{open_now.reference}/", "Sample Fibre"),
            (anybody, "/status/connections/", "Announced work"),
        ):
            assert said in client.get(path).text, path

    def test_wait_where_something_goes_against_a_holder(self, now: dt.datetime) -> None:
        for _ in range(2):
            samples.make_applications(now)
        cases = {
            number: decisions.case_of(application_of(demonstration.sample_email(number))) for number in range(41, 47)
        }
        officer, director, supervisor = (
            persons.person_by_email(demonstration.email_of(local))
            for local in ("second-officer", "director", "supervisor")
        )
        noticed, answered = decisions.open_notice(cases[41]), decisions.open_notice(cases[46])
        assert noticed.may_answer and noticed.answered_at is None
        assert case_clock.calendar().is_open_at(hearings.to_come(noticed).starts_at)
        assert answered.answered_at is not None and answered.rank == ""
        assert appeals.appealable(cases[42].application, now) is not None
        [appeal] = appeals.appeals_of(cases[43].application)
        assert appeals.why_not(appeal, director) == CannotDecide.PART and appeals.why_not(appeal, supervisor) is None
        [complaint] = complaints.complaints_of(cases[44].application)
        assert complaint.holder_answer == Answer.ASKED and complaint.registration is not None
        assert [look.decision.case for look in looks.free_for(officer, now)] == [cases[45]]
        client = Client()
        for number, page, said in (
            (41, "notice", "A hearing"),
            (42, "refusal", "appeal"),
            (43, "appeal", "Your appeal"),
            (44, f"complaints/{complaint.reference}", "Send answer"),
            (46, "notice", "We have your answer"),
        ):
            application = cases[number].application
            client.force_login(application.applicant)
            assert said in client.get(f"/my/applications/{application.reference}/{page}/").text, number

        late, yearly = (application_of(demonstration.sample_email(number)) for number in (48, 49))
        client.force_login(late.applicant)
        assert "Appeal because no decision came" in client.get(f"/my/applications/{late.reference}/status/").text
        assert client.get(f"/my/applications/{late.reference}/appeal/").status_code == 200
        (registration,) = register.registrations_of(holders=[yearly.holder_ref])
        assert "still_right" in {each.template for each in letters.letters_of(yearly.applicant)}
        client.force_login(yearly.applicant)
        page = f"/my/registrations/{registration.reference}/"
        assert "Is this registration still right?" in client.get(page).text
        assert client.post(f"{page}still-right/").status_code == 302
        assert "Is this registration still right?" not in client.get(page).text

    def test_write_to_each_in_their_language(self, now: dt.datetime) -> None:
        samples.make_applications(now)
        urdu = persons.person_by_email(demonstration.sample_email(33))
        assert urdu is not None
        assert [letter.language for letter in letters.letters_of(urdu)] == ["ur", "ur"]


class TestUnderADeclaration:
    """What the rules do not ask for is no sample's either."""

    def test_samples_have_no_name_and_nobody_waits_for_others(self, settings: Any, tmp_path: Path) -> None:
        settings.POLICY_FILE = tmp_path / "in-force.toml"
        settings.POLICY_FILE.write_bytes(SHIPPED["declaration"].read_bytes())
        extra = [directory.Origin(asn, name, parse_block(prefix)) for asn, name, prefix in demo.DIRECTORY_EXTRA]
        directory.configure(None, extra)
        now = timezone.now()
        demonstration.make_ready_accounts(operators=[], now=now)
        publishing.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=now)
        for _ in range(2):
            samples.make_applications(now)
            sample_measured.measured(now)
        directory.configure(None)
        listed = {each.user.email: each for each in demonstration.ready_accounts()}
        roles = {each.partition("@")[0] for each in listed} - {f"freelancer-{number}" for number in range(32, 50)}
        assert roles == {"freelancer", "officer", "second-officer", "director", "supervisor", "administrator"}
        statuses = {
            number: application_of(email).status
            for number in demonstration.SAMPLES
            if (email := demonstration.sample_email(number)) in listed
        }
        assert statuses == {
            32: "granted", 33: "granted", 34: "submitted", 37: "draft", 44: "granted", 45: "granted", 46: "granted",
            47: "granted", 48: "submitted",
        }  # fmt: skip
        assert {listed[demonstration.sample_email(number)].user.name for number in statuses} == {""}


class TestAccounts:
    def test_are_left_for_the_welcome(self, now: dt.datetime) -> None:
        samples.left_as_draft(now)
        seed.write_accounts()
        text = (Path(settings.DATA) / "accounts.json").read_text()
        assert demonstration.email_of("officer") in text
        assert demonstration.sample_email(37) in text and demonstration.sample_email(36) not in text
