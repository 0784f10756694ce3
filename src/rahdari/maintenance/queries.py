"""Reads of announced work: for its announcer, for holders, for incidents, and for the queues."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from rahdari import policy
from rahdari.address import Block, Part, Protocol
from rahdari.errors import RahdariError
from rahdari.inquiry.kinds import Kind
from rahdari.inquiry.rules import USUAL, WAITING, Move
from rahdari.policy import Maintenance
from rahdari.publish.models import Operator
from rahdari.vault import links

from .models import Affected, AnotherNight, CalendarFeed, DeletedDraft, Notice, Wording, Work
from .rules import GATHERED_FOR, MOVED, OPEN, STAYS, Impact, State, Status, part_words, worst

LINK = "maintenance.calendar"
# So long after its end work stays in a calendar.
SHOWN_AFTER = dt.timedelta(days=31)
# An entry that came after the announcement is looked for so often.
NEWCOMERS_EVERY = dt.timedelta(minutes=10)


class WorkNotFound(RahdariError, LookupError):
    """There is none, or it is somebody else's. `.reference`"""

    says = "no work {reference}"
    reference: str


def terms() -> Maintenance:
    """Those of the policy in force."""
    return policy.current(settings.POLICY_FILE).maintenance


# -- of whoever announces ------------------------------------------------------------------------------------------


def works_of(operator: Operator | None) -> QuerySet[Work]:
    """All of this operator, of the regulator without one; the newest first."""
    found = Work.objects.filter(operator=operator).select_related("wording").prefetch_related("affected")
    return found.order_by("-made_at", "id")


def open_works(operator: Operator | None) -> QuerySet[Work]:
    return Work.objects.filter(operator=operator, state__in=[State.DRAFT, *OPEN])


def work_of(operator: Operator | None, reference: str) -> Work:
    """Raises WorkNotFound, also for another's."""
    found = works_of(operator).filter(reference=reference.replace("\0", "")).first()
    if found is None:
        raise WorkNotFound(reference)
    return found


def wordings_to_read() -> QuerySet[Wording]:
    """What operators wrote to holders and no officer has read, the first in front."""
    return Wording.objects.filter(is_shown__isnull=True).select_related("operator")


def work_by_own_id(operator: Operator, own_id: str) -> Work | None:
    return works_of(operator).filter(own_id=own_id).first()


def last_sequence(operator: Operator, own_id: str) -> int | None:
    """The last that was read of this maintenance id, also of a draft that was deleted. None: none was."""
    work = work_by_own_id(operator, own_id)
    if work is not None:
        return work.own_sequence
    return DeletedDraft.objects.filter(operator=operator, own_id=own_id).values_list("own_sequence", flat=True).first()


@dataclass(frozen=True)
class Hit:
    """An entry in force that work affects, and how."""

    entry: uuid.UUID
    registration: uuid.UUID
    holder: uuid.UUID
    address: str
    part: Part
    impact: Impact

    @property
    def name(self) -> str:
        """`203.0.113.41 udp 51820`"""
        return " ".join((self.address, *part_words(self.part)))


# An entry of no protocol has all that runs there, and work on a prefix touches all that it has.
_HITS = """
SELECT e.id, e.registration_id, e.holder, e.block, e.protocol, e.port, array_agg(DISTINCT a.impact)
  FROM maintenance_affected a
  JOIN register_entry e ON e.ended_at IS NULL AND e.block::inet && a.block::inet
   AND (a.protocol = 'any' OR e.protocol = 'any' OR e.protocol = a.protocol)
   AND (a.port IS NULL OR e.port IS NULL OR e.port = a.port)
 WHERE a.work_id = %(work)s AND e.kind <> 'canary' AND (%(everywhere)s OR e.asns && %(asns)s::bigint[])
 GROUP BY e.id
 ORDER BY e.block, e.protocol, e.port, e.id
"""


