"""People who work from home over what is registered: how many, the links for them, and the lines that stand.

Nothing here has the address of a line: the organisation is shown none. Whoever sits at a line agrees on the page of the
link, from that line; a program makes and ends links, and agrees for nobody.
"""

from django.utils.translation import gettext as _

from rahdari.applicant import remote as staff
from rahdari.people.rules import Act
from rahdari.policy import RemoteStaff
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, impossible, not_found, of_form
from rahdari.programs.schema import MOMENT, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.register.models import Registration
from rahdari.remote import actions, queries
from rahdari.remote.models import HomeConnection

from .interface import API, Call
from .registrations import ONE, held, valid
from .rules import Scope
from .serializers import stamp, stamp_or_none

manage = API.part("people who work from home", Scope.REMOTE_MANAGE)
AT = f"{ONE}/remote-staff"
MOST = 100_000
LINE = named(
    "HomeLine",
    closed(
        {
            "line": whole(1, 2**31),
            "state": choice("offered", "standing"),
            "link": or_null(text(500)),
            "link_ends_at": or_null(MOMENT),
            "agreed_at": or_null(MOMENT),
        }
    ),
)
STAFF = named(
    "RemoteStaff",
    closed(
        {
            "workers": whole(0, 2**31),
            "standing": whole(0, 2**31),
            "over": whole(0, 2**31),
            "room": whole(0, 2**31),
            "most": whole(0, 2**31),
            "lines": listed(LINE),
        }
    ),
)


def _rule(found: Registration) -> RemoteStaff:
    rule = staff.is_offered(found)
    if rule is None:
        raise impossible("no_remote_staff", _("Registrations of this service have no lines at home."))
    return rule


def _line(row: HomeConnection, call: Call) -> Json:
    """By its number. The link of one that nobody agreed to yet; never where a line is."""
    is_open = queries.is_open(row, call.now)
    return {
        "line": row.number,
        "state": "offered" if is_open else "standing",
        "link": queries.link_url(row) if is_open else None,
        "link_ends_at": stamp(row.link_ends_at) if is_open else None,
        "agreed_at": stamp_or_none(row.agreed_at),
    }


def _as_json(found: Registration, rule: RemoteStaff, call: Call) -> Json:
    found_ones = staff.staff_of(found, rule, call.now)
    return {**vars(found_ones), "lines": [_line(row, call) for row in found_ones.lines]}


@manage(
    "GET",
    AT,
    Ok("The number told, how many lines stand, and those that live, by their numbers.", STAFF),
    problems=IMPOSSIBLE,
)
def get_remote_staff(call: Call, reference: str) -> Answer:
    """How many work from home, and the lines.

    A line has a number and no name, and its address is shown to nobody here. A link that nobody agreed to yet stands
    beside its line: whoever has it may agree, and withdraw later, so it goes to one person.
    """
    found = held(call, reference, Act.ADDRESSES).row
    return Answer(_as_json(found, _rule(found), call))


@manage(
    "PUT",
    AT,
    Ok("With the new number; lines that stand stay.", STAFF),
    body=closed({"workers": whole(0, MOST)}),
    problems=IMPOSSIBLE,
)
def set_remote_workers(call: Call, reference: str) -> Answer:
    """Tell how many work from home.

    Only the number. There is room for as many links, up to what the policy has.
    """
    found, by = valid(call, reference, Act.ADDRESSES)
    rule = _rule(found)
    actions.set_workers(registration=found, workers=call.body["workers"], actor=by.actor, now=call.now)
    return Answer(_as_json(found, rule, call))


@manage(
    "POST",
    f"{AT}/links",
    Ok("The new links, one for each person.", closed({"items": listed(LINE)}), 201),
    body=closed({"count": whole(1, MOST)}),
    problems=REFUSED,
)
def make_remote_links(call: Call, reference: str) -> Answer:
    """Make links for more people.

    All of them, or none where there is no room for all. Send each to one person, as other messages are sent; they
    open it from home, read what is kept, and agree or not.
    """
    found, by = valid(call, reference, Act.ADDRESSES)
    rule, form = _rule(found), staff.LinksForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    try:
        count = form.cleaned_data["count"]
        made = staff.make_links(found, rule, count, actor=by.actor, now=call.now, id=call.id)
    except actions.TooManyLines as trouble:
        form.add_too_many(trouble.room)
        raise of_form(form) from None
    return Answer({"items": [_line(row, call) for row in made]}, 201)


@manage(
    "DELETE",
    f"{AT}/lines/{{line}}",
    Ok("It is off the register, and its link works no more.", status=204),
    problems=IMPOSSIBLE,
)
def end_remote_line(call: Call, reference: str, line: str) -> Answer:
    """End a line, or its link.

    `line` is its number. Ended twice it is ended once.
    """
    found, by = valid(call, reference, Act.ADDRESSES)
    row = queries.line_of(found, int(line))
    if row is None:
        raise not_found()
    actions.end_line(line=row, actor=by.actor, now=call.now)
    return Answer(status=204)
