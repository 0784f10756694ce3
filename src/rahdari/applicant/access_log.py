"""Who looked at a holder's or an applicant's data: who (by role), what, why. Looks of a day at the same are one."""

import datetime as dt
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.db.asked import Asked, Later
from rahdari.decide import case_clock, words
from rahdari.decide.decided import UNTOLD
from rahdari.demand import queries as demands
from rahdari.journal import queries as journal
from rahdari.journal import registry
from rahdari.register.models import Registration
from rahdari.vouch.queries import REFERENCE

DEMAND = "demand"
# Reads of a whole file, by officers alone.
OPENS_A_FILE = frozenset({"decide.read_case", "sampling.read_file", "appeal.read"})


@dataclass(frozen=True)
class Look:
    """In words. `at` is the last of `count` looks of that day. `is_of_file`: an officer opened the whole file."""

    at: dt.datetime
    count: int
    who: str
    what: str
    why: str
    is_of_file: bool = False


def looks_at_registration(found: Registration, now: dt.datetime) -> list[Look]:
    """At it, and at every application that led to it or is about it, from the first day on."""
    return _looks(subjects_of({found.origin, *apply.subjects_about(found)}, found), now)


def looks_at_application(found: Application, now: dt.datetime) -> list[Look]:
    return _looks(subjects_of({found.subject}), now)


def subjects_of(applications: Set[str], registration: Registration | None = None) -> list[str]:
    """All under which a look at a holder's data may stand on record: these applications and this registration, the
    addresses that were asked to be shared, what a client was asked, and what associations say of the holder. Whatever
    operators are asked stands under the application, and of a line that changed its operator under the registration.
    """
    own = [] if registration is None else [f"registration:{registration.pk}"]
    return [*own, *applications, *_around([each.removeprefix("application:") for each in applications])]


def was_opened(looks: Iterable[Look]) -> bool:
    """Whether an officer has ever had the whole file before them; a line in a list is none."""
    return any(look.is_of_file for look in looks)


def _asked_around(keys: list[str]) -> Any:
    # In their order, in which their values come back; that of a set is another each time.
    applications = dict.fromkeys(f"application:{key}" for key in keys).keys()
    of_rooms = [each(applications) for each in optional.given(__package__, "looked_at_under")]
    clients = REFERENCE.subjects(checks.check_subjects(applications))
    return clients.union(*of_rooms).order_by()


_around: Asked[Any] = Asked(_asked_around)


def looks_later(found: Application) -> Later[Any]:
    """What `looks_at_application` asks first, for `together.ahead`."""
    return _around.later([str(found.pk)])


def _looks(subjects: Iterable[str], now: dt.datetime) -> list[Look]:
    zone = case_clock.policy_in_force().calendar.zone_info
    found = journal.looks_at(subjects, zone=zone)
    # A number proves nothing: whoever typed somebody else's would read here that it is known, and its holder that
    # somebody typed it.
    found = [each for each in found if each.reason not in UNTOLD]
    if any(each.reason == DEMAND for each in found):
        # A law may forbid to tell of those, until a day. No program need run for it to come.
        hidden = demands.hidden_grounds(now)
        found = [each for each in found if each.reason != DEMAND or each.ground not in hidden]
    return [_look(each) for each in found]


def _look(looks: journal.Looks) -> Look:
    act = registry.words_of(looks.act)
    who = {
        "officer": _("Officer"),
        "supervisor": _("Supervisor"),
        "administrator": _("Administrator"),
        "reviewer": _("Somebody from outside the office"),
        "operator": _("Operator"),
        "association": _("Association"),
        "person": _("Somebody with your account or company"),
        "agent": _("An agent of yours"),
        "public": _("A member of the public"),
    }.get(looks.actor.partition(":")[0], _("The program"))
    why = str(act.why) % {"ground": f"\u2068{looks.ground}\u2069"}
    if looks.reason == DEMAND:
        why = _("A demand: %(demand)s") % {"demand": f"\u2068{looks.ground}\u2069"}
    return Look(
        looks.at,
        looks.count,
        str(act.reader) or who,
        str(act.seen),
        why or words.why(looks.reason) or _("No reason was recorded"),
        looks.act in OPENS_A_FILE,
    )
