"""Which tests a lane runs.

- `./test`: all but those marked `whole`, and but files that are dear. Files are dear from where the cheaper ones before
  them, together, reach SHORT.
- The lane of each change (`.ci/run`): these, and more until CHANGE is reached: first what is worth most (WORTH), then
  what a change reaches by the graph of imports, the nearest first, then what costs least. What was reached and left out
  is printed.
- The lane of all (`.ci/all`): everything.

    python -m tests.lanes       prints what the lane of this change adds, and says the rest on standard error

Bounds are in processor seconds as in costs.txt. On two quiet processors PostgreSQL adds about a third.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.costs import TESTS, Cost, listed

ROOT = TESTS.parent
# `./test` within five minutes, with the checks beside it and the start of four processes.
SHORT = 350
# `.ci/run` within fifteen, with what it installs and with Debian's PostgreSQL.
CHANGE = 650
# Run by every `./test`, whatever they cost: the main way in a browser, and whole applications through pages and acts;
# what is told of the code by reading it; the bounds that every sentence and every output keeps.
ALWAYS = frozenset(
    {
        "journeys/test_freelancer.py",
        "portal/test_whole_applications.py",
        "architecture/test_rules.py",
        "docs/test_errors.py",
        "journal/test_registry.py",
        "safeguards/test_truth.py",
        "safeguards/test_nothing_is_made_for_blocking.py",
    }
)
# Run for each change before anything else that `./test` leaves out.
WORTH = (
    "access/test_visitors.py",
    "safeguards/",
    "web/test_urdu_catalogues.py",
    "api/test_others.py",
    "optional/test_left_out.py whole",
    "decide/test_actions.py",
    "publish/test_editions.py",
    "publish/test_rotation.py",
    "agent/test_following.py",
    "matrix/test_conformance.py",
    "workflow/test_line.py",
)
CHOSEN = "RAHDARI_TEST_CHOSEN"


def dear(costs: Mapping[str, Cost], bound: float = SHORT) -> frozenset[str]:
    total, found = 0.0, set()
    for name in sorted(costs, key=lambda name: (name not in ALWAYS, costs[name].short)):
        total += costs[name].short
        if total > bound and name not in ALWAYS:
            found.add(name)
    return frozenset(found)


def mark(items: Iterable[pytest.Item]) -> None:
    of_cost, chosen = dear(listed()), set(os.environ.get(CHOSEN, "").split("\n"))
    for item in items:
        if item.path.is_relative_to(TESTS):
            name = str(item.path.relative_to(TESTS))
            if name in of_cost:
                item.add_marker("dear")
            if (f"{name} whole" if item.get_closest_marker("whole") else name) in chosen:
                item.add_marker("chosen")


@dataclass(frozen=True)
class Choice:
    chosen: list[str]
    # Reached by the change, and too dear.
    left_out: list[str]
    seconds: float


def choose(costs: Mapping[str, Cost], reached: Mapping[str, int], bound: float = CHANGE) -> Choice:
    """Of what `./test` leaves out: the name of a file stands for its tests that are not marked `whole`, and with
    ` whole` behind it for those that are. `reached` has files with their distance to the change."""
    left = dear(costs)
    parts = {name: costs[name].short for name in left}
    parts |= {f"{name} whole": cost.whole for name, cost in costs.items() if cost.whole}
    total = sum(cost.short for name, cost in costs.items() if name not in left)

    def rank(part: str) -> tuple[int, int, float]:
        name = part.removesuffix(" whole")
        if part in WORTH or any(each.endswith("/") and part.startswith(each) for each in WORTH):
            return 0, 0, parts[part]
        return (1, reached[name], parts[part]) if name in reached else (2, 0, parts[part])

    chosen, left_out = [], []
    for part in sorted(parts, key=rank):
        if total + parts[part] <= bound:
            total += parts[part]
            chosen.append(part)
        elif part.removesuffix(" whole") in reached:
            left_out.append(part)
    return Choice(chosen, left_out, total)


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def base() -> str:
    """What the change is a change of: RAHDARI_CI_BASE; else where it left main; else, on main itself, the newest commit
    that is a day older. Empty where there is none."""
    if given := os.environ.get("RAHDARI_CI_BASE"):
        return given
    head = git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        left = git("merge-base", main, "HEAD")
        if left and left != head:
            return left
    when = git("log", "-1", "--format=%ct")
    return git("rev-list", "-1", f"--before={int(when) - 86_400}", "HEAD") if when else ""


def changed() -> list[str]:
    """Paths, with what is not committed yet."""
    since = base()
    if not since:
        return []
    paths = git("diff", "--name-only", since).splitlines()
    return [*paths, *git("ls-files", "--others", "--exclude-standard").splitlines()]


def modules_of(path: str, modules: Iterable[str]) -> Iterator[str]:
    """Whose change it is: a module itself; of a template, a catalogue and the like, all of its room."""
    parts = Path(path).with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else parts
    own = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    if path.endswith(".py"):
        yield from (name for name in modules if name == own)
    elif len(parts) > 2 and parts[0] in {"rahdari", "tests"}:
        room = ".".join(parts[:2])
        yield from (name for name in modules if name == room or name.startswith(f"{room}."))


def reached(paths: Iterable[str]) -> dict[str, int]:
    """Files of tests that a change of these reaches, with how many imports lie between. The tests of a changed room,
    which know its pages by their addresses alone, come before those of others, which import it."""
    import grimp

    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph("rahdari", "tests", cache_dir=None)
    names = sorted(graph.modules)
    distance = dict.fromkeys((name for path in paths for name in modules_of(path, names)), 0)
    rooms = {f"tests.{name.split('.')[1]}." for name in distance if name.startswith("rahdari.")}
    queue = list(distance)
    of_rooms = [name for name in names if any(name.startswith(room) for room in rooms)]
    for name in queue:
        for importer in sorted(graph.find_modules_that_directly_import(name)):
            if importer not in distance:
                distance[importer] = distance[name] + 1
                queue.append(importer)
    distance |= dict.fromkeys(of_rooms, 0)
    files = {name: f"{name.removeprefix('tests.').replace('.', '/')}.py" for name in distance}
    return {files[name]: far for name, far in distance.items() if name.startswith("tests.") and ".test_" in name}


def main() -> None:
    paths = changed()
    choice = choose(listed(), reached(paths) if paths else {})
    print("\n".join(choice.chosen))
    say = [f"since {base() or 'nothing known'}: {len(paths)} files changed"]
    say += [f"{choice.seconds:.0f} processor seconds of tests, of {CHANGE}; {len(choice.chosen)} parts beyond ./test"]
    say += [f"reached, and left to the lane of all: {', '.join(choice.left_out) or 'nothing'}"]
    print(*say, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
