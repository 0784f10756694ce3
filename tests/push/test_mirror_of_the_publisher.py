"""The mirror over a folder that the real publisher wrote, and an agent that has nothing but the mirror."""

import datetime as dt
import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rahdari.publish import actions, ceremony
from rahdari.push.stores import Folder
from tests.agent.feeds import a_configuration, sync
from tests.builders.publishing import entered
from tests.ports import free_port
from tests.push.test_mirror import carried, stored

pytestmark = pytest.mark.django_db


@contextmanager
def given_out(folder: Path) -> Iterator[str]:
    """The folder by the simplest web server there is."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestMirrorOfThePublisher:
    def test_is_enough_for_an_agent_and_holds_nothing_but_what_the_metadata_name(
        self, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        settings.DATA = data = tmp_path / "data"
        data.mkdir()
        now = dt.datetime.now(dt.UTC)
        ceremony.make_feed_keys(offline=data / "keys" / "feed-offline", now=now)
        for slug, asn in (("sample-one", 64500), ("sample-two", 64501)):
            actions.create_operator(slug=slug, name=slug, asns=[asn], now=now)
        entered("192.0.2.1/32", now=now)
        actions.publish_editions(now=now)
        store = Folder(tmp_path / "copy")
        first = carried(data / "feed", store)
        assert (first.announced, first.faults) == (2, {})
        entered("192.0.2.2/32", now=now)
        actions.publish_editions(now=now)
        assert carried(data / "feed", store).faults == {}
        assert {key.partition("/")[0] for key in stored(store)} == {"repositories", "targets"}
        with given_out(tmp_path / "copy") as url:
            for repository in sorted((data / "feed" / "repositories").iterdir()):
                configuration = a_configuration(
                    tmp_path / repository.name,
                    f"http://127.0.0.1:{free_port()}",
                    data / "feed" / "metadata" / "1.root.json",
                    metadata_url=f"{url}/repositories/{repository.name}/metadata",
                    targets_url=f"{url}/targets",
                )
                assert len(sync(configuration).positions) == 3
