"""The lookup process, an agent that followed the same feed, and all entries looked through one by one: one answer."""

import datetime as dt
import ipaddress
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rahdari.address import Block, parse_block
from rahdari.agent import status
from rahdari.agent.configuration import Configuration
from rahdari.agent.folder import open_state
from rahdari.feed import ROLES, Access, FeedEntry, kind_of
from rahdari.feed.access import FILE_NAME, encode_access
from rahdari.feed.entry import time_text
from rahdari.lookup.app import Lookup
from tests.agent.feeds import Publisher, a_configuration, now, standing, sync
from tests.lookup.feeds import TOKEN, ask, put, repository_of, token

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
GRACE = 72 * HOUR
# When it is asked, after the last signature: fresh, stale, stale for longer than anything is kept.
MOMENTS = (dt.timedelta(), 40 * MINUTE, 3 * HOUR, 90 * HOUR)
WIDE = [ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("2001:db8::/32")]


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Near each other, so that they hold one another."""
    wide = draw(st.sampled_from(WIDE))
    if wide.version == 4:
        length = draw(st.sampled_from([24, 25, 26, 28, 29, 30, 31, 32, 32, 32]))
        number = draw(st.integers(0, 40))
    else:
        length = draw(st.sampled_from([32, 40, 48, 56, 64, 65, 96, 127, 128, 128, 128]))
        number = draw(st.sampled_from([0, 1, 7, 1 << 64, 1 << 72, 5 << 80, (5 << 80) + 1]))
    first = int(wide.network_address) + number
    return ipaddress.ip_network((first, length), strict=False)


@dataclass(frozen=True)
class Planned:
    block: Block
    protocol: str
    port: int | None
    begins: dt.timedelta
    lasts: dt.timedelta
    role: str


@st.composite
def plans(draw: st.DrawFn) -> Planned:
    protocol = draw(st.sampled_from(["any", "udp", "tcp", "esp"]))
    return Planned(
        draw(blocks()),
        protocol,
        draw(st.sampled_from([None, 443, 1194])) if protocol in {"udp", "tcp"} else None,
        draw(st.sampled_from([-50 * HOUR, -HOUR, -HOUR, -HOUR, 20 * MINUTE, 2 * HOUR])),
        draw(st.sampled_from([HOUR + 30 * MINUTE, 4 * HOUR, 49 * HOUR, 300 * HOUR])),
        draw(st.sampled_from([*ROLES, ROLES[0], ROLES[0]])),
    )


def entry_of(planned: Planned, number: int, at: dt.datetime) -> FeedEntry:
    begins = at + planned.begins
    return FeedEntry(
        f"{number:032x}",
        str(planned.block),
        planned.protocol,
        planned.port,
        time_text(begins),
        time_text(begins + planned.lasts),
    )


@contextmanager
def published(before: list[FeedEntry], after: list[tuple[str, FeedEntry]]) -> Iterator[tuple[Path, Configuration]]:
    """A feed that had some entries, and has others now; and an agent that followed both editions."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        folder = data / "feed" / "repositories" / repository_of("sample-one")
        publisher = Publisher(folder, shelf=data / "feed" / "targets")
        sessions = tuple(stream.session for stream in publisher.streams.values())
        access = Access("sample-one", repository_of("sample-one"), (token(),), sessions)
        put(data / FILE_NAME, encode_access([access]))
        (folder / "targets").symlink_to(publisher.shelf or "")
        with standing(folder) as stand:
            configuration = a_configuration(Path(name) / "operator", stand.url, publisher.root_file)
            publisher.publish(*before)
            assert not sync(configuration).exit
            for role in ROLES:
                come = [entry for theirs, entry in after if theirs == role]
                gone = before if role == ROLES[0] else []
                publisher.publish(*come, remove=gone, kind=kind_of(role))
            assert not sync(configuration).exit
            yield data, configuration


