"""The run of `bench/catch-up`."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import filling, measure, ours, place
from bench.peers import irrd

TIMES = 3


@dataclass(frozen=True)
class Missed:
    """So many changes, in so many editions."""

    changes: int
    editions: int


MISSED = (Missed(0, 0), Missed(1, 1), Missed(100, 100), Missed(10_000, 100), Missed(100_000, 100))
QUICK = (Missed(0, 0), Missed(1, 1), Missed(100, 20))
IRRD_MISSED = (0, 1, 100, 10_000)


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--size", type=int, default=10_000, help="entries in the register before (10000)")
    parser.add_argument("--peers-only", action="store_true", help="ours is not measured")
    parser.add_argument("--peers", metavar="LIST", help="irrd, or an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, ["irrd"], what="peer")
    place.end_cleanly_on_signals()
    with measure.reporting(given, "catch-up") as result, place.temporary("catch-up") as folder:
        result.conditions["file_system"] = place.on_disk(folder)
        if not given.peers_only:
            with filling.register(given.size) as stack:
                _ours(stack, folder, given.quick, result.rows)
        if "irrd" in names:
            with result.trying("IRRd 4.5 NRTMv4"):
                if given.quick:
                    raise place.NotHere("loading it takes longer than --quick may")
                _irrd(folder / "irrd", given.size, given.quick, result.rows)
                result.unfair["IRRd 4.5 NRTMv4"] = irrd.Irrd.unfair
                result.versions["irrd"] = irrd.PACKAGES[0].partition("==")[2]


def _ours(stack: Any, folder: Path, quick: bool, rows: list[dict[str, Any]]) -> None:
    with ours.operators(stack, folder, 1) as ((_, token, _),):
        kept = folder / "kept"
        ours.sync_once(ours.configuration_of(stack, token, kept), folder)
        for each in QUICK if quick else MISSED:
            place.say(f"ours: {each.changes} changes in {each.editions} editions")
            _change(each)
            said = []
            for at in range(TIMES):
                copy = folder / f"copy-{at}"
                shutil.copytree(kept, copy)
                said.append(ours.sync_once(ours.configuration_of(stack, token, copy), folder))
                if at:
                    shutil.rmtree(copy)
            middle = sorted(said, key=lambda one: one["seconds"])[TIMES // 2]
            rows.append(
                {
                    "who": "Rahdari", "missed": each.changes, "in editions": each.editions,
                    "entries": middle["entries"], "n": TIMES, "seconds": middle["catch up s"],
                    "slowest s": max(one["catch up s"] for one in said),
                    "cpu s": middle["catch up cpu s"], "fetches": middle["requests"],
                    "of them files": middle["files"], "bytes": middle["bytes"], "peak MiB": middle["peak MiB"],
                }
            )  # fmt: skip
            # The next row begins where this one has come to.
            shutil.rmtree(kept)
            (folder / "copy-0").rename(kept)


def _change(missed: Missed) -> None:
    """Publish so many changes in about so many editions: each wait ends when nothing waits to be published."""
    if missed.changes == missed.editions:
        grants = ours.Grants(asn=filling.FIRST_NETWORK)
        for _ in range(missed.changes):
            grants.one()
            filling.settle()
        return
    at_once = missed.changes // missed.editions
    for _ in range(missed.editions):
        filling.fill(at_once, "hosts", start=filling.next_to_fill(), quietly=True)


def _irrd(folder: Path, entries: int, quick: bool, rows: list[dict[str, Any]]) -> None:
    folder.mkdir()
    with irrd.behind(folder, entries, quick) as behind:
        seconds, fetches, size = behind.catch_up()
        base = {"who": "IRRd 4.5 NRTMv4", "n": 1}
        rows.append(
            {**base, "missed": "all", "entries": entries, "seconds": seconds, "fetches": fetches, "bytes": size}
        )
        for changes in IRRD_MISSED:
            place.say(f"IRRd: {changes} changes")
            behind.miss(changes)
            entries += changes
            seconds, fetches, size = behind.catch_up()
            rows.append(
                {**base, "missed": changes, "entries": entries, "seconds": seconds, "fetches": fetches, "bytes": size}
            )
