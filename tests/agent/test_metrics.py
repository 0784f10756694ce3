"""What a monitoring system sees, read by the programs that will read it."""

import datetime as dt
import http.client
import re
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rahdari.agent.configuration import Configuration, FileTarget, file_target
from rahdari.agent.disk import DiskFull
from rahdari.agent.folder import open_state
from rahdari.agent.following import _log
from rahdari.agent.listening import Way
from rahdari.agent.metrics import Page, success_in
from rahdari.agent.metrics_server import Showing
from rahdari.agent.state import AgentState
from rahdari.agent.status_file import remembered
from rahdari.agent.syncing import Agent
from tests.agent.feeds import Publisher, Stand, an_entry, now, running, sync
from tests.agent.servers import Authority
from tests.needs import needs_program
from tests.ports import free_port

RULES = Path(__file__).resolve().parent.parent.parent / "deploy" / "prometheus" / "rahdari-agent.rules.yml"


def shown(configuration: Configuration) -> dict[str, str]:
    """The page after one sync, as a map."""
    return read(page_after(configuration))


def page_after(configuration: Configuration) -> str:
    configuration = replace(configuration, metrics_file=configuration.state.with_name("rahdari.prom"))
    with open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        with Showing(agent) as showing:
            showing.show(agent.sync(now=now()), way=Way.STREAM)
        agent.close()
    assert configuration.metrics_file is not None
    return configuration.metrics_file.read_text()


def read(page: str) -> dict[str, str]:
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    return {name: value.removesuffix(".0") for name, _, value in (line.rpartition(" ") for line in lines)}


