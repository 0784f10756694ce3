"""Figures of incidents that ended, with their floors; and what is left of one when its time of keeping is over."""

import pytest

from rahdari.archive.actions import Box
from rahdari.incident import actions, answering, clocks, erasing, figures, packs, queries
from rahdari.incident.models import Happening, Incident, Pack, Report
from rahdari.incident.rules import Reason
from rahdari.vault import files
from tests.builders.incidents import a_report
from tests.builders.publishing import an_operator

from .test_incidents import DAY, HOLDER, HOUR, MINUTE, NOW, THERE, held

pytestmark = pytest.mark.django_db


def mended(address: str, *, minutes: int, asn: int = 64500) -> Incident:
    report = a_report(held(f"{address}/32", asn=asn), NOW)
    answering.answer(incident=report.incident, reason=Reason.POWER, actor=THERE, now=NOW + MINUTE)
    actions.say_it_works(report=report, actor=HOLDER, now=NOW + minutes * MINUTE)
    clocks.follow(now=NOW + minutes * MINUTE)
    return queries.incidents().get(pk=report.incident_id)


def test_say_how_long_and_why_and_nothing_of_an_operator_with_few_holders() -> None:
    an_operator()
    an_operator("small-net", asns=[64501])
    for place in range(5):
        mended(f"203.0.113.{40 + place}", minutes=10 * (place + 1))
    mended("198.51.100.9", minutes=10, asn=64501)
    told = figures.of_all(NOW - DAY, NOW + DAY)
    assert (told.incidents, told.connections, told.proved_by_holders, told.minutes) == (6, 6, 6, 25)
    assert told.by_reason == {"power": 6} and told.mended_in_time == 6
    by = {each.slug: each.told for each in figures.by_operator(NOW - DAY, NOW + DAY)}
    assert by["small-net"] is None and by["sample-fibre"] is not None and by["sample-fibre"].incidents == 5
    assert figures.of_all(NOW + DAY, NOW + 2 * DAY).incidents == 0


def test_of_one_whose_time_is_over_is_left_what_it_was_and_of_nobody() -> None:
    an_operator()
    incident = mended("203.0.113.41", minutes=5)
    packs.make_due(now=NOW + HOUR)
    pack = Pack.objects.get()
    assert list(queries.to_erase(NOW + 2 * HOUR)) == [incident] and not queries.to_erase(NOW - HOUR)
    erasing.erase(incident, Box("incident", now=NOW + DAY), NOW + DAY)
    report, left = Report.objects.get(), Incident.objects.get()
    assert (report.holder, report.registration, report.block, report.subject, report.runs) == (None, None, None, "", "")
    assert not any(each.words for each in Happening.objects.all())
    with pytest.raises(files.FileMissing):
        packs.content_of(pack, "evidence")
    assert (left.reason, left.state) == (incident.reason, incident.state) and left.erased_at is not None
    assert figures.of_all(NOW - DAY, NOW + DAY).connections == 1
    assert not queries.to_erase(NOW + 2 * DAY)
