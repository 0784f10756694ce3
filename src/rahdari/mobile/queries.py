"""Reads of lines. An operator reaches its own list (`head_of`, `list_after`, `changes_after`) and no other's."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from rahdari.errors import RahdariError
from rahdari.register.models import Registration
from rahdari.register.rules import stamp
from rahdari.vault import index

from . import rules
from .models import MobileListChange, MobileListReceipt, MobileNumber, OperatorList


class ListTooOld(RahdariError):
    """What came after that number is not told one by one any more: take the whole list. `.floor`"""

    says = "{floor}"
    floor: int


class NumberAhead(RahdariError):
    """The list has not come that far. `.sequence` is how far it has."""

    says = "{sequence}"
    sequence: int


@dataclass(frozen=True)
class InForce:
    """Since when a line is on its operator's list, and since when the operator has applied that."""

    listed_at: dt.datetime | None
    applied_at: dt.datetime | None


# Why a line ended whose registration did; while its operator's word is kept it comes back with it.
ENDED_WITH_IT = "registration_ended"
MAY_COME_BACK = Q(leave_reason=ENDED_WITH_IT, reference_index__gt="")


def _standing() -> QuerySet[MobileNumber]:
    return MobileNumber.objects.filter(ended_at__isnull=True)


# -- for the rooms above -------------------------------------------------------------------------------------------


def line_of(subject: str) -> MobileNumber | None:
    """The line that an application is about, or the one that is to follow a registration's: the newest that stands."""
    return _standing().filter(subject=subject).first()


def line_by_target(target: str) -> MobileNumber | None:
    try:
        return MobileNumber.objects.filter(pk=uuid.UUID(target.removeprefix("line:"))).first()
    except ValueError:
        return None


def lines_of(*registrations: Registration) -> QuerySet[MobileNumber]:
    """On their operators' lists for these registrations, the newest first."""
    return _standing().filter(registration__in=registrations, listed_at__isnull=False)


def has_lines(registration: Registration) -> bool:
    return MobileNumber.objects.filter(registration=registration).exists()


def last_line_of(registration: Registration) -> MobileNumber | None:
    """The newest, whether or not it has ended."""
    return MobileNumber.objects.filter(registration=registration).first()


def staying_lines(registration: Registration) -> QuerySet[MobileNumber]:
    """Those that nobody has left."""
    return lines_of(registration).filter(leaves_at__isnull=True)


def lines_not_registered() -> QuerySet[MobileNumber]:
    """Those of applications."""
    return _standing().filter(registration__isnull=True).order_by("id")


def in_force(line: MobileNumber) -> InForce:
    return all_in_force([line])[line.pk]


def all_in_force(lines: Sequence[MobileNumber]) -> dict[uuid.UUID, InForce]:
    """Of each of these lines, in one query."""
    listed = [line.pk for line in lines if line.is_listed and line.last_sequence]
    receipts = MobileListReceipt.objects.filter(
        operator=OuterRef("operator"), sequence__gte=OuterRef("last_sequence")
    ).order_by("sequence")
    applied = MobileNumber.objects.filter(pk__in=listed).order_by().annotate(at=Subquery(receipts.values("at")[:1]))
    at = dict(applied.values_list("pk", "at"))
    return {line.pk: InForce(line.listed_at, at.get(line.pk)) for line in lines}


def to_follow() -> QuerySet[MobileNumber]:
    """Lines of which their operator was told something else than their registration says now: another end, that they
    are listed though it is over or rests, or that they are not though it goes on."""
    end: Any = Coalesce("registration__grace_until", "registration__valid_until")
    over = Q(registration__struck_out_at__isnull=False) | Q(registration__expired_at__isnull=False)
    not_over = Q(registration__struck_out_at__isnull=True, registration__expired_at__isnull=True)
    rests, goes_on = Q(registration__suspended_at__isnull=False), Q(registration__suspended_at__isnull=True)
    stands, listed = Q(ended_at__isnull=True), Q(listed_at__isnull=False)
    told_otherwise = (
        MobileNumber.objects.filter(registration__isnull=False)
        .annotate(ends=Least(end, Coalesce("leaves_at", end)))
        .filter(
            (stands & over)
            | (stands & listed & (rests | ~Q(listed_until=F("ends"))))
            | (stands & ~listed & goes_on)
            | (Q(ended_at__isnull=False) & MAY_COME_BACK & not_over & goes_on)
        )
    )
    return told_otherwise.select_related("registration").order_by("id")


