"""Reads of checks, and of the rosters that they are made against."""

import datetime as dt
import hmac
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField, Count, Exists, Min, OuterRef, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat

from rahdari.control import queries as proofs
from rahdari.db.asked import Asked, Later
from rahdari.db.gate import as_planned
from rahdari.vault import cipher, index

from . import rules
from .models import Check, Outcome, Roster, RosterRow
from .names import is_same_name
from .roster_rows import DOMAIN, OF_FIRMS, blind_name

ROW = RosterRow._meta.label
# Of firms that have one name: more are not read.
MOST_NAMESAKES = 20


def checks_of(subject: str) -> QuerySet[Check]:
    """The checks of a subject in the order in which they were asked for."""
    return Check.objects.filter(subject=subject).order_by("position", "id")


_checks = Asked(lambda subjects: Check.objects.filter(subject__in=subjects).order_by("subject", "position", "id"))


def checks_of_subjects(subjects: Iterable[str]) -> dict[str, list[Check]]:
    """The checks of many subjects, in one query."""
    found: dict[str, list[Check]] = {}
    for check in _checks(list(subjects)):
        found.setdefault(check.subject, []).append(check)
    return found


def checks_later(subjects: Iterable[str]) -> list[Later[Check]]:
    """What `checks_of_subjects` asks, for `db.together.ahead`."""
    return [_checks.later(list(subjects))]


def check_subjects(subjects: Iterable[str]) -> QuerySet[Check, str]:
    """The checks of these subjects, as other rooms name them; a part of their query."""
    named = Concat(Value("check:"), Cast("pk", CharField()))
    return Check.objects.filter(subject__in=list(subjects)).order_by().values_list(named, flat=True)


def counted(subjects: Iterable[str]) -> QuerySet[Check, tuple[str, dict[str, str], str, bool, int, int]]:
    """How many checks of each title stand how: subject, title in both languages, outcome, whether required, number, and
    where the first of them stands."""
    found = Check.objects.filter(subject__in=list(subjects)).values_list("subject", "title", "outcome", "required")
    return found.annotate(count=Count("pk"), place=Min("position")).order_by("subject", "place")


def awaiting_control(targets: Iterable[str]) -> set[str]:
    """Those of these endpoints whose control is still to be shown."""
    waiting = Check.objects.filter(kind="control", outcome=Outcome.WAITING, target__in=list(targets))
    return set(waiting.values_list("target", flat=True))


def checks_where(**which: Any) -> QuerySet[Check]:
    return Check.objects.filter(**which).order_by()


def failed_checks() -> QuerySet[Check]:
    """Those that a grant needs and that failed."""
    return Check.objects.filter(outcome=Outcome.FAILED, required=True).order_by()


def check_by_id(*, subject: str, id: str) -> Check | None:
    return Check.objects.filter(subject=subject, pk=id).first()


def check_about(*, subject: str, kind: str, target: str) -> Check | None:
    return Check.objects.filter(subject=subject, kind=kind, target=target).first()


def any_passed(kind: str, subjects: Iterable[str]) -> bool:
    """Whether a check of this kind passed for one of these subjects."""
    return Check.objects.filter(kind=kind, subject__in=list(subjects), outcome=Outcome.PASSED).exists()


def any_passed_by_hand(kind: str, subjects: Iterable[str]) -> bool:
    """Whether an officer found out that one of these is so."""
    return recorded_by_hand().filter(kind=kind, subject__in=list(subjects), outcome=Outcome.PASSED).exists()


def any_waits(kind: str, subject: str) -> bool:
    return Check.objects.filter(kind=kind, subject=subject, outcome=Outcome.WAITING).exists()


def waiting_numbers() -> QuerySet[Check]:
    """Checks of card and company numbers for which no proof of an address of the same subject is awaited any more."""
    proof = Check.objects.filter(kind="control", outcome=Outcome.WAITING, subject=OuterRef("subject"))
    return waiting_checks().filter(~Exists(proof), kind="represents", facts__has_any_keys=["card", "unproved"])


def of_same_subject(**which: Any) -> QuerySet[Check]:
    """Those of the subject of the row outside; a part of its query."""
    return Check.objects.filter(subject=OuterRef("subject"), **which).order_by()


def waiting_of_kind(*kinds: str, other_than: QuerySet[Any]) -> QuerySet[Check]:
    """Checks of these kinds that wait, but not those that a row of these names as its subject, "check:<id>"."""
    named = Concat(Value("check:"), Cast("pk", CharField()))
    found = waiting_checks().filter(kind__in=kinds).alias(known_as=named)
    return found.filter(~Exists(other_than.filter(subject=OuterRef("known_as"))))


def controls_waiting(targets: QuerySet[Any, str]) -> QuerySet[Check]:
    """Of these targets, checks of control that wait and do not stand for now yet."""
    return waiting_checks().filter(kind="control", target__in=targets).exclude(facts__has_key="provisional")


def recorded_by_hand() -> QuerySet[Check]:
    """Checks that an officer has answered, of any subject."""
    return Check.objects.filter(finding="by_hand")


