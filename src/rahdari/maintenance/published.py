"""What everybody may read of announced work: whose, when, why, and how it stands. Nothing of what it affects."""

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rahdari.web.values import moment

from .models import Work
from .rules import State


def announced(*, since: dt.datetime) -> QuerySet[Work]:
    """What is announced, runs or ended since then, the latest first."""
    found = Work.objects.exclude(state=State.DRAFT).filter(ends_at__gte=since)
    return found.select_related("operator").order_by("-starts_at", "id")


def window(work: Work) -> str:
    """With its days: it is read elsewhere, on any other day."""
    if work.starts_at is None or work.ends_at is None:
        return ""
    return _("%(start)s to %(end)s") % {"start": moment(work.starts_at), "end": moment(work.ends_at)}
