"""The run of `bench/publish`."""

import os
import time
from pathlib import Path
from typing import Any

from bench import filling, measure, ours, place
from bench.peers import bird, knot, pythontuf

SIZES = (10_000, 1_000_000, 5_500_000)
PEERS: dict[str, Any] = {"bird": bird, "knot": knot, "tuf": pythontuf}
PEER_SIZES = (10_000, 100_000, 1_000_000)


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", metavar="LIST", help=f"entries in the register ({','.join(map(str, SIZES))})")
    parser.add_argument("--peers-only", action="store_true", help="ours is not measured")
    parser.add_argument("--what", choices=list(filling.ADDRESS), default="hosts")
    parser.add_argument("--changes", type=int, help="for each size (200)")
    parser.add_argument("--peers", metavar="LIST", help=f"of {','.join(PEERS)}; an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, list(PEERS), what="peer")
    some = 1 if given.quick else 3
    changes = given.changes or (20 if given.quick else 200)
    place.end_cleanly_on_signals()
    with measure.reporting(given, "publish") as result, place.temporary("publish") as folder:
        rows, unfair, versions = result.rows, result.unfair, result.versions
        result.conditions["file_system"] = place.on_disk(place.WORK if place.WORK.exists() else folder)
        for size in [] if given.peers_only else measure.sizes(given.sizes, SIZES[:some]):
            with result.trying(f"ours, {size} entries"):
                rows.append(place.apart(_ours, size, given.what, changes))
        for name in names:
            for size in measure.sizes(given.sizes, PEER_SIZES[:some]):
                place.say(f"{name} with {size} entries")
                home = folder / f"{name}-{size}"
                home.mkdir()
                with (
                    result.trying(f"{name}, {size} entries"),
                    PEERS[name].starting(home, size, given.quick) as peer,
                ):
                    rows.append(_peer(peer, size, 10 if size > 100_000 or given.quick else 30))
                    unfair[peer.name] = peer.unfair
                    versions.update(peer.versions)
        if flat := _flatness(rows):
            place.say(flat)


def _ours(size: int, what: str, changes: int) -> dict[str, Any]:
    with filling.register(size, what) as stack:
        place.say(f"ours: {changes} changes to {size} entries")
        return _measured(stack, size, what, changes)


def _measured(stack: Any, size: int, what: str, changes: int) -> dict[str, Any]:
    from rahdari.publish import queries as published

    gateway = published.operator_by_slug(filling.GATEWAY)
    assert gateway is not None
    signing = ours.Signing([stack.data / "feed" / "repositories" / gateway.repository])
    signing.start()
    grants = ours.Grants(what=what, asn=filling.FIRST_NETWORK)
    (publisher,) = stack.processes("publisher")
    try:
        # Warm: the first change of a run finds nothing in memory.
        for _ in range(5):
            _wait(signing, grants.one(), len(next(iter(signing.seen.values()))))
        # And may bring a snapshot that is due: minutes of writing, in a large register, beside what is measured.
        place.wait_until_calm(size)
        processor, written = _used(publisher)
        granted = []
        for _ in range(changes):
            before = len(next(iter(signing.seen.values())))
            granted.append(grants.one())
            _wait(signing, granted[-1], before)
        processor_after, written_after = _used(publisher)
    finally:
        signing.stop()
    (published_at,) = signing.moments().values()
    seconds, from_commit = [], []
    for grant in granted:
        at = next(moment for moment, number in published_at if number >= grant.number)
        seconds.append((at - grant.began) / 1e9)
        from_commit.append((at - grant.committed) / 1e9)
    return {
        "who": "Rahdari", "how": "grant to signed files, one by one", "entries": size, "what": what,
        **measure.quantiles(seconds), "from commit p50 s": measure.percentile(from_commit, 0.5),
        "publisher cpu ms": round((processor_after - processor) / changes * 1000, 2),
        "publisher kB written": round((written_after - written) / changes / 1000, 1),
        "memory MiB": str(round(place.resident_mib(publisher))),
    }  # fmt: skip


def _wait(signing: ours.Signing, grant: ours.Granted, before: int) -> None:
    """Until the repository's timestamp was replaced after the grant began."""
    (seen,) = signing.seen.values()
    until = time.monotonic() + 120
    while len(seen) <= before or seen[-1][0] < grant.committed:
        if time.monotonic() > until:
            raise RuntimeError("the change was not published")
        time.sleep(0.001)


def _used(pid: int) -> tuple[float, int]:
    """Processor seconds and bytes written of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(words[11]) + int(words[12])
    written = 0
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            written = int(line.split()[1])
    return ticks / os.sysconf("SC_CLK_TCK"), written


def _peer(peer: Any, size: int, changes: int) -> dict[str, Any]:
    seconds = []
    for number in range(changes):
        sent = peer.change(number)
        peer.arrived(number)
        seconds.append((sent.taken - sent.began) / 1e9)
    return {
        "who": peer.name, "how": "one change at the sender", "entries": size, "what": "hosts",
        **measure.quantiles(seconds), "memory MiB": " + ".join(str(each) for each in peer.facts().get("MiB", [])),
    }  # fmt: skip


def _flatness(rows: list[dict[str, Any]]) -> str:
    own = [row for row in rows if row["who"] == "Rahdari"]
    if len(own) < 2:
        return ""
    least, most = (pick(row["p50 s"] for row in own) for pick in (min, max))
    return f"ours, median, largest to smallest of all sizes: {most / least:.2f} (target: at most 1.20)\n"
