"""Versions, comments, answers and the end of a draft, through PostgreSQL: each act once, and what it refuses."""

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rahdari import policy
from rahdari.consult import actions, answering, document, moderating, queries, rules, speaking, telling
from rahdari.consult.models import Anchor, Comment, Draft, Hearing, Speaker, Version
from rahdari.consult.rules import Hidden, Outcome, State, Stop
from rahdari.journal import seconding
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests import clock
from tests.builders.consultations import (
    BOTH,
    DAY,
    OFFICER,
    SAMPLE,
    SECOND,
    a_comment,
    a_draft,
    a_key,
    code_for,
    letters_to,
    news_of,
    next_version,
    policy_text,
    said,
    text_of,
)
from tests.calendar.said import in_force
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db

NOW = clock.begins()
NIGHT = {"within 10 working hours too": "within 10 working hours at any time"}


def tell(now: object = NOW) -> None:
    for each in (actions.tell_of_words, answering.tell, actions.let_go, speaking.forget):
        each(now=now)  # type: ignore[arg-type]


class TestTheFile:
    def test_says_each_fault_with_its_place(self) -> None:
        text = SAMPLE.replace('id = "9.2"', 'id = "9.1"').replace("format = 1", "format = 2")
        text = text.replace("cost = { en", "costs = { en").replace('ur = "وقت" }', 'ur = "Clock" }')
        with pytest.raises(document.DraftError) as found:
            document.read(text)
        said = "\n".join(found.value.problems)
        for fault in ("format 1", "costs: this key", "title.ur holds no Urdu", "clauses.9.1: this id stands twice"):
            assert fault in said

    def test_comes_back_from_the_database_as_it_was(self) -> None:
        found = document.read(SAMPLE)
        assert document.thawed(found.frozen()) == found and len(found.digest) == 64


