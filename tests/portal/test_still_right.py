"""The yearly question as its holder answers it: behind the link of the letter, on the registration's page; and the one
figure that everybody reads."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy
from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.register import actions as register
from rahdari.register import queries
from rahdari.register.models import Registration, YearlyQuestion
from rahdari.sampling.rules import FEWEST
from rahdari.workflow.still_right import ask_again, ask_whether_right
from tests import urdu
from tests.builders import story
from tests.builders.people import sign_in_at_once
from tests.builders.publishing import entered
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
OLD = "This link is no longer in use"


@pytest.fixture(scope="module", autouse=True)
def built(shared: None) -> Registration:
    with known_networks():
        return story.registration_of(story.a_granted_application(story.a_person()))


@pytest.fixture
def asked(built: Registration, db: None) -> Registration:
    """Granted long ago, for many years, and asked today."""
    now = timezone.now()
    at = {"last_word_at": now - 400 * DAY, "valid_until": now + 3650 * DAY, "grace_until": None}
    Registration.objects.filter(pk=built.pk).update(**at)
    assert ask_whether_right(now=now) == 1
    return queries.fresh(built)


def link() -> str:
    found = re.search(
        r"/still-right/\S+/", Letter.objects.filter(template__startswith="still_right").latest("written_at").text
    )
    assert found is not None
    return found.group()


class TestTheLinkOfTheLetter:
    def test_shows_the_number_alone_and_changes_nothing_when_it_is_opened(self, asked: Registration) -> None:
        for language in ("en", "ur"):
            answer = Client(headers={"accept-language": language}).get(link())
            entry = asked.entries.get()
            assert answer.status_code == 200 and asked.reference in answer.text
            main = answer.text.partition("<main")[2].partition("</main>")[0]
            assert str(entry.block.network_address) not in main and "Sample" not in main
            assert answer.headers["Referrer-Policy"] == "same-origin" and "noindex" in answer.headers["X-Robots-Tag"]
        assert urdu.page_problems(answer.text) == []
        assert queries.fresh(asked).last_word_at == asked.last_word_at
        assert YearlyQuestion.objects.get().settled_at is None

    def test_is_done_with_one_press_and_pressed_again_says_when(self, asked: Registration) -> None:
        place, browser = link(), Client(headers={"accept-language": "en"}, enforce_csrf_checks=False)
        assert "Is your registration still right?" in browser.get(place).text
        page = browser.post(place, follow=True).text
        said = YearlyQuestion.objects.get().settled_at
        assert said is not None and "Confirmed" in page and "Is your registration still right?" not in page
        assert browser.post(place, follow=True).text.count("Confirmed") == page.count("Confirmed")
        assert YearlyQuestion.objects.get().settled_at == said == queries.fresh(asked).last_word_at
        [row] = JournalEntry.objects.filter(act="register.said_right")
        assert (row.actor, row.subject) == ("letter", f"registration:{asked.pk}")
        assert ask_again(now=said + 20 * DAY) == 0

    def test_is_answered_alike_when_it_is_wrong_old_or_of_nothing(self, asked: Registration) -> None:
        old, browser = link(), Client(headers={"accept-language": "en"})
        assert ask_whether_right(now=timezone.now() + 366 * DAY) == 1
        of_nothing = old.replace(asked.reference, "RD-4F7K-92MQ")
        wrong = old[:-2] + ("a/" if old[-2] != "a" else "b/")
        pages = set()
        for place in (old, of_nothing, wrong):
            for answer in (browser.get(place), browser.post(place)):
                main = answer.text.partition("<main")[2].partition("</main>")[0]
                assert answer.status_code == 404 and OLD in main and asked.reference not in main
                pages.add(main)
        assert len(pages) == 1
        assert YearlyQuestion.objects.get().settled_at is None
        new = link()
        register.strike_out(registration=asked, code="X5", actor="person:1", now=timezone.now())
        assert OLD in browser.get(new).text


class TestTheRegistrationsPage:
    def test_asks_while_it_is_open_and_says_whom_to_call_after_the_last_letter(self, asked: Registration) -> None:
        person = Letter.objects.filter(template="still_right").latest("written_at").to
        browser = sign_in_at_once(Client(headers={"accept-language": "en"}), person)
        place, phone = reverse("portal:registration", args=[asked.reference]), "+92 51 000 0000"
        page = browser.get(place).text
        assert "Is this registration still right?" in page and phone not in page
        now = timezone.now()
        assert ask_again(now=now + 14 * DAY) == ask_again(now=now + 42 * DAY) == 1
        assert phone in browser.get(place).text
        page = browser.post(reverse("portal:say_right", args=[asked.reference]), follow=True).text
        assert "Is this registration still right?" not in page and "Thank you" in page
        [row] = JournalEntry.objects.filter(act="register.said_right")
        assert row.actor == f"person:{person.pk}"


class TestTheFigure:
    def figures(self) -> str:
        page = Client(headers={"accept-language": "en"}).get(reverse("portal:service_status")).text
        return " ".join(re.sub(r"<[^>]+>", " ", page.partition('id="still-right"')[2].partition("<h2")[0]).split())

    def test_is_a_share_of_enough_and_says_nothing_of_fewer(self, asked: Registration) -> None:
        assert "Fewer than 20" in self.figures() and "Too few to say" in self.figures()
        now = timezone.now()
        for number in range(1, FEWEST):
            found = entered(f"192.0.2.{number}/32", now=now)
            YearlyQuestion.objects.create(registration=found, asked_at=now - 30 * DAY, settled_at=now)
        assert "20" in self.figures() and "95 percent" in self.figures()

    def test_is_not_there_under_rules_that_ask_nobody(self, settings: Any, tmp_path: Path) -> None:
        # Beside a file that is in force the last good one is kept.
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(policy.SHIPPED["declaration"].read_text())
        assert self.figures() == ""
