"""Each remedy of each code of the policy leads to a page that takes it, or the letter says by which way it goes."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import policy
from rahdari.decide import remedies
from rahdari.letters import queries as letters
from rahdari.policy import PolicyError
from rahdari.register import reference as references

from . import story

RULES = policy.current(None)
ADVERSE = [each for each in RULES.reasons.values() if each.kind in {"refusal", "suspension", "striking_out"}]


@pytest.mark.parametrize("reason", ADVERSE, ids=[each.code for each in ADVERSE])
def test_each_remedy_has_a_way(reason: object) -> None:
    for key in reason.remedies:  # type: ignore[attr-defined]
        way = remedies.WAYS[key]
        if way in {remedies.IN_WRITING, remedies.ELSEWHERE}:
            assert way == remedies.ELSEWHERE or RULES.contact is not None
            continue
        given = {
            "apply:start": [],
            "portal:notice": ["A-2611-2222-2222"],
            "portal:prove_again": [references.make(), uuid.uuid4()],
        }.get(way, [references.make()])
        assert reverse(way, args=given)


@pytest.mark.django_db
def test_a_refusal_names_no_remedy_that_leads_nowhere_and_says_where_an_appeal_goes() -> None:
    applicant = story.a_person()
    case = story.a_refusal(applicant)
    assert RULES.contact is not None
    letter = letters.letters_of(applicant).get(template="application_refused")
    browser = Client()
    browser.force_login(applicant)
    page = browser.get(reverse("portal:refusal", args=[case.application.reference])).text
    for text in (" ".join(letter.text.split()), page):
        assert "in the same file" not in text
        assert RULES.contact.email in text and RULES.contact.post.en in text
        assert "Apply again" in text
    assert reverse("apply:start") in page


def test_production_has_to_say_where_it_is_written_to(tmp_path: object) -> None:
    text = (policy.BUNDLED).read_text()
    start = text.index("[contact]")
    without = text[:start] + text[text.index("[deciding]") :]
    place = tmp_path / "policy.toml"  # type: ignore[operator]
    place.write_text(without.replace("demonstration = true", "demonstration = false", 1))
    with pytest.raises(PolicyError, match="where the authority is written to"):
        policy.load(place)
