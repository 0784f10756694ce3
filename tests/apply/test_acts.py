"""The acts of an application, through the database."""

import datetime as dt
import io
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from PIL import Image

from rahdari.apply import access, drafts, parts, pending, queries, rules, screening, sending
from rahdari.apply.models import Application, Document, Endpoint, FrozenPolicy
from rahdari.apply.rules import AddressTrouble, Status, StepKey
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.people import actions as people
from rahdari.policy import Policy
from rahdari.vault import files
from tests.builders.drafts import (
    LATER,
    NOW,
    a_complete_company_draft,
    a_complete_draft,
    a_draft,
    a_pdf,
    a_person,
    a_photo_with_place,
    actor_of,
    register_to,
    registered_to_another,
    sent,
    with_address,
)

pytestmark = pytest.mark.django_db


def acts_about(application: Application) -> list[str]:
    return [row.act for row in reversed(list(journal.about(application.subject)))]


def common(application: Application) -> dict[str, Any]:
    return {"application": application, "actor": actor_of(application.applicant), "now": NOW}


def other_rules(policy: Policy, **changes: Any) -> Policy:
    """The policy with another service for freelancers."""
    service = replace(policy.services["vpn_freelancer"], **changes)
    return replace(policy, digest="f" * 64, services={**policy.services, "vpn_freelancer": service})


