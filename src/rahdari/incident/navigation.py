"""The links at the top of the pages of officers and operators."""

import datetime as dt

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.db import together
from rahdari.web.context import Link

from . import queries


def for_officers(*, here: bool) -> together.Part:
    """With how many wait for the desk, read with what the other links of the page count."""
    found = together.totals(queries.at_desk(), number=Count("*"))

    def shown() -> Link:
        place = reverse("incident:incidents")
        return Link(_("Disruptions"), place, here=here, count=found[0]["number"], count_words=_("for the desk"))

    return together.Part([found], shown)


def for_operator(operator: str, *, here: bool, now: dt.datetime) -> Link:
    waiting = queries.waiting_for(operator, now).count()
    words = ngettext("waits for you", "wait for you", waiting)
    return Link(_("Disruptions"), reverse("incident:of_operator"), here=here, count=waiting, count_words=words)
