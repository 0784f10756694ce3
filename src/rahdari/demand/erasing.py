"""What demands said of a file, when its time of keeping is over."""

from rahdari.apply.models import Application
from rahdari.archive.actions import Box

from .models import Demand


def erase_words(*, application: Application, box: Box) -> None:
    """Who demanded something, when, by which law, and with what outcome, stays. The application is marked as erased
    before, or the database refuses."""
    found = Demand.objects.filter(case__application=application)
    box.take(found)
    for demand in found:
        demand.signed_by, demand.wanted, demand.answer = "", "", ""
        demand.save(update_fields=["signed_by", "wanted", "answer"])
