"""Files of a person's before the judge: whose seconds are counted, and who is refused."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from rahdari.apply import parts, screening
from rahdari.apply.models import Application
from rahdari.apply.parts import attach_document
from rahdari.apply.queries import policy_in_force
from rahdari.apply.screening import FileFault, FileRefused
from tests.builders.drafts import NOW, a_draft, a_pdf

from .test_screening import a_photo, a_zip

SMALL_PDF = a_pdf()


class TestJudgeFile:
    @pytest.mark.django_db
    def test_counts_the_seconds_of_each_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter(range(0, 10_000, 25))
        monkeypatch.setattr(parts.time, "monotonic", lambda: next(clock))
        given: dict[str, Any] = {"name": "letter.pdf", "policy": policy_in_force()}
        for _ in range(4):  # of 25 seconds each, where a person has 90
            parts.judge_file(SMALL_PDF, owner=uuid.UUID(int=1), **given)
        with pytest.raises(FileRefused) as caught:
            parts.judge_file(SMALL_PDF, owner=uuid.UUID(int=1), **given)
        assert caught.value.reason is FileFault.TOO_OFTEN
        assert parts.judge_file(SMALL_PDF, owner=uuid.UUID(int=2), **given)

    @pytest.mark.django_db
    def test_counts_what_was_used_by_a_file_that_was_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter(range(0, 10_000, 100))
        monkeypatch.setattr(parts.time, "monotonic", lambda: next(clock))
        given: dict[str, Any] = {"name": "letter.pdf", "policy": policy_in_force(), "owner": uuid.UUID(int=1)}
        with pytest.raises(FileRefused) as caught:
            parts.judge_file(a_zip(), **given)
        assert caught.value.reason is FileFault.DISGUISED
        with pytest.raises(FileRefused) as caught:
            parts.judge_file(SMALL_PDF, **given)
        assert caught.value.reason is FileFault.TOO_OFTEN

    @pytest.mark.django_db
    def test_has_no_room_for_more_than_a_person_may_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = a_draft()
        given: dict[str, Any] = {"application": draft, "rule": "evidence", "actor": "person:1", "now": NOW}
        attach_document(name="letter.pdf", content=SMALL_PDF, **given)
        monkeypatch.setattr(parts.rules, "MOST_BYTES_OF_PAPERS", 100)
        with pytest.raises(FileRefused) as caught:
            attach_document(name="photo.jpg", content=a_photo(), **given)
        assert (caught.value.reason, caught.value.limit) == (FileFault.NO_ROOM, 100)
        Application.objects.filter(pk=draft.pk).update(status="withdrawn", closed_at=NOW)
        assert parts.judge_file(SMALL_PDF, name="letter.pdf", policy=policy_in_force(), owner=draft.applicant_id)

    def test_is_the_only_way_to_the_judge(self) -> None:
        source = Path(screening.__file__).resolve().parent.parent
        users = {path.name for path in source.rglob("*.py") if "in_a_process(" in path.read_text()}
        assert users == {"screening.py", "parts.py"}
