"""The targets, and what the rows of a result say of each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

type Rows = Sequence[Mapping[str, Any]]
type Results = Mapping[str, Rows]
OURS = "Rahdari"
# What a slow part of the service may not hold up (`bench/uploads`).
STAY_OPEN = ("proof link", "router's report", "health")


@dataclass(frozen=True)
class Judged:
    """`measured` is None while there is no result. `better` says which way is good: "less" or "more"."""

    key: str
    says: str
    target: float
    measured: float | None
    unit: str
    better: str

    @property
    def reached(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.target if self.better == "less" else self.measured >= self.target

    @property
    def factor(self) -> float:
        """By how much it is missed: above 1."""
        assert self.measured is not None
        return self.measured / self.target if self.better == "less" else self.target / max(self.measured, 1e-9)


def judge(results: Results) -> list[Judged]:
    propagation, lookup = results.get("propagation", ()), results.get("lookup", ())
    cold, publish = results.get("cold-start", ()), results.get("publish", ())
    alone = [
        row for row in propagation
        if row["who"] == OURS and row.get("receivers") == 1 and row["how"] == "push, steady, 1/s"
    ]  # fmt: skip
    # The worst of the layouts with so many agents.
    many = [row for row in propagation if row["who"] == OURS and row.get("receivers") == 300]
    steady = [row for row in many if row["how"].startswith("push, steady")]
    single = [row for row in lookup if row["who"] == OURS and row["how"] == "GET, 32 connections"]
    half = [row for row in single if row.get("registered") == "50%"]
    bare = _first(lookup, who="bare granian (wsgi, 1 worker)", how="GET, 32 connections")
    irrd_http = [row for row in lookup if row["who"] == "IRRd 4.5" and row["how"].startswith("HTTP")]
    million = next(
        (row for row in cold if row["who"] == OURS and row["how"] == "to a verified index" and _about(row, 1_000_000)),
        None,
    )
    days = [row for row in results.get("deadline-day", ()) if row["who"] == OURS]
    desk = results.get("desk", ())
    most_open = max((row["open cases"] for row in desk), default=0)
    large = [row for row in desk if row["open cases"] == most_open and "cpu p95 ms" in row]
    growth = results.get("growth", ())
    at_once = [row for row in results.get("uploads", ()) if row["attack"] == "all at once" and row["page"] in STAY_OPEN]
    own = [row for row in publish if row["who"] == OURS]
    flat, flat_cpu = _spread(own, "p50 s"), _spread(own, "publisher cpu ms")
    # Beside bare servers: those of the same run, as what else the machine does changes from one to the next.
    beside = [row for row in half if bare is not None and row.get("run") == bare.get("run")]
    beside_bare = min((row["addresses per s"] for row in beside), default=None)
    best_irrd = max(irrd_http, key=lambda row: row["addresses per s"], default=None)
    of_its_run = [row for row in half if best_irrd is not None and row.get("run") == best_irrd.get("run")]
    beside_irrd = min((row["addresses per s"] for row in of_its_run), default=None)
    return [
        Judged("signed", "grant to signed files, p99", 0.250, _worst(alone, "signed p99 s"), "s", "less"),
        Judged("one", "grant to one agent applied, p50", 0.200, _worst(alone, "p50 s"), "s", "less"),
        *_beside_bird(alone, [row for row in propagation if row["who"] == "BIRD to BIRD"]),
        Judged(
            "many", "grant to 300 agents applied, p99 (the worst of the layouts, steady)", 1.0,
            _worst(steady, "p99 s"), "s", "less",
        ),
        Judged(
            "single", "single lookups, share of the bare server in the same run (the worst of the sizes)", 0.80,
            beside_bare / bare["addresses per s"] if beside_bare and bare else None, "", "more",
        ),
        Judged(
            "irrd", "single lookups, times IRRd's HTTP at its best, in the same run", 25.0,
            beside_irrd / best_irrd["addresses per s"] if beside_irrd and best_irrd else None, "x", "more",
        ),
        Judged("cold", "cold start of 1 M entries to a verified index", 5.0, _of(million, "seconds"), "s", "less"),
        Judged("memory", "cold start of 1 M entries, peak memory", 600, _of(million, "peak MiB"), "MiB", "less"),
        Judged("flat-cpu", "publish a change, most to least processor time of all sizes", 1.20, flat_cpu, "x", "less"),
        Judged("flat", "publish a change, slowest to quickest of all sizes (p50)", 1.20, flat, "x", "less"),
        Judged(
            "application", "processor time of a whole application, all processes together", 150.0,
            max((row["cpu each ms"] for row in days if "cpu each ms" in row), default=None), "ms", "less",
        ),
        Judged(
            "day", "whole applications a second, on the last day before a deadline", 8.0,
            max((row["done per s"] for row in days), default=None), "/s", "more",
        ),
        Judged(
            "page", "a page meanwhile, p95", 0.3,
            max((row["page p95 ms"] / 1000 for row in days), default=None), "s", "less",
        ),
        Judged(
            "desk", f"a page of the desk with {most_open:,} open cases, processor time, p95 (the worst page)", 100.0,
            _worst(large, "cpu p95 ms"), "ms", "less",
        ),
        Judged(
            "officer", "an ordinary case by the keyboard, all but the thinking (the worst kind)", 60.0,
            _worst(results.get("officer", ()), "in all s"), "s", "less",
        ),
        Judged(
            "growth", "an application on the largest register, times the smallest (the worst part)", 1.2,
            _worst(growth, "of the smallest"), "x", "less",
        ),
        Judged(
            "idle", "a register at which nobody asks for anything, percent of a core", 1.0,
            _worst([row for row in results.get("idle", ()) if row["part"] == "all together"], "cpu % of a core"),
            "%", "less",
        ),
        Judged(
            "beside", "proof link, router's report and health while all that is costly comes at once, p99", 1.0,
            _worst(at_once, "p99 s"), "s", "less",
        ),
    ]  # fmt: skip


def _beside_bird(ours: Rows, birds: Rows) -> list[Judged]:
    """At each size of a register that both were measured at, in one run: what BIRD takes grows with its table."""
    says, unit = "grant to one agent applied, times BIRD to BIRD", "x"
    found = []
    for row in sorted(ours, key=lambda row: row["entries"]):
        for bird in birds:
            alike = row.get("run") == bird.get("run") and row.get("what") == bird.get("what")
            if alike and _about(row, bird["entries"]):
                what = f", {row['what']}" if "what" in row else ""
                told = f"{says} with {bird['entries']:,} entries{what} (p50)"
                found.append(Judged("bird", told, 4.0, row["p50 s"] / bird["p50 s"], unit, "less"))
    return found or [Judged("bird", f"{says} (p50)", 4.0, None, unit, "less")]


def _spread(rows: Rows, name: str) -> float | None:
    values = [row[name] for row in rows if name in row]
    return max(values) / min(values) if len(values) > 1 else None


def _worst(rows: Rows, name: str) -> float | None:
    return max((row[name] for row in rows), default=None)


def _first(rows: Rows, **wanted: Any) -> Mapping[str, Any] | None:
    return next((row for row in rows if all(row.get(name) == value for name, value in wanted.items())), None)


def _of(row: Mapping[str, Any] | None, name: str) -> float | None:
    return None if row is None else row.get(name)


def _about(row: Mapping[str, Any], entries: int) -> bool:
    return abs(row["entries"] - entries) < entries * 0.3
