"""Plots as SVG, written by hand: no library, the same bytes for the same rows, readable on light and on dark pages."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

WIDTH, LEFT, RIGHT, ROW, TOP, FOOT = 760, 300, 36, 26, 44, 46
CHARACTER = 6.6  # about the width of one at 12 px
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2a30 } .title { font-weight: 600; font-size: 14px }
  .soft { fill: #5b6b73 } .grid { stroke: #d5dde0 } .target { stroke: #b3261e; stroke-dasharray: 4 3 }
  .target-text { fill: #b3261e } .ours { fill: #0b6b4f; stroke: #0b6b4f } .peer { fill: #54707e; stroke: #54707e }
  .s0 { fill: #0b6b4f; stroke: #0b6b4f } .s1 { fill: #b0701a; stroke: #b0701a } .s2 { fill: #54707e; stroke: #54707e }
  .s3 { fill: #7a4fa3; stroke: #7a4fa3 } .s4 { fill: #2468a8; stroke: #2468a8 } .s5 { fill: #8a8f2a; stroke: #8a8f2a }
  .line { fill: none; stroke-width: 2 } .bar { stroke: none }
  .range { stroke-width: 6; stroke-linecap: round; opacity: .35 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4ebee } .soft { fill: #9fb0b8 } .grid { stroke: #37464d } .target { stroke: #ff8a80 }
    .target-text { fill: #ff8a80 } .ours, .s0 { fill: #4cc79c; stroke: #4cc79c }
    .peer, .s2 { fill: #93b0bd; stroke: #93b0bd }
    .s1 { fill: #e3a857; stroke: #e3a857 } .s3 { fill: #c39be8; stroke: #c39be8 } .s4 { fill: #7db5ec; stroke: #7db5ec }
    .s5 { fill: #cdd36a; stroke: #cdd36a }
  }
"""


@dataclass(frozen=True)
class Range:
    """A row of `ranges`: the median as a dot, a bar to the 99th percentile, a tick at the slowest."""

    label: str
    p50: float
    p99: float
    slowest: float
    ours: bool


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    ours: bool


@dataclass(frozen=True)
class Stack:
    label: str
    parts: Mapping[str, float]