class TestPage:
    def test_tells_what_is_held_applied_and_wrong(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        publisher.publish(an_entry("192.0.2.9/32"), kind="canary")
        page = shown(configuration)
        assert page['rahdari_agent_sequence{role="feed-static"}'] == "1"
        assert page['rahdari_agent_entries{role="feed-static"}'] == "2"
        assert page['rahdari_agent_entries{role="feed-canary"}'] == "1"
        assert page["rahdari_agent_in_force_entries"] == "3"
        assert page["rahdari_agent_kept_stale_entries"] == "0"
        assert page['rahdari_agent_target_ok{kind="json",target="entries.json"}'] == "1"
        assert page['rahdari_agent_target_loaded_entries{kind="json",target="entries.json"}'] == "3"
        assert page["rahdari_agent_exit_code"] == "0"
        assert page['rahdari_agent_syncs_total{exit="0"}'] == "1"
        assert page["rahdari_agent_receipts_waiting"] == "0"
        assert page['rahdari_agent_following{way="stream"}'] == "1"
        assert int(page["rahdari_agent_fetched_bytes_total"]) > 1000
        assert float(page["rahdari_agent_sync_seconds"]) >= float(page["rahdari_agent_apply_seconds"]) > 0
        for name in ("signed", "verified", "last_sync", "last_success"):
            assert abs(float(page[f"rahdari_agent_{name}_timestamp_seconds"]) - now().timestamp()) < 60
        assert not any(name.startswith("rahdari_agent_fault{") for name in page)

    def test_names_each_fault_and_remembers_the_last_success(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        well = shown(configuration)
        stand.receipt_status = 503
        publisher.publish(an_entry("192.0.2.1/32"))
        nowhere = configuration.state / "not-there" / "entries.json"
        failing = replace(configuration, targets=(*configuration.targets, file_target("json", "n", nowhere)))
        page = shown(failing)
        assert page['rahdari_agent_fault{name="FileNotWritten"}'] == "1"
        assert page['rahdari_agent_fault{name="ReceiptNotTaken"}'] == "1"
        assert page['rahdari_agent_target_ok{kind="json",target="n"}'] == "0"
        assert page["rahdari_agent_exit_code"] == "4"
        assert page["rahdari_agent_receipts_waiting"] != "0"
        # Another process, and it knows from the file when all was well.
        assert (
            page["rahdari_agent_last_success_timestamp_seconds"] == well["rahdari_agent_last_success_timestamp_seconds"]
        )
        assert "rahdari_agent_last_sync_timestamp_seconds" in page

    def test_counts_what_is_in_force_on_a_full_disk(
        self, publisher: Publisher, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        shown(configuration)

        def full(self: AgentState, **_: object) -> None:
            raise DiskFull(configuration.state)

        monkeypatch.setattr(AgentState, "transaction", full)
        with running(configuration) as agent, Showing(agent) as showing:
            # Later by what is written down with each look.
            showing.show(agent.sync(now=now() + dt.timedelta(minutes=1)))
            page = read(showing.page)
        assert page['rahdari_agent_fault{name="DiskFull"}'] == "1"
        assert page["rahdari_agent_in_force_entries"] == "2"

    def test_tells_what_was_taken_out_for_some_minutes_and_counts_it(
        self,
        publisher: Publisher,
        configuration: Configuration,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Whoever looks each minute, and asks each quarter of one, shall see it."""
        publisher.publish(an_entry("192.0.2.1/32"))
        fault, counter = 'rahdari_agent_fault{name="RemovedLocally"}', "rahdari_agent_removed_locally_total"
        file = next(target.path for target in configuration.targets if isinstance(target, FileTarget))
        with running(configuration) as agent, Showing(agent) as showing:
            told = ""
            pages = []

            def round_of() -> None:
                nonlocal told
                outcome = agent.sync(now=now())
                told = _log(outcome, told)
                showing.show(outcome)
                pages.append(read(showing.page))

            pages.append(read(showing.page))
            round_of()
            for _ in range(2):
                file.write_text("")
                round_of()
                assert "192.0.2.1" in file.read_text()
                round_of()
            monkeypatch.setattr("rahdari.agent.syncing.REMOVED_SECONDS", 0.0)
            agent._removed.clear()
            round_of()
        assert [page[counter] for page in pages] == ["0", "0", "1", "1", "2", "2", "2"]
        assert [fault in page for page in pages] == [False, False, True, True, True, True, False]
        # Told each time that it was found, and no oftener.
        assert caplog.text.count("was not as it had been written") == 2
        with open_state(configuration.state) as state:
            assert "RemovedLocally" not in {kept.name for kept in remembered(state.folder)}

    def test_counts_what_is_held_back(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 51)]
        publisher.publish(*entries)
        sync(configuration)
        publisher.publish(remove=entries[:30])
        page = shown(configuration)
        assert page['rahdari_agent_held_entries{role="feed-static"}'] == "30"
        assert page['rahdari_agent_entries{role="feed-static"}'] == "20"
        assert page["rahdari_agent_in_force_entries"] == "50"
        assert page['rahdari_agent_fault{name="RemovalsHeld"}'] == "1"

    def test_tells_when_the_certificate_ends(self, tmp_path: Path, configuration: Configuration) -> None:
        issued = Authority(tmp_path / "authority").issue("client", client=True, days=10)
        behind = replace(configuration, client_certificate=issued.certificate, client_key=issued.key)
        left = float(shown(behind)["rahdari_agent_certificate_end_timestamp_seconds"]) - now().timestamp()
        assert 9 * 86_400 < left < 11 * 86_400

    def test_is_there_before_the_first_edition(self, tmp_path: Path, configuration: Configuration) -> None:
        away = replace(configuration, server=f"http://127.0.0.1:{free_port()}")
        page = shown(away)
        assert page['rahdari_agent_fault{name="NotReached"}'] == "1"
        assert page['rahdari_agent_target_ok{kind="json",target="entries.json"}'] == "0"
        assert "rahdari_agent_last_success_timestamp_seconds" not in page

    def test_is_what_prometheus_reads(self, publisher: Publisher, configuration: Configuration) -> None:
        promtool = needs_program("promtool", "apt-get install prometheus")
        publisher.publish(an_entry("192.0.2.1/32"))
        strange = replace(
            configuration, targets=(file_target("json", 'a "strange" \\ name', configuration.state / "one.json"),)
        )
        page = page_after(strange)
        told = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True)
        assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
        assert 'target="a \\"strange\\" \\\\ name"' in page

    def test_escapes_what_would_end_a_line(self) -> None:
        page = Page()
        page.add("one", "gauge", "One.", [({"name": 'a"b\\c\nd'}, 0.5)])
        page.add("none", "gauge", "Nothing.", [])
        page.add("no", "gauge", "Nothing.", None)
        assert page.text.splitlines() == [
            "# HELP rahdari_agent_one One.",
            "# TYPE rahdari_agent_one gauge",
            'rahdari_agent_one{name="a\\"b\\\\c\\nd"} 0.5',
        ]

    @pytest.mark.parametrize("text", ["", "rahdari_agent_last_success_timestamp_seconds\n", "x 7\n", "\0"])
    def test_of_before_may_be_anything(self, text: str) -> None:
        assert success_in(text) is None


class TestEndpoint:
    def serving(self, configuration: Configuration, port: int, host: str = "127.0.0.1") -> Configuration:
        return replace(configuration, metrics=(host, port))

    def test_answers_who_asks_on_this_machine(self, publisher: Publisher, configuration: Configuration) -> None:
        port = free_port()
        with open_state(configuration.state) as state:
            agent = Agent(self.serving(configuration, port), state)
            with Showing(agent) as showing:
                before = ask(port, "/metrics")
                assert "rahdari_agent_info" in before[1]
                assert "rahdari_agent_exit_code" not in before[1]
                showing.show(agent.sync(now=now()), way=Way.STREAM)
                status, page, kind = ask(port, "/metrics")
                assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
                assert read(page)["rahdari_agent_exit_code"] == "0"
                assert ask(port, "/")[0] == ask(port, "/metrics/../token")[0] == 404
                assert ask(port, "/metrics", method="POST")[0] == 501
            agent.close()
        with pytest.raises(OSError, match="refused"):
            ask(port, "/metrics")

    def test_over_ipv6_too(self, configuration: Configuration) -> None:
        port = free_port()
        with open_state(configuration.state) as state:
            agent = Agent(self.serving(configuration, port, "::1"), state)
            with Showing(agent):
                assert ask(port, "/metrics", host="::1")[0] == 200
            agent.close()

    def test_that_cannot_be_opened_stops_nothing(
        self, configuration: Configuration, caplog: pytest.LogCaptureFixture
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken, open_state(configuration.state) as state:
            port = taken.getsockname()[1]
            agent = Agent(self.serving(configuration, port), state)
            with Showing(agent) as showing:
                showing.show(agent.sync(now=now()))
            agent.close()
        assert f"cannot be served at 127.0.0.1 port {port}: Address already in use" in caplog.text

    def test_file_that_cannot_be_written_stops_nothing(
        self, tmp_path: Path, configuration: Configuration, caplog: pytest.LogCaptureFixture
    ) -> None:
        nowhere = replace(configuration, metrics_file=tmp_path / "not-there" / "rahdari.prom")
        with open_state(nowhere.state) as state:
            agent = Agent(nowhere, state)
            with Showing(agent) as showing:
                showing.show(agent.sync(now=now()))
            agent.close()
        assert "No such file or directory" in caplog.text


def ask(port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers["Content-Type"]
    finally:
        connection.close()


class TestAlerts:
    def test_are_understood_by_prometheus_and_name_metrics_that_there_are(
        self, publisher: Publisher, configuration: Configuration, tmp_path: Path
    ) -> None:
        promtool = needs_program("promtool", "apt-get install prometheus")
        told = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 51)]
        publisher.publish(*entries)
        sync(configuration)
        publisher.publish(remove=entries[:30])
        issued = Authority(tmp_path / "authority").issue("client", client=True)
        known = page_after(replace(configuration, client_certificate=issued.certificate, client_key=issued.key))
        known += read_last_success()
        words = {word for word in re.split(r"[][{}()\s]", RULES.read_text()) if word.startswith("rahdari_agent_")}
        assert words
        assert [word for word in sorted(words) if f"# TYPE {word} " not in known] == []

    def test_say_what_they_say_when_it_is_so(self, tmp_path: Path) -> None:
        promtool = needs_program("promtool", "apt-get install prometheus")
        cases = tmp_path / "cases.yml"
        cases.write_text(CASES.replace("RULES", str(RULES)))
        told = subprocess.run([promtool, "test", "rules", str(cases)], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr


def read_last_success() -> str:
    """Of a sync that ended with 0; the page above is of one that did not."""
    return "# TYPE rahdari_agent_last_success_timestamp_seconds gauge\n"


CASES = """
rule_files: [RULES]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'rahdari_agent_signed_timestamp_seconds{instance="edge"}', values: "0x60"}
      - {series: 'rahdari_agent_fresh_until_timestamp_seconds{instance="edge"}', values: "3600x100"}
      - {series: 'rahdari_agent_last_success_timestamp_seconds{instance="edge"}', values: "0x10 600x90"}
      - {series: 'rahdari_agent_target_ok{instance="edge",target="rahdari",kind="nftables"}', values: "1x5 0x60"}
      - {series: 'rahdari_agent_held_entries{instance="edge",role="feed-static"}', values: "_x9 30x60"}
      - {series: 'rahdari_agent_exit_code{instance="edge"}', values: "0x9 3x60"}
      - {series: 'rahdari_agent_exit_code{instance="full"}', values: "0x9 6x60"}
      - {series: 'rahdari_agent_fault{instance="edge",name="ClockWrong"}', values: "_x9 1x60"}
      - {series: 'rahdari_agent_removed_locally_total{instance="edge"}', values: "0x55 1x10"}
      - {series: 'rahdari_agent_fault{instance="seldom",name="RemovedLocally"}', values: "_x58 1x10"}
      - {series: 'rahdari_agent_following{instance="edge",way="poll"}', values: "0x9 1x60"}
      - {series: 'rahdari_agent_receipts_waiting{instance="edge"}', values: "0x9 4x60"}
      - {series: 'rahdari_agent_certificate_end_timestamp_seconds{instance="edge"}', values: "1000000x100"}
    alert_rule_test:
      - {alertname: RahdariFeedOld, eval_time: 14m, exp_alerts: []}
      - alertname: RahdariFeedOld
        eval_time: 20m
        exp_alerts:
          - exp_labels: {severity: warning, instance: edge}
            exp_annotations:
              summary: The newest signature of the feed at edge is 20m 0s old.
              description: >-
                The publisher signs every 5 minutes. New entries do not arrive. What was applied stays enforced.
      - {alertname: RahdariTargetNotApplied, eval_time: 5m, exp_alerts: []}
      - alertname: RahdariTargetNotApplied
        eval_time: 12m
        exp_alerts:
          - exp_labels: {severity: critical, instance: edge, target: rahdari, kind: nftables}
            exp_annotations:
              summary: rahdari (nftables) on edge lacks the edition that is held.
              description: >-
                It keeps what it had, so new endpoints are not protected there. `rahdari agent status` says why.
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{alertstate="firing"})
        eval_time: 61m
        exp_samples:
          - {labels: '{alertname="RahdariAgentNotWatched"}', value: 1}
          - {labels: '{alertname="RahdariCertificateEnds"}', value: 1}
          - {labels: '{alertname="RahdariClockWrong"}', value: 1}
          - {labels: '{alertname="RahdariFeedOld"}', value: 1}
          - {labels: '{alertname="RahdariFeedRefused"}', value: 1}
          - {labels: '{alertname="RahdariFeedStale"}', value: 1}
          - {labels: '{alertname="RahdariNoPush"}', value: 1}
          - {labels: '{alertname="RahdariNotWell"}', value: 1}
          - {labels: '{alertname="RahdariReceiptsWait"}', value: 1}
          - {labels: '{alertname="RahdariRemovalsHeld"}', value: 1}
          - {labels: '{alertname="RahdariRemovedLocally"}', value: 2}
          - {labels: '{alertname="RahdariStateUnusable"}', value: 1}
          - {labels: '{alertname="RahdariTargetNotApplied"}', value: 1}
  - interval: 1m
    input_series:
      - {series: 'up{job="rahdari-agent",instance="edge"}', values: "1x4 0x20"}
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{alertstate="firing"})
        eval_time: 15m
        exp_samples:
          - {labels: '{alertname="RahdariAgentAway"}', value: 1}
"""
