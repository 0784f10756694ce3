"""The pages of planned changes in Chromium, fetched first: axe finds nothing, nothing scrolls sideways at 360 px."""

from collections.abc import Iterator

import pytest

from rahdari.people.models import User
from tests.in_browser import faults_on_a_small_phone

from .test_planned_changes import desk as desk
from .test_planned_changes import sent

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
DEFAULT = """table inet f {
    chain f {
        type filter hook forward priority 0; policy drop;
        ct state established accept
        ip daddr 192.0.2.64/26 accept
    }
}
"""
NAMED = "off 192.0.2.0/28\nlimit 2001:db8:7::/64\noff 192.0.2.96/27\nvpn.example\nfoo 192.0.2.1\n192.0.2.1 udp 70000\n"


def pages_of(desk: User, language: str) -> Iterator[tuple[str, str]]:
    yield "planned-changes-error", sent(desk, language=language).text
    yield "planned-change", sent(desk, NAMED, language=language).text
    yield "planned-change-by-default", sent(desk, DEFAULT, language=language).text
    yield "planned-change-nobody", sent(desk, "203.0.113.0/24\n", language=language).text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pages_have_nothing_for_axe_to_find_and_fit_a_small_phone(desk: User, language: str) -> None:
    assert faults_on_a_small_phone(pages_of(desk, language), language) == []
