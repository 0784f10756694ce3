"""What is counted each month, read from `definitions.toml`. Pure: no database and no Django.

A cell is named `figure.part`; `figure.all` is its total, unless the parts come to a cell of another one (`is_total`).
So the same number is one cell, wherever it is told, and one attack sees all sums at once.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rahdari import optional

from .protection import Sum

FILE = Path(__file__).with_name("definitions.toml")
ALL, OTHER = "all", "other"


@dataclass(frozen=True)
class Words:
    en: str
    ur: str

    def in_language(self, language: str) -> str:
        return self.ur if language.startswith("ur") else self.en


# Of cells that no definition names a part for.
TOTAL = Words("All", "سب")


@dataclass(frozen=True)
class Figure:
    """One figure. `parts` in the order in which they are shown; where `parts_from` is given they come from the policy
    in force (service, refusal) or from the operators of the register. `sql` tells numbers or, if `of` names the figure
    of what it is a time, times. `room`: without this room there is no such figure."""

    id: str
    version: int
    title: Words
    words: Words
    unit: Words
    denominator: Words
    sql: str
    parts: Mapping[str, Words] = field(default_factory=dict)
    parts_from: str = ""
    is_total: str = ""
    measure: str = "number"
    of: str = ""
    changed: str = ""
    erased: str = ""
    room: str = ""

    @property
    def total(self) -> str:
        """The name of the cell to which its parts come."""
        return self.is_total or f"{self.id}.{ALL}"

    @property
    def is_time(self) -> bool:
        return self.measure == "time"

    @property
    def sql_shown(self) -> str:
        return self.sql.strip().replace("%%", "%")

    def cell(self, part: str) -> str:
        return self.total if part == ALL else f"{self.id}.{part}"


@dataclass(frozen=True)
class Definitions:
    published_on: int
    figures: Mapping[str, Figure]

    def together_with(self, id: str) -> frozenset[str]:
        """The figures whose cells are bound to those of this one by a sum, or that are times of these: what is
        published of one says something of the others."""
        linked = [{each.id, each.is_total.partition(".")[0] or each.of or each.id} for each in self.figures.values()]
        found = {id}
        while more := {other for pair in linked if pair & found for other in pair} - found:
            found |= more
        return frozenset(found)

    def groups(self) -> Iterator[frozenset[str]]:
        """All figures, those together that are bound together."""
        seen: set[str] = set()
        for id in self.figures:
            if id not in seen:
                yield (group := self.together_with(id))
                seen |= group


def sums(figures: Mapping[str, Figure], parts: Mapping[str, tuple[str, ...]]) -> list[Sum]:
    """Of figures with these parts each."""
    return [Sum(figures[id].total, tuple(figures[id].cell(part) for part in own)) for id, own in parts.items() if own]


@cache
def load() -> Definitions:
    """Those of the rooms that are here. Raises KeyError or TypeError for a definition that lacks something or has too
    much."""
    read, left_out = tomllib.loads(FILE.read_text(encoding="utf-8")), optional.left_out()
    every = (_figure(each) for each in read["figure"])
    found = {each.id: each for each in every if each.room not in left_out}
    for each in found.values():
        if each.is_total and each.is_total.partition(".")[0] not in found:
            raise KeyError(each.is_total)
    return Definitions(read["published_on"], found)


def _figure(read: dict[str, object]) -> Figure:
    for key in ("title", "words", "unit", "denominator"):
        read[key] = Words(**read[key])  # type: ignore[arg-type]
    parts: dict[str, dict[str, str]] = read.pop("parts", {})  # type: ignore[assignment]
    return Figure(parts={key: Words(**words) for key, words in parts.items()}, **read)  # type: ignore[arg-type]
