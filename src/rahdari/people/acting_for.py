"""For whom a person acts, or acted not long ago. Reached through `queries`."""

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import connection
from django.db.models import Exists, Max, OuterRef, Subquery, UUIDField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Substr

from rahdari.db import together
from rahdari.journal import queries as journal

from . import reading
from .models import Mandate, Membership, Organisation, User

# Nobody decides for whom they spoke so short a time before: a part that ended is a part for this long.
PART_LASTS = dt.timedelta(days=365)


def accounts_of(user: User) -> frozenset[uuid.UUID]:
    """The accounts of the person who has this one, as far as the register can know: this one, and others with the same
    confirmed mobile number or the same card. Asked once for a page that is only read.
    """
    known: Collection[uuid.UUID] | None = getattr(user, "its_accounts", None) if reading.ONLY.get() else None
    if known is None:
        known = [account for account, _of in accounts_of_each([user.pk])]
        vars(user)["its_accounts"] = known
    return frozenset(known)


def accounts_of_each(users: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Each account of each of these people, with theirs among `users`."""
    asked = "SELECT account, each FROM unnest(%s::uuid[]) AS each, people_accounts_of(each) AS account"
    with connection.cursor() as cursor:
        cursor.execute(asked, [list(users)])
        return cursor.fetchall()


def parts_of(user: User) -> dict[uuid.UUID, dt.datetime | None]:
    """Everybody for whom this person acts or acted, with any of their accounts: themselves, and organisations as a
    member or an agent. By the holder's reference, with the moment at which it ended; None while it goes on. Asked once
    for a page that is only read.
    """
    known: dict[uuid.UUID, dt.datetime | None] | None = vars(user).get("_parts") if reading.ONLY.get() else None
    if known is None:
        known = vars(user)["_parts"] = _parts_of(user)
        others = accounts_of(user) - {user.pk}
        for other in User.objects.filter(pk__in=others) if others else ():
            for holder, until in _parts_of(other).items():
                before = known.get(holder, until)
                known[holder] = None if until is None or before is None else max(until, before)
    return known


def _parts_of(user: User) -> dict[uuid.UUID, dt.datetime | None]:
    left = journal.left_by(f"person:{user.pk}")
    removed = left.filter(subject__startswith="organisation:").annotate(
        organisation=Cast(Substr("subject", len("organisation:") + 1), UUIDField())
    )
    members, mandates = Membership.objects.filter(user=user).order_by(), Mandate.objects.filter(agent=user).order_by()
    concerned = members.values("organisation").union(mandates.values("organisation"), removed.values("organisation"))
    of_it = {"organisation": OuterRef("pk")}
    rows = Organisation.objects.filter(pk__in=concerned).annotate(
        belongs=Exists(members.filter(**of_it)),
        acted=Subquery(
            mandates.filter(**of_it).values("organisation").values(at=Max(Coalesce("ended_at", "valid_until")))
        ),
        left=Subquery(removed.filter(**of_it).values("organisation").values(at=Max("at"))),
    )
    found: dict[uuid.UUID, dt.datetime | None] = {user.holder_ref: None}
    for holder, belongs, acted, until in rows.values_list("holder_ref", "belongs", "acted", "left"):
        found[holder] = None if belongs else max(at for at in (acted, until) if at is not None)
    return found


def who_has_part(users: Collection[uuid.UUID], organisation: Organisation, since: dt.datetime) -> set[uuid.UUID]:
    """Those of these accounts who have a part in an organisation, for a matter that began at `since`: as `parts_of` and
    `has_part` say of each, in one statement for all of them."""
    members = Membership.objects.filter(user__in=users, organisation=organisation).order_by().values("user")
    ended = Coalesce("ended_at", "valid_until")
    agents = Mandate.objects.annotate(over_at=ended).filter(
        agent__in=users, organisation=organisation, over_at__gt=since - PART_LASTS
    )
    named = {f"person:{user}": user for user in users}
    left = journal.ceased(f"organisation:{organisation.pk}").annotate(member=KT("detail__member"))
    gone = left.filter(at__gt=since - PART_LASTS, member__in=list(named)).values("member")
    acting = agents.order_by().values("agent")
    together.ask(members, acting, gone)
    found = {row["user"] for row in members} | {row["agent"] for row in acting}
    return found | {named[row["member"]] for row in gone}


def has_part(parts: dict[uuid.UUID, dt.datetime | None], holder: uuid.UUID, since: dt.datetime) -> bool:
    """Whether one of the `parts` of a person is in this holder, for a matter that began at `since`."""
    return holder in parts and ((until := parts[holder]) is None or until > since - PART_LASTS)
