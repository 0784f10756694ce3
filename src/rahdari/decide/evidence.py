"""Whether what a code needs is in the file. No act uses a code that goes against somebody without it.

What a program can find it looks for; it never judges whether what was said is true. What only a person can find the
officer names in words: they are kept with the notice, and whoever it goes against reads them.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from rahdari import optional
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Document
from rahdari.checks import queries as checks
from rahdari.checks.declared import ATTESTED_NOT_SHOWN
from rahdari.checks.models import Check, Outcome
from rahdari.confirm import queries as questions
from rahdari.confirm.rules import BLAMES_NOBODY, OperatorAnswer
from rahdari.control import queries as proofs
from rahdari.policy import CheckRule, Reason

from . import queries
from .case_clock import policy_of
from .models import CaseQuestion, Notice
from .rules import HearingState, NoticeState

# Rooms above know of reports about what is registered: whether each that stands came with files that its holder saw.
REPORTS: list[Callable[[Application], list[bool]]] = []
# A proof was shown again in vain in so many spans of time, and not since.
PROOFS_IN_VAIN = 2


class EvidenceMissing(Exception):
    """What these codes need is not in the file. `.missing`: pairs of a code and the policy's word for the evidence."""

    def __init__(self, missing: Iterable[tuple[str, str]]) -> None:
        self.missing = tuple(missing)
        super().__init__("not in the file: " + ", ".join(f"{key} of {code}" for code, key in self.missing))


class File:
    """What is in the file of an application at a moment, each read once, when it is asked for. Whoever has it gives it
    along.

    `notice`: the proposal that stands. `adds_paper`: one that is made now comes with a paper of the officer.
    """

    def __init__(
        self,
        application: Application,
        now: dt.datetime,
        *,
        notice: Notice | None = None,
        adds_paper: bool = False,
        **read: Any,
    ) -> None:
        self.application, self.now, self.notice, self.adds_paper = application, now, notice, adds_paper
        vars(self).update(read)

    @cached_property
    def checks(self) -> list[Check]:
        return list(checks.checks_of(self.application.subject))

    @cached_property
    def papers(self) -> list[Document]:
        return list(applications.documents_of(self.application))

    @cached_property
    def asked_operators(self) -> list[Any]:
        """Questions to operators, with `was_answered`."""
        return list(questions.questions_with_answers(self.application.subject))

    @cached_property
    def asked_applicant(self) -> list[CaseQuestion]:
        return list(CaseQuestion.objects.filter(case__application=self.application))

    @cached_property
    def reports(self) -> list[bool]:
        return [with_files for each in REPORTS for with_files in each(self.application)]

    @cached_property
    def proofs_in_vain(self) -> int:
        """In how many spans of time an address of the registration was not shown again, for the one with most."""
        case = queries.case_of(self.application)
        decision = queries.decision_of(case) if case is not None else None
        if decision is None or decision.registration is None:
            return 0
        abouts = [f"entry:{key}" for key in decision.registration.entries.values_list("pk", flat=True)]
        return max((each.in_vain for each in proofs.reproofs_in_vain().filter(about__in=abouts)), default=0)

    @property
    def has_officers_paper(self) -> bool:
        """Of this proposal, and not of an earlier one: its holder reads it before it is decided."""
        mine = self.notice.shown_subject if self.notice is not None else ""
        return self.adds_paper or any(paper.rule == mine and paper.erased_at is None for paper in self.papers)


def _checks(file: File, kinds: Iterable[str]) -> list[Check]:
    wanted = frozenset(kinds)
    return [check for check in file.checks if check.kind in wanted]


def _asked_with(application: Application, reason: Reason) -> list[CheckRule]:
    asked = application.checks_in(policy_of(application).services[application.service])
    return [rule for rule in asked if rule.reason == reason.code]


def _failed(file: File, *kinds: str) -> bool:
    """Of an attestation of somebody else it is no ground that it does not count."""
    found = (check for check in _checks(file, kinds) if check.finding != ATTESTED_NOT_SHOWN)
    return any(check.outcome == Outcome.FAILED for check in found)


def _failed_of(file: File, reason: Reason) -> bool:
    return _failed(file, *(rule.kind for rule in _asked_with(file.application, reason)))


def _operator_denies(file: File, _reason: Reason) -> bool:
    """Whether an operator's last answer about this application is a no that speaks of the applicant."""
    return any(map(is_denial, file.asked_operators))


def is_denial(asked: Any) -> bool:
    """Whether an operator's last answer is a no that speaks of the applicant."""
    return bool(asked.state == OperatorAnswer.NO and asked.reason not in BLAMES_NOBODY)


def _operator_answered(file: File, _reason: Reason) -> bool:
    return any(each.was_answered for each in file.asked_operators)


def _roster_failed(file: File, reason: Reason) -> bool:
    rosters = {rule.roster for rule in _asked_with(file.application, reason) if rule.kind == "roster"}
    found = _checks(file, ["roster"])
    return any(check.outcome == Outcome.FAILED and check.target in rosters for check in found)


