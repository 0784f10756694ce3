"""A register, its publisher, the web that serves it, and two operators' agents, in whatever order things happen.

Hypothesis changes the register, stops the publisher at any of its checkpoints, lets the server answer with anything but
the truth, serves copies of the past, and lets agents ask in between. Whatever it did, once everybody is honest again
each agent holds exactly what its operator is entitled to, and it never held anything that was not published to it, nor
went back.
"""

import contextlib
import datetime as dt
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from rahdari.agent.configuration import Configuration, FileTarget
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.publish import actions, ceremony, rules
from rahdari.publish.models import Operator
from rahdari.register.models import Registration
from tests.agent.feeds import TOKEN, Answer, Stand, a_configuration, sync
from tests.builders.publishing import entered, moved, struck_out
from tests.needs import fewer

pytestmark = pytest.mark.django_db

STATIC = "feed-static"
NETWORKS = (64500, 64501)


class Killed(Exception):
    """The publisher ends here."""


class OneOf(Stand):
    """What the pushing process serves to one operator: its own metadata, and the files of all."""

    def __init__(self, feed: Path, operator: Operator) -> None:
        super().__init__(feed)
        self.metadata = feed / "repositories" / operator.repository / "metadata"

    def answer(self, path: str, authorization: str | None) -> Answer:
        name = path.removeprefix("/feed/metadata/")
        if name == path:
            return super().answer(path, authorization)
        file = self.metadata / name
        return (200, file.read_bytes()) if file.is_file() else (404, b"")


