"""What was written about a file in a second look, when the file's time of keeping is over."""

from rahdari.apply.models import Application
from rahdari.archive.actions import Box

from .models import SecondLook


def erase_words(*, application: Application, box: Box) -> None:
    """The sentences. What was found, by which codes, and what was done about it stays. The application is marked as
    erased before, or the database refuses."""
    found = SecondLook.objects.filter(decision__case__application=application)
    box.take(found)
    for look in found:
        look.text, look.closed_text = "", ""
        look.save(update_fields=["text", "closed_text"])
