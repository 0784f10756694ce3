"""A chart of some months as one SVG path: bars that begin at nought. Its numbers are those of the table beside it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

# Of the drawing: its width, and between which heights in per cent the bars are (`web/rahdari.css`).
WIDTH, TOP, BOTTOM = 300, 8, 88
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Chart:
    """`path`: the bars in a box of WIDTH by 100. `rules`: (height in per cent, number), from nought up. `labels`:
    (place in per cent, month)."""

    path: str
    rules: tuple[tuple[float, float | int], ...]
    labels: tuple[tuple[float, dt.date], ...]


def chart(values: Sequence[tuple[dt.date, float | None]]) -> Chart | None:
    """Of months, the oldest first; one of which nothing is told has no bar. None: there is nothing to draw."""
    told = [value for _month, value in values if value is not None]
    if not told or max(told) <= 0:
        return None
    top = _above(max(told))
    wide = WIDTH / len(values)
    path = "".join(
        f"M{wide * (place + 0.5):.1f} 100V{100 - 100 * value / top:.1f}"
        for place, (_month, value) in enumerate(values)
        if value is not None
    )
    marks = [(share, top * share) for share in (0, 0.5, 1)]
    rules = tuple((BOTTOM - (BOTTOM - TOP) * share, int(mark) if mark == int(mark) else mark) for share, mark in marks)
    places = sorted({0, len(values) // 2, len(values) - 1})
    labels = tuple((100 * (place + 0.5) / len(values), values[place][0]) for place in places)
    return Chart(path, rules, labels)


def _above(most: float) -> float:
    """The next round number."""
    power = 1.0
    while power * 10 <= most:
        power *= 10
    return next(step * power for step in _STEPS if step * power >= most)
