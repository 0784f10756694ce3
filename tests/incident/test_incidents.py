"""A connection is cut: reported, answered, disputed, closed; each act and each refusal, through PostgreSQL. What was
measured: test_measured.py."""

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from rahdari.incident import actions, answering, clocks, measured, page, queries, rules
from rahdari.incident.models import Happening, Incident, Report
from rahdari.incident.rules import Channel, Proof, Reason, State
from rahdari.letters.models import Letter
from rahdari.people.models import Role, User
from rahdari.people.quoting import LeadsAway
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from tests.builders import people
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator, entered
from tests.waiting import until

NOW = dt.datetime(2026, 11, 10, 9, 31, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(seconds=each) for each in (1, 60, 3600, 86_400))
HOLDER, THERE = "person:holder", "operator:sample-fibre"

pytestmark = pytest.mark.django_db


def held(*addresses: str, asn: int | None = 64500, by: User | None = None) -> Registration:
    holder = by or people.a_freelancer(now=NOW)
    return entered(*(addresses or ("203.0.113.41/32",)), now=NOW - DAY, holder=holder.holder_ref, asn=asn)


def cut(registration: Registration, now: dt.datetime = NOW, **facts: Any) -> Report:
    return a_report(registration, now, **facts)


def fresh(incident: Incident) -> Incident:
    return queries.incidents().get(pk=incident.pk)


def state_of(report: Report) -> str:
    return Incident.objects.get(pk=Report.objects.get(pk=report.pk).incident_id).state


def letters(about: str = "") -> list[str]:
    return [each.template for each in Letter.objects.filter(about__startswith=about).order_by("written_at", "id")]


def refused(act: Any, **facts: Any) -> None:
    with pytest.raises(actions.NotPossibleNow):
        act(actor="person:x", now=NOW + HOUR, **facts)


class TestReport:
    def test_of_several_connections_is_told_from_its_opening(self) -> None:
        an_operator()
        incident = cut(held()).incident
        # Whatever its key is, what the same act joined comes behind.
        Happening.objects.create(id=uuid.UUID(int=0), incident=incident, at=NOW, act="join", by="holder")
        assert [each.act for each in queries.happenings_of(incident)] == ["open", "join"]

    def test_asks_the_operator_at_once_and_starts_its_clock_also_where_nothing_was_measured(self) -> None:
        an_operator()
        people.with_post(people.a_person("desk"), Role.OPERATOR, operator="sample-fibre")
        report = cut(held())
        incident = report.incident
        assert incident.operator is not None and incident.operator.slug == "sample-fibre"
        assert (incident.state, incident.measured, incident.began_at) == (State.OPEN, "", NOW)
        assert incident.answer_due_at == NOW + 30 * MINUTE and incident.mend_due_at == NOW + 2 * HOUR
        assert letters("registration:") == ["incident_reported"] and letters("incident:") == ["incident_asked"]
        text = Letter.objects.get(template="incident_asked").text
        assert "203.0.113.41" not in text and "Sample Freelancer" not in text

    def test_is_one_however_often_the_form_or_the_connection_is_sent(self) -> None:
        an_operator()
        registration, key = held(), uuid.uuid4()
        first = cut(registration, id=key)
        assert cut(registration, id=key, now=NOW + SECOND) == first
        assert cut(registration, id=uuid.uuid4(), now=NOW + SECOND, words="Still.") == first
        assert [each.act for each in Happening.objects.order_by("at")] == ["open", "add"]

    def test_of_somebody_elses_connection_is_refused(self) -> None:
        mine, theirs = held(), held("203.0.113.42/32")
        entry = theirs.entries.get()
        with pytest.raises(actions.NotYours):
            actions.report(registration=mine, entry=entry, channel=Channel.API, actor=HOLDER, now=NOW)
        with pytest.raises(queries.IncidentNotFound):
            queries.incident_for_holder(registration=mine, reference=cut(theirs).incident.reference)

    def test_of_overlapping_addresses_is_one_incident_and_others_are_not_named(self) -> None:
        an_operator()
        net, host = held("203.0.113.0/28"), held("198.51.100.9/32")
        first = cut(net)
        assert cut(host).incident != first.incident
        other = people.a_freelancer(now=NOW)
        shared = Report.objects.create(
            incident=first.incident,
            registration=host,
            holder=other.holder_ref,
            subject="entry:x",
            block="203.0.113.3/32",
            channel=Channel.PAGE,
            began_at=NOW,
            reported_at=NOW,
        )
        mine = queries.reports_of(net)
        assert queries.others_at(first.incident, mine) == 1
        actions.add(report=shared, words="For the operator.", actor=HOLDER, now=NOW + SECOND)
        assert [each.act for each in queries.said_to(first.incident, mine)] == ["open"]

    def test_without_an_operator_is_the_desks(self) -> None:
        report = cut(held(asn=None))
        assert report.incident.operator is None
        assert list(queries.without_operator()) == [report.incident]
        an_operator("stopped-net", asns=[64501])
        Operator.objects.filter(slug="stopped-net").update(active=False)
        assert cut(held("203.0.113.50/32", asn=64501)).incident.operator is None, (
            "one that has stopped is asked nothing"
        )


