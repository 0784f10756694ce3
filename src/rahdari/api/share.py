"""Two holders behind one address: asking whoever has it, and, of whoever is asked, answering, stopping, backing out.

Nothing is said of others before control of the address is proved; then that somebody has it, and never who. Whoever is
asked reads the address, which is theirs, and the name that the asker chose.
"""

import uuid

from django.utils.translation import gettext as _

from rahdari.address import format_block
from rahdari.applicant import share as sharing
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.inquiry.kinds import is_open
from rahdari.journal.models import JournalEntry as Row
from rahdari.people import queries as people
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.policy import Sharing
from rahdari.programs.answers import Problem
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, error, impossible, not_taken, of_form, plain, problem_for
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text
from rahdari.register import queries as register
from rahdari.share import actions, queries, rules
from rahdari.share.models import ConsentQuestion
from rahdari.share.queries import Beside, Part

from .applications import ONE, READ, WRITE, own
from .events import About
from .interface import API, Call
from .problem_map import absent
from .rules import Scope
from .serializers import stamp, stamp_or_none

problem_for(queries.NotFound)(absent)
read = API.part("shared addresses", READ)
write = API.part("shared addresses", WRITE)
manage = API.part("shared addresses", Scope.SHARING_MANAGE)
AT = f"{ONE}/endpoints/{{endpoint}}/sharing"
SHARING = named(
    "Sharing",
    closed(
        {
            "endpoint": text(36),
            "address": text(49),
            "state": choice(*sharing.STATES),
            "text": text(1000),
            "may_ask": TRUTH,
            "ask_again_at": or_null(MOMENT),
            "name": text(rules.LONGEST_NAME),
            "asked_at": or_null(MOMENT),
            "answer_by": or_null(MOMENT),
        }
    ),
)


# -- of whoever comes second -------------------------------------------------------------------------------------------


def _found(
    call: Call, reference: str, endpoint: uuid.UUID
) -> tuple[Application, Acting, Endpoint, sharing.SharingStatus]:
    row, by = own(call, reference, Act.PROVE)
    found = apply.endpoint_of(application=row, id=endpoint)
    if row.status not in {"draft", "submitted"}:
        raise impossible("decided", _("It is already decided: we no longer ask anybody about its addresses."))
    if found.is_dynamic:
        raise impossible(
            "changes", _("A changing address cannot be shared: it belongs to the line whose router reports it.")
        )
    return row, by, found, sharing.status_of(row, found, call.now)


def _as_json(found: Endpoint, stands: sharing.SharingStatus) -> Json:
    last = stands.last
    return {
        "endpoint": str(found.pk),
        "address": format_block(found.network),
        "state": stands.state,
        "text": plain(_words(stands)),
        "may_ask": stands.may_ask,
        "ask_again_at": stamp_or_none(stands.again_at),
        "name": last.name if last is not None else "",
        "asked_at": stamp_or_none(last.asked_at if last is not None else None),
        "answer_by": stamp_or_none(last.due_at if last is not None and stands.state == "waiting" else None),
    }


def _words(stands: sharing.SharingStatus) -> str:
    match stands.state:
        case sharing.UNPROVED:
            return _(
                "Prove control of the address first. If it is registered to somebody else, you can then "
                "ask them to share it."
            )
        case sharing.NOBODY:
            return _("Nobody else has this address. Continue your application.")
        case "waiting":
            return _("We have asked them. You can continue your application in the meantime.")
        case "agreed":
            return _("Everybody who has it agreed")
        case "declined":
            return _("They did not agree")
        case "silent":
            return _("They did not answer in time")
    return _("You have proved that you control it, but it is registered to somebody else. We do not say to whom.")


