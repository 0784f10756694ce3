"""The run of `bench/cold-start`."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import filling, measure, ours, place
from bench.peers import irrd, pythontuf, stayrtr

SIZES = (100_000, 1_000_000, 5_500_000)
QUICK_SIZES = (10_000,)
FILES = {"csv": "entries.csv", "bird-set": "rahdari.conf"}
PEER_SIZES = {"irrd": (100_000,), "stayrtr": (100_000, 1_000_000), "tuf": (100_000, 1_000_000)}


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", metavar="LIST", help=f"entries in the register ({','.join(map(str, SIZES))})")
    parser.add_argument("--peers-only", action="store_true", help="ours is not measured")
    parser.add_argument("--what", choices=list(filling.ADDRESS), default="hosts")
    parser.add_argument("--times", type=int, help="the sync is repeated so often (3; of the largest, 1)")
    parser.add_argument("--peers", metavar="LIST", help=f"of {','.join(PEER_SIZES)}; an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, list(PEER_SIZES), what="peer")
    place.end_cleanly_on_signals()
    with measure.reporting(given, "cold-start") as result, place.temporary("cold-start") as folder:
        rows, unfair, versions = result.rows, result.unfair, result.versions
        result.conditions["file_system"] = place.on_disk(folder)
        own = measure.sizes(given.sizes, QUICK_SIZES if given.quick else SIZES)
        for size in [] if given.peers_only else own:
            times = given.times or (1 if given.quick or size > 1_000_000 else 3)
            with result.trying(f"ours, {size} entries"):
                rows += place.apart(_ours, folder / f"ours-{size}", size, given.what, times)
        for name in names:
            for size in measure.sizes(given.sizes, QUICK_SIZES if given.quick else PEER_SIZES[name]):
                place.say(f"{name} with {size} entries")
                home = folder / f"{name}-{size}"
                home.mkdir()
                with result.trying(f"{name}, {size} entries"):
                    if given.quick and name == "irrd":
                        raise place.NotHere("loading it takes longer than --quick may")
                    rows.append(_PEERS[name](home, size, given.quick, versions, unfair))
                shutil.rmtree(home, ignore_errors=True)


def _ours(folder: Path, size: int, what: str, times: int) -> list[dict[str, Any]]:
    folder.mkdir()
    with filling.register(size, what) as stack:
        return _measured(stack, folder, size, what, times)


def _measured(stack: Any, folder: Path, size: int, what: str, times: int) -> list[dict[str, Any]]:
    rows = []
    with ours.operators(stack, folder, 1) as ((_, token, _),):
        filling.wait_for_snapshot(size)
        said: list[dict[str, Any]] = []
        for at in range(times):
            place.say(f"ours: cold start with {size} entries, {at + 1} of {times}")
            for left in folder.glob("state*"):
                shutil.rmtree(left)
            place.wait_until_calm(size)
            said.append(ours.sync_once(ours.configuration_of(stack, token, folder / "state"), folder))
        middle = sorted(said, key=lambda each: each["catch up s"])[len(said) // 2]
        base = {"who": "Rahdari", "entries": middle["entries"], "what": what}
        rows.append(
            {
                **base, "how": "to a verified index", "n": times, "seconds": middle["catch up s"],
                "fetch s": middle["fetch s"], "verify and index s": middle["catch up s"] - middle["fetch s"],
                "slowest s": max(each["catch up s"] for each in said),
                "cpu s": middle["catch up cpu s"], "requests": middle["requests"],
                "MB": round(middle["bytes"] / 1e6, 1), "peak MiB": max(each["peak MiB"] for each in said),
            }
        )  # fmt: skip
        configured = ours.configuration_of(stack, token, folder / "state")
        for kind, name in FILES.items():
            found = ours.sync_once({**configured, "ask": False, "targets": {kind: str(folder / name)}}, folder)
            rows.append(_applied(base, f"then into a file ({kind})", found))
        rows += _into_nft(configured, folder, base)
    return rows


def _into_nft(configured: dict[str, Any], folder: Path, base: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        with place.namespaces(1, "cold") as (space,):
            from rahdari.agent.ruleset import ruleset

            subprocess.run(
                ["ip", "netns", "exec", space, "nft", "-f", "-"], input=ruleset(), text=True, check=True,
                capture_output=True,
            )  # fmt: skip
            found = ours.sync_once({**configured, "ask": False, "targets": {"nftables": space}}, folder)
            return [_applied(base, "then into nft sets", found)]
    except place.NotHere as why:
        place.say(f"not into nft: {why.why}")
        return []


def _applied(base: dict[str, Any], how: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        **base, "how": how, "n": 1, "seconds": found["apply s"], "render and apply s": found["apply s"],
        "cpu s": found["apply cpu s"],
        "loaded": found["loaded"], "peak MiB": found["peak MiB"],
    }  # fmt: skip


# -- peers -------------------------------------------------------------------------------------------------------


def _irrd(folder: Path, size: int, quick: bool, versions: dict[str, str], unfair: dict[str, str]) -> dict[str, Any]:
    with irrd.behind(folder, size, quick) as behind:
        seconds, fetches, size_bytes = behind.catch_up()
    unfair["IRRd 4.5 NRTMv4"] = irrd.Irrd.unfair
    versions["irrd"] = irrd.PACKAGES[0].partition("==")[2]
    return {
        "who": "IRRd 4.5 NRTMv4", "entries": size, "what": "hosts", "how": "snapshot into its database", "n": 1,
        "seconds": seconds, "requests": fetches, "MB": round(size_bytes / 1e6, 1),
    }  # fmt: skip


def _stayrtr(folder: Path, size: int, quick: bool, versions: dict[str, str], unfair: dict[str, str]) -> dict[str, Any]:
    with stayrtr.starting(folder, size, quick) as peer:
        began = time.monotonic()
        client = peer.connect_again()  # type: ignore[attr-defined]
        seconds = time.monotonic() - began
        versions.update(peer.versions)
        unfair[peer.name] = peer.unfair
        return {
            "who": peer.name, "entries": size, "what": "hosts", "how": "whole list into memory (RTR)", "n": 1,
            "seconds": seconds, "MB": round(client.bytes / 1e6, 1),
        }  # fmt: skip


def _tuf(folder: Path, size: int, quick: bool, versions: dict[str, str], unfair: dict[str, str]) -> dict[str, Any]:
    with pythontuf.starting(folder, size, quick) as peer:
        seconds = peer.from_nothing(folder / "again")  # type: ignore[attr-defined]
        versions.update(peer.versions)
        unfair["python-tuf"] = pythontuf.PythonTuf.unfair
        return {
            "who": "python-tuf", "entries": size, "what": "hosts", "how": "100 targets, verified, into memory", "n": 1,
            "seconds": seconds,
        }  # fmt: skip


type Peering = Callable[[Path, int, bool, dict[str, str], dict[str, str]], dict[str, Any]]
_PEERS: dict[str, Peering] = {"irrd": _irrd, "stayrtr": _stayrtr, "tuf": _tuf}
