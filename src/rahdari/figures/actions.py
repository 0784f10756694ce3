"""Publish a month on its day, and a correction beside it when it was wrong or its cases changed. Nothing that was
published is ever replaced."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries
from .cells import Counted, Row, rows_of, to_json
from .counting import count
from .definitions import ALL, Figure, Words, load
from .models import GivenUp, Overdue, Publication
from .queries import Month

# So many months back it is looked, on the day of each new month, whether cases changed.
LOOKED_BACK = 12
CHANGED_EN = "Cases of this month changed after it was published."
CHANGED_UR = "یہ مہینہ شائع ہونے کے بعد اس کے کچھ کیس بدل گئے۔"


class PartsChanged(RahdariError):
    """A definition has other parts than those with which the month was published: give the figure another id.
    `.figure`"""

    says = "{figure} was published with other parts"
    figure: str


class NotOver(RahdariError):
    """The month is not over. `.month`"""

    says = "{month} is not over"
    month: dt.date


class NotPublished(RahdariError):
    """No first edition of the month was published. `.month`"""

    says = "{month} was not published"
    month: dt.date


def after(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


def months_due(now: dt.datetime) -> Iterator[dt.date]:
    """Those that are to be published and are not, the oldest first; before anything was published the last one."""
    today = timezone.localdate(now)
    newest = today.replace(day=1) - dt.timedelta(days=1)
    if today.day < load().published_on:
        newest = newest.replace(day=1) - dt.timedelta(days=1)
    newest = newest.replace(day=1)
    last = queries.last_month()
    due = after(last) if last is not None else newest
    while due <= newest:
        yield due
        due = after(due)


def publish_due(now: dt.datetime) -> int:
    """Publish what is due, and with it what changed in earlier months: once, also where several are due. Returns how
    many editions."""
    due = list(months_due(now))
    if not due:
        return 0
    earlier = queries.months(until=due[0] - dt.timedelta(days=1))[:LOOKED_BACK]
    made = [publish(month=month, now=now) for month in due]
    changed = Words(CHANGED_EN, CHANGED_UR)
    made += [correct(month=each.month, why=changed, now=now) for each in earlier if not each.is_made_up]
    return sum(edition is not None for edition in made)


def publish(*, month: dt.date, now: dt.datetime, actor: str = "clock") -> Publication | None:
    """The first edition; None when it is there. Raises NotOver."""
    if after(month) > timezone.localdate(now):
        raise NotOver(month)
    return publish_counted(month, count(month, load().figures), now=now, actor=actor)


def publish_counted(
    month: dt.date, counted: Counted, *, now: dt.datetime, actor: str = "clock", why: Words | None = None
) -> Publication | None:
    """The same of what was counted; `why` says that it is made up."""
    return _write(month, 1, rows_of(counted, load().figures), why or Words("", ""), now, actor)


def correct(*, month: dt.date, why: Words, now: dt.datetime, actor: str = "clock") -> Publication | None:
    """Another edition, of the figures that come out otherwise than they were last published, and of those that are
    bound to them. None when none does. Raises NotPublished, PartsChanged."""
    published = queries.month(month)
    if published is None:
        raise NotPublished(month)
    rows = recounted(published)
    differs = {row.figure for row in rows if published.standing.get(row.key) != row}
    corrected = {id for group in load().groups() if group & differs for id in group}
    if not corrected:
        return None
    edition = published.editions[-1].number + 1
    return _write(month, edition, [row for row in rows if row.figure in corrected], why, now, actor)


def recounted(published: Month) -> list[Row]:
    """What a correction would say of the month now. Raises PartsChanged."""
    return rows_of(*counted_again(published), [edition.rows for edition in published.editions])


def counted_again(published: Month) -> tuple[Counted, Mapping[str, Figure]]:
    """The figures of the month, by the definitions of today, with the parts that it had. Raises PartsChanged."""
    figures = {id: each for id, each in load().figures.items() if published.rows_of(id)}
    parts: dict[str, Mapping[str, Words]] = {}
    for id, each in figures.items():
        stored = {row.part: Words(row.en, row.ur) for row in published.rows_of(id) if row.part != ALL}
        if each.parts and set(stored) != set(each.parts):
            raise PartsChanged(id)
        parts[id] = stored
    return count(published.month, figures, parts), figures


def _write(
    month: dt.date, edition: int, rows: Iterable[Row], why: Words, now: dt.datetime, actor: str
) -> Publication | None:
    try:
        with transaction.atomic():
            made = Publication.objects.create(
                month=month, edition=edition, at=now, why_en=why.en, why_ur=why.ur, cells=to_json(rows)
            )
            act = "figures.published" if edition == 1 else "figures.corrected"
            journal.record(act=act, actor=actor, subject=f"figures:{month:%Y-%m}", now=now, reason=why.en)
    except IntegrityError:
        # Two workers count alike; the first one's edition stays.
        return None
    return made


def months_to_count(now: dt.datetime) -> list[dt.date]:
    """Months that are over and of which what was overdue is not counted: the last one, and those to be published."""
    last = (timezone.localdate(now).replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    wanted = {last, *months_due(now)}
    return sorted(wanted - set(Overdue.objects.filter(month__in=wanted).values_list("month", flat=True)))


def count_overdue(*, months: Sequence[dt.date], numbers: Mapping[str, int], now: dt.datetime) -> None:
    """By class of data. Counted now, and for no other time: a month that is counted late says so by `at`."""
    with suppress(IntegrityError), transaction.atomic():  # another worker counted alike
        Overdue.objects.bulk_create(
            Overdue(month=month, kind=kind, number=number, at=now)
            for month in months
            for kind, number in numbers.items()
        )
        for month in months:
            subject = f"figures:{month:%Y-%m}"
            journal.record(act="figures.counted_overdue", actor="clock", subject=subject, now=now, detail=dict(numbers))


def count_given_up(*, service: str, step: str, now: dt.datetime) -> None:
    """A draft is deleted that came to rest at this step: one more in its month, and no other trace."""
    month = timezone.localdate(now).replace(day=1)
    row, _new = GivenUp.objects.get_or_create(month=month, service=service, step=step)
    GivenUp.objects.filter(pk=row.pk).update(number=F("number") + 1)
