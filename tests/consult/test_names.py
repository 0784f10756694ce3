"""A name that is somebody else's: taken off by one button, decided by an officer, in the public log; the words stay."""

import json
import re

import pytest
from django.utils import timezone

from rahdari.consult import annotations, archiving, claiming, moderating, queries, telling
from rahdari.consult.models import Comment
from rahdari.portal.public import consultation_speaking
from rahdari.web import limits
from tests.builders import story
from tests.builders.consultations import BOTH, DAY, OFFICER, a_body, a_comment, a_draft, actions, letters_to

from .test_pages import at, visitor

pytestmark = pytest.mark.django_db
NOW = timezone.now()
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
    def test_takes_the_name_off_and_leaves_the_words(self, language: str) -> None:
        comment = named()
        page = at("claim_name", comment.draft, number=comment.number)
        somebody = visitor(language)
        assert (
            NAME in somebody.get(page).text
            and page in somebody.get(at("consultation_comment", comment.draft, number=comment.number)).text
        )
        assert somebody.post(page).status_code == 302
        everywhere = read_everywhere(comment)
        assert NAME not in everywhere and everywhere.count(WORDS) >= len(PLACES) - 1
        assert "Name withdrawn" in everywhere and NAME not in somebody.get(page).text
        [item] = annotations.collection(comment.version, queries.comments_on(comment.version), {}, "")["first"]["items"]
        assert "creator" not in json.loads(json.dumps(item)) and queries.unanswered(comment.draft).count() == 1
        [letter] = letters_to("wrote@reader.example")
        assert f"{comment.pk}/{telling.token_of(comment)}" in letter.text and NAME not in letter.text

    def test_is_contested_by_its_author_and_decided_at_the_desk_for_good(self) -> None:
        comment = named()
        draft = comment.draft
        page = at("claim_name", draft, number=comment.number)
        visitor().post(page)
        link = at("dispute_comment", draft, comment=comment.pk, token=telling.token_of(comment))
        author, desk = visitor(), visitor(user=story.an_officer())
        told = author.get(link).text
        assert "The name is mine" in told and title_of(told) == "Somebody says that this name is theirs"
        assert title_of(visitor("ur").get(link).text) == "کسی نے اس نام کو اپنا بتایا ہے"
        assert title_of(author.post(link).text) == "You said that the name is yours"
        assert NAME not in read_everywhere(comment)
        asked = desk.get(at("desk_draft", draft)).text
        assert NAME in asked and "The author says that the name is theirs" in asked
        assert "1 name to decide about" in desk.get("/desk/consultations/").text
        assert desk.post(at("decide_name", draft), {"number": "1", "show": "1"}).status_code == 302
        assert NAME in read_everywhere(comment) and "Name shown again" in read_everywhere(comment)
        # It is no tool to silence: what an officer has decided is not claimed once more.
        assert visitor().post(page).status_code == 200 and NAME in read_everywhere(comment)
        with pytest.raises(moderating.NotPossible):
            claiming.claim(comment=comment, now=NOW)
        assert desk.post(at("decide_name", draft), {"number": "1", "erase": "1"}).status_code == 404

    def test_that_is_right_erases_the_name_also_after_the_end(self) -> None:
        comment = named()
        actions.withdraw(draft=comment.draft, why=BOTH, actor=OFFICER, now=NOW)
        actions.let_go(now=NOW)
        claiming.claim(comment=comment, now=NOW)
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
        answer = visitor().post(at("claim_name", comment.draft, number=1))
        assert answer.status_code == 429 and NAME in answer.text and comment.claimed is None
        assert "than we take at once" in answer.text
