"""Files: whose they are, what they carry, and parts of them."""

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.push.app import Push
from rahdari.push.files import SMALL, NotSatisfiable, Stored, part_asked
from tests.push.feeds import (
    OTHER_SESSION,
    OTHER_TOKEN,
    SESSION,
    SHA256,
    SNAPSHOT,
    allow,
    announce,
    bearer,
    call,
    let_in,
    metadata_of,
    put,
    repository_of,
    said,
    token,
)
from tests.push.stories import running

LARGE = f"targets/feed-static/{SESSION}/{'cd' * 32}.snap-2-{'02' * 16}.jsonl.gz"


class TestFile:
    def test_is_served_with_a_tag_and_for_ever(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, "/feed/metadata/1.root.json")
            assert (answer.status, answer.body) == (200, b'{"signed": 1}')
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
            assert answer.headers["content-length"] == "13"
            again = await call(
                push, "/feed/metadata/1.root.json", headers=bearer(if_none_match=f'"x", W/{answer.headers["etag"]}')
            )
            assert (again.status, again.body) == (304, b"")

        running(data, story)

    def test_that_is_the_first_root_is_there_before_the_operators_own_folder_is(self, data: Path) -> None:
        (metadata_of(data) / "1.root.json").rename(data / "moved")
        put(data / "feed" / "metadata" / "1.root.json", b'{"signed": 2}')
        put(data / "feed" / "metadata" / "2.root.json", b"{}")

        async def story(push: Push) -> None:
            assert (await call(push, "/feed/metadata/1.root.json")).body == b'{"signed": 2}'
            # A later one only once everything of this operator is signed as it says.
            assert (await call(push, "/feed/metadata/2.root.json")).status == 404

        running(data, story)

    def test_of_a_target_has_its_digest_for_a_tag_so_that_all_servers_have_the_same(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, f"/feed/{SNAPSHOT}")
            assert (answer.status, answer.headers["etag"]) == (200, f'"{SHA256}"')

        running(data, story)

    def test_timestamp_is_asked_for_each_time_and_gets_a_new_tag_when_replaced(self, data: Path) -> None:
        async def story(push: Push) -> None:
            first = await call(push, "/feed/metadata/timestamp.json")
            assert first.headers["cache-control"] == "private, no-cache"
            tag = first.headers["etag"]
            same = await call(push, "/feed/metadata/timestamp.json", headers=bearer(if_none_match=tag))
            assert (same.status, same.body) == (304, b"")
            announce(data, 2)
            second = await call(push, "/feed/metadata/timestamp.json", headers=bearer(if_none_match=tag))
            assert second.status == 200
            assert json.loads(second.body)["signed"]["version"] == 2

        running(data, story)

    def test_head_says_the_length_and_sends_nothing(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, f"/feed/{SNAPSHOT}", method="HEAD")
            assert (answer.status, answer.body) == (200, b"")
            assert answer.headers["content-length"] == "13"
            assert answer.headers["content-type"] == "application/octet-stream"

        running(data, story)

    @pytest.mark.parametrize(
        "path",
        [
            "/feed/metadata/../../feed-access/operators.json",
            "/feed/../feed-access/operators.json",
            "/feed/metadata//etc/passwd",
            "/feed/metadata/.hidden",
            "/feed/metadata/",
            "/feed/metadata",
            "/feed/keys/online.pem",
            "/feed/targets/feed-static",
            f"/feed/targets/feed-static/{SESSION}",
            f"/feed/targets/feed-static/{SESSION}/{SHA256}.a/b",
            f"/feed/targets/feed-static/{SESSION}/{SHA256}...",
            f"/feed/targets/feed-static/../{SESSION}/{SHA256}.a",
            f"/feed/targets/bulk/{SHA256}.{'0' * 32}.json",
            f"/feed/repositories/{repository_of('sample-one')}/metadata/1.root.json",
            "/feed/targets/a\x00b",
            "/feed/targets/a\nb",
            "/feed/metadata/2.root.json",
            "/feed/metadata/1.root.json\n",
            "/feed/metadata/" + "a" * 5000,
            "/feed/targets/" + "a/" * 50 + "b",
            "/",
            "/feed",
            "feed/metadata/1.root.json",
        ],
    )
    def test_is_not_found_outside_the_feed(self, data: Path, path: str) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, path)
            assert answer.status == 404
            assert answer.problem()["title"] == "Not Found"

        running(data, story)

    def test_is_not_found_when_it_is_a_link_a_pipe_or_a_folder(self, data: Path) -> None:
        metadata = metadata_of(data)
        (metadata / "9.root.json").symlink_to(data / "feed-access" / "operators.json")
        os.mkfifo(metadata / "8.root.json")
        (metadata / "7.root.json").mkdir()

        async def story(push: Push) -> None:
            for number in (9, 8, 7):
                assert (await call(push, f"/feed/metadata/{number}.root.json")).status == 404

        running(data, story)

    def test_is_only_read(self, data: Path) -> None:
        async def story(push: Push) -> None:
            answer = await call(push, "/feed/metadata/1.root.json", method="PUT")
            assert answer.status == 405
            assert answer.headers["allow"] == "GET, HEAD"

        running(data, story)

    def test_when_large_is_read_piece_by_piece_or_left_to_the_server(self, data: Path) -> None:
        large = os.urandom(3 * SMALL + 17)
        put(data / "feed" / LARGE, large)

        async def story(push: Push) -> None:
            answer = await call(push, f"/feed/{LARGE}")
            assert (answer.body, answer.headers["content-length"]) == (large, str(len(large)))
            tail = await call(push, f"/feed/{LARGE}", headers=bearer(range=f"bytes={SMALL + 1}-"))
            assert (tail.status, tail.body) == (206, large[SMALL + 1 :])
            sent = await self.messages(push, f"/feed/{LARGE}")
            assert sent[1:] == [{"type": "http.response.pathsend", "path": str(data / "feed" / LARGE)}]

        running(data, story)

    async def messages(self, push: Push, path: str) -> list[dict[str, object]]:
        """What is said to a server that can send files by itself."""
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": bearer()}
        await push({**scope, "extensions": {"http.response.pathsend": {}}}, asyncio.Event().wait, send)  # type: ignore[arg-type]
        return sent

    def test_when_large_is_left_to_a_proxy_that_was_configured_for_it(self, data: Path) -> None:
        put(data / "feed" / LARGE, bytes(SMALL + 1))

        async def story(push: Push) -> None:
            large = await call(push, f"/feed/{LARGE}")
            assert (large.status, large.body) == (200, b"")
            assert large.headers["x-accel-redirect"] == f"/stored/{LARGE}"
            # The tag is the proxy's own: with ours it would answer for a file that it did not look at.
            assert "etag" not in large.headers
            small = await call(push, f"/feed/{SNAPSHOT}")
            assert small.body == b"0123456789abc"
            again = await call(push, f"/feed/{LARGE}", headers=bearer(x_not_there="1"))
            assert again.body == bytes(SMALL + 1)

        running(data, story, files_by_proxy="/stored/")


