"""Versions, comments, answers and the end of a draft, through PostgreSQL: each act once, and what it refuses."""

import threading
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rahdari import policy
from rahdari.consult import actions, answering, document, moderating, queries, rules, speaking
from rahdari.consult.models import Anchor, Comment, Draft, Speaker, Version
from rahdari.consult.rules import Hidden, Outcome, State, Stop
from rahdari.journal.models import JournalEntry
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

pytestmark = pytest.mark.django_db

NOW = timezone.now()
NIGHT = {"Clock": "Clock", "within 8 working hours, and on one": "within 8 working hours at any time, and on one"}


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
        version = a_draft(now=NOW)
        draft = version.draft
        assert (draft.closes_at - NOW).days in (30, 31) and draft.state(NOW) == State.OPEN
        assert draft.state(draft.closes_at) == State.ANSWERING
        assert version.policy_digest == policy.read(policy_text()).digest

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
        assert go_on.wait(30)
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
    assert inside.wait(30)
    second = threading.Thread(target=publish, args=(4,))
    second.start()
    go_on.set()
    first.join(30)
    second.join(30)
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
            said(draft, clause="9.1", quoted="4 working hour")

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
        [one] = queries.comments(draft)
        assert one == first and one.signed == 2  # type: ignore[attr-defined]

    def test_is_over_with_the_time_for_comment(self) -> None:
        version = a_draft(now=NOW - 40 * DAY)
        with pytest.raises(speaking.NotOpen):
            said(version.draft)

    def test_of_one_address_has_a_bound(self) -> None:
        draft = a_draft().draft
        for _ in range(speaking.CODES):
            said(draft, email="often@reader.example")
        with pytest.raises(speaking.TooManyOfAddress):
            said(draft, email="Often@reader.example")

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
        assert fates == {1: "kept", 2: "moved", 3: "orphaned", 4: "kept"}
        placed = {each.number: each.on for each in queries.comments_on(second)}  # type: ignore[attr-defined]
        assert placed == {1: "9.1", 2: "9.3", 3: queries.NOWHERE, 4: "9.3", 5: queries.WHOLE}
        for name, count in {"kept": 1, "moved": 1, "gone": 1, "clause": 1, "whole": 0}.items():
            assert len(news_of(f"{name}@reader.example")) == count, name

    def test_leaves_an_orphan_one(self) -> None:
        """Words that come back are not those that were meant."""
        version = a_draft()
        a_comment(version.draft, clause="9.2", quoted="at least 5 seats")
        second = next_version(version, {"at least 5 seats": "a licence"})
        third = next_version(second)
        assert Anchor.objects.get(version=third).fate == "orphaned"


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
        assert (found.of_comments, found.signed) == (2, 1)  # type: ignore[attr-defined]
        assert found.version is not None and found.version.number == 2
        assert [len(news_of(f"{name}@reader.example")) for name in ("a1", "b1", "c1")] == [1, 1, 0]
        assert [each.number for each in queries.unanswered(version.draft)] == [3]

    def test_that_something_changed_names_a_clause_of_a_later_version(self) -> None:
        version = a_draft()
        comment = a_comment(version.draft)
        with pytest.raises(answering.NoSuchClause):
            answered(version.draft, comment, outcome=Outcome.CHANGED, clause="9.1")
        next_version(version, NIGHT)
        with pytest.raises(answering.NoSuchClause):
            answered(version.draft, comment, outcome=Outcome.CHANGED, clause="7.7")


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
        assert stops(actions.adopt, OFFICER, later) == Stop.SAME_PERSON
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


class TestHearing:
    def test_has_minutes_once_it_was_held(self) -> None:
        draft = a_draft().draft
        hearing = actions.announce_hearing(draft=draft, held_at=NOW + DAY, place=BOTH, actor=OFFICER, now=NOW)
        with pytest.raises(actions.NotNow):
            actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW)
        actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW + 2 * DAY)
        with pytest.raises(actions.NotNow):
            actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=NOW + 3 * DAY)


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
        assert f"{comment.pk}/{moderating.token_of(comment)}" in letter.text
        assert not queries.unanswered(version.draft).exists() and [*queries.moderated(version.draft)] == [comment]
        with pytest.raises(moderating.NotPossible):
            moderating.hide(comment=comment, why=Hidden.ABUSE, actor=SECOND, now=NOW)

    def test_that_is_disputed_stops_the_draft_until_another_officer_has_decided(self) -> None:
        version = a_draft(now=NOW)
        draft, later = version.draft, version.draft.closes_at
        comment = a_comment(draft, now=NOW)
        moderating.hide(comment=comment, why=Hidden.PERSONAL_DATA, actor=OFFICER, now=NOW)
        moderating.dispute(comment=comment, now=NOW)
        assert actions.why_not(draft, later) == Stop.APPEALED
        with pytest.raises(moderating.SameOfficer):
            moderating.review(comment=comment, show=True, actor=OFFICER, now=NOW)
        moderating.review(comment=comment, show=True, actor=SECOND, now=NOW)
        assert actions.why_not(draft, later) == Stop.UNANSWERED
        with pytest.raises(moderating.NotPossible):
            moderating.hide(comment=comment, why=Hidden.ABUSE, actor=OFFICER, now=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Comment.objects.filter(pk=comment.pk).update(
                hidden="abuse", hidden_at=NOW, hidden_by=SECOND, reviewed_by=SECOND
            )
