"""All of it real: the register, the publisher, the pushing process, the agent, and the server that takes receipts."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from rahdari.agent.configuration import FileTarget
from rahdari.agent.faults import Exit
from rahdari.publish import actions, ceremony, operator_lag
from tests.agent.feeds import a_configuration, sync
from tests.agent.test_following import following
from tests.builders.publishing import entered, moved, struck_out
from tests.push.process import pushing
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class TestFromRegisterToOperator:
    def test_each_change_is_in_force_and_the_server_knows(
        self, tmp_path: Path, settings: Any, live_server: LiveServer
    ) -> None:
        settings.DATA = data = tmp_path / "data"
        settings.ROOT_URLCONF = "rahdari.publish.urls"
        data.mkdir()
        ceremony.make_feed_keys(offline=data / "keys" / "feed-offline", now=now())
        token = actions.create_operator(slug="sample-edge", name="Sample Edge", asns=[64500], now=now())
        registration = entered("192.0.2.1/32", now=now())
        actions.publish_editions(now=now())
        log = tmp_path / "agent.log"
        with pushing(data, tmp_path / "push.log") as (_, port):
            root = data / "feed" / "metadata" / "1.root.json"
            target = FileTarget("json", "entries.json", tmp_path / "operator" / "entries.json")
            configuration = a_configuration(
                tmp_path / "operator", f"http://127.0.0.1:{port}", root, targets=(target,), receipts_to=live_server.url
            )
            configuration.token_file.write_text(token)
            assert sync(configuration).exit is Exit.OK
            with following(configuration, log):
                until(lambda: "listening" in log.read_text(), log)
                moved(registration, "192.0.2.9/32", now=now())
                entered("2001:db8::/64", now=now())
                actions.publish_editions(now=now())
                until(lambda: self.applied(target) == {"192.0.2.9/32", "2001:db8::/64"}, log)
                struck_out(registration, now=now())
                actions.publish_editions(now=now())
                until(lambda: self.applied(target) == {"2001:db8::/64"}, log)
                # A change was one edition for this operator's stream: entered, moved and entered, struck out.
                until(lambda: self.known() == ("in_sync", 2), log)

    def applied(self, target: FileTarget) -> set[str]:
        return {entry["prefix"] for entry in json.loads(target.path.read_bytes())["entries"]}

    def known(self) -> tuple[str, int | None]:
        (lag,) = operator_lag.operators_with_lag(now())
        return str(lag.state), lag.sequence
