"""Announced work: in its window nobody is alarmed; what is not over in it is an incident by itself."""

import datetime as dt

import pytest

from rahdari.incident import answering, clocks, queries
from rahdari.incident.models import Incident
from rahdari.incident.rules import Reason, State
from rahdari.letters.models import Letter
from rahdari.maintenance import actions as maintenance
from rahdari.people.models import Role
from tests.builders import people
from tests.builders.incidents import a_report
from tests.builders.planned_work import DAY, HOUR, NOW, a_network, announced
from tests.builders.publishing import entered

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def asked() -> int:
    return Letter.objects.filter(template="incident_asked").count()


def test_a_report_in_the_window_alarms_nobody_before_the_window_is_over() -> None:
    operator = a_network()
    people.with_post(people.a_person("desk"), Role.OPERATOR, operator="sample-fibre")
    holder = people.a_person("holder").holder_ref
    registration = entered("203.0.113.41/32", now=NOW - DAY, holder=holder)
    work = announced(operator)
    assert work.starts_at is not None and work.ends_at is not None
    incident = a_report(registration, work.starts_at + MINUTE).incident
    assert (incident.work, incident.muted_until) == (work.reference, work.ends_at) and asked() == 0
    assert incident.answer_due_at == work.ends_at + 30 * MINUTE
    told = " ".join(Letter.objects.get(template="incident_reported").text.split())
    assert "it is asked if the connection is still cut then" in told and "was asked" not in told
    clocks.follow(now=work.ends_at - MINUTE)
    assert asked() == 0
    clocks.follow(now=work.ends_at)
    incident = queries.incidents().get(pk=incident.pk)
    assert asked() == 1 and incident.overran_at == work.ends_at and incident.muted_until is None
    assert clocks.report_overruns(now=work.ends_at + MINUTE) == 0, "there is one of this work"


def test_the_window_of_one_operator_keeps_no_other_one_from_being_asked() -> None:
    operator, other = a_network(), a_network("other-fibre", asns=(64501,))
    people.with_post(people.a_person("desk"), Role.OPERATOR, operator=other.slug)
    registration = entered("203.0.113.41/32", now=NOW - DAY)
    work = announced(operator)
    assert work.starts_at is not None
    now = work.starts_at + MINUTE
    incident = a_report(registration, now).incident
    answering.answer(incident=incident, reason=Reason.NOT_OURS, actor="person:1", now=now)
    incident = answering.assign(incident=incident, operator=other, actor="officer:1", now=now + MINUTE)
    assert asked() == 1 and (incident.muted_until, incident.work) == (None, "")
    assert incident.answer_due_at == now + 31 * MINUTE


def test_work_that_is_not_over_in_its_window_is_one_by_itself_until_it_is() -> None:
    operator = a_network()
    entered("203.0.113.41/32", now=NOW - DAY)
    work, nobodys = announced(operator), announced(operator, "198.51.100.0/24")
    assert work.ends_at is not None
    assert clocks.report_overruns(now=work.ends_at - MINUTE) == 0
    assert clocks.report_overruns(now=work.ends_at + MINUTE) == 1
    (incident,) = queries.live_of_operator(operator)
    assert incident.work == work.reference != nobodys.reference and incident.began_at == work.ends_at
    clocks.follow(now=work.ends_at + 2 * MINUTE)
    assert Incident.objects.get().state == State.OPEN
    maintenance.complete(work=work, by="person:1", now=work.ends_at + HOUR)
    clocks.follow(now=work.ends_at + HOUR + MINUTE)
    assert Incident.objects.get().state == State.CLOSED_BY_ITSELF
