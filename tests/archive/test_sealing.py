"""What may not be erased yet is sealed for a key that is on no machine here; without one it is kept, and called so."""

import argparse
import base64
import datetime as dt
import html
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.archive import commands, queries, sealing
from rahdari.archive.models import Sealed
from rahdari.archive.queries import Disposal
from rahdari.journal import queries as journal
from rahdari.vault import files
from rahdari.workflow import retention
from tests.builders import story
from tests.builders.drafts import cnic_of
from tests.safeguards.test_nobody_is_listed import (
    Planted,
    all_letters_went_out,
    places_of,
    somebody,
    withdrawn_draft,
)
from tests.safeguards.test_truth import signed

pytestmark = pytest.mark.django_db
LATER = dt.timedelta(days=400)
PASSPHRASE = "sample words for a sample key"


@pytest.fixture
def rules(tmp_path: Path, settings: Any) -> Path:
    """A regulator's own file: no consent of the archives is named in it."""
    place = tmp_path / "policy.toml"
    text = signed(policy.BUNDLED.read_text(encoding="utf-8"))
    place.write_text(text.replace("demonstration = true", "demonstration = false", 1), encoding="utf-8")
    settings.POLICY_FILE = place
    return place


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(commands.PASSPHRASE, PASSPHRASE)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers())
    options = parser.parse_args(["keys", "seal", *arguments])
    return int(options.run(options))


