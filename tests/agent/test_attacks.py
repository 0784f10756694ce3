"""What a server in the wrong hands, or a wire in between, can try: nothing of it is accepted, all stays enforced."""

import datetime as dt
import gzip
import itertools
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from rahdari.agent import catching_up, transport
from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.agent.trust import WrongRoot
from rahdari.feed import EMPTY, ROLES, Header, Kind, Limits, Op, Operation, SetDigest
from tests.agent.feeds import (
    Answer,
    Publisher,
    Stand,
    a_configuration,
    an_entry,
    listed,
    names,
    standing,
    sync,
)


@pytest.fixture
def held(publisher: Publisher, configuration: Configuration) -> list[str]:
    """The agent has verified and applied one edition; `unharmed` holds it to that."""
    publisher.publish(an_entry("192.0.2.1/32", id="1" * 32), an_entry("192.0.2.2/32", id="2" * 32))
    assert sync(configuration).exit is Exit.OK
    return ["192.0.2.1/32", "192.0.2.2/32"]


def unharmed(configuration: Configuration, held: list[str], sequence: int = 1) -> None:
    assert listed(configuration) == held
    with open_state(configuration.state) as state:
        position = state.position(ROLES[0])
        assert position is not None
        assert (position.sequence, state.count()) == (sequence, 2)