def one_by_one(entries: list[FeedEntry], asked: Block, *, at: dt.datetime, fresh_until: dt.datetime) -> list[FeedEntry]:
    after = at if at < fresh_until else max(fresh_until, at - GRACE)
    return [
        entry
        for entry in entries
        if entry.network.version == asked.version
        and entry.network.supernet_of(asked)  # type: ignore[arg-type]
        and dt.datetime.fromisoformat(entry.not_before) <= at
        and dt.datetime.fromisoformat(entry.not_after) > after
    ]


def by_agent(configuration: Configuration, asked: str, at: dt.datetime) -> list[tuple[str, str, bool]]:
    with open_state(configuration.state) as state:
        found = status.check(
            configuration=configuration, state=state, block=parse_block(asked), protocol=None, port=None, now=at
        )
    rows = status.found_as_json(found, block=parse_block(asked), now=at)["entries"]
    return [(row["id"], row["prefix"], row["kept_stale"]) for row in rows]


def by_lookup(lookup: Lookup, path: str) -> list[tuple[str, str, bool]]:
    answer = ask(lookup, path)
    assert answer.status in (200, 404)
    rows = answer.json()["entries"] if answer.status == 200 else []
    return [(row["id"], row["prefix"], row["kept_stale"]) for row in rows]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(plans(), max_size=4),
    after=st.lists(plans(), min_size=1, max_size=14),
    asked=st.lists(blocks(), min_size=1, max_size=8),
)
def test_one_answer(before: list[Planned], after: list[Planned], asked: list[Block]) -> None:
    at = now().replace(microsecond=0)
    old = [entry_of(planned, 1000 + number, at) for number, planned in enumerate(before)]
    new = [(planned.role, entry_of(planned, number, at)) for number, planned in enumerate(after)]
    entries = [entry for _, entry in new]
    with published(old, new) as (data, configuration):
        for wait in MOMENTS:
            moment = at + wait + 2 * MINUTE
            lookup = Lookup(data, in_bulk=True, clock=moment.timestamp)
            lookup.follower.look()
            fresh_until = next(iter(lookup._standings.values())).fresh_until
            assert fresh_until is not None
            questions = [str(block) for block in [*asked, *(entry.network for entry in entries)]]
            in_bulk = ask(
                lookup, "/lookup/ip", method="POST", kind="application/json", body=json.dumps(questions).encode()
            ).json()
            for question, many in zip(questions, in_bulk, strict=True):
                right = one_by_one(entries, ipaddress.ip_network(question), at=moment, fresh_until=fresh_until)
                now_text = time_text(moment)
                every = sorted((entry.id, entry.prefix, entry.not_after <= now_text) for entry in right)
                assert sorted(by_lookup(lookup, f"/lookup/ip/{question}?all=1")) == every
                assert sorted(by_agent(configuration, question, moment)) == every
                longest = max((entry.network.prefixlen for entry in right), default=-1)
                narrow = [row for row in every if ipaddress.ip_network(row[1]).prefixlen == longest]
                assert by_lookup(lookup, f"/lookup/ip/{question}") == narrow
                assert [(row["id"], row["prefix"], row["kept_stale"]) for row in many] == narrow
                rdap = ask(lookup, f"/rdap/ip/{question}", token=TOKEN)
                told = {entry["id"] for entry in rdap.json().get("rahdari0_entries", [])}
                assert told == {id for id, _, _ in narrow}


def test_single_addresses_are_answered_as_their_prefixes_are() -> None:
    at = now().replace(microsecond=0)
    blocks = ["203.0.113.7/32", "203.0.113.0/28", "2001:db8::7/128"]
    new = [
        (ROLES[0], entry_of(Planned(ipaddress.ip_network(block), "any", None, -HOUR, 4 * HOUR, ROLES[0]), number, at))
        for number, block in enumerate(blocks)
    ]
    with published([], new) as (data, configuration):
        lookup = Lookup(data, clock=at.timestamp)
        lookup.follower.look()
        for address in ("203.0.113.7", "203.0.113.8", "203.0.113.16", "2001:db8::7", "2001:db8::8"):
            found = by_lookup(lookup, f"/lookup/ip/{address}?all=1")
            assert found == by_agent(configuration, address, at)
            longest = [row for row in found if row[1] == found[0][1]]
            assert by_lookup(lookup, f"/lookup/ip/{address}") == longest
