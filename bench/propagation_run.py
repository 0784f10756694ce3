"""The run of `bench/propagation`."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import filling, measure, ours, place
from bench.peers import Known, Peer, bird, irrd, knot, pythontuf, stayrtr

PEERS = {
    "bird": Known("BIRD to BIRD", bird.starting, changes=40, quick_changes=10),
    "knot": Known("Knot DNS", knot.starting, changes=30, quick_changes=8),
    "stayrtr": Known("StayRTR", stayrtr.starting, changes=30, quick_changes=6, random_moments=1.0),
    "tuf": Known("python-tuf, polled at 1 s", pythontuf.starting, changes=30, quick_changes=6, random_moments=1.0),
    "irrd": Known("IRRd 4.5 NRTMv4", irrd.starting, changes=20, quick_changes=0, quick=False),
    "irrd-testing": Known(
        "IRRd 4.5 NRTMv4, testing switch", irrd.starting_fast, changes=15, quick_changes=0, random_moments=1.0,
        quick=False,
    ),
}  # fmt: skip
# IRRd's default timers: changes are spread over so many seconds, and each is waited for beside the others.
IRRD_WINDOW = 200.0
NFT_AGENTS = 10


@dataclass(frozen=True)
class Layout:
    """Who follows: `operators` of them with `each` agents. A grant comes each `every` seconds: where many agents share
    two cores, a sooner one would find them at work with the last, and be measured waiting for it."""

    operators: int
    each: int
    gateway: bool
    way: str = "stream"
    grants: int = 60
    bursts: int = 0
    every: float = 1.0

    @property
    def agents(self) -> int:
        return self.operators * self.each

    @property
    def says(self) -> str:
        what = "gateway" if self.gateway else "access operator"
        many = f"{self.operators} {what}s" if self.operators > 1 else f"1 {what}"
        return f"{many} x {self.each}" if self.each > 1 else many


LAYOUTS = {
    "1": Layout(1, 1, True, grants=60, bursts=3),
    "10": Layout(10, 1, True, grants=40, bursts=2),
    "300": Layout(30, 10, True, grants=9, bursts=1, every=10),
    "300-gateways": Layout(300, 1, True, grants=6, bursts=1, every=15),
    "300-access": Layout(30, 10, False, grants=9, bursts=1, every=10),
    "1-long-poll": Layout(1, 1, True, way="long_poll", grants=30),
    "300-long-poll": Layout(30, 10, True, way="long_poll", grants=9, every=10),
    "30-poll": Layout(1, 30, True, way="poll", grants=1),
}


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--size", type=int, default=10_000, help="entries in the register before (10000)")
    parser.add_argument("--what", choices=list(filling.ADDRESS), default="hosts", help="what the register holds")
    parser.add_argument("--peers", metavar="LIST", help=f"of {','.join(PEERS)}; an empty list for none")
    parser.add_argument(
        "--peer-entries", type=int, metavar="N", help="entries at each peer before (as many, to 100000)"
    )
    parser.add_argument("--ours", metavar="LIST", help=f"of {','.join(LAYOUTS)}; an empty list for none")
    given = parser.parse_args()
    names = measure.chosen(given.peers, list(PEERS), what="peer")
    layouts = measure.chosen(given.ours, ["1"] if given.quick else list(LAYOUTS), what="layout")
    place.end_cleanly_on_signals()
    with measure.reporting(given, "propagation") as result, place.temporary("propagation") as folder:
        result.conditions["file_system"] = place.on_disk(folder)
        entries = given.peer_entries or min(given.size, 2_000 if given.quick else 100_000)
        _peers(names, folder, entries, given.quick, result)
        if layouts:
            with filling.register(given.size, given.what) as stack:
                for name in layouts:
                    with result.trying(f"ours, {name}"):
                        _ours(LAYOUTS[name], stack, folder / f"ours-{name}", given, result.rows)


# -- peers -------------------------------------------------------------------------------------------------------


def _peers(names: Sequence[str], folder: Path, entries: int, quick: bool, result: measure.Result) -> None:
    """IRRd with its minute timers goes on beside the others, which it hardly disturbs: it waits nearly all the time."""
    beside: threading.Thread | None = None
    stop = threading.Event()
    if "irrd" in names:
        if quick:
            result.skipped["IRRd 4.5 NRTMv4"] = "its timers are a minute each"
        else:
            beside = threading.Thread(target=_irrd, args=(folder / "irrd", entries, result, stop))
            beside.start()
            # Loading is what would disturb.
            place.wait_for("IRRd", lambda: stop.is_set() or not beside.is_alive(), patience=600)
    for name in names:
        known = PEERS[name]
        if name == "irrd":
            continue
        if quick and not known.quick:
            result.skipped[known.name] = "not in --quick"
            continue
        place.say(f"{known.name} with {entries} entries")
        (folder / name).mkdir()
        with result.trying(known.name), known.starting(folder / name, entries, quick) as peer:
            _note(peer, result)
            changes = known.quick_changes if quick else known.changes
            result.rows.append(_row(peer, entries, *_one_by_one(peer, changes, known.random_moments)))
    if beside is not None:
        beside.join()


def _one_by_one(peer: Peer, changes: int, random_moments: float) -> tuple[list[float], list[float]]:
    whole, from_commit = [], []
    for number in range(changes):
        time.sleep(random.uniform(0, random_moments) if random_moments else 0.05)
        sent = peer.change(number)
        at = peer.arrived(number)
        whole.append((at - sent.began) / 1e9)
        from_commit.append((at - sent.taken) / 1e9)
    return whole, from_commit


def _irrd(folder: Path, entries: int, result: measure.Result, loaded: threading.Event) -> None:
    folder.mkdir()
    with result.trying("IRRd 4.5 NRTMv4"), irrd.starting(folder, entries, False) as peer:
        loaded.set()
        _note(peer, result)
        result.rows.append(_row(peer, entries, *_at_random_moments(peer, PEERS["irrd"].changes)))


def _at_random_moments(peer: Any, changes: int) -> tuple[list[float], list[float]]:
    place.say(f"IRRd with default timers: {changes} changes at random moments within {IRRD_WINDOW:.0f} s")
    began = time.monotonic()
    moments = sorted(random.uniform(0, IRRD_WINDOW) for _ in range(changes))
    sent: dict[int, Any] = {}
    whole, from_commit = [], []
    number = 0
    while sent or number < changes:
        if number < changes and time.monotonic() - began >= moments[number]:
            sent[number] = peer.change(number)
            number += 1
        for each in list(sent):
            if peer.has(each):
                at, change = time.time_ns(), sent.pop(each)
                whole.append((at - change.began) / 1e9)
                from_commit.append((at - change.taken) / 1e9)
        if time.monotonic() - began > IRRD_WINDOW + 240:
            raise RuntimeError(f"{len(sent)} objects did not arrive")
        time.sleep(0.25)
    return whole, from_commit


def _note(peer: Peer, result: measure.Result) -> None:
    result.unfair[peer.name] = peer.unfair
    result.versions.update(peer.versions)


def _row(peer: Peer, entries: int, whole: list[float], from_commit: list[float]) -> dict[str, Any]:
    return {
        "who": peer.name, "how": peer.setting, "receivers": 1, "entries": entries, "what": "hosts",
        **measure.quantiles(whole), "from commit p50 s": measure.percentile(from_commit, 0.5),
        "memory MiB": " + ".join(str(each) for each in peer.facts().get("MiB", [])),
    }  # fmt: skip


# -- ours --------------------------------------------------------------------------------------------------------


def _ours(layout: Layout, stack: Any, folder: Path, given: Any, rows: list[dict[str, Any]]) -> None:
    place.say(f"ours: {layout.agents} agents ({layout.says}), {layout.way}")
    folder.mkdir()
    with ExitStack() as open_:
        # Grants are addresses of this network. Access operators announce it besides one of their own: each of them has
        # rights of its own, so streams of its own, and gets every grant.
        network = filling.FIRST_NETWORK
        networks = [] if layout.gateway else [[network, network + 1 + at] for at in range(layout.operators)]
        made = open_.enter_context(ours.operators(stack, folder, layout.operators, networks=networks))
        spaces: list[str] = []
        try:
            spaces = open_.enter_context(place.namespaces(min(NFT_AGENTS, layout.agents), "nft"))
            for space in spaces:
                ours.load_ruleset(space)
        except place.NotHere as why:
            place.say(f"no agent drives nft: {why.why}")
            spaces = []
        tokens = [token for _, token, _ in made for _ in range(layout.each)]
        agents = open_.enter_context(
            ours.following(stack, folder, tokens, way=layout.way, namespaces=spaces, in_a_process=given_to(layout))
        )
        signing = ours.Signing([repository for _, _, repository in made])
        signing.start()
        open_.callback(signing.stop)
        grants = ours.Grants(what=given.what, asn=network)
        pace = "1/s" if layout.every == 1 else f"one each {layout.every:.0f} s"
        runs = [(f"steady, {pace}", layout.grants if not given.quick else 12, False)]
        if layout.bursts:
            runs.append(("burst of 100", layout.bursts if not given.quick else 1, True))
        for says, count, burst in runs:
            place.say(f"ours: {says}")
            granted = _burst(grants, agents, count) if burst else _steady(grants, agents, count, layout)
            rows.append(
                {
                    "who": "Rahdari", "how": f"{_way(layout.way)}, {says}", "operators": layout.says,
                    "receivers": layout.agents, "nft": len(spaces), "entries": grants.entries, "what": given.what,
                    **_measured(granted, agents, signing, len(spaces)),
                }
            )  # fmt: skip


def given_to(layout: Layout) -> int:
    """So many agents to a process: few enough that they do not wait for one interpreter."""
    return 30 if layout.agents > 30 else max(1, layout.agents // 2)


def _way(way: str) -> str:
    return {"stream": "push", "long_poll": "long poll", "poll": "poll each 60-72 s"}[way]


def _steady(grants: ours.Grants, agents: ours.Agents, count: int, layout: Layout) -> list[ours.Granted]:
    granted = []
    for _ in range(count):
        began = time.monotonic()
        granted.append(grants.one())
        if layout.way == "poll":
            agents.wait_until_all_have(granted[-1].number, patience=120)
        time.sleep(max(0.0, layout.every - (time.monotonic() - began)))
    agents.wait_until_all_have(granted[-1].number)
    return granted


def _burst(grants: ours.Grants, agents: ours.Agents, count: int) -> list[ours.Granted]:
    granted = []
    for _ in range(count):
        granted += [grants.one() for _ in range(100)]
        agents.wait_until_all_have(granted[-1].number)
        time.sleep(1.0)
    return granted


def _measured(
    granted: Sequence[ours.Granted], agents: ours.Agents, signing: ours.Signing, with_nft: int
) -> dict[str, Any]:
    published = signing.moments()
    signed, all_signed, applied, last, in_force, from_commit = [], [], [], [], [], []
    for grant in granted:
        moments = [next(at for at, number in seen if number >= grant.number) for seen in published.values()]
        signed.append((min(moments) - grant.began) / 1e9)
        all_signed.append((max(moments) - grant.began) / 1e9)
        each = [agents.moment(name, grant.number, applied=False) for name in agents.names]
        applied += [(at - grant.began) / 1e9 for at in each]
        from_commit += [(at - grant.committed) / 1e9 for at in each]
        last.append((max(each) - grant.began) / 1e9)
        with_sets = [agents.moment(name, grant.number, applied=True) for name in agents.names[:with_nft]]
        in_force += [(at - grant.began) / 1e9 for at in with_sets]
    row = {
        **measure.quantiles(applied),
        "from commit p50 s": measure.percentile(from_commit, 0.5),
        "last agent p50 s": measure.percentile(last, 0.5),
        "last agent p99 s": measure.percentile(last, 0.99),
        "signed p50 s": measure.percentile(signed, 0.5),
        "signed p99 s": measure.percentile(signed, 0.99),
        "signed for all p99 s": measure.percentile(all_signed, 0.99),
    }
    if in_force:
        row |= {"nft p50 s": measure.percentile(in_force, 0.5), "nft p99 s": measure.percentile(in_force, 0.99)}
    return {**row, "faults": len(agents.faults)} if agents.faults else row
