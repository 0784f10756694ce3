"""Safeguard: the terms of the feed (spare what is listed, sort nothing by it, pass nothing on) travel with it.

Their digest stands in the welcome, the metadata, each rendered file and each receipt. A new agent is set up only once
they are accepted. Who has not accepted them is served like everybody, and is listed as unsupported.
"""

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.test import Client

from rahdari.agent.configuration import FileTarget, load
from rahdari.agent.faults import Exit
from rahdari.agent.files import render_to
from rahdari.agent.folder import create
from rahdari.agent.renderers import RENDERERS, csv_file
from rahdari.agent.terms import OtherTerms, terms_note
from rahdari.agent.welcome import parse_welcome
from rahdari.cli import main
from rahdari.feed import TERMS, Receipt, SignedReceipt
from rahdari.feed.canonical import encode
from rahdari.feed.receipt import SIGNED_PREFIX
from rahdari.feed.terms import names_terms, terms_in, terms_page
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.publish import actions, metrics, operator_lag, queries, receipts
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from rahdari.publish.models import Receipt as Row
from rahdari.publish.rules import TIMESTAMP_EVERY
from rahdari.vault import keys
from rahdari.workflow.unsupported import notify_of_terms
from tests.agent.conftest import no_proxy, publisher, stand
from tests.agent.feeds import TOKEN, Publisher, Stand, a_configuration, an_entry, sync
from tests.agent.renderers import HEAD, a_row
from tests.builders.publishing import NOW, address, entered, publish
from tests.builders.subscribers import a_desk
from tests.publish.conftest import data, feed, operator
from tests.publish.receipts import SECOND, a_receipt, signed

__all__ = ["data", "feed", "no_proxy", "operator", "publisher", "stand"]

FROZEN = Path(__file__).parent / "frozen"
# The fields that a publisher of the release before the terms holds a signature against.
FIELDS_BEFORE = ("format", "session", "sequence", "digest", "applied_at", "targets")
# What an agent of that release reads of a welcome.
WELCOME_BEFORE = re.compile(
    r'[>|\s]*(operator|server|receipt_url|metadata_url|targets_url|token|root_sha256)\s*=\s*"([^"\\]*)"\s*'
)


def taken_by_the_release_before(body: bytes) -> bool:
    said = json.loads(body)
    known = encode({name: said["receipt"][name] for name in FIELDS_BEFORE})
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["key"]))
        key.verify(bytes.fromhex(said["signature"]), SIGNED_PREFIX + known)
    except InvalidSignature:
        return False
    return True


def carries_the_digest(kind: str, folder: Path) -> bool:
    """In the file itself, or, where its format has no comments, in what is written beside it."""
    path = folder / kind
    render_to(FileTarget(kind, kind, path), lambda: iter([a_row("192.0.2.1/32", "udp", 51820)]), HEAD)
    beside = json.loads(path.with_name(f"{kind}.meta.json").read_text())
    return TERMS.encode() in path.read_bytes() or beside.get("terms") == TERMS


class TestThePage:
    def test_has_the_bytes_whose_digest_travels(self) -> None:
        assert hashlib.sha256(terms_page()).hexdigest() == TERMS
        planted = terms_page().replace(b"nobody else", b"anybody else")
        assert hashlib.sha256(planted).hexdigest() != TERMS

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("en", ["Spare what is listed", "Absence means nothing", "Sort nothing", "Pass nothing on"]),
            ("ur", ["خلل نہ ڈالیں", "فہرست میں نہ ہونے کا کوئی مطلب نہیں", "چھانٹی نہ کریں", "آگے نہ دیں"]),
        ],
    )
    def test_says_the_four_terms_in_each_language(self, language: str, words: list[str]) -> None:
        lines = [line for line in terms_in(language).splitlines() if line[:1].isdigit()]
        assert [number for number, line in enumerate(lines, 1) if line.startswith(f"{number}. ")] == [1, 2, 3, 4]
        assert all(word in line for word, line in zip(words, lines, strict=True))

    @pytest.mark.django_db
    def test_stands_at_an_address_of_its_own_in_both_languages(self) -> None:
        page = Client().get("/terms/feed/").content.decode()
        assert TERMS in page
        assert "Absence means nothing." in page and "فہرست میں نہ ہونے کا کوئی مطلب نہیں۔" in page
        assert Client().get("/terms/feed/terms.txt").content == terms_page()

    def test_is_named_by_its_digest_or_the_first_16_digits(self) -> None:
        assert names_terms(TERMS) and names_terms(f"{TERMS[:8]} {TERMS[8:16].upper()}")
        assert not any(map(names_terms, ("", TERMS[:15], "0" * 64, f"{TERMS}0")))