def lost_with(registration: Registration) -> int:
    """How many lines ended with this registration and would not come back with it: their operator had no word for them
    yet, or has given it to another line."""
    ended = list(MobileNumber.objects.filter(registration=registration, leave_reason=ENDED_WITH_IT))
    return sum(
        not each.reference_index or line_of_word(each.reference_index, besides=each) is not None for each in ended
    )


def left_by_operators() -> QuerySet[MobileNumber]:
    """Lines that their operator said are no longer the subscriber's, and whose holder was not told."""
    found = _standing().filter(leaves_at__isnull=False, notified_at__isnull=True, registration__isnull=False)
    return found.filter(leave_reason__in=list(rules.Left)).select_related("registration").order_by("leaves_at", "id")


def leaving(*, now: dt.datetime) -> QuerySet[MobileNumber]:
    return _standing().filter(leaves_at__lte=now).order_by("leaves_at", "id")


def to_erase(*, now: dt.datetime) -> QuerySet[MobileNumber]:
    return MobileNumber.objects.filter(erase_at__lte=now).order_by("erase_at", "id")


# -- for an operator -----------------------------------------------------------------------------------------------


def reference_index(operator: str, reference: str) -> str:
    return index.blind("mobile.reference", f"{operator} {reference}")


def line_of_word(wanted: str, *, besides: MobileNumber) -> MobileNumber | None:
    return _standing().filter(reference_index=wanted).exclude(pk=besides.pk).first()


def line_for_operator(*, operator: str, reference: str) -> MobileNumber | None:
    """The gatekeeper of one line: by the operator's own word, on its own list or off it for a while."""
    return (
        _standing()
        .filter(operator=operator, registration__isnull=False, reference_index=reference_index(operator, reference))
        .first()
    )


def head_of(operator: str) -> OperatorList:
    return OperatorList.objects.filter(pk=operator).first() or OperatorList(operator=operator)


def list_after(*, operator: str, after: uuid.UUID | None, at_most: int) -> tuple[list[MobileNumber], uuid.UUID | None]:
    """A page of the list as it stands, by identifier, and where the next page begins."""
    found = _standing().filter(operator=operator, listed_at__isnull=False).order_by("id")
    if after is not None:
        found = found.filter(pk__gt=after)
    page = list(found[: at_most + 1])
    return page[:at_most], page[at_most - 1].pk if len(page) > at_most else None


def changes_after(*, operator: str, sequence: int, at_most: int) -> list[MobileListChange]:
    """Raises ListTooOld, NumberAhead."""
    head = head_of(operator)
    if sequence > head.sequence:
        raise NumberAhead(head.sequence)
    if sequence < head.floor:
        raise ListTooOld(head.floor)
    found = MobileListChange.objects.filter(operator=operator, sequence__gt=sequence).select_related("line")
    return list(found.order_by("sequence")[:at_most])


def counts(operators: Sequence[str]) -> dict[str, int]:
    return {each: _standing().filter(operator=each, listed_at__isnull=False).count() for each in operators}


def as_listed(line: MobileNumber) -> rules.Listed:
    known = bool(line.reference)
    assert line.listed_at is not None and line.listed_until is not None  # noqa: S101 (it is on the list)
    return rules.Listed(
        line.reference, "" if known else line.check_number, stamp(line.listed_at), stamp(line.listed_until)
    )
