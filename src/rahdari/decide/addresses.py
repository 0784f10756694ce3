"""The addresses of one case, each with its checks, by what was found: what failed stands in front.

A few addresses are shown whole on the page of the case. Many have pages of their own, and a table.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import unescape

from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from rahdari.address import vpn
from rahdari.apply import queries as applications
from rahdari.apply.models import Endpoint
from rahdari.checks import words as findings
from rahdari.checks.models import Check
from rahdari.tables import csv_tables as spreadsheets

# So many are still read one by one.
FEW = 5
# Of many, so many stand on the page of the case.
SHOWN = 20
A_PAGE = 50


class Group(StrEnum):
    FAILED = "failed"
    WAITING = "waiting"
    PASSED = "passed"


GROUPS = (Group.FAILED, Group.WAITING, Group.PASSED)


def tone_of(check: Check) -> str:
    """An optional check that did not pass is in nobody's way."""
    if check.outcome == "failed" and not check.required:
        return "off"
    return {"passed": "ok", "failed": "bad"}.get(str(check.outcome), "wait")


def tones_of(found: Iterable[Check], counting: Iterable[Check]) -> dict[uuid.UUID, str]:
    """Of all checks of an application. A failed one that another stands in for is in nobody's way either."""
    counts = {check.pk for check in counting}
    tones = {check.pk: tone_of(check) for check in found}
    return {key: "off" if tone == "bad" and key not in counts else tone for key, tone in tones.items()}


def group_of(tones: Iterable[str]) -> Group:
    """What is found of an address: one failure is a failure, and what waits is open."""
    found = set(tones)
    if "bad" in found:
        return Group.FAILED
    return Group.WAITING if "wait" in found else Group.PASSED


@dataclass(frozen=True)
class Address:
    endpoint: Endpoint
    checks: tuple[Check, ...]
    language: str

    @property
    def group(self) -> Group:
        return group_of(map(tone_of, self.checks))

    @property
    def runs(self) -> object:
        return applications.what_runs_at(self.endpoint)

    @property
    def passed(self) -> int:
        return sum(tone_of(check) == "ok" for check in self.checks)

    @property
    def others(self) -> list[tuple[str, str]]:
        """The checks that did not pass: tone and title."""
        return [(tone, self.title(check)) for check in self.checks if (tone := tone_of(check)) != "ok"]

    def title(self, check: Check) -> str:
        return findings.title_of(check, self.language)


@dataclass(frozen=True)
class ShownGroup:
    """Those of one group: all of them counted, the first of them shown."""

    name: Group
    total: int
    rows: Sequence[Address]

    @property
    def has_more(self) -> bool:
        return self.total > len(self.rows)


def in_order(endpoints: Sequence[Endpoint], checks: Sequence[Check], language: str) -> list[Address]:
    """What failed, then what waits, then what passed; within each as the applicant has them."""
    by_target: dict[str, list[Check]] = {}
    for check in checks:
        by_target.setdefault(check.target, []).append(check)
    found = [Address(each, tuple(by_target.get(each.subject, ())), language) for each in endpoints]
    return sorted(found, key=lambda address: GROUPS.index(address.group))


def first_of(addresses: Sequence[Address], most: int = SHOWN) -> list[ShownGroup]:
    """The groups that there are, with `most` rows in all."""
    shown = addresses[:most]
    groups = (
        ShownGroup(name, sum(each.group == name for each in addresses), [each for each in shown if each.group == name])
        for name in GROUPS
    )
    return [group for group in groups if group.total]


def fitting(addresses: Iterable[Address], *, group: str, q: str) -> list[Address]:
    """Those of a group (of any, when it is none of ours) whose address has this in it. What the holder calls them is
    shown to nobody else, and so it is not searched."""
    wanted = q.casefold()
    return [
        each
        for each in addresses
        if (each.group == group or group not in GROUPS) and wanted in each.endpoint.address_text.casefold()
    ]


@dataclass(frozen=True)
class OpenKind:
    """A kind of check that has not passed for so many addresses."""

    kind: str
    title: str
    count: int


def open_kinds(addresses: Iterable[Address]) -> list[OpenKind]:
    found: dict[str, OpenKind] = {}
    for each in addresses:
        for check in each.checks:
            if tone_of(check) in ("bad", "wait"):
                before = found[check.kind].count if check.kind in found else 0
                found[check.kind] = OpenKind(check.kind, each.title(check), before + 1)
    return list(found.values())


def table(addresses: Sequence[Address]) -> str:
    """All of them for a spreadsheet: a column for each check, and what was found where one did not pass."""
    kinds = list(dict.fromkeys((check.kind, each.title(check)) for each in addresses for check in each.checks))
    heading = [_("Address"), _("Protocol"), _("Port"), _("Operator")]
    heading += [title for _kind, title in kinds] + [_("What was found")]
    said = {"ok": _("Passed"), "bad": _("Failed"), "off": _("Failed"), "wait": _("Waiting")}

    def cells(each: Address) -> list[str]:
        endpoint = each.endpoint
        by_kind = {check.kind: check for check in each.checks}
        told = [plain(findings.of_check(check)) for check in each.checks if tone_of(check) != "ok"]
        return [
            endpoint.address_text,
            *vpn.in_columns(endpoint.parts),
            endpoint.operator_name,
            *(said[tone_of(by_kind[kind])] if kind in by_kind else "" for kind, _title in kinds),
            " ".join(told),
        ]

    return spreadsheets.write_table(heading, map(cells, addresses))


def plain(sentence: str) -> str:
    """A sentence of ours without its marks for pages: in a table it is copied."""
    return unescape(strip_tags(sentence))
