"""The run of `bench/report`."""

import argparse
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import plots, sizing
from bench.measure import RESULTS, ROOT
from bench.targets import OURS, Judged, judge

REMARKS = ROOT / "bench" / "remarks.toml"
# What is compared with others, and then what is ours alone.
ORDER = (
    "propagation", "catch-up", "lookup", "cold-start", "publish",
    "line", "push", "deadline-day", "growth", "idle", "pages", "desk", "officer", "uploads", "consult",
    "rosters", "recovery", "failover", "restore",
    "probes", "difference", "watch", "preflight", "fuzz", "capacity",
)  # fmt: skip
# What stands in a row for the reader of the file, and not of the table.
NOT_SHOWN = {"faults", "n", "from commit p50 s", "signed for all p99 s", "last agent p50 s", "run", "finding"}
# Rows of these stand as they were measured; of the others ours come first, then each peer's, by size.
AS_MEASURED = {*ORDER[ORDER.index("line") :]}


def main(about: str | None) -> int:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the results are")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where benchmarks.md and its plots go")
    given = parser.parse_args()
    found = read(given.results)
    if not found:
        print(f"There are no results in {given.results}. Run bench/propagation --json {given.results}/propagation.json")
        return 1
    write(found, tomllib.loads(REMARKS.read_text()), given.docs)
    print(f"wrote {given.docs / 'benchmarks.md'}")
    return 0


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The newest result of each experiment: NAME.json."""
    found = {}
    for name in ORDER:
        path = folder / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text())
    return found


def write(found: Mapping[str, Mapping[str, Any]], remarks: Mapping[str, Any], docs: Path) -> None:
    folder = docs / "img" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    judged = judge({name: result["rows"] for name, result in found.items()})
    parts = [remarks["head"].strip(), "", "## Targets", "", *_targets(judged, remarks["binds"]), ""]
    for name in ORDER:
        if name not in found:
            continue
        result, told = found[name], remarks["experiment"][name]
        rows = result["rows"] if name in AS_MEASURED else ordered(result["rows"])
        parts += [f"## {told['title']}", "", told["text"].strip(), ""]
        for plot, (alt, svg) in PLOTS[name](rows).items() if name in PLOTS else ():
            (folder / f"{plot}.svg").write_text(svg)
            parts += [f"![{alt}](img/bench/{plot}.svg)", ""]
        if name == "capacity":
            parts += [*_capacity(found), "", "Measured for this page alone:", ""]
        parts += [*_table(rows), "", *_notes(result), ""]
        if "open" in told:
            parts += [f"Not measured yet: {told['open']}.", ""]
    (docs / "benchmarks.md").write_text("\n".join(parts).rstrip() + "\n")


def _capacity(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the model of `bench/capacity` makes of all results."""
    try:
        return sizing.tables(found, sizing.assumed([]))
    except sizing.Missing as error:
        return [str(error)]


def ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    names = sorted({row["who"] for row in rows}, key=lambda name: (name != OURS, name.lower()))

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        # Hosts before prefixes and v6, half of them registered before none and all: as words happen to be sorted not.
        by = [row.get("what", "hosts") != "hosts", row.get("receivers", 0), row.get("registered", "50%") != "50%"]
        entries, missed = row.get("entries", 0), row.get("missed", 0)
        return (names.index(row["who"]), *by, missed if isinstance(missed, int) else 10**9, _size(entries))

    return sorted(rows, key=place)


def _size(entries: int) -> float:
    """Registers that have grown a little by being measured are alike."""
    return float(f"{entries:.0e}")


# -- text --------------------------------------------------------------------------------------------------------


def _targets(judged: Sequence[Judged], binds: Mapping[str, str]) -> list[str]:
    lines = ["| target | wanted | measured | |", "| --- | --- | --- | --- |"]
    for each in judged:
        sign = "at most" if each.better == "less" else "at least"
        if each.measured is None:
            measured, verdict = "-", "not measured"
        else:
            measured = _amount(each.measured, each.unit)
            verdict = "reached" if each.reached else f"missed by a factor of {each.factor:.2f}"
            if not each.reached and each.key in binds:
                verdict += f": {binds[each.key]}"
        lines.append(f"| {each.says} | {sign} {_amount(each.target, each.unit)} | {measured} | {verdict} |")
    return lines