class World(RuleBasedStateMachine):
    registrations: Bundle[Registration] = Bundle("registrations")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rahdari-world-"))
        self.data_before = settings.DATA
        settings.DATA = self.folder / "data"
        settings.DATA.mkdir()
        self.numbers = itertools.count(1)
        self.ever: dict[int, set[str]] = {asn: set() for asn in NETWORKS}
        self.stands: dict[str, OneOf] = {}
        self.agents: dict[str, Configuration] = {}
        self.reached: dict[str, int] = {}
        self.undo = transaction.atomic()
        self.undo.__enter__()

    @initialize()
    def begin(self) -> None:
        ceremony.make_feed_keys(offline=self.folder / "offline", now=now())
        actions.create_operator(slug="access", name="Sample Access", asns=[NETWORKS[0]], now=now())
        actions.create_operator(slug="gateway", name="Sample Gateway", asns=[], gateway=True, now=now())
        actions.publish_editions(now=now())
        feed = settings.DATA / "feed"
        for operator in Operator.objects.all():
            stand = self.stands[operator.slug] = OneOf(feed, operator)
            target = FileTarget("json", "entries.json", self.folder / operator.slug / "entries.json")
            self.agents[operator.slug] = a_configuration(
                self.folder / operator.slug, stand.url, feed / "metadata" / "1.root.json", targets=(target,)
            )
            assert stand.token == TOKEN

    def teardown(self) -> None:
        try:
            if self.stands:
                self.settle()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            for stand in self.stands.values():
                stand.close()
            settings.DATA = self.data_before
            shutil.rmtree(self.folder)

    # -- the register ------------------------------------------------------------------------------------------------

    @rule(target=registrations, asn=st.sampled_from(NETWORKS), addresses=st.integers(1, 3))
    def enter(self, asn: int, addresses: int) -> Registration:
        prefixes = [self.a_prefix(asn) for _ in range(addresses)]
        return entered(*prefixes, now=now(), asn=asn)

    @rule(registration=registrations)
    def move(self, registration: Registration) -> None:
        asn = registration.entries.get(pk=registration.entries.order_by("pk")[0].pk).asns[0]
        moved(registration, self.a_prefix(asn), now=now(), asn=asn)

    @rule(registration=consumes(registrations))
    def strike_out(self, registration: Registration) -> None:
        struck_out(registration, now=now())

    def a_prefix(self, asn: int) -> str:
        number = next(self.numbers)
        prefix = f"2001:db8:{number:x}::/64" if number % 5 == 0 else f"198.18.{number // 256}.{number % 256}/32"
        self.ever[asn].add(prefix)
        return prefix

    # -- the publisher -----------------------------------------------------------------------------------------------

    @rule()
    def publish(self) -> None:
        actions.publish_editions(now=now())

    @rule(at=st.integers(0, 60))
    def publish_and_be_killed(self, at: int) -> None:
        passed = itertools.count()

        def check(name: str) -> None:
            if next(passed) == at:
                raise Killed(name)

        # What was committed stays, what was not is rolled back, and files are as they were left.
        with contextlib.suppress(Killed):
            actions.publish_editions(now=now(), checkpoint=check)

    @rule()
    def sign_once_more(self) -> None:
        actions.refresh_timestamp(now=now() + rules.TIMESTAMP_EVERY)

    # -- agents ------------------------------------------------------------------------------------------------------

    @rule(slug=st.sampled_from(("access", "gateway")))
    def ask(self, slug: str) -> None:
        assert sync(self.agents[slug]).exit is Exit.OK

    @rule(
        slug=st.sampled_from(("access", "gateway")),
        turn=st.integers(0, 8),
        how_wrong=st.sampled_from(("cut", "empty", "turned", "another", "gone", "busy")),
    )
    def ask_and_get_something_else(self, slug: str, turn: int, how_wrong: str) -> None:
        stand, turns, last = self.stands[slug], itertools.count(), [b"{}"]

        def spoil(path: str, answer: Answer) -> Answer | Iterator[bytes]:
            status, body = answer
            before, last[0] = last[0], body
            if next(turns) != turn or status != 200:
                return answer
            return {
                "cut": (200, body[: len(body) // 2]),
                "empty": (200, b""),
                "turned": (200, body[:20] + bytes([body[20] ^ 1]) + body[21:] if len(body) > 20 else b"x"),
                "another": (200, before),
                "gone": (404, b""),
                "busy": (503, b""),
            }[how_wrong]

        stand.spoil = spoil
        sync(self.agents[slug])
        stand.spoil = lambda path, answer: answer

    @rule(slug=st.sampled_from(("access", "gateway")))
    def ask_and_see_the_past(self, slug: str) -> None:
        """Somebody serves a copy of the metadata as they were before the last editions."""
        stand = self.stands[slug]
        copy = self.folder / f"{slug}-past"
        if copy.exists():
            present, stand.metadata = stand.metadata, copy
            sync(self.agents[slug])
            stand.metadata = present
            shutil.rmtree(copy)
        else:
            shutil.copytree(stand.metadata, copy)

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def nobody_holds_what_was_not_given_to_them(self) -> None:
        for slug, configuration in self.agents.items():
            given = set().union(*self.ever.values()) if slug == "gateway" else self.ever[NETWORKS[0]]
            assert prefixes(configuration) <= given

    @invariant()
    def nobody_goes_back(self) -> None:
        for slug, configuration in self.agents.items():
            with open_state(configuration.state) as state:
                position = state.position(STATIC)
            sequence = position.sequence if position else -1
            assert sequence >= self.reached.get(slug, -1)
            self.reached[slug] = sequence

    def settle(self) -> None:
        """Everybody is honest, and nothing ends any more."""
        actions.publish_editions(now=now())
        for slug, configuration in self.agents.items():
            assert sync(configuration).exit is Exit.OK
            networks = NETWORKS if slug == "gateway" else NETWORKS[:1]
            active = {
                str(entry.block)
                for registration in Registration.objects.filter(struck_out_at=None)
                for entry in registration.entries.filter(ended_at=None, asns__overlap=list(networks))
            }
            assert prefixes(configuration) == active


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def prefixes(configuration: Configuration) -> set[str]:
    target = configuration.targets[0]
    assert isinstance(target, FileTarget)
    if not target.path.exists():
        return set()
    return {entry["prefix"] for entry in json.loads(target.path.read_bytes())["entries"]}


TestWorld = World.TestCase
TestWorld.settings = how(
    max_examples=fewer(8, 4),
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
