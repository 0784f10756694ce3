"""Comments that are nearly the same: the measure by itself, and what becomes of a flood through PostgreSQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from rahdari.consult import answering, grouping, likeness, queries
from rahdari.consult.models import Answer, Comment, Mark
from rahdari.consult.rules import Outcome
from tests import clock
from tests.builders import story
from tests.builders.consultations import BOTH, OFFICER, a_comment, a_draft, letters_to

from .test_pages import at, visitor

NOW = clock.begins()
LETTER = (
    "Dear Authority, my team answers calls for clients abroad at night. A clock that counts working hours alone leaves "
    "us without a line until morning. Please count all hours for call centres of every size. Yours, {}"
)
words = st.lists(st.sampled_from([f"word{place}" for place in range(40)]), min_size=8, max_size=60)


class TestTheMeasure:
    @given(text=words, signs=st.sampled_from([" ", "  ", ", ", "\n", " - "]))
    def test_sees_words_alone(self, text: list[str], signs: str) -> None:
        one, other = likeness.runs(" ".join(text)), likeness.runs(f"“{signs.join(text).upper()}”!")
        assert one == other and likeness.marks(one) == likeness.marks(other) and likeness.share(one, other) == 1

    @given(one=words, other=words)
    def test_is_the_same_from_either_side_and_never_more_than_all(self, one: list[str], other: list[str]) -> None:
        first, second = likeness.runs(" ".join(one)), likeness.runs(" ".join(other))
        assert likeness.share(first, second) == likeness.share(second, first) <= 1

    @given(text=st.lists(st.integers(0, 10**6), min_size=30, max_size=200, unique=True), data=st.data())
    def test_finds_a_copy_in_which_a_word_was_changed(self, text: list[int], data: st.DataObject) -> None:
        copy = [*text]
        copy[data.draw(st.integers(0, len(text) - 1))] = -1
        one, other = (likeness.runs(" ".join(f"w{each}".replace("-", "x") for each in rows)) for rows in (text, copy))
        assert likeness.share(one, other) >= likeness.ALIKE
        assert set(likeness.marks(one)) & set(likeness.marks(other))

    @given(text=st.lists(st.integers(0, 10**6).map(str), min_size=8, max_size=60, unique=True))
    def test_groups_no_short_text_and_nothing_with_itself_turned_round(self, text: list[str]) -> None:
        assert likeness.marks(likeness.runs(" ".join(text[:7]))) == []
        turned = likeness.runs(" ".join(reversed(text)))
        assert likeness.share(likeness.runs(" ".join(text)), turned) < likeness.ALIKE

    def test_reads_urdu(self) -> None:
        text = "رات کے وقت بھی گھڑی چلے اور تمام کال سینٹر ایک ہی قاعدے میں ہوں تاکہ کوئی پیچھے نہ رہے"
        one, other = likeness.runs(text), likeness.runs(text.replace("تمام", "سب"))
        assert likeness.share(one, other) >= likeness.ALIKE and set(likeness.marks(one)) & set(likeness.marks(other))

    def test_has_the_marks_that_stand_in_the_database(self) -> None:
        """They are kept: another way to make them would find nobody's group again."""
        assert likeness.marks(likeness.runs("one two three four five six seven eight"))[:2] == [
            56795364115846131,
            26293272855962418,
        ]


