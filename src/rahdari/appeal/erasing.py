"""What was written in appeals, when the file's time of keeping is over."""

from rahdari.apply.models import Application
from rahdari.archive.actions import Box

from .models import Appeal, Point, Served


def erase_words(*, application: Application, box: Box) -> None:
    """The words of appeals and decisions. What was appealed against, when, by which grounds, and what came of
    it, stays. The application is marked as erased before, or the database refuses."""
    found = Appeal.objects.filter(case__application=application)
    for rows in (
        found,
        Point.objects.filter(appeal__in=found),
        Served.objects.filter(case__application=application),
    ):
        box.take(rows)
    for appeal in found:
        appeal.words, appeal.text = "", ""
        appeal.save(update_fields=["words", "text"])
    for point in Point.objects.filter(appeal__in=found):
        point.why = ""
        point.save(update_fields=["why"])
    for served in Served.objects.filter(case__application=application):
        served.how = ""
        served.save(update_fields=["how"])
