"""What a regional registry said of a block, and what was signed in the RPKI, in sentences of the reader's language."""

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rahdari.web.values import code, ltr, name

from . import proof_words
from .models import Attempt
from .saying import Said, clock, fill


def role(key: str) -> str:
    match key:
        case "technical" | "noc":
            return _("Technical contact")
        case "administrative" | "registrant":
            return _("Administrative contact")
    return _("Contact for reports of misuse")


def of_look(attempt: Attempt) -> Said:
    """What one question to a registry came to, or one code."""
    evidence = attempt.evidence
    values = {
        "time": clock(attempt.at),
        "registry": name(evidence.get("registry", "")),
        "first": code(evidence.get("first", "")),
        "last": code(evidence.get("last", "")),
        "domain": ltr(evidence.get("domain", "")),
    }
    tone, short, text = _found(attempt.finding)
    return Said(tone, short, short, fill(text, **values))


def _found(finding: str) -> tuple[str, str, str]:
    match finding:
        case "line_found":
            return "ok", _("Proved"), _("At %(time)s the line was in the record of %(registry)s.")
        case "no_line":
            return (
                "bad",
                _("The line is not there yet"),
                _("At %(time)s %(registry)s had a record from %(first)s to %(last)s, without the line in its remarks."),
            )
        case "other_line":
            return (
                "bad",
                _("Another line is there"),
                _("At %(time)s the record of %(registry)s had a line of ours with another text. Copy it once more."),
            )
        case "contacts":
            return "wait", _("Contacts found"), _("%(registry)s names contacts for the range. Choose one.")
        case "no_contacts":
            return (
                "bad",
                _("No contact with email"),
                _("%(registry)s has no email address for the range. Choose another method."),
            )
        case "code_sent":
            return "wait", _("Code sent"), _("At %(time)s a code was sent to a contact at %(domain)s.")
        case "code_wrong":
            return "bad", _("The code was not right"), _("At %(time)s the code entered was not the one we sent.")
        case "code_right":
            return "ok", _("Proved"), _("At %(time)s the code that we had sent to %(domain)s was entered.")
        case "no_record":
            return "bad", _("No record"), _("At %(time)s %(registry)s had no record of the range.")
        case "not_covered":
            return (
                "bad",
                _("The record covers less"),
                _("%(registry)s has a record from %(first)s to %(last)s, which is not the whole range."),
            )
        case "busy":
            return "wait", _("The registry is busy"), _("At %(time)s %(registry)s asked us to come back later.")
        case "unreachable" | "no_registry":
            return (
                "off",
                _("The registry could not be asked"),
                _("At %(time)s we could not ask the registry. The fault is on our side. Another method is quicker."),
            )
    return "off", _("The registry could not be read"), _("At %(time)s %(registry)s gave an answer that we cannot read.")


def of_rpki(found: dict[str, Any]) -> SafeString:
    """What the holder of the space has signed about the network that announces it."""
    sentence, values = proof_words.of_rpki(found)
    return fill(sentence, **values)
