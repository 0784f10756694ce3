"""The key set: made whole or not at all, never written over, and what it may sign."""

import logging
import stat
from pathlib import Path

import pytest
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Targets

from rahdari.feed.repository import ROLES
from rahdari.ops.checks import WRONG, Inspection
from rahdari.ops.doctor_feed import check_feed_keys
from rahdari.ops.loops import PublisherRound
from rahdari.publish import actions, ceremony, envelope, keys, offline, queries, rules
from rahdari.publish.envelope import Repository
from tests.builders.publishing import NOW, Follower, address, an_operator, entered, publish

pytestmark = pytest.mark.django_db


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def another_feed(folder: Path) -> keys.KeySet:
    return keys.make(
        data=folder / "other",
        offline=folder / "stick",
        passphrase=None,
        statements=lambda made: offline.first(made, now=NOW),
    )


class TestMakeFeedKeys:
    def test_makes_a_root_of_two_in_three_and_a_delegation_to_the_publisher(self, feed: Repository) -> None:
        root = feed.root().signed
        assert (root.roles["root"].threshold, len(root.roles["root"].keyids)) == (2, 3)
        assert (root.roles["targets"].threshold, len(root.roles["targets"].keyids)) == (2, 3)
        # One that signs, and one that could at once.
        assert (root.roles["snapshot"].threshold, len(root.roles["snapshot"].keyids)) == (1, 2)
        assert len({keyid for role in root.roles.values() for keyid in role.keyids}) == 10
        assert root.consistent_snapshot and root.expires == NOW + rules.ROOT_LASTS
        targets = feed.offline_targets().signed
        assert targets.expires == NOW + rules.TARGETS_LAST and targets.targets == {}
        assert targets.delegations is not None and targets.delegations.roles is not None
        assert [*targets.delegations.roles] == list(ROLES)
        for name, role in targets.delegations.roles.items():
            assert role.paths == [f"{name}/*/*"] and role.terminating and set(role.keyids).isdisjoint(root.keys)
            assert (role.threshold, len(role.keyids)) == (1, 2)

    def test_may_be_of_five_custodians_of_whom_three_sign(self, data: Path) -> None:
        made = ceremony.make_feed_keys(offline=data / "stick", number=5, threshold=3, now=NOW)
        root = Repository(data).root().signed
        assert (root.roles["root"].threshold, len(root.roles["targets"].keyids)) == (3, 5)
        assert (made.keys, made.threshold) == (5, 3)
        with pytest.raises(keys.ThresholdUnusable):
            ceremony.make_feed_keys(offline=data / "other", number=3, threshold=3, now=NOW)

    def test_gives_the_standby_keys_a_passphrase_of_their_own(self, data: Path) -> None:
        ceremony.make_feed_keys(offline=data / "stick", passphrase=b"one", standby_passphrase=b"two", now=NOW)
        assert keys.load_key(data / "stick" / "root-1.pem", b"one")
        for role in keys.ONLINE:
            assert keys.load_key(data / "stick" / keys.STANDBY / f"{role}.pem", b"two")

    def test_keeps_private_keys_to_their_owner_and_apart(self, feed: Repository, data: Path) -> None:
        online, offline = data / "keys" / "feed", data / "keys" / "feed-offline"
        assert {path.name for path in online.glob("*.pem")} == {f"{role}.pem" for role in keys.ONLINE}
        assert {path.name for path in offline.glob("*.pem")} == {
            f"{role}-{number}.pem" for role in ("root", "targets") for number in (1, 2, 3)
        }
        assert {path.stem for path in (offline / keys.STANDBY).glob("*.pem")} == set(keys.ONLINE)
        for folder in (online, offline, offline / keys.STANDBY):
            assert mode(folder) == 0o700
            assert all(mode(path) == 0o600 for path in folder.glob("*.pem"))
        served = b"".join(path.read_bytes() for path in feed.path.rglob("*") if path.is_file())
        assert b"PRIVATE" not in served

    def test_writes_over_nothing(self, feed: Repository, data: Path) -> None:
        before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
        with pytest.raises(keys.KeysExist) as refused:
            ceremony.make_feed_keys(offline=data / "elsewhere", now=NOW)
        assert refused.value.path == data / "keys" / "feed"
        assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before

    def test_writes_over_no_offline_keys_either(self, data: Path) -> None:
        offline = data / "stick"
        offline.mkdir()
        (offline / "root-1.pem").write_text("of another feed")
        with pytest.raises(keys.KeysExist):
            ceremony.make_feed_keys(offline=offline, now=NOW)
        assert not queries.feed_keys_exist() and (offline / "root-1.pem").read_text() == "of another feed"

    def test_begun_and_not_ended_is_no_key_set_and_stands_in_nobodys_way(self, data: Path) -> None:
        left = data / "keys" / ".feed.unfinished"
        left.mkdir(parents=True)
        (left / "feed.pem").write_text("half")
        assert not queries.feed_keys_exist()
        ceremony.make_feed_keys(offline=data / "stick", now=NOW)
        assert queries.feed_keys_exist()
        assert (data / "keys" / ".feed.unfinished-1" / "feed.pem").read_text() == "half"

    def test_encrypts_offline_keys_with_the_passphrase(self, data: Path) -> None:
        offline = data / "stick"
        ceremony.make_feed_keys(offline=offline, passphrase=b"sample words", now=NOW)
        assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes() for path in offline.glob("*.pem"))
        with pytest.raises(keys.KeyUnusable) as refused:
            keys.load_key(offline / "root-1.pem", None)
        assert refused.value.why == "it needs a passphrase"
        with pytest.raises(keys.KeyUnusable):
            keys.load_key(offline / "root-1.pem", b"other words")
        assert keys.load_key(offline / "root-1.pem", b"sample words")

    def test_one_root_key_alone_is_not_enough(self, feed: Repository, data: Path) -> None:
        root = feed.root()
        alone = Metadata(Root.from_dict(root.signed.to_dict()))
        alone.sign(keys.load_key(data / "keys" / "feed-offline" / "root-1.pem", None))
        with pytest.raises(UnsignedMetadataError):
            root.signed.verify_delegate("root", alone.signed_bytes, alone.signatures)
        alone.sign(keys.load_key(data / "keys" / "feed-offline" / "root-2.pem", None), append=True)
        root.signed.verify_delegate("root", alone.signed_bytes, alone.signatures)