def _amount(value: float, unit: str) -> str:
    if unit == "s":
        return plots.seconds(value)
    if unit == "":
        return f"{value:.0%}"
    if unit == "/s":
        return f"{plots.number(value)} /s"
    return f"{value:.3g} {unit}" if unit != "x" else f"{value:.2f} x"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = [column for column in dict.fromkeys(name for row in rows for name in row) if column not in NOT_SHOWN]
    # Of what all rows have alike nothing is told.
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        cells = [_cell(column, row.get(column)) for column in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _cell(column: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
    if isinstance(value, int) and value >= 10_000:
        return f"{value:,}"
    return str(value).replace("|", "/")


def _notes(result: Mapping[str, Any]) -> list[str]:
    machines = dict.fromkeys(_machine(run["conditions"]) for run in result["runs"])
    lines = [f"Measured on {machine}." for machine in machines]
    versions: dict[str, str] = {}
    for run in result["runs"]:
        about = run["conditions"]
        versions |= {**about.get("versions", {}), **about.get("versions_of_peers", {})}
    lines += ["Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items() if version) + ".", ""]
    for run in result["runs"]:
        about = run["conditions"]
        ended = ", ended before its end" if about.get("incomplete") else ""
        lines.append(
            f"- `{run['command']}` on {about['date']}, commit {about['commit'] or 'not known'}; load "
            f"{about['load_before']} before, {about['load_after']} after{ended}"
        )
    if result.get("unfair"):
        lines += ["", "What would be unfair to say:", ""]
        lines += [f"- {peer}: {why}" for peer, why in result["unfair"].items()]
    if skipped := {what: why for run in result["runs"] for what, why in run["skipped"].items()}:
        lines += ["", "Not run:", ""]
        lines += [f"- {what}: {why}" for what, why in skipped.items()]
    return lines


def _machine(about: Mapping[str, Any]) -> str:
    return (
        f"{about['cpu']}, {about['cores']} cores, {about.get('memory_gib', '?')} GiB, Linux {about['kernel']}, Python "
        f"{about['python']}"
    )


# -- plots -------------------------------------------------------------------------------------------------------

type Plots = dict[str, tuple[str, str]]


def _propagation(rows: Sequence[Mapping[str, Any]]) -> Plots:
    shown = []
    for row in rows:
        ours = row["who"] == OURS
        agents = f"{row['receivers']} agent{'s' if row['receivers'] > 1 else ''}"
        whose = " (access)" if "access" in row.get("operators", "") else ""
        label = f"Rahdari, {agents}{whose}, {row['how']}" if ours else row["who"]
        # Most are measured with some ten thousand entries; the others say theirs.
        label += f", {plots.number(row['entries'])}" if _size(row["entries"]) != 10_000 else ""
        label = label.replace("steady, 1/s", "1/s").replace("burst of 100", "bursts")
        shown.append(plots.Range(label, row["p50 s"], row["p99 s"], row["max s"], ours))
    title = "From a grant to verified and applied"
    return {"propagation": (title, plots.ranges(title, shown, target=1.0, target_says="1 s"))}


def _catch_up(rows: Sequence[Mapping[str, Any]]) -> Plots:
    series: dict[str, list[tuple[float, float]]] = {}
    fetched: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if isinstance(row["missed"], int) and row["missed"] > 0:
            series.setdefault(row["who"], []).append((row["missed"], row["seconds"]))
            fetched.setdefault(row["who"], []).append((row["missed"], row["bytes"]))
    if not series:
        return {}
    told, sizes = "Seconds to come up to date", "Bytes to come up to date"
    return {
        "catch-up": (told, plots.lines(told, _sorted(series), across="changes missed")),
        "catch-up-bytes": (sizes, plots.lines(sizes, _sorted(fetched), across="changes missed", shown=plots.number)),
    }


def _sorted(series: Mapping[str, list[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    return {name: sorted(points) for name, points in series.items()}


def _lookup(rows: Sequence[Mapping[str, Any]]) -> Plots:
    single, bulk = [], []
    for row in rows:
        where = f"{plots.number(row['entries'])} {row['what']}, " if "entries" in row else ""
        share = f", {row['registered']} registered" if row.get("registered", "50%") != "50%" else ""
        bar = plots.Bar(f"{row['who']}, {where}{row['how']}{share}", row["addresses per s"], row["who"] == OURS)
        if "bulk" in row["how"] or "one question" in row["how"]:
            bulk.append(bar)
        elif "32 connections" in row["how"] or row["who"] in ("IRRd 4.5", "PostgreSQL 17"):
            single.append(bar)
    one, many = "Single questions a second", "Addresses a second, in bulk"
    found = {"lookup-single": (one, plots.bars(one, single))} if single else {}
    return found | ({"lookup-bulk": (many, plots.bars(many, bulk))} if bulk else {})


def _cold_start(rows: Sequence[Mapping[str, Any]]) -> Plots:
    stacks = []
    for row in rows:
        label = f"{row['who']}, {plots.number(row['entries'])}: {row['how']}"
        parts = {
            name.removesuffix(" s"): row[name]
            for name in row
            if name.endswith(" s") and name not in ("slowest s", "cpu s")
        }
        stacks.append(plots.Stack(label, parts or {"all": row["seconds"]}))
    title = "From nothing to the whole list"
    return {"cold-start": (title, plots.stacks(title, stacks))}


def _publish(rows: Sequence[Mapping[str, Any]]) -> Plots:
    series: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name = f"{row['who']}: {row['how']}" if row["who"] == OURS else row["who"]
        series.setdefault(name, []).append((row["entries"], row["p50 s"]))
    title = "What one change costs the sender (median)"
    return {"publish": (title, plots.lines(title, _sorted(series), across="entries"))}


PLOTS: dict[str, Callable[[Sequence[Mapping[str, Any]]], Plots]] = {
    "propagation": _propagation,
    "catch-up": _catch_up,
    "lookup": _lookup,
    "cold-start": _cold_start,
    "publish": _publish,
}
