"""Planned changes over the operators' interface: what one would cut, before it is made. docs/preflight.md shows it.

What is sent goes through memory once and is kept nowhere. The key is that of the operator's checks.
"""

from rahdari.apply import screening
from rahdari.confirm.interface import OPERATORS, Call, Scope
from rahdari.preflight import MOST_ENTRIES, PlanError, State, Syntax
from rahdari.preflight.change import MOST_NAMED, PROTOCOLS, Action, Trouble
from rahdari.preflight.words import as_json, error_in_words
from rahdari.programs import problems
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem
from rahdari.programs.schema import TRUTH, Json, choice, closed, listed, named, or_null, text, whole
from rahdari.publish import looking_ahead
from rahdari.publish import queries as publish
from rahdari.web import limits

LONGEST_BODY = 2 * 2**20
# A look costs about a second of the processor.
RATE, PER = 60, 3600
COUNT = whole(0, 2**53)
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
SHARES = named(
    "Shares",
    closed(
        {
            "whole": SHARE | {"description": "Everything is denied."},
            "some": SHARE | {"description": "Some protocol is denied whatever the port, if only under a condition."},
            **dict.fromkeys(PROTOCOLS, SHARE),
        }
    ),
)
HIT = named(
    "Hit",
    closed(
        {
            "id": text(32, description="The number of the entry in your feed."),
            "address": text(50),
            "protocol": choice("any", "udp", "tcp", "esp", "gre"),
            "port": or_null(whole(1, 65_535)),
            "state": choice(State.CUT, State.AFFECTED),
            "does": listed(choice(*Action)),
            "lines": listed(COUNT),
        }
    ),
)
NOT_READ = named(
    "NotUnderstood",
    closed({"line": COUNT, "text": text(200), "trouble": choice(*Trouble), "what": text(500), "mend": text(200)}),
)
RESULT = named(
    "Preflight",
    closed(
        {
            "edition": COUNT,
            "syntax": choice(*Syntax),
            "lines": COUNT,
            "rules": COUNT,
            "of_the_machine": COUNT | {"description": "Rules for the device's own addresses, not judged."},
            "not_understood": COUNT,
            "entries": COUNT | {"description": "Of your networks, in the edition."},
            "cut": COUNT,
            "affected": COUNT,
            "not_touched": or_null(COUNT)
            | {"description": "Null while lines are not understood: those may touch any entry."},
            "denies_by_default": TRUTH,
            "by_default": listed(choice(*PROTOCOLS)),
            "shares": closed({"ipv4": SHARES, "ipv6": SHARES}),
            "found": listed(HIT, MOST_ENTRIES),
            "unread": listed(NOT_READ, MOST_NAMED),
            "note": text(200),
        }
    ),
)
PLAN = closed(
    {"plan": text(LONGEST_BODY, description="The change as text.")},
    {"syntax": choice(*Syntax) | {"description": "Without it, it is guessed."}},
)
# Nothing happens by it.
planned = OPERATORS.part("planned", Scope.DESK, keyed=False)

problems.declare(
    no_planned_change=(422, "This cannot be read as a planned change"),
    no_such_operator=(403, "The operator of this key follows no feed"),
)


@planned(
    "POST",
    "/preflight",
    Ok("What it would cut.", RESULT),
    body=PLAN,
    longest_body=LONGEST_BODY,
    problems=("no-planned-change", "no-such-operator", "too-many-requests"),
)
def look_ahead(call: Call) -> Answer:
    """What a planned change would cut of the entries of your networks.

    Nothing is kept, and nothing happens by it. Counts come first; entries and lines are named up to a bound.
    """
    operator = publish.operator_by_slug(call.caller.operator)
    if operator is None or not operator.active:
        raise problem("no-such-operator", "The operator of this key is not in the list of networks.")
    if not limits.allow(f"preflight:{operator.slug}", rate=RATE, per=PER):
        raise problem("too-many-requests", f"At most {RATE} planned changes an hour are looked at.")
    try:
        syntax = call.body.get("syntax")
        change = screening.read_change(call.body["plan"].encode(), Syntax(syntax) if syntax else None)
        found = looking_ahead.look_ahead(operator=operator, change=change)
    except PlanError as error:
        raise problem("no-planned-change", " ".join(error_in_words(error)), reason=error.code) from None
    return Answer({"edition": looking_ahead.edition_of(operator), **as_json(found)})
