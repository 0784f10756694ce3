"""What is published of a day: of many endpoints, of what was reached and cut, and once."""

import datetime as dt

import pytest

from rahdari.watch import daily
from rahdari.watch.models import Conclusion, Consent, Day, Measured, SeenFacts
from rahdari.watch.verdicts import RULES_VERSION, State

from .places import NOW, agreed

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
START = NOW.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
END = START + 24 * HOUR
ALL = {"": None}


def stood(consent: Consent, *states: tuple[dt.datetime, State]) -> None:
    for at, state in states:
        seen = SeenFacts.objects.create(consent=consent, at=at, facts={})
        Conclusion.objects.create(seen=seen, version=RULES_VERSION, state=state, rule="sample", verdict={})


def people(count: int, *, asn: int = 64500) -> list[Consent]:
    found = [agreed(f"203.0.113.{100 + n}" if asn == 64500 else f"198.51.100.{n + 1}", asn=asn) for n in range(count)]
    for each in found:
        stood(each, (START - 30 * HOUR, State.IN_ORDER))
    return found


@pytest.fixture(autouse=True)
def _measured_without_a_gap() -> None:
    Measured.objects.create(began_at=START - 48 * HOUR, last_at=END + HOUR)


def day(groups: dict[str, list[int] | None] | None = None, group: str = "") -> tuple[int, int | None]:
    daily.count(START.date(), START, END, ALL if groups is None else groups)
    found = Day.objects.get(date=START.date(), group=group)
    return found.endpoints, found.reached


def test_says_nothing_of_few_endpoints() -> None:
    for each in people(9):
        stood(each, (START, State.THIS_OPERATOR))
    assert day() == (0, None)


def test_judges_nobody_by_two_holders_and_says_of_three_how_long() -> None:
    cut = people(10)
    for each in cut[:2]:
        stood(each, (START, State.PATH_BLOCKED))
    assert day() == (10, 1000)
    Day.objects.all().delete()
    # 12 of 24 hours, of one in ten; two all day long.
    stood(cut[2], (START + 6 * HOUR, State.THIS_OPERATOR), (START + 18 * HOUR, State.IMPAIRED))
    assert day() == (10, round(1000 * (7 * 24 + 12) / 240))


def test_many_servers_of_one_holder_judge_nobody_either() -> None:
    found = people(10)
    for each in found[:4]:
        stood(each, (START, State.THIS_OPERATOR))
    Consent.objects.filter(pk__in=[each.pk for each in found[:4]]).update(holder=found[0].holder)
    assert day() == (10, 1000)


def test_a_server_that_is_down_and_what_nobody_knows_do_not_count() -> None:
    found = people(13)
    for each in found[:3]:
        stood(each, (START, State.SERVER_DOWN))
    assert day() == (10, 1000)
    Day.objects.all().delete()
    for each in found[3:6]:
        stood(each, (START, State.THIS_OPERATOR), (START + 12 * HOUR, State.NOT_ENOUGH))
    assert day() == (10, round(1000 * (7 * 24) / (7 * 24 + 36)))


def test_counts_only_where_we_measured() -> None:
    """We were away in half of the time for which they were cut, and saw nothing in another hour."""
    for each in people(10)[:3]:
        stood(each, (START + 12 * HOUR, State.PATH_BLOCKED))
    Measured.objects.all().delete()
    Measured.objects.create(began_at=START - HOUR, last_at=START + 18 * HOUR - daily.APART)
    Measured.objects.create(began_at=START + 4 * HOUR, last_at=START + 5 * HOUR, failed=True)
    reached = 7 * 17 + 3 * 11
    assert day() == (10, round(1000 * reached / (reached + 3 * 6)))


def test_is_counted_once_for_each_group() -> None:
    cut = people(10)
    people(10, asn=64501)
    for each in cut:
        stood(each, (START, State.THIS_OPERATOR))
    groups: dict[str, list[int] | None] = {"": None, "one": [64500], "other": [64501], "both": [64500, 64501]}
    assert [day(groups, name) for name in groups] == [(20, 500), (10, 0), (10, 1000), (20, 500)]
    for each in cut:
        stood(each, (START + HOUR, State.IN_ORDER))
    assert day(groups, "one") == (10, 0)


def test_a_rescored_conclusion_counts_by_its_newest_version() -> None:
    for each in people(10)[:3]:
        stood(each, (START, State.PATH_BLOCKED))
    for seen in SeenFacts.objects.filter(at=START):
        Conclusion.objects.create(
            seen=seen, version=RULES_VERSION + 1, state=State.SERVER_DOWN, rule="sample", verdict={}
        )
    # Three of ten are out of it, and seven are too few.
    assert day() == (0, None)
