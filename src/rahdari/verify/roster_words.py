"""What a list says of a number, and whose the number is, in a sentence. Reached through `words`."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.web.values import day

from .models import Check
from .saying import fill


def roster_title(roster: str) -> str:
    """Whose list it is; in Urdu the form that stands before «کی فہرست»."""
    return {
        "companies": pgettext("list of", "companies"),
        "active_taxpayers": pgettext("list of", "active taxpayers"),
        "association_members": pgettext("list of", "association members"),
    }.get(roster, roster)


def _roster(sentence_for: Any) -> Any:
    def say(check: Check, evidence: dict[str, Any]) -> SafeString:
        values: dict[str, object] = {"roster": roster_title(evidence.get("roster", ""))}
        if evidence.get("imported_on"):
            values["date"] = day(dt.date.fromisoformat(evidence["imported_on"]))
        if evidence.get("valid_until"):
            values["until"] = day(dt.date.fromisoformat(evidence["valid_until"]))
        return fill(sentence_for(evidence), **values)

    return say


def _listed(evidence: dict[str, Any]) -> str:
    return {
        "same": _("The number is on the list of %(roster)s of %(date)s, and the name is the same."),
        "same_but_form": _(
            "The number is on the list of %(roster)s of %(date)s. The name is the same except for the kind of company."
        ),
        "alike": _(
            "The number is on the list of %(roster)s of %(date)s. The name is the same except for its spelling."
        ),
    }.get(
        evidence["name"],
        # Of checks that passed before a name was needed.
        _("The number is on the list of %(roster)s of %(date)s. There was no name to compare."),
    )


FINDINGS: dict[str, Callable[[Check, dict[str, Any]], SafeString]] = {
    "listed": _roster(_listed),
    "listed_and_shown": _roster(
        lambda _e: _("The number is on the list of %(roster)s of %(date)s, and the contact there is this account’s.")
    ),
    "listed_not_shown": _roster(
        lambda _e: _(
            "The number is on the list of %(roster)s of %(date)s. Nothing shows whose it is, since others know "
            "it too. This alone is no reason for a refusal."
        )
    ),
    "represents_already": _roster(lambda _e: _("It was shown before that this account may apply with this number.")),
    "mail_of_contact": _roster(
        lambda _e: _("This account signs in with the very address that the list of %(roster)s has for this number.")
    ),
    "mail_at_domain": _roster(
        lambda _e: _(
            "The email address of this account is at the domain that the list of %(roster)s has for this number."
        )
    ),
    "code_from_contact": _roster(
        lambda e: {
            "mobile": _("The code sent to the mobile number on the list of %(roster)s was entered."),
        }.get(e.get("way", ""), _("The code sent to the email address on the list of %(roster)s was entered."))
    ),
    "not_shown": _roster(
        lambda _e: _(
            "Nothing shows yet that this account may apply for the company. An officer looks at it. This alone "
            "is no reason for a refusal."
        )
    ),
    "representative_agrees": _roster(
        lambda _e: _("The organisation registered under this number agreed to this application.")
    ),
    "representative_denies": _roster(
        lambda _e: _("The organisation registered under this number answered no: the application is not from them.")
    ),
    "representative_silent": _roster(
        lambda _e: _("The organisation registered under this number did not answer in time. An officer looks at it.")
    ),
    "number_used_once": _roster(lambda _e: _("Nobody else has applied with this card number.")),
    "number_used_elsewhere": _roster(
        lambda _e: _("Somebody else has given this card number too. An officer looks at it. Nobody is blamed for it.")
    ),
    "not_listed": _roster(lambda _e: _("The number is not on the list of %(roster)s of %(date)s.")),
    "listed_not_active": _roster(
        lambda _e: _("The number is on the list of %(roster)s of %(date)s, but not as active.")
    ),
    "listed_expired": _roster(
        lambda _e: _("The number is on the list of %(roster)s of %(date)s, but only until %(until)s.")
    ),
    "listed_under_another_name": _roster(
        lambda _e: _("The number is on the list of %(roster)s of %(date)s under another name.")
    ),
    "listed_without_a_name": _roster(
        lambda _e: _(
            "The number is on the list of %(roster)s of %(date)s, but there is no name to compare. "
            "An officer looks at it."
        )
    ),
    "no_roster": _roster(
        lambda _e: _("We have no list of %(roster)s at the moment, so an officer checks the number by hand.")
    ),
    "no_number": _roster(lambda _e: _("No number was given to look up on the list of %(roster)s.")),
}
