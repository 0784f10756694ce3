"""The six hours of 10 November 2024 through the product, small: what `bench/continuity --trial` plays for the docs."""

import pytest

from bench import trial
from bench.trial import ANSWERS, BEGINS, ENDS, MINUTE, ROUND, SILENT, Trial
from rahdari.incident.models import Incident
from rahdari.incident.rules import Proof, State
from rahdari.watch.verdicts import State as Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.whole]


def test_six_hours_are_found_named_escalated_closed_and_told() -> None:
    with trial.networks():
        # No look is lost by chance: one that is begins the row of three anew.
        story = Trial(endpoints=120, seed=1, lost=0).play()
    assert 0 < story.found_in_round <= 3
    assert story.named_rightly >= 98 and story.others == 0
    silent, answering = story.main(SILENT), story.main(ANSWERS)

    def at(incident: Incident, act: str) -> list[float]:
        """In minutes after the filter came."""
        return [(each - BEGINS) / MINUTE for each in story.happened(incident, act)]

    for incident, cut in ((silent, story.cut[SILENT]), (answering, story.cut[ANSWERS])):
        assert incident.measured == Verdict.THIS_OPERATOR and not incident.work
        # All that the operator cut is one incident, from its first look on.
        assert incident.reports.count() == cut
        (opened,) = at(incident, "open")
        assert 0 <= opened < ROUND / MINUTE
        assert at(incident, "escalate") == [opened + 30] and at(incident, "escalate_mend") == [opened + 120]
        # Three looks in a row, a round apart.
        assert incident.ended_at is not None and 2 * ROUND <= incident.ended_at - ENDS <= 6 * ROUND
    assert (answering.state, answering.proof) == (State.CLOSED_WITH_PROOF, Proof.LOOKS)
    assert (silent.state, silent.proof) == (State.CLOSED_BY_ITSELF, Proof.LOOKS), "nobody there ever answered"
    assert story.letters["incident_late"] >= 4
    # What everybody reads: two disruptions of six hours, outside any window, though one was announced elsewhere.
    assert {each.operator.slug for each in story.published} == {"sample-fibre", "example-broadband"}
    assert all(abs(each.lasted - (ENDS - BEGINS)) <= 4 * ROUND and not each.in_window for each in story.published)
    assert "10 November 2024" in story.page and "In an announced window" not in story.page
    reached = {each["operator"]: float(each["reached_percent"]) for each in story.days}
    assert reached["sample-fibre"] < 75 and reached["placeholder-net"] == 100
    assert len(trial.table(story)) == 13
