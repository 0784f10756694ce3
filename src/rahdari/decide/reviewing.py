"""Nobody in the office may decide: a supervisor names somebody from outside, for one matter and its one file.

A matter is a proposal here, and whatever a room above has somebody else decide. Who in the office could decide it says
one function of the database (`decide_somebody_could`), which the guard of the table asks, too.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from rahdari.apply import access
from rahdari.archive.actions import Box
from rahdari.errors import RahdariError
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import Role, User
from rahdari.policy import Text
from rahdari.web.language import in_both

from . import case_clock, conflicts_of_interest, queries
from .models import Case, Notice
from .reviewer_models import Reviewer
from .rules import Needs, Status
from .transitions import NotAnOfficer, begin, lock, record, sentence

# So far back published figures count.
COUNTED = dt.timedelta(days=365)


class SomebodyCould(RahdariError):
    """Somebody in the office may decide the matter: nobody from outside is named. `.matter`"""

    says = "{matter} can be decided in the office"
    matter: str


class HadPart(RahdariError):
    """Whoever is named had a part in the case, or holds a post in the office. `.user`"""

    says = "{user} is not from outside"
    user: User


@dataclass(frozen=True)
class Matter:
    """What is to be decided by somebody else than whoever had a part in it."""

    name: str
    case: Case | None
    needs: Needs
    # The number by which people know it, what it is called, and where it is decided.
    reference: str
    title: Text
    page: str
    due_at: dt.datetime | None = None
    # Those who may not decide it for another reason than a part in the case.
    besides: Collection[uuid.UUID] = field(default=())


def of_notice(notice: Notice, due_at: dt.datetime | None = None) -> Matter:
    """A refusal, or that a registration is taken back, that one officer proposed. `due_at`: until when it is to be
    decided (`case_clock.second_by`), for whoever is named."""
    application = notice.case.application
    is_refusal = notice.case.status == Status.OPEN
    return Matter(
        notice.subject,
        notice.case,
        Needs.DIRECTOR if notice.rank else Needs.SECOND,
        application.reference,
        in_both(lambda: _("A proposed refusal") if is_refusal else _("A proposal to revoke a registration")),
        reverse("decide:review", args=[application.reference]),
        due_at,
        besides=[notice.proposed_by_id],
    )


def somebody_could(matter: Matter) -> bool:
    """Whether somebody in the office may decide it, today or once they are no longer new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT decide_somebody_could(%s, %s::uuid[], %s)",
            [matter.case.pk if matter.case is not None else None, list(matter.besides), matter.needs],
        )
        return bool(cursor.fetchone()[0])


