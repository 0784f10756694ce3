"""What was complained of a file, when the file's time of keeping is over."""

import datetime as dt

from rahdari.apply.models import Application
from rahdari.archive.actions import Box

from . import actions
from .models import Complaint


def erase_words(*, application: Application, box: Box, now: dt.datetime) -> None:
    """Of each complaint its words, the answer and why, and who sent it. That there was one, and what came of it,
    stays."""
    for complaint in Complaint.objects.filter(case__application=application, erased_at__isnull=True):
        actions.erase(complaint, box, now)
