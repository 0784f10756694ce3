"""Who may invite whom, what the inviter is told, when somebody is reminded."""

import datetime as dt

from hypothesis import example, given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.invite.models import MOST_LINKS
from rahdari.invite.rules import FEWEST, Cannot, End, Inviter, Whom, cannot, reminders, told
from rahdari.policy import inviting

NOW = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
TERMS = policy.load(policy.BUNDLED).inviting
assert TERMS is not None
A_BANK = Inviter("organisation:1", "Sample Bank", (Whom.CUSTOMERS, Whom.STAFF))


@given(finished=st.integers(0, 10**6), whom=st.sampled_from(Whom), end=st.sampled_from(End))
@example(finished=25, whom=Whom.STAFF, end=End.OVER)
@example(finished=25, whom=Whom.MEMBERS, end=End.STOPPED)
@example(finished=FEWEST - 1, whom=Whom.MEMBERS, end=End.OVER)
def test_what_is_told_is_nothing_or_a_step_of_five_near_the_truth(finished: int, whom: Whom, end: End) -> None:
    number = told(finished, whom=whom, end=end)
    if whom is Whom.STAFF or end is not End.OVER or finished < FEWEST:
        assert number is None
    else:
        assert number is not None and number >= FEWEST and number % 5 == 0 and abs(number - finished) <= 2


@given(finished=st.integers(FEWEST, 10**6))
def test_one_more_or_less_is_mostly_not_seen(finished: int) -> None:
    seen = {told(finished + more, whom=Whom.MEMBERS, end=End.OVER) for more in range(5)}
    assert len(seen) <= 2


@given(
    whom=st.sampled_from(Whom),
    links=st.integers(-1, 20_000),
    days=st.integers(-1, 200),
    running=st.integers(0, 9),
    in_year=st.integers(0, 9),
)
def test_a_campaign_that_begins_is_within_every_bound(
    whom: Whom, links: int, days: int, running: int, in_year: int
) -> None:
    facts = {"links": links, "days": days, "running": running, "in_year": in_year}
    within = (
        whom in A_BANK.whom
        and 1 <= links <= TERMS.most_links
        and 1 <= days <= TERMS.longest.days
        and running < TERMS.most_running
        and in_year < TERMS.most_in_year
    )
    assert (cannot(A_BANK, whom, **facts, terms=TERMS) is None) == within


def test_each_refusal_has_its_reason() -> None:
    fine = {"links": 1, "days": 1, "running": 0, "in_year": 0}
    assert cannot(A_BANK, Whom.STUDENTS, **fine, terms=TERMS) == Cannot.NOT_THEIRS
    assert cannot(A_BANK, Whom.STAFF, **fine | {"links": TERMS.most_links + 1}, terms=TERMS) == Cannot.TOO_MANY_LINKS
    assert cannot(A_BANK, Whom.STAFF, **fine | {"days": 91}, terms=TERMS) == Cannot.TOO_LONG
    assert cannot(A_BANK, Whom.STAFF, **fine | {"running": 3}, terms=TERMS) == Cannot.TOO_MANY_OPEN
    assert cannot(A_BANK, Whom.STAFF, **fine | {"in_year": 6}, terms=TERMS) == Cannot.TOO_MANY_IN_YEAR


@given(minutes=st.integers(0, 180 * 24 * 60))
def test_nobody_is_reminded_more_than_twice_or_after_the_end(minutes: int) -> None:
    ends_at = NOW + dt.timedelta(minutes=minutes)
    found = reminders(NOW, ends_at)
    assert len(found) <= 2 and found == sorted(set(found))
    assert all(NOW + dt.timedelta(days=1) <= moment < ends_at for moment in found)


def test_the_bounds_of_code_and_policy_are_one() -> None:
    assert MOST_LINKS == inviting.MOST_LINKS
    assert set(Whom) == set(inviting.WHOM)
