"""What the room `watch` measured, and what follows of it: cut by measurement, closed by looks, found out by looks. By
its own acts, over places that see what a test says."""

import datetime as dt
from collections.abc import Iterator

import pytest

from rahdari.incident import actions, answering, clocks, measured, packs, page, queries
from rahdari.incident.models import Incident, Report
from rahdari.incident.rules import Channel, Proof, Reason, State
from rahdari.people.models import Role
from rahdari.register.models import Entry, Registration
from rahdari.watch import consents
from rahdari.watch import queries as watch
from rahdari.watch.models import Consent
from tests.builders import people
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator
from tests.watch.places import NOW, ROUND, SILENT, UP, Places, agreed, places

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def land() -> Iterator[Places]:
    """One that is measured in order, at an operator."""
    with places() as found:
        yield found


def of(consent: Consent) -> Registration:
    return Entry.objects.get(feed_id=consent.feed_id).registration


def cut_from_outside(*addresses: str) -> object:
    return lambda place, address: SILENT if address in addresses and place != "in-1" else UP


def state_of(consent: Consent) -> str:
    found = Report.objects.filter(subject=consent.subject).order_by("-reported_at").first()
    assert found is not None
    return Incident.objects.get(pk=found.incident_id).state


def test_begins_with_the_report_where_it_was_in_order_at_the_last_look(land: Places) -> None:
    """Since when it was in order, perhaps for weeks, is not since when it is cut."""
    an_operator()
    consent = agreed()
    land.round()
    reported_at = land.at + 20 * SECOND
    report = a_report(of(consent), reported_at)
    assert (report.began_at, report.incident.began_at, report.incident.measured) == (
        reported_at,
        reported_at,
        "in_order",
    )


def test_opens_an_incident_where_a_path_is_cut_and_closes_it_by_looks_alone(land: Places) -> None:
    an_operator()
    consent = agreed()
    land.round()
    assert clocks.report_measured(now=land.at) == 0, "it is in order"
    land.sees = cut_from_outside("203.0.113.24")
    land.round()
    assert clocks.report_measured(now=land.at) == 1 and clocks.report_measured(now=land.at) == 0
    (incident,) = queries.live()
    assert (incident.measured, incident.rule) == ("path_blocked", "runs_inside/1")
    assert incident.began_at == watch.state_of(consent).seen.at  # type: ignore[union-attr]
    report = Report.objects.get()
    assert report.channel == Channel.MEASURED and not queries.may_see_series(report)
    with pytest.raises(watch.SeriesNotFound):
        watch.series_for_officer(officer="officer:x", feed_id=consent.feed_id, since=NOW, now=land.at)
    # Its holder reports it too: it is one, and from then on officers see what was measured.
    again = a_report(of(consent), land.at + SECOND)
    assert again.incident == incident and queries.may_see_series(again)
    assert watch.series_for_officer(officer="officer:x", feed_id=consent.feed_id, since=NOW, now=land.at)
    answering.answer(incident=incident, reason=Reason.FILTER_TOO_WIDE, actor="operator:sample-fibre", now=land.at)
    land.sees = lambda place, address: UP
    back_at = None
    for looks in (1, 2, 3):
        land.round()
        back_at = back_at or land.at
        clocks.follow(now=land.at + SECOND)
        assert state_of(consent) == (State.CLOSED_WITH_PROOF if looks == 3 else State.WITH_OPERATOR)
    incident = queries.incidents().get(pk=incident.pk)
    assert incident.proof == Proof.LOOKS and incident.back_at == back_at
    (before,) = page.connections_of(incident, [again], land.at + SECOND)
    land.sees = cut_from_outside("203.0.113.24")
    for _look in range(2):
        land.round()
    (after,) = page.connections_of(incident, [again], land.at + SECOND)
    assert before.looks and after.looks == before.looks, "what is seen later is of another one"
    assert after.applied is None, "it is told of now"


def test_finds_out_an_operator_that_says_mended_while_it_is_cut(land: Places) -> None:
    an_operator()
    people.an_officer("Supervisor", role=Role.SUPERVISOR, now=NOW)
    consent = agreed()
    land.sees = cut_from_outside("203.0.113.24")
    land.round()
    clocks.report_measured(now=land.at)
    (incident,) = queries.live()
    there = {"incident": incident, "actor": "operator:sample-fibre"}
    answering.answer(reason=Reason.FAULT, now=land.at, **there)  # type: ignore[arg-type]
    answering.say_mended(now=land.at + SECOND, **there)  # type: ignore[arg-type]
    for _look in range(3):
        assert state_of(consent) == State.RESOLVED
        land.round()
        clocks.follow(now=land.at + SECOND)
    assert state_of(consent) == State.WITH_OPERATOR
    assert queries.incidents().get(pk=incident.pk).unproved_at is not None
    assert incident in queries.late_ones()


