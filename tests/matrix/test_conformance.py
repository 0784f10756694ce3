"""What every TUF client must do, asked of our agent as a whole: from the metadata to what stands at its target.

The cases are those that the specification's own conformance suite asks (rotations, thresholds, rollback, expiry,
hashes and lengths, delegations), each ended by the one question that counts here: was anything enforced that must not
be, and is what was enforced before still there?
"""

import datetime as dt
from collections.abc import Callable
from itertools import count

import pytest
from tuf.api.metadata import MetaFile

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.feed import ROLES, FeedEntry
from tests.agent.feeds import Stand, listed, names, sync

from .simulator import STATIC, Simulator, a_key, now

HOUR = dt.timedelta(hours=1)
ONLINE = ("timestamp", "snapshot", *ROLES)
FIRST = "192.0.2.1/32"
NEXT = "192.0.2.2/32"
numbers = count(1)


def an_entry(prefix: str) -> FeedEntry:
    return FeedEntry(f"{next(numbers):032x}", prefix, "any", None, "2026-01-10T09:31:07Z", "2037-11-10T09:31:07Z")


@pytest.fixture
def held(feed: Simulator, configuration: Configuration) -> Configuration:
    """An agent that follows and enforces one entry; the feed offers another one, not yet signed."""
    feed.add(an_entry(FIRST))
    feed.write()
    assert sync(configuration).exit is Exit.OK
    assert listed(configuration) == [FIRST]
    feed.add(an_entry(NEXT))
    return configuration


def takes(configuration: Configuration) -> None:
    outcome = sync(configuration)
    assert (outcome.exit, outcome.faults) == (Exit.OK, ())
    assert listed(configuration) == [FIRST, NEXT]


def refuses(configuration: Configuration, *, fault: str = "Untrusted") -> None:
    outcome = sync(configuration)
    assert names(outcome) == [fault]
    assert outcome.exit in {Exit.UNTRUSTED, Exit.ALARM}
    assert listed(configuration) == [FIRST]


class TestRootRotation:
    @pytest.mark.parametrize(
        ("old", "new"), [((1, 1), (1, 1)), ((1, 1), (2, 3)), ((2, 3), (1, 1)), ((2, 3), (3, 5)), ((3, 5), (2, 3))]
    )
    def test_goes_from_any_threshold_to_any_other(
        self, feed: Simulator, held: Configuration, old: tuple[int, int], new: tuple[int, int]
    ) -> None:
        for threshold, keys in (old, new):
            before = feed.signers["root"]
            feed.signers["root"] = [a_key() for _ in range(keys)]
            feed.trust("root", threshold=threshold)
            own = feed.signers["root"]
            feed.signers["root"] = [*before, *own]
            feed.bump("root")
            feed.write()
            feed.signers["root"] = own
        takes(held)

    def test_is_followed_one_version_after_the_other(self, feed: Simulator, held: Configuration) -> None:
        for _ in range(5):
            before = feed.signers["root"]
            feed.signers["root"] = [a_key()]
            feed.trust("root")
            feed.signers["root"] += before
            feed.bump("root")
            feed.write()
            feed.signers["root"] = feed.signers["root"][:1]
        takes(held)

    def test_needs_as_many_old_keys_as_the_old_root_says(self, feed: Simulator, held: Configuration) -> None:
        first = [a_key(), a_key(), a_key()]
        feed.signers["root"] += first
        feed.trust("root", threshold=2, keys=first)
        feed.bump("root")
        feed.write()
        feed.signers["root"] = [a_key(), first[0]]
        feed.trust("root", keys=feed.signers["root"][:1])
        feed.bump("root")
        feed.write()
        refuses(held)

    def test_needs_as_many_new_keys_as_the_new_root_says(self, feed: Simulator, held: Configuration) -> None:
        new = [a_key(), a_key()]
        feed.trust("root", threshold=2, keys=new)
        feed.signers["root"].append(new[0])
        feed.bump("root")
        feed.write()
        refuses(held)

    def test_counts_a_key_once_however_often_it_signed(self, feed: Simulator, held: Configuration) -> None:
        keys = [a_key(), a_key()]
        feed.signers["root"] += [keys[0], keys[0]]
        feed.trust("root", threshold=2, keys=keys)
        feed.bump("root")
        feed.write()
        refuses(held)

    def test_that_the_old_root_did_not_sign_is_refused(self, feed: Simulator, held: Configuration) -> None:
        feed.signers["root"] = [a_key()]
        feed.trust("root")
        feed.bump("root")
        feed.write()
        refuses(held)

    @pytest.mark.parametrize("version", [1, 3])
    def test_with_another_version_than_its_name_is_refused(
        self, feed: Simulator, held: Configuration, version: int
    ) -> None:
        feed.root.version = version
        feed.put("2.root", feed.bytes_of(feed.root, feed.signers["root"]))
        feed.root.version = 1
        feed.write()
        refuses(held)

    def test_to_an_expired_root_is_refused_but_may_pass_through_one(self, feed: Simulator, held: Configuration) -> None:
        until = feed.root.expires
        feed.root.expires = now() - HOUR
        feed.bump("root")
        feed.write()
        refuses(held, fault="Expired")
        feed.root.expires = until
        feed.bump("root")
        feed.write()
        takes(held)

    def test_that_is_something_else_is_refused(self, feed: Simulator, held: Configuration) -> None:
        feed.write()
        feed.put("2.root", feed.bytes_of(feed.targets, feed.signers["root"]))
        refuses(held)


