"""The pages of an application's documents, through the test client."""

import re
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rahdari.apply import form_errors, parts, queries, screening, sent_files
from rahdari.apply.screening import FileFault, FileRefused
from tests.builders.drafts import NOW, a_draft, a_pdf, a_person, a_photo_with_place, actor_of

from .test_pages import BOTH, a_client, at, page, tasks

pytestmark = pytest.mark.django_db


class TestDocuments:
    def upload(self, client: Client, url: str, *given: tuple[str, bytes], **more: str) -> Any:
        return client.post(url, {"file": [SimpleUploadedFile(name, content) for name, content in given], **more})

    @BOTH
    def test_are_listed_sent_looked_at_and_removed(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        page(client.get(at("documents", draft)))
        url = at("upload", draft, "incorporation")
        page(client.get(url))
        assert self.upload(client, url, ("letter.pdf", a_pdf()), act="send").headers["Location"] == url
        assert self.upload(client, url, ("page2.jpg", a_photo_with_place())).headers["Location"] == at(
            "documents", draft
        )
        shown = page(client.get(url))
        assert "letter.pdf" in shown and "page2.jpg" in shown
        assert "1 file received, readable." in shown or language == "ur"
        page(client.get(at("documents", draft)))
        first, second = queries.documents_of(draft)
        looked = client.get(at("document", draft, second.pk))
        assert looked.headers["Content-Disposition"].startswith("attachment")
        assert looked.content.startswith(b"\xff\xd8") and b"SampleCamera" not in looked.content
        client.post(at("remove_document", draft, first.pk))
        assert "letter.pdf" in page(client.get(url))
        assert "letter.pdf" not in page(client.get(url))

    @BOTH
    def test_of_which_one_is_enough_are_told_from_what_is_needed_besides(self, language: str) -> None:
        draft = a_draft(service="whitelist_call_centre")
        shown = page(a_client(draft.applicant, language=language).get(at("documents", draft)))
        if language == "en":
            assert "One of these is enough: Incorporation letter or Proof of active taxpayer status." in shown
        # The letter that lets one apply stands with them, and is not one of those.
        assert shown.count('<li class="task">') == 4
        company = a_draft(service="vpn_company")
        shown = page(a_client(company.applicant, language=language).get(at("documents", company)))
        if language == "en":
            assert "<p>One of these is enough: Incorporation letter or Proof of active taxpayer status.</p>" in shown
        assert shown.count('<li class="task">') == 3

    @BOTH
    def test_that_cannot_be_used_are_named_and_hold_no_good_one_up(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        answer = self.upload(
            client,
            at("upload", draft, "evidence"),
            ("good.pdf", a_pdf()),
            ("empty.pdf", b""),
            ("letter.docx", b"PK\x03\x04" + b"x" * 50),
            ("disguised.pdf", b"MZ" + b"\0" * 90),
        )
        shown = page(answer)
        assert 'role="alert"' in shown and ("<title>Error:" if language == "en" else "<title>غلطی:") in shown
        for number, name in ((2, "empty.pdf"), (3, "letter.docx"), (4, "disguised.pdf")):
            assert f'href="#f{number}"' in shown and f'id="f{number}"' in shown and name in shown
        if language == "en":
            assert "3 of 4 files could not be used" in shown
            assert "Wrong type. Save it as PDF" in shown and "The file is empty" in shown
        assert [document.name for document in queries.documents_of(draft)] == ["good.pdf"]

    @BOTH
    def test_that_are_too_big_say_the_limit(self, language: str) -> None:
        draft = a_draft()
        limit = queries.policy_in_force().limits.document_bytes
        shown = page(
            self.upload(
                a_client(draft.applicant, language=language),
                at("upload", draft, "evidence"),
                ("big.pdf", b"%PDF-" + b"x" * limit),
            )
        )
        assert "10 MB" in shown and 'class="file bad"' in shown

    @BOTH
    def test_are_judged_only_so_many_in_a_while(self, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.apply.rules.FILES", 1)
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        files = ("one.pdf", a_pdf()), ("two.pdf", a_pdf(2))
        shown = page(self.upload(client, at("upload", draft, "evidence"), *files))
        assert 'href="#f2"' in shown
        if language == "en":
            assert re.search(r"You sent many files in a short time. Send this one again after .*\d\d:\d\d", shown)
        assert [document.name for document in queries.documents_of(draft)] == ["one.pdf"]

    def test_of_a_form_that_took_long_already_are_asked_for_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter((0, 1, sent_files.SECONDS_OF_A_FORM, sent_files.SECONDS_OF_A_FORM + 1))
        monkeypatch.setattr(sent_files, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        draft = a_draft()
        files = [(f"{number}.pdf", a_pdf(number)) for number in (1, 2, 3)]
        shown = page(self.upload(a_client(draft.applicant), at("upload", draft, "evidence"), *files))
        assert 'href="#f3"' in shown and "The files before this one took too long. Send this one again." in shown
        assert {document.name for document in queries.documents_of(draft)} == {"1.pdf", "2.pdf"}

    def test_of_a_form_are_answered_within_the_minute_that_a_front_waits(self) -> None:
        deploy = Path(__file__).parents[2] / "deploy"
        longest = sent_files.SECONDS_OF_A_FORM + screening.PATIENCE
        for front, waits in (
            ("nginx/rahdari.conf", r"location / \{[^}]*proxy_read_timeout (\d+)s"),
            ("haproxy/haproxy.cfg", r"timeout server (\d+)s"),
        ):
            found = re.search(waits, (deploy / front).read_text())
            assert found is not None and longest < int(found[1]), front

    @BOTH
    def test_ask_for_a_file_when_none_was_chosen(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        url = at("upload", draft, "evidence")
        assert 'href="#file"' in page(client.post(url, {}))
        self.upload(client, url, ("letter.pdf", a_pdf()), act="send")
        assert client.post(url, {}).headers["Location"] == at("about", draft)

    def test_that_nobody_asks_for_are_not_found(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        assert client.get(at("upload", draft, "card-image")).status_code == 404
        assert client.get(at("document", draft, uuid.uuid4())).status_code == 404
        assert client.post(at("remove_document", draft, uuid.uuid4())).status_code == 404
        assert client.get(at("documents", draft)).headers["Location"] == tasks(draft)

    def test_of_another_application_cannot_be_reached_through_ones_own(self) -> None:
        theirs = a_draft(a_person("other@sample.example"))
        document = parts.attach_document(
            application=theirs,
            rule="evidence",
            name="a.pdf",
            content=a_pdf(),
            actor=actor_of(theirs.applicant),
            now=NOW,
        )
        mine = a_draft()
        client = a_client(mine.applicant)
        assert client.get(at("document", mine, document.pk)).status_code == 404
        assert client.post(at("remove_document", mine, document.pk)).status_code == 404
        assert queries.documents_of(theirs).exists()

    @BOTH
    def test_need_not_be_sent_by_a_company_that_gave_a_tax_number(self, language: str) -> None:
        draft = a_draft(service="vpn_company")
        client = a_client(draft.applicant, language=language)
        client.post(at("company", draft), {"name": "Sample House", "company_number": "482", "ntn": "1234567"})
        assert 'class="alert info"' in page(client.get(at("documents", draft)))

    @pytest.mark.parametrize(("service", "papers"), [("vpn_company", False), ("whitelist_call_centre", True)])
    def test_are_needed_all_the_same_where_no_tax_number_stands_in_for_them(self, service: str, papers: bool) -> None:
        draft = a_draft(service=service)
        shown = page(a_client(draft.applicant).get(at("company", draft)))
        # A tax number is asked for where a check looks for it.
        assert ('name="ntn"' in shown) != papers
        assert ("we need no document from you" in shown) != papers

    @BOTH
    def test_have_a_sentence_for_every_fault(self, language: str) -> None:
        from django.utils import translation

        with translation.override(language):
            for fault in FileFault:
                words = form_errors.file(FileRefused(fault, "letter.pdf", limit=60, found="EXE"))
                assert words.endswith("۔" if language == "ur" else ".")
