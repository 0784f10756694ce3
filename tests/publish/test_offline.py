"""Drafts: what custodians sign one after the other, and what is accepted of it."""

import datetime as dt
import json
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Targets

from rahdari.feed import BulkStatement
from rahdari.feed.entry import time_text
from rahdari.feed.repository import ROLES
from rahdari.publish import keys, offline
from rahdari.publish.offline import BulkTarget, Draft, DraftUnusable, SignaturesMissing

NOW = dt.datetime(2026, 11, 10, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Custodians:
    """A key set in memory, and what it signed."""

    def __init__(self, number: int = 3, threshold: int = 2) -> None:
        self.made = keys.Made(
            root=[keys.generate() for _ in range(number)],
            targets=[keys.generate() for _ in range(number)],
            online={role: keys.generate() for role in keys.ONLINE},
            standby={role: keys.generate() for role in keys.ONLINE},
            threshold=threshold,
        )
        root, targets = offline.first(self.made, now=NOW)
        self.root: Metadata[Root] = Metadata.from_bytes(root)
        self.targets: Metadata[Targets] = Metadata.from_bytes(targets)

    def draft(self, *, root: bool = False, targets: bool = False) -> Draft:
        return Draft(
            self.root,
            self.targets,
            Metadata(offline.renewed(self.root.signed, now=NOW + DAY)) if root else None,
            Metadata(offline.renewed(self.targets.signed, now=NOW + DAY)) if targets else None,
        )

    def accept(self, draft: Draft) -> None:
        offline.hold_against(draft, root=self.root, targets=self.targets)


def a_statement(removals: int = 400) -> BulkTarget:
    said = BulkStatement("feed-static", "5e" * 16, 7, 9, removals, time_text(NOW))
    return BulkTarget(f"bulk/{secrets.token_hex(16)}.json", said)


def round_trip(draft: Draft) -> Draft:
    return Draft.decode(draft.body)


class TestTheFirstStatements:
    def test_trust_a_standby_beside_each_online_key(self) -> None:
        of = Custodians()
        for role in keys.ONLINE:
            assert keys.trusted_for(role, of.root.signed, of.targets.signed) == [
                of.made.online[role].public_key.keyid,
                of.made.standby[role].public_key.keyid,
            ]

    def test_delegate_each_kind_its_own_paths_and_keep_bulk_statements_offline(self) -> None:
        delegations = Custodians().targets.signed.delegations
        assert delegations is not None and delegations.roles is not None
        assert [*delegations.roles] == list(ROLES)
        for role, delegated in delegations.roles.items():
            assert delegated.paths == [f"{role}/*/*"] and delegated.terminating and delegated.threshold == 1
            assert not delegated.is_delegated_path("bulk/00.json")

    def test_may_be_three_of_five(self) -> None:
        of = Custodians(5, 3)
        draft = of.draft(root=True, targets=True)
        draft.sign([*of.made.root[:2], *of.made.targets[3:]])
        assert draft.missing() == [
            "root: 1 more by root keys of the present root",
            "targets: 1 more by targets keys of the present root",
        ]
        draft.sign([of.made.root[4], of.made.targets[0]])
        of.accept(draft)

    @pytest.mark.parametrize(("threshold", "number"), [(1, 3), (3, 3), (4, 3), (0, 0), (2, 10)])
    def test_refuse_a_threshold_that_one_thief_or_one_loss_would_meet(self, threshold: int, number: int) -> None:
        with pytest.raises(keys.ThresholdUnusable):
            keys.check_threshold(threshold=threshold, number=number)


class TestSigningApart:
    @given(st.permutations([0, 1, 2]), st.permutations([0, 1, 2]))
    def test_takes_any_two_of_three_in_any_order(self, roots: list[int], targets: list[int]) -> None:
        of = THREE
        draft = of.draft(root=True, targets=True)
        for index in roots[:2]:
            draft = round_trip(draft)
            draft.sign([of.made.root[index]])
        with pytest.raises(SignaturesMissing):
            of.accept(round_trip(draft))
        for index in targets[:2]:
            draft = round_trip(draft)
            draft.sign([of.made.targets[index]])
        of.accept(round_trip(draft))

    def test_keeps_one_fingerprint_whoever_has_signed(self) -> None:
        of = Custodians()
        draft = of.draft(root=True)
        before = draft.fingerprint
        draft.sign(of.made.root)
        assert round_trip(draft).fingerprint == before != of.draft(targets=True).fingerprint

    def test_counts_a_key_once_and_no_key_that_is_not_asked_for(self) -> None:
        of, others = Custodians(), Custodians()
        draft = of.draft(root=True)
        assert draft.sign([of.made.root[0]]) == {"root": 1}
        assert draft.sign([of.made.root[0], *others.made.root, *of.made.targets, *of.made.online.values()]) == {
            "root": 0
        }
        with pytest.raises(SignaturesMissing) as missing:
            of.accept(draft)
        assert missing.value.missing == ["root: 1 more by root keys of the present root"]


class TestOtherCustodians:
    def test_are_signed_for_by_the_old_and_by_themselves(self) -> None:
        of, new = Custodians(), [keys.generate() for _ in range(3)]
        draft = of.draft(root=True)
        offline.with_keys(draft.documents["root"].signed, "root", [each.public_key for each in new], 2)
        draft.sign(of.made.root[:2])
        assert draft.missing() == ["root: 2 more by root keys of the new root"]
        draft.sign(new[1:])
        of.accept(draft)
        by_new_alone = of.draft(root=True)
        offline.with_keys(by_new_alone.documents["root"].signed, "root", [each.public_key for each in new], 2)
        by_new_alone.sign(new)
        with pytest.raises(SignaturesMissing):
            of.accept(by_new_alone)

    def test_of_targets_sign_a_delegation_that_holds_before_and_after(self) -> None:
        of, new = Custodians(), [keys.generate() for _ in range(3)]
        draft = of.draft(root=True, targets=True)
        offline.with_keys(draft.documents["root"].signed, "targets", [each.public_key for each in new], 2)
        draft.sign([*of.made.root, *of.made.targets])
        assert draft.missing() == ["targets: 2 more by targets keys of the new root"]
        draft.sign(new)
        of.accept(draft)
        for root in (of.root, draft.documents["root"]):
            signed = draft.documents["targets"]
            root.signed.verify_delegate("targets", signed.signed_bytes, signed.signatures)

    def test_of_targets_without_that_delegation_are_refused(self) -> None:
        of, new = Custodians(), [keys.generate() for _ in range(3)]
        draft = of.draft(root=True)
        offline.with_keys(draft.documents["root"].signed, "targets", [each.public_key for each in new], 2)
        draft.sign(of.made.root)
        with pytest.raises(DraftUnusable, match="delegation"):
            of.accept(draft)


class TestWhatIsAccepted:
    def test_follows_what_is_in_force_by_one_version(self) -> None:
        of = Custodians()
        first = of.draft(root=True)
        first.sign(of.made.root)
        skipping = of.draft(root=True)
        skipping.documents["root"].signed.version = 3
        skipping.sign(of.made.root)
        with pytest.raises(DraftUnusable, match="does not follow"):
            of.accept(skipping)
        of.accept(first)
        assert first.root is not None
        of.root = first.root
        with pytest.raises(DraftUnusable, match="make a new draft"):
            of.accept(first)

    def test_is_for_this_feed(self) -> None:
        of, other = Custodians(), Custodians()
        draft = other.draft(targets=True)
        draft.sign(other.made.targets)
        with pytest.raises(DraftUnusable, match="make a new draft"):
            of.accept(draft)

    def test_is_what_was_signed(self) -> None:
        of = Custodians()
        draft = of.draft(targets=True)
        draft.sign(of.made.targets)
        draft.documents["targets"].signed.expires += DAY
        with pytest.raises(SignaturesMissing):
            of.accept(draft)

    def test_needs_something_to_sign(self) -> None:
        with pytest.raises(DraftUnusable, match="nothing"):
            Custodians().draft().check()

    def test_names_the_bulk_statements_it_speaks_of(self) -> None:
        of, said, other = Custodians(), a_statement(), a_statement(9)
        draft = of.draft(targets=True)
        offline.name_statements(draft.documents["targets"].signed, [said])
        draft.statements = [said]
        draft.sign(of.made.targets)
        of.accept(round_trip(draft))
        draft.statements = [BulkTarget(said.path, other.statement)]
        with pytest.raises(DraftUnusable, match="bulk statement"):
            round_trip(draft)

    def test_keeps_the_newest_statements_and_drops_the_others(self) -> None:
        of = Custodians()
        targets = of.targets.signed
        many = [a_statement(number) for number in range(offline.KEPT_STATEMENTS + 5)]
        offline.name_statements(targets, many)
        assert len(targets.targets) == offline.KEPT_STATEMENTS
        offline.name_statements(targets, many[:1])
        assert [*targets.targets] == [many[0].path]


class TestWhatACustodianIsTold:
    def test_names_each_key_that_goes_and_each_that_comes(self) -> None:
        of, new = Custodians(), keys.generate()
        draft = of.draft(root=True, targets=True)
        gone = of.made.online["timestamp"].public_key.keyid
        offline.with_keys(
            draft.documents["root"].signed, "timestamp", [of.made.standby["timestamp"].public_key, new.public_key]
        )
        offline.with_keys(draft.documents["targets"].signed, "feed-static", [new.public_key])
        told = "\n".join(offline.describe_draft(draft))
        assert "root, version 2, until 2027-11-11" in told and "targets, version 2, until 2027-02-09" in told
        assert (
            f"timestamp: key {gone[:16]} goes" in told and f"timestamp: key {new.public_key.keyid[:16]} is new" in told
        )
        assert "feed-static: 1 of 1 keys sign" in told

    def test_says_what_a_bulk_statement_lets_go_and_warns_of_a_file_that_nothing_explains(self) -> None:
        of, said = Custodians(), a_statement()
        draft = of.draft(targets=True)
        offline.name_statements(draft.documents["targets"].signed, [said])
        assert f"{said.path} is new, AND NOT EXPLAINED" in "\n".join(offline.describe_draft(draft))
        draft.statements = [said]
        assert "up to 400 entries may go between editions 7 and 9" in "\n".join(offline.describe_draft(draft))

    def test_warns_of_other_paths_and_of_delegations_that_come_or_go(self) -> None:
        of = Custodians()
        draft = of.draft(targets=True)
        delegations = draft.documents["targets"].signed.delegations
        assert delegations.roles is not None
        delegations.roles["feed-static"].paths = ["*"]
        delegations.roles.pop("feed-canary")
        told = "\n".join(offline.describe_draft(draft))
        assert "feed-static: other paths, *" in told and "feed-canary: a delegation that goes" in told


class TestAFileThatIsNoDraft:
    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"[]", b"null", b'{"format":"2.0"}', b'{"format":"1.0"}', b"\xff", b"[" * 9999]
    )
    def test_is_refused_in_words(self, body: bytes) -> None:
        with pytest.raises(DraftUnusable):
            Draft.decode(body)

    @given(
        st.sampled_from(["current_root", "current_targets", "root", "targets", "statements"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()),
    )
    def test_is_refused_when_any_part_is_something_else(self, name: str, value: object) -> None:
        whole = json.loads(THREE.draft(root=True, targets=True).body)
        whole[name] = value
        if name == "statements" and value == []:
            return
        with pytest.raises(DraftUnusable):
            Draft.decode(json.dumps(whole).encode())


class TestKeyFiles:
    def test_a_public_key_is_handed_in_alone(self, tmp_path: Path) -> None:
        signer = keys.generate()
        keys.write_key(tmp_path / "root-1.pem", signer, b"sample words")
        keys.write_public(tmp_path / "root-1.pub", signer)
        assert keys.load_public(tmp_path / "root-1.pub").keyid == signer.public_key.keyid
        for path in (tmp_path / "root-1.pem", tmp_path / "none.pub"):
            with pytest.raises(keys.KeyUnusable):
                keys.load_public(path)
        for write in (keys.write_public, lambda path, key: keys.write_key(path, key, None)):
            with pytest.raises(keys.KeysExist):
                write(tmp_path / "root-1.pub", signer)

    def test_a_standby_takes_over_once_and_leaves_its_folder(self, tmp_path: Path) -> None:
        old, standby = self.two_keys(tmp_path)
        trusted = [old.public_key.keyid, standby.public_key.keyid]
        data, place = tmp_path, tmp_path / "standby"
        assert keys.load_signer(data, "snapshot", trusted).public_key.keyid == trusted[0]
        keys.switch(data=data, role="snapshot", standby=place, passphrase=None, trusted=trusted)
        assert keys.load_signer(data, "snapshot", trusted).public_key.keyid == trusted[1]
        assert not (place / "snapshot.pem").exists()
        aside = list((keys.online_folder(data) / keys.RETIRED).iterdir())
        assert [path.name for path in aside] == [f"snapshot-{trusted[0][:16]}.pem"]
        assert keys.load_key(aside[0], None).public_key.keyid == trusted[0]

    @pytest.mark.parametrize("killed_after", ["next written", "old put aside", "renamed"])
    def test_a_switch_that_was_killed_leaves_a_key_and_goes_on(self, tmp_path: Path, killed_after: str) -> None:
        old, standby = self.two_keys(tmp_path)
        trusted = [old.public_key.keyid, standby.public_key.keyid]
        online = keys.online_folder(tmp_path)
        keys.write_key(online / "snapshot.next.pem", standby, None)
        if killed_after != "next written":
            keys.retire(online / "snapshot.pem", "snapshot")
        if killed_after == "renamed":
            (online / "snapshot.next.pem").rename(online / "snapshot.pem")
        assert keys.load_signer(tmp_path, "snapshot", trusted)
        keys.switch(data=tmp_path, role="snapshot", standby=tmp_path / "standby", passphrase=None, trusted=trusted)
        assert keys.load_signer(tmp_path, "snapshot", trusted).public_key.keyid == trusted[1]
        assert sorted(path.name for path in online.glob("*.pem")) == ["snapshot.pem"]

    def test_a_key_that_is_not_trusted_does_not_take_over(self, tmp_path: Path) -> None:
        old, standby = self.two_keys(tmp_path)
        with pytest.raises(keys.KeyUnusable, match="do not trust"):
            keys.switch(
                data=tmp_path,
                role="snapshot",
                standby=tmp_path / "standby",
                passphrase=None,
                trusted=[old.public_key.keyid],
            )
        assert keys.load_signer(tmp_path, "snapshot", [old.public_key.keyid]) and standby

    def test_the_next_key_signs_as_soon_as_it_alone_is_trusted(self, tmp_path: Path) -> None:
        old, _ = self.two_keys(tmp_path)
        path = keys.online_folder(tmp_path) / "snapshot.next.pem"
        following = keys.next_key(path, None)
        assert keys.next_key(path, None).public_key.keyid == following.public_key.keyid
        both = [old.public_key.keyid, following.public_key.keyid]
        assert keys.load_signer(tmp_path, "snapshot", both).public_key.keyid == both[0]
        assert keys.load_signer(tmp_path, "snapshot", both[1:]).public_key.keyid == both[1]
        keys.finish_rotation(tmp_path, "snapshot", both[:1])
        assert path.exists()
        keys.finish_rotation(tmp_path, "snapshot", both[1:])
        assert not path.exists() and keys.load_signer(tmp_path, "snapshot", both[1:])

    def two_keys(self, data: Path) -> tuple[CryptoSigner, CryptoSigner]:
        old, standby = keys.generate(), keys.generate()
        keys.write_key(keys.online_folder(data) / "snapshot.pem", old, None)
        keys.write_key(data / "standby" / "snapshot.pem", standby, None)
        return old, standby


THREE = Custodians()