class TestKeysOfOtherRoles:
    @pytest.mark.parametrize("role", ["targets", *ONLINE])
    def test_change_as_root_or_targets_say(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.signers[role] = [a_key()]
        feed.trust(role)
        feed.bump("root", "targets", *ROLES)
        feed.write()
        takes(held)

    @pytest.mark.parametrize("role", ["targets", *ONLINE])
    def test_not_named_there_are_refused(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.bump("targets", *ROLES)
        feed.signers[role] = [a_key()]
        feed.write()
        refuses(held)

    @pytest.mark.parametrize("role", ["targets", *ONLINE])
    def test_one_of_two_is_not_enough(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.signers[role] = [a_key(), a_key()]
        feed.trust(role, threshold=2)
        feed.bump("root", "targets", *ROLES)
        feed.signers[role].pop()
        feed.write()
        refuses(held)

    def test_that_were_taken_back_sign_no_more(self, feed: Simulator, held: Configuration) -> None:
        stolen = feed.signers["timestamp"]
        feed.signers["timestamp"] = [a_key()]
        feed.trust("timestamp")
        feed.bump("root")
        feed.write()
        takes(held)
        feed.signers["timestamp"] = stolen
        feed.add(an_entry("192.0.2.3/32"))
        feed.write()
        assert names(sync(held)) == ["Untrusted"]
        assert listed(held) == [FIRST, NEXT]


class TestGoingBack:
    def test_of_the_timestamp_is_refused(self, feed: Simulator, held: Configuration) -> None:
        feed.write()
        takes(held)
        feed.timestamp.version -= 1
        feed.write()
        assert names(sync(held)) == ["Untrusted"]

    def test_of_the_snapshot_is_refused(self, feed: Simulator, held: Configuration) -> None:
        feed.write()
        takes(held)
        feed.timestamp.version += 1
        feed.timestamp.snapshot_meta.version -= 1
        feed.write()
        assert names(sync(held)) == ["Untrusted"]

    @pytest.mark.parametrize("role", ["targets", *ROLES])
    def test_of_any_other_role_is_refused(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.bump("targets", *ROLES)
        feed.write()
        takes(held)
        feed.snapshot.meta[f"{role}.json"].version -= 1
        feed.bump_snapshot()
        feed.write()
        assert names(sync(held)) == ["Untrusted"]
        assert listed(held) == [FIRST, NEXT]

    @pytest.mark.parametrize("role", ["targets", *ROLES])
    def test_by_leaving_a_role_out_is_refused(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.write()
        takes(held)
        del feed.snapshot.meta[f"{role}.json"]
        feed.bump_snapshot()
        feed.write()
        assert names(sync(held)) == ["Untrusted"]
        assert listed(held) == [FIRST, NEXT]

    def test_is_allowed_once_after_keys_ran_away_with_the_versions(self, feed: Simulator, held: Configuration) -> None:
        """A thief of online keys signed absurd versions. New keys for timestamp and snapshot begin anew."""
        versions = (feed.timestamp.version, feed.snapshot.version)
        feed.timestamp.version = feed.snapshot.version = feed.timestamp.snapshot_meta.version = 2**40
        feed.write()
        takes(held)
        feed.timestamp.version, feed.snapshot.version = (version + 1 for version in versions)
        feed.timestamp.snapshot_meta.version = feed.snapshot.version
        feed.write()
        assert names(sync(held)) == ["Untrusted"]
        for role in ("timestamp", "snapshot"):
            feed.signers[role] = [a_key()]
            feed.trust(role)
        feed.bump("root")
        feed.write()
        takes(held)


class TestExpiry:
    @pytest.mark.parametrize("role", ["root", "targets", *ONLINE])
    def test_of_any_role_stops_what_is_new_and_keeps_what_is_held(
        self, feed: Simulator, held: Configuration, role: str
    ) -> None:
        signed = {"root": feed.root, "targets": feed.targets, "snapshot": feed.snapshot, "timestamp": feed.timestamp}
        part = signed.get(role) or feed.roles[role]
        until, part.expires = part.expires, now() - HOUR
        feed.bump("root", "targets", *ROLES)
        feed.write()
        refuses(held, fault="Expired")
        part.expires = until
        feed.bump("root", "targets", *ROLES)
        feed.write()
        takes(held)

    def test_of_what_is_remembered_still_holds_a_rollback_off(self, feed: Simulator, held: Configuration) -> None:
        feed.timestamp.expires = now() + HOUR
        feed.write()
        takes(held)
        feed.timestamp.version -= 1
        feed.write()
        outcome = sync(held, at=now() + 2 * HOUR)
        assert outcome.exit is not Exit.OK
        assert listed(held) == [FIRST, NEXT]


def length_is_short(meta: MetaFile, content: bytes) -> str:
    meta.length = len(content) - 1
    return "TooMuch"


def length_is_long(meta: MetaFile, content: bytes) -> str:
    meta.length = len(content) + 1
    return "Untrusted"


def hash_is_another(meta: MetaFile, content: bytes) -> str:
    meta.hashes = {"sha256": "0" * 64}
    return "Untrusted"


SPOILT = pytest.mark.parametrize("spoil", [length_is_short, length_is_long, hash_is_another])


class TestWhatLeadsToMetadata:
    @SPOILT
    @pytest.mark.parametrize("role", ["targets", *ROLES])
    def test_must_fit_them(
        self, feed: Simulator, held: Configuration, role: str, spoil: Callable[[MetaFile, bytes], str]
    ) -> None:
        feed.bump("targets", *ROLES)
        signed = feed.targets if role == "targets" else feed.roles[role]
        content = feed.bytes_of(signed, feed.signers[role])
        meta = feed.snapshot.meta[f"{role}.json"]
        fault = spoil(meta, content)
        feed.write(but=[role])
        feed.put(f"{signed.version}.{role}", content)
        refuses(held, fault=fault)

    @pytest.mark.parametrize("role", ["targets", *ROLES])
    def test_must_name_their_version(self, feed: Simulator, held: Configuration, role: str) -> None:
        feed.bump("targets", *ROLES)
        signed = feed.targets if role == "targets" else feed.roles[role]
        content = feed.bytes_of(signed, feed.signers[role])
        feed.snapshot.meta[f"{role}.json"].version += 1
        feed.write(but=[role])
        feed.put(f"{signed.version + 1}.{role}", content)
        refuses(held)

    @SPOILT
    def test_must_fit_the_snapshot(
        self, feed: Simulator, held: Configuration, spoil: Callable[[MetaFile, bytes], str]
    ) -> None:
        feed.write()
        fault = spoil(feed.timestamp.snapshot_meta, feed.bytes_of(feed.snapshot, feed.signers["snapshot"]))
        feed.write()
        refuses(held, fault=fault)

    def test_must_name_the_version_of_the_snapshot(self, feed: Simulator, held: Configuration) -> None:
        feed.write()
        feed.timestamp.snapshot_meta.version += 1
        feed.put(f"{feed.snapshot.version + 1}.snapshot", feed.bytes_of(feed.snapshot, feed.signers["snapshot"]))
        feed.write()
        refuses(held)

    @pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", *ROLES])
    def test_must_not_be_endless(self, feed: Simulator, held: Configuration, stand: Stand, role: str) -> None:
        feed.bump("targets", *ROLES)
        feed.write()

        def endless(path: str, answer: tuple[int, bytes]) -> object:
            return (b" " * 65_536 for _ in range(4096)) if path.endswith(f"{role}.json") else answer

        stand.spoil = endless  # type: ignore[assignment]
        refuses(held, fault="TooMuch")


class TestDelegation:
    def test_lets_a_role_say_nothing_of_files_of_another(self, feed: Simulator, held: Configuration) -> None:
        """The key of dynamic entries is stolen: it can speak of dynamic entries alone."""
        static = feed.roles[STATIC]
        feed.roles["feed-dynamic"].targets = dict(static.targets)
        feed.roles["feed-dynamic"].unrecognized_fields = dict(static.unrecognized_fields)
        feed.snapshot.meta[f"{STATIC}.json"].version -= 1
        static.version -= 1
        feed.bump("feed-dynamic")
        feed.write(but=[STATIC])
        outcome = sync(held)
        assert "Untrusted" in names(outcome)
        assert listed(held) == [FIRST]

    def test_of_more_roles_is_not_followed(self, feed: Simulator, held: Configuration) -> None:
        """A role that this version does not know may be delegated; it is neither fetched nor in the way."""
        assert feed.targets.delegations is not None and feed.targets.delegations.roles is not None
        role = feed.targets.delegations.roles["feed-canary"]
        other = type(role)("feed-later", list(role.keyids), 1, True, paths=["feed-later/*/*"])
        feed.targets.delegations.roles["feed-later"] = other
        feed.bump("targets")
        feed.snapshot.meta["feed-later.json"] = MetaFile(7)
        feed.write()
        takes(held)