class TestPublisherKeys:
    def test_a_key_that_is_not_trusted_signs_nothing(self, feed: Repository, data: Path, tmp_path: Path) -> None:
        operator = an_operator()
        publish()
        timestamp = feed.of(operator.repository).metadata / "timestamp.json"
        before = timestamp.read_bytes()
        other = another_feed(tmp_path)
        (data / "keys" / "feed" / "feed-static.pem").write_bytes((other.online / "feed-static.pem").read_bytes())
        entered(address(1))
        with pytest.raises(keys.KeyUnusable) as refused:
            publish()
        assert refused.value.path.name == "feed-static.pem"
        assert timestamp.read_bytes() == before

    @pytest.mark.parametrize("content", [b"", b"no key", None])
    def test_a_key_that_is_lost_or_broken_is_named(self, feed: Repository, data: Path, content: bytes | None) -> None:
        path = data / "keys" / "feed" / "timestamp.pem"
        path.unlink() if content is None else path.write_bytes(content)
        an_operator()
        with pytest.raises(keys.KeyUnusable) as refused:
            publish()
        assert refused.value.path == path

    def test_changes_that_could_not_be_signed_are_published_once_the_key_is_back(
        self, feed: Repository, follower: Follower, data: Path
    ) -> None:
        path = data / "keys" / "feed" / "timestamp.pem"
        path.rename(path.with_suffix(".away"))
        entered(address(1))
        with pytest.raises(keys.KeyUnusable):
            publish()
        path.with_suffix(".away").rename(path)
        publish()
        assert follower.sync().entries == 1


class TestRenewOffline:
    def test_needs_two_of_the_three_keys(self, feed: Repository, data: Path) -> None:
        kept = data / "keys" / "feed-offline"
        (kept / "targets-2.pem").unlink()
        assert ceremony.renew_offline(offline=kept, passphrase=None, roles=["targets"], now=NOW) == {"targets": 2}
        (kept / "targets-3.pem").unlink()
        with pytest.raises(offline.SignaturesMissing):
            ceremony.renew_offline(offline=kept, passphrase=None, roles=["targets"], now=NOW)
        assert feed.newest("targets") == 2

    def test_refuses_the_keys_of_another_feed(self, feed: Repository, tmp_path: Path) -> None:
        other = another_feed(tmp_path)
        for role in ("root", "targets"):
            with pytest.raises(offline.SignaturesMissing):
                ceremony.renew_offline(offline=other.offline, passphrase=None, roles=[role], now=NOW)
        assert (feed.newest("root"), feed.newest("targets")) == (1, 1)

    def test_moves_the_end_and_nothing_else(self, feed: Repository, data: Path) -> None:
        before = feed.root().signed
        later = NOW + rules.ROOT_LASTS / 2
        ceremony.renew_offline(offline=data / "keys" / "feed-offline", passphrase=None, roles=["root"], now=later)
        after = feed.root().signed
        assert after.expires == later + rules.ROOT_LASTS and after.version == 2
        assert (after.keys, after.roles) == (before.keys, before.roles)


class TestSomeoneElsesTargets:
    def test_a_delegation_signed_by_the_publisher_alone_is_refused(self, feed: Repository, data: Path) -> None:
        """Whoever takes the publisher's machine cannot give its rights to another key."""
        an_operator()
        publish()
        forged = Metadata(Targets.from_dict(feed.offline_targets().signed.to_dict()))
        forged.signed.version = 2
        forged.sign(keys.load_key(data / "keys" / "feed" / "feed-static.pem", None))
        (feed.metadata / "2.targets.json").write_bytes(forged.to_bytes())
        with pytest.raises(envelope.FeedUnusable):
            actions.refresh_timestamp(now=NOW)


class TestKeysOfAnotherFeed:
    def test_are_said_once_by_the_publisher_and_named_by_the_doctor(
        self, feed: Repository, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        an_operator()
        entered(address(1))
        publish()
        another = another_feed(tmp_path).online
        path = keys.online_folder(data) / "snapshot.pem"
        path.write_bytes((another / "snapshot.pem").read_bytes())
        entered(address(2))
        round_, later = PublisherRound(), rules.TIMESTAMP_EVERY
        with caplog.at_level(logging.ERROR, "rahdari.publisher"):
            for number in (1, 2):
                round_(NOW + number * later)
        why = f"{path}: the signed metadata do not trust this key for snapshot"
        assert [row.getMessage() for row in caplog.records] == [
            f"Nothing new is signed: {why}. What to do: docs/restore.md."
        ]
        patient = Inspection(data, {}, "127.0.0.1", 1)
        wrong = [each.text for each in check_feed_keys(patient) if each.state == WRONG]
        assert [text.partition(": ")[0] for text in wrong if "signs nothing" in text] == [f"{path} signs nothing"]
