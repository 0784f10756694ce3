"""Kept facts judged again: the same version must say the same, and another says what it changes."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .facts import as_bytes, facts_from
from .models import Conclusion
from .verdicts import RULES_VERSION, Verdict, judge

AT_ONCE = 2_000


@dataclass(frozen=True)
class Difference:
    """What was concluded of these facts, and what the rules of today say."""

    facts: int
    at: dt.datetime
    version: int
    before: str
    after: Verdict


@dataclass
class Rescored:
    """`same` and `other` by the version that concluded."""

    same: Counter[int]
    other: Counter[int]


def rescore(*, since: dt.datetime | None = None, found: Rescored) -> Iterator[Difference]:
    """Judge all facts from then on again. Nothing is written."""
    concluded = Conclusion.objects.select_related("seen").order_by("seen_id", "version")
    if since is not None:
        concluded = concluded.filter(seen__at__gte=since)
    for each in concluded.iterator(AT_ONCE):
        again = judge(facts_from(each.seen.facts))
        if again.as_bytes() == as_bytes(each.verdict):
            found.same[each.version] += 1
            continue
        found.other[each.version] += 1
        yield Difference(each.seen_id, each.seen.at, each.version, f"{each.state} ({each.rule})", again)


def lines(since: dt.datetime | None, *, differences: int) -> Iterator[str]:
    """What `rahdari watch rescore` prints: so many differences at most, and how many by version."""
    found = Rescored(Counter(), Counter())
    for n, each in enumerate(rescore(since=since, found=found)):
        if n < differences:
            at = f"{each.at:%Y-%m-%d %H:%M:%S}"
            before = f"version {each.version} said {each.before}"
            yield f"facts {each.facts} of {at}: {before}, now it is {each.after.state} ({each.after.rule})"
    for version in sorted({*found.same, *found.other}) or [RULES_VERSION]:
        yield f"version {version} -> {RULES_VERSION}: {found.same[version]} the same, {found.other[version]} other"
