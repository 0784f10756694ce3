"""The run of `bench/preflight`."""

import datetime as dt
import ipaddress
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import filling, measure, place

SIZES = (100_000, 1_000_000)
RULES = 10_000
SESSION = "0" * 32
# One rule in so many names an entry.
ONE_IN = 10


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", metavar="LIST", help=f"entries held ({','.join(map(str, SIZES))})")
    parser.add_argument("--times", type=int, help="each is done so often (5)")
    parser.add_argument("--flows", type=int, metavar="N", help="only this: send N flows through made-up rules (root)")
    parser.add_argument("--agent-only", action="store_true", help="the database is left out")
    given = parser.parse_args()
    place.end_cleanly_on_signals()
    times = given.times or (2 if given.quick else 5)
    if given.flows:
        with measure.reporting(given, "preflight") as result, result.trying("packets"):
            result.rows += _crossed(given.flows)
        return
    with measure.reporting(given, "preflight") as result, place.temporary("preflight") as folder:
        result.conditions["file_system"] = place.on_disk(folder)
        for size in measure.sizes(given.sizes, SIZES[: 1 if given.quick else 2]):
            plans = dict(_plans(folder, size))
            with result.trying(f"agent, {size} entries"):
                configuration = place.apart(_state, folder / f"state-{size}", size)
                for name, plan in plans.items():
                    place.say(f"agent: {name}, {size} entries")
                    result.rows.append(_agent(configuration, plan, name, size, times))
            if given.quick or given.agent_only:
                continue
            with result.trying(f"server, {size} entries"):
                result.rows += place.apart(_server, size, plans, times)


# -- what is planned -----------------------------------------------------------------------------------------------


def _plans(folder: Path, size: int) -> Iterator[tuple[str, Path]]:
    random.seed(size)
    blocks = []
    for at in range(RULES):
        if at % ONE_IN:
            # Nothing is registered there.
            blocks.append(f"{ipaddress.IPv4Address((100 << 24) + random.randrange(1 << 24))}/32")
        else:
            blocks.append(filling.address_of(random.randrange(size)))
    hosts = [block.partition("/")[0] for block in blocks]
    term = "set firewall family inet filter X term"
    written: dict[str, str] = {
        "lines": "\n".join(blocks),
        "lines with a port each": "\n".join(f"{host} udp {random.randrange(1, 65_536)}" for host in hosts),
        "csv": "prefix,protocol\n" + "\n".join(f"{block}," for block in blocks),
        "rpsl": "\n\n".join(f"route: {block}\norigin: AS64500" for block in blocks),
        "nftables": "table inet f {\nset s { type ipv4_addr; flags interval;\nelements = { "
        + ",\n".join(blocks)
        + " } }\nchain c { type filter hook forward priority 0; policy accept;\nip daddr @s drop\n}\n}",
        "cisco": "ip access-list extended X\n"
        + "\n".join(f" deny ip any host {host}" for host in hosts)
        + "\n permit ip any any",
        "junos": "\n".join(f"{term} T from destination-address {each}" for each in blocks)
        + f"\n{term} T then discard\n{term} R then accept",
        "mikrotik": "/ip firewall filter\n"
        + "\n".join(f"add action=drop chain=forward dst-address={block}" for block in blocks),
        "denies by default": "ip access-list extended X\n"
        + "\n".join(f" permit ip any host {host}\n permit ip host {host} any" for host in hosts),
        "a port for everybody": "ip access-list extended X\n deny udp any any eq 51820\n permit ip any any",
    }
    for name, text in written.items():
        path = folder / f"{name.replace(' ', '-')}-{size}.txt"
        path.write_text(text)
        yield name, path


# -- the agent -----------------------------------------------------------------------------------------------------


def _state(folder: Path, size: int) -> Path:
    """A state with so many entries, as a snapshot of an edition would have filled it."""
    from rahdari.agent.folder import create, open_state
    from rahdari.agent.state import Position
    from rahdari.feed import ROLES, SetDigest
    from rahdari.feed.plain import EntryRow, key_of

    create(folder)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    begins, ends = "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"
    with open_state(folder) as state:
        for role in ROLES:
            held = size if role == ROLES[0] else 0
            with state.transaction():
                name = state.begin_list(role)
                rows = (
                    EntryRow(at.to_bytes(16), key_of(filling.address_of(at)), "any", None, begins, ends, None)
                    for at in range(held)
                )
                state.fill(name, rows)
                state.index_list(name, now)
                state.change_over(role)
                later, digest = now + dt.timedelta(days=1), SetDigest().state
                state.set_position(
                    Position(role, "0" * 64, SESSION, 1, "0" * 64, digest, held, 1, now, now, later, now)
                )
    path = folder / "agent.toml"
    root = folder / "root.json"
    root.write_text("{}")
    token = folder / "token"
    token.write_text("bench")
    token.chmod(0o600)
    path.write_text(
        f'server = "https://feed.example"\nreceipt_url = "https://feed.example/feed/receipt"\n'
        f'token_file = "{token}"\nroot = "{root}"\nroot_sha256 = "{"0" * 64}"\nstate = "{folder}"\n'
        f'[[target]]\nkind = "json"\nname = "x"\npath = "{folder / "x.json"}"\n'
    )
    return path


