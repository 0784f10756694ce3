"""How registrations go on: renewal and what is kept for it, addresses that change by themselves or by the holder.

What was frozen before these parts of the file existed has none of them, and gets what they say here.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from .clock import Allowance
from .left_out import words
from .reading import BASES, Section
from .retention import (
    APPEAL,
    BY_CLOCK,
    DAYS,
    ERASED_BY,
    NOT_BEFORE_AN_APPEAL,
    OF_ROOMS,
    WITH_THE_CASE,
    Renewal,
    Retention,
    by_clock,
)
from .shapes import ChangeRules, DyndnsRules

DEFAULT: Mapping[str, Any] = {
    "dyndns": {
        "length": {"length": 26, "unit": "hours"},
        "grace": {"length": 3, "unit": "days"},
        "overlap": {"length": 10, "unit": "minutes"},
        "rival_wait": {"length": 30, "unit": "minutes"},
        "updates_kept": {"length": 7, "unit": "days"},
        "change_every_seconds": 30,
        "change_burst": 5,
    },
    "change": {"overlap": {"length": 7, "unit": "days"}},
}
# A router is switched off for a night, and a client repeats itself after a day: a report is valid for longer than both.
SHORTEST_REPORT = timedelta(hours=2)
LONGEST_REPORT = timedelta(days=35)
LONGEST_OVERLAP = timedelta(hours=24)
SHORTEST_GRACE = timedelta(hours=12)
# What an officer entered for somebody is void after it, whatever a policy says.
LONGEST_ENTRY = timedelta(days=3)


def _part(root: Section, key: str) -> Section:
    return root.section(key) if root.has(key) else Section(DEFAULT[key], (key,), root.faults)


# How many days a length in these units comes to at the least; what counts by the office's week is made good per case.
IN_DAYS = {"minutes": 1 / 1440, "hours": 1 / 24, "working_hours": 1 / 8, "months": 30}


def in_days(allowance: Allowance) -> timedelta:
    return timedelta(days=allowance.length * IN_DAYS.get(allowance.unit, 1))


# Of a file that was frozen before drafts of rules were commented on here.
COMMENT_ADDRESS = Retention(
    key="comment_address",
    after="comment_over",
    keep="180 days",
    archive_class="D",
    consent_ref="",
    without_consent="erase",
    basis="proposal",
    note="Held to write to people who commented, not received: no record.",
)


def retention_of(root: Section) -> dict[str, Retention]:
    """Before an application that came to nothing, and a complaint, had rows of their own, they were kept as long as any
    other file, counted from their own end."""
    rows = {key: _retention(key, section) for key, section in root.section("retention").sections()}
    if "case" in rows and "came_to_nothing" not in rows:
        rows["came_to_nothing"] = replace(rows["case"], key="came_to_nothing")
    if "case" in rows and "misuse_report" not in rows:
        rows["misuse_report"] = replace(rows["case"], key="misuse_report", after="closed")
    rows.setdefault("comment_address", COMMENT_ADDRESS)
    return rows


def _retention(key: str, section: Section) -> Retention:
    keep = ""
    if section.has("keep"):
        inner = section.section("keep")
        keep = f"{inner.whole('length', least=0)} {inner.choice('unit', ('hours', 'days', 'months', 'years'))}"
        inner.done()
    retention = Retention(
        key=key,
        after=section.string("after", filled=True),
        keep=keep,
        archive_class=section.choice("class", ("A", "B", "C", "D")),
        consent_ref=section.string("consent_ref", ""),
        without_consent=section.choice("without_consent", ("seal", "keep", "erase")),
        basis=section.choice("basis", BASES),
        note=section.string("note", ""),
        erased_by=section.choice("erased_by", ERASED_BY, "clock"),
    )
    if retention.without_consent == "erase" and not retention.note:
        section.fault(
            "Only what is no record of a public body goes without the consent of the archives: say in a note why this "
            "is none.",
            "without_consent",
        )
    if retention.erased_by == "clock":
        if key in BY_CLOCK and key not in by_clock():
            section.fault(words(OF_ROOMS[key]))
        elif key not in BY_CLOCK:
            section.fault(
                'No clock erases this. Say erased_by = "hand" (whoever runs the register does it), or "nothing" (this '
                "version holds none).",
                "erased_by",
            )
        elif not keep and retention.after != WITH_THE_CASE:
            section.fault("It is not said how long: keep = { length, unit }.", "keep")
    section.done()
    return retention


def judge_retention(
    root: Section,
    rows: Mapping[str, Retention],
    *,
    draft: timedelta,
    client: timedelta | None,
    clocks: Mapping[str, Allowance],
) -> None:
    """Each kind of data that this version holds has a row; what another part of the file says of it is the same. What
    an appeal is decided from is there while one may be made."""
    appeal = clocks.get(APPEAL)
    for key in NOT_BEFORE_AN_APPEAL:
        kept = rows[key].span if key in rows else None
        if appeal is not None and kept is not None and kept < in_days(appeal):
            root.faults.add(
                ("retention", key),
                f"{rows[key].keep} is shorter than the time for an appeal (clocks.{APPEAL}): it would be gone before "
                "anybody can appeal.",
            )
    for key in sorted(by_clock() - set(rows)):
        root.fault(f"It is not said how long {BY_CLOCK[key]} is kept: {key} = {{ after, keep, ... }}.", "retention")
    entry = rows.get("desk_entry")
    if entry is not None and (entry.span is None or entry.span > LONGEST_ENTRY):
        root.faults.add(("retention", "desk_entry"), "What nobody has taken over is kept for three days at most.")
    for key, other, said in (
        ("draft", "limits.draft_kept", draft),
        ("client_address", "vouching.address_kept", client),
    ):
        row = rows.get(key)
        if row is not None and said is not None and row.span != said:
            root.faults.add(("retention", key), f"{other} says another time than {row.keep or 'for ever'}.")


def renewal_from(section: Section) -> Renewal:
    return Renewal(
        opens_days_before=section.whole("opens_days_before", 60, least=1, most=365),
        in_grace=section.choice("in_grace", ("stays", "ends"), "stays"),
        documents=section.choice("documents", ("kept", "noted", "again"), "noted"),
    )


def judge_papers(root: Section, *, papers: Retention | None, renewal: Renewal, longest_months: int) -> None:
    """Papers that were erased cannot count again: how long they are kept and what a renewal takes must agree."""
    if papers is None:
        return  # judge_retention says so, once
    term = timedelta(days=longest_months * DAYS["months"])
    if renewal.documents == "kept" and papers.span is not None and papers.span < term:
        root.faults.add(
            ("renewal", "documents"),
            f"Papers are erased after {papers.keep} (retention.documents), so none is there when a registration of "
            f'{longest_months} months is renewed. Say "noted" (what was seen in them counts again) or "again" (they '
            "are asked for again), or keep them longer.",
        )


def dyndns_from(root: Section) -> DyndnsRules:
    section = _part(root, "dyndns")
    rules = DyndnsRules(
        length=section.span("length"),
        grace=section.span("grace"),
        overlap=section.span("overlap"),
        rival_wait=section.span("rival_wait"),
        updates_kept=section.span("updates_kept"),
        change_every=timedelta(seconds=section.whole("change_every_seconds", least=1, most=3600)),
        change_burst=section.whole("change_burst", least=1, most=100),
    )
    if not SHORTEST_REPORT <= rules.length <= LONGEST_REPORT:
        section.fault(
            "A report is valid for 2 hours to 35 days; routers repeat themselves once a day or month.", "length"
        )
    if rules.grace < SHORTEST_GRACE:
        section.fault("Who is told that an address is no longer reported gets 12 hours or more to mend it.", "grace")
    if rules.overlap > LONGEST_OVERLAP:
        section.fault("An address that was left may be somebody else's soon: it stays for 24 hours at most.", "overlap")
    if rules.rival_wait >= rules.length:
        section.fault(
            "A rival claim shortens the validity of a report; it must be shorter than `length`.", "rival_wait"
        )
    section.done()
    return rules


def change_from(root: Section) -> ChangeRules:
    section = _part(root, "change")
    rules = ChangeRules(overlap=section.span("overlap"))
    if rules.overlap > timedelta(days=90):
        section.fault("An address that the holder has left stays for 90 days at most.", "overlap")
    section.done()
    return rules