@pytest.mark.django_db
class TestTheWelcome:
    def test_names_them_and_an_agent_of_the_release_before_reads_the_rest(
        self, feed: Repository, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.FEED_URL = "https://feed.example"
        assert main(["operator", "add", "sample-fibre", "--name", "Sample Fibre", "--asn", "AS64500"]) == 0
        said = capsys.readouterr().out
        assert parse_welcome(said).terms_sha256 == TERMS
        assert "/terms/feed/" in said
        before = dict(found.groups() for line in said.splitlines() if (found := WELCOME_BEFORE.fullmatch(line)))
        assert before.keys() == {"operator", "server", "receipt_url", "token", "root_sha256"}


@pytest.mark.django_db
class TestTheMetadata:
    def test_name_them_at_each_signature(self, feed: Repository, operator: Operator) -> None:
        def named() -> str:
            published = feed.of(operator.repository).published()
            assert published is not None
            return published.stamp.terms

        entered(address(1))
        publish()
        assert named() == TERMS
        assert actions.refresh_timestamp(now=NOW + TIMESTAMP_EVERY)
        assert named() == TERMS


class TestRenderedFiles:
    @pytest.mark.parametrize("kind", RENDERERS)
    def test_carry_them(self, tmp_path: Path, kind: str) -> None:
        assert carries_the_digest(kind, tmp_path)
        # These have no comments, or are read packed. Every other format gives `head.lines` a place.
        without_comments = {"csv", "fortigate", "json-lines", "juniper-srx", "palo-alto"}
        says = TERMS.encode() in (tmp_path / kind).read_bytes()
        assert says == (kind not in without_comments), f"the file of {kind} names the terms: {says}"

    def test_that_do_not_are_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.agent.files.TERMS", "")
        assert not carries_the_digest(csv_file.Csv.kind, tmp_path)


class TestInit:
    @pytest.fixture
    def options(self, tmp_path: Path, publisher: Publisher, stand: Stand) -> list[str]:
        (tmp_path / "token").write_text(TOKEN)
        folder = {"--config": "agent.toml", "--state": "state", "--token-file": "token"}
        options = [word for name, path in folder.items() for word in (name, str(tmp_path / path))]
        return ["agent", "init", *options, "--server", stand.url, "--root", str(publisher.root_file)]

    def test_without_them_is_refused_and_says_how(
        self, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(options) == Exit.USAGE
        assert f"--accept-terms {TERMS[:16]}" in capsys.readouterr().err
        assert not (tmp_path / "agent.toml").exists() and not (tmp_path / "state").exists()
        assert main([*options, "--accept-terms", "0" * 64]) == Exit.USAGE
        assert main([*options, "--accept-terms", TERMS[:16]]) == 0
        assert load(tmp_path / "agent.toml").terms == TERMS

    @pytest.mark.parametrize(("answer", "code"), [("yes", Exit.OK), ("no", Exit.USAGE), ("", Exit.USAGE)])
    def test_shows_them_on_a_terminal_and_asks(
        self,
        options: list[str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        answer: str,
        code: Exit,
    ) -> None:
        terminal = io.StringIO(f"{answer}\n" if answer else "")
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)
        assert main(options) == code
        assert terms_page().decode() in capsys.readouterr().out

    def test_refuses_a_welcome_under_others(
        self, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "welcome.txt").write_text(f'terms_sha256 = "{"1" * 64}"\n')
        assert main([*options, "--welcome", str(tmp_path / "welcome.txt"), "--accept-terms", TERMS]) == Exit.USAGE
        assert "Upgrade rahdari" in capsys.readouterr().err


class TestReceipts:
    def test_of_a_new_agent_name_them(self, tmp_path: Path, publisher: Publisher, stand: Stand) -> None:
        configuration = a_configuration(tmp_path / "new", stand.url, publisher.root_file)
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(configuration).faults == ()
        assert {receipt["terms"] for receipt in stand.receipts} == {TERMS}

    def test_for_a_publisher_of_the_release_before_are_those_it_knows(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[bytes] = []
        monkeypatch.setattr(
            SignedReceipt, "body", property(lambda self: sent.append(encode(self.as_json())) or sent[-1])
        )
        configuration = a_configuration(tmp_path / "new", stand.url, publisher.root_file)
        for terms in ("", TERMS):
            publisher.terms = terms
            publisher.publish(an_entry("192.0.2.1/32"))
            assert sync(configuration).faults == ()
        before, after = sent[:3], sent[3:]
        assert len(before) == 3 and all(map(taken_by_the_release_before, before))
        # The fault that this is for: a field that such a publisher does not know.
        assert after and not any(map(taken_by_the_release_before, after))


class TestAnAgentFromBefore:
    @pytest.fixture
    def config(self, tmp_path: Path, publisher: Publisher, stand: Stand) -> Path:
        root = publisher.root_file.read_bytes()
        (tmp_path / "root.json").write_bytes(root)
        (tmp_path / "token").write_text(TOKEN)
        text = (FROZEN / "agent-without-terms.toml").read_text().replace("SERVER", stand.url)
        path = tmp_path / "agent.toml"
        path.write_text(text.replace("ROOT", hashlib.sha256(root).hexdigest()))
        path.chmod(0o640)
        create(tmp_path / "state")
        return path

    def test_follows_as_before_and_says_that_they_are_not_accepted(
        self, config: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        for words in (["sync"], ["status"], ["check", "192.0.2.1"]):
            assert main(["agent", words[0], "--config", str(config), *words[1:]]) == 0
            said = capsys.readouterr()
            assert (said.out + said.err).count("rahdari agent terms --accept") == 1
        assert "192.0.2.1/32" in (config.parent / "entries.json").read_text()
        assert len(stand.receipts) == 3 and not any("terms" in receipt for receipt in stand.receipts)

    def test_accepts_them_with_one_command_that_changes_nothing_else(
        self, config: Path, publisher: Publisher, stand: Stand, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = config.read_text()
        assert main(["agent", "terms", "--config", str(config), "--accept"]) == Exit.USAGE
        assert config.read_text() == before
        for _ in range(2):
            assert main(["agent", "terms", "--config", str(config), "--accept", TERMS[:16]]) == 0
            assert config.read_text() == f'terms = "{TERMS}"\n{before}'
            assert config.stat().st_mode & 0o777 == 0o640
        capsys.readouterr()
        assert main(["agent", "sync", "--config", str(config)]) == 0
        assert "terms" not in capsys.readouterr().err
        assert main(["agent", "status", "--json", "--config", str(config)]) == 0
        assert json.loads(capsys.readouterr().out)["terms"] == {"accepted": TERMS, "feed": TERMS}
        assert {receipt["terms"] for receipt in stand.receipts} == {TERMS}

    def test_is_told_of_others_that_the_feed_names(self, tmp_path: Path, publisher: Publisher, stand: Stand) -> None:
        configuration = a_configuration(tmp_path / "new", stand.url, publisher.root_file)
        publisher.terms = "1" * 64
        publisher.stamp()
        assert sync(configuration).exit is Exit.OK
        assert isinstance(terms_note(configuration, publisher.terms), OtherTerms)
        # What they accepted is said, not what they did not.
        assert {receipt["terms"] for receipt in stand.receipts} == {TERMS}


@pytest.mark.django_db
class TestThePublisher:
    @pytest.fixture
    def published(self, feed: Repository, operator: Operator) -> Operator:
        entered(address(1))
        publish()
        return operator

    def standing(self, operator: Operator) -> operator_lag.OperatorLag:
        return next(each for each in operator_lag.operators_with_lag(now=NOW) if each.operator == operator)

    def receive(self, operator: Operator, after: int, **fields: Any) -> receipts.Recorded:
        receipt = a_receipt(operator, after=after * SECOND)
        receipt = Receipt.from_json({**receipt.as_json(), **fields})
        return receipts.record_receipt(operator=operator, receipt=signed(operator, receipt), now=NOW + after * SECOND)

    def test_takes_a_receipt_of_the_release_before(self) -> None:
        body = (FROZEN / "receipt-without-terms.json").read_bytes().strip()
        frozen = SignedReceipt.from_json(json.loads(body))
        frozen.verify()
        assert frozen.body == body and not frozen.receipt.terms

    def test_keeps_and_serves_who_has_not_accepted_them_and_lists_them(self, published: Operator) -> None:
        assert not self.standing(published).unsupported
        assert self.receive(published, 1).new
        seen = self.standing(published)
        assert (seen.state, seen.unsupported, seen.terms_at) == ("in_sync", True, None)
        assert self.receive(published, 2, terms="1" * 64).new
        assert self.standing(published).unsupported
        entered(address(2))
        publish(now=NOW + 3 * SECOND)
        repository = queries.operator_by_slug(published.slug)
        assert repository is not None and repository.active
        assert Row.objects.count() == 2
        told = metrics.exposition(now=NOW)
        assert 'rahdari_operator_terms_accepted{operator="sample-fibre"} 0' in told
        assert "Not accepted" in Client().get("/status/").content.decode()

    def test_says_since_which_day_they_are_accepted(self, published: Operator) -> None:
        self.receive(published, 1)
        self.receive(published, 2, terms=TERMS)
        self.receive(published, 3, terms=TERMS)
        seen = self.standing(published)
        assert (seen.unsupported, seen.terms_at) == (False, NOW + 2 * SECOND)
        assert "Not accepted" not in Client().get("/status/").content.decode()
        acts = [row for row in journal.about("operator:sample-fibre") if row.act == "publish.terms_accepted"]
        assert len(acts) == 1 and acts[0].detail["terms"] == TERMS[:16]
        # A new key, whose agent was set up before: the last word counts.
        key = Ed25519PrivateKey.generate()
        old = SignedReceipt.sign(a_receipt(published, after=5 * SECOND), key)
        receipts.record_receipt(operator=published, receipt=old, now=NOW + 5 * SECOND)
        assert self.standing(published).unsupported

    def test_writes_to_its_people_once(self, published: Operator, settings: Any) -> None:
        keys.make_missing(settings.DATA / "keys")
        ours, another = a_desk(published.slug), a_desk("example-broadband")
        assert notify_of_terms(NOW) == 0
        self.receive(published, 1)
        assert [notify_of_terms(NOW), notify_of_terms(NOW)] == [1, 0]
        assert [letter.template for letter in letters.letters_of(ours)] == ["operator_terms"]
        assert not letters.letters_of(another)
        self.receive(published, 2, terms=TERMS)
        assert notify_of_terms(NOW) == 0

    def test_tells_of_a_complement_and_refuses_nothing_for_it(self, published: Operator) -> None:
        self.receive(published, 1, terms=TERMS, complement=True)
        assert self.standing(published).complement
        assert 'rahdari_operator_complement{operator="sample-fibre"} 1' in metrics.exposition(now=NOW)
        self.receive(published, 2, terms=TERMS)
        assert not self.standing(published).complement
