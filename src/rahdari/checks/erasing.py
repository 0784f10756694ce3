"""What checks rested on, when its time of keeping is over."""

from collections.abc import Collection

from rahdari.archive.actions import Box

from .models import Check


def erase_findings(*, subjects: Collection[str], box: Box) -> None:
    """Of these subjects: what checks rested on. That there were such, when, and with which outcome, stays."""
    found = Check.objects.filter(subject__in=subjects)
    box.take(found)
    for check in found:
        check.facts, check.evidence, check.how = {"erased": True}, {}, ""
        check.save(update_fields=["facts", "evidence", "how"])
