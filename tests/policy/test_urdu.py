"""The Urdu of the policy is held to the same mechanical rules as every page."""

from collections.abc import Iterator
from typing import Any

import pytest

from rahdari.policy import SHIPPED, load
from tests import urdu


def texts(value: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        if set(value) == {"en", "ur"}:
            yield place, value["en"], value["ur"]
            return
        for key, item in value.items():
            yield from texts(item, f"{place}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from texts(item, f"{place}.{at}")


@pytest.mark.parametrize("name", SHIPPED)
class TestTheShippedTexts:
    def test_keep_the_rules_of_urdu(self, name: str) -> None:
        found = [
            f"{place}: {problem.words}"
            for place, _, ur in texts(load(SHIPPED[name]).source)
            for problem in urdu.text_problems(ur)
        ]
        assert found == []

    def test_end_as_the_english_does(self, name: str) -> None:
        for place, en, ur in texts(load(SHIPPED[name]).source):
            assert en.rstrip().endswith(".") == ur.rstrip().endswith("۔"), place
