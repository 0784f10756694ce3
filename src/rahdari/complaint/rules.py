"""What may be complained of, how a complaint may move, and what comes of it. Pure: no database, no clock, no request.

A kind is a row of KINDS, its words in `words` and its form in `forms`. What a report may say is a closed list of acts:
none of them is about what somebody reads or writes, with whom, how much, or what they believe. Two dimensions are kept
apart: the complaint's state, and whether the holder was asked and has answered. A move that is not in MOVES does not
exist. Nothing here changes what is registered: only the procedure of `decide.revocation` does.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    MISUSE = "misuse"
    CORRECTION = "correction"


class About(StrEnum):
    """Of misuse: the act that is reported. Of a correction: what of the sender's is said to be registered."""

    SOLD_ON = "sold_on"  # sold to others
    FALSE_STATEMENT = "false_statement"
    NOT_THE_HOLDER = "not_the_holder"  # no longer in the holder's hands
    COURT_FINDING = "court_finding"  # what a court or a decision on a licence found
    ADDRESS = "address"
    NAME = "name"
    CARD = "card"  # the number of an identity card
    COMPANY = "company"  # the number of a company
    ENTRY = "entry"  # what a registration or its certificate says


@dataclass(frozen=True)
class Row:
    """One kind. `about` is what it can be about, each with the codes of a policy by which a registration may then be
    proposed to be taken back; `confirmed` names those of which an email address is confirmed before anybody reads
    them."""

    about: dict[About, tuple[str, ...]]
    outcomes: "tuple[Outcome, ...]"
    confirmed: frozenset[About] = frozenset()
    # Whether the holder sees the files that came with it. They are what is held against the holder, and are answered;
    # or they show who the sender is, and are for whoever decides.
    holder_sees_files: bool = False


class Outcome(StrEnum):
    FOUNDED = "founded"
    NOT_FOUNDED = "not_founded"
    NOTHING_REGISTERED = "nothing_registered"
    MALICIOUS = "malicious"


KINDS = {
    Kind.MISUSE: Row(
        {
            About.SOLD_ON: ("S5", "X4"),
            About.FALSE_STATEMENT: ("X5",),
            About.NOT_THE_HOLDER: ("S4", "S2", "X2"),
            About.COURT_FINDING: ("S5", "X4"),
        },
        (Outcome.FOUNDED, Outcome.NOT_FOUNDED, Outcome.NOTHING_REGISTERED, Outcome.MALICIOUS),
        holder_sees_files=True,
    ),
    Kind.CORRECTION: Row(
        {
            About.ADDRESS: ("S2", "S4", "X2", "X5"),
            About.NAME: ("X5", "S4"),
            About.CARD: ("X5", "S4"),
            About.COMPANY: ("X5", "S4"),
            About.ENTRY: ("X5", "S4", "S2", "X2"),
        },
        (Outcome.FOUNDED, Outcome.NOT_FOUNDED, Outcome.NOTHING_REGISTERED),
        frozenset({About.NAME, About.CARD, About.COMPANY, About.ENTRY}),
    ),
}


class State(StrEnum):
    UNCONFIRMED = "unconfirmed"  # nobody reads it before its sender has confirmed the email address
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"  # not confirmed in time: nothing is left of it


class Answer(StrEnum):
    """Of the holder."""

    UNKNOWN = "unknown"  # not looked up yet: whether there is a holder to ask
    NOBODY = "nobody"  # nothing in force was found, so nobody is asked
    ASKED = "asked"
    ANSWERED = "answered"
    SILENT = "silent"  # the time to answer is over


class By(StrEnum):
    SENDER = "sender"
    HOLDER = "holder"
    DECIDER = "decider"
    SUPERVISOR = "supervisor"
    CLOCK = "clock"


@dataclass(frozen=True)
class Move:
    source: State
    act: str
    target: State
    by: By
    answer: frozenset[Answer] = frozenset(Answer)


# Of these somebody may say that the name or number of a company is theirs.
CONTESTS = (About.NAME, About.COMPANY, About.ENTRY)

