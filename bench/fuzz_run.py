"""The run of `bench/fuzz`: a process of Atheris for each target, one after the other."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from bench import measure, place

PACKAGES = ("atheris==3.1.0",)
QUICK_SECONDS = 30


def main(about: str | None) -> int:
    parser = measure.parser(about)
    parser.add_argument("--seconds", type=int, help=f"for all targets together (300; quick: {QUICK_SECONDS})")
    parser.add_argument("--target", action="append", metavar="NAME", help="only this one; may be given again")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="run one --target on this input and say what happens"
    )
    given = parser.parse_args()
    from bench.fuzz_targets import TARGETS

    names = given.target or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"no target {unknown[0]}; there are {', '.join(TARGETS)}")
    if given.input:
        TARGETS[names[0]].one(given.input.read_bytes())
        print("taken, or refused as it should be")
        return 0
    place.end_cleanly_on_signals()
    try:
        # Fuzzing is no comparison: what it needs is small, and is installed for --quick too.
        binaries = place.environment_of("fuzz", PACKAGES, quick=False)
    except place.NotHere as why:
        raise SystemExit(f"Atheris cannot be used here: {why.why}") from None
    seconds = max(2, (given.seconds or (QUICK_SECONDS if given.quick else 300)) // len(names))
    about_it = measure.conditions()
    rows = [_fuzz(name, TARGETS[name].seeds(), binaries, seconds) for name in names]
    measure.report(rows, given=given, about=about_it, experiment="fuzz")
    found = [row["finding"] for row in rows if row["finding"]]
    for path in found:
        print(f"finding: {path}", file=sys.stderr)
    return 1 if found else 0


def _fuzz(name: str, seeds: list[bytes], binaries: Path, seconds: int) -> dict[str, Any]:
    place.say(f"{name} for {seconds} s")
    # What an earlier run has come to is gone on with.
    corpus, found = place.WORK / "fuzz" / name / "corpus", place.WORK / "fuzz" / name / "findings"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(seeds):
        (corpus / f"seed-{at}").write_bytes(seed)
    before = set(found.iterdir())
    command: list[str | Path] = [
        binaries / "python", "-m", "bench.fuzzing", name, corpus, f"-artifact_prefix={found}/", "-max_len=8192",
        f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-close_fd_mask=1",
    ]  # fmt: skip
    paths = [str(place.ROOT), str(place.ROOT / "src"), sysconfig.get_path("purelib")]
    environment = {**place.clean_environment(), "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, errors="replace")
    findings = sorted(set(found.iterdir()) - before)
    numbers = {key: int(value) for key, value in re.findall(r"stat::(\w+):\s+(\d+)", done.stderr)}
    covered = re.findall(r"cov: (\d+)", done.stderr)
    if done.returncode and not findings:
        raise SystemExit(f"{name} did not run:\n{done.stderr[-3000:]}")
    if findings:
        print(done.stderr[-4000:], file=sys.stderr)
    # A corpus grows with each run; what was merged into it is kept small by libFuzzer itself.
    return {
        "target": name,
        "seconds": seconds,
        "runs": numbers.get("number_of_executed_units", 0),
        "edges": int(covered[-1]) if covered else 0,
        "inputs": len(list(corpus.iterdir())),
        "finding": str(findings[0]) if findings else "",
    }