@read("GET", AT, Ok("How it stands.", SHARING), problems=IMPOSSIBLE)
def get_sharing(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Whether somebody else has the address, and what became of asking.

    `unproved` of every address until control of it is proved; then `nobody`, or `has_it`: somebody has it, and we do
    not say who. Afterwards what the question came to. `name` is what they read, and all that they learn of you.
    """
    _row, _by, found, stands = _found(call, reference, endpoint)
    return Answer(_as_json(found, stands))


@write(
    "POST",
    AT,
    Ok("They are asked. What waits or was agreed stays as it is.", SHARING, 202),
    body=closed({"name": text(500)}),
    problems=REFUSED,
)
def ask_to_share(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Ask whoever has the address to share it.

    `name` is what they read: yours, your company's, your desk. It is for all ports of the address at once. The
    application continues meanwhile, and a webhook is told of the answer (`sharing.ended`).
    """
    row, by, found, stands = _found(call, reference, endpoint)
    if stands.state not in {"waiting", "agreed"}:
        terms = _may_ask(stands)
        form = sharing.NameForm(call.body)
        if not form.is_valid():
            raise of_form(form)
        sharing.ask(row, found, form.cleaned_data["name"], terms, actor=by.actor, now=call.now)
        stands = sharing.status_of(row, found, call.now)
    return Answer(_as_json(found, stands), 202)


def _may_ask(stands: sharing.SharingStatus) -> Sharing:
    if stands.state == sharing.UNPROVED:
        raise impossible("not_proved", _words(stands))
    if stands.state == sharing.NOBODY:
        raise impossible("nobody_has_it", _words(stands))
    if stands.terms is None:
        raise impossible(
            "not_shared", _("Addresses are not shared here. Ask your operator for an address of your own.")
        )
    if stands.again_at is not None:
        raise actions.TooSoon(stands.again_at)
    if not stands.may_ask:
        raise actions.CannotBeShared
    return stands.terms


@write("DELETE", AT, Ok("Nobody is asked any more.", status=204), problems=IMPOSSIBLE)
def withdraw_sharing(call: Call, reference: str, endpoint: uuid.UUID) -> Answer:
    """Withdraw the question.

    While it waits for an answer. Doing it twice changes nothing.
    """
    row, by, found, stands = _found(call, reference, endpoint)
    if stands.state in {"agreed", "declined", "silent"}:
        raise impossible("answered", _("It was already answered. To leave an address, remove it from the application."))
    sharing.withdraw_request(row, found, actor=by.actor, now=call.now)
    return Answer(status=204)


# -- of whoever has the address ----------------------------------------------------------------------------------------

QUESTION = named(
    "SharingQuestion",
    closed(
        {
            "id": text(36),
            "address": text(49),
            "name": text(rules.LONGEST_NAME),
            "asked_at": MOMENT,
            "answer_by": MOMENT,
            "answer": or_null(choice("yes", "no")),
            "answered_at": or_null(MOMENT),
            "state": choice("open", "waiting", "over"),
        }
    ),
)
OTHER = named(
    "SharedWith",
    closed(
        {
            "name": text(rules.LONGEST_NAME),
            "part": or_null(text(36)),
            "since": or_null(MOMENT),
            "leaves_at": or_null(MOMENT),
            "own_notice": TRUTH,
        }
    ),
)
PART = named(
    "SharedAddress",
    closed(
        {
            "id": text(36),
            "address": text(49),
            "registrations": listed(text(20)),
            "leaves_at": or_null(MOMENT),
            "others": listed(OTHER),
        }
    ),
)


def _question(row: ConsentQuestion, call: Call) -> Json:
    asked = row.request
    return {
        "id": str(row.pk),
        "address": format_block(asked.block),
        "name": asked.name,
        "asked_at": stamp(row.asked_at),
        "answer_by": stamp(asked.due_at),
        "answer": str(row.reply) if row.reply != rules.Reply.WAITING else None,
        "answered_at": stamp_or_none(row.answered_at),
        "state": _state(row, call),
    }


def _state(row: ConsentQuestion, call: Call) -> str:
    """`waiting` for somebody else who is asked too; of what they said nothing is told."""
    if not is_open(row.request, call.now):
        return "over"
    return "open" if row.reply == rules.Reply.WAITING else "waiting"


def _part(part: Part) -> Json:
    return {
        "id": str(part.sharer.pk),
        "address": format_block(part.sharer.shared.block),
        "registrations": sorted({each.registration.reference for each in part.entries}),
        "leaves_at": stamp_or_none(part.sharer.leaves_at),
        "others": [_other(part, each) for each in part.others],
    }


def _other(part: Part, other: Beside) -> Json:
    """Whoever was there before is told by nothing; of whoever was let in, what this holder agreed to."""
    if not other.may_stop:
        return {"name": "", "part": None, "since": None, "leaves_at": None, "own_notice": False}
    return {
        "name": other.name,
        "part": str(other.sharer.pk),
        "since": stamp(other.sharer.since_at),
        "leaves_at": stamp_or_none(other.sharer.leaves_at),
        "own_notice": other.sharer.withdrawn_by == part.sharer.holder,
    }


@manage(
    "GET",
    "/sharing",
    Ok(
        "What waits for an answer, and what is shared now.",
        closed({"questions": listed(QUESTION), "shared": listed(PART)}),
    ),
)
def list_sharing(call: Call) -> Answer:
    """List who asks to share an address of yours, and what is shared.

    Of yours, and of organisations whose owner or manager you are. Whoever was there before you has no name here.
    """
    questions, parts = list(queries.questions_to(call.person)), queries.parts_of(call.person)
    actions.note_read(subjects=queries.named_on(questions, parts), actor=call.own_actor, now=call.now)
    return Answer(
        {"questions": [_question(each, call) for each in questions], "shared": [_part(each) for each in parts]}
    )


@manage("GET", "/sharing/questions/{question}", Ok("The question, whatever became of it.", QUESTION))
def get_sharing_question(call: Call, question: uuid.UUID) -> Answer:
    """Read a question about sharing.

    They have proved that they control the address too. The name is the one they chose; nobody checked it.
    """
    row = queries.question_for(user=call.person, id=question)
    actions.note_read(subjects=[row.request.subject], actor=call.own_actor, now=call.now)
    return Answer(_question(row, call))


@manage(
    "POST",
    "/sharing/questions/{question}/answer",
    Ok("Your answer stands.", QUESTION),
    body=closed({"answer": choice("yes", "no")}),
    problems=IMPOSSIBLE,
)
def answer_sharing_question(call: Call, question: uuid.UUID) -> Answer:
    """Agree to share the address, or refuse.

    By a yes your registration stays as it is, and they are not told who you are; you may stop it later, with notice.
    A no needs no reason. The same answer twice is given once; another one is `not-possible-now`.
    """
    row = queries.question_for(user=call.person, id=question)
    actions.answer(question=row, given=call.body["answer"], actor=call.own_actor, now=call.now)
    return Answer(_question(queries.question_for(user=call.person, id=question), call))


@manage(
    "POST",
    "/sharing/parts/{part}/notice",
    Ok("They are told, and keep their part until `leaves_at`.", PART),
    problems=IMPOSSIBLE,
)
def give_sharing_notice(call: Call, part: uuid.UUID) -> Answer:
    """Stop sharing an address, with notice.

    `part` is of whoever you agreed to. Your own registration stays as it is. Given twice it is given once.
    """
    sharer, consent = queries.part_to_stop(user=call.person, id=part)
    terms = queries.terms()
    if terms is None:
        raise impossible("no_notice", _("The rules in force set no notice period for it. Ask the Authority."))
    actions.give_notice(sharer=sharer, question=consent, terms=terms, actor=call.own_actor, now=call.now)
    return Answer(_shared_with(call, part))


@manage("DELETE", "/sharing/parts/{part}/notice", Ok("They keep their part.", PART), problems=IMPOSSIBLE)
def withdraw_sharing_notice(call: Call, part: uuid.UUID) -> Answer:
    """Take a notice back.

    Only whoever gave it. Without a notice nothing changes.
    """
    sharer, consent = queries.part_to_stop(user=call.person, id=part)
    if sharer.leaves_at is not None and sharer.withdrawn_by != consent.holder:
        raise impossible("of_another", _("Somebody else who has the address gave this notice."))
    actions.take_notice_back(sharer=sharer, question=consent, actor=call.own_actor, now=call.now)
    return Answer(_shared_with(call, part))


def _shared_with(call: Call, part: uuid.UUID) -> Json:
    """The address of which this is another's part, as it stands now."""
    for each in queries.parts_of(call.person):
        if any(other.sharer.pk == part and other.may_stop for other in each.others):
            return _part(each)
    raise queries.NotFound(str(part))


@problem_for(actions.NoName)
def no_name(found: Exception) -> Problem:
    return not_taken([error("/name", "required", _("Write the name that they will see"))])


# -- events ----------------------------------------------------------------------------------------------------------


def _asked(row: Row) -> About:
    """Whoever is asked to share an address: by which question, and nothing of who asks."""
    found = queries.question_by_subject(row.subject)
    if found is None:
        return None
    return people.people_to_notify(found.holder, queries.MAY_AGREE), {"question": str(found.pk)}


def _sharer(row: Row) -> About:
    """Whoever has the part of a shared address that ends, or goes on."""
    found = register.sharer_by_id(row.subject.partition(":")[2])
    if found is None:
        return None
    return people.people_to_notify(found.holder, queries.MAY_AGREE), {"part": str(found.pk)}


ABOUT = {"question": _asked, "sharer": _sharer}
