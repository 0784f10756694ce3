"""What the pages say of providers, of their licences and of what changes."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.policy import Licensee, Licensees
from rahdari.web.allowances import in_words
from rahdari.web.values import day, plain_name

from . import rules
from .queries import Told
from .rules import Standing, What

# What is told where users are worse off.
TOLD = ("why", "turn_to", "at_once")
TONES = {Standing.VALID: "ok", Standing.TO_COME: "info", Standing.ENDS: "wait", Standing.ENDED: "off"}


def standing(one: Licensee, today: dt.date) -> tuple[str, str]:
    """In words, and their tone. Of one that was only reported nobody here knows that it is valid."""
    found = rules.standing(one, today)
    if found is Standing.VALID and one.valid_from is None:
        return pgettext("a licence", "Reported"), "info"
    words = {
        Standing.TO_COME: pgettext("a licence", "Begins later"),
        Standing.VALID: pgettext("a licence", "Valid"),
        Standing.ENDS: pgettext("a licence", "Ends"),
        Standing.ENDED: pgettext("a licence", "Ended"),
    }
    return words[found], TONES[found]


def ground(name: str) -> str:
    """On what it rests that a licence says so."""
    return {
        "in_force": pgettext("rule of a licence", "In force"),
        "reported": pgettext("rule of a licence", "Reported, the text was not found"),
        "draft": pgettext("rule of a licence", "A draft, not known to be in force"),
    }[name]


def terms(found: Licensees, key: str, language: str) -> dict[str, object]:
    """The licence `key`, as its pages show it."""
    licence = found.licences[key]
    conditions, records = (
        [
            {
                "text": each.text.in_language(language),
                "ground": ground(each.ground),
                "source": each.source.in_language(language),
                "link": each.link,
                "kept": in_words(each.keep) if each.keep is not None else "",
                "valid_from": each.valid_from,
            }
            for each in terms
        ]
        for terms in (licence.conditions, licence.records)
    )
    told = {name: said.in_language(language) for name in TOLD if (said := getattr(licence, name)) is not None}
    return told | {"title": licence.title.in_language(language), "conditions": conditions, "records": records}


def change(told: Told, language: str) -> str:
    """In a sentence, with the day from which it counts."""
    begins = getattr(told.about, "valid_from", None)
    values = {"name": plain_name(told.name(language)), "day": day(told.change.on)}
    values["begins"] = day(begins) if begins is not None else ""
    return {
        What.LISTED: _("%(name)s has a licence from %(day)s."),
        What.CHANGED: _("What is listed of %(name)s changed on %(day)s."),
        What.PROLONGED: _("The licence of %(name)s continues after the day announced before (list of %(day)s)."),
        What.ENDS: _("%(name)s ends: %(day)s is its last day."),
        What.LATER: _("%(name)s has no licence from %(day)s on, until its new first day: %(begins)s."),
        What.OTHER: _("%(name)s is listed with another name, product or kind of licence from %(day)s."),
        What.TERMS: _("From %(day)s this licence demands something else: %(name)s"),
    }[told.change.what] % values
