"""What a draft would have changed of past cases stands beside it, and small numbers are protected."""

import re

import pytest

from rahdari.consult import actions, queries
from rahdari.consult.models import Version
from rahdari.decide.replay import Moved, Replay, Way
from rahdari.workflow.draft_effects import numbers_of, replay_drafts
from tests import clock
from tests.builders.cases import a_decided_application
from tests.builders.consultations import DAY, OFFICER, a_draft, a_key, policy_text, text_of
from tests.builders.shared import known_networks

from .test_pages import at, visitor

NOW = clock.begins()


def moved(was: Way, would_be: Way, count: int) -> list[Moved]:
    return [Moved("A-1", "vpn_freelancer", NOW, was, would_be, (), "granted") for _ in range(count)]


class TestNumbers:
    def test_of_few_are_not_shown_and_the_others_are_rounded(self) -> None:
        found = Replay(cases=403, same=380, unknown=2)
        found.moved = moved(Way.AT_ONCE, Way.OFFICER, 4) + moved(Way.OFFICER, Way.AT_ONCE, 17)
        numbers = numbers_of(found, 5)
        assert (numbers["cases"], numbers["otherwise"], numbers["unknown"]) == (405, 20, None)
        assert numbers["moved"] == [
            {"was": "at_once", "would_be": "officer", "worse": True, "count": None},
            {"was": "officer", "would_be": "at_once", "worse": False, "count": 15},
        ]


@pytest.mark.django_db
def test_a_version_is_tried_once_and_its_page_says_it() -> None:
    with known_networks():
        decided = a_decided_application(now=NOW - DAY)
    text = re.sub(r"(?m)^open = true$", "open = false", policy_text("closed"))
    version = actions.publish(text=text_of(a_key()), policy_text=text, after=0, actor=OFFICER, now=NOW)
    # Days before it was published it is not there, and not asked about: a demonstration tells days that are past.
    assert replay_drafts(now=NOW - DAY) == 0
    assert version in queries.versions_to_replay(NOW)
    while replay_drafts(now=NOW):
        pass
    assert Version.objects.get(pk=version.pk).replayed_at == NOW
    kept = Version.objects.get(pk=version.pk).replayed
    assert kept is not None and kept["otherwise"] is None
    assert [(each["would_be"], each["worse"]) for each in kept["moved"]] == [("not_taken", True)]
    page = visitor().get(at("consultation", version.draft)).text
    assert "Fewer than 5 past cases would be handled differently" in page
    assert decided.reference not in page
    assert "Fewer than 5 cases were decided in that year. None of them was left out." in page
    assert "Times, fees and words are not." in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("found", "said", "not_said"),
    [
        (Replay(cases=0), ["There is no past case to compare"], "decided in that year"),
        (
            Replay(cases=403, same=401, unknown=2),
            ["No past case would have been decided otherwise", "About 405 cases", "Fewer than 5 of them were left out"],
            "handled differently",
        ),
        (Replay(cases=403, same=383, unknown=20), ["About 20 of them were left out"], "None of them"),
    ],
)
def test_a_page_says_how_many_cases_were_compared_and_left_out(found: Replay, said: list[str], not_said: str) -> None:
    version = a_draft()
    version.replayed, version.replayed_at = numbers_of(found, 5), NOW
    version.save(update_fields=["replayed", "replayed_at"])
    page = visitor().get(at("consultation", version.draft)).text
    assert [each for each in said if each not in page] == [] and not_said not in page
