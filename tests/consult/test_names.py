"""A name that is somebody else's: its author is asked, an officer decides, in the public log; the words stay."""

import json
import re

import pytest
from django.utils import timezone

from rahdari.consult import annotations, archiving, claiming, moderating, queries, speaking, telling
from rahdari.consult.models import Comment, NameClaim
from rahdari.consult.rules import Hidden
from rahdari.portal.public import consultation_speaking
from rahdari.web import limits
from tests import clock
from tests.builders import story
from tests.builders.consultations import (
    BOTH,
    DAY,
    HERE,
    OFFICER,
    a_body,
    a_claim,
    a_comment,
    a_draft,
    actions,
    code_at,
    letters_to,
)
from tests.data_steps import migrated_again
from tests.urdu import page_problems

from .test_pages import at, visitor

pytestmark = pytest.mark.django_db
NOW = clock.begins()
NAME, WORDS = "Sample Person of Multan", "I want no register at all."
PLACES = ("consultation", "consultation_comments", "consultation_moderation", "consultation_annotations")


def named(**given: object) -> Comment:
    return a_comment(a_draft(now=NOW).draft, now=NOW, name=NAME, words=WORDS, email="wrote@reader.example", **given)


def title_of(page: str) -> str:
    found = re.search(r"<title>\s*(.*?)\s*(?:– |</title>)", page, re.DOTALL)
    assert found is not None
    return found[1]


def read_everywhere(comment: Comment) -> str:
    draft, reader = comment.draft, visitor()
    pages = [reader.get(at(name, draft)).text for name in PLACES]
    pages.append(reader.get(at("consultation_comment", draft, number=comment.number)).text)
    return "".join(pages) + "".join(str(content, "utf-8") for _, content in archiving.files(draft, NOW))


