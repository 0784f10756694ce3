"""An edition that was pushed: what comes along is not fetched, and nothing is taken that a whole walk would refuse."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from rahdari.agent import syncing, trust
from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.next_metadata import NotOnward
from rahdari.agent.syncing import Agent, SyncOutcome
from rahdari.feed import ROLES
from rahdari.push.access import Reader
from rahdari.push.files import NoSuchFile
from rahdari.push.prefetch import Beside
from tests.agent.feeds import DAY, Publisher, Stand, an_entry, listed, now, running

READER = Reader("sample-one", "5e" * 16, (), b"")
FIRST, SECOND, THIRD = "192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"


class Pushing:
    """What the pushing process tells of this publisher, by its own code."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._beside = Beside(self._read)

    def _read(self, reader: Reader, name: str) -> bytes:
        try:
            return (self._publisher.folder / name).read_bytes()
        except FileNotFoundError:
            raise NoSuchFile(name) from None

    def told(self) -> tuple[bytes, dict[str, bytes]]:
        timestamp = (self._publisher.folder / "metadata" / "timestamp.json").read_bytes()
        return timestamp, self._beside.of(READER, timestamp)


@pytest.fixture
def agent(publisher: Publisher, configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """One that has walked to the first edition, and asks for no root in a test, however long that takes."""
    monkeypatch.setattr(trust, "ROOT_SECONDS", 3600.0)
    publisher.publish(an_entry(FIRST))
    with running(configuration) as agent:
        assert agent.sync(now=now()).exit is Exit.OK
        yield agent


@pytest.fixture
def pushing(publisher: Publisher, agent: Agent) -> Pushing:
    pushing = Pushing(publisher)
    pushing.told()
    return pushing


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the ways was taken, in order."""
    taken: list[str] = []
    onward = trust.onward

    def noted(*given: object) -> object:
        try:
            ground = onward(*given)  # type: ignore[arg-type]
        except NotOnward as why:
            taken.append(f"not onward: {why}")
            raise
        taken.append("onward")
        return ground

    monkeypatch.setattr(trust, "onward", noted)
    return taken


def push(agent: Agent, told: tuple[bytes, dict[str, bytes]]) -> SyncOutcome:
    timestamp, beside = told
    return agent.sync(now=now(), timestamp=timestamp, beside=beside, look=False)


class TestWhatComesAlong:
    def test_leaves_nothing_to_fetch(
        self, publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing, walks: list[str]
    ) -> None:
        for prefix in (SECOND, THIRD):
            publisher.publish(an_entry(prefix), snapshot=False)
            stand.asked.clear()
            assert push(agent, pushing.told()).exit is Exit.OK
            assert stand.asked == []
        assert walks == ["onward", "onward"]
        assert listed(agent.configuration) == [FIRST, SECOND, THIRD]

    def test_is_fetched_when_it_does_not(
        self, publisher: Publisher, stand: Stand, agent: Agent, walks: list[str]
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        timestamp = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
        stand.asked.clear()
        assert push(agent, (timestamp, {})).exit is Exit.OK
        names = [path.rpartition("/")[2].split(".", 1)[1].partition("-")[0] for path in stand.asked]
        # The test's publisher signs all roles anew.
        assert names == ["snapshot.json", "feed", "feed", "feed", "delta"]
        assert walks == ["onward"]
        assert listed(agent.configuration) == [FIRST, SECOND]

    def test_is_for_whoever_has_the_edition_before(
        self, publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        missed = pushing.told()
        assert any(name.startswith("targets/") for name in missed[1])
        publisher.publish(an_entry(THIRD), snapshot=False)
        stand.asked.clear()
        assert push(agent, pushing.told()).exit is Exit.OK
        assert [path for path in stand.asked if "/metadata/" in path] == []
        assert listed(agent.configuration) == [FIRST, SECOND, THIRD]

    def test_that_was_spoilt_is_fetched(self, publisher: Publisher, agent: Agent, pushing: Pushing) -> None:
        for number, part in enumerate(("snapshot.json", "feed-static.json", "delta")):
            prefix = f"192.0.2.{100 + number}/32"
            publisher.publish(an_entry(prefix), snapshot=False)
            timestamp, beside = pushing.told()
            spoilt = {
                name: body[:-20] + bytes(byte ^ 1 for byte in body[-20:]) if part in name else body
                for name, body in beside.items()
            }
            assert spoilt != beside
            outcome = push(agent, (timestamp, spoilt))
            assert (outcome.exit, outcome.faults) == (Exit.OK, ())
            assert prefix in listed(agent.configuration)

    def test_under_another_name_is_not_looked_at(
        self, publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        timestamp, beside = pushing.told()
        other = {f"../{name}": body for name, body in beside.items()} | {"metadata/1.root.json": b"{}"}
        assert push(agent, (timestamp, other)).exit is Exit.OK
        assert listed(agent.configuration) == [FIRST, SECOND]


def forged(publisher: Publisher) -> None:
    path = publisher.folder / "metadata" / "timestamp.json"
    path.write_bytes(path.read_bytes().replace(b'"version":', b'"version":9'))


def by_another_key(publisher: Publisher) -> None:
    publisher.sign(signer=CryptoSigner.generate_ed25519())


def without_signature(publisher: Publisher) -> None:
    path = publisher.folder / "metadata" / "timestamp.json"
    said = json.loads(path.read_bytes())
    path.write_bytes(json.dumps({"signatures": [], "signed": said["signed"]}, separators=(",", ":")).encode())


def snapshot_that_goes_back(publisher: Publisher) -> None:
    publisher.versions["snapshot"] -= 2
    publisher.stamp()


def role_that_goes_back(publisher: Publisher) -> None:
    publisher.versions["feed-static"] -= 3
    publisher.sign()


def term_that_is_over(publisher: Publisher) -> None:
    publisher.lifetime = -DAY
    publisher.stamp()


class TestNothingElseIsTaken:
    @pytest.mark.parametrize(
        "meddle",
        [forged, by_another_key, without_signature, snapshot_that_goes_back, role_that_goes_back, term_that_is_over],
        ids=lambda meddle: meddle.__name__,
    )
    def test_than_what_a_whole_walk_takes(
        self,
        meddle: Callable[[Publisher], None],
        publisher: Publisher,
        agent: Agent,
        pushing: Pushing,
        walks: list[str],
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        assert push(agent, pushing.told()).exit is Exit.OK
        meddle(publisher)
        outcome = push(agent, pushing.told())
        assert walks[0] == "onward"
        assert walks[1].startswith("not onward")
        # What is refused is refused by the server too, which has the same files.
        assert outcome.exit in {Exit.UNTRUSTED, Exit.ALARM}
        assert listed(agent.configuration) == [FIRST, SECOND]

    def test_not_an_older_word_after_a_newer_one(
        self, publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        older = pushing.told()
        publisher.publish(an_entry(THIRD), snapshot=False)
        newer = pushing.told()
        assert push(agent, older).exit is Exit.OK
        assert push(agent, newer).exit is Exit.OK
        outcome = push(agent, older)
        # It stands in no file: the walk that python-tuf does would have taken it.
        assert (outcome.exit, outcome.faults) == (Exit.OK, ())
        assert "an older timestamp" in outcome.refused_push
        assert listed(agent.configuration) == [FIRST, SECOND, THIRD]

    def test_nor_from_a_server_that_goes_back_to_it(
        self, publisher: Publisher, agent: Agent, pushing: Pushing, tmp_path: Path
    ) -> None:
        publisher.publish(an_entry(SECOND), snapshot=False)
        path = publisher.folder / "metadata" / "timestamp.json"
        older = path.read_bytes()
        publisher.publish(an_entry(THIRD), snapshot=False)
        assert push(agent, pushing.told()).exit is Exit.OK
        path.write_bytes(older)
        assert agent.sync(now=now()).exit is Exit.UNTRUSTED
        assert listed(agent.configuration) == [FIRST, SECOND, THIRD]

    def test_each_byte_of_all_that_comes_counts(self, publisher: Publisher, agent: Agent, pushing: Pushing) -> None:
        for number in range(24):
            prefix = f"198.51.100.{number}/32"
            publisher.publish(an_entry(prefix), snapshot=False)
            timestamp, beside = pushing.told()
            files = {"": timestamp, **beside}
            name = sorted(files)[number % len(files)]
            at = (number * 7919) % len(files[name])
            files[name] = files[name][:at] + bytes([files[name][at] ^ (1 << number % 8)]) + files[name][at + 1 :]
            outcome = push(agent, (files.pop(""), files))
            # Refused where it was pushed, and come by all the same.
            assert (outcome.exit, outcome.faults) == (Exit.OK, ())
            assert prefix in listed(agent.configuration)


class TestReceipts:
    def test_wait_while_many_are_told_at_once(
        self, publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing
    ) -> None:
        stand.receipts.clear()
        publisher.publish(an_entry(SECOND), snapshot=False)
        timestamp, beside = pushing.told()
        agent.sync(now=now(), timestamp=timestamp, beside=beside, look=False, spread=3600.0)
        assert listed(agent.configuration) == [FIRST, SECOND]
        assert stand.receipts == []
        assert agent.tells_in is not None
        agent.tell()
        assert len(stand.receipts) >= 1
        assert agent.tells_in is None

    def test_come_ten_times_as_far_apart_as_what_is_fetched_and_within_a_minute(
        self, publisher: Publisher, agent: Agent, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[tuple[float, float]] = []
        monkeypatch.setattr(syncing.random, "uniform", lambda least, most: drawn.append((least, most)) or most)
        for spread in (0.25, 3600.0):
            publisher.publish(an_entry(SECOND, id="5e" * 16), snapshot=False)
            timestamp, beside = pushing.told()
            agent.sync(now=now(), timestamp=timestamp, beside=beside, look=False, spread=spread)
        assert drawn == [(0.0, 2.5), (0.0, 60.0)]


def test_an_edition_is_one_transaction_for_all_roles(publisher: Publisher, agent: Agent, pushing: Pushing) -> None:
    before = agent.state.positions()
    publisher.publish(an_entry(SECOND), snapshot=False)
    timestamp, beside = pushing.told()
    said: list[str] = []
    agent.state._db.set_trace_callback(said.append)
    agent.learn(now=now() + DAY / 1440, timestamp=timestamp, beside=beside, audit=False)
    agent.state._db.set_trace_callback(None)
    assert said.count("COMMIT") == 1 and "PRAGMA synchronous = FULL" in said
    after = agent.state.positions()
    assert all(after[role].verified_at > before[role].verified_at for role in ROLES)


def test_a_minute_later_roots_are_asked_for(
    publisher: Publisher, stand: Stand, agent: Agent, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "ROOT_SECONDS", 0.0)
    publisher.publish(an_entry(SECOND), snapshot=False)
    stand.asked.clear()
    assert push(agent, pushing.told()).exit is Exit.OK
    assert stand.asked[0] == "/feed/metadata/2.root.json"
