"""The operators' interface, `/op/v1/`: who calls, with which key, and how faults are told. docs/confirm.md shows it.

Rooms above declare operations of their own on it: an operator has one key and one contract.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.http import HttpRequest
from django.utils import timezone

from rahdari.programs import answers, problems, schema, tokens
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Call as AnyCall
from rahdari.programs.operation import Interface, Operation
from rahdari.programs.problems import problem
from rahdari.programs.schema import MOMENT, TOO_LONG, Fault, Json, choice, closed, text

from . import callbacks, queries
from .models import ApiToken, OperatorRequest
from .rules import QuestionKind

RATE, PER = 600, 60
# Keys that nobody has, from one household: they cannot be guessed, and asking for them costs us little this way.
UNKNOWN_RATE = 60
MOST_ANSWERS = 1_000
MOST_LISTED = 500
type Call = AnyCall[ApiToken]

problems.declare(
    bad_cursor=(400, "The cursor was not given out by us"),
    sandbox_key=(403, "A key for practice at the real address"),
    no_such_check=(404, "No check of yours has this number"),
    no_callback=(409, "There is no callback"),
    not_json=(415, "The body is not application/json"),
    invalid_body=(422, "The request does not match its description"),
    answer_not_taken=(422, "The answer cannot be taken"),
    callback_not_taken=(422, "This is no address that we call"),
)


class Scope(StrEnum):
    """What a key opens: the real desk and the samples, or the samples alone."""

    DESK = "desk"
    SAMPLES = "samples"


def page(most: int, usual: int) -> dict[str, Json]:
    return {
        "after": schema.text(200) | {"description": "`next` of the page before."},
        "limit": schema.whole(1, most) | {"default": usual},
    }


def _who(request: HttpRequest, wanted: Operation) -> ApiToken:
    now = timezone.now()
    token = queries.token_shown(answers.bearer(request), now=now)
    tokens.hold_rate(request, token, room="confirm", rate=RATE, per=PER, unknown_rate=UNKNOWN_RATE, now=now)
    if token is None:
        detail = "Send the key from the page of your system as `Authorization: Bearer <key>`."
        raise problem("unauthorised", f"No operator has this key. {detail}", {"WWW-Authenticate": "Bearer"})
    if token.sandbox and wanted.scope != Scope.SAMPLES:
        raise problem("sandbox-key", "This key is for practice. Use it under /op/v1/sandbox/.")
    return token


def _of_faults(found: Iterable[Fault], *, where: str = "body") -> Problem:
    """`field` names the first that is wrong, as `answers[0].check`."""
    faults = list(found)
    parts = faults[0].pointer.strip("/").split("/")
    field = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).lstrip(".")
    if (field, faults[0].code) == ("answers", TOO_LONG):
        return problem("too-large", f"Send at most {MOST_ANSWERS} answers at once.")
    told = problems.of_faults(faults, where=where)
    return problem("invalid-body", told.detail, field=field or "body", errors=told.more["errors"])


OPERATORS = Interface(
    name="confirm",
    base="/op/v1",
    title="Rahdari: operators",
    about="An operator's system lists its open checks and answers them, follows its list of mobile numbers, asks what "
    "a planned change would cut, and answers for registered connections that are cut. Every address needs a key. "
    "docs/confirm.md, docs/mobile.md, docs/preflight.md and docs/incidents.md walk through it.",
    who=_who,
    places={"number": ("str", schema.text(20))},
    modules=("rahdari.confirm.operations",),
    scopes={Scope.DESK: "The checks of your operator.", Scope.SAMPLES: "Samples to practise with."},
    tokens="From the page of your system.",
    attempts=OperatorRequest,
    acts_are_whole=True,
    languages=("en",),
    events={
        callbacks.ASKED: closed({"check": text(12), "kind": choice(*QuestionKind), "answer_until": MOMENT}),
        callbacks.TEST: closed(),
    },
    renamed={
        "missing-scope": "sandbox-key",
        "not-found": "no-such-check",
        "not-taken": "bad-cursor",
        "invalid-request": "invalid-body",
        "unsupported-media-type": "not-json",
    },
    of_faults=_of_faults,
)
