"""What a draft would have changed of past cases stands beside it, and small numbers are protected."""

import re

import pytest
from django.utils import timezone

from rahdari.consult import actions, queries
from rahdari.consult.models import Version
from rahdari.decide.replay import Moved, Replay, Way
from rahdari.workflow.draft_effects import numbers_of, replay_drafts
from tests.builders.cases import a_decided_application
from tests.builders.consultations import OFFICER, a_key, policy_text, text_of
from tests.builders.shared import known_networks

from .test_pages import at, visitor

NOW = timezone.now()


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
        a_decided_application()
    text = re.sub(r"(?m)^open = true$", "open = false", policy_text("closed"))
    version = actions.publish(text=text_of(a_key()), policy_text=text, after=0, actor=OFFICER, now=NOW)
    assert version in queries.versions_to_replay()
    while replay_drafts(now=NOW):
        pass
    kept = Version.objects.get(pk=version.pk).replayed
    assert kept is not None and kept["otherwise"] is None
    assert [(each["would_be"], each["worse"]) for each in kept["moved"]] == [("not_taken", True)]
    page = visitor().get(at("consultation", version.draft)).text
    assert "Fewer than 5 past cases would be handled differently" in page and "A-26" not in page
