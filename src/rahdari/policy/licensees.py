"""Providers that hold a licence: as values, and as a list of them is read.

A policy may begin with such a list; the room `licensees` keeps those that follow it, in the same form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .clock import Allowance
from .reading import Section
from .shapes import Text

# Whether a rule of a licence is in force, was only reported, or stands in a draft.
GROUNDS = ("in_force", "reported", "draft")
UNITS = ("days", "months", "years")
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Term:
    """What a licence demands of its provider, or has it record, and who says so. `keep`: how long what is recorded is
    kept; None where no source says. `valid_from`: its first day, where it was told before; None: it counts now."""

    text: Text
    ground: str
    source: Text
    link: str
    keep: Allowance | None = None
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """A kind of licence. Without `records` no source names what it has a provider record. `why`, `turn_to` and
    `at_once` are those of a `Licensee`, where its terms become harder."""

    key: str
    title: Text
    conditions: tuple[Term, ...]
    records: tuple[Term, ...]
    why: Text | None = None
    turn_to: Text | None = None
    at_once: Text | None = None


@dataclass(frozen=True, slots=True)
class Licensee:
    """A provider, as it was reported, when and by whom. `valid_from` is None where that was not reported,
    `valid_until`, its last day, where no end is known.

    What goes against its users says `why` and where they `turn_to`, and `at_once` why they have less notice than
    others, if they have.
    """

    key: str
    name: str
    product: str
    licence: str
    reported_on: date
    reported_by: Text
    link: str
    valid_from: date | None
    valid_until: date | None
    why: Text | None
    turn_to: Text | None
    at_once: Text | None


@dataclass(frozen=True, slots=True)
class Licensees:
    """Providers that hold a licence. `own_list`: the regulator's own, and not what others reported."""

    as_of: date
    reported: int
    own_list: bool
    # What is told of their users, with who says so. None: nobody knows.
    users: Text | None
    licences: Mapping[str, Licence]
    providers: tuple[Licensee, ...]

    def provider(self, key: str) -> Licensee | None:
        return next((each for each in self.providers if each.key == key), None)


def licensees_from(section: Section) -> Licensees:
    licences = {key: _licence(key, each) for key, each in section.section("licences").sections()}
    own_list = section.yes("own_list")
    found = Licensees(
        as_of=section.day("as_of") or date.min,
        reported=section.whole("reported"),
        own_list=own_list,
        users=section.text("users", optional=True),
        licences=licences,
        providers=tuple(_licensee(row, licences, own_list=own_list) for row in section.rows("providers")),
    )
    keys: set[str] = set()
    for at, one in enumerate(found.providers):
        if one.key in keys:
            section.faults.add((*section.path, "providers", str(at), "key"), f"{one.key!r} stands twice in this list.")
        keys.add(one.key)
    if own_list and found.reported != len(found.providers):
        section.fault("The regulator's own list names every licensee: the number must be that of the rows.", "reported")
    section.done()
    return found


def _licence(key: str, section: Section) -> Licence:
    found = Licence(
        key=key,
        title=section.both("title"),
        conditions=tuple(_term(row) for row in section.rows("conditions")),
        records=tuple(_term(row, records=True) for row in section.rows("records")),
        **_told(section),
    )
    section.done()
    return found


def _term(row: Section, *, records: bool = False) -> Term:
    keep = None
    if records and row.has("keep"):
        inner = row.section("keep")
        length, unit = inner.whole("length", least=1), inner.choice("unit", UNITS)
        keep = Allowance(length, {"days": "calendar_days"}.get(unit, unit))
        inner.done()
    found = Term(
        text=row.both("text"),
        ground=row.choice("ground", GROUNDS),
        source=row.both("source"),
        link=_link(row),
        keep=keep,
        valid_from=row.day("valid_from") if row.has("valid_from") else None,
    )
    row.done()
    return found


def _told(section: Section) -> dict[str, Text | None]:
    return {name: section.text(name, optional=True) for name in ("why", "turn_to", "at_once")}


def _licensee(row: Section, licences: Mapping[str, Licence], *, own_list: bool) -> Licensee:
    found = Licensee(
        key=row.string("key"),
        name=row.string("name", filled=True),
        product=row.string("product", ""),
        licence=row.string("licence"),
        reported_on=row.day("reported_on") or date.min,
        reported_by=row.both("reported_by"),
        link=_link(row, optional=True),
        valid_from=row.day("valid_from") if row.has("valid_from") or own_list else None,
        valid_until=row.day("valid_until") if row.has("valid_until") else None,
        **_told(row),
    )
    if row.has("key") and not _KEY.fullmatch(found.key):
        row.fault('A key is of small letters, digits and hyphens, like "example-provider-one".', "key")
    if row.has("licence") and found.licence not in licences:
        row.fault(
            f"No licence {found.licence!r} is described here: add [licensees.licences.{found.licence}].", "licence"
        )
    if found.valid_until is not None and found.valid_from is not None and found.valid_until < found.valid_from:
        row.fault("It ends before it begins: one of both days is wrong.", "valid_until")
    row.done()
    return found


def _link(row: Section, *, optional: bool = False) -> str:
    link = row.string("link", "" if optional else None)
    if link and not re.fullmatch(r"https?://\S+", link):
        row.fault("This must be an address of a page, like https://authority.example/notice.", "link")
    return link