class TestPublish:
    def test_opens_a_draft_for_the_time_of_the_policy(self) -> None:
        # A Tuesday whose thirtieth day is a working day.
        now = dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)
        version = a_draft(now=now)
        draft = version.draft
        # The last day ends in the office's time, and none ends on a day that is no working day.
        assert (draft.closes_at - now).days in range(30, 36) and draft.state(now) == State.OPEN
        assert draft.state(draft.closes_at) == State.ANSWERING
        assert version.policy_digest == policy.read(policy_text()).digest

    def test_names_no_last_day_that_two_officers_closed(self, director: User, second: User) -> None:
        """Nor is the office late, or a hiding past dispute, at the end of such a day."""
        clocks = {
            "consultation": lambda: a_draft(now=NOW).draft.closes_at,
            "consultation_name": lambda: queries.decided_by(NOW),
            "consultation_answered": lambda: queries.answers_due(Draft(closes_at=NOW)),
            "consultation_hidden": lambda: queries.until("consultation_hidden", NOW),
        }
        usual = {clock: end() for clock, end in clocks.items()}
        for day in {end.date() for end in usual.values()}:
            in_force(director, second, day, now=NOW)
        assert [clock for clock, end in clocks.items() if end() <= usual[clock]] == []

    def test_of_a_second_version_gives_more_time_and_never_less(self) -> None:
        first = a_draft(now=NOW)
        soon = next_version(first, NIGHT, now=NOW + DAY)
        assert soon.draft.closes_at == first.draft.closes_at
        late = actions.publish(
            text=text_of(first.draft.key), policy_text=policy_text("x"), after=2, actor=OFFICER, now=NOW + 29 * DAY
        )
        assert (late.draft.closes_at - NOW).days in (43, 44)

    def test_of_what_says_the_same_is_refused(self) -> None:
        version = a_draft()
        with pytest.raises(actions.NothingChanged):
            actions.publish(text=text_of(version.draft.key), policy_text=policy_text(), after=1, actor=OFFICER, now=NOW)

    def test_lets_an_id_mean_no_other_clause(self) -> None:
        version = a_draft()
        with pytest.raises(document.DraftError, match="Another clause takes another id"):
            next_version(version, {'title = { en = "Clock"': 'title = { en = "Fees"'})

    def test_tells_whoever_knew_an_earlier_version(self) -> None:
        version = a_draft()
        next_version(version, NIGHT)
        with pytest.raises(actions.Overtaken) as told:
            next_version(version, {"at least 5 seats": "at least 3 seats"})
        assert told.value.latest == 2

    def test_is_never_rewritten(self) -> None:
        version = a_draft()
        for change in (lambda: Version.objects.filter(pk=version.pk).update(digest="0" * 64), version.delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
        with pytest.raises(DatabaseError), transaction.atomic():
            Draft.objects.filter(pk=version.draft_id).update(closes_at=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_versions_at_once_one_wins_and_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stands between its look and its row while the second begins."""
    version = a_draft()
    inside, go_on, told = threading.Event(), threading.Event(), list[int]()
    follow = actions._follow_words

    def hook(*given: object) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)
        follow(*given)  # type: ignore[arg-type]

    def publish(seats: int) -> None:
        try:
            next_version(version, {"at least 5 seats": f"at least {seats} seats"})
        except actions.Overtaken as error:
            told.append(error.latest)
        finally:
            connection.close()

    monkeypatch.setattr(actions, "_follow_words", hook)
    first = threading.Thread(target=publish, args=(3,))
    first.start()
    assert inside.wait(PATIENCE)
    second = threading.Thread(target=publish, args=(4,))
    second.start()
    go_on.set()
    first.join()
    second.join()
    [latest] = Version.objects.filter(draft=version.draft, number=2)
    assert told == [2] and "at least 3 seats" in str(latest.text)


class TestSay:
    def test_is_read_by_nobody_before_the_code_was_typed(self) -> None:
        draft = a_draft().draft
        comment = said(draft, clause="9.2", quoted="at least 5 seats", email="one@reader.example")
        assert not queries.comments(draft).exists()
        with pytest.raises(speaking.WrongCode):
            speaking.prove(comment=comment, code="12", now=timezone.now())
        proved = speaking.prove(comment=comment, code=code_for(comment), now=timezone.now())
        assert (proved.number, proved.exact, proved.suffix) == (1, "at least 5 seats", ".")
        [shown] = queries.comments(draft)
        assert shown == proved and shown.email == "" and shown.speaker is not None

    def test_of_words_that_do_not_stand_there_is_refused(self) -> None:
        draft = a_draft().draft
        with pytest.raises(speaking.NotInTheText):
            said(draft, clause="9.2", quoted="at least 7 seats")
        with pytest.raises(speaking.NotInTheText):
            said(draft, clause="9.1", quoted="10 working hour")

    def test_takes_a_code_a_few_times_and_for_half_an_hour(self) -> None:
        draft = a_draft(now=NOW).draft
        late, often = said(draft, now=NOW), said(draft, now=NOW)
        with pytest.raises(speaking.WrongCode):
            speaking.prove(comment=late, code=code_for(late), now=NOW + DAY / 24)
        for _ in range(speaking.MOST_TRIES):
            with pytest.raises(speaking.WrongCode):
                speaking.prove(comment=often, code="00000000", now=NOW)
        with pytest.raises(speaking.WrongCode):
            speaking.prove(comment=often, code=code_for(often), now=NOW)
        speaking.forget(now=NOW + DAY)
        assert not Comment.objects.filter(draft=draft).exists()

    def test_of_the_same_is_a_signature(self) -> None:
        draft = a_draft().draft
        first = a_comment(draft, words="Eight hours are too long!")
        for _ in range(2):
            a_comment(draft, words="  eight HOURS are too long", name="Another Reader")
        [one] = queries.with_counts(queries.comments(draft))
        assert one == first and one.signed == 2

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Make it 15 days.", "Make it 1.5 days."),
            ("Take lines 10-30 out", "Take lines 1030 out"),
            ("👍", "👎"),
            ("Raise it by 10", "Raise it by 10 %"),
            ("Is this fair?", "Is this fair"),
        ],
    )
    def test_of_a_number_or_a_sign_that_differs_is_another(self, one: str, other: str) -> None:
        draft = a_draft().draft
        for words in (one, other):
            a_comment(draft, words=words)
        assert [each.words for each in queries.comments(draft)] == [one, other]

    def test_of_the_same_about_other_words_of_the_passage_is_another(self) -> None:
        draft = a_draft().draft
        quotes = ["", "at least 5 seats", "makes calls for others", "at least 5 seats"]
        for quoted in quotes:
            a_comment(draft, clause="9.2", quoted=quoted, words="Please delete this.")
        found = queries.with_counts(queries.comments(draft))
        assert [(each.exact, each.signed) for each in found] == [(quotes[0], 0), (quotes[1], 1), (quotes[2], 0)]

    def test_of_the_same_by_one_address_is_one_signature(self) -> None:
        draft = a_draft().draft
        first = a_comment(draft, words="Eight hours are too long!", email="twice@reader.example")
        signed = a_comment(draft, words="Eight hours are too long", email="other@reader.example")
        for email, before in {"Twice@reader.example": first, "other@reader.example": signed}.items():
            assert a_comment(draft, words="eight hours are TOO long", email=email) == before
        [one] = queries.with_counts(queries.comments(draft))
        assert one.signed == 1

    def test_is_over_with_the_time_for_comment(self) -> None:
        version = a_draft(now=NOW - 40 * DAY)
        with pytest.raises(speaking.NotOpen):
            said(version.draft)

    def test_of_one_address_has_a_bound(self) -> None:
        draft = a_draft().draft
        for _ in range(speaking.CODES):
            said(draft, email="often@reader.example")
        with pytest.raises(speaking.TooManyCodes) as told:
            said(draft, email="Often@reader.example")
        assert 0 < told.value.wait.total_seconds() <= speaking.AN_HOUR / speaking.CODES

    def test_is_never_rewritten_or_deleted(self) -> None:
        comment = a_comment(a_draft().draft)
        for change in ({"words": "I agree."}, {"name": "Somebody Else"}, {"email": b"x"}, {"part_of": comment}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Comment.objects.filter(pk=comment.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            Comment.objects.filter(pk=comment.pk).delete()

    def test_leaves_no_address_in_the_journal(self) -> None:
        a_comment(a_draft().draft, email="nowhere@reader.example")
        assert not JournalEntry.objects.filter(act__startswith="consult.", actor__contains="reader").exists()


class TestTheNextVersion:
    def test_keeps_moves_and_orphans_and_tells_each_author(self) -> None:
        version = a_draft(now=NOW)
        draft = version.draft
        a_comment(draft, clause="9.1", quoted="The clock stops while a question is open.", email="kept@reader.example")
        a_comment(draft, clause="9.2", quoted="answers or makes calls for others", email="moved@reader.example")
        a_comment(draft, clause="9.2", quoted="at least 5 seats", email="gone@reader.example")
        a_comment(draft, clause="9.3", email="clause@reader.example")
        a_comment(draft, email="whole@reader.example")
        second = next_version(
            version,
            {
                'text = { en = "A call centre is an organisation that answers or makes calls for others, with': (
                    'text = { en = "A call centre has'
                ),
                "at least 5 seats": "a licence",
                "After twice the time the entry": (
                    "Whoever answers or makes calls for others is served first. After twice the time the entry"
                ),
            },
        )
        tell(timezone.now())
        tell(timezone.now())
        fates = dict(Anchor.objects.filter(version=second).values_list("comment__number", "fate"))
        assert fates == {1: "kept", 2: "moved", 3: "orphaned", 4: "changed"}
        placed = {each.number: each.on for each in queries.comments_on(second)}  # type: ignore[attr-defined]
        assert placed == {1: "9.1", 2: "9.3", 3: queries.NOWHERE, 4: "9.3", 5: queries.WHOLE}
        for name, count in {"kept": 1, "moved": 1, "gone": 1, "clause": 1, "whole": 0}.items():
            assert len(news_of(f"{name}@reader.example")) == count, name
        [letter] = letters_to("clause@reader.example")
        assert "has other words" in letter.text and "what it said in version 1" in letter.text

    def test_says_of_a_passage_that_it_changed_and_of_none_other(self) -> None:
        """Of the words that the author read: in a third version they may be there again."""
        version = a_draft()
        touched, same = (a_comment(version.draft, clause=clause) for clause in ("9.1", "9.2"))
        second = next_version(version, NIGHT)
        third = next_version(second)
        for each, fates in ((touched, ["changed", "kept"]), (same, ["kept", "kept"])):
            found = Anchor.objects.filter(comment=each).order_by("version__number")
            assert [anchor.fate for anchor in found] == fates and third.number == 3

    def test_says_once_that_a_passage_has_other_words_and_again_of_still_other_ones(self) -> None:
        version, letters = a_draft(), []
        a_comment(version.draft, clause="9.1", email="touched@reader.example")
        later = {"within 10 working hours too": "within 12 working hours"}
        for changes in (NIGHT, NIGHT | {"at least 5 seats": "a licence"}, later, {}, NIGHT):
            version = next_version(version, changes)
            tell(timezone.now())
            letters.append(len(news_of("touched@reader.example")))
        # In the fourth it is as it was read.
        assert letters == [1, 1, 2, 3, 4]
        assert [*Anchor.objects.order_by("version__number").values_list("fate", flat=True)] == [
            *("changed", "changed", "changed", "kept", "changed")
        ]

    def test_leaves_an_orphan_one_and_says_so_once(self) -> None:
        """Words that come back are not those that were meant."""
        version = a_draft()
        comment = a_comment(version.draft, clause="9.2", quoted="at least 5 seats", email="loose@reader.example")
        second = next_version(version, {"at least 5 seats": "a licence"})
        third = next_version(second)
        assert Anchor.objects.get(version=third).fate == "orphaned"
        actions.tell_of_words(now=timezone.now())
        [letter] = letters_to("loose@reader.example")
        said = f"Your comment {comment.number} is attached to no words of the draft since version 2:"
        assert "Version 2 of draft" in letter.text and said in " ".join(letter.text.split())
        assert "gone" not in letter.subject + letter.text


def answered(draft: Draft, *comments: Comment, **given: object) -> None:
    usual = {"point": BOTH, "outcome": Outcome.KEPT, "text": BOTH, "actor": OFFICER, "now": timezone.now()}
    numbers = [each.number for each in comments if each.number is not None]
    answering.answer(draft=draft, numbers=numbers, **usual | given)  # type: ignore[arg-type]
    answering.tell(now=NOW)


class TestAnswer:
    def test_is_for_several_comments_and_their_authors_are_told(self) -> None:
        version = a_draft()
        comments = [a_comment(version.draft, email=f"{name}@reader.example") for name in ("a1", "b1", "c1")]
        a_comment(version.draft, words=comments[0].words)
        next_version(version, NIGHT)
        answered(version.draft, *comments[:2], outcome=Outcome.CHANGED, clause="9.1")
        [found] = queries.answers(version.draft)
        assert (found.of_comments, found.signed) == (2, 1)
        assert found.version is not None and found.version.number == 2
        assert [len(news_of(f"{name}@reader.example")) for name in ("a1", "b1", "c1")] == [1, 1, 0]
        assert [each.number for each in queries.unanswered(version.draft)] == [3]

    def test_is_told_to_all_who_signed_at_a_pace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A minute has four letters: one for the author, and half of them open a round of those who signed."""
        monkeypatch.setattr(telling, "PACE", 4)
        # Of a day, so that no letter more comes back while the test runs.
        monkeypatch.setattr(telling, "A_MINUTE", 86_400)
        version = a_draft()
        head = a_comment(version.draft, words="Eight hours are too long.", email="head@reader.example")
        names = [f"signer{place}" for place in range(4)]
        for name in names:
            a_comment(version.draft, words="Eight hours are too long", email=f"{name}@reader.example")
        answered(version.draft, head)

        def rounds() -> list[int]:
            return [telling.tell_signers(now=NOW), *(len(news_of(f"{each}@reader.example")) for each in names)]

        assert len(news_of("head@reader.example")) == 1
        assert rounds() == [2, 1, 1, 0, 0]
        assert rounds() == [0, 1, 1, 0, 0], "the minute has one letter left"
        with connection.cursor() as cursor:
            cursor.execute("UPDATE web_allowance SET at = at - interval '1 day'")
        assert rounds() == [2, 1, 1, 1, 1]
        [letter] = letters_to("signer3@reader.example")
        assert "It says the same as comment 1" in letter.text and "comments/5/" in letter.text
        assert rounds() == [0, 1, 1, 1, 1] and not queries.signers_to_tell().exists()

    def test_of_another_kind_is_told_again(self) -> None:
        version = a_draft()
        head = a_comment(version.draft, words="Eight hours are too long.")
        a_comment(version.draft, words="Eight hours are too long", email="again@reader.example")
        for _ in range(2):
            answered(version.draft, head)
            telling.tell_signers(now=NOW)
        assert len(news_of("again@reader.example")) == 2

    def test_that_something_changed_names_a_clause_of_a_later_version(self) -> None:
        version = a_draft()
        comment = a_comment(version.draft)
        with pytest.raises(answering.NoSuchClause):
            answered(version.draft, comment, outcome=Outcome.CHANGED, clause="9.1")
        next_version(version, NIGHT)
        for same_or_unknown in ("9.2", "7.7"):
            with pytest.raises(answering.NoSuchClause):
                answered(version.draft, comment, outcome=Outcome.CHANGED, clause=same_or_unknown)
        later = a_comment(version.draft)
        with pytest.raises(answering.NoSuchClause):
            answered(version.draft, comment, later, outcome=Outcome.CHANGED, clause="9.1")
        answered(version.draft, comment, outcome=Outcome.CHANGED, clause="9.1")
        assert [each.clause for each in queries.answers(version.draft)] == ["9.1"]


class TestAChangeThatIsTakenBack:
    def test_answers_nothing_until_it_is_answered_anew(self) -> None:
        version = a_draft(now=NOW)
        draft = version.draft
        comments = [a_comment(draft, now=NOW, email=f"{name}@reader.example") for name in ("one", "two")]
        second = next_version(version, NIGHT, now=NOW)
        later = a_comment(draft, now=NOW)
        answered(draft, *comments, outcome=Outcome.CHANGED, clause="9.1")
        answered(draft, later)
        assert not queries.unanswered(draft).exists()
        third = next_version(second, now=NOW)
        ends = third.draft.closes_at
        for found in (queries.unanswered(draft), queries.to_answer(draft)):
            assert list(found) == comments
        assert actions.why_not(draft, ends) == Stop.UNANSWERED
        [first, _] = queries.answers(draft)
        [change] = first.taken_back
        assert (change.answer, change.clause, change.before, change.by) == (1, "9.1", 1, 3)
        with pytest.raises(answering.NoSuchClause):
            answered(draft, *comments, outcome=Outcome.CHANGED, clause="9.1")
        gone = {"proposed_by": OFFICER, "ending": "adopted", "ended_by": SECOND, "ended_at": ends}
        with pytest.raises(DatabaseError, match="taken back"), transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(**gone)
        answered(draft, *comments)
        assert not queries.unanswered(draft).exists() and actions.why_not(draft, ends) is None
        assert [len(news_of(f"{name}@reader.example")) for name in ("one", "two")] == [2, 2]
        assert "does not apply any more" not in letters_to("one@reader.example")[-1].text
        Draft.objects.filter(pk=draft.pk).update(**gone)

    def test_and_made_again_answers_again_and_all_whom_it_concerns_are_told(self) -> None:
        version = a_draft()
        comment = a_comment(version.draft, words="Eight hours are too long.", email="wrote@reader.example")
        a_comment(version.draft, words="Eight hours are too long", email="signed@reader.example")
        other = a_comment(version.draft, email="other@reader.example")
        second = next_version(version, NIGHT)
        answered(version.draft, comment, outcome=Outcome.CHANGED, clause="9.1")
        answered(version.draft, other)
        telling.tell_signers(now=NOW)
        third = next_version(second)
        assert queries.unanswered(version.draft).exists()
        for each in (answering.tell, telling.tell_signers):
            each(now=timezone.now())
        next_version(third, {"within 10 working hours too": "within 9 working hours"})
        assert not queries.unanswered(version.draft).exists()
        for each in (answering.tell, telling.tell_signers):
            each(now=timezone.now())
        for name in ("wrote", "signed"):
            first, undone, again = letters_to(f"{name}@reader.example")
            assert "was answered" in first.text and "was answered" in again.text
            assert "does not apply any more" in undone.text
            assert "waits for an answer again" in " ".join(undone.text.split())
        assert len(news_of("other@reader.example")) == 1

    def test_is_told_of_the_first_of_the_versions_without_it(self) -> None:
        first, other = (document.read(text) for text in (SAMPLE, text_of("other", NIGHT)))
        by = document.taken_back_by
        assert by([first, other, first, first], "9.1", 1) == 3
        assert by([first, other, first, other, first], "9.1", 1) == 5
        assert by([first, first], "9.1", 1) is None and by([first], "9.1", 1) is None
        assert by([first, other, first], "7.7", 1) is None

    def test_was_none_for_one_of_the_group_that_is_written_on_the_later_version(self) -> None:
        """What says nearly the same is answered along, where the change is one for it too."""
        version = a_draft()
        words = "The clock for a call centre is far too long for all of us who work at night in Lahore."
        head = a_comment(version.draft, words=words)
        next_version(version, NIGHT)
        like = a_comment(version.draft, words=words.replace("Lahore", "Multan"))
        assert like.like == head
        answered(version.draft, head, outcome=Outcome.CHANGED, clause="9.1")
        assert list(queries.to_answer(version.draft)) == [like]


class TestAdopt:
    def test_takes_the_time_all_answers_and_a_second_officer(self) -> None:
        version = a_draft(now=NOW)
        draft, later = version.draft, version.draft.closes_at
        comment = a_comment(draft, now=NOW, email="told@reader.example")

        def stops(act: object, actor: str, now: object) -> rules.Stop:
            with pytest.raises(actions.NotNow) as stopped:
                act(draft=draft, actor=actor, now=now)  # type: ignore[operator]
            return stopped.value.why

        assert stops(actions.propose, OFFICER, NOW) == Stop.STILL_OPEN
        assert stops(actions.propose, OFFICER, later) == Stop.UNANSWERED
        answered(draft, comment)
        assert stops(actions.adopt, SECOND, later) == Stop.NOT_PROPOSED
        actions.propose(draft=draft, actor=OFFICER, now=later)
        with pytest.raises(seconding.NotSecond):
            actions.adopt(draft=draft, actor=OFFICER, now=later)
        with pytest.raises(DatabaseError), transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(ending="adopted", ended_at=later, ended_by=OFFICER)
        actions.adopt(draft=draft, actor=SECOND, now=later)
        assert Speaker.objects.exclude(email_index="").filter(draft=draft).exists()
        tell(later)
        tell(later)
        assert len(news_of("told@reader.example")) == 2
        gone = Speaker.objects.get(draft=draft)
        assert (gone.email, gone.email_index) == ("", "")
        with pytest.raises(DatabaseError), transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(ending="withdrawn", why={})

    def test_is_refused_by_the_database_while_one_is_unanswered(self) -> None:
        version = a_draft(now=NOW)
        a_comment(version.draft, now=NOW)
        gone = {"proposed_by": OFFICER, "ending": "adopted", "ended_by": SECOND, "ended_at": version.draft.closes_at}
        with pytest.raises(DatabaseError, match="each comment is answered"), transaction.atomic():
            Draft.objects.filter(pk=version.draft_id).update(**gone)

    def test_of_another_version_is_proposed_anew(self) -> None:
        version = a_draft(now=NOW - 40 * DAY)
        actions.propose(draft=version.draft, actor=OFFICER, now=NOW)
        second = next_version(version, NIGHT, now=NOW)
        assert second.draft.proposed_by == "" and second.draft.state(NOW) == State.OPEN


class TestWithdraw:
    def test_says_why_and_lets_the_addresses_go(self) -> None:
        version = a_draft()
        a_comment(version.draft, email="gone2@reader.example")
        draft = actions.withdraw(draft=version.draft, why=BOTH, actor=OFFICER, now=timezone.now())
        tell(timezone.now())
        assert draft.state(NOW) == State.WITHDRAWN and len(news_of("gone2@reader.example")) == 1
        with pytest.raises(actions.NotNow):
            next_version(version, NIGHT)


def a_hearing(draft: Draft, held_at: dt.datetime) -> Hearing:
    return actions.announce_hearing(draft=draft, held_at=held_at, place=BOTH, actor=OFFICER, now=NOW)


class TestHearing:
    def test_has_minutes_once_it_was_held(self) -> None:
        draft = a_draft().draft
        hearing = a_hearing(draft, NOW + DAY)
        with pytest.raises(actions.NotNow):
            actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW)
        actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW + 2 * DAY)
        with pytest.raises(actions.NotNow):
            actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW + 3 * DAY)

    def test_is_held_before_the_draft_is_adopted(self) -> None:
        draft = a_draft(now=NOW).draft
        ends = draft.closes_at
        held_at = ends + DAY
        a_hearing(draft, held_at)
        with pytest.raises(actions.NotNow) as stopped:
            actions.propose(draft=draft, actor=OFFICER, now=ends)
        assert stopped.value.why == Stop.HEARING_TO_COME
        gone = {"proposed_by": OFFICER, "ending": "adopted", "ended_by": SECOND, "ended_at": ends}
        with pytest.raises(DatabaseError, match="is held before"), transaction.atomic():
            Draft.objects.filter(pk=draft.pk).update(**gone)
        actions.propose(draft=draft, actor=OFFICER, now=held_at)
        assert actions.adopt(draft=draft, actor=SECOND, now=held_at).ending == State.ADOPTED

    def test_is_announced_once_in_the_same_words(self) -> None:
        draft = a_draft().draft
        hearing, same = (a_hearing(draft, NOW + DAY) for _twice in range(2))
        assert same == hearing and draft.hearings.count() == 1
        actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW)
        assert a_hearing(draft, NOW + DAY) != hearing