def _not_proved(file: File, _reason: Reason) -> bool:
    return any(check.outcome != Outcome.PASSED for check in _checks(file, ["control"]))


def _unpaid(file: File, _reason: Reason) -> bool:
    open_ones = [check for check in _checks(file, ["fee"]) if check.outcome != Outcome.PASSED]
    return bool(open_ones) and bool(optional.ask(__package__, "is_invoiced", file.application))


def _has_papers(file: File, _reason: Reason) -> bool:
    return any(paper.erased_at is None for paper in file.papers)


def _offered(file: File, reason: Reason) -> bool:
    """Something was offered, or it is on record that nothing was."""
    given = bool(file.application.evidence_kind) or _has_papers(file, reason)
    kinds = [rule.kind for rule in _asked_with(file.application, reason)]
    return given or any(check.outcome != Outcome.PASSED for check in _checks(file, kinds))


def _own_words(file: File, _reason: Reason) -> bool:
    """What the applicant wrote of the use or the work: where it is asked, as a proof, or in answer to a question."""
    application = file.application
    kind = policy_of(application).services[application.service].evidence_kind(application.evidence_kind)
    wrote = application.evidence_text if kind is not None and kind.sort.own_words else ""
    answered = (each.answer for each in file.asked_applicant if each.answered_at is not None)
    return bool(application.purpose or wrote) or any(answered)


def _paper_of_proposal(file: File, reason: Reason) -> bool:
    """What the officer added to the proposal, or came with a report; before a refusal, what was sent."""
    return _has_papers(file, reason) if reason.kind == "refusal" else file.has_officers_paper or any(file.reports)


def _is_reported(file: File, _reason: Reason) -> bool:
    return bool(file.reports) or file.has_officers_paper


def _reported_or_in_vain(file: File, reason: Reason) -> bool:
    return _is_reported(file, reason) or file.proofs_in_vain >= PROOFS_IN_VAIN


def _denied_and_in_vain(file: File, reason: Reason) -> bool:
    return file.proofs_in_vain > 0 and (_operator_denies(file, reason) or file.has_officers_paper)


def _reported_and_heard(file: File, reason: Reason) -> bool:
    """The report; once it was proposed, also the answer or that its time is over, and what became of the hearing."""
    notice = file.notice
    is_heard = notice is None or (notice.state == NoticeState.RIPE and notice.hearing != HearingState.ASKED)
    return is_heard and _is_reported(file, reason)


def _ended_after_reminder(file: File, reason: Reason) -> bool:
    ended = optional.ask(__package__, "ended_after_reminder", file.application, file.now)
    return bool(ended) or _paper_of_proposal(file, reason)


# By the policy's word for the evidence.
_THERE: dict[str, Callable[[File, Reason], bool]] = {
    "page_and_fault": _has_papers,
    "asked_and_shown": lambda file, reason: bool(file.application.evidence_text) or _has_papers(file, reason),
    "masked_answer": _operator_answered,
    "attempts": _not_proved,
    "roster_query": _roster_failed,
    "signed_answer": _operator_denies,
    "identity_result": _failed_of,
    "own_words": _own_words,
    "what_was_offered": _offered,
    "range_and_registry": lambda file, _reason: _failed(file, "not_registered", "origin"),
    "count_and_invoice": _unpaid,
    "date_and_reminders": _ended_after_reminder,
    "answer_and_reproof": _denied_and_in_vain,
    "report_or_proofs": _reported_or_in_vain,
    "report_answer_hearing": _reported_and_heard,
    "register_extract": _paper_of_proposal,
    "certified_copy": _paper_of_proposal,
}
# Only a person can tell: the officer names it.
NAMED = frozenset({"statement_and_proof"})
# These come of a check that the policy asks with this code. Where it asks for none, the code cannot fit the file.
_OF_A_CHECK = frozenset({"roster_query", "identity_result", "what_was_offered", "count_and_invoice"})


def fits(application: Application, reason: Reason) -> bool:
    """Whether this code could ever stand on the file of this application: others are not offered."""
    kinds = {rule.kind for rule in _asked_with(application, reason)}
    if "roster_query" in reason.evidence and "roster" not in kinds:
        return False
    return bool(kinds) or not _OF_A_CHECK.intersection(reason.evidence)


def is_named(reason: Reason) -> bool:
    return bool(NAMED.intersection(reason.evidence))


def missing(file: File, reason: Reason, *, named: bool = True) -> tuple[str, ...]:
    """The evidence that the code needs and that is not in the file, by the policy's words.

    `named`: whether the officer has named what only a person can find.
    """
    gone = [key for key in reason.evidence if key in _THERE and not _THERE[key](file, reason)]
    return (*gone, *(key for key in reason.evidence if key in NAMED and not named))


def require(file: File, reasons: Iterable[Reason], *, named: bool = True) -> None:
    """Raises EvidenceMissing."""
    gone = [(each.code, key) for each in reasons for key in missing(file, each, named=named)]
    if gone:
        raise EvidenceMissing(gone)
