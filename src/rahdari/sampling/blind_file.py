"""The file as it stood when the decision was made, without the decision: no outcome, no officer, no lane.

What an officer recorded by hand is words in the file. What they concluded from it was theirs: the check is shown as it
was before.
"""

import datetime as dt
from functools import cached_property
from typing import Any

from rahdari.apply.models import Document
from rahdari.apply.summary import SummaryLine
from rahdari.checks.models import Check, Outcome
from rahdari.confirm.models import SubscriberQuestion
from rahdari.decide.case_page import CasePage
from rahdari.decide.models import CaseQuestion, Notice

# Of very many addresses, so many are shown with all that was found.
CHECKS_SHOWN = 100
BY_HAND = "by_hand"


class BlindFile(CasePage):
    """What the page of the case shows of the application and its evidence, up to `until`."""

    def __init__(self, *args: Any, until: dt.datetime, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.until = until

    @cached_property
    def all_checks(self) -> list[Check]:
        return [as_it_stood(check, self.until) for check in super().all_checks]

    @property
    def is_grouped(self) -> bool:
        """One page has them all."""
        return False

    @cached_property
    def shown_checks(self) -> list[Any]:
        """What did not pass is in front."""
        return self.checks[:CHECKS_SHOWN]

    @property
    def left_out(self) -> int:
        return len(self.all_checks) - len(self.shown_checks)

    @cached_property
    def documents(self) -> list[tuple[str, Document]]:
        return [(title, each) for title, each in super().documents if each.uploaded_at <= self.until]

    @cached_property
    def later_proofs(self) -> list[tuple[str, str]]:
        came = [proof for proof in self._read.proofs if proof.given_at <= self.until]
        return super().later_proofs[: len(came)]

    @property
    def asked(self) -> list[tuple[CaseQuestion, str, list[Document]]]:
        return [each for each in super().asked if each[0].answered_at and each[0].answered_at <= self.until]

    @property
    def heard(self) -> list[tuple[Notice, list[Document]]]:
        """What the applicant answered to a notice: evidence of theirs. What the notice said would tell too much."""
        notices = self.case.notices.all()
        return [
            (each, self.papers_of(each))
            for each in notices
            if each.answered_at is not None and each.answered_at <= self.until
        ]

    @cached_property
    def operators_asked(self) -> list[tuple[SubscriberQuestion, str, str, str]]:
        return [each for each in super().operators_asked if each[0].answered_at and each[0].answered_at <= self.until]

    @property
    def endpoints_and_runs(self) -> list[tuple[Any, SummaryLine]]:
        return super().endpoints_and_runs[:CHECKS_SHOWN]


def as_it_stood(check: Check, until: dt.datetime) -> Check:
    """The check with the answer that it had then, by hand excepted; it waits where it had none, or none is kept. Not to
    be saved."""
    found_out = ""
    while check.answered_at is not None and (check.answered_at > until or check.finding == BY_HAND):
        found_out = found_out or (check.how if check.answered_at <= until else "")
        before: Any = check.evidence.get("before") or {}
        check.outcome = before.get("outcome", Outcome.WAITING)
        check.finding, check.evidence, check.how = before.get("finding", ""), before.get("evidence", {}), ""
        at = before.get("answered_at")
        check.answered_at = dt.datetime.fromisoformat(at) if at else None
    check.how = check.how or found_out
    return check
