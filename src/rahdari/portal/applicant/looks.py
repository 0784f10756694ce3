"""Who looked at a holder's or an applicant's data: who (by role), what, why. Looks of a day at the same are one."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.decide import queries as decide
from rahdari.decide import words
from rahdari.journal import queries as journal
from rahdari.register.models import Registration

SHOWN = 100


@dataclass(frozen=True)
class Look:
    """In words. `at` is the last of `count` looks of that day."""

    at: dt.datetime
    count: int
    who: str
    what: str
    why: str


def looks_at_registration(found: Registration) -> list[Look]:
    """At it, and at every application that led to it or is about it, from the first day on."""
    return _looks({f"registration:{found.pk}", found.origin, *apply.subjects_about(found)})


def looks_at_application(found: Application) -> list[Look]:
    return _looks([found.subject])


def _looks(subjects: Iterable[str]) -> list[Look]:
    zone = decide.policy_in_force().calendar.zone_info
    return [_said(each) for each in journal.looks_at(subjects, zone=zone)[:SHOWN]]


def _said(looks: journal.Looks) -> Look:
    who = {
        "officer": _("Officer"),
        "supervisor": _("Supervisor"),
        "administrator": _("Administrator"),
        "operator": _("Operator"),
        "association": _("Association"),
        "person": _("Somebody with your account or company"),
        "agent": _("An agent of yours"),
        "public": _("A member of the public"),
    }.get(looks.actor.partition(":")[0], _("The program"))
    what, why = {
        "decide.read_case": (_("The whole file of the application"), ""),
        "apply.read_application": (_("The whole file of the application"), ""),
        "apply.read_document": (_("One document"), ""),
        "decide.read_contact": (_("The contact details"), ""),
        "decide.read_listed_name": (_("The name that a list has under your number"), ""),
        "decide.read_list": (
            _("Whether it was granted or refused, as one in a count. No name and no number was shown.")
            if looks.reason == "same_number"
            else _("One line in a list of applications: its number, with the name and the results or with an address"),
            "",
        ),
        "decide.read_search": (
            _("The number of your case, found by the name or an address in it"),
            _("A demand: %(demand)s") % {"demand": f"\u2068{looks.ground}\u2069"} if looks.reason == "demand" else "",
        ),
        "archive.read_sealed": (
            _("Everything that had been sealed"),
            _("On this ground: %(ground)s") % {"ground": f"\u2068{looks.ground}\u2069"},
        ),
        "attest.read_matter": (_("What was said about your membership"), _("To decide about the membership")),
        "portal.read_number": (_("Whether the number is valid, and until when"), _("Number checked")),
        "portal.read_certificate": (
            _("The name of the holder, and whether the certificate is valid, and until when"),
            _("Certificate checked"),
        ),
    }.get(looks.act, (_("A part of your data"), ""))
    return Look(looks.at, looks.count, who, what, why or words.why(looks.reason) or _("No reason was recorded"))