class TestWrongKeys:
    def test_root_of_another_feed_is_refused(self, tmp_path: Path, stand: Stand) -> None:
        other = Publisher(tmp_path / "other")
        configuration = a_configuration(tmp_path / "misled", stand.url, other.root_file)
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.UNTRUSTED, ["Untrusted"])
        assert "the keys are not those of the pinned root" in outcome.faults[0].what
        assert listed(configuration) == []

    def test_root_file_that_was_exchanged_is_refused(
        self, tmp_path: Path, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        other = Publisher(tmp_path / "other")
        shutil.copy(other.root_file, publisher.root_file)
        with pytest.raises(WrongRoot) as caught:
            sync(configuration)
        assert configuration.root_sha256 in str(caught.value)
        unharmed(configuration, held)

    def test_metadata_signed_by_another_key_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.entries["3" * 32] = an_entry("192.0.2.3/32", id="3" * 32)
        publisher.add_snapshot()
        publisher.sign(signer=CryptoSigner.generate_ed25519())
        assert names(sync(configuration)) == ["Untrusted"]
        unharmed(configuration, held)

    def test_new_root_counts_only_when_the_old_one_signed_it(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        old, new = publisher.offline, CryptoSigner.generate_ed25519()
        publisher.write_root(offline=new)
        assert names(sync(configuration)) == ["Untrusted"]
        unharmed(configuration, held)
        publisher.versions["root"] = 1
        publisher.write_root(offline=new, signers=[old])
        publisher.write_targets()
        publisher.publish(an_entry("192.0.2.3/32"))
        assert sync(configuration).exit is Exit.OK

    def test_several_missed_roots_are_walked(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        for _ in range(3):
            publisher.write_root(offline=CryptoSigner.generate_ed25519(), signers=[publisher.offline])
        publisher.write_targets()
        publisher.publish(an_entry("192.0.2.3/32"))
        assert sync(configuration).exit is Exit.OK
        assert len(listed(configuration)) == 3


class TestGoingBack:
    def test_copy_of_the_past_is_refused(
        self, tmp_path: Path, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        past = tmp_path / "past"
        shutil.copytree(publisher.folder, past)
        publisher.publish(an_entry("192.0.2.3/32"))
        assert sync(configuration).exit is Exit.OK
        shutil.rmtree(publisher.folder)
        shutil.copytree(past, publisher.folder)
        assert names(sync(configuration)) == ["Untrusted"]
        assert len(listed(configuration)) == 3
        # The same when the memory of metadata was lost: the position has a floor of its own.
        shutil.rmtree(configuration.state / "metadata")
        assert names(sync(configuration)) == ["WentBack"]
        assert len(listed(configuration)) == 3

    def test_lower_sequence_is_refused_though_it_is_signed(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        for session in (publisher.session, secrets.token_hex(16)):
            publisher.session, publisher.sequence, publisher.files = session, 0, []
            publisher.add_snapshot()
            publisher.sign()
            assert names(sync(configuration)) == ["WentBack"]
        unharmed(configuration, held)

    def test_new_session_is_taken_and_the_old_one_never_again(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        old = publisher.session
        publisher.session, publisher.files = secrets.token_hex(16), []
        publisher.sequence += 1
        publisher.add_snapshot()
        publisher.sign()
        outcome = sync(configuration)
        assert outcome.exit is Exit.OK
        assert outcome.position
        assert outcome.position.session == publisher.session
        publisher.session, publisher.files = old, []
        publisher.sequence += 1
        publisher.add_snapshot()
        publisher.sign()
        assert names(sync(configuration)) == ["OldSession"]
        unharmed(configuration, held, sequence=2)

    def test_one_number_for_two_editions_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.entries["3" * 32] = an_entry("192.0.2.3/32", id="3" * 32)
        publisher.files = []
        publisher.add_snapshot()
        publisher.sign()
        assert names(sync(configuration)) == ["TwoEditions"]
        unharmed(configuration, held)


class TestFiles:
    def test_tampered_or_cut_off_file_is_refused(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"))

        def flipped(path: str, answer: Answer) -> Answer:
            status, body = answer
            return (status, body[:-1] + bytes([body[-1] ^ 1])) if "/targets/" in path else answer

        def cut(path: str, answer: Answer) -> Answer:
            return (answer[0], answer[1][: len(answer[1]) // 2]) if "/targets/" in path else answer

        for spoil in (flipped, cut):
            stand.spoil = spoil
            outcome = sync(configuration)
            assert outcome.exit is Exit.UNTRUSTED
            unharmed(configuration, held)
        stand.spoil = lambda path, answer: answer
        assert sync(configuration).exit is Exit.OK

    def test_body_that_ends_early_on_the_wire_is_a_broken_connection(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"))

        def stopping(path: str, answer: Answer) -> Answer | Iterator[bytes]:
            return iter([answer[1][:5]]) if "/targets/" in path else answer

        stand.spoil = stopping
        assert sync(configuration).exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    def test_file_spoilt_once_is_fetched_again(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"), snapshot=False)
        times = itertools.count()

        def once(path: str, answer: Answer) -> Answer:
            return (200, b"an old copy") if "/targets/" in path and next(times) == 0 else answer

        stand.spoil = once
        outcome = sync(configuration)
        assert (outcome.exit, outcome.files) == (Exit.OK, 1)

    @pytest.mark.parametrize("where", ["timestamp.json", "root.json", "snapshot.json", "/targets/"])
    def test_endless_body_is_cut_off(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, held: list[str], where: str
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"))
        sent = itertools.count()

        def endless(path: str, answer: Answer) -> Answer | Iterator[bytes]:
            return (b"[" * 50_000 for _ in sent) if where in path else answer

        stand.spoil = endless
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.UNTRUSTED, ["TooMuch"])
        assert next(sent) < 500
        unharmed(configuration, held)

    def test_slow_body_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        monkeypatch.setattr(transport, "WHOLE_SECONDS", -1.0)
        stand.spoil = lambda path, answer: iter([b"{"] * 10) if "timestamp" in path else answer
        assert names(sync(configuration)) == ["TooSlow"]
        unharmed(configuration, held)

    def test_bomb_is_not_unpacked(self, publisher: Publisher, configuration: Configuration, held: list[str]) -> None:
        header = Header(Kind.DELTA, publisher.session, 1, 2, publisher.digest(), EMPTY, 1)
        publisher.sequence = 2
        publisher.files = []
        publisher.add_file(header, [], body=gzip.compress(b"0" * 50_000_000))
        publisher.sign()
        outcome = sync(configuration)
        assert outcome.exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    def test_file_above_the_bound_is_not_fetched(
        self,
        monkeypatch: pytest.MonkeyPatch,
        publisher: Publisher,
        stand: Stand,
        configuration: Configuration,
        held: list[str],
    ) -> None:
        small = Limits(compressed=10, decompressed=10, entries=10)
        monkeypatch.setattr(catching_up, "DELTA_LIMITS", small)
        monkeypatch.setattr(catching_up, "SNAPSHOT_LIMITS", small)
        publisher.publish(an_entry("192.0.2.3/32"))
        stand.asked.clear()
        assert names(sync(configuration)) == ["EditionRejected"]
        assert [path for path in stand.asked if "/targets/" in path] == []
        unharmed(configuration, held)


class TestContents:
    """Signed by the right keys, and still not what it must be."""

    def rewrite(self, publisher: Publisher, operations: list[Operation], **head: object) -> None:
        """Edition 2 as a delta alone, with these operations and a digest that claims to fit."""
        header = Header(Kind.DELTA, publisher.session, 1, 2, publisher.digest(), publisher.digest(), len(operations))
        publisher.sequence, publisher.files = 2, []
        publisher.add_file(header, operations)
        publisher.sign(head=publisher.head(**head))

    def test_delta_that_leads_elsewhere_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        self.rewrite(publisher, [Operation(Op.ADD, an_entry("192.0.2.3/32"))])
        outcome = sync(configuration)
        assert outcome.exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    def test_entry_that_is_there_already_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        self.rewrite(publisher, [Operation(Op.ADD, an_entry("192.0.2.9/32", id="1" * 32))])
        outcome = sync(configuration)
        assert names(outcome) == ["EditionRejected"]
        assert "1" * 32 in outcome.faults[0].what
        unharmed(configuration, held)

    def test_gap_is_never_jumped(self, publisher: Publisher, configuration: Configuration, held: list[str]) -> None:
        publisher.publish(an_entry("192.0.2.3/32"), snapshot=False)
        publisher.publish(an_entry("192.0.2.4/32"), snapshot=False)
        publisher.files = publisher.files[-1:]
        publisher.sign()
        outcome = sync(configuration)
        assert names(outcome) == ["NoWay"]
        assert "from edition 1 to edition 3" in outcome.faults[0].what
        unharmed(configuration, held)

    def test_same_entry_twice_in_a_snapshot_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        entry = publisher.entries["1" * 32]
        digest = SetDigest()
        for _ in range(2):
            digest.add(entry.canonical)
        publisher.session, publisher.sequence, publisher.files = secrets.token_hex(16), 2, []
        header = Header.snapshot(session=publisher.session, sequence=2, digest=digest.hexdigest(), count=2)
        publisher.add_file(header, [Operation(Op.ADD, entry)] * 2)
        publisher.sign(head=publisher.head(digest=digest.hexdigest(), entries=2))
        outcome = sync(configuration)
        assert names(outcome) == ["EditionRejected"]
        assert "1" * 32 in outcome.faults[0].what
        unharmed(configuration, held)

    def test_entry_removed_otherwise_than_it_stood_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        entry = publisher.entries["1" * 32]
        self.rewrite(publisher, [Operation(Op.REMOVE, replace(entry, prefix="192.0.2.77/32"))])
        assert sync(configuration).exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    def test_head_that_counts_otherwise_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"), snapshot=False)
        publisher.sign(head=publisher.head(entries=7))
        assert sync(configuration).exit is Exit.UNTRUSTED
        publisher.sign(head=publisher.head(digest="0" * 64))
        assert sync(configuration).exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    def test_rejected_delta_is_never_skipped_and_a_snapshot_heals(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32"), snapshot=False)
        bad = Header(Kind.DELTA, publisher.session, 1, 2, publisher.digest(), publisher.digest(), 0)
        publisher.files = []
        publisher.add_file(bad, [])
        publisher.publish(an_entry("192.0.2.4/32"), snapshot=False)
        assert sync(configuration).exit is Exit.UNTRUSTED
        unharmed(configuration, held)
        publisher.add_snapshot()
        publisher.sign()
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["ReloadedFromSnapshot"])
        assert len(listed(configuration)) == 4
        assert names(sync(configuration)) == []

    def test_state_that_drifted_is_found_by_the_digest_and_reloaded(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        database = sqlite3.connect(configuration.state / "state.sqlite3", autocommit=True)
        (slot,) = database.execute("SELECT slot FROM lists WHERE role = 'feed-static'").fetchone()
        database.execute(f"DELETE FROM feed_static_{slot} WHERE id = ?", (bytes.fromhex("1" * 32),))
        database.close()
        publisher.publish(an_entry("192.0.2.3/32"))
        assert names(sync(configuration)) == ["ReloadedFromSnapshot"]
        assert len(listed(configuration)) == 3

    @pytest.mark.parametrize("place", ["head", "file"])
    def test_newer_major_format_asks_for_an_upgrade(
        self, publisher: Publisher, configuration: Configuration, held: list[str], place: str
    ) -> None:
        if place == "head":
            publisher.sequence += 1
            publisher.sign(head=publisher.head(format="2.0"))
        else:
            header = {**Header(Kind.DELTA, publisher.session, 1, 2, EMPTY, EMPTY, 0).as_json(), "format": "2.0"}
            body = gzip.compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n")
            publisher.sequence, publisher.files = 2, []
            publisher.add_file(Header(Kind.DELTA, publisher.session, 1, 2, EMPTY, publisher.digest(), 0), [], body=body)
            publisher.sign()
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.UNTRUSTED, ["UpgradeNeeded"])
        assert "Upgrade rahdari" in outcome.faults[0].mend
        unharmed(configuration, held)

    def test_newer_minor_format_is_read(
        self, publisher: Publisher, configuration: Configuration, held: list[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.3/32", risk="low"))
        publisher.sign(head=publisher.head(format="1.7", news={"a": 1}))
        assert sync(configuration).exit is Exit.OK

    @pytest.mark.parametrize(
        "head", [None, {}, {"format": "1.0"}, {"format": "1.0", "session": "x", "sequence": "1"}, "text", 7]
    )
    def test_head_of_another_shape_is_refused(
        self, publisher: Publisher, configuration: Configuration, held: list[str], head: object
    ) -> None:
        publisher.sign(head={"wrong": 1} if head is None else head)  # type: ignore[arg-type]
        assert sync(configuration).exit is Exit.UNTRUSTED
        unharmed(configuration, held)

    @pytest.mark.parametrize("content", [b"", b"{", b"[" * 15_000, b"{}", b'{"signed": {}, "signatures": []}', b"\xff"])
    def test_metadata_of_another_shape_is_refused(
        self, stand: Stand, configuration: Configuration, held: list[str], content: bytes
    ) -> None:
        stand.spoil = lambda path, answer: (200, content) if "timestamp" in path else answer
        assert names(sync(configuration)) == ["Untrusted"]
        unharmed(configuration, held)

    def test_first_edition_is_refused_in_the_same_way(self, tmp_path: Path, publisher: Publisher) -> None:
        publisher.sign(head=publisher.head(digest="1" * 64))
        with standing(publisher.folder) as stand:
            configuration = a_configuration(tmp_path / "fresh", stand.url, publisher.root_file)
            outcome = sync(configuration)
            assert outcome.exit is Exit.UNTRUSTED
            assert outcome.position is None
            assert listed(configuration) == []


class TestServer:
    def test_that_is_away_leaves_all_as_it_is(
        self, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        closed = replace(configuration, server="http://127.0.0.1:9", receipt_url="http://127.0.0.1:9/feed/receipt")
        outcome = sync(closed)
        assert (outcome.exit, names(outcome)) == (Exit.NO_NETWORK, ["NotReached"])
        assert "Connection refused" in outcome.faults[0].what
        unknown = replace(configuration, server="http://no-such-host.invalid")
        assert "is not known" in sync(unknown).faults[0].what
        unharmed(configuration, held)

    def test_that_does_not_accept_the_token_is_told_apart(
        self, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        stand.token = "another"
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.NO_NETWORK, ["TokenRefused"])
        assert str(configuration.token_file) in outcome.faults[0].mend
        # A new token is read without a restart.
        configuration.token_file.write_text("another\n")
        assert sync(configuration).exit is Exit.OK

    @pytest.mark.parametrize("status", [302, 307, 403, 404, 429, 500, 503])
    def test_that_answers_otherwise_is_told(
        self, stand: Stand, configuration: Configuration, held: list[str], status: int
    ) -> None:
        stand.spoil = lambda path, answer: (status, b"elsewhere")
        outcome = sync(configuration)
        assert outcome.exit is Exit.NO_NETWORK
        assert f"HTTP {status}" in outcome.faults[0].what
        assert len([path for path in stand.asked if "elsewhere" in path]) == 0
        unharmed(configuration, held)

    def test_is_asked_through_the_proxy_of_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, stand: Stand, configuration: Configuration
    ) -> None:
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("http_proxy", stand.url)
        behind = replace(configuration, server="http://feed.example", receipt_url="http://feed.example/feed/receipt")
        stand.spoil = lambda path, answer: stand.answer(
            path.removeprefix("http://feed.example"), f"Bearer {stand.token}"
        )
        assert sync(behind).exit is Exit.OK
        assert all(path.startswith("http://feed.example/feed/") for path in stand.asked)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert names(sync(behind))[0] == "NotReached"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert sync(configuration).exit is Exit.OK

    def test_that_freezes_the_feed_is_found_by_its_age(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, held: list[str]
    ) -> None:
        frozen = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
        publisher.publish(an_entry("192.0.2.3/32"))
        stand.spoil = lambda path, answer: (200, frozen) if "timestamp" in path else answer
        at = dt.datetime.now(dt.UTC)
        assert sync(configuration, at=at).exit is Exit.OK
        assert names(sync(configuration, at=at + dt.timedelta(minutes=16))) == ["SignatureOld"]
        assert names(sync(configuration, at=at + dt.timedelta(minutes=61))) == ["Stale"]
        unharmed(configuration, held)
