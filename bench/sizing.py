"""What a country costs: a model whose inputs were measured. Pure.

An input is a column of rows that a benchmark wrote, found by experiment, row and column. Of several rows or runs
those from a quiet machine count: their mean, and then their least and their most go through the model. What nobody can
measure here is an assumption. Each figure is one formula of names, computed from the very text that is shown.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rahdari.ops.backup.taking import KEEP_DAYS, LONGEST_CHAIN

type Results = Mapping[str, Mapping[str, Any]]


class Missing(Exception):
    """A measurement that the model needs is not there, or its rows are of an older form."""


# -- what was measured -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """Rows of an experiment in which each named column fits its pattern. Of each the value of a column, with that of
    another (`plus`), by that of a third (`per`)."""

    experiment: str
    row: Mapping[str, str]
    column: str
    per: str = ""
    times: float = 1.0
    plus: str = ""


@dataclass(frozen=True)
class Measured:
    name: str
    says: str
    unit: str
    sources: tuple[Source, ...]


def _each(column: str, times: float, *, what: str, per: str = "done") -> Source:
    return Source("capacity", {"what": what}, column, per, times)


_DAY = {"who": "Rahdari"}
_RUNS = "applications, run *"
_RECEIPTS = "receipts, run *"


def _application(name: str, says: str, column: str) -> Measured:
    sources = Source("deadline-day", _DAY, column, "done", 1e3), _each(column, 1e3, what=_RUNS)
    return Measured(name, says, "ms", sources)


def _one(name: str, says: str, unit: str, *sources: Source) -> Measured:
    return Measured(name, says, unit, sources)


MEASURED = (
    _application("web_ms", "processor time of the pages of an application", "cpu web s"),
    _application("worker_ms", "of the worker for it, all its threads", "cpu worker s"),
    _application("db_ms", "of PostgreSQL for it, whoever asks", "cpu postgres s"),
    _one("workflow_ms", "of the worker's thread that decides, and of PostgreSQL, for which it waits", "ms",
         Source("growth", {"part": "workflow"}, "cpu ms"),
         Source("capacity", {"what": "decided where many wait, run *"}, "cpu workflow s", "done", 1e3,
                "cpu postgres s")),
    _one("workflow_writes", "transactions of that thread that write", "",
         _each("writes", 1, what="decided where many wait, run *")),
    _one("pages", "requests of an application", "", _each("pages", 1, what=_RUNS)),
    _one("writes", "transactions of an application that write, in all processes", "",
         _each("writes", 1, what=_RUNS)),
    _one("letters", "letters of an application, its code with them", "", _each("letters", 1, what=_RUNS)),
    _one("wal_kb", "log (WAL) of an application, on a small register", "kB", _each("WAL MB", 1e3, what=_RUNS)),
    _one("wal_whole_kb", "the same with every page of the database whole, as after a checkpoint", "kB",
         _each("WAL MB", 1e3, what="applications, each after a checkpoint")),
    _one("db_kb", "what an application leaves in the database", "kB", _each("database MB", 1e3, what=_RUNS)),
    _one("document_kb", "a file that was sent with it, as it is kept", "kB",
         _each("documents MB", 1e3, what=_RUNS, per="uploads")),
    _one("receipt_web_ms", "processor time of the web process for a receipt", "ms",
         _each("cpu web s", 1e3, what=_RECEIPTS)),
    _one("receipt_db_ms", "of PostgreSQL for it", "ms", _each("cpu postgres s", 1e3, what=_RECEIPTS)),
    _one("receipt_wal_kb", "log of a receipt", "kB", _each("WAL MB", 1e3, what=_RECEIPTS)),
    _one("receipt_db_kb", "what a receipt leaves in the database", "kB", _each("database MB", 1e3, what=_RECEIPTS)),
    _one("edition_ms", "processor time of the publisher for an edition to one operator", "ms",
         Source("publish", {"who": "Rahdari"}, "publisher cpu ms"),
         Source("capacity", {"what": "one change, run *", "operators": "1"}, "cpu publisher s", "done", 1e3)),
    _one("edition_all_ms", "the same to 350 operators", "ms",
         Source("capacity", {"what": "one change, run *", "operators": "350"}, "cpu publisher s", "done", 1e3)),
    _one("entry_ms", "of the publisher for each entry, where many are published at once", "ms",
         _each("cpu publisher s", 1e3, what="entries at once, from *")),
    _one("snapshot_all_s", "of the publisher for 100,000 entries at once and a snapshot", "s",
         Source("capacity", {"what": "entries at once, with a snapshot of all"}, "cpu publisher s")),
    _one("snapshot_of", "entries in that snapshot", "",
         Source("capacity", {"what": "entries at once, with a snapshot of all"}, "entries")),
    _one("snapshot_bytes", "an entry in a snapshot", "bytes",
         Source("cold-start", {"who": "Rahdari", "how": "to a verified index"}, "MB", "entries", 1e6)),
    _one("fetched_bytes", "what an agent fetches for an edition with one change", "bytes",
         Source("catch-up", {"who": "Rahdari", "missed": "1"}, "bytes")),
    _one("fetches", "in so many requests", "", Source("catch-up", {"who": "Rahdari", "missed": "1"}, "fetches")),
    _one("push_us", "processor time of push for an agent that is told, 2,000 waiting", "us",
         Source("push", {"what": "told one by one (350 operators)", "readers": "2000"}, "CPU us each")),
    _one("push_kb", "memory of push for an agent that waits", "kB",
         Source("push", {"what": "told one by one (350 operators)", "readers": "2000"}, "KB each")),
    _one("push_files_s", "small files that one core of push gives out", "/s",
         Source("push", {"what": "GET timestamp.json"}, "requests/s")),
    _one("lookup_s", "single lookups of one core", "/s",
         Source("lookup", {"who": "Rahdari", "what": "hosts", "registered": "50%", "how": "GET, 32 connections"},
                "per core and s")),
    _one("lookup_all_ms", "processor time of a lookup process when 350 operators' editions are signed", "ms",
         Source("capacity", {"what": "one change, run *", "operators": "350"}, "cpu lookup s", "done", 1e3)),
    _one("lookup_mib", "memory of lookup with a million entries", "MiB",
         Source("lookup", {"who": "Rahdari", "entries": "1000000", "how": "GET, 32 connections"}, "memory MiB")),
    _one("web_mib", "memory of the web processes after many applications, two cores", "MiB",
         Source("capacity", {"what": "memory after them"}, "MiB web")),
    _one("worker_mib", "memory of the worker", "MiB", Source("capacity", {"what": "memory after them"}, "MiB worker")),
    _one("publisher_mib", "memory of the publisher", "MiB",
         Source("publish", {"who": "Rahdari"}, "memory MiB"),
         Source("capacity", {"what": "memory after them"}, "MiB publisher")),
    _one("desk_ms", "processor time of deciding a case and opening the next, 100,000 waiting", "ms",
         Source("desk", {"page": "decide and open next"}, "cpu p50 ms")),
    _one("desk_pages", "pages that an officer opens for a case", "", Source("officer", {"case": "all"}, "pages")),
    _one("officer_s", "an officer's time for a case, all but the thinking", "s",
         Source("officer", {"case": "all"}, "in all s")),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """`values` are of all rows that fit, `quiet` of those from a machine that did nothing else. `runs` names them."""

    measured: Measured
    values: tuple[float, ...]
    quiet: tuple[float, ...]
    runs: tuple[str, ...]

    @property
    def counting(self) -> tuple[float, ...]:
        """What was measured beside other work counts only where there is nothing else."""
        return self.quiet or self.values

    @property
    def mean(self) -> float:
        return sum(self.counting) / len(self.counting)


def read(folder: Path) -> dict[str, Any]:
    names = dict.fromkeys(source.experiment for each in MEASURED for source in each.sources)
    found = {}
    for name in names:
        if (path := folder / f"{name}.json").exists():
            found[name] = json.loads(path.read_text())
    return found


def inputs(results: Results) -> list[Found]:
    """Raises Missing."""
    return [_found(each, results) for each in MEASURED]


def _found(measured: Measured, results: Results) -> Found:
    values, quiet, runs = list[float](), list[float](), list[str]()
    for source in measured.sources:
        result = results.get(source.experiment, {"rows": [], "runs": []})
        rows = [row for row in result["rows"] if _fits(row, source.row)]
        if not rows:
            where = ", ".join(f"{column} {pattern!r}" for column, pattern in source.row.items())
            raise _missing(measured, source, f"there is no row with {where}")
        for row in rows:
            value, about = _value(measured, source, row), result["runs"][row["run"]]["conditions"]
            load, busy = about["load_before"], about["load_before"] > about["cores"]
            values.append(value)
            quiet += [] if busy else [value]
            runs.append(f"{source.experiment} of {about['date'][:10]}, load {load:g}{' (busy)' if busy else ''}")
    return Found(measured, tuple(values), tuple(quiet), tuple(dict.fromkeys(runs)))


def _fits(row: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(column in row and fnmatchcase(str(row[column]), pattern) for column, pattern in wanted.items())


def _value(measured: Measured, source: Source, row: Mapping[str, Any]) -> float:
    try:
        by = float(row[source.per]) if source.per else 1.0
        return (float(row[source.column]) + (float(row[source.plus]) if source.plus else 0.0)) * source.times / by
    except (KeyError, ValueError, ZeroDivisionError):
        columns = " or ".join(filter(None, (source.column, source.plus, source.per)))
        raise _missing(measured, source, f"a row has no figure in {columns!r}") from None


def _missing(measured: Measured, source: Source, why: str) -> Missing:
    measure = " --measure" if source.experiment == "capacity" else ""
    file = f"bench/results/{source.experiment}.json"
    command = f"bench/{source.experiment}{measure} --json {file}"
    return Missing(f"{measured.name} ({measured.says}): in {file} {why}. Measure it: {command}")


# -- what is assumed ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assumed:
    name: str
    value: float
    says: str
    why: str


HMRC = (
    "of the United Kingdom's income tax returns of January 2019 758,707 came on the last day, about a sixth of the "
    'month\'s, and 60,596 of them in its busiest hour, a twelfth (accountancydaily.co, "Record 10.7m taxpayers")'
)
ASSUMED = (
    Assumed("operators", 350, "operators that follow the feed", "as many as have licences to be an access provider"),
    Assumed("gateways", 10, "of them those that follow every entry", "a country has few international gateways"),
    Assumed("agents", 2, "agents of an operator", "one, and one that takes its place"),
    Assumed("last_hour", 0.10, "share of a day's applications in its busiest hour", HMRC + "; a fifth more here"),
    Assumed("last_day", 0.20, "share of a month's applications on its last day", "the same; a fifth more here"),
    Assumed("usual_day", 0.004, "share of a year's renewals on one working day", "250 working days"),
    Assumed("uploads", 0.3, "share of applications with a file", "as bench/deadline-day sends them"),
    Assumed("checks", 0.01, "public checks of a number, by entry and day", "one a second for 8.6 million; a guess"),
    Assumed("lookups", 3_500, "lookups a second", "ten of each operator; a guess"),
    Assumed("desk_share", 0.10, "share of applications that an officer decides", "a guess: it follows from the policy"),
    Assumed("thinking_s", 60, "seconds of thinking for a case", "a guess, beside 36 measured for all else"),
    Assumed("officer_hours", 6, "hours of a working day spent on cases", "eight, less breaks, talks and post"),
    Assumed("officers", 50, "officers that the regulator has", "a guess: put in your own"),
    Assumed("flush_ms", 1.0, "milliseconds until the disk has a commit", "a disk with its own battery; a second "
            "machine that must have it too adds the way there and back"),
    Assumed("mail_ms", 25, "milliseconds in which the mail server takes a letter", "one on the same network; a guess"),
    Assumed("use", 0.6, "share of a core that is planned for", "above it requests wait for each other"),
    Assumed("core", 1.0, "speed of a core, times that of the machine that measured", "put in what your machine does"),
    Assumed("primary_cores", 32, "cores of the largest database server bought", "a usual machine of two sockets"),
    Assumed("edition_most_s", 10, "seconds that an edition may take in the worst hour", "operators are called late "
            "after five minutes"),
    Assumed("hot", 0.25, "share of the database that should be in memory", "indexes and what is new; a guess"),
    Assumed("backups_a_day", 1, "backups a day", "of a large register; the timer that ships takes one each hour"),
    Assumed("chain", LONGEST_CHAIN + 1, "backups of which one is a full one", "LONGEST_CHAIN of rahdari/ops/backup"),
    Assumed("log_days", KEEP_DAYS, "days that backups are kept, and the log with them", "RAHDARI_BACKUP_DAYS"),
    Assumed("snapshots", 25, "snapshots on the publisher's disk", "one each hour, each kept for a day"),
    Assumed("cold_hours", 1, "hours in which all agents fetch all anew", "after a restore, agents begin anew"),
)  # fmt: skip


def assumed(given: Iterable[str]) -> dict[str, float]:
    """The assumptions, with those of `NAME=VALUE`. Raises SystemExit for a name that is none."""
    values = {each.name: each.value for each in ASSUMED}
    for word in given:
        name, _, value = word.partition("=")
        if name not in values:
            raise SystemExit(f"There is no assumption {name!r}. There are: {', '.join(values)}.")
        try:
            values[name] = float(value)
        except ValueError:
            raise SystemExit(f"--set {name}= takes a number, not {value!r}.") from None
    return values


# -- what is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scenario:
    """`entries` stand there before; `applications` come in `days`, and `busiest` names their share on the worst day."""

    says: str
    entries: float
    applications: float
    days: float
    busiest: str

    def names(self, assumptions: Mapping[str, float]) -> dict[str, float]:
        share = 1.0 if not self.busiest else assumptions[self.busiest]
        return {"entries": self.entries, "applications": self.applications, "days": self.days, "day_share": share}


SCENARIOS = tuple(
    Scenario(f"{size}, {how}", entries, coming or entries, days, busiest)
    for size, entries in (("1 M", 1e6), ("5.5 M", 5.5e6))
    for how, coming, days, busiest in (
        ("2.3 M in a day", 2.3e6, 1, ""),
        ("2.3 M in a month", 2.3e6, 30, "last_day"),
        ("renewals of a year", 0, 365, "usual_day"),
    )
)


# -- the model ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    part: str
    name: str
    says: str
    unit: str
    formula: str
    shown: bool = True


FIGURES = (
    Figure("load", "all_entries", "entries at the end", "",
           "entries + applications * (days < 365)"),
    Figure("load", "day_rate", "applications a second, mean of the busiest day", "/s",
           "applications * day_share / 86400"),
    Figure("load", "peak", "applications a second in the busiest hour", "/s",
           "applications * day_share * last_hour / 3600"),
    Figure("worker", "worker_most", "applications a second that one worker decides, at most", "/s",
           "1000 * core / max(worker_ms, workflow_ms + workflow_writes * flush_ms * core)"),
    Figure("letters", "letters_most", "applications a second whose letters the worker's two senders send", "/s",
           "2 * 1000 / mail_ms / letters"),
    Figure("worker", "decided", "of these in the busiest hour", "/s",
           "min(peak, worker_most, letters_most)"),
    Figure("publisher", "operator_ms", "processor time of the publisher for each further operator of an edition", "ms",
           "(edition_all_ms - edition_ms) / 349"),
    Figure("publisher", "edition_s", "seconds of an edition in the busiest hour", "s",
           "min((edition_ms + operator_ms * gateways) / max(1000 * core - (operator_ms + entry_ms) * decided, 1), "
           "(edition_ms + operator_ms * operators) / max(1000 * core - entry_ms * decided, 1))"),
    Figure("publisher", "editions", "editions a second then", "/s",
           "min(decided, 1 / edition_s)"),
    Figure("publisher", "publisher_most", "entries a second that one publisher publishes, at most", "/s",
           "max(1000 * core - (edition_ms + operator_ms * operators) / edition_most_s, 0) / entry_ms"),
    Figure("publisher", "told", "operators told of an edition a second", "/s",
           "editions * gateways + min(decided, editions * (operators - gateways))"),
    Figure("web", "receipts", "receipts a second", "/s",
           "told * agents"),
    Figure("web", "checks_s", "public checks a second in the busiest hour", "/s",
           "all_entries * checks * last_hour / 3600"),
    Figure("web", "web_cores", "cores of web processes", "cores",
           "(peak * web_ms + receipts * receipt_web_ms + checks_s * web_ms / pages "
           "+ officers * desk_pages * desk_ms / (officer_s + thinking_s)) / 1000 / core / use"),
    Figure("worker", "worker_cores", "cores of the worker, of one", "cores",
           "min(peak * worker_ms / 1000 / core, 1)"),
    Figure("publisher", "snapshot_s", "seconds of an hour in which the publisher writes the snapshot of all", "s",
           "all_entries * max(snapshot_all_s - entry_ms / 1000 * 100000, 0) / snapshot_of / core"),
    Figure("publisher", "publisher_cores", "cores of the publisher, of one", "cores",
           "min((editions * edition_ms + (told + operators / 300) * operator_ms + decided * entry_ms) / 1000 / core, 1)"
           ),
    Figure("database", "primary_cores_used", "cores of the primary", "cores",
           "(peak * db_ms + receipts * receipt_db_ms) / 1000 / core / use"),
    Figure("database", "primary_most", "applications a second that the largest primary bears, with receipts", "/s",
           "primary_cores * use * 1000 * core / (db_ms + receipts / decided * receipt_db_ms)"),
    Figure("database", "commits", "commits a second that write, in the busiest hour", "/s",
           "peak * writes + receipts"),
    Figure("push", "push_cores", "cores of push", "cores",
           "(told + operators / 300) * agents * (push_us / 1e6 + fetches / push_files_s) / core / use"),
    Figure("lookup", "lookup_cores", "cores of lookup", "cores",
           "(lookups / lookup_s + told * lookup_all_ms / 350 / 1000) / core / use"),
    Figure("memory", "web_gb", "memory of web processes", "GB",
           "web_mib / 2 * web_cores * 1.048576 / 1000"),
    Figure("memory", "lookup_gb", "memory of lookup, one process for each core", "GB",
           "lookup_mib * all_entries / 1e6 * max(lookup_cores, 1) * 1.048576 / 1000"),
    Figure("memory", "loops_gb", "memory of worker, publisher and push", "GB",
           "(worker_mib + publisher_mib + push_kb * operators * agents / 1024) * 1.048576 / 1000"),
    Figure("memory", "primary_gb", "memory of the primary", "GB",
           "8 + hot * database_gb"),
    Figure("disk", "database_gb", "database", "GB",
           "all_entries * db_kb / 1e6"),
    Figure("disk", "receipts_gb", "receipts of the busiest day, in the database", "GB",
           "applications * day_share * receipts / decided * receipt_db_kb / 1e6"),
    Figure("disk", "documents_gb", "files that were sent", "GB",
           "all_entries * uploads * document_kb / 1e6"),
    Figure("disk", "feed_gb", "feed: snapshots for gateways and for the networks", "GB",
           "2 * snapshots * all_entries * snapshot_bytes / 1e9"),
    Figure("disk", "log_gb", "log (WAL) of the busiest day, at least", "GB",
           "applications * day_share * (wal_kb + receipts / decided * receipt_wal_kb) / 1e6"),
    Figure("disk", "log_most_gb", "log of the busiest day, at most: every page whole", "GB",
           "applications * day_share * (wal_whole_kb + receipts / decided * receipt_wal_kb) / 1e6"),
    Figure("disk", "full_copies", "full backups: of these days, the one before them, and the one that is taken", "",
           "log_days * backups_a_day / chain + 2"),
    Figure("disk", "backups_gb", "backups, before they are packed: full copies, and the log at most", "GB",
           "full_copies * (database_gb + documents_gb) + log_most_gb / day_share * min(1, log_days / days)"),
    Figure("network", "feed_mbit", "feed, in the busiest hour", "Mbit/s",
           "(told + operators / 300) * agents * fetched_bytes * 8 / 1e6"),
    Figure("network", "cold_mbit", "feed, when all agents fetch all anew", "Mbit/s",
           "(gateways + 1) * agents * all_entries * snapshot_bytes * 8 / 1e6 / 3600 / cold_hours"),
    Figure("letters", "letters_hour", "letters in the busiest hour", "an hour",
           "peak * letters * 3600"),
    Figure("people", "cases", "cases for officers", "",
           "applications * desk_share"),
    Figure("people", "officer_days", "working days of one officer for them", "days",
           "cases * (officer_s + thinking_s) / 3600 / officer_hours"),
    Figure("people", "desk_days", "days in which the officers decide them", "days",
           "officer_days / officers"),
    Figure("bottleneck", "machine_days", "days in which the machines have decided all", "days",
           "max(days, applications / min(worker_most, letters_most, publisher_most, primary_most) / 86400)"),
    Figure("bottleneck", "wait_h", "hours that whoever comes in the busiest hour waits for the decision", "h",
           "max(0, peak / min(worker_most, letters_most, publisher_most, primary_most) - 1)"),
)  # fmt: skip
# Which of the parts that stand alone saturates, by the figure that says at what rate.
ALONE = {
    "worker_most": "the worker",
    "letters_most": "the worker's senders of letters",
    "publisher_most": "the publisher",
    "primary_most": "the primary",
}
_NAME = re.compile(r"[a-z_][a-z_0-9]*")
FUNCTIONS: dict[str, Any] = {"min": min, "max": max}


def in_order(figures: Sequence[Figure] = FIGURES) -> list[Figure]:
    """Each after all that its formula names."""
    waiting, known, found = list(figures), {figure.name for figure in figures}, list[Figure]()
    while waiting:
        for figure in waiting:
            if not {*names_of(figure.formula)} & known:
                break
        else:
            raise ValueError(f"figures that need each other: {', '.join(figure.name for figure in waiting)}")
        waiting.remove(figure)
        known.discard(figure.name)
        found.append(figure)
    return found


def names_of(formula: str) -> list[str]:
    return [name for name in _NAME.findall(re.sub(r"\d+(\.\d+)?(e\d+)?", "", formula)) if name not in FUNCTIONS]


def compute(names: Mapping[str, float]) -> dict[str, float]:
    """All figures, beside the names that they were computed of."""
    known = dict(names)
    for figure in in_order():
        known[figure.name] = float(eval(figure.formula, {"__builtins__": {}, **FUNCTIONS}, known))
    return known


def bottleneck(known: Mapping[str, float]) -> str:
    """What is too slow, or what would be first."""
    least = min(ALONE, key=lambda name: known[name])
    part, most = ALONE[least], known[least]
    if most < known["day_rate"]:
        said = f"{part}: {most:.1f} a second at most, and {known['day_rate']:.1f} come on the mean of the busiest day"
    elif most < known["peak"]:
        said = f"{part}, in the busiest hour: {most:.1f} a second at most, and {known['peak']:.1f} come"
    else:
        said = f"none of the machines; {part} would be first, at {most:.1f} a second"
    # A decision that a person makes is awaited where they take longer than the applications come.
    people = known["desk_days"]
    if people > max(known["days"], known["machine_days"]):
        said += f"; and longer than that people: {people:,.0f} days"
    return said


@dataclass(frozen=True)
class Computed:
    """`low` and `high`: with every input at the least and at the most of what counts of it."""

    scenario: Scenario
    known: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]

    def spread(self, name: str) -> tuple[float, float]:
        both = self.low[name], self.high[name]
        return min(both), max(both)


def computed(found: Sequence[Found], assumptions: Mapping[str, float]) -> list[Computed]:
    sets = (
        {each.measured.name: each.mean for each in found},
        {each.measured.name: min(each.counting) for each in found},
        {each.measured.name: max(each.counting) for each in found},
    )
    return [
        Computed(scenario, *(compute({**assumptions, **values, **scenario.names(assumptions)}) for values in sets))
        for scenario in SCENARIOS
    ]


# -- text --------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def worked(figure: Figure, known: Mapping[str, float]) -> str:
    """The formula with its numbers, and what comes out."""
    inside = re.sub(
        r"(?<![\w.])[a-z_][a-z_0-9]*",
        lambda found: found[0] if found[0] in FUNCTIONS else number(known[found[0]]).replace(",", ""),
        figure.formula,
    )
    return f"{figure.name} = {figure.formula} = {inside} = {number(known[figure.name])} {figure.unit}".rstrip()


def tables(results: Results, assumptions: Mapping[str, float]) -> list[str]:
    """In Markdown: figures by scenario, formulas with the numbers of the hardest one, assumptions, measurements."""
    found = inputs(results)
    all_ = computed(found, assumptions)
    lines = ["| | | " + " | ".join(each.scenario.says for each in all_) + " |", "| --- |" + " --- |" * (len(all_) + 1)]
    for figure in FIGURES:
        cells = [_cell(each, figure.name) for each in all_]
        unit = f", {figure.unit}" if figure.unit else ""
        lines.append(f"| {figure.part} | {figure.says}{unit} | {' | '.join(cells)} |")
    lines.append("| bottleneck | which | " + " | ".join(bottleneck(each.known) for each in all_) + " |")
    hardest = next(each for each in all_ if each.scenario.says == "5.5 M, 2.3 M in a day")
    lines += ["", f'Each figure as it is computed, with the numbers of "{hardest.scenario.says}":', ""]
    lines += [f"- `{worked(figure, hardest.known)}`" for figure in in_order()]
    lines += ["", "Assumed:", "", "| name | value | what | why |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{each.name}` | {number(assumptions[each.name])} | {each.says} | "
        f"{each.why if assumptions[each.name] == each.value else 'set for this run'} |"
        for each in ASSUMED
    ]
    lines += [
        "",
        "Measured. The mean is of runs on a machine that was not busy, where there are any; least and most are of all:",
        "",
    ]
    lines += ["| name | mean | least to most | what | of |", "| --- | --- | --- | --- | --- |"]
    for each in found:
        name, unit = each.measured.name, each.measured.unit
        values = f"{number(min(each.values))} to {number(max(each.values))} ({len(each.values)})"
        spread = values if len(each.values) > 1 else "one row"
        cells = (f"`{name}`", f"{number(each.mean)} {unit}".strip(), spread, each.measured.says, "; ".join(each.runs))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(each: Computed, name: str) -> str:
    mean, (low, high) = number(each.known[name]), each.spread(name)
    return mean if number(low) == number(high) else f"{mean} ({number(low)} to {number(high)})"


def text(results: Results, assumptions: Mapping[str, float]) -> str:
    return "\n".join(tables(results, assumptions))
