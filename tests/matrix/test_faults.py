"""Faults that are nobody's intent, and that no single room's tests meet."""

import hashlib
from pathlib import Path

from rahdari.agent.faults import Exit
from tests.agent.feeds import a_configuration, listed, names, running
from tests.agent.servers import Asked, Reply, answering

from .simulator import Simulator, now
from .test_conformance import FIRST, NEXT, an_entry


class TestTruncated:
    def test_body_under_a_new_tag_is_asked_for_again(self, tmp_path: Path) -> None:
        """A proxy cuts an answer short and keeps the tag of the whole. Who believes that tag waits for ever."""
        simulator = Simulator(tmp_path / "feed")
        short: list[str] = []

        def script(asked: Asked) -> Reply:
            if asked.method == "POST":
                return Reply(201, b"{}")
            path = simulator.folder / asked.path.removeprefix("/feed/")
            if not path.is_file():
                return Reply(404)
            body = path.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()}"'
            if asked.headers.get("If-None-Match") == tag:
                return Reply(304, headers={"ETag": tag})
            return Reply(body=body[: len(body) // 2] if path.name in short else body, headers={"ETag": tag})

        simulator.add(an_entry(FIRST))
        simulator.write()
        with answering(script) as (url, asked):
            configuration = a_configuration(tmp_path / "operator", url, simulator.root_file)
            with running(configuration) as agent:
                assert agent.sync(now=now()).exit is Exit.OK
                asked.clear()
                assert agent.sync(now=now()).exit is Exit.OK
                assert any("If-None-Match" in each.headers for each in asked), "tags are used at all"
                simulator.add(an_entry(NEXT))
                simulator.write()
                short.append("timestamp.json")
                assert names(agent.sync(now=now())) == ["Untrusted"]
                assert listed(configuration) == [FIRST]
                short.clear()
                assert agent.sync(now=now()).exit is Exit.OK
                assert listed(configuration) == [FIRST, NEXT]
