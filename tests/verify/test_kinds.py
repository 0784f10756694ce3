"""Each kind of check says who outside reads what by it, and the page about privacy says so."""

import html

import pytest
from django.test import Client
from django.utils.translation import override

from rahdari.policy.shapes import CHECK_KINDS
from rahdari.verify.kinds import KINDS, NOTHING, CheckKind, what_is_seen


class TestTheKinds:
    def test_are_those_for_which_a_policy_can_ask(self) -> None:
        assert set(KINDS) == set(CHECK_KINDS)

    def test_without_its_sentence_does_not_load(self) -> None:
        with pytest.raises(TypeError, match="seen"):
            CheckKind(key="neighbour")  # type: ignore[call-arg]
        with pytest.raises(ValueError, match="neighbour: say what whoever is asked reads"):
            CheckKind(key="neighbour", is_asked=True, seen=NOTHING)

    def test_nobody_reads_anything_of_three_alone(self) -> None:
        assert {key for key, kind in KINDS.items() if not kind.seen} == {"origin", "roster", "documents"}


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_page_about_privacy_says_all_of_it(client: Client, language: str) -> None:
    page = " ".join(html.unescape(client.get("/privacy/", headers={"Accept-Language": language}).text).split())
    with override(language):
        said = what_is_seen()
    assert len(said) == 8
    assert [each for each in said if f"<li>{each}</li>" not in page] == []
    if language == "ur":
        with override("en"):
            assert not set(said) & set(what_is_seen()), "each has its sentence in Urdu"