def answered_checks() -> QuerySet[Check]:
    return Check.objects.filter(answered_at__isnull=False)


# So long an answer counts as new: longer than a beat of the worker. On the day before a deadline each second brings
# dozens, and each round reads them.
NEWS = dt.timedelta(seconds=15)


def just_answered(now: dt.datetime) -> QuerySet[Check]:
    """Checks that were answered a moment ago. Whoever follows these alone misses what was answered while the worker was
    away, and looks through all, part by part, as well."""
    planned_for = answered_checks().filter(answered_at__gte=as_planned(now) - NEWS)
    return planned_for.filter(answered_at__gte=now - NEWS)


def controls_proved_late() -> QuerySet[Check]:
    """Checks of control that failed for want of a proof, of what is proved now."""
    proved = proofs.proved().filter(subject=OuterRef("proved_of"), block=OuterRef("of_block"))
    return Check.objects.annotate(
        proved_of=Coalesce(KT("facts__control_subject"), "target"), of_block=KT("facts__block")
    ).filter(Exists(proved), kind="control", outcome=Outcome.FAILED, finding="not_proved")


def check_with_id(id: str) -> Check | None:
    return Check.objects.filter(pk=id).first()


def waiting_checks() -> QuerySet[Check]:
    return Check.objects.filter(outcome=Outcome.WAITING).order_by("opened_at", "id")


# -- rosters -----------------------------------------------------------------------------------------------------


def roster_in_use(name: str) -> Roster | None:
    return Roster.objects.filter(name=name, in_use=True).first()


def rosters_in_use() -> QuerySet[Roster]:
    return Roster.objects.filter(in_use=True).order_by("name")


def roster_key(name: str, number: str) -> bytes | None:
    """The keyed hash under which a number stands in a roster; None when it has not the shape of one."""
    exact = rules.roster_key(name, number)
    return None if exact is None else index.blinder().blind(f"roster.{name}", exact)


LISTED = """
SELECT roster.imported_at, listed.id, listed.active, listed.valid_until, listed.name, listed.email, listed.mobile,
    listed.domain
FROM checks_roster roster LEFT JOIN checks_rosterrow listed ON listed.roster_id = roster.id AND listed.key = %s
WHERE roster.name = %s AND roster.in_use
"""


class Listed(NamedTuple):
    """What the roster in use says of a number. `row` is None when it does not have it."""

    imported_at: dt.datetime
    row: uuid.UUID | None
    active: bool
    valid_until: dt.date | None
    name: str
    email: str
    mobile: str
    domain: bytes

    @property
    def has_domain(self) -> bool:
        return bool(self.domain)


def look_up(roster: str, number: str) -> Listed | None:
    """One number in the roster in use; None while no roster is. One query by key, in millions of rows as in ten."""
    with connection.cursor() as cursor:
        cursor.execute(LISTED, [roster_key(roster, number), roster])
        found = cursor.fetchone()
    if found is None:
        return None
    imported_at, row, active, valid_until, *sealed, domain = found
    name, email, mobile = (
        cipher.unseal("fields", bytes(each), where=f"{ROW}.{field}:{row}").decode() if each else ""
        for field, each in zip(("name", "email", "mobile"), sealed, strict=True)
    )
    return Listed(imported_at, row, bool(active), valid_until, name, email, mobile, bytes(domain or b""))


def is_domain_of(listed: Listed, domain: str) -> bool:
    """Whether the row names this domain as the one of its member's addresses."""
    return listed.has_domain and hmac.compare_digest(listed.domain, index.blinder().blind(DOMAIN, domain))


def lists_of_firms() -> QuerySet[Roster]:
    return rosters_in_use().filter(name__in=OF_FIRMS)


def is_a_firms_name(name: str, lists: Iterable[Roster] | None = None) -> bool:
    """Whether a list of firms in use has this name, whatever its legal form, spelling or script. One query by key for
    each list: the lists stand in parts of one table. Whoever has `lists_of_firms` already gives them along."""
    key = blind_name(index.blinder(), name)
    if key is None:
        return False
    found = lists_of_firms() if lists is None else lists
    return any(RosterRow.objects.filter(roster=each, name_key=key).exists() for each in found)


def listed_as(name: str) -> list[Listed]:
    """The firms of this name on the lists in use, however it is written, and at most MOST_NAMESAKES of each list."""
    key = blind_name(index.blinder(), name)
    found = []
    for roster in lists_of_firms() if key is not None else ():
        for row in RosterRow.objects.filter(roster=roster, name_key=key)[:MOST_NAMESAKES]:
            if is_same_name(row.name, name):
                contact = (row.name, row.email, row.mobile, bytes(row.domain or b""))
                found.append(Listed(roster.imported_at, row.pk, row.active, row.valid_until, *contact))
    return found


def row_behind(check: Check) -> RosterRow | None:
    """The roster's row that a check rests on, while that import is in use. For officers: it holds a name."""
    row = check.facts.get("row")
    return RosterRow.objects.filter(pk=row).first() if row else None