class TestPart:
    def test_is_served_of_a_file_that_never_changes(self, data: Path) -> None:
        async def story(push: Push) -> None:
            whole = await call(push, f"/feed/{SNAPSHOT}")
            assert whole.headers["accept-ranges"] == "bytes"
            part = await call(push, f"/feed/{SNAPSHOT}", headers=bearer(range="bytes=3-5", if_range=f'"{SHA256}"'))
            assert (part.status, part.body) == (206, b"345")
            assert part.headers["content-range"] == "bytes 3-5/13"
            assert part.headers["content-length"] == "3"
            beyond = await call(push, f"/feed/{SNAPSHOT}", headers=bearer(range="bytes=13-"))
            assert (beyond.status, beyond.headers["content-range"]) == (416, "bytes */13")

        running(data, story)

    def test_is_the_whole_when_the_file_is_another_or_changes(self, data: Path) -> None:
        async def story(push: Push) -> None:
            other = await call(push, f"/feed/{SNAPSHOT}", headers=bearer(range="bytes=3-", if_range='"other"'))
            assert (other.status, other.body) == (200, b"0123456789abc")
            changing = await call(push, "/feed/metadata/timestamp.json", headers=bearer(range="bytes=3-"))
            assert changing.status == 200
            assert "accept-ranges" not in changing.headers

        running(data, story)

    @given(st.integers(1, 40), st.from_regex(r"\A(bytes=)?[0-9]{0,2}-[0-9]{0,2}(,[0-9]-)?\Z"))
    def test_is_what_the_standard_says(self, size: int, asked: str) -> None:
        content = bytes(range(size))
        stored = Stored(Path("a"), "targets/a", size, '"t"', content)
        form = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", asked)
        try:
            part = part_asked(asked, None, stored)
        except NotSatisfiable:
            assert form
            assert int(form[1] or 0) >= size or form[2] in {"0", "00"}
            return
        if form is None or not (form[1] or form[2]) or (form[1] and form[2] and int(form[2]) < int(form[1])):
            assert part is None
        else:
            assert part is not None
            first, last = form.groups()
            wanted = content[int(first) :][: int(last) - int(first) + 1 if last else None] if first else None
            assert content[slice(*part)] == (content[-int(last) :] if wanted is None else wanted)