@pytest.mark.django_db(transaction=True)
def test_two_reports_at_the_same_second_make_one_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has looked whether there is one, and goes on only when the second has looked too, or waits for it."""
    an_operator()
    registrations = [held("203.0.113.0/28"), held("198.51.100.0/28")]
    seen = measured.Measured("this_operator", "cut_at_edge/1", NOW - MINUTE)
    monkeypatch.setattr(measured, "last_of", lambda subject, *, now: seen)
    looked, made, look = [], [], actions._of_the_same_cause

    def look_and_wait(*asked: Any) -> Incident | None:
        found = look(*asked)
        looked.append(found)
        if len(looked) == 1:
            until(lambda: len(looked) == 2 or is_waited_for())
        return found

    monkeypatch.setattr(actions, "_of_the_same_cause", look_and_wait)

    def work(registration: Registration) -> None:
        try:
            made.append(cut(registration).incident_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[each]) for each in registrations]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 2 and len(set(made)) == 1
    assert Incident.objects.get().began_at == NOW - MINUTE


def is_waited_for() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


class TestTheOperator:
    def test_answers_mends_and_is_believed_when_its_holder_says_so(self) -> None:
        an_operator()
        report = cut(held())
        incident = report.incident
        refused(answering.say_mended, incident=incident)  # no reason yet
        answering.acknowledge(incident=incident, actor=THERE, now=NOW + MINUTE)
        answering.answer(
            incident=incident, reason=Reason.FILTER_TOO_WIDE, words="One of three.", actor=THERE, now=NOW + 7 * MINUTE
        )
        assert state_of(report) == State.WITH_OPERATOR and "incident_answered" in letters("registration:")
        answering.say_mended(incident=incident, actor=THERE, now=NOW + 30 * MINUTE)
        # Its holder hears it, and until when they can dispute it.
        assert letters("registration:")[-2:] == ["incident_answered", "incident_answered"]
        clocks.follow(now=NOW + 31 * MINUTE)
        assert state_of(report) == State.RESOLVED, "nobody measured, and its holder has not said so"
        actions.say_it_works(report=report, actor=HOLDER, now=NOW + 40 * MINUTE)
        clocks.follow(now=NOW + 41 * MINUTE)
        incident = fresh(incident)
        assert (incident.state, incident.proof) == (State.CLOSED_WITH_PROOF, Proof.HOLDERS)
        assert incident.back_at == NOW + 40 * MINUTE and incident.lasted(NOW) == 40 * MINUTE
        assert incident.report_due_at == NOW + 41 * MINUTE + 3 * DAY
        answering.report(incident=incident, words="The step was skipped.", actor=THERE, now=NOW + DAY)
        assert clocks.chase_report(now=NOW + 5 * DAY) == 0
        assert letters("registration:")[-2:] == ["incident_closed", "incident_report"]

    def test_that_says_the_same_again_says_it_once(self) -> None:
        an_operator()
        report = cut(held())
        incident = report.incident

        def say(after: dt.timedelta, reason: Reason = Reason.FAULT, words: str = "One of three.") -> int:
            answering.answer(incident=incident, reason=reason, words=words, actor=THERE, now=NOW + after)
            answering.tell(incident=incident, words="We look.", actor=THERE, now=NOW + after)
            return letters("registration:").count("incident_answered")

        assert [say(MINUTE), say(2 * MINUTE)] == [1, 1]
        assert [incident.happenings.filter(act=act).count() for act in ("answer", "tell")] == [1, 1]
        assert [say(3 * MINUTE, words="Two of three."), say(4 * MINUTE, Reason.POWER), say(5 * MINUTE)] == [2, 3, 4]
        answering.say_mended(incident=incident, actor=THERE, now=NOW + HOUR)
        actions.dispute(report=report, words="It is cut.", actor=HOLDER, now=NOW + 2 * HOUR)
        assert [say(3 * HOUR), say(4 * HOUR)] == [6, 6], "it was disputed in between"
        assert say(2 * DAY) == 7, "it is still so"

    def test_that_tells_again_what_happened_tells_it_once(self) -> None:
        an_operator()
        report = cut(held())
        answering.answer(incident=report.incident, reason=Reason.POWER, actor=THERE, now=NOW)
        answering.say_mended(incident=report.incident, actor=THERE, now=NOW)
        clocks.follow(now=NOW + 3 * DAY)
        for minutes in (1, 2):
            answering.report(
                incident=report.incident, words="A fuse.", actor=THERE, now=NOW + 3 * DAY + minutes * MINUTE
            )
        assert letters("registration:").count("incident_report") == 1

    def test_is_quoted_to_holders_and_leads_them_nowhere(self) -> None:
        an_operator()
        incident = cut(held()).incident
        said: dict[str, Any] = {"incident": incident, "actor": THERE, "now": NOW + MINUTE}
        for words in ("Sign in at https://rahdari-gov.example", "Call 0300 1234567"):
            for act in (
                lambda words: answering.answer(reason=Reason.FILTER_TOO_WIDE, words=words, **said),
                lambda words: answering.tell(words=words, **said),
            ):
                with pytest.raises(LeadsAway):
                    act(words)
        answering.answer(reason=Reason.FILTER_TOO_WIDE, words="One of three. ” We know nothing.", **said)
        letter = Letter.objects.get(template="incident_answered")
        assert "Sample Fibre writes:\n\n> “One of three. ’ We know nothing.”\n" in letter.text
        assert '<blockquote lang="en" dir="ltr"><p>“One of three.' in letter.html

    def test_that_disclaims_may_be_disputed_and_else_it_stands(self) -> None:
        an_operator()
        report = cut(held())
        incident = report.incident
        answering.answer(incident=incident, reason=Reason.HOLDER_SERVER, actor=THERE, now=NOW + MINUTE)
        with pytest.raises(actions.WordsNeeded):
            actions.dispute(report=report, words=" ", actor=HOLDER, now=NOW + HOUR)
        actions.dispute(report=report, words="It answers here.", actor=HOLDER, now=NOW + HOUR)
        assert (state_of(report), fresh(incident).disputes) == (State.WITH_OPERATOR, 1)
        answering.answer(incident=incident, reason=Reason.NOTHING_FOUND, actor=THERE, now=NOW + 2 * HOUR)
        clocks.follow(now=NOW + 2 * HOUR + 3 * DAY - SECOND)
        assert state_of(report) == State.RESOLVED
        clocks.follow(now=NOW + 2 * HOUR + 3 * DAY)
        assert state_of(report) == State.FALSE_ALARM
        actions.open_again(report=report, words="It is cut.", actor=HOLDER, now=NOW + 6 * DAY)
        again = fresh(incident)
        assert (again.state, again.reason, again.ended_at) == (State.OPEN, "", None)
        assert again.answer_due_at == NOW + 6 * DAY + 30 * MINUTE

    def test_that_says_it_is_not_its_own_gives_it_to_the_desk_which_finds_whose_it_is(self) -> None:
        an_operator()
        other = an_operator("sample-net", asns=[64501])
        report = cut(held())
        answering.answer(incident=report.incident, reason=Reason.NOT_OURS, actor=THERE, now=NOW + MINUTE)
        incident = fresh(report.incident)
        assert (incident.operator, incident.state, incident.reason) == (None, State.OPEN, "")
        with pytest.raises(queries.IncidentNotFound):
            queries.incident_for_operator(slug="sample-fibre", reference=incident.reference)
        answering.assign(incident=incident, operator=other, actor="officer:x", now=NOW + HOUR)
        assert fresh(incident).answer_due_at == NOW + HOUR + 30 * MINUTE
        refused(answering.assign, incident=incident, operator=other)
        answering.answer(incident=fresh(incident), reason=Reason.FAULT, actor="operator:sample-net", now=NOW + HOUR)
        # Each answer is the word of whoever gave it.
        said = {step.title: step.by for step in page.steps_of(incident.happenings.order_by("at", "id"))}
        assert said["Answered: another network has the address"] == "Sample Fibre"
        assert said["Cause found"] == other.name and other.name != "Sample Fibre"

    def test_that_is_silent_is_told_of_to_supervisors_once_for_each_time(self) -> None:
        an_operator()
        people.an_officer("Supervisor", role=Role.SUPERVISOR, now=NOW)
        report = cut(held())
        for at in (29 * MINUTE, 30 * MINUTE, 31 * MINUTE, 2 * HOUR, 3 * HOUR):
            clocks.follow(now=NOW + at)
        assert letters("incident:") == ["incident_late", "incident_late"]
        incident = fresh(report.incident)
        assert (incident.late_answer_at, incident.late_mend_at) == (NOW + 30 * MINUTE, NOW + 2 * HOUR)
        assert list(queries.at_desk()) == [incident]

    def test_that_only_says_that_it_is_mended_and_is_not_disputed_closes_nothing_with_proof(self) -> None:
        an_operator()
        report = cut(held())
        answering.answer(incident=report.incident, reason=Reason.POWER, actor=THERE, now=NOW)
        answering.say_mended(incident=report.incident, actor=THERE, now=NOW)
        clocks.follow(now=NOW + 3 * DAY)
        assert (state_of(report), fresh(report.incident).proof) == (State.CLOSED_BY_ITSELF, "")


class TestTheHolder:
    def test_takes_a_report_back(self) -> None:
        an_operator()
        report = cut(held())
        actions.withdraw(report=report, actor=HOLDER, now=NOW + MINUTE)
        assert state_of(report) == State.FALSE_ALARM
        refused(actions.say_it_works, report=report)

    def test_says_that_it_works_before_anybody_answered(self) -> None:
        an_operator()
        registration = held("203.0.113.41/32", "203.0.113.40/32")
        reports = [cut(registration, place=0), cut(registration, place=1)]
        assert len({each.incident_id for each in reports}) == 2
        actions.say_it_works(report=reports[0], actor=HOLDER, now=NOW + MINUTE)
        clocks.follow(now=NOW + 2 * MINUTE)
        assert [state_of(each) for each in reports] == [State.CLOSED_BY_ITSELF, State.OPEN]


class TestMerge:
    def test_makes_one_of_two_of_the_same_operator_alone(self) -> None:
        an_operator()
        one, two = cut(held()), cut(held("198.51.100.9/32"), now=NOW + HOUR)
        of_desk = cut(held("198.51.100.77/32", asn=None))
        with pytest.raises(answering.AnotherOperator):
            answering.merge(incident=one.incident, into=of_desk.incident, actor="officer:x", now=NOW + HOUR)
        answering.merge(incident=one.incident, into=two.incident, actor="officer:x", now=NOW + 2 * HOUR)
        gone = fresh(one.incident)
        assert (gone.state, gone.merged_into) == (State.MERGED, two.incident)
        assert fresh(two.incident).began_at == NOW
        assert {each.pk for each in queries.standing_reports(fresh(two.incident))} == {one.pk, two.pk}


class TestTheDatabase:
    def test_lets_through_the_moves_of_the_table_and_no_other(self) -> None:
        steps = rules.steps()
        with connection.cursor() as cursor:
            for source in State:
                for target in State:
                    cursor.execute("SELECT incident_may_move(%s, %s)", [source, target])
                    assert cursor.fetchone()[0] == ((source, target) in steps or source == target), (source, target)

    def test_refuses_what_the_table_does_not_have_and_forgets_nothing(self) -> None:
        report = cut(held())
        incident = Incident.objects.filter(pk=report.incident_id)
        for attempt in (
            lambda: incident.update(state=State.CLOSED_WITH_PROOF, ended_at=NOW, proof="looks"),
            lambda: incident.update(state=State.RESOLVED),
            lambda: incident.update(opened_at=NOW - DAY),
            lambda: incident._raw_delete("default"),
            lambda: Happening.objects.update(act="close"),
            lambda: Happening.objects.all()._raw_delete("default"),
            lambda: Report.objects.update(holder=uuid.uuid4()),
            lambda: Report.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                attempt()
