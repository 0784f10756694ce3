"""Where an application stands, in one word: what is awaited, and from whom. Pure: facts in, stage out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from rahdari.decide.rules import Beside
from rahdari.web import values


class Stage(StrEnum):
    DRAFT = "draft"
    PROOF = "proof"  # sent, and an address still needs its proof: the applicant's turn
    REPRESENT = "represent"  # it is to be shown whose number it is: the applicant's turn
    FEE = "fee"  # everything else is answered, and an invoice is open: the applicant's turn
    CHECKING = "checking"
    REVIEW = "review"
    QUESTION = "question"  # the applicant's turn
    NOTICE = "notice"  # the applicant's turn
    HEARING = "hearing"  # the applicant asked to be heard before it is decided
    SECOND = "second"
    GRANTED = "granted"
    REGISTERED = "registered"
    PUBLISHED = "published"
    # Published, and an address of it goes to no operator.
    NOWHERE = "nowhere"
    IN_FORCE = "in_force"
    # The registration that came of it is no longer valid.
    ENDED = "ended"  # at the holder's request
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STRUCK_OUT = "struck_out"
    EXPIRED = "expired"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOT_PURSUED = "not_pursued"


YOUR_TURN = frozenset({Stage.DRAFT, Stage.PROOF, Stage.REPRESENT, Stage.FEE, Stage.QUESTION, Stage.NOTICE})
# Something will change without the reader: the page looks by itself.
MOVING = frozenset(
    {
        *(Stage.PROOF, Stage.REPRESENT, Stage.FEE, Stage.CHECKING, Stage.REVIEW, Stage.HEARING, Stage.SECOND),
        *(Stage.GRANTED, Stage.REGISTERED, Stage.PUBLISHED),
    }
)
OVER = frozenset({Stage.REFUSED, Stage.WITHDRAWN, Stage.NOT_PURSUED})
STANDS = frozenset({Stage.REGISTERED, Stage.PUBLISHED, Stage.IN_FORCE})
ENDED = frozenset({Stage.ENDED, Stage.PAUSED, Stage.SUSPENDED, Stage.STRUCK_OUT, Stage.EXPIRED})


@dataclass(frozen=True)
class Facts:
    status: str  # of the application
    control_waits: bool = False
    represent_waits: bool = False  # the contact on a list is to be shown
    fee_waits: bool = False  # an invoice is open
    has_case: bool = False
    question: str = "none"  # none | open | lapsed
    notice: str = "none"  # none | running | ripe
    hearing: str = "none"  # none | asked | over
    decided: str = ""  # granted | refused, of the decision that stands
    entered: bool = False
    standing: str = ""  # valid | expired | ended | paused | suspended | struck_out, of the registration
    published: bool = False
    in_force: int = 0
    # Of its entries, those that no operator is to have.
    unreached: int = 0
    operators: int = 0


def stage_of(facts: Facts) -> Stage:
    if facts.status == "draft":
        return Stage.DRAFT
    if facts.status == "withdrawn":
        return Stage.WITHDRAWN
    if facts.decided == "refused" or facts.status == "refused":
        return Stage.REFUSED
    if facts.decided == "granted" or facts.status == "granted":
        if not facts.entered:
            return Stage.GRANTED
        if facts.standing in ENDED:
            return Stage(facts.standing)
        if not facts.published:
            return Stage.REGISTERED
        if facts.unreached:
            return Stage.NOWHERE
        return Stage.IN_FORCE if 0 < facts.operators <= facts.in_force else Stage.PUBLISHED
    if facts.question != "none" and facts.status == "submitted":
        return Stage.QUESTION
    if facts.status == "not_pursued":
        return Stage.NOT_PURSUED
    if facts.notice != "none":
        if facts.notice == "running":
            return Stage.NOTICE
        return Stage.HEARING if facts.hearing == "asked" else Stage.SECOND
    if facts.has_case:
        return Stage.REVIEW
    if facts.control_waits:
        return Stage.PROOF
    if facts.represent_waits:
        return Stage.REPRESENT
    return Stage.FEE if facts.fee_waits else Stage.CHECKING


@dataclass(frozen=True)
class StageText:
    """The state as a heading, a sentence under it, a short form for lists, and its tone."""

    heading: str
    lead: str
    short: str
    tone: str  # ok | wait | warn | bad | info | off


_SAID: dict[Stage, Callable[[], StageText]] = {
    Stage.DRAFT: lambda: StageText(
        _("Your application is not sent yet"), _("Your answers are saved."), _("Not sent yet"), "wait"
    ),
    Stage.PROOF: lambda: StageText(
        _("One thing is missing: the proof of an address"),
        _("Prove the address: we then continue at once."),
        _("Waiting for your proof"),
        "warn",
    ),
    Stage.REPRESENT: lambda: StageText(
        _("One thing is missing: show whose number it is"),
        _("Others know this number too. Show that you may use it: we then continue at once."),
        _("Waiting for you to show whose number it is"),
        "warn",
    ),
    Stage.FEE: lambda: StageText(
        _("One thing is missing: the fee"),
        _("We continue as soon as you pay the invoice. We change nothing in your connection."),
        _("Waiting for your payment"),
        "warn",
    ),
    Stage.CHECKING: lambda: StageText(
        _("We are checking your application"),
        _("You need not do anything. We change nothing in your connection while we decide."),
        _("Being checked"),
        "wait",
    ),
    Stage.REVIEW: lambda: StageText(
        _("An officer is looking at your application"),
        _("You need not do anything. We change nothing in your connection while we decide."),
        _("With an officer"),
        "wait",
    ),
    Stage.QUESTION: lambda: StageText(
        _("The officer has one question"),
        _("We continue as soon as you answer. We change nothing in your connection."),
        _("Waiting for your answer"),
        "warn",
    ),
    Stage.NOTICE: lambda: StageText(
        _("Tell us your side before we decide"),
        _("There is a problem. Nothing is decided yet, and we change nothing in your connection."),
        _("Waiting for your answer"),
        "warn",
    ),
    Stage.HEARING: lambda: StageText(
        _("You are heard before we decide"),
        _("You asked for a hearing, and nothing is decided before it. A letter tells you day and place."),
        _("Waiting for your hearing"),
        "wait",
    ),
    Stage.SECOND: lambda: StageText(
        _("A second officer is looking at your application"),
        _("Nothing is decided yet. You need not do anything."),
        _("With a second officer"),
        "wait",
    ),
    Stage.GRANTED: lambda: StageText(
        _("Your application is granted"), _("The entry in the register follows at once."), _("Granted"), "ok"
    ),
    Stage.REGISTERED: lambda: StageText(
        _("You are on the register"), _("Operators get the entry within seconds."), _("On the register"), "ok"
    ),
    Stage.PUBLISHED: lambda: StageText(
        _("You are on the register, and operators have the entry"),
        _("We show here which operators have it in force."),
        _("Published"),
        "ok",
    ),
    Stage.NOWHERE: lambda: StageText(
        _("You are on the register, and an address of yours is with no operator yet"),
        _("No operator connected to us runs this network. Our officers are finding out which operator it is."),
        _("Not with an operator yet"),
        "warn",
    ),
    Stage.IN_FORCE: lambda: StageText(
        _("Your registration is in force"),
        _("All operators of this address have confirmed it. You need not do anything."),
        _("In force"),
        "ok",
    ),
    Stage.ENDED: lambda: StageText(
        _("This registration has ended"),
        _("It ended at the holder’s request. You can undo that for 30 days, and apply again at any time."),
        _("Ended by the holder"),
        "off",
    ),
    Stage.PAUSED: lambda: StageText(
        _("This registration is paused"),
        _(
            "At the holder’s request, we tell operators that have it to take it off their lists. It continues "
            "automatically, or earlier when the holder presses a button."
        ),
        _("Paused by the holder"),
        "wait",
    ),
    Stage.SUSPENDED: lambda: StageText(
        _("This registration is suspended"),
        _("You see the reason, and what you can do, on the page of the registration."),
        _("Suspended"),
        "bad",
    ),
    Stage.STRUCK_OUT: lambda: StageText(
        _("This registration was struck out of the register"),
        _("You see the reason on the page of the registration."),
        _("Struck out"),
        "bad",
    ),
    Stage.EXPIRED: lambda: StageText(
        _("This registration has expired"), _("Apply again: most applications take minutes."), _("Expired"), "off"
    ),
    Stage.REFUSED: lambda: StageText(
        _("We could not register this"), _("This page says why, and what you can do."), _("Refused"), "bad"
    ),
    Stage.WITHDRAWN: lambda: StageText(
        _("You withdrew this application"),
        _("Nothing is decided. You can apply again at any time."),
        _("Withdrawn"),
        "off",
    ),
    Stage.NOT_PURSUED: lambda: StageText(
        _("This application is closed without an answer"),
        _("This is not a refusal. We continue as soon as you answer."),
        _("Closed without an answer"),
        "off",
    ),
}


def stage_text(stage: Stage) -> StageText:
    return _SAID[stage]()


def operator_text() -> StageText:
    """Instead of `proof`, while every address without a proof is with its operator, who was asked."""
    return StageText(
        _("Waiting for your operator to confirm the address"),
        _("You need not do anything. You can also prove the address yourself: we then continue at once."),
        _("Waiting for your operator"),
        "wait",
    )


def revocation_text(*, is_your_turn: bool, is_suspended: bool) -> StageText:
    """Instead of what is said of a registration, while it is proposed to revoke it. `is_suspended`: for some hours,
    before its holder is heard."""
    if is_suspended:
        lead = _("It is suspended until the time in the notice. Nothing is decided yet.")
    elif is_your_turn:
        lead = _(
            "An officer proposes to revoke your registration. Nothing is decided yet, and we change nothing in your "
            "connection."
        )
    else:
        lead = _(
            "Nothing is decided yet, and we change nothing in your connection. The notice has the date by which we "
            "decide."
        )
    if is_your_turn:
        return StageText(_("Tell us your side before we decide"), lead, _("Waiting for your answer"), "warn")
    heading = _("A second officer decides whether your registration is revoked")
    return StageText(heading, lead, _("With a second officer"), "wait")


def beside_text(what: Beside) -> str:
    """What it changes for the applicant that a check failed which is in nobody's way."""
    return {
        Beside.STANDS: _(
            "This changes nothing: another proof is accepted in its place, and you need do nothing. If somebody gave "
            "a wrong answer, you can ask them to correct it."
        ),
        Beside.OPEN: _(
            "It is no proof here, and the decision depends on your other proofs. If somebody gave a wrong answer, you "
            "can ask them to correct it. You can also send another proof."
        ),
        Beside.OPTIONAL: _("This changes nothing: the rules do not require it, and you need do nothing."),
    }[what]


def provisional_text(until: dt.datetime) -> StageText:
    """Instead of what is said of a registration that stands, while something is still to come."""
    day = {"date": values.day(until)}
    return StageText(
        _("You are registered provisionally"),
        _(
            "Your connection is on the register now. Something is still missing, due by %(date)s; the next page "
            "says what."
        )
        % day,
        _("Provisional until %(date)s") % day,
        "wait",
    )