def hits(work: Work) -> list[Hit]:
    """The entries in force that it affects: of its operator's own networks alone, of all for the regulator."""
    asns = work.operator.asns if work.operator is not None else []
    with connection.cursor() as cursor:
        cursor.execute(_HITS, {"work": work.pk, "everywhere": work.operator is None, "asns": asns})
        rows = cursor.fetchall()
    return [
        Hit(
            entry,
            registration,
            holder,
            str(block).removesuffix("/32" if "." in str(block) else "/128"),
            Part(Protocol(protocol), port),
            worst(map(Impact, impacts)),
        )
        for entry, registration, holder, block, protocol, port, impacts in rows
    ]


# -- of a holder ---------------------------------------------------------------------------------------------------


def last_notices(holders: Iterable[uuid.UUID]) -> QuerySet[Notice]:
    """The last word to each of these holders about each work, what begins first in front."""
    later = Notice.objects.filter(work=OuterRef("work"), holder=OuterRef("holder"), sequence__gt=OuterRef("sequence"))
    found = Notice.objects.filter(~Exists(later), holder__in=list(holders))
    return found.select_related("work__operator", "work__wording", "registration").order_by("starts_at", "id")


def notice_by_id(id: str) -> Notice | None:
    return Notice.objects.filter(pk=id).select_related("work__wording", "registration").first()


def last_notices_about(work: Work) -> QuerySet[Notice]:
    """The last word to each consumer."""
    return Notice.objects.filter(work=work).order_by("holder", "-sequence").distinct("holder")


def to_come(holders: Iterable[uuid.UUID], *, now: dt.datetime) -> QuerySet[Notice]:
    """What is announced to them or runs, also past its end."""
    return last_notices(holders).filter(work__state__in=OPEN).exclude(status="CANCELLED")


def notice_for(holders: Iterable[uuid.UUID], reference: str) -> Notice:
    """The last word about this work. Raises WorkNotFound."""
    found = last_notices(holders).filter(work__reference=reference.replace("\0", "")).first()
    if found is None:
        raise WorkNotFound(reference)
    return found


def in_calendar(holder: uuid.UUID, *, now: dt.datetime) -> QuerySet[Notice]:
    return last_notices([holder]).filter(ends_at__gte=now - SHOWN_AFTER)


def calendar_of(holder: uuid.UUID) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(holder=holder, ended_at__isnull=True).first()


def calendar_token(feed: CalendarFeed) -> str:
    return links.token(LINK, str(feed.pk))


def calendar_at(id: uuid.UUID, token: str) -> CalendarFeed | None:
    """The calendar of this address; None of one that has ended or never was."""
    if not links.matches(LINK, str(id), token):
        return None
    return CalendarFeed.objects.filter(pk=id, ended_at__isnull=True).first()


# -- another night -------------------------------------------------------------------------------------------------

ANOTHER_NIGHT = Kind(
    "maintenance",
    AnotherNight,
    answers=frozenset({MOVED, STAYS}),
    sealed=("why",),
    moves=USUAL - {Move.WITHDRAW} | {Move.LAPSE},
    with_file={"holder": None, "registration": None, "asked_by": "", "night": None},
)


def request_of(notice: Notice) -> AnotherNight | None:
    """The last one of this holder about this work."""
    found = AnotherNight.objects.filter(work=notice.work_id, holder=notice.holder)
    return found.order_by("-asked_at", "-id").first()


def may_ask(notice: Notice, before: AnotherNight | None, now: dt.datetime) -> bool:
    """While the work has not begun, once for each notice, and not while an answer is awaited."""
    is_to_come = notice.work.state == State.ANNOUNCED and notice.status != Status.CANCELLED and now < notice.starts_at
    return is_to_come and (before is None or not (before.is_waiting or before.subject == notice.subject))


def requests_about(work: Work) -> QuerySet[AnotherNight]:
    """Those that wait for an answer, the first one in front."""
    return ANOTHER_NIGHT.waiting().filter(work=work)


def waiting_by_work(works: Iterable[Work]) -> dict[uuid.UUID, int]:
    """How many wait for an answer about each of these."""
    found = ANOTHER_NIGHT.rows.filter(work__in=list(works), state=WAITING).order_by()
    return dict(found.values_list("work").annotate(count=Count("pk")))


def told_to(requests: Iterable[AnotherNight]) -> list[tuple[AnotherNight, list[str]]]:
    """With what each of them was told is affected, as it stands in the notice."""
    asked = list(requests)
    notices = Notice.objects.in_bulk([each.subject.removeprefix("notice:") for each in asked])
    by_subject = {each.subject: each for each in notices.values()}
    return [(each, list(by_subject[each.subject].addresses) if each.subject in by_subject else []) for each in asked]