class Scale:
    """From values to places between two ends, by logarithm or straight from 0."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self.log, self.start, self.end = log, start, end
        positive = [value for value in values if value > 0] or [1.0]
        if log:
            self.low = math.floor(math.log10(min(positive) * 0.999))
            self.high = max(math.ceil(math.log10(max(positive) * 1.001)), self.low + 1)
            self.ticks = [10.0**power for power in range(self.low, self.high + 1)]
        else:
            step = _step(max(positive) / 5)
            count = math.ceil(max(positive) / step)
            self.low, self.high = 0, count * step
            self.ticks = [step * at for at in range(count + 1)]

    def __call__(self, value: float) -> float:
        at = math.log10(max(value, 10.0**self.low)) if self.log else value
        return self.start + (self.end - self.start) * (at - self.low) / (self.high - self.low)


def _step(about: float) -> float:
    power = 10.0 ** math.floor(math.log10(about))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= about)


def seconds(value: float) -> str:
    if value < 0.001:
        return f"{value * 1e6:.3g} µs"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def number(value: float) -> str:
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g} {letter}"
    return f"{value:.3g}"


def ranges(title: str, rows: Sequence[Range], *, target: float | None = None, target_says: str = "") -> str:
    scale = Scale(
        [each for row in rows for each in (row.p50, row.slowest)] + ([target] if target else []),
        LEFT, WIDTH - RIGHT - 60, log=True,
    )  # fmt: skip
    parts = _frame(scale, len(rows), seconds, target, target_says)
    for at, row in enumerate(rows):
        y, kind, end = TOP + ROW * at + ROW / 2, "ours" if row.ours else "peer", scale(row.slowest)
        parts += [
            _label(row.label, y),
            f'<line class="range {kind}" x1="{scale(row.p50):.1f}" x2="{scale(row.p99):.1f}" y1="{y}" y2="{y}"/>',
            f'<line class="{kind}" x1="{end:.1f}" x2="{end:.1f}" y1="{y - 5}" y2="{y + 5}"/>',
            f'<circle class="{kind}" cx="{scale(row.p50):.1f}" cy="{y}" r="4.5"/>',
            f'<text x="{end + 8:.1f}" y="{y + 4}">{seconds(row.p50)}</text>',
        ]
    return _whole(title, parts, TOP + ROW * len(rows) + FOOT, "dot: median; bar: to the 99th percentile; tick: slowest")


def bars(
    title: str,
    rows: Sequence[Bar],
    *,
    log: bool = True,
    shown: Callable[[float], str] = number,
    target: float | None = None,
    target_says: str = "",
) -> str:
    scale = Scale([row.value for row in rows] + ([target] if target else []), LEFT, WIDTH - RIGHT - 60, log=log)
    parts = _frame(scale, len(rows), shown, target, target_says)
    for at, row in enumerate(rows):
        y, kind = TOP + ROW * at + ROW / 2, "ours" if row.ours else "peer"
        width = max(scale(row.value) - LEFT, 1)
        parts += [
            _label(row.label, y),
            f'<rect class="bar {kind}" x="{LEFT}" y="{y - 8}" width="{width:.1f}" height="16" rx="2"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{y + 4}">{shown(row.value)}</text>',
        ]
    return _whole(title, parts, TOP + ROW * len(rows) + FOOT, "")


def stacks(title: str, rows: Sequence[Stack], *, shown: Callable[[float], str] = seconds) -> str:
    scale = Scale([sum(row.parts.values()) for row in rows], LEFT, WIDTH - RIGHT - 60, log=False)
    names = list(dict.fromkeys(name for row in rows for name in row.parts))
    parts = _frame(scale, len(rows), shown, None, "")
    for at, row in enumerate(rows):
        y, x = TOP + ROW * at + ROW / 2, float(LEFT)
        parts.append(_label(row.label, y))
        for name, value in row.parts.items():
            width = scale(value) - LEFT
            parts.append(
                f'<rect class="bar s{names.index(name) % 6}" x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="16"/>'
            )
            x += width
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4}">{shown(sum(row.parts.values()))}</text>')
    foot = TOP + ROW * len(rows) + FOOT
    parts += _legend(names, foot)
    return _whole(title, parts, foot + 22, "")


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    shown: Callable[[float], str] = seconds,
    log: bool = True,
) -> str:
    """Series of points (x, y); x is on a logarithm."""
    points = [point for each in series.values() for point in each]
    height, left = 250, 84
    x_scale = Scale([x for x, _ in points], left, WIDTH - RIGHT - 30, log=True)
    y_scale = Scale([y for _, y in points], TOP + height, TOP, log=log)
    parts = []
    for tick in y_scale.ticks:
        y = y_scale(tick)
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH - RIGHT - 30}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="soft" text-anchor="end" x="{left - 8}" y="{y + 4:.1f}">{shown(tick)}</text>')
    for tick in x_scale.ticks:
        x = x_scale(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + height}"/>')
        parts.append(
            f'<text class="soft" text-anchor="middle" x="{x:.1f}" y="{TOP + height + 18}">{number(tick)}</text>'
        )
    parts.append(
        f'<text class="soft" text-anchor="end" x="{WIDTH - RIGHT - 30}" y="{TOP + height + 36}">{escape(across)}</text>'
    )
    for at, each in enumerate(series.values()):
        path = " ".join(f"{x_scale(x):.1f},{y_scale(y):.1f}" for x, y in each)
        parts.append(f'<polyline class="line s{at % 6}" style="fill:none" points="{path}"/>')
        parts += [f'<circle class="s{at % 6}" cx="{x_scale(x):.1f}" cy="{y_scale(y):.1f}" r="3.5"/>' for x, y in each]
    foot = TOP + height + 40
    parts += _legend(list(series), foot)
    return _whole(title, parts, foot + 30, "")


def _frame(
    scale: Scale, count: int, shown: Callable[[float], str], target: float | None, target_says: str
) -> list[str]:
    bottom = TOP + ROW * count
    parts = []
    for tick in scale.ticks:
        x = scale(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{bottom}"/>')
        parts.append(f'<text class="soft" text-anchor="middle" x="{x:.1f}" y="{bottom + 16}">{shown(tick)}</text>')
    if target is not None:
        x = scale(target)
        parts.append(f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{bottom}"/>')
        says = escape(target_says or f"target {shown(target)}")
        parts.append(f'<text class="target-text" text-anchor="middle" x="{x:.1f}" y="{TOP - 8}">{says}</text>')
    return parts


def _label(text: str, y: float) -> str:
    most = int((LEFT - 14) / CHARACTER)
    short = text if len(text) <= most else text[: most - 1] + "…"
    return f'<text text-anchor="end" x="{LEFT - 10}" y="{y + 4}">{escape(short)}</text>'


def _legend(names: Sequence[str], y: float) -> list[str]:
    parts, x = [], 12.0
    for at, name in enumerate(names):
        parts.append(f'<rect class="bar s{at % 6}" x="{x:.1f}" y="{y - 9}" width="11" height="11"/>')
        parts.append(f'<text x="{x + 16:.1f}" y="{y}">{escape(name)}</text>')
        x += 30 + len(name) * CHARACTER
    return parts


def _whole(title: str, parts: Sequence[str], height: float, note: str) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label={quoteattr(title)}>'
    )
    told = f'<text class="soft" x="12" y="{height - 6:.0f}">{escape(note)}</text>' if note else ""
    body = "\n".join(parts)
    headline = f'<text class="title" x="12" y="20">{escape(title)}</text>'
    return f"{head}\n<style>{STYLE}</style>\n{headline}\n{body}\n{told}\n</svg>\n"
