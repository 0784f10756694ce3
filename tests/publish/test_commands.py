"""`rahdari feed` and `rahdari operator`, as they are typed."""

import argparse
import datetime as dt
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent.welcome import parse_welcome
from rahdari.publish import actions, ceremony, commands, credentials, keys, queries, rules
from rahdari.publish.commands.console import length_of_time
from rahdari.publish.credentials import NewCredential
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator
from tests.builders.publishing import NOW, address, an_operator, entered, publish, struck_out

from .receipts import a_receipt, received
from .test_credentials import a_certificate, pem

pytestmark = pytest.mark.django_db


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands.add_parser(parser.add_subparsers())
    options = parser.parse_args(words)
    code = options.run(options)
    assert isinstance(code, int)
    return code


def token_in(text: str) -> str:
    """The token of a welcome."""
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("token = "))


class TestFeedKeys:
    def test_makes_them_and_says_what_to_do_with_them(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("feed", "keys", "--offline", str(data / "keys" / "feed-offline")) == 0
        told = capsys.readouterr()
        root = (data / "feed" / "metadata" / "1.root.json").read_bytes()
        assert hashlib.sha256(root).hexdigest() in told.out
        assert "demonstrations only" in told.err and "no passphrase" in told.err

    def test_with_a_passphrase_elsewhere_needs_no_warning(
        self, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = tmp_path / "words"
        words.write_text("sample words\n")
        assert run("feed", "keys", "--offline", str(tmp_path / "stick"), "--passphrase-file", str(words)) == 0
        assert capsys.readouterr().err == ""
        renew = ("feed", "renew", "--offline", str(tmp_path / "stick"))
        assert run(*renew) == 1
        assert "it needs a passphrase" in capsys.readouterr().err
        assert run(*renew, "--root", "--passphrase-file", str(words)) == 0
        assert "Version 2 of root" in capsys.readouterr().out

    def test_twice_is_refused_and_says_why(self, feed: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("feed", "keys", "--offline", str(feed.data / "more")) == 1
        assert "none is written over" in capsys.readouterr().err

    @pytest.mark.parametrize("content", [None, "", "\nwords"])
    def test_a_passphrase_file_without_one_is_refused(
        self, data: Path, tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = tmp_path / "words"
        if content is not None:
            words.write_text(content)
        assert run("feed", "keys", "--offline", str(tmp_path / "stick"), "--passphrase-file", str(words)) == 1
        assert str(words) in capsys.readouterr().err and not queries.feed_keys_exist()

    def test_a_folder_that_cannot_be_written_is_named(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (data / "file").write_text("")
        assert run("feed", "keys", "--offline", str(data / "file" / "stick")) == 1
        assert "cannot be written" in capsys.readouterr().err and not queries.feed_keys_exist()


class TestFeedStatus:
    def test_says_that_keys_are_missing(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        entered(address(1))
        assert run("feed", "status") == 1
        assert "1 changes wait" in capsys.readouterr().err

    def test_shows_the_edition_its_age_and_every_expiry(
        self, feed: Repository, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("feed", "status") == 0
        assert "Nothing is published yet" in capsys.readouterr().out
        entered(address(1))
        publish()
        actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        assert run("feed", "status") == 0
        told = capsys.readouterr().out
        for words in (
            "Edition        1,",
            "Entries        1",
            "root",
            "targets",
            "snapshot",
            "timestamp",
            "no receipt yet",
        ):
            assert words in told

    def test_says_of_the_edition_it_names_when_that_was_in_force(
        self,
        feed: Repository,
        operator: Operator,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        second = dt.timedelta(seconds=1)
        began = NOW - 600 * second
        entered(address(1), now=began)
        entered(address(2), now=began, kind="dynamic")
        publish(began)
        # Another stream of the operator's came later, as after a time away.
        received(operator, a_receipt(operator, role="feed-static", after=second), after=-590 * second)
        received(operator, a_receipt(operator, role="feed-dynamic", after=375 * second), after=-220 * second)
        run("feed", "status")
        line = next(line for line in capsys.readouterr().out.splitlines() if operator.slug in line and "sync" in line)
        assert re.search(r"in sync: edition \d+, in force 0 min 1 s after it came", line)
        # What nobody has said to be in force was in force after no time.
        entered(address(3))
        publish()
        run("feed", "status")
        line = next(line for line in capsys.readouterr().out.splitlines() if operator.slug in line and "sync" in line)
        assert re.search(r"in sync: edition \d+, and edition \d+ has been out for ", line)
        assert "in force" not in line

    def test_asks_for_the_offline_keys_in_good_time(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made_at = NOW - rules.TARGETS_LAST + dt.timedelta(days=29)
        ceremony.make_feed_keys(offline=data / "stick", now=made_at)
        publish()
        assert run("feed", "status") == 0
        assert "renew it: rahdari feed renew --offline DIR" in capsys.readouterr().out

    def test_says_when_something_has_expired(
        self, feed: Repository, operator: Operator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publish(NOW - dt.timedelta(hours=2))
        assert run("feed", "status") == 1
        assert "EXPIRED" in capsys.readouterr().out

    def test_says_when_the_folder_cannot_be_read(
        self, feed: Repository, operator: Operator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        publish()
        repository = feed.of(operator.repository)
        published = repository.published()
        assert published is not None
        (repository.metadata / "timestamp.json").write_text("torn")
        assert run("feed", "status") == 1
        assert "timestamp.json" in capsys.readouterr().err


class TestOperator:
    def test_add_prints_a_welcome_that_an_agent_reads(
        self, feed: Repository, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.FEED_URL = "https://feed.example"
        words = ("operator", "add", "sample-fibre", "--name", "Sample Fibre", "--asn", "AS64500", "--asn", "64501")
        assert run(*words) == 0
        read = parse_welcome(capsys.readouterr().out)
        operator = credentials.holder([NewCredential.token(read.token)], now=NOW)
        assert operator is not None and operator.asns == [64500, 64501]
        root = (feed.metadata / "1.root.json").read_bytes()
        assert (read.server, read.root_sha256) == ("https://feed.example", hashlib.sha256(root).hexdigest())
        assert run(*words) == 1
        assert "rahdari operator token sample-fibre" in capsys.readouterr().err

    def test_token_follows_the_old_one_without_a_gap(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        old = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        assert run("operator", "token", "sample-fibre", "--old-ends", "7d", "--name", "north gateway") == 0
        said = capsys.readouterr().out
        new = token_in(said)
        assert "write the token into /etc/rahdari/token" in said
        assert "agent init" not in said
        assert credentials.holder([NewCredential.token(old)], now=NOW) is not None
        assert credentials.holder([NewCredential.token(new)], now=NOW) is not None
        assert run("operator", "token", "sample-fibre") == 0
        assert "the others ended" in capsys.readouterr().out
        later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
        assert (
            credentials.holder([NewCredential.token(old)], now=later)
            is None
            is credentials.holder([NewCredential.token(new)], now=later)
        )

    def test_certificate_credentials_and_end(
        self, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        an_operator()
        path = tmp_path / "agent.pem"
        path.write_bytes(pem(a_certificate()))
        assert run("operator", "certificate", "sample-fibre", str(path)) == 0
        told = capsys.readouterr().out
        assert "lets sample-fibre in until" in told and "token =" not in told
        assert run("operator", "certificate", "sample-fibre", str(path)) == 1
        assert "was given already" in capsys.readouterr().err
        for wrong in (tmp_path / "none.pem", Path(__file__)):
            assert run("operator", "certificate", "sample-fibre", str(wrong)) == 1
            assert str(wrong) in capsys.readouterr().err
        assert run("operator", "credentials", "sample-fibre") == 0
        *lines, mirrored = capsys.readouterr().out.splitlines()
        assert [line.split()[1] for line in lines] == ["token", "certificate"]
        assert f"repositories/{Operator.objects.get(slug='sample-fibre').repository}" in mirrored
        number = lines[1].split()[0]
        assert run("operator", "end", "sample-fibre", number, "--in", "24h") == 0
        assert run("operator", "end", "sample-fibre", number) == 0
        assert run("operator", "end", "sample-fibre", number) == 1
        assert "rahdari operator credentials sample-fibre" in capsys.readouterr().err

    def test_keys_shows_and_revokes_those_of_agents(self, feed: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        operator = an_operator()
        publish()
        received(operator)
        assert run("operator", "keys", "sample-fibre") == 0
        key = capsys.readouterr().out.split()[0]
        assert run("operator", "keys", "sample-fibre", "--revoke", "ffff") == 1
        assert run("operator", "keys", "sample-fibre", "--revoke", key[:12]) == 0
        assert run("operator", "keys", "sample-fibre") == 0
        assert "revoked" in capsys.readouterr().out.splitlines()[-1]

    def test_stop_ends_its_access(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        an_operator()
        assert run("operator", "stop", "sample-fibre") == 0
        assert not Operator.objects.get().active
        assert run("operator", "list") == 0
        assert "stopped" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "words",
        [["token"], ["stop"], ["credentials"], ["keys"], ["end", "1"], ["certificate", "file"]],
        ids=lambda words: words[0],
    )
    def test_of_an_unknown_operator_is_refused(
        self, data: Path, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        word, *rest = words
        assert run("operator", word, "nobody", *rest) == 1
        assert "rahdari operator list" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7w", "7.5h", "99999d", "٧d"])
    def test_refuses_a_length_that_is_none(self, text: str) -> None:
        with pytest.raises(argparse.ArgumentTypeError):
            length_of_time(text)

    @pytest.mark.parametrize("text", ["AS", "0", "AS4294967296", "-1", "x"])
    def test_refuses_a_number_that_is_no_as_number(self, text: str) -> None:
        with pytest.raises(argparse.ArgumentTypeError):
            commands.asn(text)


class TestHolds:
    def test_are_shown_approved_cancelled_and_opened_again(
        self, feed: Repository, capsys: pytest.CaptureFixture[str]
    ) -> None:
        an_operator()
        assert run("feed", "holds") == 0
        assert "Nothing waits" in capsys.readouterr().out
        found = [entered(address(number)) for number in range(25)]
        publish(dt.datetime.now(dt.UTC))
        for each in found[:22]:
            struck_out(each)
        publish(dt.datetime.now(dt.UTC))
        assert run("feed", "status") == 0
        assert "1 mass removals wait" in capsys.readouterr().out
        assert run("feed", "holds") == 0
        told = capsys.readouterr().out
        assert "22 of 25 entries wait" in told and "22 ended by officer:1" in told
        hold = told.split()[0]
        reason = ("--reason", "It is right.", "--by", "duty")
        assert run("feed", "cancel", hold, *reason) == 0
        assert run("feed", "approve", hold, *reason) == 1
        assert "is cancelled" in capsys.readouterr().err
        assert run("feed", "reopen", hold, *reason) == 0
        assert run("feed", "approve", hold, *reason) == 1
        assert "A second person has to" in capsys.readouterr().err
        assert run("feed", "approve", hold, "--reason", "It is right.", "--by", "second") == 0
        assert run("feed", "holds") == 0
        assert "approved by system:second" in capsys.readouterr().out
        for words in (["approve", "ffffffff", *reason], ["bulk", "ffffffff", "--draft", "x"]):
            assert run("feed", *words) == 1
            assert "There is no hold" in capsys.readouterr().err


class TestCustody:
    def test_says_in_words_what_cannot_be(
        self, feed: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        an_operator()
        publish()
        offline, standby = feed.data / "keys" / "feed-offline", feed.data / "keys" / "feed-offline" / keys.STANDBY
        draft, nothing = str(tmp_path / "draft"), str(tmp_path / "nothing")
        (tmp_path / "torn").write_text("{}")
        for words, said in (
            (["rotate", "root", "timestamp", "--draft", draft], "rotated by themselves"),
            (["rotate", "root", "--draft", draft], "--new DIR makes them"),
            (["rotate", "timestamp", "--draft", draft], "--standby DIR"),
            (["rotate", "nobody", "--standby", str(standby), "--draft", draft], "There is no role nobody"),
            (["rotate", "root", "--new", nothing, "--threshold", "3", "--draft", draft], "3 of 3 keys cannot be"),
            (["rotate", "root", "--new", nothing, "--replace", "4", "--draft", draft], "the numbers 1 to 3"),
            (["rotate", "root", "--public", draft, "--replace", "1", "2", "--draft", draft], "one public key for each"),
            (["replace-key", "timestamp", "--standby", nothing], "timestamp.pem cannot be used"),
            (["renew", "--offline", nothing], "cannot be used: there is no key targets-1.pem"),
            (["sign", nothing], "cannot be read or written"),
            (["import", str(tmp_path / "torn")], "The draft cannot be used"),
        ):
            assert run("feed", *words) == 1, words
            assert said in capsys.readouterr().err, words
        assert run("feed", "renew", "--draft", draft) == 0
        assert run("feed", "import", draft) == 1
        assert "2 more by targets keys" in capsys.readouterr().err
        assert run("feed", "sign", draft, "--offline", str(offline)) == 0
        assert run("feed", "sign", draft, "--offline", str(offline)) == 1
        assert "have signed already" in capsys.readouterr().err
        assert run("feed", "import", draft) == 0
        assert run("feed", "import", draft) == 1
        assert "make a new draft" in capsys.readouterr().err
        assert run("feed", "new-key", str(tmp_path / "root-9.pem")) == 0
        assert run("feed", "new-key", str(tmp_path / "root-9.pem")) == 1
        assert "none is written over" in capsys.readouterr().err

    def test_status_names_the_keys_and_warns_without_a_standby(
        self, feed: Repository, capsys: pytest.CaptureFixture[str]
    ) -> None:
        an_operator()
        publish(dt.datetime.now(dt.UTC))
        assert run("feed", "status") == 0
        assert capsys.readouterr().out.count("trusted beside it") == len(keys.ONLINE)
        (keys.online_folder(feed.data) / "timestamp.pem").unlink()
        assert run("feed", "status") == 1
        assert "timestamp.pem cannot be used" in capsys.readouterr().err
