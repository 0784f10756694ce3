"""The public pages and the desk's, as they are used."""

import base64
import dataclasses
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

from rahdari import policy
from rahdari.cli import main
from rahdari.consult import actions, answering, archiving, bodies, moderating, queries, telling
from rahdari.consult.models import Body, Comment, Draft
from rahdari.consult.rules import Hidden, Outcome
from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.ops.sample_drafts import becomes
from rahdari.people.models import User
from rahdari.portal.public import consultation_effort, consultation_speaking
from rahdari.web import limits
from tests.builders import story
from tests.builders.consultations import (
    BOTH,
    DAY,
    OFFICER,
    SECOND,
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
from tests.builders.consultations import said as not_proved
from tests.urdu import page_problems

pytestmark = pytest.mark.django_db
NIGHT = {"within 10 working hours too": "within 10 working hours at any time"}


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
        assert "Three of us take calls." in asked and "page@reader.example" in asked
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

    @pytest.mark.parametrize("language", ["en", "ur"])
    @pytest.mark.parametrize(
        ("name", "whose"),
        [
            ("{en}", "{language}"),
            ("Director, {upper} (Registry)", "{language}"),
            ("{ur}", "{language}"),
            ("Sample\u00a0 ÁSSOCIATION", "Sample Association"),
            ("نمونہ ایسوسی ایشن کے صدر", "Sample Association"),
        ],
    )
    def test_under_the_name_of_the_office_or_of_a_body_that_was_asked_is_refused(
        self, language: str, name: str, whose: str
    ) -> None:
        draft, office = a_draft().draft, policy.current(None).authority
        body = a_body()
        name = name.format(en=office.en, upper=office.en.upper(), ur=office.ur)
        answer = say(visitor(language), draft, words="These are my words.", name=name)
        its = office if whose == "{language}" else body.name_text
        assert answer.status_code == 422 and "These are my words." in answer.text
        assert its.in_language(language) in text_of_page(answer.text)
        if language == "ur":
            assert page_problems(answer.text) == []
        assert say(visitor(), draft, name="A sample of an association").status_code == 302

    @pytest.mark.parametrize("name", ["\u0430dviser", "Write to help@crook.example", "…", "①"])
    def test_under_no_name_is_refused(self, name: str) -> None:
        """It leads somewhere, has no letter, or signs that only look like one."""
        assert say(visitor(), a_draft().draft, name=name).status_code == 422

    def test_of_the_same_under_another_name_says_that_it_was_said_before(self) -> None:
        draft, words, address = a_draft().draft, "Eight hours are too long.", "one@reader.example"
        first = a_comment(draft, words=words, name="Sample First", email=address)
        again = not_proved(draft, words=words.upper(), name="Sample Second", email=address)
        place = at("prove_comment", draft, comment=again.pk)
        for language in ("en", "ur"):
            answer = visitor(language).post(place, {"code": code_for(again)})
            assert answer.status_code == 409 and "Sample First" in answer.text and "Sample Second" in answer.text
            assert language == "ur" or "The name <bdi>Sample Second</bdi> is not published." in answer.text
            assert language == "en" or page_problems(answer.text) == []
        assert queries.comments(draft).count() == 1 and first.number == 1
        moderating.hide(comment=first, why=Hidden.ABUSE, actor=OFFICER, now=timezone.now())
        told = visitor().post(place, {"code": code_for(again)}).text
        assert "It is hidden." in told and "Sample First" not in told and "without a name" not in told

    def test_has_a_bound_for_a_household(self) -> None:
        draft, client = a_draft().draft, visitor()
        codes = [
            say(client, draft, email=f"{place}@reader.example", words=str(place)).status_code for place in range(11)
        ]
        assert codes == [302] * 10 + [429]

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_has_a_bound_for_an_address_that_nobody_else_learns_of(
        self, language: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rules = queries.in_force()
        few = dataclasses.replace(rules, consultation=dataclasses.replace(rules.consultation, most_by_address=3))
        monkeypatch.setattr(queries, "in_force", lambda: few)
        draft, client = a_draft().draft, visitor(language)
        for place in range(3):
            a_comment(draft, words=f"Point {place}", email="busy@reader.example")
        sent = say(client, draft, email="busy@reader.example", words="My fourth point.")
        assert sent.status_code == 302
        comment = Comment.objects.get(draft=draft, proved_at=None)
        answer = client.post(sent.url, {"code": code_for(comment)})
        assert answer.status_code == 409 and "My fourth point." in answer.text
        if language == "en":
            assert "3 comments on this draft came from your email address" in text_of_page(answer.text)
        else:
            assert page_problems(answer.text) == []
        codes = [say(client, draft, email="busy@reader.example", words="My last point.") for _ in range(2)]
        assert [each.status_code for each in codes] == [302, 429] and "My last point." in codes[-1].text

    def test_strangers_keep_nobody_elsewhere_from_a_code(self) -> None:
        draft, known = a_draft().draft, {"email": "known@reader.example"}
        strangers = [visitor() for _ in range(2)]
        for number, stranger in enumerate(strangers):
            stranger.defaults["REMOTE_ADDR"] = f"192.0.2.{number + 66}"
        codes = [say(stranger, draft, words=str(each), **known) for each in range(5) for stranger in strangers]
        assert [each.status_code for each in codes] == [302] * 10
        assert say(strangers[0], draft, **known).status_code == 429
        assert say(visitor(), draft, **known).status_code == 302

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
        passage = re.search(r'href="(\?on=[^"]+)"', client.get(place).text)
        assert passage is not None and "You speak for" in client.get(place + passage[1]).text
        given = {"words": "Keep it for all.", "version": "1", "key": str(uuid.uuid4())}
        for email in ("me@elsewhere.example", "me@notassociation.example", "me@office.association.example"):
            wrong = client.post(place, given | {"email": email})
            assert wrong.status_code == 422 and "Enter an address at" in wrong.text
        sent = client.post(place, given | {"email": "law@association.example", "name": "Sample Association"})
        [comment] = Comment.objects.filter(draft=draft)
        client.post(sent["Location"], {"code": code_for(comment)})
        page = client.get(at("consultation_comments", draft)).text
        assert "Sample Association" in page and "Speaks for the body" in page

    @pytest.mark.parametrize("domain", ["gmail.com", "Mail.Yahoo.co.uk"])
    def test_has_no_domain_at_which_anybody_gets_a_mailbox(
        self, domain: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = ["--name-en", "Sample Board", "--name-ur", "نمونہ بورڈ"]
        assert main(["consult", "invite", *names, f"board@{domain}"]) == 1
        assert "Anybody gets an address at" in capsys.readouterr().err and not Body.objects.exists()

    @pytest.mark.parametrize("email", ["notanemail", "desk@", "@association.example", "desk@association example", ""])
    def test_is_invited_at_an_address_of_email(self, email: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["consult", "invite", "--name-en", "Sample Board", "--name-ur", "نمونہ بورڈ", email]) == 1
        said = capsys.readouterr().err
        assert "is no address of email: write it like desk@association.example. No letter was sent." in said
        assert not Body.objects.exists() and not Letter.objects.exists()

    def test_keeps_its_name_when_it_is_invited_again_and_that_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        kept = "association.example was invited before, and keeps the name of then: Sample Board (نمونہ بورڈ)."
        for name, told in (("Sample Board", False), ("Sample Board", False), ("Another Board", True)):
            words = ["--name-en", name, "--name-ur", "نمونہ بورڈ", "desk@Association.example"]
            assert main(["consult", "invite", *words]) == 0
            assert (kept in capsys.readouterr().out) == told
        assert [each.name_text.en for each in Body.objects.all()] == ["Sample Board"]
        assert main(["consult", "end", "association.example", "--why", "It has another name."]) == 0
        assert main(["consult", "invite", *words]) == 0
        assert "keeps the name" not in capsys.readouterr().out
        assert Body.objects.get(ended_at=None).name_text.en == "Another Board"

    def test_that_has_ended_says_so_and_says_no_more(self, capsys: pytest.CaptureFixture[str]) -> None:
        draft, client, body = a_draft().draft, visitor(), a_body()
        place = at("say_for", draft, body=body.pk, token=bodies.token_of(body))
        for words in ("Keep it for all.", "Not proved yet."):
            given = {"words": words, "version": "1", "key": str(uuid.uuid4()), "email": "law@association.example"}
            sent = client.post(place, given)
            comment = Comment.objects.get(words=words)
            if words == "Keep it for all.":
                client.post(sent["Location"], {"code": code_for(comment)})
        why = ["--why", "The link was passed on."]
        assert main(["consult", "end", "elsewhere.example", *why]) == 1
        assert main(["consult", "end", "Association.example", *why]) == 0
        [row] = JournalEntry.objects.filter(act="consult.ended_body")
        assert (row.subject, row.reason) == (f"body:{body.pk}", "The link was passed on.")
        link = reverse("portal:body", args=[body.pk, bodies.token_of(body)])
        assert client.get(place).status_code == client.get(link).status_code == 410
        for language, told in (
            ("en", "nobody speaks for Sample Association by this link"),
            ("ur", "نمونہ ایسوسی ایشن"),
        ):
            answer = visitor(language).post(place, given | {"words": "Typed meanwhile."})
            page = answer.text
            assert answer.status_code == 410 and told in text_of_page(page) and settings.CONTACT_EMAIL in page
            assert "Typed meanwhile." in page and not Comment.objects.filter(words="Typed meanwhile.").exists()
            assert language == "en" or not page_problems(page)
        # A wrong token tells nothing, not even that there was a body.
        wrong = client.get(reverse("portal:body", args=[body.pk, "a" * len(bodies.token_of(body))]))
        nobody = client.get(reverse("portal:body", args=[uuid.uuid4(), bodies.token_of(body)]))
        assert wrong.status_code == nobody.status_code == 404 and "Sample Association" not in wrong.text
        # A code that waited proves nothing any more.
        assert client.post(sent["Location"], {"code": code_for(comment)}).status_code == 422
        page = client.get(at("consultation_comments", draft)).text
        assert "Keep it for all." in page and "Spoke for the body; its link ended on" in page
        assert "Not proved yet." not in page and "Speaks for the body" not in page
        # Invited again it has another link, and the old one stays dead.
        again = a_body()
        assert again.pk != body.pk and client.get(link).status_code == 410
        assert main(["consult", "bodies"]) == 0
        assert capsys.readouterr().out.count("association.example  Sample Association") == 2


class TestAFlood:
    def test_without_work_leaves_the_others_a_queue(self) -> None:
        """The bound of all who did no work is used up; who did some gets through, once for each work."""
        draft, client = a_draft().draft, visitor()
        rate = consultation_speaking.OF_ALL[False]
        limits.spend("consult.say:all:False", 2 * rate, rate=rate, per=3600)
        with CaptureQueriesContext(connection) as read:
            answer = say(client, draft)
        assert answer.status_code == 429 and "than we take at once" in answer.text
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

    def test_with_work_shuts_out_nobody_for_longer_than_it_lasts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever writes then is told so, keeps the words, and gets through when the flood is over."""
        monkeypatch.setattr(consultation_effort, "is_done", lambda _payload: True)
        draft, client, rate = a_draft().draft, visitor(), consultation_speaking.OF_ALL[True]
        limits.spend("consult.say:all:True", 2 * rate, rate=rate, per=3600)
        answer = say(client, draft, words="A real comment.")
        assert answer.status_code == 429 and "than we take at once" in answer.text and "A real comment." in answer.text
        with connection.cursor() as cursor:  # the queue is full again in two hours
            cursor.execute("UPDATE web_allowance SET at = at - interval '3 hours'")
        assert say(client, draft, words="A real comment.").status_code == 302


class TestTheDraft:
    def test_is_compared_with_an_earlier_version(self) -> None:
        version = a_draft()
        next_version(version, NIGHT)
        page = visitor().get(at("consultation", version.draft) + "?version=2&against=1").text
        assert "at any time" in text_of_page(page) and "against version 1" in page
        assert visitor().get(at("consultation", version.draft) + "?version=9").status_code == 404

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_since_when_a_comment_is_attached_to_nothing(self, language: str) -> None:
        """Also in a version in which its words stand again."""
        version = a_draft()
        comment = a_comment(version.draft, clause="9.2", quoted="at least 5 seats")
        second = next_version(version, NIGHT)
        third = next_version(second, {"at least 5 seats": "a licence"})
        next_version(third)
        names = {"consultation": {}, "consultation_comments": {}, "consultation_comment": {"number": comment.number}}
        pages = [visitor(language).get(at(name, version.draft, **more)).text for name, more in names.items()]
        if language == "ur":
            assert [problem for each in pages for problem in page_problems(each)] == []
            return
        for page in pages:
            assert "Since version 3 this comment is attached to no words." in text_of_page(page)
            assert "not in the draft any more" not in page and "are gone" not in page
        assert "Where the same words come back, it is not attached again." in pages[2]
        early = visitor().get(at("consultation", version.draft) + "comments/?version=2").text
        assert comment.words in early and "attached to no words" not in early

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_what_its_policy_changes_until_it_ends(self, language: str) -> None:
        text = becomes(policy_text()).replace(
            "notice_before_refusal = { length = 7", "notice_before_refusal = { length = 5"
        )
        version = actions.publish(text=text_of(a_key()), policy_text=text, after=0, actor=OFFICER, now=timezone.now())
        page = visitor(language).get(at("consultation", version.draft)).text
        against, others = (
            each.partition("</table>")[0] for each in page[page.index('id="rules"') :].split("<h3>")[1:3]
        )
        # Less time to answer may go against somebody; less time to decide, by another clock, goes against nobody.
        assert "clocks.notice_before_refusal.length" in against and "services" not in against
        assert "services.whitelist_call_centre.clock" in others and "draft-1-draft" in others
        assert language == "ur" or ("3 working days" in others and "10 working hours" in others)
        assert language == "en" or page_problems(page) == []
        desk = visitor(language, user=story.an_officer())
        assert against in desk.get(at("desk_draft", version.draft)).text
        actions.withdraw(draft=version.draft, why=policy.Text("No.", "نہیں۔"), actor=OFFICER, now=timezone.now())
        for reader, name in ((visitor(language), "consultation"), (desk, "desk_draft")):
            assert 'id="rules"' not in reader.get(at(name, version.draft)).text

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
        before = first.get(at("desk_draft", draft)).text
        assert 'value="changed"' not in before and 'name="clause"' not in before
        assert "publish the next version with other words first" in before
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
        page = first.get(at("desk_draft", draft)).text
        label = page.partition("Passage that is different now")[2].partition("</label>")[0]
        assert "(optional)" not in label
        assert re.findall(r'<option value="([^"]+)"', page.partition('name="clause"')[2].partition("</select>")[0]) == [
            "9.1"
        ]
        nowhere = first.post(at("answer_comments", draft), given | {"comment": str(comment.number), "clause": ""})
        assert nowhere.status_code == 422 and "Choose a passage whose words differ" in nowhere.text
        answered = first.post(at("answer_comments", draft), given | {"comment": str(comment.number)})
        assert answered.status_code == 302
        page = visitor().get(at("consultation_answers", draft)).text
        assert "You are right." in page and "at any time" in text_of_page(page)
        hearing = {"day": f"{now - 2 * DAY:%Y-%m-%d}", "at": "10:00", "place_en": "Hall", "place_ur": "ہال"}
        past = first.post(at("announce_hearing", draft), hearing)
        assert past.status_code == 422 and "Choose a day and a time that are still to come." in past.text
        announced = first.post(at("announce_hearing", draft), hearing | {"day": f"{now + 2 * DAY:%Y-%m-%d}"})
        assert announced.status_code == 302
        [held] = draft.hearings.all()
        draft.hearings.update(held_at=now - DAY)
        minutes = {"hearing": str(held.pk), "minutes_en": "Nobody objected.", "minutes_ur": "کسی نے اعتراض نہیں کیا۔"}
        assert first.post(at("add_minutes", draft), minutes).status_code == 302
        assert "Nobody objected." in visitor().get(at("consultation", draft)).text
        assert "The time for comment is not over." in first.get(at("desk_draft", draft)).text
        actions.propose(draft=draft, actor=OFFICER, now=now + 30 * DAY)
        assert first.post(at("adopt_draft", draft), {"adopt": "1"}).status_code == 302
        assert queries.draft_by_reference(draft.reference).ending == ""

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_calls_a_hearing_off_and_everybody_reads_why(self, language: str) -> None:
        now = timezone.now()
        draft = a_draft(now=now - 60 * DAY).draft
        wrong, other = (
            actions.announce_hearing(draft=draft, held_at=now + days * DAY, place=BOTH, actor=OFFICER, now=now)
            for days in (700, 800)
        )
        desk, reader, place = (
            visitor(language, user=story.an_officer()),
            visitor(language),
            at("call_off_hearing", draft),
        )
        before = desk.get(at("desk_draft", draft)).text
        assert before.count(f'action="{place}"') == 2
        given = {"hearing": str(wrong.pk), "why_en": "The year was wrong.", "why_ur": ""}
        refused = desk.post(place, given)
        assert refused.status_code == 422 and refused.text.count("The year was wrong.") == 1
        # What is wrong leads to the field of this hearing alone.
        assert (
            refused.text.count(f'href="#id_{wrong.pk}_why_ur"') == 1
            and f"id_{other.pk}_why_ur-error" not in refused.text
        )
        given["why_ur"] = "سال غلط تھا۔"
        # Sent twice, it is done once.
        for _twice in range(2):
            done = desk.post(place, given, follow=True).text
        assert {"en": "The hearing is called off", "ur": "سماعت منسوخ ہو گئی"}[language] in done
        assert JournalEntry.objects.filter(act="consult.called_off_hearing").count() == 1
        other_reason = desk.post(place, given | {"why_en": "No."}, follow=True).text
        assert {"en": "It was called off before", "ur": "پہلے ہی منسوخ ہو چکی"}[language] in other_reason
        assert other_reason.count(f'action="{place}"') == 1
        # The draft waits for the other one, and says what can be done.
        assert {"en": "If it is not to be held, call it off.", "ur": "تو اسے منسوخ کریں"}[language] in other_reason
        minutes = {"hearing": str(wrong.pk), "minutes_en": "Nobody came.", "minutes_ur": "کوئی نہ آیا۔"}
        desk.post(at("add_minutes", draft), minutes)
        page = reader.get(at("consultation", draft)).text
        _before, _marked, told = page.partition({"en": "Called off on", "ur": "کو منسوخ ہوئی"}[language])
        assert given[f"why_{language}"] in told and "Nobody came." not in page
        actions.call_off_hearing(hearing=other, why=BOTH, actor=OFFICER, now=now)
        assert desk.post(at("adopt_draft", draft), {"propose": "1"}).status_code == 302
        assert queries.draft_by_reference(draft.reference).proposed_by
        if language == "ur":
            assert [problem for each in (before, refused.text, done, page) for problem in page_problems(each)] == []

    def test_says_when_it_is_too_late_to_call_a_hearing_off(self) -> None:
        now = timezone.now()
        draft, other = (a_draft(now=now - 60 * DAY).draft for _each in range(2))
        held_at = now - DAY
        hearing = actions.announce_hearing(draft=draft, held_at=held_at, place=BOTH, actor=OFFICER, now=held_at - DAY)
        desk = visitor(user=story.an_officer())
        given = {"hearing": str(hearing.pk), "why_en": "No.", "why_ur": "نہیں۔"}
        assert "cannot be called off any more" in desk.post(at("call_off_hearing", draft), given, follow=True).text
        # One of another draft, or none, is not there.
        for place, named in ((other, given), (draft, given | {"hearing": "no hearing"})):
            assert desk.post(at("call_off_hearing", place), named).status_code == 404

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_answers_again_what_a_later_version_took_back(self, language: str) -> None:
        version = a_draft()
        draft = version.draft
        comment = a_comment(draft)
        second = next_version(version, NIGHT)
        given = {"outcome": Outcome.CHANGED, "clause": "9.1", "point": BOTH, "text": BOTH, "now": timezone.now()}
        answering.answer(draft=draft, numbers=[1], actor=OFFICER, **given)  # type: ignore[arg-type]
        # Another version that leaves the change as it is: what is different is still shown.
        third = next_version(second, NIGHT | {"at least 5 seats": "a licence"})
        reader, desk = visitor(language), visitor(language, user=story.an_officer())
        places = [at("consultation_answers", draft), at("consultation_comment", draft, number=comment.number)]
        page = reader.get(places[0]).text
        # The words of the sample change in English alone.
        assert "version=3&amp;against=1#p9.1" in page
        assert language == "ur" or ("<ins>" in page and "at any time" in text_of_page(page))
        next_version(third)
        pages = [reader.get(each).text for each in places] + [desk.get(at("desk_draft", draft)).text]
        if language == "ur":
            assert [problem for each in pages for problem in page_problems(each)] == []
            return
        for each in pages:
            assert "Version 4 undid the change: 9.1 reads as in version 1 again." in text_of_page(each)
        assert "1 answer, 0 with a change" in pages[0] and "Not changed any more" in pages[0]
        assert "<ins>" not in pages[0]
        assert "1 comment is not answered yet" in pages[0] and "It is answered" not in pages[1]
        assert "1 comment to be answered" in pages[2]

    def test_withdraws_and_says_why(self) -> None:
        draft = a_draft().draft
        desk = visitor(user=story.an_officer())
        assert desk.post(at("withdraw_draft", draft), {"why_en": "No."}).status_code == 422
        done = desk.post(at("withdraw_draft", draft), {"why_en": "It is not needed.", "why_ur": "ضرورت نہیں رہی۔"})
        assert done.status_code == 302
        assert "It is not needed." in visitor().get(at("consultation", draft)).text

    @pytest.mark.parametrize(
        ("language", "withdrawn", "over"),
        [("en", "This draft was withdrawn on", "was over on"), ("ur", "یہ مسودہ", "رائے کی مہلت")],
    )
    def test_has_nothing_to_answer_of_one_that_is_withdrawn(
        self, language: str, withdrawn: str, over: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        draft, client, now = a_draft().draft, visitor(language), timezone.now()
        a_comment(draft)
        late = say(client, draft, words="Typed before, sent after.")["Location"]
        desk = visitor(language, story.an_officer())
        row = re.compile(rf"{draft.reference}.*?</tr>", re.DOTALL)

        def waits() -> list[str]:
            [found] = row.findall(desk.get(reverse("portal:desk_drafts")).text)
            cell: str = found.rpartition("<td")[2]
            return re.findall(r"<span>(\d+)", cell)

        assert waits() == ["1"]
        actions.withdraw(draft=draft, why=policy.Text("Not needed.", "ضرورت نہیں۔"), actor=OFFICER, now=now)
        assert waits() == ["0"]
        assert main(["consult", "list"]) == 0
        assert "1 comments, 0 to be answered" in capsys.readouterr().out
        code = code_for(Comment.objects.get(words="Typed before, sent after."))
        for answer in (client.get(at("say", draft)), client.post(late, {"code": code})):
            assert withdrawn in answer.text and over not in answer.text
            assert language == "en" or not page_problems(answer.text)
        assert "Typed before, sent after." in answer.text
        told = {"en": "1 comment was not answered: the draft was withdrawn.", "ur": "1 رائے کا جواب نہیں دیا گیا"}
        assert told[language] in text_of_page(client.get(at("consultation_answers", draft)).text)

    def test_is_closed_to_everybody_else(self) -> None:
        draft = a_draft().draft
        assert visitor(user=story.a_person()).get(at("desk_draft", draft)).status_code == 403


class TestAdopted:
    def test_names_the_version_that_led_to_the_policy_on_each_version_of_it(self) -> None:
        version = a_draft(now=timezone.now() - 60 * DAY)
        draft = next_version(version, NIGHT, now=timezone.now() - 50 * DAY).draft
        actions.propose(draft=draft, actor=OFFICER, now=timezone.now())
        actions.adopt(draft=draft, actor=SECOND, now=timezone.now())
        for number in (1, 2):
            page = text_of_page(visitor().get(at("consultation", draft) + f"?version={number}").text)
            assert "Version 2 led to policy draft-2" in page and "Version 1 led" not in page


class TestHiding:
    def test_is_told_by_the_days_of_the_register(self) -> None:
        draft = a_draft().draft
        comment = a_comment(draft)
        # In Karachi the next day has begun.
        moderating.hide(
            comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=dt.datetime(2026, 12, 1, 20, tzinfo=dt.UTC)
        )
        ((_, _, hidden, *_),) = moderating.log(draft)
        assert hidden == "2026-12-02"

    def test_goes_from_the_desk_to_its_author_and_to_a_second_officer(self) -> None:
        draft = a_draft().draft
        comment = a_comment(draft, words="You are all fools.")
        first, second, author = visitor(user=story.an_officer()), visitor(user=story.an_officer()), visitor()
        assert first.post(at("hide_comment", draft), {"number": "7", "why": "abuse"}).status_code == 422
        asked = first.post(at("hide_comment", draft), {"number": "1", "why": "abuse"}).text
        assert "Hide comment 1?" in asked and "You are all fools." in asked
        assert "You are all fools." in author.get(at("consultation_comments", draft)).text
        question = asked[asked.index("Hide comment 1?") : asked.index("Or another one")]
        given = dict(re.findall(r'name="(number|sure|why)" value="([^"]*)"', question))
        assert first.post(at("hide_comment", draft), given).status_code == 302
        for name in ("consultation", "consultation_comments", "consultation_moderation"):
            page = author.get(at(name, draft)).text
            assert "You are all fools." not in page
        assert "1,2" in author.get(at("consultation_moderation_csv", draft)).text
        link = at("dispute_comment", draft, comment=comment.pk, token=telling.token_of(comment))
        assert author.get(at("dispute_comment", draft, comment=comment.pk, token="a" * 26)).status_code == 404
        assert "Another officer looks at it" in author.post(link).text
        signer = Comment.objects.get(pk=a_comment(draft, words="You are all fools").pk)
        again = first.post(at("hide_comment", draft), {"number": str(signer.number), "why": "abuse"}, follow=True)
        assert "It is hidden already" in again.text
        page = author.get(at("consultation_comment", draft, number=signer.number)).text
        assert "Hidden" in page and "It is published" not in page
        assert "It insults or threatens somebody." in page
        by_signature = at("dispute_comment", draft, comment=signer.pk, token=telling.token_of(signer))
        assert "Another officer looks at it" in author.get(by_signature).text
        assert "You hid it yourself" in first.get(at("desk_draft", draft)).text
        assert "An officer who did not hide it decides by" in author.get(link).text
        assert "Decide by" in second.get(at("desk_draft", draft)).text
        Comment.objects.filter(number=1).update(appealed_at=timezone.now() - 30 * DAY)
        assert "We are late: an officer who did not hide it" in author.get(link).text
        assert "Late: it was due on" in second.get(at("desk_draft", draft)).text
        assert page_problems(visitor("ur").get(link).text) == []
        second.post(at("review_comment", draft), {"number": "1", "show": "1"})
        assert "You are all fools." in author.get(at("consultation_comment", draft, number=1)).text
        for page in (
            author.get(at("consultation_moderation", draft)).text,
            visitor("ur").get(at("consultation", draft)).text,
        ):
            assert page_problems(page) == [] if 'lang="ur"' in page[:200] else "Shown again" in page

    @pytest.mark.parametrize("ended", [False, True])
    def test_of_one_that_others_signed_leaves_its_words_and_names_nowhere(self, ended: bool) -> None:
        """Whichever number the desk is given, also where it heads a group of what is nearly the same."""
        draft = a_draft().draft
        words = (
            "Ask somebody at 12 Sample Street in Multan why this clock is so slow for all of us who answer calls at "
            "night and have waited for a whole month before anybody looked at what we had sent."
        )
        a_comment(draft, words=words, name="Sample First")
        signer = a_comment(draft, words=words.upper(), name="Sample Second")
        like = a_comment(draft, words=words.replace("12 Sample Street in Multan", "home"))
        assert like.like_id is not None
        if ended:
            actions.withdraw(draft=draft, why=BOTH, actor=OFFICER, now=timezone.now())
        desk, reader = visitor(user=story.an_officer()), visitor()
        given = {"number": str(signer.number), "why": "personal_data"}
        asked = desk.post(at("hide_comment", draft), given).text
        assert "Comment 2 says the same as comment 1: they are hidden together" in asked
        assert desk.post(at("hide_comment", draft), given | {"number": "1", "sure": "1"}).status_code == 302
        places = ("consultation", "consultation_comments", "consultation_annotations", "consultation_moderation")
        pages = [reader.get(at(name, draft)).text for name in places]
        pages += [reader.get(at("consultation_comments", draft) + "?like=1").text]
        for number in (1, 2, 3):
            pages.append(reader.get(at("consultation_comment", draft, number=number)).text)
            claim = reader.get(at("claim_name", draft, number=number))
            assert claim.status_code == (200 if number == like.number else 404)
            pages.append(claim.text)
        pages += [str(content, "utf-8") for _, content in archiving.files(draft, timezone.now())]
        everything = "".join(pages).casefold()
        for secret in ("Sample Street", "Sample First", "Sample Second"):
            assert secret.casefold() not in everything
        assert "nearly the same" in everything

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_for_personal_data_is_at_the_desk_when_the_draft_has_ended(self, language: str, settings: Any) -> None:
        settings.CONTACT_EMAIL = "contact@register.example"
        draft, desk, reader = a_draft().draft, visitor(language, user=story.an_officer()), visitor(language)
        a_comment(draft, words="My neighbour lives at 12 Sample Street.")
        a_comment(draft, words="Nonsense.")
        actions.withdraw(draft=draft, why=BOTH, actor=OFFICER, now=timezone.now())
        place = at("consultation_comment", draft, number=1)
        pages = [desk.get(at("desk_draft", draft)).text, reader.get(place).text]
        assert 'value="personal_data"' in pages[0] and 'value="abuse"' not in pages[0]
        assert "contact@register.example" in pages[1] and "Sample Street" in pages[1]
        wrong = desk.post(at("hide_comment", draft), {"number": "2", "why": "abuse"})
        done = desk.post(at("hide_comment", draft), {"number": "1", "sure": "1", "why": "personal_data"}, follow=True)
        assert (wrong.status_code, done.status_code) == (422, 200)
        pages += [wrong.text, done.text, reader.get(place).text, reader.get(at("consultation_moderation", draft)).text]
        assert "Sample Street" not in "".join(pages[4:])
        assert "1,2" in reader.get(at("consultation_moderation_csv", draft)).text
        if language == "ur":
            assert [problem for each in pages for problem in page_problems(each)] == []
            return
        assert "This draft has ended: a comment is hidden for private details of another person alone." in wrong.text
        assert "Nobody is told: of a draft that has ended no address is kept." in done.text
        assert "After the end of the draft a comment is hidden for private details" in pages[-1]
        assert "contact@register.example" not in pages[4]


def test_answers_that_are_late_are_said_to_be() -> None:
    draft = a_draft(now=timezone.now() - dt.timedelta(days=90)).draft
    assert "Our answers are late" in visitor().get(at("consultation", draft)).text