def test_does_not_accuse_a_network_of_a_server_that_is_off_and_asks_all_the_same_where_its_holder_does(
    land: Places,
) -> None:
    an_operator()
    consent = agreed()
    others = [agreed(f"203.0.113.{n}") for n in range(30, 34)]
    land.round()
    land.sees = lambda place, address: SILENT if address == "203.0.113.24" else UP
    land.round()
    assert watch.state_of(consent).state == "server_down"  # type: ignore[union-attr]
    assert clocks.report_measured(now=land.at) == 0
    incident = a_report(of(consent), land.at).incident
    assert incident.measured == "server_down" and incident.operator is not None
    assert all(measured.last_of(each.subject, now=land.at).state == "in_order" for each in others)


def test_makes_one_of_all_that_stopped_in_the_same_minute_and_keeps_the_facts(land: Places) -> None:
    an_operator()
    stopped = [agreed(f"203.0.113.{n}") for n in range(30, 34)]
    [agreed(f"198.51.100.{n}", asn=64501) for n in range(40, 44)]
    land.round()
    land.sees = cut_from_outside(*(f"203.0.113.{n}" for n in range(30, 34)))
    land.round()
    land.round()
    clocks.report_measured(now=land.at)
    (incident,) = queries.live()
    assert incident.measured == "this_operator" and len(queries.standing_reports(incident)) == len(stopped)
    mine = of(stopped[0])
    (report,) = queries.reports_of(mine)
    assert queries.others_at(incident, [report]) == len(stopped) - 1
    kept = measured.facts_of(report.subject, NOW, land.at)
    assert [each["verdict"]["state"] for each in kept][-1] == "this_operator"
    assert "203.0.113" not in str(kept)
    packs.ask(incident=incident, registration=mine, now=land.at)
    assert packs.make_due(now=land.at) == 1
    actions.withdraw(report=report, actor="person:x", now=land.at)
    assert queries.incidents().get(pk=incident.pk).state == State.OPEN, "the others are still cut"


def test_is_not_measured_and_is_reported_all_the_same_after_consent_is_withdrawn(land: Places) -> None:
    an_operator()
    consent = agreed()
    land.sees = cut_from_outside("203.0.113.24")
    land.round()
    clocks.report_measured(now=land.at)
    consents.withdraw(feed_id=consent.feed_id, actor="person:x", now=land.at)
    (report,) = Report.objects.all()
    assert measured.looks_since(report.subject, NOW, now=land.at + ROUND) == []
    actions.say_it_works(report=report, actor="person:x", now=land.at + ROUND)
    clocks.follow(now=land.at + ROUND)
    incident = queries.incidents().get(pk=report.incident_id)
    assert (incident.state, incident.proof) == (State.CLOSED_BY_ITSELF, Proof.HOLDERS)


def test_a_report_of_its_holder_asks_for_a_look_before_its_time(land: Places) -> None:
    """Of a person's, which is looked at once an hour otherwise. What only our looks say asks for none."""
    an_operator()
    consent, other = agreed(personal=True), agreed("203.0.113.30", personal=True)
    land.round()
    land.sees = cut_from_outside("203.0.113.24")
    report = a_report(of(consent), land.at + SECOND)
    a_report(of(other), land.at + SECOND, channel=Channel.MEASURED)
    assert report.incident.measured == "in_order"
    assert [land.round(after=SECOND * 10), land.round()] == [0, 1]
    assert watch.state_of(consent).state == "path_blocked"  # type: ignore[union-attr]
    asked = measured.asked_of([consent.subject, other.subject, "entry:nobody"])
    assert [asked[each].looked_at for each in (consent.subject, other.subject)] == [land.at, None]
    assert not asked["entry:nobody"].is_agreed
    # It disputes: once more.
    incident = answering.answer(
        incident=report.incident, reason=Reason.NOTHING_FOUND, actor="operator:sample-fibre", now=land.at
    )
    assert incident.state == State.RESOLVED
    actions.dispute(report=report, words="Still.", actor="person:holder", now=land.at + ROUND * 2)
    assert land.round(after=ROUND * 2) == 1
