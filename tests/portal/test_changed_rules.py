"""A draft whose rules change under it: the service closes, goes away, or asks for something else. Nothing is lost."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.policy import loading
from rahdari.vault import keys
from tests import urdu
from tests.builders import story

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("language", ["en", "ur"])
CLOSED = {
    "en": "You cannot send the application while the service is closed.",
    "ur": "جب تک سروس دستیاب نہ ہو، ہم درخواست نہیں لے سکتے۔",
}
CHANGED = {"en": "The rules have changed since you began", "ur": "قواعد بدل گئے ہیں"}
SERVICE = "[services.vpn_freelancer]"


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture
def rules(settings: Any, tmp_path: Path) -> Path:
    """The policy in force, as a file of this test."""
    settings.POLICY_FILE = tmp_path / "in-force.toml"
    settings.POLICY_FILE.write_text(loading.BUNDLED.read_text())
    return tmp_path / "in-force.toml"


def closed(text: str) -> str:
    before, after = text.split(SERVICE, 1)
    return before + SERVICE + after.replace("open = true", "open = false", 1)


def gone(text: str) -> str:
    tables = re.split(r"(?m)^(?=\[)", text)
    left = "".join(table for table in tables if "services.vpn_freelancer" not in table.splitlines()[0])
    # What associations attest for it goes with it.
    return left.replace('"vpn_freelancer", ', "").replace('"vpn_freelancer"', "")


def without_first_evidence(text: str) -> str:
    """The first kind of evidence of employment is not taken any more."""
    tables = re.split(r"(?m)^(?=\[)", text)
    first = next(table for table in tables if table.startswith("[[services.vpn_freelancer.evidence]]"))
    tables.remove(first)
    return "".join(tables)


def change(rules: Path, how: Any) -> None:
    """Into force as `rahdari policy use` does it: another file in the place of the old one."""
    new = rules.with_suffix(".new")
    new.write_text(how(rules.read_text()))
    loading.load(new)
    new.replace(rules)


def a_draft_and_browser(language: str) -> tuple[Application, Client]:
    applicant = story.a_person()
    applicant.language = language
    applicant.save()
    client = Client(headers={"accept-language": language})
    client.force_login(applicant)
    draft = story.a_draft(applicant)
    story.fill(draft)
    story.add(draft)
    return Application.objects.get(pk=draft.pk), client


def shown(client: Client, url: str) -> str:
    answer = client.get(url, follow=True)
    assert answer.status_code == 200, url
    text: str = answer.text
    if 'lang="ur" dir="rtl"' in text[:200]:
        assert urdu.page_problems(text) == []
    return text


def tasks(draft: Application) -> str:
    return reverse("portal:tasks", args=[draft.reference])


class TestAService:
    @BOTH
    @pytest.mark.parametrize("how", [closed, gone])
    def test_that_closes_says_so_and_keeps_the_answers(self, rules: Path, how: Any, language: str) -> None:
        draft, client = a_draft_and_browser(language)
        change(rules, how)
        text = shown(client, tasks(draft))
        assert CLOSED[language] in text and CHANGED[language] not in text
        assert CLOSED[language] in shown(client, reverse("portal:check", args=[draft.reference]))
        answer = client.post(reverse("portal:check", args=[draft.reference]), {"declare": "on"})
        assert answer["Location"] == tasks(draft)
        kept = Application.objects.get(pk=draft.pk)
        assert (kept.status, kept.contact_mobile, kept.name) == ("draft", draft.contact_mobile, draft.name)

    @BOTH
    def test_that_is_gone_keeps_what_was_just_typed(self, rules: Path, language: str) -> None:
        draft, client = a_draft_and_browser(language)
        before = rules.read_text()
        page = reverse("apply:contact", args=[draft.reference])
        change(rules, gone)
        sent = client.post(page, {"name": "Typed Meanwhile", "mobile": "03001234599"})
        assert sent["Location"] == tasks(draft)
        for name in ("person", "contact", "evidence", "documents", "addresses", "add_address"):
            asked = client.get(reverse(f"apply:{name}", args=[draft.reference]))
            assert asked["Location"] == tasks(draft), name
        change(rules, lambda _text: before)
        assert 'value="Typed Meanwhile"' in shown(client, page)

    @BOTH
    def test_that_asks_for_something_else_says_so_before_it_is_sent(self, rules: Path, language: str) -> None:
        draft, client = a_draft_and_browser(language)
        change(rules, without_first_evidence)
        assert CHANGED[language] in shown(client, tasks(draft))
        check = reverse("portal:check", args=[draft.reference])
        version = Application.objects.get(pk=draft.pk).version
        first = client.post(check, {"declare": "on", "version": version})
        assert first.status_code == 200 and Application.objects.get(pk=draft.pk).status == "draft"
        version = Application.objects.get(pk=draft.pk).version
        second = client.post(check, {"declare": "on", "version": version})
        assert second.status_code == 302
        sent = Application.objects.get(pk=draft.pk)
        assert sent.status == "submitted"
        assert apply.frozen_policy(sent).digest == loading.load(rules).digest