@pytest.fixture
def key(
    tmp_path: Path, words: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A pair, and its public half in use after the rehearsal."""
    private = tmp_path / "seal.key"
    assert run("new", str(private)) == 0
    assert private.stat().st_mode & 0o077 == 0
    install(private, tmp_path, capsys, monkeypatch)
    yield private
    queries.key_path().unlink(missing_ok=True)


def install(private: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = tmp_path / "rehearsal.sealed"

    class Person(io.StringIO):
        """Opens what was written on the other machine, and types what stands there."""

        def readline(self, *_: Any) -> str:
            capsys.readouterr()
            assert run("open", str(rehearsal), "--key", str(private)) == 0
            return capsys.readouterr().out.removeprefix("The word is: ")

    monkeypatch.setattr("sys.stdin", Person())
    assert run("use", str(sealing.public_path(private)), "--rehearsal", str(rehearsal)) == 0


def withdrawn_with_a_paper() -> Planted:
    planted = somebody(known=False)
    story.send(planted.application)
    story.advance()
    sending.withdraw_application(
        application=planted.application, actor=story.actor_of(planted.application.applicant), now=timezone.now()
    )
    all_letters_went_out()
    return planted


def opened(planted: Planted, key: Path, tmp_path: Path) -> list[dict[str, Any]]:
    file, folder = tmp_path / "taken", tmp_path / "opened"
    reference = planted.application.reference
    assert run("take", reference, "--ground", "order 12 of the court", "--to", str(file)) == 0
    assert run("open", str(file), "--key", str(key), "--to", str(folder)) == 0
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]


class TestWithAKey:
    def test_what_goes_is_sealed_whole_and_read_by_nobody_here(
        self, rules: Path, key: Path, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        planted = withdrawn_with_a_paper()
        document = planted.application.documents.get()
        paper = files.read(document.stored, aad=document.aad)
        with django_capture_on_commit_callbacks(execute=True):
            workflow.advance(now=timezone.now() + LATER)
        assert Application.objects.get(pk=planted.application.pk).erased_at is not None
        assert places_of(planted) == {}
        client = Client()
        client.force_login(planted.application.applicant)
        page = client.get(f"/my/applications/{planted.application.reference}/status/").text
        assert "can no longer be read since" in page and "erased" not in page
        with pytest.raises(files.FileMissing):
            files.read(document.stored, aad=document.aad)
        parts = opened(planted, key, tmp_path)
        told = json.dumps(parts, ensure_ascii=False)
        # With this proof nobody compares card numbers: that one went when the application was sent.
        card = cnic_of(planted.application.applicant)
        assert {word for word in planted.words if word not in told} == {card}
        kept = [row["content"] for part in parts for row in part["rows"] if "content" in row and "media_type" in row]
        assert [base64.b64decode(each) for each in kept] == [paper]

    def test_it_is_sealed_once_and_a_kill_in_between_loses_nothing(
        self, rules: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        planted = withdrawn_with_a_paper()
        later = timezone.now() + LATER

        def killed(**_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(retention.letters_retention, "erase_letters", killed)
            with pytest.raises(KeyboardInterrupt), transaction.atomic():
                retention.erase_files_of_nothing(later)
        assert not Sealed.objects.exists() and places_of(planted)
        retention.erase_files_of_nothing(later)
        count = Sealed.objects.count()
        assert count and places_of(planted) == {}
        retention.erase_files_of_nothing(later)
        assert Sealed.objects.count() == count

    def test_it_is_taken_out_for_a_ground_that_the_holder_reads(
        self, rules: Path, key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        planted = withdrawn_with_a_paper()
        workflow.advance(now=timezone.now() + LATER)
        reference = planted.application.reference
        assert run("take", reference, "--to", str(tmp_path / "x")) == 1
        assert "on which ground" in capsys.readouterr().err
        assert run("take", "A-2611-XXXX-XXXX", "--ground", "x", "--to", str(tmp_path / "x")) == 1
        assert "Nothing is sealed under" in capsys.readouterr().err
        opened(planted, key, tmp_path)
        (look,) = [row for row in journal.about(planted.application.subject) if row.act == "archive.read_sealed"]
        assert look.ground == "order 12 of the court"
        client = Client()
        client.force_login(planted.application.applicant)
        page = html.unescape(client.get(f"/my/applications/{reference}/status/").content.decode())
        assert "Everything that had been sealed" in page and "order 12 of the court" in page

    def test_no_row_is_changed_or_taken_away(self, rules: Path, key: Path) -> None:
        withdrawn_with_a_paper()
        workflow.advance(now=timezone.now() + LATER)
        assert Sealed.objects.exists()
        for change in (Sealed.objects.all().delete, lambda: Sealed.objects.update(about="x")):
            with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
                change()


class TestWithoutAKey:
    def test_it_is_kept_and_the_pages_call_it_kept(self, rules: Path) -> None:
        planted = withdrawn_with_a_paper()
        draft = withdrawn_draft()
        workflow.advance(now=timezone.now() + LATER)
        assert places_of(planted) and places_of(draft) and not Sealed.objects.exists()
        page = html.unescape(Client().get("/privacy/").content.decode())
        assert "kept longer for now" in page and "nobody here can read it" not in page

    def test_what_is_no_record_goes_all_the_same(self, rules: Path) -> None:
        planted = somebody()
        workflow.advance(now=timezone.now() + LATER)
        assert places_of(planted) == {}

    def test_a_consent_lets_it_go(self, rules: Path) -> None:
        text = rules.read_text(encoding="utf-8")
        at = text.index("came_to_nothing = {")
        rules.write_text(text[:at] + text[at:].replace('class = "C"', 'class = "C", consent_ref = "DGA 7/2027"', 1))
        assert queries.disposal("came_to_nothing") is Disposal.ERASE
        planted = withdrawn_with_a_paper()
        workflow.advance(now=timezone.now() + LATER)
        assert not any("Zarwashtine" in word for hits in places_of(planted).values() for word in hits)


class TestTheKey:
    def test_is_not_installed_while_nobody_has_opened_what_was_sealed_for_it(
        self, tmp_path: Path, words: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        private = tmp_path / "seal.key"
        assert run("new", str(private)) == 0
        monkeypatch.setattr("sys.stdin", io.StringIO("a guess\n"))
        assert run("use", str(sealing.public_path(private)), "--rehearsal", str(tmp_path / "r")) == 1
        assert "not the word that was sealed" in capsys.readouterr().err
        assert queries.key() is None

    def test_says_what_is_wrong(
        self,
        rules: Path,
        key: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        planted = withdrawn_with_a_paper()
        workflow.advance(now=timezone.now() + LATER)
        file = tmp_path / "taken"
        assert run("take", planted.application.reference, "--ground", "x", "--to", str(file)) == 0

        def told(*arguments: str) -> str:
            capsys.readouterr()
            assert run(*arguments) == 1
            return capsys.readouterr().err

        other = tmp_path / "other.key"
        assert run("new", str(other)) == 0
        assert "was sealed for the key" in told("open", str(file), "--key", str(other))
        assert "is not the private half" in told("open", str(file), "--key", str(sealing.public_path(key)))
        assert "is not the public half" in told("use", str(key), "--rehearsal", str(tmp_path / "r2"))
        assert "nothing is written over" in told("new", str(key))
        whole = json.loads(file.read_text())
        box = bytearray(base64.b64decode(whole["parts"][0]["content"]))
        box[-1] ^= 1
        whole["parts"][0]["content"] = base64.b64encode(box).decode()
        damaged = tmp_path / "damaged"
        damaged.write_text(json.dumps(whole))
        assert "it was damaged" in told("open", str(damaged), "--key", str(key))
        damaged.write_text(file.read_text()[:100])
        assert "it was cut off" in told("open", str(damaged), "--key", str(key))
        # A box is of its number: passed off as another's it does not open.
        damaged.write_text(json.dumps({**json.loads(file.read_text()), "about": "A-2611-XXXX-XXXX"}))
        assert "it was damaged" in told("open", str(damaged), "--key", str(key))
        monkeypatch.setenv(commands.PASSPHRASE, "not the passphrase")
        assert "does not open" in told("open", str(file), "--key", str(key))
        monkeypatch.delenv(commands.PASSPHRASE)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        assert "There is no terminal" in told("new", str(tmp_path / "third.key"))
        monkeypatch.setenv(commands.PASSPHRASE, "short")
        assert "12 characters at least" in told("new", str(tmp_path / "third.key"))
