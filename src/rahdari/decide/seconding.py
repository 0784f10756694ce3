"""Whether an officer may decide as the second one: one answer for the act, for the page of the case, and for lists."""

import datetime as dt
from collections.abc import Iterable

from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.models import DIRECTOR, User
from rahdari.policy import Reason

from . import case_clock, rules
from .models import Notice


def rank_of(reasons: Iterable[Reason]) -> str:
    """The rank that the second officer must have for these codes; empty: any."""
    return DIRECTOR if any(reason.rank == DIRECTOR for reason in reasons) else ""


class Second:
    """An officer who would decide at this time. What is asked of their post is asked once, for any number of
    notices."""

    def __init__(self, officer: User, now: dt.datetime) -> None:
        self.officer, self.now = officer, now
        self.is_director = people.has_rank(officer, "director")
        self.is_officer = people.is_officer(officer)
        self.is_new = seconding.is_new(officer, now)
        self.accounts = people.accounts_of(officer)

    def cannot(self, notice: Notice) -> rules.CannotSecond | None:
        """Why they may not; None: they may."""
        known = case_clock.policy_of(notice.case.application).reasons
        return rules.may_second(
            proposer=notice.proposed_by_id,
            second=self.accounts,
            # Whoever was named for this proposal needs no rank.
            is_director=self.is_director or not self.is_officer,
            reasons=[known[code] for code in notice.codes],
            ripe=is_ripe(notice, self.now),
            is_new=self.is_new,
            is_heard=notice.hearing != rules.HearingState.ASKED,
            is_late=is_out_of_time(notice, self.now),
        )

    def cannot_suspend(self, notice: Notice) -> rules.CannotSecond | None:
        """The same of a suspension before its holder is heard: for a Director alone, and for no answer."""
        why = rules.may_second(
            proposer=notice.proposed_by_id,
            second=self.accounts,
            is_director=self.is_director,
            reasons=(),
            ripe=True,
            is_new=self.is_new,
            is_late=is_out_of_time(notice, self.now),
        )
        return why or (None if self.is_director else rules.CannotSecond.RANK)


def is_ripe(notice: Notice, now: dt.datetime) -> bool:
    """Answered, or the time to answer is over: also by a calendar that was corrected since it ran out, and not while
    its letter has come back."""
    if notice.state != rules.NoticeState.RIPE:
        return False
    return notice.answered_at is not None or case_clock.notice_is_over(notice, now)


def is_out_of_time(notice: Notice, now: dt.datetime) -> bool:
    """Whether the time in which it had to be decided is over. A refusal has none: it escalates."""
    if notice.decide_by is None or now <= notice.decide_by:
        return False
    return now > case_clock.decide_by_as_told(notice)
