"""A client or employer was asked by mail whether the applicant works for them: how far it is, and another address."""

from rahdari.applicant.clients import correct, form_for, not_sent_again, question_about, why_not_delivered
from rahdari.apply.models import Application
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, impossible, not_found, of_form, plain
from rahdari.programs.schema import MOMENT, Json, closed, named, or_null, text
from rahdari.vouch import actions, rules
from rahdari.vouch.models import ReferenceRequest

from .applications import ONE, READ, WRITE, own
from .interface import API, Call
from .serializers import stamp, stamp_or_none

read = API.part("applications", READ)
write = API.part("applications", WRITE)
AT = f"{ONE}/client"
CLIENT = named(
    "ClientAsked",
    closed(
        {
            "address": text(254),
            "domain": text(253),
            "name": text(500),
            "asked_at": MOMENT,
            "answer_by": MOMENT,
            "reminded_at": or_null(MOMENT),
            "resent_at": or_null(MOMENT),
            "send_again_from": or_null(MOMENT),
            "delivery": text(300),
        }
    ),
)


def _asked(call: Call, reference: str) -> tuple[Application, Acting, ReferenceRequest]:
    row, by = own(call, reference, Act.PAPERS)
    question = question_about(row)
    if question is None:
        raise not_found()
    return row, by, question


def _as_json(question: ReferenceRequest) -> Json:
    return {
        "address": question.address,
        "domain": question.domain,
        "name": question.name,
        "asked_at": stamp(question.asked_at),
        "answer_by": stamp(question.due_at),
        "reminded_at": stamp_or_none(question.reminded_at),
        "resent_at": stamp_or_none(question.resent_at),
        "send_again_from": stamp_or_none(
            rules.may_send_again_from(asked_at=question.asked_at, resent_at=question.resent_at)
        ),
        "delivery": plain(why_not_delivered(question)),
    }


@read("GET", AT, Ok("It.", CLIENT))
def get_client(call: Call, reference: str) -> Answer:
    """Whom we asked by mail, and until when.

    404 when nobody was asked, or all have answered. `name` is what they read of the applicant. `delivery` says why the
    letter did not arrive, and is empty otherwise: an address that had its letters of the month, or wants none,
    gets none.
    """
    return Answer(_as_json(_asked(call, reference)[-1]))


@write("POST", f"{AT}/letter", Ok("They are asked once more.", CLIENT, 202), problems=IMPOSSIBLE)
def send_client_letter(call: Call, reference: str) -> Answer:
    """Send the client's letter once more.

    Once, a day after the first at the earliest (`send_again_from`).
    """
    _row, by, question = _asked(call, reference)
    try:
        question = actions.resend(question=question, actor=by.actor, now=call.now)
    except actions.TooSoon as why:
        raise impossible("too_soon", not_sent_again(why)) from None
    except NoLongerOpen as why:
        raise impossible("over", not_sent_again(why)) from None
    return Answer(_as_json(question), 202)


@write(
    "PUT",
    AT,
    Ok("The new address is asked; the old link asks nothing any more.", None, 204),
    body=closed({"address": text(500)}),
    problems=REFUSED,
)
def correct_client(call: Call, reference: str) -> Answer:
    """Correct the address of the client.

    The address is judged like the first one: no free mail service, and not the applicant's own.
    """
    row, by, question = _asked(call, reference)
    form = form_for(row, {"text": call.body.get("address", "")})
    if not form.is_valid():
        raise of_form(form, {"text": "address"})
    if form.cleaned_data["text"] != question.address:
        correct(row, question, form.cleaned_data["text"], actor=by.actor, now=call.now)
    return Answer(status=204)
