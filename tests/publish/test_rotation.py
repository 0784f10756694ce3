"""Other keys for every role, one after the other, with the real agent asleep through several of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Timestamp

from rahdari.agent.faults import Exit
from rahdari.journal import queries as journal
from rahdari.publish import actions, ceremony, editions, folder, keys, queries
from rahdari.publish import offline as publish_offline
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from tests.builders.publishing import NOW, address, entered, publish
from tests.needs import rarely

from .agents import AgentSide, serving

pytestmark = pytest.mark.django_db
ONLINE = keys.ONLINE
EACH = rarely(ONLINE, often={"timestamp", "feed-static"})


@pytest.fixture
def offline(feed: Repository) -> Path:
    return feed.data / "keys" / "feed-offline"


@pytest.fixture
def standby(offline: Path) -> Path:
    return offline / keys.STANDBY


@pytest.fixture
def agent(feed: Repository, operator: Operator, tmp_path: Path) -> Iterator[AgentSide]:
    """An agent that has seen the first edition."""
    entered(address(0))
    publish()
    with serving(feed.path, operator) as url:
        side = AgentSide(tmp_path / "agent", url, feed.metadata / "1.root.json")
        assert side.sync().exit is Exit.OK
        yield side


def rotate(feed: Repository, offline: Path, *roles: str, fresh: bool = False) -> dict[str, int]:
    """All custodians in one room."""
    draft = ceremony.draft_rotation(online=roles, standby=offline / keys.STANDBY, fresh=fresh, now=NOW)
    ceremony.sign_here(draft=draft, folders=[offline], passphrase=None)
    return ceremony.take_up(draft=draft, now=NOW)


def other_custodians(offline: Path, role: str, number: int) -> Path:
    """New keys for root or targets; return the folder they are in."""
    place = offline.with_name(f"{role}-{number}")
    public = [keys.next_key(place / f"{role}-{each}.pem", None).public_key for each in (1, 2, 3)]
    draft = ceremony.draft_rotation(custodians={role: public}, now=NOW)
    ceremony.sign_here(draft=draft, folders=[offline, place], passphrase=None)
    ceremony.take_up(draft=draft, now=NOW)
    for path in place.glob("*.pem"):
        shutil.copy(path, offline / path.name)
    return place


def signing_key(feed: Repository, role: str) -> str:
    root = feed.root().signed
    trusted = keys.trusted_for(role, root, feed.offline_targets(root).signed)
    return str(keys.load_signer(feed.data, role, trusted).public_key.keyid)


class TestRotate:
    @pytest.mark.parametrize("role", EACH)
    def test_an_online_role_three_times_while_the_agent_sleeps(
        self, feed: Repository, offline: Path, agent: AgentSide, role: str
    ) -> None:
        seen = {signing_key(feed, role)}
        for number in range(1, 4):
            rotate(feed, offline, role)
            seen.add(signing_key(feed, role))
            entered(address(number))
            publish()
        assert len(seen) == 4
        trusted = ceremony.trusted_keys(role)
        assert len(trusted.others) == 1 and not seen & set(trusted.others)
        outcome = agent.sync()
        assert outcome.exit is Exit.OK, outcome.faults
        assert agent.prefixes == {address(number) for number in range(4)}

    @pytest.mark.parametrize("role", ["root", "targets"])
    def test_the_custodians_three_times_while_the_agent_sleeps(
        self, feed: Repository, offline: Path, agent: AgentSide, role: str
    ) -> None:
        before = set(feed.root().signed.roles[role].keyids)
        for number in range(1, 4):
            other_custodians(offline, role, number)
            entered(address(number))
            publish()
        root = feed.root().signed
        assert before.isdisjoint(root.roles[role].keyids) and root.version == 4
        outcome = agent.sync()
        assert outcome.exit is Exit.OK, outcome.faults
        assert len(agent.prefixes) == 4

    def test_every_role_while_the_agent_sleeps_through_all_of_it(
        self, feed: Repository, offline: Path, agent: AgentSide
    ) -> None:
        for number in range(1, 4):
            rotate(feed, offline, *ONLINE)
            for role in ("root", "targets"):
                other_custodians(offline, role, number)
            entered(address(number))
            publish()
        assert feed.newest("root") == 10
        assert agent.sync().exit is Exit.OK and len(agent.prefixes) == 4

    def test_no_agent_is_ever_between_two_keys(self, feed: Repository, offline: Path, agent: AgentSide) -> None:
        """It asks after each step of a rotation, also where the custodians take their time."""
        standby = offline / keys.STANDBY
        draft = ceremony.draft_rotation(online=ONLINE, standby=standby, now=NOW)
        assert agent.sync().exit is Exit.OK
        entered(address(1))
        publish()
        assert agent.sync().exit is Exit.OK
        for number in (1, 2, 3):
            for role in ("root", "targets"):
                draft.sign([keys.load_key(offline / f"{role}-{number}.pem", None)])
        ceremony.take_up(draft=draft, now=NOW)
        assert agent.sync().exit is Exit.OK and len(agent.prefixes) == 2

    def test_is_taken_up_again_after_a_kill_in_the_middle(
        self, feed: Repository, offline: Path, agent: AgentSide
    ) -> None:
        place = offline.with_name("others")
        public = [keys.next_key(place / f"targets-{each}.pem", None).public_key for each in (1, 2, 3)]
        draft = ceremony.draft_rotation(custodians={"targets": public}, now=NOW)
        ceremony.sign_here(draft=draft, folders=[offline, place], passphrase=None)
        # Killed after the delegation was placed, before the root.
        feed.add_targets(draft.documents["targets"].to_bytes())
        publish()
        actions.refresh_timestamp(now=NOW)
        assert agent.sync().exit is Exit.OK
        assert ceremony.take_up(draft=draft, now=NOW) == {"root": 2, "targets": 2}
        assert agent.sync().exit is Exit.OK and feed.newest("root") == 2

    def test_asked_for_again_makes_no_further_key(self, feed: Repository, offline: Path, operator: Operator) -> None:
        publish()
        first = ceremony.draft_rotation(online=["snapshot"], standby=offline / keys.STANDBY, now=NOW)
        again = ceremony.draft_rotation(online=["snapshot"], standby=offline / keys.STANDBY, now=NOW)
        assert first.fingerprint == again.fingerprint

    def test_refuses_roles_that_there_are_not(self, feed: Repository) -> None:
        with pytest.raises(ceremony.RoleUnknown):
            ceremony.draft_rotation(online=["root"], now=NOW)
        with pytest.raises(ceremony.RoleUnknown):
            ceremony.draft_rotation(custodians={"feed-static": []}, now=NOW)
        with pytest.raises(keys.ThresholdUnusable):
            ceremony.draft_rotation(custodians={"root": []}, now=NOW)

    def test_refuses_to_leave_the_publisher_without_a_key(self, feed: Repository, offline: Path) -> None:
        draft = ceremony.draft_rotation(online=["timestamp"], standby=offline / keys.STANDBY, now=NOW)
        ceremony.sign_here(draft=draft, folders=[offline], passphrase=None)
        path = keys.online_folder(feed.data) / "timestamp.pem"
        path.rename(path.with_suffix(".away"))
        with pytest.raises(publish_offline.DraftUnusable, match="no key for timestamp"):
            ceremony.take_up(draft=draft, now=NOW)
        assert feed.newest("root") == 1


class TestReplaceKey:
    @pytest.mark.parametrize("role", EACH)
    def test_lets_the_standby_sign_everything_at_once(
        self, feed: Repository, operator: Operator, standby: Path, agent: AgentSide, role: str
    ) -> None:
        stolen = signing_key(feed, role)
        trusted = ceremony.replace_key(role=role, standby=standby, passphrase=None, now=NOW)
        assert trusted.others == (stolen,) and trusted.signing == signing_key(feed, role) != stolen
        name = "timestamp.json" if role == "timestamp" else self.newest(feed, operator, role)
        signed = Metadata.from_file(str(feed.of(operator.repository).metadata / name))
        assert [*signed.signatures] == [trusted.signing]
        assert agent.sync().exit is Exit.OK
        rows = journal.about(f"feed:{role}")
        assert [row.act for row in rows] == ["publish.key_replaced"]

    def newest(self, feed: Repository, operator: Operator, role: str) -> str:
        published = feed.of(operator.repository).published()
        assert published is not None
        named = published.snapshot if role == "snapshot" else published.roles[role]
        return f"{named.version}.{role}.json"

    def test_needs_a_standby_that_is_trusted(self, feed: Repository, standby: Path, tmp_path: Path) -> None:
        with pytest.raises(keys.KeyUnusable):
            ceremony.replace_key(role="snapshot", standby=tmp_path, passphrase=None, now=NOW)
        keys.write_key(tmp_path / "snapshot.pem", keys.generate(), None)
        with pytest.raises(keys.KeyUnusable, match="do not trust"):
            ceremony.replace_key(role="snapshot", standby=tmp_path, passphrase=None, now=NOW)
        with pytest.raises(ceremony.RoleUnknown):
            ceremony.replace_key(role="root", standby=standby, passphrase=None, now=NOW)

    def test_is_followed_by_a_rotation_that_leaves_the_thief_with_nothing(
        self, feed: Repository, offline: Path, operator: Operator, agent: AgentSide
    ) -> None:
        stolen = keys.load_key(keys.online_folder(feed.data) / "timestamp.pem", None)
        ceremony.replace_key(role="timestamp", standby=offline / keys.STANDBY, passphrase=None, now=NOW)
        rotate(feed, offline, "timestamp")
        assert stolen.public_key.keyid not in feed.root().signed.keys
        assert agent.sync().exit is Exit.OK
        forge(feed, operator, stolen.sign, version=99)
        assert agent.sync().exit is Exit.UNTRUSTED
        publish_again(feed)
        assert agent.sync().exit is Exit.OK


def forge(feed: Repository, operator: Operator, sign: object, *, version: int) -> None:
    """What a thief does with a timestamp key: the same statement, with a version of his own."""
    path = feed.of(operator.repository).metadata / "timestamp.json"
    forged = Metadata(Timestamp.from_dict(Metadata[Timestamp].from_file(str(path)).signed.to_dict()))
    forged.signed.version = version
    signature = sign(forged.signed_bytes)  # type: ignore[operator]
    forged.signatures[signature.keyid] = signature
    path.write_bytes(forged.to_bytes())


def publish_again(feed: Repository) -> None:
    """The honest publisher's next round."""
    with folder.only_writer(feed.path):
        editions.renew_signatures(repository=feed, now=NOW)


