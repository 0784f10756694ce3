"""An operator's own list of mobile lines, told to it alone over its interface. docs/mobile.md shows each call.

The key is that of the operator's checks. Nothing here says who holds a line, and no number: the operator has its word.
"""

import uuid

from rahdari.apply import queries as applications
from rahdari.confirm.interface import OPERATORS, Call, Scope, page
from rahdari.programs import problems
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.register.rules import stamp

from . import listing as mobile_listing
from . import queries
from .listing import EVENT
from .models import MobileListChange, MobileNumber
from .rules import Left

MOST = 1_000
LARGEST = 10**18
SEQUENCE = whole(0, LARGEST)
WORD = {"reference": text(64, description="Your own word for the line."), "check": text(12)}
LINE = named("Line", closed({"not_before": MOMENT, "not_after": MOMENT}, WORD))
LINES = named("Lines", closed({"sequence": SEQUENCE, "lines": listed(LINE), "next": or_null(text(36))}))
CHANGE = closed(
    {"sequence": SEQUENCE, "act": choice("add", "name", "renew", "end")},
    WORD | {"not_after": MOMENT, "ended_at": MOMENT},
)
CHANGES = named("Changes", closed({"changes": listed(CHANGE), "sequence": SEQUENCE, "more": TRUTH}))
RECEIPT = named("ListReceipt", closed({"sequence": SEQUENCE, "behind": SEQUENCE}))
LEAVES = closed({"reference": text(1000), "reason": choice(*Left)})
LEFT = named("LeftLine", closed({"reference": text(64), "not_after": MOMENT, "new": TRUTH}))
PAGE = page(MOST, MOST)
# The same again changes nothing.
lines = OPERATORS.part("lines", Scope.DESK, keyed=False)
OPERATORS.events[EVENT] = closed({"sequence": SEQUENCE})

problems.declare(
    no_such_line=(404, "No line on your list has this reference"),
    list_ahead=(409, "Your list is ahead of ours"),
    list_too_old=(410, "These changes are not kept any more"),
)


def _ahead(sequence: int) -> Problem:
    return problem("list-ahead", "Your list is ahead of ours. Take the whole list.", sequence=sequence)


@lines("GET", "/lines", Ok("A page.", LINES, tag=True), query=PAGE)
def list_lines(call: Call) -> Answer:
    """Your list as it stands.

    `sequence` is read first: changes after it may be in the page already, and applying them again changes nothing.
    304 with an `If-None-Match` that still holds.
    """
    after = call.query.get("after", "")
    try:
        cursor = uuid.UUID(after) if after else None
    except ValueError:
        raise problem("bad-cursor", "Give `after` as it stood in `next`, or leave it out.") from None
    head = queries.head_of(call.caller.operator)
    if call.has(tag := str(head.sequence)):
        return Answer(status=304, tag=tag)
    found, following = queries.list_after(
        operator=call.caller.operator, after=cursor, at_most=call.query.get("limit", MOST)
    )
    listing = [queries.as_listed(line).as_told() for line in found]
    return Answer({"sequence": head.sequence, "lines": listing, "next": str(following) if following else None}, tag=tag)


def _change(change: MobileListChange) -> Json:
    line: MobileNumber = change.line
    word = {"reference": line.reference} if line.reference else {}
    # Listed by the number of the check until the operator's word came: then both are told, once.
    check = {"check": line.check_number} if not line.reference or change.act == "name" else {}
    at = {"ended_at": stamp(change.at)} if change.act == "end" else {"not_after": stamp(change.until)}
    return {"sequence": change.sequence, "act": change.act, **word, **check, **at}


@lines(
    "GET",
    "/lines/changes",
    Ok("Some, and whether there are `more`.", CHANGES, tag=True),
    query={"after": SEQUENCE | {"default": 0, "description": "The last that you have."}, "limit": PAGE["limit"]},
    problems=("list-ahead", "list-too-old"),
)
def list_changes(call: Call) -> Answer:
    """What came after a number, in order and without a gap.

    304 with an `If-None-Match` that still holds, when there is nothing new.
    """
    after, head = call.query.get("after", 0), queries.head_of(call.caller.operator)
    tag = str(head.sequence)
    try:
        found = queries.changes_after(
            operator=call.caller.operator, sequence=after, at_most=call.query.get("limit", MOST)
        )
    except queries.ListTooOld:
        detail = "These changes are not kept any more. Take the whole list, then go on from its number."
        raise problem("list-too-old", detail, url="/op/v1/lines") from None
    except queries.NumberAhead as error:
        raise _ahead(error.sequence) from None
    if call.has(tag) and not found:
        return Answer(status=304, tag=tag)
    last = found[-1].sequence if found else after
    changes = [_change(each) for each in found]
    return Answer({"changes": changes, "sequence": last, "more": last < head.sequence}, tag=tag)


@lines(
    "POST",
    "/lines/receipt",
    Ok("How far it is behind.", RECEIPT),
    body=closed({"sequence": SEQUENCE}),
    problems=("list-ahead",),
)
def record_list_receipt(call: Call) -> Answer:
    """The list is applied up to this number.

    The holders of the lines see that they are in force.
    """
    sequence = call.body["sequence"]
    try:
        behind = mobile_listing.record_receipt(
            operator=call.caller.operator, sequence=sequence, by=f"token:{call.caller.pk}", now=call.now
        )
    except queries.NumberAhead as error:
        raise _ahead(error.sequence) from None
    return Answer({"sequence": sequence, "behind": behind})


@lines("POST", "/lines/left", Ok("Until when it stays.", LEFT), body=LEAVES, problems=("no-such-line",))
def report_left(call: Call) -> Answer:
    """A line is no longer its subscriber's.

    It stays on the list for the overlap, and its holder is told.
    """
    try:
        line, new = mobile_listing.operator_left(
            operator=call.caller.operator,
            reference=call.body["reference"].strip(),
            why=Left(call.body["reason"]),
            overlap=applications.policy_in_force().change.overlap,
            by=f"token:{call.caller.pk}",
            now=call.now,
        )
    except mobile_listing.NoSuchLine:
        raise problem("no-such-line", "No line on your list has this reference.") from None
    assert line.listed_until is not None  # noqa: S101 (it is on the list)
    return Answer({"reference": line.reference, "not_after": stamp(line.listed_until), "new": new})
