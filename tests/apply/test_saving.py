"""The acts that save the steps of a draft."""

import pytest
from django.db import connection

from rahdari.apply import access, drafts, queries, sending
from rahdari.apply.models import Application
from rahdari.apply.rules import StepKey
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Organisation
from rahdari.vault import index
from tests.builders.drafts import (
    CNIC,
    LATER,
    NOW,
    a_complete_company_draft,
    a_complete_draft,
    a_draft,
    a_person,
    actor_of,
    sent,
)

from .test_acts import acts_about, common

pytestmark = pytest.mark.django_db


class TestSaveSteps:
    def test_encrypt_what_is_personal_and_index_the_card(self) -> None:
        draft = a_complete_draft()
        assert (draft.name, draft.cnic) == ("Sample Freelancer 31", CNIC)
        assert draft.cnic_index == index.blind("cnic", CNIC)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(a)::text FROM apply_application a WHERE id = %s", [draft.pk])
            row = cursor.fetchone()[0]
        for planted in (CNIC, "Sample Freelancer", "3001234567", "clients abroad", "SA-0031"):
            assert planted.encode().hex() not in row and planted not in row
        draft.applicant.refresh_from_db()
        assert draft.applicant.name == "Sample Freelancer 31"

    def test_leave_no_answer_in_the_journal(self) -> None:
        rows = list(journal.about(a_complete_draft().subject))
        assert len(rows) == 5
        assert not any(CNIC in str(row.detail) or "Sample" in str(row.detail) for row in rows)

    def test_write_nothing_when_sent_twice(self) -> None:
        draft = a_draft()
        for _ in range(2):
            drafts.save_contact(name="Network manager", mobile="+923001234520", **common(draft))
        assert acts_about(draft) == ["apply.started", "apply.saved_contact"]

    def test_notice_that_another_tab_saved_meanwhile(self) -> None:
        draft = a_draft()
        shown = queries.seen(draft, StepKey.CONTACT)
        drafts.save_contact(name="First tab", mobile="+923001234520", seen=shown, **common(draft))
        with pytest.raises(drafts.ChangedMeanwhile) as caught:
            drafts.save_contact(name="Second tab", mobile="+923001234521", seen=shown, **common(draft))
        assert caught.value.application.contact_name == "First tab"
        now_shown = queries.seen(caught.value.application, StepKey.CONTACT)
        saved = drafts.save_contact(name="Second tab", mobile="+923001234521", seen=now_shown, **common(draft))
        assert saved.contact_name == "Second tab"

    def test_of_different_steps_in_two_tabs_do_not_disturb_each_other(self) -> None:
        draft = a_draft()
        contact, purpose = (queries.seen(draft, step) for step in (StepKey.CONTACT, StepKey.PURPOSE))
        drafts.save_contact(name="One", mobile="+923001234520", seen=contact, **common(draft))
        saved = drafts.save_purpose(purpose="Clients abroad", seen=purpose, **common(draft))
        assert (saved.contact_name, saved.purpose) == ("One", "Clients abroad")

    def test_are_refused_once_the_application_was_sent(self) -> None:
        application = sent(a_complete_draft())
        with pytest.raises(drafts.NotADraft):
            drafts.save_contact(name="Late", mobile="+923001234520", **common(application))