# -- for incidents -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """An announced window that covers an endpoint: alerts about it are muted, measurement is not."""

    work: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    impact: Impact
    announced_at: dt.datetime


def windows(*, asns: Sequence[int], block: Block, at: dt.datetime, part: Part | None = None) -> list[Window]:
    """The windows that were announced by then and cover this endpoint at this time, by work on one of these networks or
    of the regulator; the earliest first. NO-IMPACT covers nothing. One that was called off, or is over, covers no time
    after that; what runs past its end does not, either."""
    found = Affected.objects.filter(block__overlaps=block, work__starts_at__lte=at, work__ends_at__gt=at)
    found = found.exclude(impact=Impact.NO_IMPACT).exclude(work__state=State.DRAFT)
    found = found.filter(work__announced_at__lte=at)
    found = found.filter(Q(work__ended_at__isnull=True) | Q(work__ended_at__gt=at))
    found = found.filter(Q(work__operator__isnull=True) | Q(work__operator__asns__overlap=list(asns)))
    if part is not None and part.protocol is not Protocol.ANY:
        found = found.filter(protocol__in=[Protocol.ANY, part.protocol])
        if part.port is not None:
            found = found.filter(Q(port__isnull=True) | Q(port=part.port))
    by_work: dict[str, Window] = {}
    for each in found.select_related("work").order_by("work__starts_at", "work__reference", "pk"):
        work, known = each.work, by_work.get(each.work.reference)
        assert work.starts_at and work.ends_at and work.announced_at  # noqa: S101 - it is no draft
        impact = worst([Impact(each.impact), known.impact] if known is not None else [Impact(each.impact)])
        by_work[work.reference] = Window(work.reference, work.starts_at, work.ends_at, impact, work.announced_at)
    return list(by_work.values())


def overrun(*, now: dt.datetime) -> QuerySet[Work]:
    """Work past the end of its window of which nobody has said that it is over; the longest past first."""
    found = Work.objects.filter(state__in=OPEN, ends_at__lte=now).select_related("operator")
    return found.prefetch_related("affected").order_by("ends_at", "id")


# -- for the queues ------------------------------------------------------------------------------------------------


def to_spread(now: dt.datetime) -> QuerySet[Work]:
    """Work of which a version was not spread yet; and what is open, from time to time, for entries that came since."""
    unsaid = Q(version__isnull=False) & (Q(spread_version__isnull=True) | ~Q(spread_version=F("version")))
    again = Q(state__in=OPEN, spread_at__lte=now - NEWCOMERS_EVERY, ends_at__gt=now)
    return Work.objects.filter(unsaid | again).exclude(state=State.DRAFT).order_by("made_at", "id")


def to_tell() -> QuerySet[Notice]:
    found = Notice.objects.filter(told_at__isnull=True).select_related(
        "work__operator", "work__wording", "registration"
    )
    return found.order_by("said_at", "id")


def to_gather(now: dt.datetime) -> QuerySet[Notice]:
    """What waits for a letter with others, of those who had none lately."""
    lately = Notice.objects.filter(registration=OuterRef("registration"), gathered_at__gt=now - GATHERED_FOR)
    found = Notice.objects.filter(~Exists(lately), is_gathered=True, gathered_at__isnull=True)
    return found.select_related("registration").order_by("said_at", "id")


def gathered_for(registration: uuid.UUID) -> QuerySet[Notice]:
    """What waits for that letter about this registration."""
    found = Notice.objects.filter(registration=registration, is_gathered=True, gathered_at__isnull=True)
    return found.select_related("work__operator", "work__wording", "registration")


def works_with_notices_before(moment: dt.datetime | None) -> QuerySet[Work]:
    """Work that was over before then, of which it is still known who was told what. None: that is kept."""
    if moment is None:
        return Work.objects.none()
    found = Work.objects.filter(Exists(Notice.objects.filter(work=OuterRef("pk"))), ended_at__lt=moment)
    return found.order_by("ended_at", "id")
