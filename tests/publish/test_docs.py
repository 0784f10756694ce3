"""The documents name what there is; and every command of the runbooks is run, in the order of the page."""

import argparse
import datetime as dt
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent.faults import Exit
from rahdari.feed.repository import ROLES
from rahdari.publish import api, ceremony, commands, keys, metrics, queries, receipts, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator, RemovalHold
from rahdari.publish.rules import ReceiptStanding
from tests.builders.publishing import NOW, address, an_operator, entered, publish, struck_out

from .agents import AgentSide, serving
from .test_credentials import a_certificate, pem

DOCS = Path(__file__).resolve().parents[2] / "docs"
FEED = (DOCS / "feed.md").read_text(encoding="utf-8")
CEREMONY = (DOCS / "feed-keys.md").read_text(encoding="utf-8")


class TestFeedDocument:
    @pytest.mark.parametrize(
        ("role", "lasts"),
        [
            ("root", f"{rules.ROOT_LASTS.days} days"),
            ("targets", f"{rules.TARGETS_LAST.days} days"),
            *((role, f"{rules.FEED_LASTS.days} days") for role in ROLES),
            ("snapshot", f"{rules.SNAPSHOT_LASTS.total_seconds() / 3600:.0f} hours"),
            ("timestamp", f"{rules.TIMESTAMP_LASTS.total_seconds() / 3600:.0f} hour"),
        ],
    )
    def test_gives_the_term_of_each_role(self, role: str, lasts: str) -> None:
        row = next(line for line in FEED.splitlines() if line.startswith("| ") and role in line.split("|")[1])
        assert f"| {lasts} |" in row

    def test_names_every_problem_and_standing(self) -> None:
        source = Path(api.__file__).read_text(encoding="utf-8")
        problems = {*re.findall(r'problem\(\s*"([a-z-]+)"', source), *api.FEED.renamed.values(), "too-large"}
        assert len(problems) == 5
        for word in [*problems, *ReceiptStanding]:
            assert f"`{word}`" in FEED


def lines_of(page: str) -> list[str]:
    """The lines of a runbook that are to be typed, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^ {4,}((?:rahdari|register|install|rm|mv|cp) .*)$", text, re.MULTILINE)


class Machine:
    """Types the lines of a page, with its places in a folder of the test's. Returns what each command returned."""

    def __init__(self, folder: Path, words: Path) -> None:
        self.folder, self.words = folder, words
        for name in ("ceremony", "first", "second", "third", "fourth", "safe", "post"):
            (folder / name).mkdir(parents=True)

    def type(self, line: str, **replaced: str) -> int:
        for name, value in replaced.items():
            line = line.replace(name, value)
        given = []
        for word in shlex.split(line.partition(" --data ")[0]):
            for place in ("/media/", "/var/tmp/"):
                word = word.replace(place, f"{self.folder}/")
            given += ["--passphrase-file", str(self.words)] if word == "--passphrase" else [word]
        if given[0] != "rahdari":
            # Users and owners are the machine's own affair.
            plain = [word for word in given if word not in ("-o", "rahdari")]
            return subprocess.run(plain, check=False).returncode
        parser = argparse.ArgumentParser()
        commands.add_parser(parser.add_subparsers())
        options = parser.parse_args(given[1:])
        return int(options.run(options))