class TestCallOffHearing:
    def test_lets_the_draft_be_adopted(self) -> None:
        draft = a_draft(now=NOW).draft
        ends = draft.closes_at
        # A typing error in its year.
        wrong = a_hearing(draft, ends + 3_650 * DAY)
        held = a_hearing(draft, ends - DAY)
        actions.call_off_hearing(hearing=wrong, why=BOTH, actor=OFFICER, now=NOW)
        actions.propose(draft=draft, actor=OFFICER, now=ends)
        assert actions.adopt(draft=draft, actor=SECOND, now=ends).ending == State.ADOPTED
        wrong.refresh_from_db()
        assert list(draft.hearings.all()) == [held, wrong]
        assert wrong.called_off_at == NOW and wrong.called_off_text == BOTH

    def test_leaves_another_hearing_to_be_held(self) -> None:
        draft = a_draft(now=NOW).draft
        ends = draft.closes_at
        actions.call_off_hearing(hearing=a_hearing(draft, ends + DAY), why=BOTH, actor=OFFICER, now=NOW)
        a_hearing(draft, ends + 2 * DAY)
        with pytest.raises(actions.NotNow) as stopped:
            actions.propose(draft=draft, actor=OFFICER, now=ends)
        assert stopped.value.why == Stop.HEARING_TO_COME

    def test_is_on_record_once_and_keeps_its_reason(self) -> None:
        draft = a_draft().draft
        hearing = a_hearing(draft, NOW + DAY)
        actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW)
        for now in (NOW, NOW + 2 * DAY):
            same = actions.call_off_hearing(hearing=hearing, why=BOTH, actor=SECOND, now=now)
            assert same.called_off_at == NOW
        with pytest.raises(actions.CalledOff):
            actions.call_off_hearing(hearing=hearing, why=policy.Text("No.", "نہیں۔"), actor=OFFICER, now=NOW)
        record = JournalEntry.objects.filter(act="consult.called_off_hearing", subject=draft.subject)
        assert [each.actor for each in record] == [OFFICER]

    def test_is_for_one_that_is_to_come(self) -> None:
        hearing = a_hearing(a_draft().draft, NOW + DAY)
        with pytest.raises(actions.HearingBegan):
            actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW + DAY)

    def test_leaves_nothing_to_write_down(self) -> None:
        hearing = a_hearing(a_draft().draft, NOW + DAY)
        actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW)
        with pytest.raises(actions.CalledOff):
            actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW + 2 * DAY)

    def test_tells_also_of_a_draft_that_was_withdrawn(self) -> None:
        draft = a_draft().draft
        hearing = a_hearing(draft, NOW + DAY)
        actions.withdraw(draft=draft, why=BOTH, actor=OFFICER, now=NOW)
        assert actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW).called_off_at == NOW

    @pytest.mark.parametrize(
        "given",
        [
            {"called_off_at": NOW, "called_off_why": None},
            {"called_off_at": None, "called_off_why": {"en": "No.", "ur": "نہیں۔"}},
            {"called_off_at": NOW + DAY, "called_off_why": {"en": "No.", "ur": "نہیں۔"}},
            {"called_off_at": NOW, "called_off_why": {"en": "No.", "ur": "نہیں۔"}, "minutes_at": NOW},
        ],
        ids=["without a reason", "at no time", "too late", "with minutes"],
    )
    def test_is_held_by_the_database(self, given: dict[str, Any]) -> None:
        hearing = a_hearing(a_draft().draft, NOW + DAY)
        with pytest.raises(DatabaseError, match="hearing_"), transaction.atomic():
            Hearing.objects.filter(pk=hearing.pk).update(**given)

    def test_is_never_undone(self) -> None:
        hearing = a_hearing(a_draft().draft, NOW + DAY)
        actions.call_off_hearing(hearing=hearing, why=BOTH, actor=OFFICER, now=NOW)
        stands = Hearing.objects.filter(pk=hearing.pk)
        for act in (lambda: stands.update(called_off_at=None, called_off_why=None), stands.delete):
            with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
                act()


