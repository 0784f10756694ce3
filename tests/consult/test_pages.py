"""The public pages and the desk's, as they are used."""

import base64
import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from altcha.v1 import solve_challenge
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rahdari.consult import actions, bodies, moderating, queries
from rahdari.consult.models import Comment, Draft
from rahdari.people.models import User
from rahdari.portal.public import consultation_effort, consultation_speaking
from rahdari.web import limits
from tests.builders import story
from tests.builders.consultations import (
    DAY,
    OFFICER,
    a_body,
    a_comment,
    a_draft,
    a_key,
    code_for,
    letters_to,
    next_version,
    policy_text,
    text_of,
)
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db
NIGHT = {"within 8 working hours, and on one": "within 8 working hours at any time, and on one"}


def visitor(language: str = "en", user: User | None = None) -> Client:
    client = Client(headers={"accept-language": language})
    if user is not None:
        client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


def at(name: str, draft: Draft, **more: Any) -> str:
    return reverse(f"portal:{name}", kwargs={"reference": draft.reference, **more})


def text_of_page(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def say(client: Client, draft: Draft, on: str = "", **given: str) -> Any:
    usual = {"words": "Why not for all?", "email": "page@reader.example", "version": "1", "key": str(uuid.uuid4())}
    place = at("say", draft) + (f"?on={on}" if on else "")
    return client.post(place, usual | {"passage": "all"} | given)


class TestSaying:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_goes_from_a_passage_to_a_comment_that_everybody_reads(self, language: str) -> None:
        draft, client = a_draft().draft, visitor(language)
        page = client.get(at("consultation", draft)).text
        assert "<ins>" in page and f"{at('say', draft)}?on=9.2" in page
        form = client.get(at("say", draft) + "?on=9.2").text
        assert 'type="radio"' not in form or "name=passage" in form.replace('"', "")
        sent = say(client, draft, "9.2", words="Three of us take calls.", name="Sample Freelancer 22")
        assert sent.status_code == 302
        [comment] = Comment.objects.filter(draft=draft)
        asked = client.get(sent.url).text
        assert "Three of us take calls." in asked
        assert client.post(sent.url, {"code": "00000000"}).status_code == 422
        code = code_for(comment)
        proved = client.post(sent.url, {"code": f"{code[:4]} {code[4:]}"})
        assert proved.status_code == 302 and proved.url == at("consultation_comment", draft, number=1)
        shown = visitor(language).get(at("consultation", draft)).text
        assert "Three of us take calls." in shown and "Sample Freelancer 22" in shown
        pages = [page, form, asked, shown, client.get(proved.url).text, client.get("/consultations/").text]
        assert "page@reader.example" not in "".join([page, shown, *pages[4:]])
        if language == "ur":
            assert [problem for each in pages for problem in page_problems(each)] == []

    def test_keeps_what_was_typed_when_another_version_came(self) -> None:
        version = a_draft()
        next_version(version, NIGHT)
        answer = say(visitor(), version.draft, "9.2", words="These are my words.")
        assert answer.status_code == 422 and "These are my words." in answer.text
        assert "was published while you wrote" in answer.text

    def test_says_which_words_are_not_there(self) -> None:
        draft = a_draft().draft
        answer = say(visitor(), draft, "9.2", quoted="at least 7 seats")
        assert answer.status_code == 422 and "Copy them as they are there" in answer.text
        answer = say(visitor(), draft, "9.1", quoted="working hours")
        assert answer.status_code == 422 and "more than once" in answer.text

    def test_has_a_bound_for_a_household(self) -> None:
        draft, client = a_draft().draft, visitor()
        codes = [
            say(client, draft, email=f"{place}@reader.example", words=str(place)).status_code for place in range(11)
        ]
        assert codes == [302] * 10 + [429]

    def test_is_not_open_any_more(self) -> None:
        draft = a_draft(now=timezone.now() - 40 * DAY).draft
        answer = say(visitor(), draft, words="Too late, but mine.")
        assert answer.status_code == 409 and "Too late, but mine." in answer.text
        assert at("say", draft) not in visitor().get(at("consultation", draft)).text


class TestABody:
    def test_speaks_as_such_by_its_link_and_an_address_at_its_domain(self) -> None:
        draft, client = a_draft().draft, visitor()
        body = a_body()
        [letter] = letters_to("desk@association.example")
        link = reverse("portal:body", args=[body.pk, bodies.token_of(body)])
        assert link in letter.text
        place = at("say_for", draft, body=body.pk, token=bodies.token_of(body))
        assert place in client.get(link).text and "You speak for" in client.get(place).text
        assert client.get(at("say_for", draft, body=body.pk, token="a" * 26)).status_code == 404
        given = {"words": "Keep it for all.", "version": "1", "key": str(uuid.uuid4())}
        for email in ("me@elsewhere.example", "me@notassociation.example"):
            wrong = client.post(place, given | {"email": email})
            assert wrong.status_code == 422 and "Enter an address at" in wrong.text
        sent = client.post(place, given | {"email": "law@office.association.example"})
        [comment] = Comment.objects.filter(draft=draft)
        client.post(sent["Location"], {"code": code_for(comment)})
        page = client.get(at("consultation_comments", draft)).text
        assert "Sample Association" in page and "Speaks for the body" in page


class TestAFlood:
    def test_without_work_leaves_the_others_a_queue(self) -> None:
        """The bound of all who did no work is used up; who did some gets through, once for each work."""
        draft, client = a_draft().draft, visitor()
        rate = consultation_speaking.OF_ALL[False]
        limits.spend("consult.say:all:False", 2 * rate, rate=rate, per=3600)
        with CaptureQueriesContext(connection) as read:
            assert say(client, draft).status_code == 429
        # However many there are, a refusal counts none of them.
        assert [each["sql"] for each in read if "COUNT(" in each["sql"]] == []
        asked = json.loads(consultation_effort.asked(timezone.now()))
        found = solve_challenge(asked["challenge"], asked["salt"], "SHA-256", asked["maxNumber"])
        assert found is not None
        names = ("algorithm", "challenge", "salt", "signature")
        done = {name: asked[name] for name in names} | {"number": found.number}
        work = base64.b64encode(json.dumps(done).encode()).decode()
        forged = base64.b64encode(json.dumps(done | {"number": found.number + 1}).encode()).decode()
        codes = [say(client, draft, effort=given).status_code for given in (forged, "AAAA", work, work)]
        assert codes == [429, 429, 302, 429]


class TestTheDraft:
    def test_is_compared_with_an_earlier_version(self) -> None:
        version = a_draft()
        next_version(version, NIGHT)
        page = visitor().get(at("consultation", version.draft) + "?version=2&against=1").text
        assert "at any time" in text_of_page(page) and "against version 1" in page
        assert visitor().get(at("consultation", version.draft) + "?version=9").status_code == 404

    def test_has_a_feed_and_the_policy_to_the_byte(self) -> None:
        version = a_draft()
        feed = visitor().get("/consultations/feed.xml").text
        assert f"{version.draft.reference}/1" in feed and "Shorter clock" in feed
        assert visitor().get(at("consultation_policy", version.draft)).text == version.policy_text


class TestTheDesk:
    def test_publishes_a_draft_and_says_what_is_wrong_with_one(self) -> None:
        desk = visitor(user=story.an_officer())

        def send(text: str, becomes: str = "") -> Any:
            files = {
                "draft": SimpleUploadedFile("draft.toml", text.encode()),
                "policy": SimpleUploadedFile("policy.toml", (becomes or policy_text()).encode()),
            }
            return desk.post(reverse("portal:desk_drafts"), files)

        key = a_key()
        wrong = send(text_of(key).replace("format = 1", "format = 7"), "format = 1")
        assert wrong.status_code == 422 and "drafts of format 1" in wrong.text
        done = send(text_of(key))
        assert done.status_code == 302 and Draft.objects.get(key=key).reference in done.url
        again = send(text_of(key))
        assert again.status_code == 422 and "Version 1 was published meanwhile" in again.text

    def test_answers_holds_a_hearing_and_adopts_with_a_second_officer(self) -> None:
        now = timezone.now()
        version = a_draft(now=now - 60 * DAY)
        draft = version.draft
        comment = a_comment(draft, now=now - 55 * DAY, words="Why 5 seats?")
        first = visitor(user=story.an_officer())
        files = {
            "after": "1",
            "draft": SimpleUploadedFile("draft.toml", text_of(draft.key, NIGHT).encode()),
            "policy": SimpleUploadedFile("policy.toml", policy_text("draft-2").encode()),
        }
        assert first.post(at("publish_version", draft), files).status_code == 302
        given = {
            "point_en": "The seats",
            "point_ur": "نشستیں",
            "outcome": "changed",
            "clause": "9.1",
            "text_en": "You are right.",
            "text_ur": "آپ درست کہتے ہیں۔",
        }
        assert "Tick the comments" in first.post(at("answer_comments", draft), given).text
        answered = first.post(at("answer_comments", draft), given | {"comment": str(comment.number)})
        assert answered.status_code == 302
        page = visitor().get(at("consultation_answers", draft)).text
        assert "You are right." in page and "at any time" in text_of_page(page)
        hearing = {"day": "2026-11-20", "at": "10:00", "place_en": "Hall", "place_ur": "ہال"}
        assert first.post(at("announce_hearing", draft), hearing).status_code == 302
        [held] = draft.hearings.all()
        minutes = {"hearing": str(held.pk), "minutes_en": "Nobody objected.", "minutes_ur": "کسی نے اعتراض نہیں کیا۔"}
        assert first.post(at("add_minutes", draft), minutes).status_code == 302
        assert "Nobody objected." in visitor().get(at("consultation", draft)).text
        assert "The time for comment is not over." in first.get(at("desk_draft", draft)).text
        actions.propose(draft=draft, actor=OFFICER, now=now + 30 * DAY)
        assert first.post(at("adopt_draft", draft), {"adopt": "1"}).status_code == 302
        assert queries.draft_by_reference(draft.reference).ending == ""

    def test_withdraws_and_says_why(self) -> None:
        draft = a_draft().draft
        desk = visitor(user=story.an_officer())
        assert desk.post(at("withdraw_draft", draft), {"why_en": "No."}).status_code == 422
        done = desk.post(at("withdraw_draft", draft), {"why_en": "It is not needed.", "why_ur": "ضرورت نہیں رہی۔"})
        assert done.status_code == 302
        assert "It is not needed." in visitor().get(at("consultation", draft)).text

    def test_is_closed_to_everybody_else(self) -> None:
        draft = a_draft().draft
        assert visitor(user=story.a_person()).get(at("desk_draft", draft)).status_code == 403


class TestHiding:
    def test_goes_from_the_desk_to_its_author_and_to_a_second_officer(self) -> None:
        draft = a_draft().draft
        comment = a_comment(draft, words="You are all fools.")
        first, second, author = visitor(user=story.an_officer()), visitor(user=story.an_officer()), visitor()
        assert first.post(at("hide_comment", draft), {"number": "7", "why": "abuse"}).status_code == 422
        first.post(at("hide_comment", draft), {"number": "1", "why": "abuse"})
        for name in ("consultation", "consultation_comments", "consultation_moderation"):
            page = author.get(at(name, draft)).text
            assert "You are all fools." not in page
        assert "1,2" in author.get(at("consultation_moderation_csv", draft)).text
        link = at("dispute_comment", draft, comment=comment.pk, token=moderating.token_of(comment))
        assert author.get(at("dispute_comment", draft, comment=comment.pk, token="a" * 26)).status_code == 404
        assert "Another officer looks at it" in author.post(link).text
        assert "You hid it yourself" in first.get(at("desk_draft", draft)).text
        second.post(at("review_comment", draft), {"number": "1", "show": "1"})
        assert "You are all fools." in author.get(at("consultation_comment", draft, number=1)).text
        assert "Shown again" in author.get(at("consultation_moderation", draft)).text


def test_answers_that_are_late_are_said_to_be() -> None:
    draft = a_draft(now=timezone.now() - dt.timedelta(days=90)).draft
    assert "Our answers are late" in visitor().get(at("consultation", draft)).text
