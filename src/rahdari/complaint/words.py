"""What a complaint is about and what came of it, in the reader's words."""

from django.utils.translation import gettext as _

from .rules import About, Answer, CannotDecide, Kind, Outcome


def kind(key: str) -> str:
    return {
        Kind.MISUSE: _("Report of misuse"),
        Kind.CORRECTION: _("Request for a correction"),
    }[Kind(key)]


def about(key: str) -> str:
    return {
        About.SOLD_ON: _("The registered connection is sold to others"),
        About.FALSE_STATEMENT: _("The registration was obtained by a false statement"),
        About.NOT_THE_HOLDER: _("The connection is no longer in the holder’s hands"),
        About.COURT_FINDING: _("A court, or a decision on a licence, found something"),
        About.ADDRESS: _("This is my address"),
        About.NAME: _("This is my name"),
        About.CARD: _("This is my card number"),
        About.COMPANY: _("This is my company"),
        About.ENTRY: _("A registration or a certificate is wrong"),
    }[About(key)]


def hint(key: str) -> str:
    return {
        About.SOLD_ON: _("For example, anybody can buy it, and no licence covers that."),
        About.FALSE_STATEMENT: _("For example, a forged letter, or somebody else’s name."),
        About.NOT_THE_HOLDER: _("For example, the server or the line was given to somebody else."),
        About.COURT_FINDING: _("Say which court or authority, the number and the day."),
    }.get(About(key), "")


def answer(key: str) -> str:
    """How it is with the holder's answer."""
    return {
        Answer.NOBODY: _("Nobody was asked"),
        Answer.ASKED: _("The holder still has time to answer"),
        Answer.ANSWERED: _("Answered by the holder"),
        Answer.SILENT: _("The time to answer is over"),
    }[Answer(key)]


def outcome(key: str) -> str:
    return {
        Outcome.FOUNDED: _("Founded"),
        Outcome.NOT_FOUNDED: _("Not founded"),
        Outcome.NOTHING_REGISTERED: _("Nothing like it is registered"),
        Outcome.MALICIOUS: _("Sent in order to harm the holder"),
    }[Outcome(key)]


def why_not(reason: CannotDecide) -> str:
    return {
        CannotDecide.PART: _("You had a part in this case: somebody else decides"),
        CannotDecide.OFFICER: _("An officer decides"),
    }[reason]
