"""Errors say what they are about, in a sentence made of their fields, and survive the way from process to process."""

import importlib
import pickle
import string
from collections.abc import Iterator
from dataclasses import fields

from rahdari.errors import RahdariError

from . import house


class Sample(RahdariError):
    says = "{number} of {thing.real!r} are too many"
    number: int
    thing: int = 5


def errors(base: type[RahdariError] = RahdariError) -> Iterator[type[RahdariError]]:
    for each in base.__subclasses__():
        yield each
        yield from errors(each)


def places(says: str) -> set[str]:
    return {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(says) if name is not None}


def test_the_sentence_of_each_has_places_for_its_fields_alone() -> None:
    for path in house.PACKAGE.rglob("*.py"):
        if "RahdariError" in path.read_text(encoding="utf-8") and "migrations" not in path.parts:
            parts = path.relative_to(house.PACKAGE).with_suffix("").parts
            importlib.import_module(".".join(["rahdari", *parts]).removesuffix(".__init__"))
    found = {each.__qualname__: places(each.says) - {one.name for one in fields(each)} for each in set(errors())}
    assert len(found) > 100
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert places("{case} is {standing.status!r}") == {"case", "standing"}


def test_one_is_the_same_in_another_process() -> None:
    there = pickle.loads(pickle.dumps(Sample(number=3)))
    assert (str(there), there.number, there.thing) == ("3 of 5 are too many", 3, 5)
