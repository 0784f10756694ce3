"""The acts of announced work, through PostgreSQL: what each moves, whom it tells, and what is refused."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction
from icalendar import Calendar

from rahdari.journal.models import JournalEntry
from rahdari.letters.models import Letter
from rahdari.maintenance import actions, figures, queries, rules, telling, words
from rahdari.maintenance.models import Notice, Wording, Work
from rahdari.maintenance.rules import Component, Impact, Reason, State, Status, WindowFault, Words
from rahdari.people.quoting import LeadsAway
from rahdari.publish.models import Operator
from rahdari.register.models import Entry
from tests.builders.people import a_person
from tests.builders.planned_work import DAY, HOUR, NOW, a_network, a_plan, a_work, announced, tell
from tests.builders.publishing import entered
from tests.data_steps import migrated_again

pytestmark = pytest.mark.django_db
AT = NOW + 14 * DAY  # when the work of a plan begins
TICK = dt.timedelta(microseconds=1)
FACTS: dict[str, Any] = {"by": "person:1", "now": NOW}
ACTS: dict[str, Callable[[Work], object]] = {
    "edit": lambda work: actions.edit(work=work, plan=a_plan(), **FACTS),
    "announce": lambda work: actions.announce(work=work, **FACTS),
    "change": lambda work: actions.change(work=work, plan=a_plan(), **FACTS),
    "cancel": lambda work: actions.cancel(work=work, **FACTS),
    "start": lambda work: actions.start(work=work, by="person:1", now=AT),
    "prolong": lambda work: actions.prolong(work=work, expected_end_at=AT + 2 * HOUR, by="person:1", now=AT),
    "complete": lambda work: actions.complete(work=work, by="person:1", now=AT + HOUR),
}


def in_state(state: State) -> Work:
    work = a_work(None)
    for act in {
        State.DRAFT: (),
        State.ANNOUNCED: ("announce",),
        State.STARTED: ("announce", "start"),
        State.COMPLETED: ("announce", "start", "complete"),
        State.CANCELLED: ("announce", "cancel"),
    }[state]:
        ACTS[act](work)
    work.refresh_from_db()
    return work


def sequences(holder: uuid.UUID) -> list[tuple[int, str]]:
    return list(Notice.objects.filter(holder=holder).order_by("sequence").values_list("sequence", "status"))


class TestMoves:
    @pytest.mark.parametrize("state", State)
    def test_are_those_of_the_table_and_no_other(self, state: State) -> None:
        for act, do in ACTS.items():
            work = in_state(state)
            before = JournalEntry.objects.count()
            if rules.allows(state, act):
                do(work)
                work.refresh_from_db()
                assert work.state == rules.target_of(state, act)
                assert JournalEntry.objects.count() == before + 1
            else:
                with pytest.raises(actions.NotPossibleNow):
                    do(work)
                assert JournalEntry.objects.count() == before

    def test_no_other_is_made_by_hand(self) -> None:
        """The database knows the same table."""
        allowed = {(move.source, move.target) for move in rules.MOVES} | {(state, state) for state in State}
        for source, target in itertools.product(State, State):
            work = in_state(source)
            is_over, said = target in {State.COMPLETED, State.CANCELLED}, target != State.DRAFT
            facts = {
                "ended_at": (work.ended_at or AT) if is_over else None,
                "version": (work.version or 0) if said else None,
                "told_at": NOW if said else None,
            }
            done = True
            try:
                with transaction.atomic():
                    Work.objects.filter(pk=work.pk).update(state=target, **facts)
            except Error:
                done = False
            assert done == ((source, target) in allowed), (source, target)

    def test_what_was_announced_is_not_deleted_and_a_draft_is(self) -> None:
        actions.discard(work=in_state(State.DRAFT), **FACTS)
        work = in_state(State.ANNOUNCED)
        with pytest.raises(actions.NotPossibleNow):
            actions.discard(work=work, **FACTS)
        with pytest.raises(Error), transaction.atomic():
            Work.objects.filter(pk=work.pk).delete()
        assert Work.objects.get() == work

    def test_leave_the_window_of_work_that_has_begun(self) -> None:
        work = in_state(State.STARTED)
        for wrong in ({"ends_at": AT + 3 * HOUR}, {"version": work.version + 2}, {"reference": "PW-2222-2222"}):  # type: ignore[operator]
            with pytest.raises(Error), transaction.atomic():
                Work.objects.filter(pk=work.pk).update(**wrong)
        with pytest.raises(Error), transaction.atomic():
            work.affected.all().delete()

    def test_that_are_over_before_the_window_are_refused(self) -> None:
        work = in_state(State.ANNOUNCED)
        with pytest.raises(actions.NotPossibleNow):
            actions.complete(work=work, by="person:1", now=AT - TICK)
        assert actions.complete(work=work, by="person:1", now=AT).ended_at == AT

    def test_begin_an_hour_before_the_window_at_most(self) -> None:
        work = in_state(State.ANNOUNCED)
        with pytest.raises(actions.TooEarly) as refused:
            actions.start(work=work, by="person:1", now=AT - HOUR - TICK)
        assert refused.value.since == AT - HOUR
        assert actions.start(work=work, by="person:1", now=AT - HOUR).started_at == AT - HOUR
        # What has begun can be over before its window.
        assert actions.complete(work=work, by="person:1", now=AT - HOUR).ended_at == AT - HOUR

    @pytest.mark.parametrize("now", [AT, AT + 3 * HOUR])
    def test_prolong_beyond_the_announced_end_and_now(self, now: dt.datetime) -> None:
        work, after = in_state(State.STARTED), max(now, AT + HOUR)
        for until in (AT - HOUR, after):
            with pytest.raises(actions.WindowNotTaken) as refused:
                actions.prolong(work=work, expected_end_at=until, by="person:1", now=now)
            assert (refused.value.fault, refused.value.after) == (WindowFault.NOT_LONGER, after)
        until = after + TICK
        assert actions.prolong(work=work, expected_end_at=until, by="person:1", now=now).expected_end_at == until
        with pytest.raises(Error), transaction.atomic():
            Work.objects.filter(pk=work.pk).update(expected_end_at=AT + HOUR - TICK)


class TestDraft:
    def test_is_refused_with_a_time_that_is_over(self) -> None:
        work = a_work(None)
        for starts_at in (NOW, NOW - 20 * DAY):
            plan = a_plan(starts_at=starts_at, ends_at=starts_at + HOUR)
            with pytest.raises(actions.WindowNotTaken) as refused:
                actions.draft(operator=None, plan=plan, **FACTS)
            assert refused.value.fault is WindowFault.PAST
            with pytest.raises(actions.WindowNotTaken) as refused:
                actions.edit(work=work, plan=plan, **FACTS)
            assert refused.value.fault is WindowFault.PAST
        assert Work.objects.get().starts_at == AT
        actions.edit(work=work, plan=a_plan(starts_at=NOW + TICK, ends_at=NOW + HOUR), **FACTS)

    def test_is_never_said_after_it_began(self) -> None:
        work = announced(None)
        with pytest.raises(Error), transaction.atomic():
            Work.objects.filter(pk=work.pk).update(told_at=AT)


class TestAnnounce:
    @pytest.mark.parametrize(
        ("more", "fault"),
        [
            ({"starts_at": None, "ends_at": None}, WindowFault.MISSING),
            ({"starts_at": NOW, "ends_at": NOW + HOUR}, WindowFault.PAST),
            ({"ends_at": AT + 13 * HOUR}, WindowFault.TOO_LONG),
            ({"starts_at": NOW + 400 * DAY, "ends_at": NOW + 400 * DAY + HOUR}, WindowFault.TOO_FAR),
            ({"minutes": 61}, WindowFault.INTERRUPTED_LONGER),
        ],
    )
    def test_is_refused_without_a_window_that_holds(self, more: dict[str, Any], fault: WindowFault) -> None:
        work = a_work(None, now=NOW - DAY, **more)
        with pytest.raises(actions.WindowNotTaken) as refused:
            actions.announce(work=work, **FACTS)
        assert refused.value.fault is fault
        actions.edit(work=work, plan=a_plan(minutes=60), **FACTS)
        assert actions.announce(work=work, **FACTS).version == 0

    def test_says_why_in_one_language_at_least(self) -> None:
        work = a_work(None, text_en="")
        with pytest.raises(actions.SaysNotWhy):
            actions.announce(work=work, **FACTS)
        actions.edit(work=work, plan=a_plan(text_en="", text_ur="لائنیں منتقل ہوں گی۔"), **FACTS)
        actions.announce(work=work, **FACTS)

    def test_names_networks_of_the_operator_alone(self) -> None:
        ours, other = a_network(), a_network("sample-mobile", asns=(64501,))
        entered("203.0.113.7", asn=64500)
        entry = Entry.objects.get()
        assert entry.asns == [64500]
        with pytest.raises(actions.NetworkNotYours):
            actions.draft(operator=other, plan=a_plan("203.0.113.7"), **FACTS)
        named = replace(a_plan(), components=[Component(None, Impact.OUTAGE, feed_id=entry.feed_id)])
        with pytest.raises(actions.EntryNotYours):
            actions.draft(operator=other, plan=named, **FACTS)
        with pytest.raises(actions.EntryNotYours):
            unknown = replace(named, components=[Component(None, Impact.OUTAGE, feed_id="0" * 32)])
            actions.draft(operator=ours, plan=unknown, **FACTS)
        work = actions.draft(operator=ours, plan=named, **FACTS)
        assert [(hit.name, hit.impact) for hit in queries.hits(work)] == [("203.0.113.7 udp 51820", Impact.OUTAGE)]

    def test_tells_each_consumer_once_with_their_own_objects(self) -> None:
        one, two = a_person("one"), a_person("two", language="ur")
        registration = entered("203.0.113.7", "203.0.113.9", holder=one.holder_ref)
        entered("203.0.113.8", holder=two.holder_ref)
        entered("198.51.100.70", asn=64501, holder=two.holder_ref)  # of another network
        work = announced(a_network(), "203.0.113.0/24", "203.0.113.9/32", "198.51.100.0/24")
        tell()
        tell(NOW + DAY)
        first = Notice.objects.get(holder=one.holder_ref)
        assert (first.sequence, first.status, first.account) == (0, Status.CONFIRMED, registration.reference)
        assert first.affected == [["203.0.113.7 udp 51820", "OUTAGE"], ["203.0.113.9 udp 51820", "OUTAGE"]]
        assert Notice.objects.get(holder=two.holder_ref).affected == [["203.0.113.8 udp 51820", "OUTAGE"]]
        letters = {letter.to_id: letter for letter in Letter.objects.filter(template="planned_work")}
        assert set(letters) == {one.pk, two.pk} and Letter.objects.count() == 2
        assert "203.0.113.8" not in letters[one.pk].text and "203.0.113.8" not in letters[one.pk].calendar
        assert f"X-MAINTNOTE-MAINTENANCE-ID:{work.reference}" in letters[two.pk].calendar
        told = JournalEntry.objects.filter(act="maintenance.told")
        assert {row.detail["sequence"] for row in told} == {0} and told.count() == 2

    def test_reaches_an_entry_that_came_later(self) -> None:
        work = announced(a_network())
        assert Notice.objects.count() == 0
        late = entered("203.0.113.7", now=NOW + DAY)
        tell(NOW + DAY)
        assert sequences(late.holder) == [(0, "CONFIRMED")]
        assert work.reference == Notice.objects.get().work.reference


class TestWords:
    """What an operator writes to holders stands in letters of the register."""

    CALLS = "Your licence will be cancelled. Sign in at http://rahdari-gov.example/login or call +92 300 1234567"

    def test_of_an_operator_lead_nowhere(self) -> None:
        operator = a_network()
        with pytest.raises(LeadsAway):
            a_work(operator, text_en=self.CALLS)
        work = a_work(operator)
        for act in (actions.edit, actions.change):
            with pytest.raises(LeadsAway):
                act(work=work, plan=a_plan(text_ur=self.CALLS), **FACTS)
            actions.announce(work=work, **FACTS) if act is actions.edit else None
        with pytest.raises(IntegrityError, match="an_operators_words_lead_nowhere"), transaction.atomic():
            Work.objects.filter(pk=work.pk).update(text_en=self.CALLS)
        assert a_work(None, text_en=self.CALLS).text_en == self.CALLS, "the regulator may say where it is found"

    def test_are_quoted_in_the_letter_and_in_the_calendar(self) -> None:
        for language, address in (("en", "203.0.113.7"), ("ur", "203.0.113.8")):
            entered(address, holder=a_person(language, language=language).holder_ref)
        announced(None)
        letters = {letter.language: letter for letter in Letter.objects.all()}
        assert "\nThe register writes:\n\n> “We move lines.”\n" in letters["en"].text
        assert '<blockquote lang="en" dir="ltr"><p>“We move lines.”</p></blockquote>' in letters["en"].html
        assert "نے لکھا ہے:\n\nیہ الفاظ انگریزی میں لکھے گئے۔\n\n> “We move lines.”\n" in letters["ur"].text
        unfolded = letters["en"].calendar.replace("\r\n ", "")
        assert "The register writes: “We move lines.”" in unfolded


class TestWording:
    """What an operator writes for the first time is read by an officer before holders do; the rest is told at once."""

    def written(
        self, operator: Operator, text: str = "We move lines to gateway 7.", lines: tuple[str, ...] = ()
    ) -> Work:
        work = actions.announce(work=a_work(operator, *lines, text_en=text), **FACTS)
        tell()
        return work

    def test_waits_for_an_officer_and_keeps_no_letter_waiting(self) -> None:
        holder = entered("203.0.113.7", holder=a_person().holder_ref).holder
        work = self.written(a_network())
        letter = Letter.objects.get()
        assert "203.0.113.7" in letter.text and "gateway" not in letter.text + letter.calendar
        assert "The page of the notice shows it when an officer has read it" in " ".join(letter.text.split())
        notice = queries.notice_for([holder], work.reference)
        assert (notice.text, notice.words, work.words) == ("", Words.WAIT, Words.WAIT)
        [waits] = queries.wordings_to_read()
        actions.read_wording(id=waits.pk, is_shown=True, by="officer:1", now=NOW)
        assert queries.notice_for([holder], work.reference).text == "We move lines to gateway 7."
        assert not queries.wordings_to_read() and not telling.spread(now=NOW + DAY), "nobody is written to again"

    def test_is_read_once_and_holds_for_other_figures_alone(self) -> None:
        holder = entered("203.0.113.7", holder=a_person().holder_ref).holder
        operator, other = a_network(), a_network("sample-mobile", asns=(64501,))
        wording = self.written(operator).wording
        assert wording is not None
        actions.read_wording(id=wording.pk, is_shown=True, by="officer:1", now=NOW)
        again = self.written(operator, "We  move lines to GATEWAY 12.")
        assert again.wording == wording
        assert queries.notice_for([holder], again.reference).text == "We move lines to GATEWAY 12."
        assert self.written(operator, "Your licence ends on gateway 12.").words is Words.WAIT
        assert self.written(other, "We move lines to gateway 7.", lines=("198.51.100.0/24",)).words is Words.WAIT, (
            "it is of one operator"
        )

    def test_that_is_kept_back_is_never_read(self) -> None:
        holder = entered("203.0.113.7", holder=a_person().holder_ref).holder
        work = self.written(a_network())
        [waits] = queries.wordings_to_read()
        actions.read_wording(id=waits.pk, is_shown=False, by="officer:1", now=NOW)
        work = actions.change(work=work, plan=a_plan(text_en="We move lines to gateway 8."), **FACTS)
        tell()
        notice = queries.notice_for([holder], work.reference)
        assert (notice.text, notice.words) == ("", Words.KEPT_BACK)
        assert not any("gateway" in letter.text or "an officer" in letter.text for letter in Letter.objects.all()[1:])
        # What was changed and is not told yet shows no words that were not let through.
        actions.change(work=work, plan=a_plan(text_en="Something else."), **FACTS)
        [waits] = queries.wordings_to_read()
        actions.read_wording(id=waits.pk, is_shown=True, by="officer:1", now=NOW)
        assert queries.notice_for([holder], work.reference).text == ""

    def test_that_was_told_by_the_release_before_counts_as_read(self) -> None:
        operator, other = a_network(), a_network("sample-mobile", asns=(64501,))
        told = self.written(operator)
        again = self.written(operator, "We move lines to gateway 8.")
        cancelled = actions.cancel(work=self.written(operator, "We close a weakness."), **FACTS)
        theirs = self.written(other, lines=("198.51.100.0/24",))
        ours = announced(None, text_en="We move lines.")
        draft = a_work(operator, text_en="We renew equipment.")
        migrated_again("maintenance", "0008_wordings")
        for work in (told, again, cancelled, theirs, ours, draft):
            work.refresh_from_db()
        assert told.wording == again.wording and theirs.wording not in {None, told.wording}
        assert {each.words for each in (told, again, cancelled, theirs)} == {Words.SHOWN}
        assert (ours.wording, draft.wording) == (None, None)
        read = Wording.objects.get(pk=told.wording_id)
        assert (read.text_en, read.read_at, read.read_by) == (told.text_en, told.announced_at, "system:migration")
        with pytest.raises(IntegrityError), transaction.atomic():
            Work.objects.filter(pk=cancelled.pk).update(text_en="Another.")

    def test_of_the_database_is_one_for_what_is_announced(self) -> None:
        work = self.written(a_network())
        with pytest.raises(IntegrityError, match="an_operators_words_are_read_first"), transaction.atomic():
            Work.objects.filter(pk=work.pk).update(wording=None)
        with pytest.raises(IntegrityError, match="somebody_has_read_what_is_shown"), transaction.atomic():
            Wording.objects.update(is_shown=True)


class TestLettersOfADay:
    def written(self, template: str = "planned_work") -> int:
        return Letter.objects.filter(template=template).count()

    def rest(self, now: dt.datetime) -> int:
        tell(now)
        return telling.gather(now=now)

    def test_of_one_announcer_are_so_many_and_the_rest_is_one(self) -> None:
        one, two = a_person("one"), a_person("two", language="ur")
        entered("203.0.113.7", holder=one.holder_ref)
        operator = a_network()
        for number in range(25):
            announced(operator, "203.0.113.7/32", starts_at=AT + number * HOUR, ends_at=AT + (number + 1) * HOUR)
        assert self.written() == rules.LETTERS_A_DAY == 5
        assert Notice.objects.filter(told_at=NOW).count() == 25, "pages, calendars and programs have each at once"
        assert JournalEntry.objects.filter(act="maintenance.told").count() == 25
        assert self.rest(NOW) == 20 and self.rest(NOW + HOUR) == 0
        letter = Letter.objects.get(template="planned_work_several")
        assert letter.text.count("* PW-") == 20 and letter.calendar.count("BEGIN:VEVENT") == 20
        # Another announcer, and another holder, have their own.
        announced(None, "203.0.113.7/32")
        entered("203.0.113.8", holder=two.holder_ref)
        announced(operator, "203.0.113.8/32")
        assert self.written() == 5 + 1 + 1
        # Within the six hours it waits, and one letter has it then, with the last word about each work.
        work = announced(operator, "203.0.113.7/32", now=NOW + HOUR)
        actions.cancel(work=work, by="person:1", now=NOW + 2 * HOUR)
        assert self.rest(NOW + 2 * HOUR) == 0 and self.rest(NOW + 6 * HOUR) == 2
        letter = Letter.objects.filter(template="planned_work_several", to=one).latest("written_at")
        assert letter.text.count("* PW-") == 1 and "Cancelled." in letter.text
        # The next day there are letters again.
        announced(operator, "203.0.113.7/32", now=NOW + DAY)
        assert Letter.objects.filter(template="planned_work", written_at=NOW + DAY).exists()

    def test_are_counted_by_the_database(self) -> None:
        entered("203.0.113.7", holder=a_person().holder_ref)
        announced(a_network())
        first = Notice.objects.get()
        copied = {each.attname: getattr(first, each.attname) for each in Notice._meta.concrete_fields}
        copied |= {"id": uuid.uuid4(), "sequence": 1, "version": 1}
        for more, name in (
            ({}, "a_letter_of_a_day_once"),
            ({"letter_number": 6}, "an_announcer_has_so_many_letters_a_day"),
            ({"letter_number": 2, "is_gathered": True}, "an_announcer_has_so_many_letters_a_day"),
        ):
            with pytest.raises(IntegrityError, match=name), transaction.atomic():
                Notice.objects.create(**copied | more)


class TestChange:
    def test_goes_on_with_the_next_sequence_for_each(self) -> None:
        kept, dropped, new = (entered(address).holder for address in ("203.0.113.7", "203.0.113.8", "203.0.113.130"))
        work = announced(a_network(), "203.0.113.0/25")
        actions.change(work=work, plan=a_plan("203.0.113.7", "203.0.113.128/25"), **FACTS)
        tell()
        assert sequences(kept) == [(0, "CONFIRMED")]  # for this one nothing is different
        assert sequences(dropped) == [(0, "CONFIRMED"), (1, "CANCELLED")]
        assert sequences(new) == [(0, "CONFIRMED")]
        actions.change(work=work, plan=a_plan("203.0.113.0/24", is_tentative=True), **FACTS)
        actions.cancel(work=work, **FACTS)  # before anybody heard of the change
        tell()
        assert sequences(dropped) == [(0, "CONFIRMED"), (1, "CANCELLED")]
        assert sequences(new) == [(0, "CONFIRMED"), (1, "CANCELLED")]

    def test_is_told_with_what_was_said_before(self) -> None:
        one, two = a_person("one"), a_person("two", language="ur")
        entered("203.0.113.7", "203.0.113.8", holder=one.holder_ref)
        entered("203.0.113.9", holder=two.holder_ref)
        work = announced(a_network(), "203.0.113.7", "203.0.113.9", minutes=10, is_tentative=True)
        assert "What has changed" not in Letter.objects.get(to_id=one.pk).text
        later = {"starts_at": AT + DAY, "ends_at": AT + DAY + HOUR}
        moved = a_plan("203.0.113.8", "203.0.113.9", impact=Impact.DEGRADED, minutes=20, text_en="Other.", **later)
        actions.change(work=work, plan=replace(moved, reason=Reason.CABLE), by="person:1", now=NOW + HOUR)
        tell(NOW + HOUR)
        said = plain(newest(one.pk).text)
        assert "The time was 24 November 2026, 14:00 to 24 November 2026, 15:00." in said
        assert "203.0.113.8 udp 51820 is affected too." in said
        assert "203.0.113.7 udp 51820 is not affected any more." in said
        assert "For how long, before: Without an answer for 10 minutes at most." in said
        assert "The reason was: Lines move to other equipment." in said and "The time is fixed now." in said
        assert "What is written about it is different." in said and "25 November 2026 at 14:00" in said
        urdu = plain(newest(two.pk).text)
        assert "ایڈریس 203.0.113.9 udp 51820 پر پہلے یہ ہونا تھا: " in urdu and "پہلے وقت 24 نومبر 2026" in urdu

    def test_says_nothing_of_what_is_as_it_was(self) -> None:
        person = a_person("one")
        entered("203.0.113.7", holder=person.holder_ref)
        work = announced(a_network(), "203.0.113.7")
        actions.change(work=work, plan=a_plan("203.0.113.7", impact=Impact.DEGRADED), **FACTS)
        tell()
        first, second = Notice.objects.order_by("sequence")
        assert words.changes(first, second) == ["\u2066203.0.113.7 udp 51820\u2069, before: Does not answer."]
        for hours, address in ((1, "203.0.113.8"), (2, "203.0.113.7")):
            actions.change(work=work, plan=a_plan(address), by="person:1", now=NOW + hours * HOUR)
            tell(NOW + hours * HOUR)
        assert "It was cancelled, and is planned again." in newest(person.pk).text

    def test_not_to_come_leaves_no_calendar_that_contradicts_itself(self) -> None:
        person = a_person("one")
        entered("203.0.113.7", holder=person.holder_ref)
        for act, at in (("cancel", NOW + HOUR), ("complete", AT + HOUR)):
            work = announced(None, minutes=10)
            getattr(actions, act)(work=work, by="person:1", now=at)
            tell(at)
            (event,) = Calendar.from_ical(newest(person.pk).calendar).walk("VEVENT")
            said = str(event["DESCRIPTION"])
            assert {"cancel": "Cancelled. Nothing happens", "complete": "The work is over."}[act] in said
            assert "203.0.113.7" in said and "Does not answer" not in said and "10 minutes" not in said
            assert str(event["X-MAINTNOTE-IMPACT"]) == "OUTAGE", "readers of the format have it as it was announced"

    def test_is_not_told_to_whom_it_does_not_change(self) -> None:
        holder = entered("203.0.113.7").holder
        work = announced(a_network(), "203.0.113.7/32")
        actions.change(work=work, plan=a_plan("203.0.113.7", "203.0.113.8"), **FACTS)
        tell()
        assert sequences(holder) == [(0, "CONFIRMED")]
        actions.start(work=work, by="person:1", now=AT)
        tell(AT)
        actions.complete(work=work, by="person:1", now=AT + HOUR)
        tell(AT + HOUR)
        assert sequences(holder) == [(0, "CONFIRMED"), (1, "IN-PROCESS"), (2, "COMPLETED")]

    def test_counts_notice_anew_where_somebody_is_worse_off(self) -> None:
        work, later = announced(a_network(), "203.0.113.0/25"), NOW + DAY
        change: dict[str, Any] = {"work": work, "by": "person:1", "now": later}
        milder = a_plan("203.0.113.0/25", impact=Impact.DEGRADED, text_en="Other words.")
        assert actions.change(plan=milder, **change).told_at == NOW
        assert actions.change(plan=a_plan("203.0.113.0/25"), **change).told_at == later
        moved = a_plan("203.0.113.0/25", starts_at=AT + DAY, ends_at=AT + DAY + HOUR)
        assert actions.change(plan=moved, **change | {"now": later + DAY}).told_at == later + DAY

    def test_never_leaves_a_sequence_out(self) -> None:
        entered("203.0.113.7")
        announced(a_network())
        notice = Notice.objects.get()
        for sequence in (0, 2):
            with pytest.raises(Error), transaction.atomic():
                Notice.objects.bulk_create([_again(notice, sequence)])
        with pytest.raises(Error), transaction.atomic():
            Notice.objects.update(text_en="Rewritten.")
        Notice.objects.bulk_create([_again(notice, 1)])


def newest(person: object) -> Letter:
    return Letter.objects.filter(to_id=person).order_by("written_at").last()  # type: ignore[return-value]


def plain(text: str) -> str:
    return "".join(sign for sign in text if sign not in "\u2066\u2067\u2068\u2069")


def _again(notice: Notice, sequence: int) -> Notice:
    """The next one, of which nobody has heard."""
    facts = {each.attname: getattr(notice, each.attname) for each in Notice._meta.concrete_fields}
    facts |= {"id": uuid.uuid4(), "sequence": sequence, "version": notice.version + 1}
    return Notice(**facts | {"told_at": None, "letter_on": None, "letter_number": None})


class TestWindows:
    def test_cover_from_the_beginning_to_before_the_end(self) -> None:
        work = announced(a_network(), "203.0.113.0/25")
        block = a_plan("203.0.113.7").components[0].block
        assert block is not None

        def at(moment: dt.datetime, asn: int = 64500) -> list[str]:
            return [each.work for each in queries.windows(asns=[asn], block=block, at=moment)]

        assert at(AT - TICK) == at(AT + HOUR) == at(AT, asn=64501) == []
        assert at(AT) == at(AT + HOUR - TICK) == [work.reference]
        assert list(queries.overrun(now=AT + HOUR - TICK)) == []
        assert list(queries.overrun(now=AT + HOUR)) == [work]
        actions.complete(work=work, by="person:1", now=AT + HOUR / 2)
        assert at(AT) == [work.reference] and at(AT + HOUR / 2) == [] and list(queries.overrun(now=AT + HOUR)) == []

    def test_are_none_of_a_draft_or_of_what_does_nothing(self) -> None:
        a_work(None)
        announced(None, impact=Impact.NO_IMPACT)
        block = a_plan("203.0.113.7").components[0].block
        assert block is not None and queries.windows(asns=[64500], block=block, at=AT) == []
        announced(None, impact=Impact.DEGRADED)
        assert [each.impact for each in queries.windows(asns=[], block=block, at=AT)] == [Impact.DEGRADED]


class TestFigures:
    def test_are_given_of_enough_windows_alone(self) -> None:
        ours = a_network()
        late = AT + 3 * HOUR
        for number in range(4):
            work = announced(ours)
            if number:
                actions.complete(work=work, by="person:1", now=AT + HOUR if number < 3 else late)
        short = announced(ours, starts_at=NOW + 7 * DAY - HOUR, ends_at=NOW + 7 * DAY)
        actions.cancel(work=announced(ours), **FACTS)
        found = figures.figures_of(ours, now=late + DAY)
        assert (found.is_shown, found.announced, found.in_time, found.kept) == (True, 5, 4, 2)
        actions.complete(work=short, by="person:1", now=NOW + 7 * DAY - HOUR)
        assert figures.figures_of(ours, now=late + DAY).kept == 3
        assert [each.is_shown for each in figures.figures(now=AT)] == [False]
        assert [each.announced for each in figures.figures(now=late + DAY)] == [5]


def test_spreading_one_work_costs_the_same_for_many() -> None:
    for number in range(1, 9):
        entered(f"203.0.113.{number}")
    work = actions.announce(work=a_work(a_network()), **FACTS)
    asked: list[str] = []
    with connection.execute_wrapper(
        lambda run, sql, params, many, context: (asked.append(sql), run(sql, params, many, context))[1]
    ):
        telling.spread(now=NOW)
    assert Notice.objects.filter(work=work).count() == 8
    assert len(asked) < 20
