"""A register that was installed by the book is watched: what Prometheus reads, and each alert that it may send."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from rahdari.dyndns import metrics as dyndns_metrics
from rahdari.letters import metrics as letters_metrics
from rahdari.lookup import counters
from rahdari.ops.backup import state
from rahdari.publish import metrics
from rahdari.push import app as push
from rahdari.web import front
from rahdari.web import metrics_access as watching
from tests.builders.publishing import NOW
from tests.needs import needs_program
from tests.ops.installed import DROPPED, Installation
from tests.ports import free_port
from tests.waiting import PATIENCE, until

TREE = Path(__file__).parents[2]

REGISTER = TREE / "deploy" / "alerts-register.yml"
AGENT = TREE / "deploy" / "prometheus" / "rahdari-agent.rules.yml"
CASES = Path(__file__).with_name("alerts.cases.yml")
AGENT_CASES = TREE / "tests" / "agent" / "test_metrics.py"
DOCS = TREE / "docs"


def rules_of(path: Path) -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


class TestAlerts:
    @pytest.mark.whole
    def test_of_the_register_fire_each_when_it_is_so(self, tmp_path: Path) -> None:
        promtool = needs_program("promtool", "apt-get install prometheus")
        cases = tmp_path / "cases.yml"
        cases.write_text(CASES.read_text().replace("RULES", str(REGISTER)))
        told = subprocess.run([promtool, "test", "rules", str(cases)], capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        expected = set(re.findall(r'alertname="(\w+)"', CASES.read_text()))
        assert expected == {str(rule["alert"]) for rule in rules_of(REGISTER)}

    def test_of_the_agent_fire_each_when_it_is_so(self) -> None:
        """Fired by tests/agent/test_metrics.py; here none is left out."""
        expected = set(re.findall(r"alertname: (\w+)|alertname=\"(\w+)\"", AGENT_CASES.read_text()))
        names = {name for pair in expected for name in pair if name}
        assert {str(rule["alert"]) for rule in rules_of(AGENT)} <= names

    @pytest.mark.django_db
    def test_ask_for_what_the_register_tells(self, settings: Any, tmp_path: Path) -> None:
        settings.DATA = tmp_path
        (tmp_path / "backup").mkdir()
        state.note(tmp_path, {"backup": {"finished_at": NOW.isoformat()}, "proved": None})
        pages = [
            metrics.exposition(now=NOW),
            letters_metrics.exposition(now=NOW),
            dyndns_metrics.exposition(now=NOW),
            counters.as_metrics(counters.Counts(), [], troubles=0, is_ready=True, oldest_seconds=1).decode(),
            watching.exposition(front.families([], NOW)),
            push.as_metrics(ready=True, unread=0).decode(),
        ]
        told = {line.split()[2] for page in pages for line in page.splitlines() if line.startswith("# TYPE")}
        for text in (REGISTER.read_text(), CASES.read_text()):
            asked = set(re.findall(r"\brahdari_[a-z_]+", text))
            assert asked and asked <= told, asked - told
        promtool = needs_program("promtool", "apt-get install prometheus")
        for page in pages:
            linted = subprocess.run(
                [promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False
            )
            assert linted.returncode == 0, linted.stdout + linted.stderr

    @pytest.mark.parametrize("path", [REGISTER, AGENT], ids=["register", "agent"])
    def test_lead_each_to_what_to_do(self, path: Path) -> None:
        page = (DOCS / "alerts.md").read_text(encoding="utf-8")
        headings = re.findall(r"^## (\w+)$", page, re.MULTILINE)
        assert len(headings) == len(set(headings))
        for rule in rules_of(path):
            name, annotations = str(rule["alert"]), rule["annotations"]
            assert isinstance(annotations, dict)
            if path == REGISTER:
                assert annotations["runbook"] == f"docs/alerts.md#{name.lower()}"
            assert name in headings
            said = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
            assert len(said.split()) > 7, name
        known = {str(rule["alert"]) for each in (REGISTER, AGENT) for rule in rules_of(each)}
        assert set(headings) == known


def asked(url: str, host: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except OSError:
        return 0, ""


@contextmanager
def running(*command: str, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)


@pytest.mark.whole
class TestScrape:
    def test_of_a_register_by_the_book_reads_every_page(self, installation: Installation, tmp_path: Path) -> None:
        """The jobs of docs/monitoring.md in Debian's Prometheus, and the settings of deploy/rahdari.env."""
        prometheus = needs_program("prometheus", "apt-get install prometheus")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        own = kept | {
            "RAHDARI_DATA": str(installation.data),
            "DATABASE_URL": installation.server.url,
            "DJANGO_SETTINGS_MODULE": "rahdari.settings.production",
            "RAHDARI_SECRET_KEY": "a" * 48,
            # No resolver is asked, and nobody answers there.
            "RAHDARI_URL": f"https://localhost:{free_port()}",
            "RAHDARI_HOSTS": "localhost",
            "RAHDARI_TRUSTED_PROXIES": "127.0.0.1/32",
        }
        web, lookup, feed, own_port = (free_port() for _ in range(4))
        page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
        block = re.search(r"^    scrape_configs:\n(?:    .*\n)+", page, re.MULTILINE)
        assert block is not None
        text = re.sub(r"^    ", "", block[0], flags=re.MULTILINE)
        text = text.replace(":8000", f":{web}").replace(":8001", f":{feed}").replace(":8002", f":{lookup}")
        text = text.replace("/etc/prometheus/alerts-register.yml", str(REGISTER))
        configuration = tmp_path / "prometheus.yml"
        # A page may take as long as there is between two looks: on a busy machine more than a second.
        configuration.write_text("global: {scrape_interval: 10s, evaluation_interval: 10s}\n" + text)
        program = [sys.executable, "-P", "-m", "rahdari"]
        listen = ["--host", "127.0.0.1", "--port"]
        with (
            running(*program, "web", *listen, str(web), "--workers", "1", environment=own),
            running(*program, "lookup", *listen, str(lookup), environment=own),
            running(*program, "push", *listen, str(feed), environment=own),
            running(
                prometheus,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{own_port}",
                environment=kept,
            ),
        ):
            at = f"http://127.0.0.1:{own_port}/api/v1"

            def health() -> dict[str, str]:
                told = json.loads(asked(f"{at}/targets")[1] or '{"data": {"activeTargets": []}}')
                return {each["labels"]["job"]: each["health"] for each in told["data"]["activeTargets"]}

            names = ("register", "letters", "dyndns", "held", "front", "push", "lookup")
            jobs = {f"rahdari-{name}" for name in names}
            until(lambda: health() == dict.fromkeys(jobs, "up"), patience=300)
            loaded = json.loads(asked(f"{at}/rules")[1])["data"]["groups"]
            assert {rule["name"] for group in loaded for rule in group["rules"]} == {
                rule["alert"] for rule in rules_of(REGISTER)
            }

            # No loop runs here, and Prometheus sees that.
            def at_rest() -> int:
                told = json.loads(asked(f"{at}/query?query=rahdari_loop_at_work==0")[1] or '{"data": {"result": []}}')
                return len(told["data"]["result"])

            until(lambda: at_rest() == len(watching.LOOPS), patience=300)

            # The host is told as strictly as before, of every page and under every other name.
            here = f"http://127.0.0.1:{web}"
            assert asked(f"{here}/metrics", "evil.example")[0] == 400
            assert asked(f"{here}/")[0] == 400
            assert asked(f"{here}/metricsx")[0] == 400
            assert asked(f"{here}/metrics", f"localhost:{web}")[0] == 200
