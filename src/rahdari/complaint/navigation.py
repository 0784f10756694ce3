"""The link at the top of an officer's pages."""

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.db import together
from rahdari.web.context import Link

from . import queries


def for_officers(*, here: bool) -> together.Part:
    """With how many are open, read with what the other links of the page count."""
    found = together.totals(queries.open_ones(), number=Count("*"))

    def shown() -> Link:
        place = reverse("complaint:complaints")
        return Link(
            _("Complaints"), place, here=here, count=found[0]["number"], count_words=pgettext("complaints", "open")
        )

    return together.Part([found], shown)
