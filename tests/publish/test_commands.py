"""`rahdari feed` and `rahdari operator`, as they are typed."""

import argparse
import datetime as dt
import hashlib
from pathlib import Path

import pytest

from rahdari.publish import actions, commands, queries, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator

from .world import NOW, address, entered, publish

pytestmark = pytest.mark.django_db


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands.add_parser(parser.add_subparsers())
    options = parser.parse_args(words)
    code = options.run(options)
    assert isinstance(code, int)
    return code


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

    def test_asks_for_the_offline_keys_in_good_time(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        made_at = NOW - rules.TARGETS_LAST + dt.timedelta(days=29)
        actions.make_feed_keys(offline=data / "stick", now=made_at)
        publish()
        assert run("feed", "status") == 0
        assert "renew it: rahdari feed renew --offline DIR" in capsys.readouterr().out

    def test_says_when_something_has_expired(self, feed: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        publish(NOW - dt.timedelta(hours=2))
        assert run("feed", "status") == 1
        assert "EXPIRED" in capsys.readouterr().out

    def test_says_when_the_folder_cannot_be_read(self, feed: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        publish()
        (feed.metadata / "1.snapshot.json").unlink()
        assert run("feed", "status") == 1
        assert "1.snapshot.json" in capsys.readouterr().err


class TestOperator:
    def test_add_prints_the_token_that_lets_it_in(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = ("operator", "add", "sample-fibre", "--name", "Sample Fibre", "--asn", "AS64500", "--asn", "64501")
        assert run(*words) == 0
        token = capsys.readouterr().out.splitlines()[-1]
        operator = queries.operator_by_token(token)
        assert operator is not None and operator.asns == [64500, 64501]
        assert run(*words) == 1
        assert "rahdari operator token sample-fibre" in capsys.readouterr().err
        assert run("operator", "token", "sample-fibre") == 0
        assert queries.operator_by_token(token) is None
        assert run("operator", "stop", "sample-fibre") == 0
        assert not Operator.objects.get().active
        assert run("operator", "list") == 0
        assert "stopped" in capsys.readouterr().out

    @pytest.mark.parametrize("word", ["token", "stop"])
    def test_of_an_unknown_operator_is_refused(self, data: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("operator", word, "nobody") == 1
        assert "rahdari operator list" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["AS", "0", "AS4294967296", "-1", "x"])
    def test_refuses_a_number_that_is_no_as_number(self, text: str) -> None:
        with pytest.raises(argparse.ArgumentTypeError):
            commands.asn(text)