def who_could(matter: Matter) -> set[uuid.UUID]:
    """Everybody in the office who may decide it, today or once they are no longer new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT decide_who_could(%s, %s::uuid[], %s)",
            [matter.case.pk if matter.case is not None else None, list(matter.besides), matter.needs],
        )
        return {row[0] for row in cursor.fetchall()}


def asked_about(notice: Notice | None) -> tuple[QuerySet[Notice], QuerySet[Reviewer]]:
    """What `alone_with` asks, for a page that asks much in one statement."""
    if notice is None:
        return Notice.objects.none(), Reviewer.objects.none()
    named = Reviewer.objects.filter(matter=notice.subject, ended_at__isnull=True)
    return _without_anybody(Notice.objects.filter(pk=notice.pk)), named.order_by("at", "id")


def _without_anybody(found: QuerySet[Notice]) -> QuerySet[Notice]:
    could = Func(
        F("case_id"),
        Func(F("proposed_by_id"), template="ARRAY[%(expressions)s]"),
        Func(F("rank"), template="CASE %(expressions)s WHEN 'director' THEN 'director' ELSE 'second' END"),
        function="decide_somebody_could",
        output_field=BooleanField(),
    )
    return found.order_by().alias(could=could).filter(could=False)


def could_anybody(case: str, needs: Needs) -> Func:
    """For a query of another room: whether somebody in the office could decide something of its `case`."""
    return Func(
        F(case),
        Value("{}"),
        Value(str(needs)),
        template="decide_somebody_could(%(expressions)s)",
        output_field=BooleanField(),
    )


def is_reviewer(user: User) -> bool:
    """Whether somebody is named now for any matter."""
    return Reviewer.objects.filter(user=user, ended_at__isnull=True).exists()


def reviews_of(user: User) -> list[Reviewer]:
    """For what somebody is named now."""
    return list(Reviewer.objects.filter(user=user, ended_at__isnull=True).select_related("case__application"))


def actor_of(user: User) -> str:
    """How the journal names whoever was named."""
    return f"reviewer:{user.pk}"


def who_can_name() -> list[User]:
    """The supervisors."""
    found = people.all_posts().filter(role="supervisor", user__is_active=True)
    return list({post.user_id: post.user for post in found}.values())


@transaction.atomic
def name_reviewer(*, matter: Matter, supervisor: User, reviewer: User, who: str, now: dt.datetime) -> Reviewer:
    """Let somebody from outside in for this one matter; again, when whoever was named does not decide. The caller has
    locked it, knows that it is still to be decided, and puts it on record. Raises NotAnOfficer, SomebodyCould, HadPart,
    ReasonNeeded.
    """
    if not people.is_supervisor(supervisor):
        raise NotAnOfficer(supervisor)
    if somebody_could(matter):
        raise SomebodyCould(matter.name)
    accounts = people.accounts_of(reviewer)
    had = {supervisor.pk, *matter.besides}
    had |= with_part_in(matter.case, [reviewer]) if matter.case is not None else set()
    in_office = people.all_posts().filter(user__in=accounts, role__in=[Role.OFFICER, Role.SUPERVISOR])
    if not accounts.isdisjoint(had) or in_office.exists():
        raise HadPart(reviewer)
    end(matter.name, now)
    named = Reviewer.objects.create(
        matter=matter.name,
        case=matter.case,
        needs=matter.needs,
        user=reviewer,
        named_by=supervisor,
        who=sentence(who),
        at=now,
    )
    application = None if matter.case is None else matter.case.application
    facts: dict[str, Any] = {"reference": matter.reference, "what": matter.title}
    if matter.due_at is not None:
        facts["due_at"] = matter.due_at
    letters.write_letter(
        to=reviewer,
        template="asked_to_review",
        about=matter.name if application is None else application.subject,
        context=facts | {"url": matter.page},
        now=now,
    )
    if application is not None:
        url = reverse("portal:status", args=[application.reference])
        facts |= {"who": named.who, "url": url, **access.on_behalf(application)}
        for reader in access.readers_of(application):
            letters.write_letter(
                to=reader, template="reviewer_named", about=application.subject, context=facts, now=now
            )
    return named


@transaction.atomic
def name_for_proposal(*, case: Case, supervisor: User, reviewer: User, who: str, now: dt.datetime) -> Reviewer:
    """The same for the proposal that stands in this case. Raises as `transitions.begin` does, too."""
    if not people.is_supervisor(supervisor):
        raise NotAnOfficer(supervisor)
    case = lock(case)
    begun = begin(case, "name_reviewer", by=supervisor, now=now)
    notice = queries.open_notice(case)
    assert notice is not None  # noqa: S101 - the move exists only while one stands
    notice.case = case
    matter = of_notice(notice, case_clock.second_by(notice, now))
    named = name_reviewer(matter=matter, supervisor=supervisor, reviewer=reviewer, who=who, now=now)
    record(case, "named_reviewer", begun.actor, now)
    return named


def end(matter: str, now: dt.datetime) -> None:
    """It is decided, or somebody else is named: whoever was, reads nothing of it any more."""
    Reviewer.objects.filter(matter=matter, ended_at__isnull=True).update(ended_at=now)


def told(notice: Notice) -> dict[str, bool]:
    """For the letter of a proposal: whether nobody else in the office may decide it."""
    return {} if somebody_could(of_notice(notice)) else {"alone": True}


@dataclass(frozen=True)
class Alone:
    """Nobody in the office may decide a proposal: who decides it, if somebody was named, and who can name them."""

    reviewer: Reviewer | None
    supervisors: Sequence[User] = ()


def alone_with(notice: Notice | None, asked: tuple[Iterable[Notice], Iterable[Reviewer]] | None = None) -> Alone | None:
    """None where somebody in the office may second it. `asked`: `asked_about`, where that was asked."""
    without, named = asked_about(notice) if asked is None else asked
    reviewer: Reviewer | None = next(iter(named), None)
    return Alone(reviewer, who_can_name()) if reviewer is not None or list(without) else None


def erase_who(matter: str, box: Box) -> None:
    """Of a matter without a file, when its time of keeping is over; of others that goes with the file."""
    rows = Reviewer.objects.filter(matter=matter, case__isnull=True)
    box.take(rows)
    for row in rows:
        row.who = ""
        row.save(update_fields=["who"])


# -- who had a part ------------------------------------------------------------------------------------------------


def with_part_in(case: Case, found: Collection[User]) -> set[uuid.UUID]:
    """Those of them who had a part in the case: who applied or acts for whoever did, proposed, decided, asked, took it,
    recorded a check, or left it to others. In whatever post."""
    keys = [each.pk for each in found]
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT each FROM unnest(%s::uuid[]) AS each WHERE decide_had_part(%s, each)", [keys, case.pk])
        had = {row[0] for row in cursor.fetchall()}
    return had | conflicts_of_interest.with_part_in(case.application, found)


def cases_with_part_of(user: User, found: Collection[Case]) -> set[uuid.UUID]:
    """Those of the cases in which this person had a part, in one question."""
    keys = [each.pk for each in found]
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT each FROM unnest(%s::uuid[]) AS each WHERE decide_had_part(each, %s)", [keys, user.pk])
        return {row[0] for row in cursor.fetchall()}


# -- figures -------------------------------------------------------------------------------------------------------


def named_lately(now: dt.datetime) -> int:
    """For how many matters somebody from outside was named in the last year. No complaint is counted: whoever sent one
    would learn that something is registered."""
    found = Reviewer.objects.filter(at__gt=now - COUNTED).exclude(needs=Needs.COMPLAINT)
    return found.values("matter").distinct().count()


def waiting_for_nobody() -> int:
    """How many proposals wait that nobody in the office may second, with nobody from outside named for them."""
    standing = Notice.objects.filter(withdrawn_at__isnull=True, concluded_at__isnull=True)
    ripe = standing.filter(Q(answered_at__isnull=False) | Q(ran_out_at__isnull=False))
    return without_reviewer([each.subject for each in _without_anybody(ripe)])


def without_reviewer(matters: Sequence[str]) -> int:
    """For how many of these matters nobody from outside is named."""
    named = Reviewer.objects.filter(matter__in=matters, ended_at__isnull=True)
    return len(matters) - named.count() if matters else 0
