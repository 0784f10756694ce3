"""The run of `bench/failover`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import measure, place

RUNS = 5
QUICK = "--acts 300 --kills 1 --switchovers 1 --applicants 2".split()
BAD_DAYS = "--kills 0 --switchovers 0 --bad-days".split()


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--runs", type=int, help=f"in full ({RUNS}; with --quick 1, short)")
    parser.add_argument("--first", type=int, default=1, help="number of the first run, to go on with --merge (1)")
    parser.add_argument("--acts", type=int, default=10_000, help="of each, at least (10000)")
    given = parser.parse_args()
    place.end_cleanly_on_signals()
    runs = given.runs if given.runs is not None else 1 if given.quick else RUNS
    with measure.reporting(given, "failover") as result, place.temporary("failover") as folder:
        result.conditions["file_system"] = place.on_disk(folder)
        for number in range(given.first, given.first + runs):
            with result.trying(f"run {number}"):
                words = QUICK if given.quick else ["--acts", str(given.acts)]
                result.rows += _rows(f"run {number}", words, folder, result)
        if not given.quick:
            with result.trying("bad days"):
                result.rows += _rows("bad days", ["--acts", str(given.acts // 2), *BAD_DAYS], folder, result)


def _rows(what: str, words: list[str], folder: Path, result: measure.Result) -> list[dict[str, Any]]:
    """What was lost, and below it each of those that happened. Raises RuntimeError when anything was lost."""
    file = folder / "drill.json"
    command = [sys.executable, "-P", "-m", "rahdari", "drill", "failover", *words, "--json", str(file)]
    place.say(" ".join(["rahdari", *command[4:-2]]))
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    said = json.loads(file.read_text())
    result.versions.update({name: said["conditions"][name] for name in ("patroni", "etcd", "postgresql")})
    acts = said["acts"]
    told = {
        "what": what, "answered": acts["answered"], "lost": acts["lost"], "done twice": acts["done_twice"],
        "sent again": acts["sent_again"], "of these done before": acts["done_before"],
        "pages": acts["pages"], "503 meanwhile": acts["pages_away"], "seconds": said["seconds"],
        "load after": said["conditions"]["load_after"],
    }  # fmt: skip
    return [told, *({"what": f"{what}: {each['what']}", "gap s": each["gap"]} for each in said["gaps"])]
