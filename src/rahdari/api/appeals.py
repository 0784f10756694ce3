"""Appeals: written, sent, followed, withdrawn; point by point, with reasons and the next forum."""

from typing import Any

from rahdari.appeal import actions, queries
from rahdari.appeal.forms import AppealForm
from rahdari.appeal.models import Appeal
from rahdari.appeal.queries import Appealable
from rahdari.appeal.rules import Against, Ground, Outcome, State
from rahdari.applicant.titles import words as in_words
from rahdari.apply.models import Application
from rahdari.decide import hearings
from rahdari.decide.rules import HearingOutcome
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, not_found, of_form
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole

from .applications import ONE, READ, WRITE, own
from .interface import API, Call
from .serializers import stamp, stamp_or_none

read = API.part("decisions", READ)
write = API.part("decisions", WRITE)
# How the contract names what came of a hearing.
HELD: dict[str, str] = {HearingOutcome.ATTENDED: "held", HearingOutcome.NOBODY_CAME: "nobody_came"}
GROUNDS = listed(choice(*Ground))
APPEAL = named(
    "Appeal",
    closed(
        {
            "number": text(60),
            "against": choice(*Against),
            "state": choice(*State),
            "grounds": GROUNDS,
            "words": text(20_000),
            "hearing": choice("writing", "call"),
            "sent_at": or_null(MOMENT),
            "late": TRUTH,
            "due_at": or_null(MOMENT),
            "heard": or_null(
                closed(
                    {
                        "at": or_null(MOMENT),
                        "how": text(20_000),
                        "held": or_null(choice(*HELD.values())),
                        "minutes": text(20_000),
                    }
                )
            ),
            "decision": or_null(
                closed(
                    {
                        "at": MOMENT,
                        "outcome": or_null(choice(*Outcome)),
                        "points": listed(
                            closed({"ground": choice(*Ground), "outcome": choice(*Outcome), "why": text(20_000)})
                        ),
                        "text": text(20_000),
                        "by_the_only_one": TRUTH,
                        "carried_out_by": or_null(MOMENT),
                        "carried_out_at": or_null(MOMENT),
                        "lost": whole(0, 1_000_000),
                        "next": listed(closed({"title": text(500), "address": text(2000), "until": MOMENT})),
                    }
                )
            ),
            "may_be_sent_until": or_null(MOMENT),
        }
    ),
)
WRITTEN = closed({"words": text(20_000), "hearing": choice("writing", "call")}, {"grounds": GROUNDS})


def _as_json(appeal: Appeal, thing: Appealable | None = None) -> Json:
    heard = None
    if appeal.to_be_heard:
        last = hearings.hearings_of(appeal).last()
        heard = {
            "at": stamp(last.starts_at) if last else None,
            "how": last.place if last else "",
            "held": HELD.get(last.outcome) if last else None,
            "minutes": last.minutes if last else "",
        }
    decision = None
    if appeal.decided_at is not None:
        decision = {
            "at": stamp(appeal.decided_at),
            "outcome": appeal.outcome,
            "points": [
                {"ground": each.ground, "outcome": each.outcome, "why": each.why}
                for each in appeal.points.all()
                if each.outcome
            ],
            "text": appeal.text,
            "by_the_only_one": appeal.by_the_only_one,
            "carried_out_by": stamp_or_none(appeal.carry_out_by),
            "carried_out_at": stamp_or_none(appeal.closed_at) if appeal.outcome != Outcome.DISMISSED else None,
            "lost": appeal.lost,
            "next": [
                {
                    "title": in_words(forum.title),
                    "address": in_words(forum.address) if forum.address is not None else "",
                    "until": stamp(until),
                }
                for forum, until in queries.next_forums(appeal)
            ],
        }
    return {
        "number": appeal.reference,
        "against": appeal.against,
        "state": appeal.state,
        "grounds": list(appeal.grounds),
        "words": appeal.words,
        "hearing": "call" if appeal.to_be_heard else "writing",
        "sent_at": stamp_or_none(appeal.sent_at),
        "late": appeal.late,
        "due_at": stamp_or_none(appeal.due_at),
        "heard": heard,
        "decision": decision,
        "may_be_sent_until": stamp_or_none(thing.until) if thing is not None else None,
    }


