"""Papers are kept for as long as the policy says, counted from the decision, and then only that they were there."""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import timezone

from rahdari import line, policy
from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.journal import queries as journal
from rahdari.vault import files
from tests.apply.sample import a_photo
from tests.portal import story

pytestmark = pytest.mark.django_db
KEPT = policy.current(settings.POLICY_FILE).retention["documents"].span or dt.timedelta()


def with_a_paper() -> tuple[Application, Document]:
    application = story.a_full_draft(story.a_person())
    document = apply.attach_document(
        application=application,
        rule="evidence",
        name="contract.jpg",
        content=a_photo(),
        actor=story.actor_of(application.applicant),
        now=timezone.now(),
    )
    return application, document


def is_kept(document: Document) -> bool:
    document.refresh_from_db()
    try:
        files.read(document.stored, aad=document.aad)
    except files.FileMissing:
        return False
    return True


def test_the_policy_keeps_papers_for_some_months() -> None:
    assert dt.timedelta(days=120) == KEPT


def test_papers_go_when_their_time_is_over_and_that_they_were_there_is_known(
    django_capture_on_commit_callbacks: object,
) -> None:
    application, document = with_a_paper()
    story.send(application)
    story.advance()
    decided = story.fresh(application).closed_at
    assert decided is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        line.advance(now=decided + KEPT - dt.timedelta(minutes=1))
    assert is_kept(document) and document.erased_at is None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        line.advance(now=decided + KEPT + dt.timedelta(minutes=1))
    assert not is_kept(document) and document.erased_at is not None and document.name == ""
    assert applications.documents_of(application).get() == document
    erased = [row for row in journal.about(application.subject) if row.act == "apply.erased_documents"]
    assert [row.detail for row in erased] == [{"count": 1}]
    line.advance(now=decided + KEPT + dt.timedelta(days=1))
    assert len([row for row in journal.about(application.subject) if row.act == "apply.erased_documents"]) == 1


def test_papers_of_what_is_not_decided_stay(django_capture_on_commit_callbacks: object) -> None:
    application, document = with_a_paper()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert apply.erase_documents(application=application, now=timezone.now() + 2 * KEPT) == 0
    assert is_kept(document)