UNCONFIRMED, OPEN, CLOSED, GONE = State.UNCONFIRMED, State.OPEN, State.CLOSED, State.GONE
HEARD = frozenset({Answer.NOBODY, Answer.ANSWERED, Answer.SILENT})

MOVES = (
    Move(UNCONFIRMED, "confirm", OPEN, By.SENDER),
    Move(UNCONFIRMED, "forget", GONE, By.CLOCK),
    # Before anybody is asked: the holder answers all of it, and nothing is added behind that.
    Move(OPEN, "add_file", OPEN, By.SENDER, frozenset({Answer.UNKNOWN})),
    Move(OPEN, "remove_file", OPEN, By.SENDER, frozenset({Answer.UNKNOWN})),
    Move(OPEN, "end_files", OPEN, By.SENDER, frozenset({Answer.UNKNOWN})),
    # Which registration it is about is looked up: by the line and not while the form is answered, which would take
    # longer where there is one.
    Move(OPEN, "look_up", OPEN, By.CLOCK, frozenset({Answer.UNKNOWN})),
    # Of a name: whoever decides has seen whose it is, and has it compared with those of holders.
    Move(OPEN, "ask_holder", OPEN, By.DECIDER, frozenset({Answer.NOBODY})),
    # The same was sent once more while it is open, by the same person or another one: it is counted.
    Move(OPEN, "join", OPEN, By.CLOCK, frozenset({Answer.UNKNOWN})),
    # Also after its time, until it is decided.
    Move(OPEN, "answer", OPEN, By.HOLDER, frozenset({Answer.ASKED, Answer.SILENT})),
    # Before the answer: with it they are sent, and nobody reads them before.
    Move(OPEN, "add_answer_file", OPEN, By.HOLDER, frozenset({Answer.ASKED, Answer.SILENT})),
    Move(OPEN, "remove_answer_file", OPEN, By.HOLDER, frozenset({Answer.ASKED, Answer.SILENT})),
    Move(OPEN, "let_answer_lapse", OPEN, By.CLOCK, frozenset({Answer.ASKED})),
    Move(OPEN, "name_reviewer", OPEN, By.SUPERVISOR, frozenset(Answer) - {Answer.UNKNOWN}),
    # The contact on the list says no more, by the link of its letter, that a registration is not from it.
    Move(OPEN, "take_back", OPEN, By.SENDER, frozenset(Answer) - {Answer.UNKNOWN}),
    # The public check says that the name is contested, or says it no more. Reading alone does neither.
    Move(OPEN, "contest", OPEN, By.DECIDER, frozenset(Answer) - {Answer.UNKNOWN}),
    # Never before the holder has answered, or had the time to.
    Move(OPEN, "decide", CLOSED, By.DECIDER, HEARD),
    # The office missed its own time.
    Move(OPEN, "let_time_run_out", OPEN, By.CLOCK, frozenset(Answer) - {Answer.UNKNOWN}),
    # On the day that was named at the beginning, whatever was found and however early it was decided.
    Move(CLOSED, "tell", CLOSED, By.CLOCK),
    Move(CLOSED, "erase", CLOSED, By.CLOCK),
)


def move_of(act: str) -> Move:
    return next(move for move in MOVES if move.act == act)


def allows(state: State, answer: Answer, act: str) -> bool:
    move = move_of(act)
    return move.source == state and answer in move.answer


def codes_for(kind: str, about: str) -> tuple[str, ...]:
    """By which codes a registration may be proposed to be taken back for this, if the policy has them."""
    return KINDS[Kind(kind)].about[About(about)]


def must_be_confirmed(kind: str, about: str) -> bool:
    return About(about) in KINDS[Kind(kind)].confirmed


class CannotDecide(StrEnum):
    """Why somebody may not decide a complaint."""

    PART = "part"  # they had a part in the case, or hold the registration, or sent the complaint
    OFFICER = "officer"


def may_decide(*, had_part: bool, is_officer: bool, is_reviewer: bool = False) -> CannotDecide | None:
    """`is_reviewer`: from outside, named for this complaint."""
    if had_part:
        return CannotDecide.PART
    return None if is_officer or is_reviewer else CannotDecide.OFFICER
