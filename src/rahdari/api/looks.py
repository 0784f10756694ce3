"""Who looked at the data of an applicant or a holder, as the pages tell it."""

from collections.abc import Iterable

from rahdari.applicant.access_log import Look, looks_at_application, looks_at_registration
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import plain
from rahdari.programs.schema import MOMENT, closed, listed, text, whole

from . import applications, registrations
from .interface import API, Call
from .serializers import stamp

read_applications = API.part(applications.TAG, applications.READ)
read_registrations = API.part(registrations.TAG, registrations.READ)

LOOK = closed({"at": MOMENT, "count": whole(1, 10**9), "who": text(200), "what": text(300), "why": text(500)})
OK = Ok(
    "The last looks, the newest first; officers by their post. Looks of one day at the same thing are one: `at` is the "
    "last of them. One is not among them: an officer's look after a card number that another account gave too.",
    closed({"items": listed(LOOK)}),
)
SUMMARY = "Who looked at your data"


@read_applications("GET", f"{applications.ONE}/looks", OK)
def list_looks_at_application(call: Call, reference: str) -> Answer:
    """Who looked at your data."""
    return _answer(looks_at_application(applications.own(call, reference).row, call.now))


@read_registrations("GET", f"{registrations.ONE}/looks", OK)
def list_looks(call: Call, reference: str) -> Answer:
    """Who looked at your data."""
    return _answer(looks_at_registration(registrations.own(call, reference), call.now))


def _answer(looks: Iterable[Look]) -> Answer:
    found = [
        {
            "at": stamp(each.at),
            "count": each.count,
            "who": plain(each.who),
            "what": plain(each.what),
            "why": plain(each.why),
        }
        for each in looks
    ]
    return Answer({"items": found})
