"""The pages of second looks in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest

from rahdari.people.models import User
from tests.builders.cases import an_officer
from tests.decide.test_views import signed_in
from tests.in_browser import faults_on_a_small_phone

from .looks import DRAWN, by_officer, by_rule, drawn, looked, taken
from .test_pages import LIST, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]


def pages_of(officer: User, second: User, supervisor: User, language: str) -> Iterator[tuple[str, str]]:
    def text(person: User, address: str, **given: str) -> str:
        browser = signed_in(person, language)
        return (browser.post(address, given) if given else browser.get(address)).content.decode()

    drawn(by_officer(officer))
    yield "list", text(second, LIST)
    yield "queue", text(second, "/desk/")
    look = taken(second)
    yield "file", text(second, page_of(look))
    yield "file-error", text(second, page_of(look), because="")
    yield "file-error-refuse", text(second, page_of(look), verdict="refuse", because="")
    yield "file-error-leave", text(second, page_of(look, "leave"), conflict="")
    looked(second, "refuse", "R3")
    yield "outcome", text(second, page_of(look))
    yield "list-of-a-supervisor", text(supervisor, LIST)
    yield "disagreement", text(supervisor, page_of(look, "disagreement"))
    yield "disagreement-error", text(supervisor, page_of(look, "disagreement"), because="")
    drawn(by_rule())
    looked(second)
    yield "figures", text(an_officer("Officer E"), "/status/")


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(
    officer: User, second: User, supervisor: User, language: str, time_machine: object
) -> None:
    time_machine.move_to(DRAWN, tick=False)  # type: ignore[attr-defined]
    assert faults_on_a_small_phone(pages_of(officer, second, supervisor, language), language) == []
