"""What was found of papers, in a sentence. Reached through `words`."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.web.values import code

from .models import Check
from .saying import fill


def all_there(check: Check, evidence: dict[str, Any]) -> SafeString:
    if not evidence["needed"]:
        return fill(_("No document is required."))
    sentence = ngettext(
        "The %(count)s required document is there.", "The %(count)s required documents are there.", evidence["needed"]
    )
    return fill(sentence, count=evidence["needed"])


def to_be_read(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(_("The documents are there. An officer reads them."))


def seen_before(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(
        _(
            "The documents were checked with %(applications)s and are still accepted. The documents themselves "
            "are not kept."
        ),
        applications=code(evidence["seen_with"]),
    )


def noted_only(check: Check, evidence: dict[str, Any]) -> SafeString:
    return fill(
        _(
            "The documents were sent with %(applications)s, where this check did not pass, and are not kept. "
            "An officer looks at it."
        ),
        applications=code(evidence["seen_with"]),
    )


def missing(check: Check, evidence: dict[str, Any]) -> SafeString:
    sentence = ngettext(
        "%(given)s of %(count)s required document is there.",
        "%(given)s of %(count)s required documents are there.",
        evidence["needed"],
    )
    return fill(sentence, given=evidence["given"], count=evidence["needed"])
