"""A clock of the policy in words."""

from django.utils.translation import ngettext

from rahdari.policy import Allowance


def in_words(allowance: Allowance) -> str:
    """A clock of the policy in words: "10 working hours"."""
    count = allowance.length
    words = {
        "minutes": ngettext("%(count)s minute", "%(count)s minutes", count),
        "hours": ngettext("%(count)s hour", "%(count)s hours", count),
        "working_hours": ngettext("%(count)s working hour", "%(count)s working hours", count),
        "working_days": ngettext("%(count)s working day", "%(count)s working days", count),
        "calendar_days": ngettext("%(count)s day", "%(count)s days", count),
        "years": ngettext("%(count)s year", "%(count)s years", count),
        "months": ngettext("%(count)s month", "%(count)s months", count),
    }
    return words[allowance.unit] % {"count": count}
