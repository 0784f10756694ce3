"""What happened to a case, and how it stands, in the reader's words. How an act is called says `acts`."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rahdari.apply import file_hold as apply_file_hold
from rahdari.apply.models import Application
from rahdari.journal import registry
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.policy import Policy

from .decided import SAME_NUMBER, SHARED_CARD
from .models import Notice
from .rules import REACH, Beside, CannotSecond, CheckFact, KeptBack, WhyNotGranted


@dataclass(frozen=True)
class HistoryLine:
    """One line of a history: what was done, by whom, the code it rests on, and how often in a row. The newest time."""

    at: object
    what: str
    who: str
    code: str
    count: int = 1


def history(rows: Iterable[JournalEntry], *, reader: User, staff: Iterable[User]) -> list[HistoryLine]:
    """What became of a file since it was sent. The steps of a draft are the applicant's own and are left out.

    What somebody did many times in a row, such as proving 500 addresses, is one line.
    """
    named: dict[str, str] = {}
    colleagues = {str(each.pk): each for each in staff}

    def by(actor: str) -> str:
        if actor not in named:
            named[actor] = who(actor, reader, colleagues)
        return named[actor]

    acts = ((row, registry.words_of(row.act)) for row in rows)
    found = (
        HistoryLine(row.at, str(act.sentence), by(row.actor), row.reason if act.with_code else "")
        for row, act in acts
        if act.sentence
    )
    alike = groupby(found, key=lambda said: (said.what, said.who, said.code))
    return [replace(next(same), count=1 + sum(1 for _ in same)) for _key, same in alike]


def who(actor: str, reader: User, colleagues: Mapping[str, User]) -> str:
    """How a page names the actor of a row of the journal, in the reader's language. `colleagues`: who of them holds or
    held a post, by their id."""
    kind, _colon, name = actor.partition(":")
    if kind in {"officer", "supervisor"}:
        if name == str(reader.pk):
            return _("you")
        colleague = colleagues.get(name)
        return f"\u2068{colleague.name}\u2069" if colleague and colleague.name else _("an officer")
    return {
        "reviewer": _("somebody from outside"),
        "person": _("the applicant"),
        "agent": _("an agent of the applicant"),
        "rule": _("the rules"),
        "association": _("the association"),
        "clock": _("the clock"),
        "appeal": _("an appeal"),
    }.get(kind, _("the system"))


# Why a file is opened that is decided or closed. The first word is what the journal keeps.
# A demand of a court or an authority is none of them: it goes by the ledger (room `demand`).
WHY_AGAIN = ("asked", "again", "complaint", "mistake", "revocation", "supervision")


def why(reason: str) -> str:
    """Why an officer looked, in words for the officer and for the applicant; empty for a reason that is not known."""
    return {
        "decide": _("To decide the application"),
        "queue": _("To choose the next case"),
        "asked": _("The applicant asked about it"),
        "again": _("A later application depends on it"),
        "complaint": _("A complaint, an objection or an appeal"),
        "revocation": _("To propose, hear or decide a revocation"),
        "mistake": _("To find out whether the decision was wrong"),
        "supervision": _("To check how decisions are made"),
        "authority": _("A court or an authority asked, by law"),
        "case": _("To compare it with another case"),
        SAME_NUMBER: _("Another application has the same company or card number"),
        "demand": _("A public body demanded it under a law"),
        SHARED_CARD: _("To compare it with another application that gives the same card number"),
        "second_look": _("To look again at a decision chosen by chance"),
    }.get(reason, "")


def held_because(ground: str) -> str:
    """Why a file is kept, in words for the officer and for the applicant."""
    return {
        "appeal": _("An appeal"),
        "complaint": _("A complaint"),
        "court": _("A court order"),
    }.get(ground, "")


def why_held(application: Application, now: dt.datetime) -> str:
    """Empty where no officer keeps the file now."""
    return held_because(application.held_because) if apply_file_hold.is_held(application, now) else ""


def evidence(policy: Policy, codes: tuple[str, ...], language: str) -> list[str]:
    """What has to stand in the file before a code is used."""
    keys = dict.fromkeys(key for code in codes for key in policy.reasons[code].evidence)
    return [policy.evidence[key].in_language(language) for key in keys]


# How evidence that is not in the file gets there, by the policy's word for it.
_COMES = {
    "page_and_fault": lambda: _("No document was sent. Ask for one first."),
    "asked_and_shown": lambda: _("No document was sent. Ask for one first."),
    "masked_answer": lambda: _("Ask the operator on this page. Its answer is then in the file."),
    "attempts": lambda: _("Every address is proved. If a proof is not valid, choose another reason."),
    "roster_query": lambda: _("The file contains this only if we checked the list and the check failed."),
    "signed_answer": lambda: _("Ask the operator on this page. If the operator says no, that is then in the file."),
    "identity_result": lambda: _("The file contains this only if this check was made and failed. Record it first."),
    "own_words": lambda: _("The applicant has not said what the connection is for. Ask first."),
    "what_was_offered": lambda: _(
        "The file contains this only if the applicant gave something, or if nothing came in time."
    ),
    "range_and_registry": lambda: _(
        "The file contains this only if the check of the network or of the register failed."
    ),
    "count_and_invoice": lambda: _("The file contains this only if an invoice is not paid."),
    "date_and_reminders": lambda: _(
        "The file contains this only if what an association attested has ended after a reminder. "
        "Otherwise add a document that shows both."
    ),
    "answer_and_reproof": lambda: _(
        "The new proof must have failed. The operator must have said no, or add its signed answer."
    ),
    "report_or_proofs": lambda: _(
        "It is there after two failed proofs or with a complaint. Otherwise add the report as a document."
    ),
    "report_answer_hearing": lambda: _(
        "It is there with a complaint. Otherwise add the report as a document. The time to answer must be over, and "
        "so must a hearing that was asked for."
    ),
    "register_extract": lambda: _("Add the extract as a document."),
    "certified_copy": lambda: _("Add the certified copy."),
    "statement_and_proof": lambda: _("Name both in the field for what in the file shows it."),
}


def comes(key: str) -> str:
    return _COMES[key]()


def lacking(policy: Policy, missing: Iterable[tuple[str, str]], language: str, *, is_proposed: bool = False) -> str:
    """Which evidence is not in the file, of which code, and how it gets there. `is_proposed`: to take a registration
    back; what is held against its holder was announced."""
    said = [
        _("%(code)s needs in the file: %(evidence)s. %(comes)s")
        % {"code": f"\u2066{code}\u2069", "evidence": policy.evidence[key].in_language(language), "comes": comes(key)}
        for code, key in missing
    ]
    if is_proposed:
        said.append(_("Nothing is added to a proposal. Drop it and propose it again with what is missing."))
    return " ".join(said)


def shown_paper(notice: Notice) -> str:
    """What the paper is that an officer added to a proposal to take a registration back."""
    return _("Certified copy of the order") if notice.is_order else _("Document that shows it")


def why_not_second(reason: CannotSecond) -> str:
    return {
        CannotSecond.YOURS: _("Yours, someone else decides"),
        CannotSecond.RANK: _("An officer of Director rank decides"),
        CannotSecond.NEW: _("You are new in your post: from the second day on"),
        CannotSecond.NOT_YET: _("The applicant may still answer"),
        CannotSecond.HEARING: _("A hearing was asked for: it comes first"),
        CannotSecond.LATE: _("The time to decide it has ended: the registration stays"),
    }[reason]


def beside(what: Beside) -> str:
    """Why a check that failed is in nobody's way, for an officer."""
    return {
        Beside.STANDS: _("Another proof is accepted in its place."),
        Beside.OPEN: _("It was offered in place of a check that has not passed."),
        Beside.OPTIONAL: _("The rules do not require it."),
    }[what]


