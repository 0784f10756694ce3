"""For whom a person acts, or acted not long ago. Reached through `queries`."""

import datetime as dt
import uuid

from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce

from rahdari.journal import queries as journal

from .models import Organisation, User

# Nobody decides for whom they spoke so short a time before: a part that ended is a part for this long.
PART_LASTS = dt.timedelta(days=365)


def parts_of(user: User) -> dict[uuid.UUID, dt.datetime | None]:
    """Everybody for whom this person acts or acted: themselves, and organisations as a member or an agent. By the
    holder's reference, with the moment at which it ended; None while it goes on.
    """
    left = {
        organisation: at
        for subject, at in journal.left_by(f"person:{user.pk}").items()
        if (organisation := subject.removeprefix("organisation:")) != subject
    }
    concerned = Organisation.objects.filter(Q(pk__in=left) | Q(memberships__user=user) | Q(mandates__agent=user))
    rows = concerned.annotate(
        belongs=Count("memberships", filter=Q(memberships__user=user)),
        acted=Max(Coalesce("mandates__ended_at", "mandates__valid_until"), filter=Q(mandates__agent=user)),
    ).values_list("pk", "holder_ref", "belongs", "acted")
    return {user.holder_ref: None} | {
        holder: None if belongs else max(at for at in (acted, left.get(str(pk))) if at is not None)
        for pk, holder, belongs, acted in rows
    }


def has_part(parts: dict[uuid.UUID, dt.datetime | None], holder: uuid.UUID, since: dt.datetime) -> bool:
    """Whether one of the `parts` of a person is in this holder, for a matter that began at `since`."""
    return holder in parts and ((until := parts[holder]) is None or until > since - PART_LASTS)