class TestAClaim:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_takes_the_name_off_when_its_author_said_nothing_and_leaves_the_words(self, language: str) -> None:
        comment = named()
        page = at("claim_name", comment.draft, number=comment.number)
        somebody = visitor(language)
        assert (
            NAME in somebody.get(page).text
            and page in somebody.get(at("consultation_comment", comment.draft, number=comment.number)).text
        )
        asked = somebody.post(page, {"email": "named@reader.example"})
        assert asked.status_code == 302 and not letters_to("wrote@reader.example")
        typing = somebody.get(asked.url).text
        assert "one-time-code" in typing and (language == "en" or page_problems(typing) == [])
        assert somebody.post(asked.url, {"code": code_at("named@reader.example")}).status_code == 302
        assert NAME in read_everywhere(comment) and NAME not in somebody.get(page).text
        log = at("consultation_moderation_csv", comment.draft)
        assert somebody.get(log).text.splitlines()[-1].endswith(",claimed")
        [letter] = letters_to("wrote@reader.example")
        assert f"{comment.pk}/{telling.token_of(comment)}" in letter.text and NAME not in letter.text
        due_at = queries.decided_by(NOW)
        for early in (NOW, due_at - DAY):
            assert not claiming.take_off(now=early)
        assert claiming.take_off(now=due_at + DAY) and not claiming.take_off(now=due_at + DAY)
        assert somebody.get(log).text.splitlines()[-1].endswith(",withdrawn")
        everywhere = read_everywhere(comment)
        assert NAME not in everywhere and everywhere.count(WORDS) >= len(PLACES) - 1
        assert "Name withdrawn" in everywhere
        assert language == "en" or page_problems(somebody.get(page).text) == []
        [item] = annotations.collection(comment.version, queries.comments_on(comment.version), {}, "")["first"]["items"]
        assert "creator" not in json.loads(json.dumps(item)) and queries.unanswered(comment.draft).count() == 1

    def test_needs_the_code_that_went_to_an_address(self) -> None:
        comment, other = named(), a_comment(a_draft(now=NOW, key="other").draft, now=NOW, name=NAME)
        page, email = at("claim_name", comment.draft, number=1), "named@reader.example"
        assert visitor().post(page).status_code == 422
        ticket = claiming.send_code(comment=comment, email=email, place=HERE, language="ur", now=NOW)
        code = code_at(email)
        wrong = [str(each) for each in range(10**7, 10**7 + 9) if str(each) != code]
        with pytest.raises(speaking.WrongCode) as error:
            claiming.claim(comment=comment, ticket=ticket, code=wrong[0], now=NOW)
        assert error.value.left == speaking.MOST_TRIES - 1
        late = NOW + telling.CODE_LASTS
        for about, by, now in (
            (other, ticket, NOW),
            (comment, ticket, late),
            (comment, f"1{ticket}", NOW),
            (comment, "", NOW),
        ):
            with pytest.raises(speaking.WrongCode):
                claiming.claim(comment=about, ticket=by, code=code, now=now)
        for each in wrong[:5]:
            with pytest.raises(speaking.WrongCode):
                claiming.claim(comment=comment, ticket=ticket, code=each, now=NOW)
        with pytest.raises(speaking.WrongCode):
            claiming.claim(comment=comment, ticket=ticket, code=code, now=NOW)
        assert "does not work any more" in visitor().post(f"{page}?ticket={ticket}", {"code": code}).text
        assert not NameClaim.objects.exists() and not letters_to("wrote@reader.example")

    def test_of_nobody_takes_no_name_off(self) -> None:
        """Where its author answers, or has no address any more, an officer alone does."""
        draft = a_draft(now=NOW).draft
        comments = [a_comment(draft, now=NOW, name=f"Sample Reader {place}") for place in range(4)]
        for each in comments[:3]:
            a_claim(each)
            claiming.contest(comment=each, now=timezone.now())
        actions.withdraw(draft=draft, why=BOTH, actor=OFFICER, now=timezone.now())
        actions.let_go(now=timezone.now())
        a_claim(comments[3])
        assert not claiming.take_off(now=NOW + 90 * DAY)
        pages = "".join(visitor().get(at("consultation_comment", draft, number=n)).text for n in (1, 2, 3, 4))
        assert all(each.name in pages for each in comments)
        told = visitor().get(at("claim_name", draft, number=4)).text
        assert "cannot be asked any more" in told and "no address is kept" in (
            visitor(user=story.an_officer()).get(at("desk_draft", draft)).text
        )

    def test_is_contested_by_its_author_and_decided_at_the_desk_for_good(self) -> None:
        comment = named()
        draft = comment.draft
        page = at("claim_name", draft, number=comment.number)
        a_claim(comment)
        link = at("dispute_comment", draft, comment=comment.pk, token=telling.token_of(comment))
        author, desk = visitor(), visitor(user=story.an_officer())
        told = author.get(link).text
        assert "The name is mine" in told and title_of(told) == "Somebody says that this name is theirs"
        assert title_of(visitor("ur").get(link).text) == "کسی نے اس نام کو اپنا بتایا ہے"
        assert title_of(author.post(link, {"name": "1"}).text) == "You said that the name is yours"
        assert not claiming.take_off(now=NOW + 90 * DAY) and NAME in read_everywhere(comment)
        assert "It stays until an officer decides." in author.get(link).text
        asked = desk.get(at("desk_draft", draft)).text
        assert NAME in asked and "The author says that the name is theirs" in asked
        assert "1 name to decide about" in desk.get("/desk/consultations/").text
        assert desk.post(at("decide_name", draft), {"number": "1", "show": "1"}).status_code == 302
        assert NAME in read_everywhere(comment) and "The name stays" in read_everywhere(comment)
        # It is no tool to silence: what an officer has decided is not claimed once more.
        assert visitor().post(page, {"email": "named@reader.example"}).status_code == 422
        with pytest.raises(moderating.NotPossible):
            a_claim(comment)
        assert NAME in read_everywhere(comment)
        assert desk.post(at("decide_name", draft), {"number": "1", "erase": "1"}).status_code == 404

    @pytest.mark.parametrize("whose", ["author", "signer"])
    def test_leaves_the_way_to_dispute_a_hiding_and_a_hiding_the_way_to_contest_it(self, whose: str) -> None:
        comment = named()
        draft = comment.draft
        signer = a_comment(draft, now=NOW, name="Sample Signer", words=WORDS, email="signed@reader.example")
        about = {"author": comment, "signer": signer}[whose]
        a_claim(about)
        moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        link = at("dispute_comment", draft, comment=about.pk, token=telling.token_of(about))
        reader = visitor()
        told = reader.get(link).text
        assert title_of(told) == "Your comment is hidden" and "It insults or threatens somebody." in told
        assert "This is wrong: look at it again" in told and "The name is mine" in told
        assert page_problems(visitor("ur").get(link).text) == []
        reader.post(link)
        assert Comment.objects.get(pk=comment.pk).appealed_at is not None
        reader.post(link, {"name": "1"})
        told = reader.get(link).text
        assert "An officer who did not hide it decides by" in told and "You said that the name is yours" in told
        claimed = at("claim_name", draft, number=about.number)
        assert "The comment itself is hidden" in reader.get(claimed).text
        assert page_problems(visitor("ur").get(claimed).text) == []
        claiming.decide(comment=about, erase=False, actor=OFFICER, now=timezone.now())
        last = letters_to(f"{'wrote' if about == comment else 'signed'}@reader.example")[-1].text
        assert "The comment itself is hidden, and its name with it." in " ".join(last.split())
        assert "shown again" not in last

    def test_is_of_a_signature_whose_name_stands_on_its_page(self) -> None:
        """What the form calls public is: and is found without guessing a number."""
        comment = named()
        signer = a_comment(comment.draft, now=NOW, name="Sample Signer", words=WORDS)
        place = at("consultation_comment", comment.draft, number=signer.number)
        page = visitor().get(place).text
        claim = at("claim_name", comment.draft, number=signer.number)
        assert "Sample Signer" in page and claim in page
        a_claim(signer)
        claiming.decide(comment=signer, erase=True, actor=OFFICER, now=NOW)
        assert "Sample Signer" not in visitor().get(place).text

    def test_that_is_right_erases_the_name_also_after_the_end(self) -> None:
        comment = named()
        actions.withdraw(draft=comment.draft, why=BOTH, actor=OFFICER, now=NOW)
        actions.let_go(now=NOW)
        a_claim(comment, now=NOW)
        late = visitor().get(at("claim_name", comment.draft, number=1)).text
        assert "An officer decides by" in late
        claiming.decide(comment=comment, erase=True, actor=OFFICER, now=NOW + DAY)
        assert Comment.objects.get(pk=comment.pk).name == "" and "Name erased" in read_everywhere(comment)
        assert ",erased" in visitor().get(at("consultation_moderation_csv", comment.draft)).text

    def test_is_of_a_name_that_somebody_chose(self) -> None:
        draft = a_draft(now=NOW).draft
        nobody = a_comment(draft, now=NOW, name="")
        body = a_comment(draft, now=NOW, name="", email="law@association.example", body=a_body())
        hidden = a_comment(draft, now=NOW)
        moderating.hide(comment=hidden, why="abuse", actor=OFFICER, now=NOW)  # type: ignore[arg-type]
        for each in (nobody, body, hidden):
            assert visitor().get(at("claim_name", draft, number=each.number)).status_code == 404

    def test_has_a_bound_that_takes_no_commenter_s(self) -> None:
        comment = named()
        rate = consultation_speaking.OF_ALL_CLAIMS[False]
        limits.spend("consult.claim:all:False", 2 * rate, rate=rate, per=3600)
        answer = visitor().post(at("claim_name", comment.draft, number=1), {"email": "named@reader.example"})
        assert answer.status_code == 429 and NAME in answer.text and comment.claimed is None
        assert "than we take at once" in answer.text


def test_a_claim_of_the_release_before_stays_as_it_was_shown() -> None:
    """A name was away from the claim on, unless its author objected; no author was asked what the letter asks now."""
    silent, contested, decided = (
        a_comment(a_draft(now=NOW, key=key).draft, now=NOW, name=NAME, email=f"{key}@reader.example")
        for key in ("silent", "contested", "decided")
    )
    for each in (silent, contested, decided):
        a_claim(each, now=NOW)
    claiming.contest(comment=contested, now=NOW + DAY)
    claiming.decide(comment=decided, erase=True, actor=OFFICER, now=NOW + DAY)
    migrated_again("consult", "0013_hidden_with_all")
    found = NameClaim.objects.get(comment=silent)
    assert (found.asked_at, found.away_at) == (found.claimed_at, found.due_at)
    found = NameClaim.objects.get(comment=contested)
    assert (found.asked_at, found.away_at, found.contested_at) == (found.claimed_at, None, NOW + DAY)
    found = NameClaim.objects.get(comment=decided)
    assert (found.asked_at, found.away_at, found.outcome) == (None, None, "erased")