def now() -> dt.datetime:
    """As the commands have it."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    words = tmp_path / "words"
    words.write_text("six sample words in a row\n")
    return Machine(tmp_path / "media", words)


@pytest.mark.django_db
class TestKeyRunbook:
    def test_names_every_key(self) -> None:
        for role in keys.ONLINE:
            assert f"`{role}.pem`" in CEREMONY
        for role in keys.OFFLINE_ROLES:
            assert f"`{role}-1.pem` to `{role}-{keys.OFFLINE_KEYS}.pem`" in CEREMONY

    @pytest.mark.whole
    def test_is_run_from_its_first_line_to_its_last(
        self, data: Path, machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = lines_of("feed-keys.md")
        # The three lines that show how a draft is signed speak of the draft of a later section.
        shown = lines.index("rahdari feed sign /media/post/targets.draft")
        examples, lines = lines[shown : shown + 3], lines[:shown] + lines[shown + 3 :]
        assert [line.split()[2] for line in examples] == ["sign", "sign", "import"]
        first = next(number for number, line in enumerate(lines) if "feed renew" in line)
        for line in lines[:first]:
            assert machine.type(line) == 0, line
        feed = Repository(data)
        operator = an_operator()
        entered(address(0))
        publish(now())
        with serving(feed.path, operator) as url:
            agent = AgentSide(tmp_path / "agent", url, feed.metadata / "1.root.json")
            assert agent.sync(at=now()).exit is Exit.OK
            for number, line in enumerate(lines[first:], start=1):
                assert machine.type(line) == 0, (line, capsys.readouterr().err)
                entered(address(number))
                publish(now())
                # The agent sleeps through most of it.
                if number % 7 == 0:
                    outcome = agent.sync(at=now())
                    assert outcome.exit is Exit.OK, (line, outcome.faults)
            assert agent.sync(at=now()).exit is Exit.OK and len(agent.prefixes) == len(lines) - first + 1
        assert {line.split()[2] for line in lines if line.startswith("rahdari feed")} == {
            "keys", "status", "renew", "sign", "import", "rotate", "replace-key", "new-key"
        }  # fmt: skip

    def test_signs_on_a_machine_that_has_nothing(self, data: Path, machine: Machine, tmp_path: Path) -> None:
        """No data folder and no database: the real command, as a custodian types it."""
        offline = tmp_path / "stick"
        ceremony.make_feed_keys(offline=offline, now=NOW)
        draft = tmp_path / "targets.draft"
        draft.write_bytes(ceremony.draft_renewal(roles=["targets"], now=NOW).body)
        program = str(Path(sys.executable).with_name("rahdari"))
        bare = {"PATH": "/usr/bin:/bin", "RAHDARI_DATA": str(tmp_path / "nowhere"), "DATABASE_URL": "none"}
        for words in (["new-key", str(tmp_path / "root-7.pem")], ["sign", str(draft), "--offline", str(offline)]):
            done = subprocess.run(
                [program, "feed", *words], env=bare, capture_output=True, text=True, check=False, cwd=tmp_path
            )
            assert done.returncode == 0, done.stderr
        assert "It has all its signatures" in done.stdout
        assert not (tmp_path / "nowhere").exists()


@pytest.mark.django_db
class TestOtherRunbooks:
    def test_of_operators_access_is_run(self, feed: Repository, machine: Machine) -> None:
        lines = lines_of("feed-operators.md")
        (machine.folder / "sample-fibre.pem").write_bytes(pem(a_certificate()))
        key = "0123456789abcdef" * 4
        number = ""
        for line in lines:
            operator = queries.operator_by_slug("sample-fibre")
            if operator is not None and "--revoke" in line:
                receipts.enrol_key(operator=operator, key=key, now=NOW)
            if operator is not None:
                number = str(operator.credentials.latest("pk").pk)
            # The last of them is `keys` after `stop`: an operator that was stopped has nothing left to show.
            if "operator stop" in line:
                continue
            assert machine.type(line, **{"sample-fibre 1": f"sample-fibre {number}"}) == 0, line
        assert machine.type(next(line for line in lines if "operator stop" in line)) == 0
        assert not Operator.objects.get().active

    def test_of_holds_is_run(self, data: Path, machine: Machine) -> None:
        for line in lines_of("feed-keys.md")[:6]:
            assert machine.type(line) == 0, line
        an_operator()
        found = [entered(address(number)) for number in range(22)]
        publish()
        for each in found:
            struck_out(each)
        publish()
        hold = str(RemovalHold.objects.get().pk)[:8]
        for line in lines_of("holds.md"):
            # On the page one person may do all of it; here another has to approve in the end.
            assert machine.type(line, **{"1a2b3c4d": hold, "NAME": "duty"}) == 0, line
        feed = Repository(data)
        assert len(feed.statements(feed.offline_targets().signed)) == 1

    def test_of_metrics_names_each_of_them_and_each_alert(self, data: Path) -> None:
        page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
        told = metrics.exposition(now=NOW)
        for name in re.findall(r"^# TYPE (\S+)", told, re.MULTILINE):
            assert f"`{name}`" in page
        alerts = (DOCS.parent / "deploy" / "alerts-register.yml").read_text(encoding="utf-8")
        for name in re.findall(r"alert: (\w+)", alerts):
            assert f"`{name}`" in page

    @pytest.mark.parametrize("page", ["feed-keys.md", "feed-operators.md", "holds.md", "restore.md"])
    def test_name_every_word_that_belongs_there(self, page: str) -> None:
        belong = {
            "feed-keys.md": ["keys", "renew", "rotate", "replace-key", "new-key", "sign", "import", "status"],
            "feed-operators.md": ["add", "token", "certificate", "credentials", "end", "keys", "stop"],
            "holds.md": ["holds", "approve", "cancel", "reopen", "bulk"],
            "restore.md": ["missing", "new-session"],
        }
        text = (DOCS / page).read_text(encoding="utf-8")
        word = "operator" if page == "feed-operators.md" else "feed"
        for each in belong[page]:
            assert f"rahdari {word} {each}" in text

    def test_name_the_words_of_canaries(self) -> None:
        text = (DOCS / "feed-operators.md").read_text(encoding="utf-8")
        assert all(f"rahdari feed {each} " in text for each in ("canary", "canaries", "end-canary"))


def test_the_settings_of_this_room_stand_in_the_documents(settings: Any) -> None:
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in ("install.md", "holds.md", "monitoring.md"))
    for name in ("RAHDARI_FEED_URL", "RAHDARI_FEED_CERTIFICATE_HEADER", "RAHDARI_HOLD_HOURS", "RAHDARI_METRICS_TOKEN"):
        assert f"`{name}`" in text
