"""The link at the top of an officer's pages."""

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.db import together
from rahdari.web.context import Link

from . import queries


def for_officers(*, here: bool) -> together.Part:
    """With how many texts of operators wait to be read, read with what the other links of the page count."""
    found = together.totals(queries.wordings_to_read(), number=Count("*"))

    def shown() -> Link:
        waiting = found[0]["number"]
        words = ngettext("text to read", "texts to read", waiting)
        return Link(_("Planned work"), reverse("maintenance:desk_works"), here=here, count=waiting, count_words=words)

    return together.Part([found], shown)