class TestADraftThatIsNeverDecided:
    def test_keeps_no_address_longer_than_the_policy_says(self) -> None:
        version = a_draft(now=NOW)
        comment = a_comment(version.draft, now=NOW, email="never@reader.example")
        kept = queries.in_force().retention["comment_address"].span
        assert kept is not None
        end = version.draft.closes_at + kept
        tell(end)
        assert Speaker.objects.get().email == "never@reader.example"
        tell(end + DAY)
        tell(end + DAY)
        assert Speaker.objects.get().email == "" == Speaker.objects.get().email_index
        [letter] = letters_to("never@reader.example")
        assert "is not decided yet" in letter.text and Comment.objects.get(pk=comment.pk).speaker is not None


class TestThePolicy:
    @pytest.mark.parametrize("asks", ['identity = "card"', "account = true", 'proves = "card_number"'])
    def test_that_asks_who_somebody_is_does_not_load(self, asks: str) -> None:
        with pytest.raises(policy.PolicyError, match="no identity, no number, no account"):
            policy.read(policy.BUNDLED.read_text() + f"\n[consultation]\n{asks}\n")


def test_a_draft_has_a_reference_of_its_own() -> None:
    one, two = a_draft().draft, a_draft(key=a_key()).draft
    assert one.reference != two.reference and one.reference.startswith("DR-")
    assert isinstance(uuid.UUID(str(one.pk)), uuid.UUID)


