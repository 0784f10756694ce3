"""The interval is Wilson's: held against values that were computed elsewhere, and against what it must never say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.sampling.rules import FEWEST, Rate, Verdict, agrees


@pytest.mark.parametrize(
    ("looked", "differed", "low", "high"),
    # Brown, Cai and DasGupta (2001) give the formula; these are R's prop.test(correct = FALSE).
    [(10, 1, 0.0179, 0.4042), (100, 5, 0.0215, 0.1118), (20, 0, 0.0, 0.1611), (20, 20, 0.8389, 1.0)],
)
def test_is_that_of_wilson(looked: int, differed: int, low: float, high: float) -> None:
    assert Rate(looked, differed).interval == pytest.approx((low, high), abs=0.0001)


@given(looked=st.integers(1, 5000), part=st.floats(0, 1))
def test_holds_the_share_and_stays_a_share(looked: int, part: float) -> None:
    rate = Rate(looked, round(looked * part))
    low, high = rate.interval
    assert 0 <= low <= rate.share + 1e-12 and rate.share <= high + 1e-12 and high <= 1


def test_of_nothing_is_everything() -> None:
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert not Rate(FEWEST - 1, 0).is_shown
    assert Rate(FEWEST, 0).is_shown


@pytest.mark.parametrize(
    ("verdict", "outcome", "same"),
    [
        (Verdict.GRANT, "granted", True),
        (Verdict.GRANT, "refused", False),
        (Verdict.REFUSE, "refused", True),
        (Verdict.REFUSE, "granted", False),
        (Verdict.ASK, "granted", False),
        (Verdict.ASK, "refused", False),
    ],
)
def test_agrees_with_one_decision_alone(verdict: Verdict, outcome: str, same: bool) -> None:
    assert agrees(verdict, outcome) is same
