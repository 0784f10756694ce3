"""The documents name what there is: roles and their terms, problems, standings, commands, files."""

import argparse
import re
from pathlib import Path

import pytest

from rahdari.publish import api, commands, keys, rules
from rahdari.publish.rules import ReceiptStanding

DOCS = Path(__file__).resolve().parents[2] / "docs"
FEED = (DOCS / "feed.md").read_text(encoding="utf-8")
CEREMONY = (DOCS / "feed-keys.md").read_text(encoding="utf-8")


class TestFeedDocument:
    @pytest.mark.parametrize(
        ("role", "lasts"),
        [
            ("root", f"{rules.ROOT_LASTS.days} days"),
            ("targets", f"{rules.TARGETS_LAST.days} days"),
            ("feed", f"{rules.FEED_LASTS.days} days"),
            ("snapshot", f"{rules.SNAPSHOT_LASTS.total_seconds() / 3600:.0f} hours"),
            ("timestamp", f"{rules.TIMESTAMP_LASTS.total_seconds() / 3600:.0f} hour"),
        ],
    )
    def test_gives_the_term_of_each_role(self, role: str, lasts: str) -> None:
        row = next(line for line in FEED.splitlines() if line.startswith(f"| {role} |"))
        assert f"| {lasts} |" in row

    def test_gives_the_numbers_of_files(self) -> None:
        assert f"at most {rules.LIVE_DELTAS} deltas and {rules.LIVE_SNAPSHOTS} snapshots" in FEED
        assert f"every {rules.SNAPSHOT_EVERY} editions there is a snapshot" in FEED.replace("\n", " ")
        assert f"{rules.KEPT_UNREFERENCED.total_seconds() / 3600:.0f} hours after the metadata stop" in FEED

    def test_names_every_problem_and_standing(self) -> None:
        source = Path(api.__file__).read_text(encoding="utf-8")
        problems = set(re.findall(r'_problem\(\s*\d+,\s*"([a-z-]+)"', source))
        assert len(problems) == 6
        for word in [*problems, *ReceiptStanding]:
            assert f"`{word}`" in FEED


class TestKeyCeremony:
    def test_names_every_key(self) -> None:
        for role in keys.ONLINE:
            assert f"`{role}.pem`" in CEREMONY
        for role in ("root", "targets"):
            assert f"`{role}-1.pem` to `{role}-{keys.OFFLINE_KEYS}.pem`" in CEREMONY

    def test_shows_commands_that_there_are(self) -> None:
        shown = re.findall(r"^    rahdari (feed .*)$", CEREMONY, re.MULTILINE)
        assert len(shown) == 3
        parser = argparse.ArgumentParser()
        commands.add_parser(parser.add_subparsers())
        for line in shown:
            assert parser.parse_args(line.partition(" --data")[0].split()).run