def _agent(configuration: Path, plan: Path, name: str, size: int, times: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "rahdari",
        "agent",
        "preflight",
        str(plan),
        "--json",
        "--config",
        str(configuration),
    ]
    walls, cpus, peak, said = list[float](), list[float](), 0.0, {}
    for _ in range(times):
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=place.clean_environment())
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        walls.append(time.monotonic() - began)
        cpus.append(used.ru_utime + used.ru_stime)
        peak = max(peak, used.ru_maxrss / 1024)
        if os.waitstatus_to_exitcode(status) not in {0, 8}:
            raise RuntimeError(f"preflight ended with {os.waitstatus_to_exitcode(status)}")
        said = json.loads(out)
    return _row("agent, the whole process", name, size, said["cut"] + said["affected"], walls, cpus, peak)


def _row(
    how: str, name: str, size: int, hit: int, walls: list[float], cpus: list[float], peak: float
) -> dict[str, Any]:
    return {
        "how": how, "change": name, "rules": RULES if "port for" not in name else 2, "entries": size, "hit": hit,
        "n": len(walls), "p50 s": measure.percentile(walls, 0.5), "max s": max(walls),
        "cpu ms": round(1000 * measure.percentile(cpus, 0.5)), "peak MiB": round(peak),
    }  # fmt: skip


# -- packets -------------------------------------------------------------------------------------------------------


def _crossed(flows: int) -> list[dict[str, Any]]:
    """Rule sets that are made up, each into the kernel and before the pre-flight: what it calls an entry, and whether
    the packets of a connection to it pass there and back. Each seed is one rule set."""
    from bench import crossing
    from rahdari.preflight import Held, Syntax, answer, read
    from tests.preflight.editions import Edition

    seen, sets, refused = dict.fromkeys(("untouched", "affected", "cut"), (0, 0)), 0, 0
    with crossing.world() as world:
        if not all(world.passes([crossing.Flow(int(crossing.ENDPOINTS[7]), each, 443) for each in crossing.PROTOCOLS])):
            raise RuntimeError("packets do not pass a router without rules")
        seed = 0
        while sum(map(sum, seen.values())) < flows:
            seed += 1
            chance = random.Random(seed)
            made = crossing.endpoints(chance, 20)
            rules = crossing.RuleSet(chance, [address for address, *_ in made]).text()
            change = read(rules.encode(), Syntax.NFTABLES)
            if world.load(rules) or change.unread_count:
                # Of what is not understood nothing is called untouched.
                refused += 1
                continue
            sets += 1
            found = answer(change, Edition(Held(str(at), 4, (each[0],) * 2, *each[1:]) for at, each in enumerate(made)))
            called = {each.entry.id: str(each.verdict.state) for each in found.found}
            passed = world.passes([crossing.flow_to(chance, *each) for each in made])
            for at, opened in enumerate(passed):
                state = called.get(str(at), "untouched")
                is_open, is_shut = seen[state]
                seen[state] = (is_open + opened, is_shut + (not opened))
                if state == "untouched" and not opened:
                    place.say(f"seed {seed}: {made[at]} is shut and called untouched by\n{rules}")
    place.say(f"{sets} rule sets; {refused} were refused by the kernel, or not understood")
    return [
        {
            "how": "packets through a router",
            "called": state,
            "rule sets": sets,
            "flows open": is_open,
            "flows shut": is_shut,
        }
        for state, (is_open, is_shut) in seen.items()
    ]


# -- the server ----------------------------------------------------------------------------------------------------


def _server(size: int, plans: dict[str, Path], times: int) -> list[dict[str, Any]]:
    with filling.register(size, "hosts") as stack:
        return list(_asked(stack, size, plans, times))


def _asked(stack: Any, size: int, plans: dict[str, Path], times: int) -> Iterator[dict[str, Any]]:
    from django.db import connection

    from rahdari.preflight import read
    from rahdari.publish import looking_ahead
    from rahdari.publish import queries as published

    operator = published.operator_by_slug(filling.GATEWAY)
    assert operator is not None
    connection.ensure_connection()
    for name, plan in plans.items():
        place.say(f"server: {name}, {size} entries")
        content = plan.read_bytes()
        walls, cpus, hit = list[float](), list[float](), 0
        for _ in range(times):
            began, used = time.monotonic(), _processor(connection)
            found = looking_ahead.look_ahead(operator=operator, change=read(content))
            walls.append(time.monotonic() - began)
            cpus.append(_processor(connection) - used)
            hit = found.cut + found.affected
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield _row("server, from the upload to the answer", name, size, hit, walls, cpus, peak)


def _processor(connection: Any) -> float:
    """Of this process and of the database's that works for it."""
    backend = connection.connection.info.backend_pid
    words = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