class TestStartApplication:
    def test_gives_a_reference_that_cannot_be_guessed(self) -> None:
        one, other = a_draft(), a_draft()
        assert one.reference.startswith("A-2611-")
        assert one.reference != other.reference
        assert len(one.reference.replace("-", "")) == 1 + 4 + 8

    def test_is_done_once_for_one_start_form(self) -> None:
        token, user = uuid.uuid4(), a_person()
        one, other = a_draft(user, send_token=token), a_draft(user, send_token=token)
        assert one.pk == other.pk
        assert acts_about(one) == ["apply.started"]
        assert a_draft(a_person("other@sample.example"), send_token=token).pk != one.pk

    @pytest.mark.django_db(transaction=True)
    def test_is_done_once_from_two_tabs_at_the_same_moment(self) -> None:
        token, user = uuid.uuid4(), a_person()
        ready = threading.Barrier(3, timeout=60)
        made: list[uuid.UUID] = []

        def start() -> None:
            try:
                ready.wait()
                made.append(a_draft(user, send_token=token).pk)
            finally:
                connections.close_all()

        tabs = [threading.Thread(target=start) for _ in range(3)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()
        assert len(made) == 3 and len(set(made)) == 1

    @pytest.mark.parametrize("service", ["vpn_freelancer", "nothing"])
    def test_is_refused_for_a_service_that_is_not_open(self, service: str) -> None:
        closed = other_rules(queries.policy_in_force(), open=False)
        with pytest.raises(drafts.ServiceNotOpen) as caught:
            a_draft(service=service, policy=closed)
        assert caught.value.service == service


class TestEndpoints:
    def test_are_kept_with_the_network_that_announces_them(self) -> None:
        draft = a_draft()
        known, unknown = with_address(draft, "39.32.0.1"), with_address(draft, "154.192.0.1")
        assert (known.asn, bool(known.operator_name)) == (17557, True)
        assert (unknown.asn, unknown.operator_name) == (None, "")
        assert [row.position for row in queries.endpoints_of(draft)] == [1, 2]

    def test_are_added_once_when_the_form_is_sent_twice(self) -> None:
        draft, id = a_draft(), uuid.uuid4()
        assert with_address(draft, id=id).pk == with_address(draft, id=id).pk
        assert queries.endpoints_of(draft).count() == 1

    def test_of_an_id_that_is_another_applications_get_one_of_their_own(self) -> None:
        theirs = with_address(a_draft(a_person("other@sample.example")), "203.0.113.99")
        added = with_address(a_draft(), id=theirs.pk)
        assert added.pk != theirs.pk

    @pytest.mark.parametrize(
        ("block", "kind"),
        [
            ("10.0.0.1", AddressTrouble.SPECIAL_USE),
            ("100.64.3.2", AddressTrouble.SPECIAL_USE),
            ("203.0.113.0/27", AddressTrouble.TOO_WIDE),
            ("2001:db8::/48", AddressTrouble.TOO_WIDE),
            ("203.0.113.24", AddressTrouble.DUPLICATE),
            ("198.51.100.40", AddressTrouble.HELD_BY_YOU),
        ],
    )
    def test_are_refused_with_the_reason(self, block: str, kind: AddressTrouble) -> None:
        draft = a_draft()
        with_address(draft)
        register_to(draft.applicant.holder_ref, "198.51.100.40")
        with pytest.raises(parts.EndpointNotTaken) as caught:
            with_address(draft, block)
        assert caught.value.trouble.kind is kind
        assert queries.endpoints_of(draft).count() == 1

    def test_get_a_new_id_when_their_address_changes_and_keep_it_when_only_the_port_does(self) -> None:
        draft = a_draft()
        row = with_address(draft)
        given = {"actor": actor_of(draft.applicant), "now": LATER}
        same = parts.change_endpoint(endpoint=row, block="203.0.113.24", runs="openvpn_tcp", **given)
        assert same.pk == row.pk
        other = parts.change_endpoint(endpoint=same, block="203.0.113.25", runs="openvpn_tcp", **given)
        assert other.pk != row.pk
        assert [str(each.as_address()) for each in queries.endpoints_of(draft)] == ["203.0.113.25 tcp 443"]

    def test_can_be_removed_twice_and_added_again(self) -> None:
        draft = a_draft()
        row = with_address(draft)
        for _ in range(2):
            parts.remove_endpoint(endpoint=row, actor="person:x", now=LATER)
        assert acts_about(draft).count("apply.removed_endpoint") == 1
        assert with_address(draft).pk != row.pk

    def test_are_held_apart_by_the_database_too(self) -> None:
        draft = a_draft()
        row = with_address(draft)
        with pytest.raises(DatabaseError), transaction.atomic():
            Endpoint.objects.create(
                application=draft, block=row.network, runs=row.runs, parts=row.parts, position=9, added_at=NOW
            )


class TestDocuments:
    def attach(self, draft: Application, content: bytes | None = None, **given: Any) -> Document:
        values = {"rule": "evidence", "name": "letter.pdf", "content": content or a_pdf()} | given
        return parts.attach_document(**values, **common(draft))

    def test_are_kept_clean_and_encrypted(self) -> None:
        draft = a_draft()
        document = self.attach(draft, a_photo_with_place(), name="letter.jpg")
        stored = (files.folder() / document.stored[:2] / document.stored).read_bytes()
        # Four letters stand by chance somewhere in so many bytes, about once in ten thousand runs.
        assert b"SampleCamera" not in stored and b"JFIF" not in stored[:1_000]
        with Image.open(io.BytesIO(queries.content_of(document))) as image:
            assert not image.getexif()
        assert "letter" not in str(list(journal.about(draft.subject).values_list("detail", flat=True)))

    def test_are_kept_once_when_sent_twice(self) -> None:
        draft = a_draft()
        assert self.attach(draft).pk == self.attach(draft, name="again.pdf").pk
        assert queries.documents_of(draft).count() == 1

    def test_are_refused_for_what_the_service_does_not_ask_for(self) -> None:
        with pytest.raises(parts.UnknownDocumentRule):
            self.attach(a_draft(), rule="card_image")

    def test_stop_at_the_number_of_the_policy(self) -> None:
        draft, policy = a_draft(), queries.policy_in_force()
        few = replace(policy, limits=replace(policy.limits, documents_per_application=1))
        self.attach(draft, policy=few)
        with pytest.raises(parts.TooManyDocuments) as caught:
            self.attach(draft, a_pdf(2), policy=few)
        assert caught.value.limit == 1

    def test_are_erased_when_removed(self, django_capture_on_commit_callbacks: Any) -> None:
        draft = a_draft()
        document = self.attach(draft)
        with django_capture_on_commit_callbacks(execute=True):
            parts.remove_document(application=draft, document=document, actor="person:x", now=LATER)
        with pytest.raises(files.FileMissing):
            queries.content_of(document)
        assert not queries.documents_of(draft).exists()

    def test_leave_nothing_of_a_refused_file(self) -> None:
        draft = a_draft()
        before = sorted(files.folder().rglob("*"))
        with pytest.raises(screening.FileRefused):
            self.attach(draft, b"%PDF-1.7 broken")
        assert sorted(files.folder().rglob("*")) == before
        assert not queries.documents_of(draft).exists()


class TestSubmit:
    def test_is_refused_while_a_step_is_missing_and_done_once_it_is_there(self) -> None:
        draft = a_complete_draft()
        drafts.save_person(name="", **common(draft))
        with pytest.raises(sending.StepsMissing) as caught:
            sent(draft)
        assert caught.value.steps == [StepKey.PERSON]
        drafts.save_person(name="Sample Freelancer 31", **common(draft))
        application = sent(draft)
        assert (application.status, application.submitted_at) == (Status.SUBMITTED, LATER)
        assert list(pending.submitted_without_checks()) == [application]

    def test_twice_gives_the_same_application_one_row_and_one_letter(self) -> None:
        draft = a_complete_draft()
        assert sent(draft).pk == sent(draft).pk
        assert acts_about(draft).count("apply.submitted") == 1
        written = letters.letters_of(draft.applicant)
        assert [letter.template for letter in written] == ["application_received"]
        assert draft.reference in written[0].text

    def test_freezes_the_rules(self) -> None:
        one, other = sent(a_complete_draft()), sent(a_complete_company_draft())
        assert FrozenPolicy.objects.count() == 1
        assert one.policy_id == other.policy_id == queries.policy_in_force().digest
        assert queries.frozen_policy(one) == queries.policy_in_force()

    def test_tells_once_that_the_rules_have_changed(self) -> None:
        draft = a_complete_draft()
        policy = other_rules(queries.policy_in_force(), validity_months=6)
        assert queries.terms_changed(draft, policy)
        given = {"application": draft, "actor": actor_of(draft.applicant), "now": LATER}
        with pytest.raises(sending.TermsChanged) as caught:
            sending.submit_application(policy=policy, **given)
        assert caught.value.steps == []
        draft.refresh_from_db()
        assert draft.status == Status.DRAFT
        assert not queries.terms_changed(draft, policy)

    def test_rechecks_the_steps_under_the_changed_rules(self) -> None:
        draft, policy = a_complete_draft(), queries.policy_in_force()
        asked = policy.services["vpn_company"].documents[:1]
        changed = other_rules(policy, documents=tuple(replace(rule, group=None) for rule in asked))
        given = {"application": draft, "policy": changed, "actor": actor_of(draft.applicant), "now": LATER}
        with pytest.raises(sending.TermsChanged) as told:
            sending.submit_application(**given)
        assert told.value.steps == [StepKey.DOCUMENTS]
        with pytest.raises(sending.StepsMissing):
            sending.submit_application(**given)

    def test_does_not_mind_a_change_that_asks_for_nothing_else(self) -> None:
        draft, policy = a_complete_draft(), queries.policy_in_force()
        assert not queries.terms_changed(draft, other_rules(policy, title=policy.services["vpn_company"].title))

    def test_is_refused_when_the_service_was_closed_meanwhile(self) -> None:
        draft = a_complete_draft()
        closed = other_rules(queries.policy_in_force(), open=False)
        with pytest.raises(drafts.ServiceNotOpen):
            sending.submit_application(application=draft, policy=closed, actor="person:x", now=LATER)

    def test_sends_only_what_the_page_showed(self) -> None:
        draft = a_complete_draft()
        shown = draft.version
        with_address(draft, "203.0.113.77")
        given = {"application": draft, "policy": queries.policy_in_force(), "actor": "person:x", "now": LATER}
        with pytest.raises(drafts.ChangedMeanwhile) as caught:
            sending.submit_application(seen_version=shown, **given)
        application = sending.submit_application(seen_version=caught.value.application.version, **given)
        assert application.status == Status.SUBMITTED

    def test_says_nothing_of_what_another_has_nobody_can_ask_so_whether_an_address_is_registered(self) -> None:
        draft = a_complete_draft()
        registered_to_another("203.0.113.24")
        assert sent(draft).status == Status.SUBMITTED

    def test_is_refused_when_an_address_came_to_the_same_holder_meanwhile(self) -> None:
        draft = a_complete_draft()
        register_to(draft.applicant.holder_ref, "203.0.113.24")
        with pytest.raises(sending.EndpointsInTrouble) as caught:
            sent(draft)
        [(row, trouble)] = caught.value.troubles
        assert (row.address_text, trouble.kind) == ("203.0.113.24", AddressTrouble.HELD_BY_YOU)

    def test_needs_no_paper_of_a_company_that_gave_a_tax_number(self) -> None:
        draft, policy = a_complete_company_draft(), queries.policy_in_force()
        assert queries.missing_steps(draft, policy) == []
        assert queries.missing_evidence(draft, policy) == ["incorporation", "taxpayer_proof"]
        assert draft.number_for("active_taxpayers") == "1234567-8"
        assert draft.number_for("companies") == "0000482"

    @pytest.mark.django_db(transaction=True)
    def test_from_two_tabs_at_the_same_moment_sends_once(self) -> None:
        draft = a_complete_draft()
        ready = threading.Barrier(2, timeout=60)
        faults: list[BaseException] = []

        def send() -> None:
            try:
                ready.wait()
                sent(draft)
            except BaseException as error:
                faults.append(error)
            finally:
                connections.close_all()

        tabs = [threading.Thread(target=send) for _ in range(2)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()
        assert faults == []
        assert acts_about(draft).count("apply.submitted") == 1
        assert len(letters.letters_of(draft.applicant)) == 1


class TestEnds:
    @pytest.mark.parametrize("outcome", ["granted", "refused", "not_pursued"])
    def test_are_given_once(self, outcome: str) -> None:
        application = sent(a_complete_draft())
        given = {"application": application, "actor": "rule:test", "now": LATER}
        for _ in range(2):
            closed = sending.close_application(outcome=outcome, **given)
        assert (closed.status, closed.closed_at) == (outcome, LATER)
        assert acts_about(application).count(f"apply.closed_{outcome}") == 1
        for other in {"granted", "refused", "not_pursued"} - {outcome}:
            with pytest.raises(sending.MoveNotAllowed):
                sending.close_application(outcome=other, **given)

    def test_are_not_for_a_draft(self) -> None:
        with pytest.raises(sending.MoveNotAllowed):
            sending.close_application(application=a_draft(), outcome="granted", actor="rule:test", now=LATER)
        with pytest.raises(sending.MoveNotAllowed):
            sending.close_application(
                application=sent(a_complete_draft()), outcome="withdrawn", actor="rule:test", now=LATER
            )

    def test_let_an_applicant_withdraw_before_and_after_sending_and_not_once_decided(self) -> None:
        given: dict[str, Any] = {"actor": "person:x", "now": LATER}
        assert sending.withdraw_application(application=a_draft(), **given).status == Status.WITHDRAWN
        application = sent(a_complete_draft())
        assert sending.withdraw_application(application=application, **given).closed_at == LATER
        decided = sent(a_complete_draft(a_person("second@sample.example"), block="203.0.113.25"))
        sending.close_application(application=decided, outcome="refused", actor="officer:x", now=LATER)
        with pytest.raises(sending.MoveNotAllowed):
            sending.withdraw_application(application=decided, **given)

    def test_can_be_undone_for_a_grant_that_could_not_be_entered(self) -> None:
        application = sent(a_complete_draft())
        sending.close_application(application=application, outcome="granted", actor="rule:test", now=LATER)
        again = sending.reopen_application(application=application, actor="system:workflow", now=LATER)
        assert (again.status, again.closed_at) == (Status.SUBMITTED, None)

    def test_are_held_by_the_database_too(self) -> None:
        application = sent(a_complete_draft())
        with connection.cursor() as cursor:
            for status in ("draft", "refused"):
                cursor.execute("SAVEPOINT before")
                if status == "refused":
                    cursor.execute("UPDATE apply_application SET status = 'refused', closed_at = now()")
                with pytest.raises(DatabaseError):
                    cursor.execute("UPDATE apply_application SET status = 'draft', closed_at = NULL")
                cursor.execute("ROLLBACK TO SAVEPOINT before")
            cursor.execute("SAVEPOINT before")
            with pytest.raises(DatabaseError):
                cursor.execute("UPDATE apply_application SET submitted_at = %s", [NOW - dt.timedelta(days=1)])
            cursor.execute("ROLLBACK TO SAVEPOINT before")
        assert Application.objects.get(pk=application.pk).status == Status.SUBMITTED

    def test_agree_with_the_trigger_for_every_pair(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'apply_status_moves'")
            source = cursor.fetchone()[0]
        for one in Status:
            for other in Status:
                if one is not other:
                    assert (f"'{one}>{other}'" in source) is any(
                        (move.source, move.target) == (one, other) for move in rules.MOVES
                    )


class TestMarkChecksOpened:
    def test_is_done_once_and_takes_the_application_off_the_list(self) -> None:
        application = sent(a_complete_draft())
        for _ in range(2):
            sending.mark_checks_opened(application=application, now=LATER)
        assert not pending.submitted_without_checks().exists()
        assert list(pending.submitted_undecided()) == [application]
        assert acts_about(application).count("apply.opened_checks") == 1


class TestGatekeepers:
    def test_answer_the_same_for_absent_and_for_anothers(self) -> None:
        mine, theirs = a_draft(), a_draft(a_person("other@sample.example"))
        assert access.application_for_applicant(applicant=mine.applicant, reference=mine.reference.lower()).row == mine
        for reference in (theirs.reference, "A-2611-AAAA-AAAA"):
            with pytest.raises(access.ApplicationNotFound):
                access.application_for_applicant(applicant=mine.applicant, reference=reference)

    def test_note_who_opened_a_document(self) -> None:
        officer = a_person("officer@sample.example")
        people.appoint(user=officer, role="officer", actor="administrator:x", now=NOW)
        draft = a_complete_draft()
        document = parts.attach_document(rule="evidence", name="a.pdf", content=a_pdf(), **common(draft))
        given: dict[str, Any] = {"officer": officer, "id": document.pk, "now": LATER}
        with pytest.raises(queries.DocumentNotFound):
            queries.read_document(application=draft, **given)
        found, content = queries.read_document(application=sent(draft), **given)
        assert found == document and content.startswith(b"%PDF-")
        assert "apply.read_document" in acts_about(draft)


class TestTelling:
    def test_lists_the_steps_with_their_state_and_page(self) -> None:
        draft, policy = a_draft(), queries.policy_in_force()
        steps = {step.key: step for group in queries.step_list(draft, policy) for step in group.steps}
        # What is asked of a person about themselves is one task.
        assert set(steps) == set(queries.missing_steps(draft, policy))
        assert steps[StepKey.PERSON].url.endswith(f"/{draft.reference}/about-you/")
        company = a_draft(service="vpn_company")
        of_company = [step for group in queries.step_list(company, policy) for step in group.steps]
        assert {step.key for step in of_company} == {*queries.missing_steps(company, policy), StepKey.CONTACT}
        full = {
            step.key: step.state.value
            for group in queries.step_list(a_complete_draft(), policy)
            for step in group.steps
        }
        assert set(full.values()) == {"done"}

    def test_sums_the_answers_up_and_masks_the_card(self) -> None:
        draft = a_complete_draft()
        rows = {row.key: row for group in queries.summary_of(draft, queries.policy_in_force()) for row in group.rows}
        assert [line.text for line in rows["evidence"].lines][1:] == ["SA-0031", "35xxx-xxxxxxx-x"]
        assert rows["name"].lines[0].kind == "name"
        [endpoint] = queries.endpoints_of(draft)
        assert rows[f"endpoint:{endpoint.pk}"].lines[0].text == "203.0.113.24"
        assert rows[f"endpoint:{endpoint.pk}"].endpoint == endpoint
        assert all(row.url.startswith("/my/applications/") for row in rows.values())