def ways_to_find_out() -> list[str]:
    """How officers usually find something out, each with another first letter: offered where they record it."""
    return [
        _("Read in the papers of the file."),
        _("Looked up in the public register."),
        _("Called the number that was given."),
        _("Asked the operator."),
        _("Heard from the applicant."),
    ]


def why_kept_back(ground: str) -> str:
    """Why the holder does not read a note; empty where they do."""
    return (
        {
            KeptBack.OTHER_PERSON: _("It names another person"),
            KeptBack.CHECK: _("It would reveal how a check works"),
        }.get(KeptBack(ground), "")
        if ground
        else ""
    )


def why_not_granted(reason: WhyNotGranted, facts: Sequence[CheckFact]) -> str:
    """Why a case that was chosen with others is left out; `facts`: the checks that are missing."""
    if reason == WhyNotGranted.CHECKS:
        return missing(tuple(facts))
    return {
        WhyNotGranted.TOO_MANY: _("Only 50 cases can be granted at once."),
        WhyNotGranted.UNKNOWN: _("You cannot decide this case."),
        WhyNotGranted.CLOSED: _("It is not open any more."),
        WhyNotGranted.TAKEN: _("Another officer has it."),
        WhyNotGranted.QUESTION: _("It waits for an answer of the applicant."),
        WhyNotGranted.NOTICE: _("A refusal is proposed."),
        WhyNotGranted.CHANGED: _("It changed after you saw the list. Open it to see what is new."),
    }[reason]


def missing(facts: tuple[CheckFact, ...]) -> str:
    """Why there is no grant yet, by how it can be mended."""
    nowhere = sum(fact.kind == REACH for fact in facts)
    if nowhere:
        return ngettext(
            "%(count)s address would reach no operator: its network is unknown, and no gateway gets the list. "
            "Name its operator first.",
            "%(count)s addresses would reach no operator: their networks are unknown, and no gateway gets the "
            "list. Name their operators first.",
            nowhere,
        ) % {"count": nowhere}
    waiting = sum(fact.outcome == "waiting" for fact in facts)
    if waiting:
        return ngettext(
            "%(count)s check is still waiting. Record it first.",
            "%(count)s checks are still waiting. Record them first.",
            waiting,
        ) % {"count": waiting}
    return ngettext(
        "%(count)s check did not pass. If you found out otherwise, record it by hand first.",
        "%(count)s checks did not pass. If you found out otherwise, record them by hand first.",
        len(facts),
    ) % {"count": len(facts)}