def _facts(call: Call, thing: Appealable) -> dict[str, Any]:
    """What is written, as the acts take it, with what the page would say of what is wrong."""
    draft = queries.draft_of(thing.case, thing)
    papers = draft is not None and queries.papers_of(draft).exists()
    form = AppealForm(call.body, against=thing.against, papers=papers)
    if not form.is_valid():
        raise of_form(form)
    return form.facts


def _appealable(call: Call, reference: str) -> tuple[Application, Acting, Appealable]:
    row, by = own(call, reference, Act.APPLY)
    thing = queries.appealable(row, call.now)
    if thing is None:
        raise actions.NothingToAppeal(row)
    return row, by, thing


@read("GET", f"{ONE}/appeal", Ok("The appeal.", APPEAL))
def get_appeal(call: Call, reference: str) -> Answer:
    """Your appeal.

    The draft while one is begun, else the last that was sent. 404 when there is none. `due_at` is the day by which it
    is decided; `may_be_sent_until` the end of the time to appeal, null where it has not begun to run.
    """
    row = own(call, reference).row
    thing = queries.appealable(row, call.now)
    draft = queries.draft_of(thing.case, thing) if thing is not None else None
    found = [draft] if draft is not None else queries.appeals_of(row)
    if not found:
        raise not_found()
    return Answer(_as_json(found[0], thing if draft is not None else None))


@read("GET", f"{ONE}/appeals", Ok("Them, the newest first.", closed({"items": listed(APPEAL)})))
def list_appeals(call: Call, reference: str) -> Answer:
    """List the appeals that were sent."""
    return Answer({"items": [_as_json(each) for each in queries.appeals_of(own(call, reference).row)]})


@write("PUT", f"{ONE}/appeal", Ok("The draft.", APPEAL), body=WRITTEN, problems=REFUSED)
def save_appeal(call: Call, reference: str) -> Answer:
    """Write an appeal.

    For you alone: nothing is sent. Against a refusal, a registration that was revoked, or because no decision came in
    its time: which of them, follows from the application. Papers that go with it are uploaded after this, with the rule
    `appeal`.
    """
    row, by, thing = _appealable(call, reference)
    body = call.body
    draft = actions.save_draft(
        application=row,
        grounds=body.get("grounds", []),
        words=body["words"],
        to_be_heard=body["hearing"] == "call",
        actor=by.actor,
        now=call.now,
    )
    return Answer(_as_json(draft, thing))


@write("POST", f"{ONE}/appeal", Ok("The appeal.", APPEAL, 201), body=WRITTEN, problems=REFUSED)
def send_appeal(call: Call, reference: str) -> Answer:
    """Appeal.

    Free of charge. `grounds` are what is wrong with the decision, and each is decided for itself; an appeal because no
    decision came has none. One that comes after its time is taken: say why it is late. Somebody who had no part in the
    case decides, and until then what is registered stays as it is.
    """
    row, by, thing = _appealable(call, reference)
    appeal = actions.send(application=row, actor=by.actor, now=call.now, **_facts(call, thing))
    return Answer(_as_json(appeal), 201)


@write("POST", f"{ONE}/appeal/withdraw", Ok("The appeal.", APPEAL), problems=IMPOSSIBLE)
def withdraw_appeal(call: Call, reference: str) -> Answer:
    """Withdraw the appeal.

    Until it is decided. You can appeal again while there is time.
    """
    row, by = own(call, reference, Act.APPLY)
    found = queries.appeals_of(row)
    if not found:
        raise not_found()
    return Answer(_as_json(actions.withdraw(appeal=found[0], actor=by.actor, now=call.now)))