@pytest.mark.django_db
class TestAGroup:
    def test_counts_once_is_read_each_and_answered_together(self) -> None:
        draft = a_draft(now=NOW).draft
        first = a_comment(draft, now=NOW, words=LETTER.format("A Reader"))
        near = a_comment(draft, now=NOW, words=LETTER.format("B Reader of Multan"), email="near@reader.example")
        again = a_comment(draft, now=NOW, words=LETTER.format("B. Reader of Multan!"))
        elsewhere = a_comment(draft, now=NOW, words=LETTER.format("A Reader"), clause="9.1")
        other = a_comment(draft, now=NOW, words="Count the hours by day alone, and keep the seats as they are written.")
        assert [each.like for each in (first, near, again, elsewhere, other)] == [None, first, first, None, None]
        assert again.part_of == near and queries.draft_by_reference(draft.reference).said == 3
        head = queries.with_counts(queries.heads(queries.comments(draft)), alike=True)[0]
        assert head == first and head.alike == 2 and queries.sent(first) == 3

        reader = visitor()
        assert "2 more are nearly the same" in reader.get(at("consultation_comments", draft)).text
        page = reader.get(at("consultation_comments", draft) + f"?like={first.number}").text
        assert "2 texts that are nearly the same, sent 3 times" in page
        assert "<ins>" in page and "of Multan" in page and "Count the hours by day" not in page
        assert reader.get(at("consultation_comments", draft) + f"?like={near.number}").status_code == 404
        assert "Read all of this group" in reader.get(at("consultation_comment", draft, number=near.number)).text

        desk = visitor(user=story.an_officer())
        assert desk.get(at("desk_draft", draft)).text.count('name="comment"') == 3
        given = {"point": BOTH, "outcome": Outcome.KEPT, "text": BOTH, "actor": OFFICER, "now": NOW}
        answer = answering.answer(draft=draft, numbers=[first.number], **given)  # type: ignore[arg-type, list-item]
        assert {*answer.comments.all()} == {first, near}
        answering.tell(now=NOW)
        assert any("answered" in each.text for each in letters_to("near@reader.example"))
        assert [each.signed for each in queries.answers(draft)] == [2]
        late = a_comment(draft, now=NOW, words=LETTER.format("C Reader of Quetta"))
        assert late.like == first and late in queries.to_answer(draft)
        better = answering.answer(draft=draft, numbers=[first.number], **given)  # type: ignore[arg-type, list-item]
        assert {*better.comments.all()} == {first, near, late} and Answer.objects.filter(draft=draft).count() == 2

    def test_lets_one_be_taken_out_with_those_that_are_like_it(self) -> None:
        draft = a_draft(now=NOW).draft
        first = a_comment(draft, now=NOW, words=LETTER.format("A Reader"))
        against = LETTER.replace("Please count", "Please never count").replace("of every size", "of no size at all")
        one, two, three = (a_comment(draft, now=NOW, words=against.format(name)) for name in ("A", "B", "A"))
        stays = a_comment(draft, now=NOW, words=LETTER.format("B Reader"))
        assert {one.like, two.like, three.like, stays.like} == {first}
        desk = visitor(user=story.an_officer())
        for number, code in ((first.number, 302), (three.number, 302), (99, 422)):
            assert desk.post(at("take_out_comment", draft), {"number": str(number)}).status_code == code
        assert queries.heads(queries.comments(draft)).count() == 1
        desk.post(at("take_out_comment", draft), {"number": str(one.number)})
        likes = [Comment.objects.get(pk=each.pk).like for each in (one, two, three, stays)]
        assert likes == [None, one, None, first] and three.part_of == one
        # Whoever comes later joins the nearer one.
        assert a_comment(draft, now=NOW, words=against.format("C")).like == one
        assert a_comment(draft, now=NOW, words=LETTER.format("C Reader")).like == first
        assert "taken out of a group" in visitor().get(at("consultation_moderation", draft)).text
        with pytest.raises(grouping.NotInAGroup):
            grouping.take_out(comment=Comment.objects.get(pk=one.pk), actor=OFFICER, now=NOW)

    def test_is_looked_for_among_few_however_many_there_are(self) -> None:
        """A flood leaves marks of its head alone; and of heads with one mark no more than four are compared."""
        draft = a_draft(now=NOW).draft
        first = a_comment(draft, now=NOW, words=LETTER.format("A Reader"))
        for place in range(20):
            a_comment(draft, now=NOW, words=LETTER.format(f"Reader {place}"))
        assert Mark.objects.filter(draft=draft).count() == likeness.MARKS
        [mark] = Mark.objects.filter(comment=first)[:1]
        others = [a_comment(draft, now=NOW, words=f"{place} says") for place in range(20)]
        Mark.objects.bulk_create(Mark(comment=each, draft=draft, value=mark.value) for each in others)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = queries.with_marks(draft, "", [mark.value], grouping.OF_EACH_MARK)
            assert [*found] == [first, *others[:3]]
        assert len(asked) == 2
