"""What was found, in a sentence of the reader's language. Evidence is data; this is the only place that words it.

Every address, code and figure that a right-to-left text would turn round is isolated by the value, not the sentence.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from rahdari.control import registry_words
from rahdari.control.sentences import fill
from rahdari.web.values import clock_time, code, day, ltr, name

from .check_kind import By, Counted, Sentence
from .kinds import KINDS, finding_sentences
from .models import Check

WAITS = gettext_lazy("This check has not been answered yet.")

# -- checks ------------------------------------------------------------------------------------------------------


def of_check(check: Check) -> SafeString:
    """What a check found, in one or two sentences."""
    if check.facts.get("erased"):
        return fill(_("What was found can no longer be read here: the period of the file has ended."))
    said = _filled(_sentence(check), check)
    rpki = check.evidence.get("rpki")
    return format_html("{} {}", said, registry_words.of_rpki(rpki)) if rpki else said


def of_holders(check: Check) -> str:
    """For officers alone: what those said who are registered under the number that is given, where they were asked."""
    if not check.facts.get("asked") or check.facts.get("answer") == "yes":
        return ""
    if check.facts.get("answer") == "no":
        return _("Somebody is registered under this number, and answered no: the application is not from them.")
    return _("Somebody is registered under this number. They were asked, and have not answered yet.")


def title_of(check: Check, language: str) -> str:
    return check.title.get(language) or check.title.get("en") or check.kind


def roster_title(roster: str) -> str:
    """Whose list it is; in Urdu the form that stands before «کی فہرست»."""
    return {
        "companies": pgettext("list of", "companies"),
        "active_taxpayers": pgettext("list of", "active taxpayers"),
        "association_members": pgettext("list of", "association members"),
    }.get(roster, roster)


def _sentence(check: Check) -> Sentence:
    if (said := finding_sentences().get(check.finding)) is not None:
        return said
    kind = KINDS.get(check.kind)
    if kind is None:
        return WAITS
    return next((words for fact, words in kind.waiting_if.items() if check.facts.get(fact)), kind.waiting) or WAITS


class _Values(dict[str, Any]):
    """What a sentence asks for by name, of this check; each is made when it is asked for."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check

    def __missing__(self, name: str) -> str:
        return conditional_escape(str(VALUES[name](self.check.facts, self.check.evidence)))


def _filled(sentence: Sentence, check: Check) -> SafeString:
    values = _Values(check)
    if isinstance(sentence, By):
        sentence = sentence.sentences.get(str(check.evidence.get(sentence.key)), sentence.otherwise)
    if isinstance(sentence, Counted):
        values["count"] = check.evidence.get(sentence.key, 0)
        sentence = sentence.none if sentence.none and not values["count"] else sentence.sentence
    said = sentence % values if "%(" in (str(sentence) or "%(") else escape(sentence)
    return SafeString(said)


def _date(_facts: Any, evidence: Any) -> SafeString | str:
    """Of what was found: each finding has one of these."""
    for key in ("paid_at", "proved_at", "since", "at"):
        if evidence.get(key):
            return day(dt.datetime.fromisoformat(evidence[key]))
    return day(dt.date.fromisoformat(evidence["imported_on"])) if evidence.get("imported_on") else ""


def _in_language(said: Mapping[str, str] | None) -> str:
    both = said or {}
    return both.get(get_language() or "en") or both.get("en", "")


# The places in the sentences of `kinds`, from the facts and the evidence of a check.
VALUES: dict[str, Callable[[Any, Any], object]] = {
    "block": lambda facts, _: code(facts.get("block", "").removesuffix("/32").removesuffix("/128")),
    "date": _date,
    "time": lambda _, found: ltr(clock_time(dt.datetime.fromisoformat(found["proved_at"]))),
    "until": lambda _, found: day(dt.date.fromisoformat(found["valid_until"])) if found.get("valid_until") else "",
    "begins": lambda _, found: day(dt.date.fromisoformat(found["valid_from"])) if found.get("valid_from") else "",
    "operator": lambda _, found: name(found.get("operator", "")),
    "asn": lambda _, found: ltr(f"AS{found['asn']}"),
    # Of an operator, in both languages.
    "why": lambda _, found: _in_language(found.get("why")),
    "roster": lambda facts, found: roster_title(found.get("roster") or facts.get("roster", "")),
    "association": lambda _, found: _in_language(found.get("association")),
    "claim": lambda _, found: _in_language(found.get("claim")),
    "number": lambda _, found: ltr(found.get("attestation", "")),
    "domain": lambda _, found: ltr(found.get("domain", "")),
    "invoice": lambda _, found: ltr(found.get("invoice", "")),
    "amount": lambda _, found: ltr(f"{found.get('currency', '')} {found.get('amount', '')}"),
    "given": lambda _, found: found["given"],
    "applications": lambda _, found: code(found["seen_with"]),
}