class TestEntitlement:
    def test_gives_each_operator_its_own_metadata_under_the_same_name(self, data: Path) -> None:
        second = announce(data, 7, "sample-two")
        allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN)))

        async def story(push: Push) -> None:
            mine = await call(push, "/feed/metadata/timestamp.json", headers=bearer("one"))
            other = await call(push, "/feed/metadata/timestamp.json", headers=bearer(OTHER_TOKEN))
            assert json.loads(mine.body)["signed"]["version"] == 1
            assert other.body == second
            assert (await call(push, "/feed/metadata/1.root.json", headers=bearer(OTHER_TOKEN))).status == 404

        running(data, story)

    def test_gives_targets_of_ones_own_sessions_and_statements_in_bulk(self, data: Path) -> None:
        theirs = SNAPSHOT.replace(SESSION, OTHER_SESSION)
        bulk = f"targets/bulk/{SHA256}.{'03' * 16}.json"
        put(data / "feed" / theirs, b"theirs")
        put(data / "feed" / bulk, b"{}")
        let_in(
            data,
            ("sample-one", [token("one")], [SESSION]),
            ("sample-two", [token("two")], [OTHER_SESSION]),
            ("sample-gateway", [token("all")], [SESSION, OTHER_SESSION]),
            ("sample-none", [token("none")], []),
        )

        async def story(push: Push) -> None:
            async def status(text: str, name: str) -> int:
                return (await call(push, f"/feed/{name}", headers=bearer(text))).status

            assert [await status(who, SNAPSHOT) for who in ("one", "two", "all", "none")] == [200, 404, 200, 404]
            assert [await status(who, theirs) for who in ("one", "two", "all", "none")] == [404, 200, 200, 404]
            assert [await status(who, bulk) for who in ("one", "two", "all", "none")] == [200] * 4
            # Nothing tells what is there for others from what is not there at all.
            hidden = await call(push, f"/feed/{theirs}", headers=bearer("one"))
            absent = await call(push, f"/feed/{theirs.replace('snap-1', 'snap-2')}", headers=bearer("one"))
            assert (hidden.status, hidden.headers, hidden.body) == (absent.status, absent.headers, absent.body)

        running(data, story)


class TestPace:
    def test_is_each_operators_own(self, data: Path) -> None:
        from rahdari.push.limits import Pace

        announce(data, 1, "sample-two")
        allow(data, tokens=(("sample-one", "one"), ("sample-two", OTHER_TOKEN)))
        hour = [0.0]
        pace = Pace(at_once=2, per_second=1, clock=lambda: hour[0])

        async def story(push: Push) -> None:
            async def status(who: str) -> int:
                return (await call(push, "/feed/metadata/timestamp.json", headers=bearer(who))).status

            assert [await status("one") for _ in range(3)] == [200, 200, 429]
            refused = await call(push, "/feed/metadata/timestamp.json", headers=bearer("one"))
            assert refused.headers["retry-after"] == "5"
            assert await status(OTHER_TOKEN) == 200
            assert (await call(push, "/healthz", headers=said())).status == 200
            hour[0] += 1
            assert [await status("one") for _ in range(2)] == [200, 429]

        running(data, story, pace=pace)
