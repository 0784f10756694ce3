"""`/op/v1/lines`: an operator's own list of mobile lines, told to it alone. docs/mobile.md shows each call.

The key is that of the operator's checks. Nothing here says who holds a line, and no number: the operator has its word.
"""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from rahdari.apply import queries as applications
from rahdari.confirm.models import ApiToken
from rahdari.confirm.problems import Problem, body_of, endpoint, text_in
from rahdari.register.rules import stamp

from . import actions, queries
from .models import MobileListChange, MobileNumber
from .rules import Left

MOST = 1_000


def _limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", str(MOST))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST):
        raise Problem(422, "invalid-body", f"`limit` is a number from 1 to {MOST}.", field="limit")
    return int(text)


def _known(request: HttpRequest, etag: str) -> bool:
    given = request.headers.get("If-None-Match", "")
    return etag in {part.strip().removeprefix("W/") for part in given.split(",")}


def _answer(content: dict[str, Any], etag: str) -> HttpResponse:
    return JsonResponse(content, headers={"ETag": etag})


@endpoint("GET", "HEAD")
def lines(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The list as it stands, a page at a time. `sequence` is read first: changes after it may be in the page already,
    and applying them again changes nothing."""
    after = request.GET.get("after", "")
    try:
        cursor = uuid.UUID(after) if after else None
    except ValueError:
        raise Problem(400, "bad-cursor", "Give `after` as it stood in `next`, or leave it out.") from None
    limit, head = _limit(request), queries.head_of(token.operator)
    etag = f'"{head.sequence}"'
    if _known(request, etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    page, following = queries.list_after(operator=token.operator, after=cursor, at_most=limit)
    return _answer(
        {
            "sequence": head.sequence,
            "lines": [queries.as_listed(line).as_told() for line in page],
            "next": str(following) if following else None,
        },
        etag,
    )


def _change(change: MobileListChange) -> dict[str, Any]:
    line: MobileNumber = change.line
    word = {"reference": line.reference} if line.reference else {}
    # Listed by the number of the check until the operator's word came: then both are told, once.
    check = {"check": line.check_number} if not line.reference or change.act == "name" else {}
    at = {"ended_at": stamp(change.at)} if change.act == "end" else {"not_after": stamp(change.until)}
    return {"sequence": change.sequence, "act": change.act, **word, **check, **at}


@endpoint("GET", "HEAD")
def changes(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """What came after a number, in order and without a gap."""
    text = request.GET.get("after", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Problem(422, "invalid-body", "`after` is the number of the last change that you have.", field="after")
    limit, head = _limit(request), queries.head_of(token.operator)
    etag = f'"{head.sequence}"'
    try:
        found = queries.changes_after(operator=token.operator, sequence=int(text), at_most=limit)
    except queries.ListTooOld:
        detail = "These changes are not kept any more. Take the whole list, then go on from its number."
        raise Problem(410, "list-too-old", detail, url="/op/v1/lines") from None
    except queries.NumberAhead as error:
        detail = "Your list is ahead of ours. Take the whole list."
        raise Problem(409, "list-ahead", detail, sequence=error.sequence) from None
    if _known(request, etag) and not found:
        return HttpResponse(status=304, headers={"ETag": etag})
    last = found[-1].sequence if found else int(text)
    return _answer({"changes": [_change(each) for each in found], "sequence": last, "more": last < head.sequence}, etag)


@endpoint("POST")
def receipt(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """The list is applied up to this number: the holders of the lines see that they are in force."""
    given = body_of(request, "sequence").get("sequence")
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < 2**63:
        raise Problem(422, "invalid-body", "`sequence` is a number.", field="sequence")
    try:
        behind = actions.record_receipt(
            operator=token.operator, sequence=given, by=f"token:{token.pk}", now=timezone.now()
        )
    except queries.NumberAhead as error:
        detail = "Your list is ahead of ours. Take the whole list."
        raise Problem(409, "list-ahead", detail, sequence=error.sequence) from None
    return JsonResponse({"sequence": given, "behind": behind})


@endpoint("POST")
def left(request: HttpRequest, token: ApiToken) -> HttpResponse:
    """A line is no longer its subscriber's. It stays on the list for the overlap, and its holder is told."""
    given = body_of(request, "reference", "reason")
    reason = text_in(given, "reason", needed=True)
    if reason not in set(Left):
        told = ", ".join(Left)
        raise Problem(422, "invalid-body", f"`reason` is one of: {told}.", field="reason")
    try:
        line, new = actions.operator_left(
            operator=token.operator,
            reference=text_in(given, "reference", needed=True).strip(),
            why=Left(reason),
            overlap=applications.policy_in_force().change.overlap,
            by=f"token:{token.pk}",
            now=timezone.now(),
        )
    except actions.NoSuchLine:
        raise Problem(404, "no-such-line", "No line on your list has this reference.") from None
    assert line.listed_until is not None  # noqa: S101 (it is on the list)
    return JsonResponse({"reference": line.reference, "not_after": stamp(line.listed_until), "new": new})