class TestFastForward:
    """A thief signs a version so high that agents would refuse every honest one after it (TUF 1.0, 5.3.11)."""

    def test_of_a_timestamp_is_forgotten_with_the_stolen_key(
        self, feed: Repository, offline: Path, operator: Operator, agent: AgentSide
    ) -> None:
        place = feed.of(operator.repository).metadata / "timestamp.json"
        honest = place.read_bytes()
        stolen = keys.load_key(keys.online_folder(feed.data) / "timestamp.pem", None)
        forge(feed, operator, stolen.sign, version=2**40)
        assert agent.sync().exit is Exit.OK, "it is signed by a key that is trusted"
        # The thief served it from a machine of his own: ours knows nothing of it.
        place.write_bytes(honest)
        ceremony.replace_key(role="timestamp", standby=offline / keys.STANDBY, passphrase=None, now=NOW)
        entered(address(1))
        publish()
        assert agent.sync().exit is Exit.UNTRUSTED, "it goes on enforcing, and takes no lower version"
        assert agent.prefixes == {address(0)}
        rotate(feed, offline, "timestamp")
        outcome = agent.sync()
        assert outcome.exit is Exit.OK, outcome.faults
        assert agent.prefixes == {address(0), address(1)}

    def test_that_lies_in_our_own_folder_is_gone_above(
        self, feed: Repository, offline: Path, operator: Operator, agent: AgentSide
    ) -> None:
        stolen = keys.load_key(keys.online_folder(feed.data) / "timestamp.pem", None)
        forge(feed, operator, stolen.sign, version=2**40)
        assert agent.sync().exit is Exit.OK
        ceremony.replace_key(role="timestamp", standby=offline / keys.STANDBY, passphrase=None, now=NOW)
        entered(address(1))
        publish()
        assert agent.sync().exit is Exit.OK and len(agent.prefixes) == 2


class TestFresh:
    @pytest.mark.parametrize("role", rarely(["snapshot", "timestamp", "feed-static"], often={"timestamp"}))
    def test_makes_both_keys_anew(self, feed: Repository, offline: Path, agent: AgentSide, role: str) -> None:
        before = {signing_key(feed, role), *ceremony.trusted_keys(role).others}
        rotate(feed, offline, role, fresh=True)
        after = {signing_key(feed, role), *ceremony.trusted_keys(role).others}
        assert before.isdisjoint(after) and len(after) == 2
        entered(address(1))
        publish()
        assert agent.sync().exit is Exit.OK and len(agent.prefixes) == 2
        assert not list(keys.online_folder(feed.data).glob("*.next.pem"))


class TestRenew:
    def test_is_met_by_an_agent_that_slept_through_it(self, feed: Repository, offline: Path, agent: AgentSide) -> None:
        for _ in range(3):
            ceremony.renew_offline(offline=offline, passphrase=None, roles=["root", "targets"], now=NOW)
        assert (feed.newest("root"), feed.newest("targets")) == (4, 4)
        assert agent.sync().exit is Exit.OK
        assert queries.feed_status().unreadable == ""