class TestHide:
    def test_is_for_a_reason_and_its_author_is_told_how_to_dispute_it(self) -> None:
        version = a_draft(now=NOW)
        comment = a_comment(version.draft, now=NOW, email="hidden@reader.example")
        moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        [letter] = [each for each in letters_to("hidden@reader.example") if "hidden/" in each.text]
        assert f"{comment.pk}/{telling.token_of(comment)}" in letter.text
        assert not queries.unanswered(version.draft).exists() and [*queries.moderated(version.draft)] == [comment]
        with pytest.raises(moderating.NotPossible):
            moderating.hide(comment=comment, why=Hidden.ABUSE, actor=SECOND, now=NOW)

    def test_is_told_to_all_who_signed_and_each_may_dispute_it(self) -> None:
        version = a_draft()
        draft = version.draft
        head = a_comment(draft, words="They are all the same.", email="first@reader.example")
        signer = a_comment(draft, words="They are all the same", email="signed@reader.example")
        moderating.hide(comment=head, why=Hidden.ABUSE, actor=OFFICER, now=timezone.now())
        telling.tell_signers(now=NOW)
        late = a_comment(draft, words="They are all the same", email="late@reader.example")
        for each, email in ((signer, "signed@reader.example"), (late, "late@reader.example")):
            [letter] = letters_to(email)
            assert f"{each.pk}/{telling.token_of(each)}" in letter.text
        moderating.dispute(comment=head, now=NOW)
        moderating.review(comment=head, show=True, actor=SECOND, now=timezone.now())
        telling.tell_signers(now=timezone.now())
        for email in ("first@reader.example", "signed@reader.example", "late@reader.example"):
            [_hidden, shown] = letters_to(email)
            assert "is shown again" in shown.text

    @pytest.mark.parametrize("named", ["first", "signer"])
    def test_hides_it_with_all_who_signed_it_whichever_is_named(self, named: str) -> None:
        version = a_draft()
        words = "They are all the same."
        head, signer = (a_comment(version.draft, words=words, name=f"Sample {each}") for each in ("First", "Second"))
        chosen = {"first": head, "signer": signer}[named]
        moderating.hide(comment=chosen, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        for each in Comment.objects.filter(draft=version.draft):
            assert each.is_hidden and not each.is_named
            assert (each.shown_words, each.shown_exact, each.shown_name) == ("", "", "")
        with pytest.raises(moderating.NotPossible):
            moderating.hide(comment=signer, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        with pytest.raises(DatabaseError, match="with_all_who_signed_it"), transaction.atomic():
            Comment.objects.filter(pk=signer.pk).update(hidden=Hidden.ABUSE, hidden_at=NOW, hidden_by=OFFICER)

    def test_leaves_an_answer_that_was_not_told_yet_untold_until_it_is_shown_again(self) -> None:
        version = a_draft()
        comment = a_comment(version.draft, words="They are all the same.", email="late@reader.example")
        a_comment(version.draft, words="They are all the same", email="signed@reader.example")
        usual: Any = {"point": BOTH, "outcome": Outcome.KEPT, "text": BOTH, "actor": OFFICER, "now": timezone.now()}
        answering.answer(draft=version.draft, numbers=[1], **usual)
        moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=timezone.now())
        answering.tell(now=timezone.now())
        [letter] = letters_to("late@reader.example")
        assert "was hidden" in letter.text
        telling.tell_signers(now=timezone.now())
        moderating.dispute(comment=comment, now=timezone.now())
        moderating.review(comment=comment, show=True, actor=SECOND, now=timezone.now())
        telling.tell_signers(now=timezone.now())
        for _ in range(2):
            answering.tell(now=timezone.now())
            telling.tell_signers(now=timezone.now())
        for email in ("late@reader.example", "signed@reader.example"):
            _hidden, shown, told = letters_to(email)
            assert "is shown again" in shown.text and "was answered" in told.text

    def test_tells_no_answer_twice_that_was_told_before(self) -> None:
        version = a_draft()
        comment = a_comment(version.draft, email="before@reader.example")
        answered(version.draft, comment)
        moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=timezone.now())
        moderating.dispute(comment=comment, now=timezone.now())
        moderating.review(comment=comment, show=True, actor=SECOND, now=timezone.now())
        answering.tell(now=timezone.now())
        told, _hidden, shown = letters_to("before@reader.example")
        assert "was answered" in told.text and "is shown again" in shown.text

    def test_that_is_over_is_told_to_nobody_any_more(self) -> None:
        """Shown again before who signed it was told: they read that it is shown."""
        version = a_draft()
        head = a_comment(version.draft, words="They are all the same.")
        a_comment(version.draft, words="They are all the same", email="later@reader.example")
        moderating.hide(comment=head, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        moderating.dispute(comment=head, now=NOW)
        moderating.review(comment=head, show=True, actor=SECOND, now=NOW)
        telling.tell_signers(now=NOW)
        [letter] = letters_to("later@reader.example")
        assert "is shown again" in letter.text

    def test_is_possible_for_personal_data_after_the_end_and_told_to_nobody(self) -> None:
        version = a_draft()
        head = a_comment(version.draft, words="Ask my neighbour at 12 Sample Street.", email="ended@reader.example")
        a_comment(version.draft, words="Ask my neighbour at 12 sample street")
        actions.withdraw(draft=version.draft, why=BOTH, actor=OFFICER, now=timezone.now())
        with pytest.raises(actions.NotNow) as stopped:
            moderating.hide(comment=head, why=Hidden.ABUSE, actor=OFFICER, now=timezone.now())
        assert stopped.value.why == Stop.ENDED
        moderating.hide(comment=head, why=Hidden.PERSONAL_DATA, actor=OFFICER, now=timezone.now())
        assert [*queries.moderated(version.draft)] == [head] and not queries.signers_to_tell().exists()
        assert JournalEntry.objects.filter(act="consult.hid", reason=Hidden.PERSONAL_DATA).exists()
        tell(timezone.now())
        [letter] = letters_to("ended@reader.example")
        assert "hidden" not in letter.text

    def test_gives_its_author_time_before_the_draft_is_adopted(self) -> None:
        version = a_draft(now=NOW)
        draft, later = version.draft, version.draft.closes_at
        moderating.hide(comment=a_comment(draft, now=NOW), why=Hidden.ABUSE, actor=OFFICER, now=later)
        with pytest.raises(actions.NotNow) as stopped:
            actions.propose(draft=draft, actor=OFFICER, now=later + DAY)
        assert stopped.value.why == Stop.HIDDEN_LATELY
        assert actions.why_not(draft, later + 14 * DAY) is None

    def test_that_is_disputed_stops_the_draft_until_another_officer_has_decided(self) -> None:
        version = a_draft(now=NOW)
        draft, later = version.draft, version.draft.closes_at
        comment = a_comment(draft, now=NOW)
        moderating.hide(comment=comment, why=Hidden.PERSONAL_DATA, actor=OFFICER, now=NOW)
        moderating.dispute(comment=comment, now=NOW)
        assert actions.why_not(draft, later) == Stop.APPEALED
        with pytest.raises(seconding.NotSecond):
            moderating.review(comment=comment, show=True, actor=OFFICER, now=NOW)
        moderating.review(comment=comment, show=True, actor=SECOND, now=NOW)
        assert actions.why_not(draft, later) == Stop.UNANSWERED
        [logged] = queries.moderated(draft)
        assert (logged.hidden, logged.hidden_for, logged.hidden_at) == ("", Hidden.PERSONAL_DATA, NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Comment.objects.filter(pk=comment.pk).update(hidden_at=None, hidden_by="")
        with pytest.raises(moderating.NotPossible):
            moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Comment.objects.filter(pk=comment.pk).update(
                hidden="abuse", hidden_at=NOW, hidden_by=SECOND, reviewed_by=SECOND
            )
