"""More than one mirror: an agent takes the newest that is signed, says which mirror is passed by, and comes back."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from rahdari.agent import mirrors
from rahdari.agent.configuration import Configuration, Mirror
from rahdari.agent.faults import Exit
from rahdari.agent.metrics import Counted, exposition
from rahdari.agent.syncing import Agent, SyncOutcome
from tests.agent.feeds import Publisher, Stand, a_configuration, an_entry, names, now, running, standing
from tests.agent.stands import Answer


class Copy(Stand):
    """A mirror as it was when it followed last. It is shown nothing."""

    def __init__(self, folder: Path, publisher: Publisher) -> None:
        super().__init__(folder)
        self.publisher = publisher
        self.follow()

    def answer(self, path: str, authorization: str | None) -> Answer:
        assert authorization is None
        file = self.folder / path.removeprefix("/")
        return (200, file.read_bytes()) if file.is_file() else (404, b"")

    def follow(self) -> None:
        shutil.copytree(self.publisher.folder, self.folder, dirs_exist_ok=True)

    @property
    def place(self) -> Mirror:
        return Mirror(f"{self.url}/metadata", f"{self.url}/targets")

    @property
    def name(self) -> str:
        return self.place.name


class World:
    """A server and two mirrors of what `publisher` signs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.publisher = Publisher(folder / "feed")
        self.server = stack.enter_context(standing(folder / "feed"))
        self.one, self.two = Copy(folder / "one", self.publisher), Copy(folder / "two", self.publisher)
        stack.callback(self.one.close)
        stack.callback(self.two.close)
        self.configuration: Configuration = replace(
            a_configuration(folder / "operator", self.server.url, self.publisher.root_file),
            mirrors=(self.one.place, self.two.place),
        )
        self.agent: Agent = stack.enter_context(running(self.configuration))

    def publish(self, *following: Copy) -> None:
        self.publisher.publish(an_entry(f"192.0.2.{self.publisher.sequence + 1}/32"))
        for mirror in following:
            mirror.follow()

    def server_is_away(self) -> None:
        """As nginx says it when there is nothing behind it."""
        self.server.spoil = lambda path, answer: (502, b"")

    def server_is_back(self) -> None:
        self.server.spoil = lambda path, answer: answer

    def sync(self) -> SyncOutcome:
        return self.agent.sync(now=now())

    def sequence(self) -> int:
        outcome = self.sync()
        assert outcome.position is not None
        return outcome.position.sequence

    def metric(self, outcome: SyncOutcome) -> list[str]:
        text = exposition(
            configuration=self.configuration,
            state=self.agent.state,
            counted=Counted(),
            outcome=outcome,
            now=now(),
        )
        return [line for line in text.splitlines() if line.startswith("rahdari_agent_mirror_ok{")]

    def passed_by(self, outcome: SyncOutcome) -> list[str]:
        return [fault.what for fault in outcome.faults if isinstance(fault, mirrors.MirrorPassedBy)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


class TestServerAway:
    def test_the_mirror_that_follows_is_read_and_the_one_that_stands_still_is_named(self, world: World) -> None:
        assert names(world.sync()) == []
        world.server_is_away()
        world.publish(world.two)
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 1
        assert outcome.exit is Exit.OK
        (said,) = world.passed_by(outcome)
        assert said == (
            f"The mirror {world.one.name} is passed by: it gives version 1 of the feed's timestamp, another 2."
        )
        (away,) = [fault for fault in outcome.faults if isinstance(fault, mirrors.ServerAway)]
        assert f"answers with HTTP 502); the mirror {world.two.name} is read instead" in away.what
        samples = world.metric(outcome)
        assert sorted(samples) == sorted(
            [
                f'rahdari_agent_mirror_ok{{mirror="{world.one.name}"}} 0.0',
                f'rahdari_agent_mirror_ok{{mirror="{world.two.name}"}} 1.0',
            ]
        )
        # It follows again.
        world.publish(world.one, world.two)
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 2
        assert world.passed_by(outcome) == []
        world.server_is_back()
        assert names(world.sync()) == []

    def test_what_each_mirror_offers_is_no_way_back(self, world: World) -> None:
        world.publish()
        world.publish()
        assert world.sequence() == 2
        world.server_is_away()
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 2
        assert outcome.exit is Exit.NO_NETWORK
        assert len(world.passed_by(outcome)) == 2
        assert all("what it gives as the newest is refused" in said for said in world.passed_by(outcome))

    def test_one_whose_signatures_have_run_out_is_passed_by(self, world: World) -> None:
        world.publish(world.one, world.two)
        assert world.sequence() == 1
        world.server_is_away()
        # The newest by its number, and nobody vouches for it any more.
        world.publisher.lifetime = -world.publisher.lifetime
        world.publisher.stamp()
        world.one.follow()
        outcome = world.sync()
        assert outcome.exit is Exit.OK
        (said,) = world.passed_by(outcome)
        assert world.one.name in said and "expired" in said

    def test_one_that_forges_a_later_version_hides_no_true_one(self, world: World) -> None:
        assert world.sequence() == 0
        world.server_is_away()
        world.publish(world.two)
        world.publisher.stamp(signer=CryptoSigner.generate_ed25519())
        shutil.copy(world.publisher.folder / "metadata" / "timestamp.json", world.one.folder / "metadata")
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 1
        (said,) = world.passed_by(outcome)
        assert world.one.name in said and "refused" in said

    def test_a_file_that_one_has_wrong_comes_from_the_other(self, world: World) -> None:
        world.server_is_away()
        world.publish(world.one, world.two)
        world.one.spoil = lambda path, answer: (answer[0], b"x" * len(answer[1])) if "/targets/" in path else answer
        assert world.sequence() == 1

    def test_with_nothing_but_502_of_it_the_next_root_is_looked_for_at_the_mirrors_again(self, world: World) -> None:
        world.server_is_away()
        for _ in range(3):
            world.publish(world.one, world.two)
            assert world.sequence() == world.publisher.sequence


class TestMirrorThatFails:
    def test_that_lacks_files_for_long_is_named_while_the_server_gives_them(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.publish(world.two)
        assert names(world.sync()) == []  # A copy may be a moment behind.
        monkeypatch.setattr(mirrors, "LAG_SECONDS", 0.0)
        world.publish(world.two)
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 2
        (said,) = world.passed_by(outcome)
        assert said == (
            f"The mirror {world.one.name} is passed by: it lacks what others have (HTTP 404), so it is behind or "
            "keeps a 404."
        )
        world.publish(world.one, world.two)
        assert names(world.sync()) == []

    def test_that_answers_with_an_error_is_asked_once_and_rests(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.one.spoil = lambda path, answer: (503, b"")
        world.publish(world.one, world.two)
        outcome = world.sync()
        assert outcome.position is not None and outcome.position.sequence == 1
        assert len(world.one.asked) == 1
        (said,) = world.passed_by(outcome)
        assert said.endswith("is passed by: it answers with HTTP 503.")
        monkeypatch.setattr(mirrors, "REST_SECONDS", 0.0)
        world.one.spoil = lambda path, answer: answer
        world.agent.server.mirrors.pass_by(world.configuration.mirrors[0], "its rest is over")
        world.publish(world.one, world.two)
        assert names(world.sync()) == []
        assert len(world.one.asked) > 1