class TestSaveCompany:
    def test_makes_one_organisation_and_mends_it_while_nothing_was_sent(self) -> None:
        draft = a_draft(service="vpn_company")
        for number in ("0000428", "0000482"):
            draft = drafts.save_company(name="Sample House", company_number=number, ntn="", **common(draft))
        assert Organisation.objects.count() == 1
        assert draft.organisation is not None
        assert draft.organisation.company_number == "0000482"
        assert draft.holder_ref == draft.organisation.holder_ref

    def test_uses_the_persons_organisation_of_the_same_number(self) -> None:
        user = a_person()
        own = people.register_organisation(
            owner=user, name="Sample House", company_number="0000482", actor=actor_of(user), now=NOW
        )
        draft = a_draft(user, service="vpn_company")
        saved = drafts.save_company(name="Sample House", company_number="0000482", ntn="", **common(draft))
        assert saved.organisation == own

    def test_never_takes_over_the_organisation_of_another_person(self) -> None:
        other = a_person("other@sample.example")
        theirs = people.register_organisation(
            owner=other, name="Sample House", company_number="0000482", actor=actor_of(other), now=NOW
        )
        saved = drafts.save_company(
            name="Sample House", company_number="0000482", ntn="", **common(a_draft(service="vpn_company"))
        )
        assert saved.organisation != theirs

    def test_leaves_what_was_sent_as_it_was(self) -> None:
        first = sent(a_complete_company_draft())
        second = a_draft(first.applicant, service="vpn_company")
        drafts.save_company(name="Renamed House", company_number=first.company_number, ntn="", **common(second))
        first = Application.objects.get(pk=first.pk)
        assert first.organisation is not None
        assert first.holder_name == first.organisation.name == "Sample Software House (Pvt) Ltd"

    def test_is_never_one_that_let_the_applicant_go(self) -> None:
        other = a_person("second.owner@sample.example")
        left = people.register_organisation(
            owner=other, name="Sample House", company_number="0000482", actor=actor_of(other), now=NOW
        )
        applicant = a_person("manager@sample.example")
        people.add_member(organisation=left, user=applicant, role="manager", actor=actor_of(other), now=NOW)
        draft = a_complete_company_draft(applicant)
        draft.refresh_from_db()
        assert draft.organisation == left
        people.remove_member(organisation=left, user=applicant, actor=actor_of(other), now=NOW)
        after = sent(draft)
        assert after.holder_ref != left.holder_ref
        assert after.organisation is not None and after.organisation.company_number == "0000482"
        assert Organisation.objects.get(pk=left.pk).holder_ref not in queries.people.holders_of(applicant)

    def test_stays_the_organisations_when_somebody_else_goes_on_with_the_draft(self) -> None:
        """Whoever began it was let go: they get neither what the others send nor its letters."""
        owner, applicant = a_person("second.owner@sample.example"), a_person("manager@sample.example")
        company = people.register_organisation(
            owner=owner, name="Sample House", company_number="0000482", actor=actor_of(owner), now=NOW
        )
        people.add_member(organisation=company, user=applicant, role="manager", actor=actor_of(owner), now=NOW)
        draft = a_complete_company_draft(applicant)
        people.remove_member(organisation=company, user=applicant, actor=actor_of(owner), now=NOW)
        by_owner = {"actor": actor_of(owner), "now": LATER}
        drafts.save_company(
            application=draft, name="Sample House", company_number="0000482", ntn="0000482-1", **by_owner
        )
        after = sending.submit_application(
            application=access.application_for_applicant(applicant=owner, reference=draft.reference).row,
            policy=queries.policy_in_force(),
            **by_owner,
        )
        assert after.organisation == company and Organisation.objects.count() == 1
        assert access.readers_of(after) == [owner]
        assert [each.to for each in Letter.objects.filter(template="application_received")] == [owner]
        with pytest.raises(access.ApplicationNotFound):
            access.application_for_applicant(applicant=applicant, reference=draft.reference)

    def test_has_its_letters_written_to_the_others_when_the_applicant_leaves_after_sending(self) -> None:
        owner, applicant = a_person("second.owner@sample.example"), a_person("manager@sample.example")
        company = people.register_organisation(
            owner=owner, name="Sample House", company_number="0000482", actor=actor_of(owner), now=NOW
        )
        people.add_member(organisation=company, user=applicant, role="manager", actor=actor_of(owner), now=NOW)
        after = sent(a_complete_company_draft(applicant))
        assert access.readers_of(after) == [applicant]
        people.remove_member(organisation=company, user=applicant, actor=actor_of(owner), now=LATER)
        assert access.readers_of(after) == [owner]
